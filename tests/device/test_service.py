"""What systemd hears of a service."""

import asyncio
import socket
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
