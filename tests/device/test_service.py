"""What systemd hears of a service."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from dashcam.device import service


def test_it_hears_that_it_is_ready_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(60)
        monkeypatch.setattr(service, "ADDRESS", str(tmp_path / "notify"))
        monkeypatch.setattr(service, "WATCHDOG_S", 0.3)

        async def hear() -> list[bytes]:
            telling = asyncio.create_task(service.keep_telling())
            said = [await asyncio.to_thread(systemd.recv, 100) for _ in range(3)]
            telling.cancel()
            return said

        assert asyncio.run(hear()) == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]


def test_where_nobody_listens_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service.tell("READY=1")
    monkeypatch.setattr(service, "ADDRESS", str(tmp_path / "gone"))
    service.tell("READY=1")


def python(code: str, **environment: str) -> set[str]:
    """The names in the environment that the code prints at its end."""
    clean = {name: value for name, value in os.environ.items() if name not in ("NOTIFY_SOCKET", "WATCHDOG_USEC")}
    argv = [sys.executable, "-c", f"import os; {code}; print(*os.environ)"]
    done = subprocess.run(argv, env=clean | environment, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_what_a_service_starts_does_not_speak_for_it() -> None:
    """A flow run that inherited the socket could say that a worker goes on which hangs."""
    tells = "import asyncio; from dashcam.device import service; asyncio.run(service.keep_telling())"
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        address = str(Path(folder) / "notify")  # a socket's address is short
        systemd.bind(address)
        systemd.settimeout(60)
        assert "NOTIFY_SOCKET" not in python(tells, NOTIFY_SOCKET=address)
        assert systemd.recv(100) == b"READY=1"


def test_a_units_command_hands_the_socket_on_to_the_process_that_tells() -> None:
    """`dashcam server` and `dashcam worker` become that process: nothing takes the socket out before."""
    becomes = (
        "from dashcam import config; config.tell_prefect = lambda site: None; from dashcam.cli import site; "
        "site.become = lambda argv: None; site.run_module('app.main')"
    )
    told = python(becomes, NOTIFY_SOCKET="/nowhere", WATCHDOG_USEC="120000000")
    assert {"NOTIFY_SOCKET", "WATCHDOG_USEC"} <= told
