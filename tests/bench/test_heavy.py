"""The heavy stage stays near the price of decoding and far below that of looking at every frame."""

import json
from pathlib import Path

import av
import pytest
from typer.testing import CliRunner

from dashcam.bench.heavy import plates_of
from dashcam.cli.bench import app
from dashcam.evaluate.layouts import Unusable
from dashcam.records import Box
from dashcam.vision.detect.onnx_detector import default_weights, quickest_weights

pytestmark = pytest.mark.alone

FRAMES = 40
OVER_DECODE, NAIVE_OVER = (3.5, 4.6) if quickest_weights() == default_weights() else (2.8, 5.3)
"""Measured on this clip, with the detector in floats and in 8-bit integers; benchmarks/JOURNAL.md has longer ones."""
WORSE = 1.25


def beginning(source: Path, target: Path, frames: int) -> Path:
    """The first frames of a clip, their packets as they are."""
    with av.open(str(source)) as given, av.open(str(target), "w") as out:
        stream = given.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for _, packet in zip(range(frames), given.demux(stream), strict=False):
            packet.stream = copy
            out.mux(packet)
    return target


def test_the_command_measures_its_baselines_and_no_ratio_is_a_quarter_worse(shared: Path, tmp_path: Path) -> None:
    clip = beginning(shared / "data/clips/london-street-hevc.mp4", tmp_path / "london.mp4", FRAMES)
    file = tmp_path / "cost.json"
    ended = CliRunner().invoke(app, ["heavy", str(clip), "--rounds", "3", "--json", str(file)])
    assert ended.exit_code == 0, ended.output
    cost = json.loads(file.read_text())
    assert cost["heavy_over_decode"] < WORSE * OVER_DECODE
    assert cost["naive_over_heavy"] > NAIVE_OVER / WORSE
    assert cost["plates"] >= cost["naive_plates"] > 0
    assert cost["frames"] == FRAMES
    assert {name: one["frames"] for name, one in cost["passes"].items()} == dict.fromkeys(cost["passes"], FRAMES)
    assert 50 < cost["peak_rss_mb"] < 1200
    assert clip.name in ended.output


def test_a_clip_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["heavy", str(tmp_path / "gone.mp4")])
    assert ended.exit_code == 1
    assert "gone.mp4 cannot be read" in ended.output


def test_what_is_right_is_what_the_truth_beside_the_clip_says(tmp_path: Path) -> None:
    clip = tmp_path / "drive.MP4"
    assert plates_of(clip, None) is None
    with pytest.raises(Unusable, match=r"no truth of a sample drive"):
        plates_of(clip, tmp_path / "truth.json")
    box: Box = (1, 2, 3, 4)
    plate = {"text": "AB12CDE", "country": "GB", "first_s": 0, "last_s": 1, "boxes": [{"t_s": 0, "box": box}]}
    one = {"file": "drive.MP4", "camera": "front", "start_utc": "2026-06-28T12:00:00Z", "duration_s": 1, "fixes": []}
    about = {"seed": 1, "time_zone": "Europe/London", "width": 1280, "height": 720}
    (tmp_path / "truth.json").write_text(json.dumps(about | {"clips": [one | {"plates": [plate]}]}))
    assert plates_of(clip, None) == plates_of(clip, tmp_path / "truth.json") == {"AB12CDE"}
    assert plates_of(tmp_path / "other.MP4", None) is None
    with pytest.raises(Unusable, match=r"says nothing about other\.MP4"):
        plates_of(tmp_path / "other.MP4", tmp_path / "truth.json")
