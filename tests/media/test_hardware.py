"""A card that does not work costs a line in the log and nothing else."""

from pathlib import Path

import av
import pytest

from dashcam.media.decode import FrameReader, frames
from dashcam.media.encode import LowResEncoder
from dashcam.media.hardware import no_encoder, opened
from tests.media.made import regular, write_clip

NO_CARD = 63
"""Nobody has so many; what follows is what a machine without any does."""


def test_without_the_card_the_cpu_decodes_the_same_frames_and_it_is_said_why(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", regular(1))
    with FrameReader(clip, gpu=NO_CARD) as reader:
        there = [(frame.pts, frame.bgr().tobytes()) for frame in reader]
        assert reader.no_gpu.startswith("card 63 does not decode it (")
    assert there == [(frame.pts, frame.bgr().tobytes()) for frame in frames(clip)]


def test_without_the_card_the_cpu_encodes_and_it_is_said_why(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", regular(1))
    with FrameReader(clip) as reader, LowResEncoder(tmp_path / "low.mp4", reader, gpu=NO_CARD) as encoder:
        for frame in reader:
            encoder.write(frame)
    assert encoder.no_gpu.startswith("card 63 does not encode (")
    assert len(list(frames(tmp_path / "low.mp4"))) == 10


def test_nothing_is_said_where_no_card_is_asked_for(tmp_path: Path) -> None:
    container, reason = opened(write_clip(tmp_path / "a.mp4", [0]))
    container.close()
    assert reason == ""


def test_a_clip_that_is_no_video_is_not_blamed_on_the_card(tmp_path: Path) -> None:
    (tmp_path / "list.mp4").write_text("milk, eggs\n" * 99)
    with pytest.raises(av.error.FFmpegError):
        opened(tmp_path / "list.mp4", NO_CARD)


def test_the_reason_fits_into_a_sentence() -> None:
    assert no_encoder(NO_CARD).count("\n") == 0
