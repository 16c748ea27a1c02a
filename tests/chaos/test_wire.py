"""The network that can be cut."""

import socket
import threading
from collections.abc import Iterator

import pytest

from dashcam.chaos.wire import Wire


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends back what it hears."""
    listening = socket.create_server(("127.0.0.1", 0))

    def answer(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(4096):
                connection.sendall(data)

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listening.getsockname()[1]
    listening.close()


def connected(wire: Wire) -> socket.socket:
    return socket.create_connection(("127.0.0.1", wire.port), timeout=10)


def hears(connection: socket.socket, what: bytes) -> bool:
    try:
        connection.sendall(what)
        return connection.recv(4096) == what
    except OSError:
        return False


def test_a_whole_wire_carries_both_ways_and_refuses_while_there_is_no_server(echo: int) -> None:
    target: list[int | None] = [echo]
    with Wire(lambda: target[0]) as wire:
        with connected(wire) as connection:
            assert hears(connection, b"hello")
        target[0] = None
        with connected(wire) as connection:
            assert not hears(connection, b"hello")


def test_a_refusing_wire_ends_what_is_connected_and_what_comes(echo: int) -> None:
    with Wire(lambda: echo) as wire, connected(wire) as before:
        assert hears(before, b"hello")
        wire.cut("refused")
        assert before.recv(1) == b"" if not reset(before) else True
        with connected(wire) as during:
            assert not hears(during, b"hello")
        wire.mend()
        with connected(wire) as after:
            assert hears(after, b"hello")


def reset(connection: socket.socket) -> bool:
    try:
        connection.recv(1, socket.MSG_PEEK)
    except ConnectionResetError:
        return True
    return False


def test_a_silent_wire_carries_nothing_and_what_was_on_it_is_lost(echo: int) -> None:
    with Wire(lambda: echo) as wire, connected(wire) as before:
        assert hears(before, b"hello")
        wire.cut("silent")
        with connected(wire) as during:
            for connection in (before, during):
                connection.settimeout(0.3)
                assert not hears(connection, b"hello")
            wire.mend()
            before.settimeout(10)
            assert not hears(before, b"again")
        with connected(wire) as after:
            assert hears(after, b"hello")
