"""``dashcam gps`` writes JSON and GPX that scripts can rely on, and says in a sentence why there is none."""

import json
import os
from pathlib import Path
from typing import Any

import gpxpy
import pytest
from typer.testing import CliRunner

from dashcam.cli import app
from tests.gps.made import SECONDS, drive, transport, write_clip
from tests.media.clips import mp4

ZONE = "Europe/Amsterdam"


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["gps", *map(str, arguments)])
    return result.exit_code, " ".join(result.output.split())


def fixes_of(path: Path, *options: str) -> dict[str, Any]:
    out = path.with_suffix(".out")
    code, said = run(path, "--json", out, *options)
    assert code == 0, said
    answer: dict[str, Any] = json.loads(out.read_text())
    return answer


def test_the_json_has_exactly_these_keys(tmp_path: Path) -> None:
    answer = fixes_of(write_clip(tmp_path / "2026_0628_133416_000001F.MP4", drive()), "--time-zone", ZONE)
    assert list(answer) == ["source", "clock", "offset_s", "fixes"]
    assert (answer["source"], answer["clock"], answer["offset_s"]) == ("novatek", "utc", 0)
    assert len(answer["fixes"]) == SECONDS - 1
    assert answer["fixes"][0] == {
        "t_s": 1.0,
        "utc": "2026-06-28T11:34:17Z",
        "lat": pytest.approx(52.3703, abs=1e-5),
        "lon": pytest.approx(4.8954, abs=1e-5),
        "speed_mps": 8.5,
        "heading_deg": 358.0,
        "quality": "fix",
    }


def test_local_time_in_the_records_is_told_and_corrected(tmp_path: Path) -> None:
    path = tmp_path / "20260628113416_000001.TS"  # the name and the records agree: both are the camera's local time
    path.write_bytes(transport(drive()))
    answer = fixes_of(path, "--time-zone", ZONE)
    assert (answer["source"], answer["clock"], answer["offset_s"]) == ("novatek-ts", "local", 7200)
    assert answer["fixes"][0]["utc"] == "2026-06-28T09:34:17Z"


def test_the_gpx_is_one_that_others_read(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.MP4", drive())
    assert run(path, "--gpx", tmp_path / "a.gpx")[0] == 0
    track = gpxpy.parse((tmp_path / "a.gpx").read_text())
    points = list(track.walk(only_points=True))
    assert [point.time for point in points] == [one.utc for one in drive()[1:]]
    assert [point.latitude for point in points] == pytest.approx([one.lat for one in drive()[1:]], abs=1e-5)


def test_a_clip_without_index_still_has_its_positions(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.MP4", drive())
    data = path.read_bytes()
    path.write_bytes(data[: data.rfind(b"moov") - 4])
    assert [fix["t_s"] for fix in fixes_of(path)["fixes"]] == [1, 2, 3, 4, 5]


def test_no_positions_is_a_sentence_and_status_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "a.MP4"
    path.write_bytes(mp4())
    code, said = run(path, "--json", tmp_path / "a.json")
    assert code == 1
    assert "a.MP4 has no positions. ExifTool is not installed" in said
    assert json.loads((tmp_path / "a.json").read_text()) == {
        "source": "", "clock": "utc", "offset_s": 0.0, "fixes": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["missing.MP4"], "missing.MP4 cannot be used (No such file or directory)"),
        (["pipe.MP4"], "pipe.MP4 is no file"),
        (["a.MP4", "--time-zone", "Mars/Base"], "there is no time zone 'Mars/Base'"),
        (["a.MP4", "--json", "no/such/folder.json"], "The result cannot be written to no/such/folder.json"),
    ],
)
def test_trouble_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    write_clip(tmp_path / "a.MP4", drive())
    os.mkfifo(tmp_path / "pipe.MP4")
    monkeypatch.chdir(tmp_path)
    code, said = run(*arguments)
    assert code == 1
    assert says in said
