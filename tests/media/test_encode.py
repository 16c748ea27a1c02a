"""The low-resolution copy plays in browsers, keeps the source's time and sound, and is there whole or not at all."""

import errno
import shutil
import subprocess
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.chaos.disks import BALLAST, full, mounted, unavailable
from dashcam.media.decode import Frame, FrameReader, frames
from dashcam.media.encode import EncodeError, LowResEncoder, low_size
from tests.media.made import regular, write_clip


def encode(source: Path, target: Path, fps: float = 0) -> Path:
    with FrameReader(source) as reader, LowResEncoder(target, reader, fps=fps) as encoder:
        reader.on_audio = encoder.write_audio
        for frame in reader:
            encoder.write(frame)
    return target


@pytest.mark.parametrize(
    ("source", "low"),
    [
        ((1920, 1080), (1280, 720)),
        ((3840, 2160), (1280, 720)),
        ((2560, 1440), (1280, 720)),
        ((1376, 1840), (720, 962)),  # portrait: the width is the short side
        ((1280, 720), (1280, 720)),
        ((640, 480), (640, 480)),  # never enlarged
        ((641, 361), (640, 360)),  # 4:2:0 needs even
    ],
)
def test_sizes(source: tuple[int, int], low: tuple[int, int]) -> None:
    assert low_size(*source) == low


@given(st.integers(2, 8000), st.integers(2, 8000))
def test_any_size_is_even_small_enough_and_of_the_same_shape(width: int, height: int) -> None:
    low_width, low_height = low_size(width, height)
    assert low_width % 2 == low_height % 2 == 0
    assert min(low_width, low_height) <= 720
    assert low_width <= width
    assert low_height <= height
    assert abs(low_width * height - low_height * width) <= 2 * max(width, height)


@pytest.mark.parametrize("pts", [[0, 3_000, 30_000, 33_003, 120_000, 300_000], regular(3, 30)])
def test_every_frame_keeps_its_time(tmp_path: Path, pts: list[int]) -> None:
    source = write_clip(tmp_path / "a.mp4", pts)
    low = encode(source, tmp_path / "low.mp4")
    assert [f.t_s for f in frames(low)] == pytest.approx([f.t_s for f in frames(source)], abs=1e-4)


@pytest.mark.parametrize(("fps", "every"), [(30, 2), (25, 2), (60, 3), (20, 1), (10, 1)])
def test_a_copy_of_fewer_frames_takes_every_so_manieth(tmp_path: Path, fps: int, every: int) -> None:
    source = write_clip(tmp_path / "a.mp4", regular(2, fps))
    low = encode(source, tmp_path / "low.mp4", 15)
    assert [f.t_s for f in frames(low)] == pytest.approx([f.t_s for f in frames(source)][::every], abs=1e-4)


def test_frames_that_lie_far_apart_can_each_be_jumped_to(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", [270_000 * i for i in range(8)])
    low = encode(source, tmp_path / "low.mp4", 15)
    assert [f.t_s for f in frames(low, keyframes_only=True)] == pytest.approx([3 * i for i in range(8)])


def test_browsers_can_play_and_seek_it(tmp_path: Path) -> None:
    low = encode(write_clip(tmp_path / "a.mp4", regular(6, 30), gop=250), tmp_path / "low.mp4")
    data = low.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(low)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
    starts = [f.t_s for f in frames(low, keyframes_only=True)]
    assert max(b - a for a, b in zip(starts, [*starts[1:], 6], strict=True)) <= 2.1


def test_an_independent_player_finds_no_fault(tmp_path: Path) -> None:
    ffmpeg = shutil.which("ffmpeg")
    if not ffmpeg:
        pytest.skip("ffmpeg is not installed; it is the independent check of the encoded file")
    low = encode(write_clip(tmp_path / "a.mp4", regular(2), sound="aac"), tmp_path / "low.mp4")
    done = subprocess.run([ffmpeg, "-v", "error", "-i", low, "-f", "null", "-"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_aac_sound_is_copied(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", regular(3), sound="aac")
    before_zero = 1  # the encoder's priming packet
    assert sound_of(encode(source, tmp_path / "low.mp4")) == sound_of(source)[before_zero:]


def test_other_sound_becomes_aac_of_the_same_length(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mov", regular(3), sound="pcm_s16le")
    low = encode(source, tmp_path / "low.mp4")
    with av.open(str(low)) as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.name == "aac"
        assert float(stream.duration * stream.time_base) == pytest.approx(2.9, abs=0.15)


def test_a_source_whose_time_starts_late_gives_a_copy_that_starts_at_zero(tmp_path: Path) -> None:
    low = encode(write_clip(tmp_path / "a.ts", [126_000, 129_000]), tmp_path / "low.mp4")
    assert next(iter(frames(low))).pts == 0


def test_when_the_reading_side_fails_nothing_is_left(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", regular(1))
    with pytest.raises(RuntimeError), FrameReader(source) as reader, LowResEncoder(tmp_path / "low.mp4", reader) as out:
        out.write(next(iter(reader)))
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_when_the_encoder_fails_the_writer_hears_of_it_and_nothing_is_left(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", regular(1))
    broken = Frame(0, 0, 0.0, None)
    with (
        pytest.raises(EncodeError, match=r"low\.mp4 cannot be written"),
        FrameReader(source) as reader,
        LowResEncoder(tmp_path / "low.mp4", reader) as out,
    ):
        out.write(broken)
        for frame in reader:
            out.write(frame)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def sound_of(clip: Path) -> list[bytes]:
    with av.open(str(clip)) as container:
        return [bytes(p) for p in container.demux(container.streams.audio[0]) if p.size]


def test_on_a_disk_with_too_little_room_there_is_no_copy_however_little_is_missing(tmp_path: Path) -> None:
    """The last bytes are flushed, and the index moved in front, when the copy is closed: that may fail too."""
    if why := unavailable():
        pytest.skip(why)
    source = write_clip(tmp_path / "a.mp4", regular(1, 30))
    size = encode(source, tmp_path / "whole.mp4").stat().st_size
    disk = tmp_path / "disk"
    whole = short = 0
    with mounted({disk: 4}):
        for room in range(2 * size // 4096 + 3):
            low = disk / "low.mp4"
            with full(disk):
                with (disk / BALLAST).open("rb+") as ballast:
                    ballast.truncate((disk / BALLAST).stat().st_size - 4096 * room)
                try:
                    whole += encode(source, low).stat().st_size == size
                except OSError as error:
                    assert error.errno == errno.ENOSPC
                    short += 1
                    assert not low.exists()
                assert {one.name for one in disk.iterdir()} <= {BALLAST, low.name}
            low.unlink(missing_ok=True)
    assert (whole > 0, short > 0, whole + short) == (True, True, room + 1)
