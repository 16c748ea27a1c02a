"""The cheap look stays cheap beside pure decoding: a small version of ``dashcam bench preprocess``."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import pytest
from typer.testing import CliRunner

from dashcam.bench.preprocess import measure
from dashcam.cli.bench import app
from dashcam.config import DeviceSettings
from dashcam.media.decode import frames

pytestmark = pytest.mark.alone

RECORDED = 0.22
"""``preprocess_over_decode`` of this clip (benchmarks/JOURNAL.md), without regions."""
SIZE = (1920, 1080)
PARAMS = "keyint=30:min-keyint=30:bframes=0:scenecut=0"


@pytest.fixture(scope="module")
def street(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of a London street, its road scaled to 1080p: H.264, a keyframe a second, as cameras write it."""
    path = tmp_path_factory.mktemp("street") / "street.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=30, options={"preset": "ultrafast", "x264-params": PARAMS})
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = *SIZE, "yuv420p", 12_000_000
        for frame in frames(shared / "data/clips/london-street-hevc.mp4"):
            if frame.index == 120:
                break
            road = cv2.resize(frame.bgr()[790:1564], SIZE, interpolation=cv2.INTER_CUBIC)
            picture = av.VideoFrame.from_ndarray(road, format="bgr24")
            picture.pts, picture.time_base = frame.index, Fraction(1, 30)
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    return path


def test_preprocessing_costs_at_most_a_quarter_more_of_a_decode_than_recorded(street: Path) -> None:
    # both take under half a second, so a busy machine has its moments: only what is never reached is a regression
    measured = (measure(street, DeviceSettings(proposals="none", threads=1), rounds=5) for _ in range(4))
    cost = next((cost for cost in measured if cost.preprocess_over_decode <= 1.25 * RECORDED), None)
    assert cost is not None
    assert (cost.frames, cost.keyframes, cost.width) == (120, 4, 1920)
    assert cost.keyframes_cpu_s < cost.preprocess_cpu_s < cost.decode_cpu_s


def test_what_is_no_video_ends_with_a_sentence(tmp_path: Path) -> None:
    clip = tmp_path / "list.mp4"
    clip.write_text("milk, eggs")
    ended = CliRunner().invoke(app, ["preprocess", str(clip)])
    assert ended.exit_code == 1
    assert "list.mp4 cannot be opened as video" in ended.output
