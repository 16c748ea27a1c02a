"""The ports of the embedded system: taken before anything is started, and handed to whoever serves there.

The command holds each listening socket until it ends. So nobody else can take the port between its choice and the
start of its server, nor while a server that died is started again; who asks meanwhile waits, and is not refused.
"""

import os
import socket

from dashcam import Explained

LISTEN = "DASHCAM_LISTEN"
"""Names the descriptor of the socket that a server is to accept on."""


class NoPortFree(Explained):
    """The message says which ports are taken."""


def reserve_port(wanted: int) -> socket.socket:
    """A socket that listens on the wanted port of this machine alone, or on the next free one above it.

    Raises `NoPortFree`.
    """
    for port in range(wanted, wanted + 200):
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind(("127.0.0.1", port))
            held.listen()
        except OSError:
            held.close()
            continue
        return held
    raise NoPortFree(f"None of the ports {wanted} to {wanted + 199} is free: end a program that holds one.")


def inherited() -> socket.socket | None:
    """The socket that this process is to serve on, if it was given one; what it starts is not given it."""
    number = os.environ.pop(LISTEN, None)
    if number is None:
        return None
    os.set_inheritable(int(number), False)
    return socket.socket(fileno=int(number))
