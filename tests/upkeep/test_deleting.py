"""What a person deletes is nowhere any more."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text

from dashcam.access import audit
from dashcam.access.models import AuditEntry
from dashcam.catalog import arrival, deletions
from dashcam.catalog.models import Leftover, RetentionPlan, TripRow, Video
from dashcam.config import Site
from dashcam.database import Base, reading, writing
from dashcam.storage import bundle, layout
from dashcam.upkeep import erasing
from tests.catalog.car import Car, video_id
from tests.catalog.rows import NOON
from tests.upkeep import made_site
from tests.upkeep.lived import Lived
from tests.upkeep.made_site import MadeSite

EVERY = ("DX00ZWH", "DX01ZWH", "DX02ZWH", "LT21CGK", "LT22CGK", "LT23CGK")


def test_a_clip_is_nowhere_any_more(lived: Lived) -> None:
    first, *others = lived.clips()
    plan = {"items": [{"video_id": first, "name": "a"}, {"video_id": others[0], "name": "b"}]}
    with writing(lived.engine) as session:
        session.add(RetentionPlan(made_at=NOON, plan=plan))
        before = session.scalars(select(TripRow)).one().clips
    done = lived.delete(clips=[first])
    assert (done["clips"], done["sightings"], done["leftovers"]) == (1, 0, 1)
    assert lived.clips() == others
    assert lived.plates() == {"DX01ZWH", "DX02ZWH", "LT22CGK", "LT23CGK"}
    assert [place for place in lived.mentions(first) if place != "table deletion"] == []
    with reading(lived.engine) as session:
        assert session.scalars(select(TripRow)).one().clips == before - 1
        assert session.scalar(select(func.count()).select_from(Leftover)) == 0
        said = session.scalars(select(AuditEntry.what).where(AuditEntry.kind == "deletion")).all()
    assert said == ["deleted clips: 1 clips, 0 sightings"]


def test_every_table_that_knows_clips_is_seen_to() -> None:
    """A new table that refers to clips is deleted from by itself; one that has a clip's id without a reference is
    named here, with who sees to it."""
    with_id = {name for name, table_ in Base.metadata.tables.items() if "video_id" in table_.columns}
    assert with_id - {table_.name for table_ in deletions.tables_of_clips()} == {"video", "leftover", "set_aside"}


def test_the_dry_run_says_exactly_what_goes_and_changes_nothing(lived: Lived) -> None:
    first, second, third = lived.clips()
    before, rows = lived.files(), lived.mentions(first)
    with lived.server() as server:
        told = server.call("POST", "/deletions/preview", json={"clips": [first, third]})
        assert (lived.files(), lived.mentions(first)) == (before, rows)
        assert (told["clips"], told["sightings"], told["kept"]) == (2, 0, [])
        server.call("POST", "/deletions", json={"clips": [first, third]})
        erasing.carry_out(server, lived.stores)
    gone = before.keys() - lived.files().keys()
    assert gone and all(any(name.startswith(place) for place in told["places"]) for name in gone)
    assert not any(name.startswith(place) for name in lived.files() for place in told["places"])
    assert lived.clips() == [second]


def test_a_plate_is_nowhere_any_more_but_in_the_pictures(lived: Lived) -> None:
    with writing(lived.engine) as session:
        audit.note(session, NOON, "ana", "plate", "looked a plate up: LT21CGK")
    assert len(lived.mentions("LT21CGK")) > 8
    done = lived.delete(plate="lt21 cgk")
    assert (done["clips"], done["sightings"]) == (0, 1)
    assert [place for place in lived.mentions("LT21CGK") if place != "table audit"] == []
    assert lived.plates() == set(EVERY) - {"LT21CGK"}
    assert len(lived.clips()) == 3
    for clip in lived.clips():
        folder = lived.stores.path(layout.archive(clip))
        manifest = bundle.read_manifest(folder)
        assert bundle.verify(folder, manifest) == [] and (folder / layout.LOWRES).is_file()
        assert bundle.read_record(folder, manifest)


def test_the_audit_log_forgets_the_plate_too(lived: Lived) -> None:
    with writing(lived.engine) as session:
        audit.note(session, NOON, "ana", "plate", "looked a plate up: LT21CGK")
    lived.delete(plate="LT21CGK")
    with reading(lived.engine) as session:
        said = set(session.scalars(select(AuditEntry.what)))
    assert said == {"looked a plate up: (deleted)", "deleted a plate: 0 clips, 1 sightings"}
    assert lived.mentions("LT21CGK") == []


def test_a_plate_with_its_clips(lived: Lived) -> None:
    _, *others = lived.clips()
    done = lived.delete(plate="LT21CGK", with_clips=True)
    assert done["clips"] == 1 and lived.clips() == others
    assert lived.mentions("LT21CGK") == []


def test_days(lived: Lived) -> None:
    with reading(lived.engine) as session:
        begins = list(session.scalars(select(Video.start_utc).order_by(Video.start_utc)))
    *_, last = lived.clips()
    done = lived.delete(since=begins[0].isoformat(), until=begins[2].isoformat())
    assert done["clips"] == 2 and lived.clips() == [last]


@pytest.mark.parametrize(
    "wanted",
    [{}, {"clips": ["a"], "plate": "B"}, {"since": "2026-01-01T00:00:00"}, {"clips": ["a"], "with_clips": True}],
)
def test_what_is_not_one_thing_is_refused(lived: Lived, wanted: dict[str, Any]) -> None:
    with lived.server() as server:
        assert server.http.post("/deletions", json=wanted).status_code == 422
    assert len(lived.clips()) == 3


def test_what_is_not_there_is_said(lived: Lived) -> None:
    with lived.server() as server:
        for wanted in ({"clips": ["0" * 16]}, {"plate": "NOBODY", "with_clips": True}):
            answer = server.http.post("/deletions/preview", json=wanted)
            assert answer.status_code == 404 and "nothing was deleted" in answer.json()["detail"]


def test_a_protected_clip_stays_and_says_why(lived: Lived) -> None:
    first, *_ = lived.clips()
    with lived.server() as server:
        server.call("POST", f"/videos/{first}/protect", json={"reason": "the crash"})
        before = lived.files()
        done = server.call("POST", "/deletions", json={"plate": "LT21CGK", "with_clips": True})
        erasing.carry_out(server, lived.stores)
        assert "the crash" in done["kept"][0]
    assert first in lived.clips() and "LT21CGK" in lived.plates() and lived.files() == before


def test_a_deletion_works_on_both_databases(any_engine: Engine, tmp_path: Path) -> None:
    site = MadeSite(any_engine, tmp_path / "made")
    car = Car()
    car.drive(made_site.NOON, 2)
    for number, facts in enumerate(car.clips[:2]):
        site.process(facts, number)
    settings = Site.model_validate(
        {"privacy": {"key_file": str(tmp_path / "key")}, "backup": {"folder": str(tmp_path)}}
    )
    lived = Lived(site, settings)
    with writing(any_engine) as session:
        session.add(RetentionPlan(made_at=NOON, plan={"items": [{"video_id": video_id(car.clips[0])}]}))
    lived.delete(clips=[video_id(car.clips[0])])
    lived.delete(plate="LT22CGK")
    assert lived.plates() == {"DX01ZWH"} and lived.clips() == [video_id(car.clips[1])]
    with reading(any_engine) as session:
        assert session.scalars(select(RetentionPlan)).one().plan == {"items": []}
        found = arrival.FoundFile(
            made_site.InputRef.of("indoor_nas:raw/a.MP4", "video"), video_id=video_id(car.clips[0])
        )
    with writing(any_engine) as session:
        assert [one.status for one in arrival.admit(session, [found])] == ["deleted"]
    with any_engine.connect() as connection:
        assert connection.execute(text("SELECT uris FROM leftover")).scalar() is not None
