"""The database is lost, and everything is shown as before: made anew from the archives by the code that made it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

import migrations
from dashcam.catalog.models import Protection, TripDecision, Video
from dashcam.database import open_engine, reading, writing
from dashcam.storage import bundle, layout
from dashcam.tasks import table
from dashcam.tasks.row import TaskRow
from dashcam.upkeep import decisions
from dashcam.upkeep.rebuild import NotEmpty, rebuild
from tests.upkeep.made_site import SITE, MadeSite


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with a history, made once."""
    folder = tmp_path_factory.mktemp("made")
    site = MadeSite(new_database(folder / "old.db"), folder)
    site.history()
    site.engine.dispose()
    return folder


@pytest.fixture
def site(made: Path, tmp_path: Path) -> Iterator[MadeSite]:
    shutil.copytree(made, tmp_path / "site")
    one = MadeSite(new_database(tmp_path / "site/old.db"), tmp_path / "site")
    yield one
    one.engine.dispose()


def new_database(file: Path) -> Engine:
    engine = open_engine(f"sqlite:///{file}")
    migrations.upgrade(engine)
    return engine


def lost(site: MadeSite) -> MadeSite:
    """The same stores beside a new database."""
    return MadeSite(new_database(site.folder / "new.db"), site.folder)


def kept(site: MadeSite) -> None:
    with reading(site.engine) as session:
        decisions.write(site.stores, decisions.all_of(session))


def test_the_pages_say_the_same_after_the_database_was_lost(site: MadeSite, any_engine: Engine) -> None:
    kept(site)
    before = site.answers()
    assert len(before) > 30 and before["/trips"]["total"] == 4
    anew = MadeSite(any_engine, site.folder)
    steps: list[tuple[int, int]] = []
    done = rebuild(
        anew.engine, anew.stores, SITE, every_byte=True, progress=lambda done, all: steps.append((done, all))
    )
    assert (done.left_out, done.doubts) == ([], [])
    assert (done.clips, done.ended) == (12, 1) and steps[-1] == (12, 12)
    after = anew.answers()
    for path, said in before.items():
        assert after[path] == said, path
    with reading(anew.engine) as session:
        assert not table.anything_pending(session), "nothing runs again"
        assert session.scalar(select(func.count()).select_from(TripDecision)) == 1
        assert session.scalars(select(Protection.reason)).all() == ["evidence"]


def test_trips_keep_their_numbers(site: MadeSite) -> None:
    kept(site)
    file = site.stores.path(layout.DECISIONS)
    known = json.loads(file.read_text())
    known["trip_numbers"] = {video_id: 100 - number for video_id, number in known["trip_numbers"].items()}
    file.write_text(json.dumps(known))
    anew = lost(site)
    rebuild(anew.engine, anew.stores, SITE)
    was, now = site.answers()["/trips"]["trips"], anew.answers()["/trips"]["trips"]
    assert [100 - one["trip_id"] for one in was] == [one["trip_id"] for one in now]
    anew.engine.dispose()


def test_a_database_that_has_videos_is_refused_unless_asked(site: MadeSite) -> None:
    with pytest.raises(NotEmpty, match="has 13 videos already"):
        rebuild(site.engine, site.stores, SITE)
    before = site.answers()
    done = rebuild(site.engine, site.stores, SITE, add=True)
    assert (done.clips, done.known) == (0, 12) and site.answers() == before


def test_one_that_was_cut_short_is_finished_by_doing_it_again(site: MadeSite) -> None:
    kept(site)
    anew = lost(site)

    def cut(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(anew.engine, anew.stores, SITE, progress=cut)
    with reading(anew.engine) as session:
        assert session.scalar(select(func.count()).select_from(Video)) == 4
    done = rebuild(anew.engine, anew.stores, SITE, add=True)
    assert (done.clips, done.known, done.ended) == (8, 4, 1)
    assert anew.answers() == site.answers()
    anew.engine.dispose()


def test_what_is_wrong_with_an_archive_is_said_and_the_others_are_taken_in(site: MadeSite) -> None:
    archives = sorted(one for one in site.stores.root(layout.SHED).iterdir() if not one.name.startswith("."))
    (archives[0] / layout.RECORD).write_bytes(b"{}")
    (archives[1] / layout.MANIFEST).unlink()
    (archives[2] / layout.LOWRES).unlink()
    (archives[3] / layout.POSTER).write_bytes(b"other")
    anew = lost(site)
    done = rebuild(anew.engine, anew.stores, SITE)
    assert done.clips == 10 and len(done.left_out) == 2
    assert len(done.doubts) == 2 and "video_lowres.mp4 is missing or cut" in done.doubts[0]
    anew.engine.dispose()


def test_without_decisions_there_are_the_archives_all_the_same(site: MadeSite) -> None:
    anew = lost(site)
    assert rebuild(anew.engine, anew.stores, SITE).clips == 12
    anew.engine.dispose()


def test_decisions_that_cannot_be_read_are_not_passed_over(site: MadeSite) -> None:
    kept(site)
    site.stores.path(layout.DECISIONS).write_text("{")
    anew = lost(site)
    with pytest.raises(bundle.StorageError, match="what a person has decided is in it"):
        rebuild(anew.engine, anew.stores, SITE)
    anew.engine.dispose()


def test_the_same_words_are_the_same_bytes(site: MadeSite) -> None:
    kept(site)
    first = site.stores.path(layout.DECISIONS).read_bytes()
    kept(site)
    assert site.stores.path(layout.DECISIONS).read_bytes() == first
    with writing(site.engine) as session:
        session.delete(session.get_one(Protection, session.scalars(select(Protection.video_id)).one()))
    kept(site)
    assert site.stores.path(layout.DECISIONS).read_bytes() != first


def test_of_every_table_it_is_said_where_a_rebuild_has_it_from() -> None:
    """A new table is to be put into one of these: a person's word that is forgotten here is lost with the database."""
    words = {one.__tablename__ for one in (*decisions.OF_A_CLIP, *decisions.OF_THE_SITE)} | {"deletion", "going"}
    from_records = {"video", "position", "plate", "sighting", "rejection", "trip", "task"}
    made_of_them = {"plate_suffix", "plate_near", "holding", "leftover", "route", "set_aside"}
    comes_back_by_itself = {"device", "source_file"}
    passing = {"retention_plan", "archive_check", "reread", "read_change"}
    made_by_a_person_again = {"account", "access_token", "login_session", "invitation", "audit", "saved_search"}
    made_by_a_person_again |= {"review", "visit"}  # an account's own
    known = words | from_records | made_of_them | comes_back_by_itself | passing | made_by_a_person_again
    assert set(TaskRow.metadata.tables) == known
