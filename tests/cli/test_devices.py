"""``dashcam device``: lengths of time, names, and what is said about a device."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from typer.testing import CliRunner

from dashcam.cli import app, devices
from tests.flows.main_server import TOKEN, MainServer


def device(**changes: Any) -> dict[str, Any]:
    seen = datetime.now(UTC).isoformat()
    return {"hostname": "gpu-pc", "last_seen": seen, "paused": False, "paused_until": None, "drained": None} | changes


@given(days=st.integers(0, 30), hours=st.integers(0, 99), minutes=st.integers(1, 999))
def test_a_length_of_time_is_what_it_says(days: int, hours: int, minutes: int) -> None:
    told = timedelta(days=days, hours=hours, minutes=minutes).total_seconds()
    assert devices.seconds(f"{days}d{hours}h{minutes}m") == told


@given(st.text(max_size=12))
def test_what_is_no_length_of_time_is_refused_in_a_sentence(text: str) -> None:
    try:
        assert 0 < devices.seconds(text) <= 366 * 86400
    except typer.BadParameter as refused:
        assert repr(text) in str(refused)


@pytest.mark.parametrize("text", ["", "2", "2 h", "-2h", "0h", "9999d", "1.5h", "2h\n"])
def test_near_misses_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        devices.seconds(text)


def test_a_machine_answers_for_each_pool_it_serves() -> None:
    assert {"gpu-pc", "gpu-pc-gpu", "gpu-pc-server"} <= devices.roles_of("gpu-pc.lan")
    assert "gpu-pc-2" not in devices.roles_of("gpu-pc")


def test_what_a_device_does_in_a_few_words() -> None:
    long_ago = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    assert devices.state(device()) == "works"
    assert devices.state(device(drained="it works at 22:00-07:00")) == "resting: it works at 22:00-07:00"
    assert devices.state(device(paused=True)) == "paused, but has not stopped yet"
    assert devices.state(device(paused=True, drained="paused")) == "paused"
    assert devices.state(device(paused=True, last_seen=long_ago)) == "not there, paused"
    until = datetime(2030, 6, 28, 12, 0, tzinfo=UTC)
    local = f"{until.astimezone():%Y-%m-%d %H:%M}"
    assert devices.state(device(paused=True, paused_until=until.isoformat(), drained="x")) == f"paused until {local}"


def test_an_invitation_is_a_line_and_a_qr_code_that_holds_it(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = MainServer(engine, {"indoor_nas": tmp_path})
    (tmp_path / "config.json").write_text(json.dumps({"server": {"url": server.url}}))
    monkeypatch.setenv("DASHCAM_CONFIG", str(tmp_path))
    monkeypatch.setenv("DASHCAM_TOKEN", TOKEN)
    server.start()
    try:
        shown, quiet = (CliRunner().invoke(app, ["device", "invite", *more]).output for more in (["--qr"], []))
    finally:
        server.stop()
    line, *code = shown.splitlines()
    assert re.fullmatch(r"sudo dashcam join \S+ --code [A-Z0-9]{4}-[A-Z0-9]{4}", line)
    assert as_a_phone_reads_it(code) == line
    assert len(quiet.splitlines()) == 1, "a script that reads it gets the line alone"


def as_a_phone_reads_it(lines: list[str]) -> str:
    """Half blocks as black and white squares, and what a reader of QR codes makes of them. OpenCV's other one finds one
    sound code in sixty unreadable."""
    rows = [[0 if sign in dark else 255 for sign in line] for line in lines for dark in ("▀█", "▄█")]
    picture = np.kron(np.array(rows, dtype=np.uint8), np.ones((8, 8), dtype=np.uint8))
    return cv2.QRCodeDetectorAruco().detectAndDecode(picture)[0]
