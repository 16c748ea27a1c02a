"""A clip that this device cannot decode is no broken clip."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from dashcam.media.coding import NoDecoder, coding_of
from dashcam.media.decode import DecodeError, FrameReader
from dashcam.media.probe import UnreadableClip, probe
from tests.media.clips import in_coding, mp4


def test_a_coding_that_ffmpeg_knows_and_has_no_decoder_for_is_the_devices_fault(tmp_path: Path) -> None:
    path = tmp_path / "new.mp4"
    path.write_bytes(in_coding(b"evc1"))
    for reads in (probe, FrameReader):
        with pytest.raises(NoDecoder, match=r"new\.mp4 is coded as evc, which this device cannot decode"):
            reads(path)


@pytest.mark.parametrize("entry", [b"zzzz", b"\0\0\0\0"])
def test_a_coding_that_nobody_knows_is_the_clips(tmp_path: Path, entry: bytes) -> None:
    path = tmp_path / "torn.mp4"
    path.write_bytes(in_coding(entry))
    with pytest.raises(UnreadableClip, match="coding that is not known here"):
        probe(path)
    with pytest.raises(DecodeError, match="coding that is not known here"):
        FrameReader(path)


def test_asking_for_the_coding_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(mp4())
    before = av.logging.get_level()
    with av.open(str(path)) as container:
        assert coding_of(container) == "h264"
    assert av.logging.get_level() == before


class WithoutDav1d(FrameReader):
    """FFmpeg's own AV1 decoder, which needs a card for it: what a device has whose FFmpeg was built without another."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._own: Any = av.CodecContext.create("av1", "r")
        self._own.extradata = self.stream.codec_context.extradata

    def _decoded(self, packet: av.Packet | None) -> Sequence[Any]:
        return self._own.decode(packet)


def test_a_decoder_that_knows_the_coding_and_cannot_do_it_is_the_devices_fault(tmp_path: Path) -> None:
    path = av1(tmp_path / "av1.mp4")
    with FrameReader(path) as reader:
        assert len(list(reader)) == 3
    with pytest.raises(NoDecoder, match=r"av1\.mp4 is coded as"), WithoutDav1d(path) as reader:
        list(reader)


def av1(path: Path) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libsvtav1", rate=10, options={"preset": "12"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for shade in (20, 120, 220):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((96, 128, 3), shade, np.uint8), format="rgb24")))
        out.mux(stream.encode(None))
    return path
