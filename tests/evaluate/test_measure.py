"""The rates say what happened: counted by hand on small cases, and on the real sets with the real engines."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from dashcam.cli.evaluate import app
from dashcam.evaluate.layouts import Labelled, LabelledPicture, Unusable
from dashcam.evaluate.measure import PictureScore, edits, evaluate_plates, matched, reliability, summed
from dashcam.vision.engines import Detection, PlateText, iou

BOX = (10.0, 10.0, 50.0, 20.0)
words = st.text("AB1", max_size=6)


def test_a_box_is_found_once_and_the_second_detection_of_it_is_one_too_many() -> None:
    near = (11.0, 10.0, 51.0, 20.0)
    assert matched([BOX], [Detection(near, 0.9), Detection(BOX, 0.8)]) == ([True], 1)
    assert matched([BOX, (200.0, 10.0, 240.0, 20.0)], [Detection(BOX, 0.8)]) == ([True, False], 0)
    assert matched([], [Detection(BOX, 0.8)]) == ([], 1)


def test_half_an_overlap_is_the_limit() -> None:
    just, missed = (10.0, 10.0, 50.0, 30.0), (10.0, 10.0, 50.0, 30.5)
    assert iou(BOX, just) == pytest.approx(0.5)
    assert matched([BOX], [Detection(just, 0.5)])[0] == [True]
    assert matched([BOX], [Detection(missed, 0.5)])[0] == [False]


@given(words, words, words)
@settings(deadline=None)
def test_edit_distance_is_a_distance(a: str, b: str, c: str) -> None:
    assert (edits(a, b) == 0) == (a == b)
    assert edits(a, b) == edits(b, a)
    assert edits(a, c) <= edits(a, b) + edits(b, c)
    assert abs(len(a) - len(b)) <= edits(a, b) <= max(len(a), len(b))


def outcome(truth: str, read: str, sure: float, found: bool = True, spurious: int = 0) -> PictureScore:
    given = PlateText(read, sure, [])
    return PictureScore(
        LabelledPicture(Path("a.jpg"), (BOX,), text=truth), [10.0], [found], spurious, given, given, 0.1
    )


class Nameless:
    name = "nameless"


def test_rates_are_shares_of_all_plates() -> None:
    outcomes = [
        outcome("AB123", "AB123", 0.99),
        outcome("AB123", "A8123", 0.9, spurious=1),
        outcome("AB123", "", 0.0, found=False),
        outcome("AB123", "AB1234", 0.6),
    ]
    used = type("Used", (), {"detector": Nameless, "reader": Nameless, "second": None})()
    report = summed(outcomes, Labelled("plates", []), used, Path("set"), "auto")
    assert (report.images, report.plates) == (4, 4)
    assert (report.recall, report.precision) == (0.75, 0.75)
    assert (report.exact, report.within_one) == (0.25, 0.75)
    assert (report.true_box_exact, report.ms_per_image) == (0.25, 100)
    assert [band.plates for band in report.by_height] == [4]
    assert ("a.jpg", "AB123", "A8123") in report.wrong and len(report.wrong) == 3


def test_who_mixes_o_and_zero_is_wrong_but_not_where_look_alikes_are_equal() -> None:
    outcomes = [outcome("OYO9FEU", "0YO9FEU", 0.9), outcome("OYO9FEU", "OYO9FE", 0.9), outcome("SI", "51", 0.9)]
    used = type("Used", (), {"detector": Nameless, "reader": Nameless, "second": None})()
    report = summed(outcomes, Labelled("plates", []), used, Path("set"), "auto")
    assert report.exact == 0
    assert report.exact_alike == pytest.approx(2 / 3)


def test_calibration_compares_confidence_with_what_came_true() -> None:
    (band,) = reliability([(0.92, True)] * 9 + [(0.92, False)])
    assert (band.reads, band.confidence, band.exact) == (10, pytest.approx(0.92), pytest.approx(0.9))


def test_crops_are_read_and_nothing_is_detected(shared: Path) -> None:
    report = evaluate_plates(shared / "data" / "plate-crops-world" / "br_openalpr", "ppocr", limit=10)
    assert (report.images, report.recall, report.detector) == (10, None, None)
    assert report.exact is not None and report.exact >= 0.5


def test_doubtful_crops_of_one_line_are_read_once_more(shared: Path) -> None:
    br = shared / "data" / "openalpr-endtoend" / "br"
    with_second, alone = (evaluate_plates(br, engine) for engine in ("auto", "own"))
    assert with_second.second_reader is not None and alone.second_reader is None
    assert (with_second.true_box_exact or 0) > (alone.true_box_exact or 1)


def test_crops_of_two_lines_are_not_read_by_a_reader_of_one(shared: Path, tmp_path: Path) -> None:
    source = shared / "data" / "plate-crops-world" / "vn_cz_hr"
    (tmp_path / "images").mkdir()
    lines = (source / "labels.csv").read_text().splitlines()
    tall = []
    for line in lines[1:400]:
        name = line.split(",")[0]
        height, width = cv2.imread(str(source / "images" / name)).shape[:2]
        if width < 1.4 * height:
            tall.append(line)
            (tmp_path / "images" / name).symlink_to((source / "images" / name).absolute())
    (tmp_path / "labels.csv").write_text("\n".join([lines[0], *tall]))
    both = [evaluate_plates(tmp_path, engine) for engine in ("auto", "own")]
    assert both[0].images > 100
    assert both[0].exact == both[1].exact


def test_yolo_folders_measure_detection_alone(shared: Path) -> None:
    report = evaluate_plates(shared / "data" / "plates-street" / "test", "auto", limit=4)
    assert (report.images, report.exact, report.reader) == (4, None, None)
    assert report.recall is not None and report.recall >= 0.5


@pytest.mark.parametrize("engine", ["auto", "peer"])
def test_the_command_writes_the_promised_keys(shared: Path, tmp_path: Path, engine: str) -> None:
    out = tmp_path / "out.json"
    data = str(shared / "data" / "openalpr-endtoend" / "br")
    done = CliRunner().invoke(
        app, ["plates", "--data", data, "--engine", engine, "--limit", "3", "--json", str(out)],
        env={"DASHCAM_SHARED": str(shared)},
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    figures = json.loads(out.read_text())
    assert figures["images"] == 3 and figures["ms_per_image"] > 0
    assert all(0 <= figures[key] <= 1 for key in ("recall", "precision", "exact", "within_one", "true_box_exact"))


def test_a_broken_picture_and_an_unknown_engine_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a.jpg\t1\t1\t9\t9\tAB12\n")
    (tmp_path / "a.jpg").write_text("no picture")
    with pytest.raises(Unusable, match="no picture that can be read"):
        evaluate_plates(tmp_path)
    assert cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((64, 64, 3), np.uint8))
    done = CliRunner().invoke(app, ["plates", "--data", str(tmp_path), "--engine", "magic"])
    assert done.exit_code == 1 and "There is no engine 'magic'" in done.output.replace("\n", " ")
