"""Any thread may cut from a frame while others use it, and gets exactly the frame's own pixels."""

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashcam.media.decode import Frame, frames
from dashcam.media.picture import Picture
from tests.media.made import write_clip

NOISE = np.random.default_rng(3).integers(0, 255, (98, 130, 3), dtype=np.uint8)
SMOOTH = np.indices((98, 130)).astype(np.uint8).transpose(1, 2, 0)[:, :, [0, 1, 1]].copy()


def frame(pixels: str, image: np.ndarray = NOISE) -> Frame:
    return Frame(0, 7, 0.5, av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format=pixels))


@settings(max_examples=40)
@given(
    st.tuples(st.integers(0, 60), st.integers(0, 40)),
    st.tuples(st.integers(1, 70), st.integers(1, 58)),
    st.sampled_from(["yuv420p", "yuvj420p", "yuv422p", "yuv420p10le"]),
)
def test_a_cut_is_that_part_of_the_whole(corner: tuple[int, int], size: tuple[int, int], pixels: str) -> None:
    whole = frame(pixels)
    (x, y), (width, height) = corner, size
    cut = whole.picture(64).cut(x, y, x + width, y + height)
    assert cut.shape == (height, width, 3)
    assert np.array_equal(cut, whole.bgr()[y : y + height, x : x + width])


def test_a_card_gives_its_frames_in_another_layout_with_the_same_content() -> None:
    """NV12 interleaves the colours, and is converted with rounding of its own."""
    there = frame("nv12", SMOOTH).picture(64).cut(11, 5, 101, 77)
    assert np.abs(there.astype(int) - SMOOTH[5:77, 11:101]).max() <= 6


@pytest.mark.parametrize(("side", "small"), [(64, (48, 64)), (128, (96, 128)), (900, (96, 128))])
def test_the_small_copy_has_the_frames_shape_and_is_never_larger(
    tmp_path: Path, side: int, small: tuple[int, int]
) -> None:
    (only,) = frames(write_clip(tmp_path / "a.mp4", [0], size=(128, 96)))
    picture = only.picture(side)
    assert picture.small.shape[:2] == small
    assert (picture.width, picture.height, picture.pts) == (128, 96, 0)
    assert picture.at_most(64).shape == (48, 64, 3)
    assert picture.at_most(900).shape == (96, 128, 3)


def test_a_picture_outlives_the_decoder(tmp_path: Path) -> None:
    kept = [(one.picture(64), one.bgr()) for one in frames(write_clip(tmp_path / "a.mp4", [0, 3000, 6000]))]
    for picture, whole in kept:
        assert np.array_equal(picture.cut(0, 0, 128, 96), whole)


def test_an_image_is_a_picture_too() -> None:
    image = np.arange(30 * 20 * 3, dtype=np.uint8).reshape(20, 30, 3)
    picture = Picture.of(5, 0.2, image)
    assert np.array_equal(picture.cut(3, 4, 10, 9), image[4:9, 3:10])
    assert picture.at_most(15).shape == (10, 15, 3)
