"""Streets come out of the household's own file; a file that cannot be used is a sentence, and nothing is lost by it."""

import gzip
import io
import os
from pathlib import Path

import pytest
from PIL import Image

from dashcam import Explained
from dashcam.gps import streets
from tests.app import drawn_streets
from tests.app.drawn_streets import tile_of

LAT, LON = 44.43, 26.1


def at(zoom: int) -> tuple[int, int, int]:
    x, y = tile_of(LAT, LON, zoom)
    return zoom, int(x), int(y)


def test_a_tile_comes_as_it_lies_in_the_file_and_beside_it_is_nothing(tmp_path: Path) -> None:
    found = streets.streets(drawn_streets.write(tmp_path / "town.pmtiles", LAT, LON))
    assert found is not None and found.packed == "gzip" and found.media_type == streets.VECTOR
    assert found.attribution == "© OpenStreetMap", "no tag of the file's comes through"
    assert found.bounds == pytest.approx((44.38, 26.05, 44.48, 26.15))
    zoom, x, y = at(14)
    tile = found.tile(zoom, x, y)
    assert tile is not None and b"Harbour Street" in gzip.decompress(tile)
    assert found.tile(zoom, x + 1, y) is None and found.tile(15, 2 * x, 2 * y) is None


def test_pictures_are_given_as_pictures(tmp_path: Path) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (256, 256), "green").save(drawn, "PNG")
    found = streets.streets(drawn_streets.write(tmp_path / "town.pmtiles", LAT, LON, drawn=drawn.getvalue()))
    assert found is not None and (found.media_type, found.packed) == ("image/png", "")
    assert found.tile(*at(12)) == drawn.getvalue()


def test_another_file_in_its_place_is_seen(tmp_path: Path) -> None:
    file = drawn_streets.write(tmp_path / "town.pmtiles", LAT, LON)
    before = streets.streets(file)
    streets.put(drawn_streets.write(tmp_path / "other.pmtiles", LAT, LON, zooms=(13, 13)), file)
    after = streets.streets(file)
    assert before is not None and after is not None and before.stamp != after.stamp
    assert after.tile(*at(12)) is None and after.tile(*at(13)) is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.pmtiles", "town.pmtiles"]


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda whole: b"PK\3\4" + whole[4:], "is no PMTiles file"),
        (lambda whole: whole[:7] + b"\2" + whole[8:], "of an older version"),
        (lambda whole: whole[:99] + b"\5" + whole[100:], "no browser can show"),
        (lambda whole: whole[:97] + b"\3" + whole[98:], "is packed in a way"),
        (lambda whole: whole[:-300], "it ends too early"),
        (lambda whole: whole[:60], "is damaged"),
        (lambda whole: b"", "is damaged"),
    ],
)
def test_what_cannot_be_used_takes_no_ones_place(tmp_path: Path, harm: object, sentence: str) -> None:
    good = drawn_streets.write(tmp_path / "good.pmtiles", LAT, LON)
    bad = tmp_path / "bad.pmtiles"
    bad.write_bytes(harm(good.read_bytes()))  # type: ignore[operator]
    before = good.read_bytes()
    with pytest.raises(Explained, match=sentence):
        streets.put(bad, good)
    assert good.read_bytes() == before and len(list(tmp_path.iterdir())) == 2


def test_a_damaged_directory_is_a_sentence_and_no_file_is_none(tmp_path: Path) -> None:
    assert streets.streets(tmp_path / "none.pmtiles") is None
    file = drawn_streets.write(tmp_path / "town.pmtiles", LAT, LON)
    whole = bytearray(file.read_bytes())
    whole[127:140] = os.urandom(13)
    file.write_bytes(whole)
    found = streets.streets(file)
    assert found is not None
    with pytest.raises(Explained, match="is damaged"):
        found.tile(*at(14))
