"""Telling how far a clip is must never keep the stage waiting, whatever the main server does."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from json import loads

from dashcam.tasks.client import MainServerClient
from flows.progress import reporting


@contextmanager
def taking_reports() -> Iterator[tuple[MainServerClient, list[float]]]:
    """A main server that notes what it is told."""
    told: list[float] = []

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(loads(self.rfile.read(int(self.headers["Content-Length"])))["fraction"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Taker)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield MainServerClient(f"http://127.0.0.1:{server.server_port}", "token"), told
    server.shutdown()
    server.server_close()


def test_a_main_server_that_does_not_answer_keeps_no_frame_waiting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = MainServerClient(f"http://127.0.0.1:{silent.getsockname()[1]}", "token")
        with reporting(server, 1, "gpu-pc") as report:
            report(0.0)
            connection, _ = silent.accept()  # now it is being told, and does not answer
            began = time.monotonic()
            for frame in range(10):
                report(frame / 10)
            waited = time.monotonic() - began
        connection.close()
    assert waited < 0.5


def test_at_most_two_reports_a_second_and_the_newest_wins() -> None:
    with taking_reports() as (server, told), reporting(server, 1, "gpu-pc") as report:
        began = time.monotonic()
        while (elapsed := time.monotonic() - began) < 1.2:
            report(elapsed / 10)
        report(0.9)
        deadline = time.monotonic() + 10
        while told[-1:] != [0.9]:
            assert time.monotonic() < deadline, told
            time.sleep(0.01)
        assert len(told) <= 1 + 2 * (time.monotonic() - began)
        assert told == sorted(told)


def test_nothing_is_told_of_a_clip_that_has_ended() -> None:
    with taking_reports() as (server, told):
        with reporting(server, 1, "gpu-pc") as report:
            report(0.5)
        ended = list(told)
        report(0.6)
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("progress of task")]
        assert told == ended


def test_a_report_that_cannot_be_sent_is_nobodys_trouble() -> None:
    server = MainServerClient("http://127.0.0.1:9", "token")
    server.close()
    failures: list[object] = []
    threading.excepthook, before = failures.append, threading.excepthook
    try:
        with reporting(server, 1, "gpu-pc") as report:
            report(0.5)
            time.sleep(0.1)
            report(0.6)
    finally:
        threading.excepthook = before
    assert failures == []
