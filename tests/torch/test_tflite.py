"""The Jetson stage's network on LiteRT. Run by `make test-torch`: extra jetson."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="the extra jetson is not installed: make test-torch")

from ai_edge_litert.interpreter import Interpreter

from dashcam.config import DeviceSettings, PreprocessSettings
from dashcam.media.decode import frames
from dashcam.records import Candidates
from dashcam.stages.common import StageError
from dashcam.stages.preprocess import Preprocess, small
from dashcam.vision.detect.onnx_detector import OnnxPlateDetector
from dashcam.vision.detect.tflite_detector import TfliteNetwork, has_driver, weights_for
from dashcam.vision.engines import EngineLost, MissingWeights, iou
from dashcam.vision.triage.proposals import PlateProposer, proposer_of
from tests.media.made import regular, write_clip
from tests.stages.running import Device

WEIGHTS = weights_for(None, edge_tpu=False)


def test_the_network_is_what_the_edge_tpu_compiler_takes() -> None:
    """Integers everywhere, also what goes in and comes out, and no shape that is open."""
    network = Interpreter(str(WEIGHTS))
    network.allocate_tensors()
    ends = network.get_input_details() + network.get_output_details()
    assert {part["dtype"] for part in ends} == {np.int8}
    assert {part["dtype"] for part in network.get_tensor_details()} == {np.int8, np.int32}
    assert all((part["shape_signature"] > 0).all() for part in ends)
    assert all(part["quantization"][0] > 0 for part in ends)


def test_auto_takes_the_cpu_where_no_edge_tpu_is_and_says_so_beside_the_regions(tmp_path: Path) -> None:
    if has_driver():
        pytest.skip("an Edge TPU's driver is installed here")
    device = Device(tmp_path / "device", DeviceSettings())
    device.preprocess(write_clip(tmp_path / "drive.mp4", regular(12, 4), gop=4))
    found = Candidates.model_validate_json((device.nas / "preproc/drive/candidates.json").read_bytes())
    assert (found.proposals, len(found.weights)) == ("tflite-cpu", 64)


def test_the_small_look_points_at_the_plates_of_a_real_street(shared: Path) -> None:
    proposer, detector = PlateProposer(WEIGHTS), OnnxPlateDetector()
    large = found = 0
    for frame in frames(shared / "data/clips/london-street-hevc.mp4"):
        if frame.index % 4:
            continue
        picture = small(frame, PreprocessSettings().side)
        regions = proposer.regions(picture, picture.shape[1] / frame.av.width)
        for plate in detector.detect([frame.bgr()])[0]:
            if plate.score >= 0.6 and plate.box[2] - plate.box[0] >= 70:
                large += 1
                found += any(r.kind == "plate" and iou(r.box, plate.box) > 0.3 for r in regions)
    assert large >= 8
    assert found >= 0.6 * large, f"{found} of {large}"


def test_cars_are_told_from_plates(shared: Path) -> None:
    picture = cv2.imread(str(next((shared / "data/incar-romania/images").glob("*.jpg"))))
    height, width = picture.shape[:2]
    shrunk = cv2.cvtColor(
        cv2.resize(picture, (round(width * 320 / height), 320), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB
    )
    regions = PlateProposer(WEIGHTS).regions(shrunk, 320 / height)
    assert {r.kind for r in regions} & {"car", "truck", "bus"}
    assert all(0 <= r.box[0] < r.box[2] <= width + 1 and 0 <= r.box[1] < r.box[3] <= height + 1 for r in regions)


def test_the_right_end_of_a_wide_picture_is_looked_at_too(shared: Path) -> None:
    picture = cv2.imread(str(next((shared / "data/incar-romania/images").glob("*.jpg"))))
    square = cv2.cvtColor(cv2.resize(picture, (320, 320), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
    wide = np.full((320, 569, 3), 114, np.uint8)
    wide[:, 249:] = square
    alone = PlateProposer(WEIGHTS).regions(square, 1)
    moved = [tuple(np.add(r.box, (249, 0, 249, 0))) for r in alone if r.score >= 0.4]
    found = [r.box for r in PlateProposer(WEIGHTS).regions(wide, 1)]
    assert moved
    assert all(any(iou(box, other) > 0.8 for other in found) for box in moved)


def test_an_engine_that_stops_answering_fails_the_clip_and_is_loaded_anew_for_the_next(tmp_path: Path) -> None:
    device = Device(tmp_path / "device", DeviceSettings(proposals="tflite"))
    clip = write_clip(tmp_path / "drive.mp4", regular(12, 4), gop=4)
    stage = Preprocess(device.settings)
    stage.load()
    assert stage._proposer is not None
    stage._proposer._network._network.resize_tensor_input(0, [1, 3, 64, 64])  # LiteRT refuses to go on after this
    with pytest.raises(StageError, match="LiteRT failed"):
        device.preprocess(clip, stage=stage)
    assert not (device.nas / "preproc").exists()
    assert device.preprocess(clip, stage=stage).result.proposals == "tflite-cpu"


def test_a_picture_the_network_does_not_take_is_no_empty_street() -> None:
    with pytest.raises(EngineLost):
        TfliteNetwork(WEIGHTS).answers(np.zeros((1, 3, 8, 8), np.uint8))


@pytest.mark.skipif(has_driver(), reason="an Edge TPU's driver is installed here")
def test_an_edge_tpu_that_is_not_there_is_a_failure_not_an_empty_street() -> None:
    for device in (DeviceSettings(proposals="edgetpu"), DeviceSettings(coral={})):
        with pytest.raises(MissingWeights, match=r"driver libedgetpu\.so\.1 is not installed"):
            proposer_of(device)
