"""Of plates that were seen long ago only a keyed hash is kept; a watched one keeps its name, or gets it back."""

from pathlib import Path

import pytest
from sqlalchemy import select

from app.upkeep import Upkeep
from dashcam.access import audit
from dashcam.access.models import AuditEntry
from dashcam.catalog import plates, search
from dashcam.catalog.models import Plate, SightingRow
from dashcam.catalog.plate_filter import PlateFilter
from dashcam.catalog.pseudonyms import KeyLost, of_site
from dashcam.config import Site
from dashcam.database import reading, writing
from dashcam.storage import bundle, layout
from dashcam.upkeep import erasing, maintenance
from dashcam.upkeep.rebuild import rebuild
from tests.catalog.rows import NOON
from tests.upkeep.lived import Lived, new_database
from tests.upkeep.made_site import MadeSite


def hashed(lived: Lived, *watched: str, days: int | None = 1) -> Site:
    kept = lived.settings.model_dump(by_alias=True)
    site = Site.model_validate(kept | {"privacy": {"hash_plates_after_days": days, "watched_plates": list(watched)}})
    Upkeep(lived.engine, site, lived.stores).hash_plates()
    with lived.server() as server:
        erasing.carry_out(server, lived.stores)
    return site


def test_an_old_plate_is_a_hash_everywhere_and_its_pictures_are_gone(lived: Lived) -> None:
    with writing(lived.engine) as session:
        audit.note(session, NOON, "ana", "plate", "looked a plate up: LT21CGK")
        before = {row.sighting_id: (row.seen_utc, row.lat, row.best_s) for row in session.scalars(select(SightingRow))}
    site = hashed(lived)
    assert lived.mentions("LT21CGK") == []
    assert lived.mentions("DX01ZWH") == []
    assert of_site(site).of("lt 21-cgk") in lived.plates() and all(one.startswith("#") for one in lived.plates())
    with reading(lived.engine) as session:
        after = {row.sighting_id: (row.seen_utc, row.lat, row.best_s) for row in session.scalars(select(SightingRow))}
        assert session.scalars(select(AuditEntry.what).where(AuditEntry.kind == "plate")).all() == ["looked a plate up"]
    assert after == before, "when and where stays"
    for clip in lived.clips():
        folder = lived.stores.path(layout.archive(clip))
        assert bundle.verify(folder, bundle.read_manifest(folder)) == []
        assert [path.name for path in (folder / layout.PLATES).glob("*")] == []
    assert maintenance.maintain(lived.engine).mended == 0
    assert hashed(lived).privacy.hash_plates_after_days == 1, "twice is once"


def test_nobody_finds_a_hash_by_a_part_of_it_nor_by_the_plate(lived: Lived) -> None:
    hashed(lived)
    with reading(lived.engine) as session:
        (first, *_) = session.scalars(select(Plate.text))
        for text in (first[1:6], "LT21CGK", f"*{first[2:5]}*", "?" * 17):
            assert search.plates(session, PlateFilter(text)) == [], text
        assert plates.plate(session, "LT21CGK") is None
        assert len(search.plates(session, PlateFilter())) == 6, "they are listed"


def test_a_watched_plate_keeps_its_name_and_one_watched_later_gets_it_back(lived: Lived) -> None:
    hashed(lived, "lt22cgk")
    assert "LT22CGK" in lived.plates() and "LT21CGK" not in lived.plates()
    hashed(lived, "LT22CGK", "LT21CGK")
    assert {"LT21CGK", "LT22CGK"} <= lived.plates()
    with reading(lived.engine) as session:
        assert [card.text for card in search.plates(session, PlateFilter("LT21CGK"))] == ["LT21CGK"]
    assert sum(one.startswith("#") for one in lived.plates()) == 4


def test_young_plates_and_a_site_that_does_not_want_it_are_left_alone(lived: Lived) -> None:
    before = lived.plates()
    hashed(lived, days=None)
    hashed(lived, days=40_000)
    assert lived.plates() == before


def test_a_clip_that_is_kept_for_good_keeps_its_plates(lived: Lived) -> None:
    first, *_ = lived.clips()
    with lived.server() as server:
        server.call("POST", f"/videos/{first}/protect", json={"reason": "the crash"})
    hashed(lived)
    assert {one for one in lived.plates() if not one.startswith("#")} == {"LT21CGK", "DX00ZWH"}


def test_no_rebuild_brings_a_name_back_and_a_hashed_plate_can_be_deleted(lived: Lived) -> None:
    site = hashed(lived)
    anew = new_database(lived.made.folder / "new.db")
    assert rebuild(anew, lived.stores, site).left_out == []
    again = Lived(MadeSite(anew, lived.made.folder), site)
    assert again.plates() == lived.plates()
    done = again.delete(plate="LT21CGK")
    assert done["sightings"] == 1 and of_site(site).of("LT21CGK") not in again.plates()
    anew.dispose()


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    site = Site.model_validate({"privacy": {"key_file": str(tmp_path / "key")}})
    one = of_site(site, make=True).of("B 123-xyz")
    assert one == of_site(site, make=True).of("B123XYZ") and one != of_site(site).of("B124XYZ")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600 and len(one) == 17


def test_a_lost_key_is_said_and_no_second_one_is_made(lived: Lived) -> None:
    site = hashed(lived)
    (lived.made.folder / "privacy.key").unlink()
    with pytest.raises(KeyLost, match="put it back"):
        Upkeep(lived.engine, site, lived.stores).hash_plates()
    assert not (lived.made.folder / "privacy.key").exists()
