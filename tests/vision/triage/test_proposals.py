"""Which engine proposes regions, and that it sees all of the picture."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.config import DeviceSettings
from dashcam.vision.detect.tflite_detector import COMPILED, bytes_of
from dashcam.vision.engines import MissingWeights
from dashcam.vision.triage.proposals import proposer_of, squares


def test_a_wide_picture_is_looked_at_in_two_squares_that_overlap() -> None:
    assert squares(320, 320, 320) == [(0, 0)]
    assert squares(569, 320, 320) == [(0, 0), (249, 0)]
    assert squares(320, 428, 320) == [(0, 0), (0, 108)]


@given(st.integers(320, 2000), st.integers(320, 2000))
def test_every_pixel_is_in_a_square_and_no_square_is_outside(width: int, height: int) -> None:
    found = squares(width, height, 320)
    for length, starts in ((width, {x for x, _ in found}), (height, {y for _, y in found})):
        ends = sorted(starts)
        assert ends[0] == 0
        assert ends[-1] + 320 == length
        assert all(b - a <= 320 for a, b in pairwise(ends))


def test_none_is_none() -> None:
    assert proposer_of(DeviceSettings(proposals="none")) is None


def test_a_network_compiled_for_the_other_processor_is_refused_with_what_to_do(tmp_path: Path) -> None:
    plain, compiled = tmp_path / "plain.tflite", tmp_path / "compiled.tflite"
    plain.write_bytes(b"TFL3 a network")
    compiled.write_bytes(b"TFL3 " + COMPILED)
    assert bytes_of(plain, edge_tpu=False)
    assert bytes_of(compiled, edge_tpu=True)
    with pytest.raises(MissingWeights, match=r"not compiled .*: deploy/compile_edgetpu\.sh does it"):
        bytes_of(plain, edge_tpu=True)
    with pytest.raises(MissingWeights, match="runs on nothing else; name another file"):
        bytes_of(compiled, edge_tpu=False)
    with pytest.raises(MissingWeights, match=r"cannot be read .*make them with deploy/compile_edgetpu\.sh"):
        bytes_of(tmp_path / "gone.tflite", edge_tpu=True)
