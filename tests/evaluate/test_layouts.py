"""Labels in three layouts are understood, and what is wrong with them is said in one sentence."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashcam.evaluate.layouts import Unusable, labelled, plain


def test_openalpr_labels_are_read_wherever_they_lie(tmp_path: Path) -> None:
    (tmp_path / "eu").mkdir()
    (tmp_path / "eu" / "a.txt").write_text("a.jpg\t10\t20\t30\t5\tab-1 2\n")
    known = labelled(tmp_path)
    assert known.layout == "plates"
    (truth,) = known.pictures
    assert (truth.file, truth.boxes, truth.text) == (tmp_path / "eu" / "a.jpg", ((10, 20, 40, 25),), "AB12")


def test_a_label_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("../../etc/passwd\t1\t1\t1\t1\tAB12\n")
    assert labelled(tmp_path).pictures[0].file == tmp_path / "passwd"


def test_yolo_labels_are_shares_of_the_picture(tmp_path: Path) -> None:
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    (tmp_path / "images" / "a.png").touch()
    (tmp_path / "images" / "unlabelled.png").touch()
    (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.5 0.2 0.1\n\n")
    known = labelled(tmp_path)
    assert known.layout == "boxes" and len(known.pictures) == 1
    assert known.pictures[0].boxes[0] == pytest.approx((0.4, 0.45, 0.6, 0.55)) and known.pictures[0].relative


def test_crops_lose_signs_that_are_no_plate_characters(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,text,country\na.jpg,京PL3N67,cn\n", encoding="utf-8")
    known = labelled(tmp_path)
    assert known.layout == "crops" and known.pictures[0].text == "PL3N67"


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("a.txt", "a.jpg\tx\t1\t1\t1\tAB1\n", "no four numbers"),
        ("labels.csv", "name,words\n", "columns"),
        ("a.txt", "nothing of use\n", "no labelled pictures"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, file: str, content: str, said: str) -> None:
    (tmp_path / file).write_text(content)
    with pytest.raises(Unusable, match=said):
        labelled(tmp_path)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="no folder"):
        labelled(tmp_path / "missing")


@given(st.text())
@settings(deadline=None)
def test_plain_text_is_capitals_and_digits(text: str) -> None:
    assert set(plain(text)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    assert plain(plain(text)) == plain(text)
