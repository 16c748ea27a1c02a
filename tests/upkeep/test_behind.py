"""A backup is put back that is older than the archive: clips wait in it that have been through since."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from dashcam.catalog import again, holdings
from dashcam.catalog.models import Holding, Protection, Video
from dashcam.database import reading, writing
from dashcam.stages.common import StageOutput
from dashcam.storage import layout
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import TaskType
from dashcam.upkeep import behind, decisions, planning
from dashcam.upkeep.rebuild import rebuild
from tests.catalog.car import Car, video_id
from tests.upkeep.made_site import NOON, SITE, MadeSite, heavy
from tests.upkeep.test_rebuild import new_database

READERS = [stage for stage, one in STAGES.items() if one.reads_clip]


class Street(MadeSite):
    """Two clips; ``backup`` is the database as it was when the last of them had come to a stage."""

    def __init__(self, folder: Path) -> None:
        super().__init__(new_database(folder / "old.db"), folder)
        car = Car()
        car.drive(NOON, 3)
        self.clips = car.clips
        self.last = video_id(car.clips[-1])

    def backup(self, stage: TaskType | str) -> Path:
        return self.folder / f"{stage}.db"

    def drive(self) -> None:
        for number, facts in enumerate(self.clips):
            self.process(facts, number)

    def complete(self, name: str, kind: TaskType, output: StageOutput) -> None:
        if name == self.last:
            self.copy(kind)
        super().complete(name, kind, output)

    def copy(self, name: TaskType | str) -> None:
        self.engine.dispose()
        if not self.backup(name).exists():
            shutil.copy(self.folder / "old.db", self.backup(name))

    def keep_decisions(self) -> None:
        with reading(self.engine) as session:
            decisions.write(self.stores, decisions.all_of(session))

    def restored(self, stage: TaskType | str) -> MadeSite:
        """The same stores beside the database as it was."""
        return MadeSite(new_database(self.backup(stage)), self.folder)


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("street")
    street = Street(folder)
    street.drive()
    street.keep_decisions()
    street.engine.dispose()
    return folder


@pytest.fixture
def site(driven: Path, tmp_path: Path) -> Iterator[Street]:
    one = Street(Path(shutil.copytree(driven, tmp_path / "site")))
    yield one
    one.engine.dispose()


def assert_same(answers: dict[str, Any], before: dict[str, Any], besides: tuple[str, ...] = ()) -> None:
    """But for what finalizing found left to remove: the second time that is nothing."""
    assert answers.keys() == before.keys()
    for path, was in before.items():
        now = answers[path]
        if isinstance(was, dict) and "removed" in was:
            was, now = ({k: v for k, v in one.items() if k not in besides} for one in (was, now))
            for one in (was, now):
                one.setdefault("removed", [])
                one["removed"] = [part for part in one["removed"] if part["kind"] == "raw"]
        assert now == was, path


@pytest.mark.parametrize("stage", TaskType)
def test_what_waits_in_a_backup_and_is_archived_since_says_the_same_again(site: Street, stage: TaskType) -> None:
    """None of its clips is there any more, nor is anything that the stages left each other."""
    before = site.answers()
    old = site.restored(stage)
    assert [one.task_type for one in old.pending()] == [stage]
    done = rebuild(old.engine, old.stores, SITE, add=True)
    assert (done.clips, done.known, done.caught_up) == (0, 2, int(stage in READERS)) and done.left_out == []
    assert set(old.work_off()) <= {"ARCHIVE_VIDEO", "FINALIZE_VIDEO"}
    assert_same(old.answers(), before)
    assert rebuild(old.engine, old.stores, SITE, add=True).caught_up == 0, "once more finds nothing"


@pytest.mark.parametrize("stage", READERS)
def test_a_clip_that_a_worker_finds_gone_goes_on_from_its_archive(site: Street, stage: TaskType) -> None:
    """The backup was put back by hand, and nobody has asked the archive."""
    before = site.answers()
    old = site.restored(stage)
    (todo,) = old.pending()
    gone = {"outcome": "vanished", "reason": "It was removed before it was processed."}
    with old.server() as http:
        assert http.post(f"/tasks/{todo.task_id}/complete", json=gone).json() == {"changed": False}
    assert [one.task_type for one in old.pending()] == [TaskType.ARCHIVE_VIDEO]
    old.work_off()
    assert_same(old.answers(), before, besides=("removed",))
    with reading(old.engine) as session:
        assert session.get_one(Video, site.last).outcome == "processed"
        row = session.get_one(Holding, (site.last, "raw"))
        assert row.removed_at is not None and row.rule == behind.GONE


def test_while_the_archive_cannot_be_seen_no_clip_ends_as_vanished(site: Street) -> None:
    old = site.restored(TaskType.HEAVY_PROCESS_VIDEO)
    (todo,) = old.pending()
    shed = old.stores.roots[layout.SHED]
    shed.rename(shed.with_name("away"))
    gone = {"outcome": "vanished", "reason": "It was removed before it was processed."}
    with old.server() as http:
        refused = http.post(f"/tasks/{todo.task_id}/complete", json=gone)
    assert refused.status_code == 409 and "Whether the clip is archived cannot be seen now" in refused.text
    assert [one.task_id for one in old.pending()] == [todo.task_id]


@pytest.mark.parametrize("damage", ["cut", "of another clip", "none"])
def test_without_a_whole_archive_it_vanishes_as_ever(site: Street, damage: str) -> None:
    folder = site.stores.path(layout.archive(site.last))
    if damage == "cut":
        (folder / layout.LOWRES).write_bytes(b"half")
    else:
        shutil.rmtree(folder)
    if damage == "of another clip":
        shutil.copytree(site.stores.path(layout.archive(video_id(site.clips[0]))), folder)
    old = site.restored(TaskType.HEAVY_PROCESS_VIDEO)
    (todo,) = old.pending()
    gone = {"outcome": "vanished", "reason": "It was removed before it was processed."}
    with old.server() as http:
        assert http.post(f"/tasks/{todo.task_id}/complete", json=gone).json() == {"changed": True}
    with reading(old.engine) as session:
        assert session.get_one(Video, site.last).outcome == "vanished"
    assert old.pending() == []


@pytest.mark.parametrize("stage", [TaskType.INGEST_VIDEO, TaskType.PREPROCESS_VIDEO])
def test_a_clip_that_is_done_again_and_is_gone_stays_what_its_archive_says(site: Street, stage: TaskType) -> None:
    with writing(site.engine) as session:
        again.do_again(session, session.get_one(Video, site.last), stage)
    assert rebuild(site.engine, site.stores, SITE, add=True).caught_up == 0, "what is wanted now is newer"
    (todo,) = site.pending()
    gone = {"outcome": "vanished", "reason": "It was removed before it was processed."}
    with site.server() as http:
        assert http.post(f"/tasks/{todo.task_id}/complete", json=gone).json() == {"changed": True}
    with reading(site.engine) as session:
        video = session.get_one(Video, site.last)
        assert (video.outcome, video.reason) == ("processed", None) and holdings.clip_let_go(session, site.last)
    assert site.pending() == []


def test_what_is_wanted_anew_is_not_ended_by_an_older_archive_while_the_clip_is_there(site: Street) -> None:
    old = site.restored(TaskType.HEAVY_PROCESS_VIDEO)
    with writing(old.engine) as session:
        again.do_again(session, session.get_one(Video, site.last), TaskType.INGEST_VIDEO)
    assert rebuild(old.engine, old.stores, SITE, add=True).caught_up == 0
    (todo,) = old.pending()
    assert (todo.task_type, todo.revision) == (TaskType.INGEST_VIDEO, 2)
    gone = {"outcome": "vanished", "reason": "It was removed before it was processed."}
    with old.server() as http:
        assert http.post(f"/tasks/{todo.task_id}/complete", json=gone).json() == {"changed": False}
    assert old.work_off() == ["ARCHIVE_VIDEO", "FINALIZE_VIDEO"]
    assert_same(old.answers(), site.answers(), besides=("removed",))


def test_what_was_done_again_since_the_backup_is_taken_from_the_archive(site: Street) -> None:
    """Its crops are those of the newer archive."""
    site.copy("through")
    with writing(site.engine) as session:
        again.do_again(session, session.get_one(Video, site.last), TaskType.HEAVY_PROCESS_VIDEO)
    found = heavy(site.last, site.clips[-1], number=7)
    site.write_bundle(site.last, found, 7)
    site.complete(
        site.last, TaskType.HEAVY_PROCESS_VIDEO, StageOutput(found, [site.next(site.last, TaskType.ARCHIVE_VIDEO)])
    )
    assert site.work_off() == ["ARCHIVE_VIDEO", "FINALIZE_VIDEO"]
    site.keep_decisions()
    before = site.answers()
    old = site.restored("through")
    assert old.answers() != before
    assert rebuild(old.engine, old.stores, SITE, add=True).caught_up == 1
    old.work_off()
    assert_same(old.answers(), before)


def test_what_has_ended_as_vanished_before_this_was_known_is_put_right(site: Street) -> None:
    old = site.restored(TaskType.PREPROCESS_VIDEO)
    shed = old.stores.roots[layout.SHED]
    shed.rename(shed.with_name("away"))
    shed.mkdir()
    (todo,) = old.pending()
    with old.server() as http:
        gone = {"outcome": "vanished", "reason": "It was removed before it was processed."}
        assert http.post(f"/tasks/{todo.task_id}/complete", json=gone).json() == {"changed": True}
    shed.rmdir()
    shed.with_name("away").rename(shed)
    assert rebuild(old.engine, old.stores, SITE, add=True).caught_up == 1
    old.work_off()
    with reading(old.engine) as session:
        video = session.get_one(Video, site.last)
        assert (video.outcome, video.reason) == ("processed", None)


def test_a_protection_and_what_a_rule_has_removed_since_are_known_again(site: Street) -> None:
    """Else the next plan would remove what a person wants to be kept."""
    site.copy("through")
    first, second = (video_id(one) for one in site.clips[:2])
    with writing(site.engine) as session:
        planning.protect(session, first, "evidence", "the owner", NOON)
        row = session.get_one(Holding, (second, "raw"))
        row.removed_at, row.rule, row.plan_id = NOON + timedelta(days=100), "storage_retention_days.raw_videos = 90", 7
    site.keep_decisions()
    old = site.restored("through")
    rebuild(old.engine, old.stores, SITE, add=True)
    with reading(old.engine) as session:
        assert session.scalars(select(Protection.video_id)).all() == [first]
        row = session.get_one(Holding, (second, "raw"))
        assert row.removed_at == NOON + timedelta(days=100)
        assert session.get_one(Holding, (first, "raw")).removed_at is None


def test_finalizing_says_what_the_archive_lacks_after_all(site: Street) -> None:
    """Sizes are looked at before it is taken in, every byte before it has been through."""
    crop = next(site.stores.path(layout.archive(site.last)).glob("plates/*"))
    crop.write_bytes(bytes(crop.stat().st_size))
    old = site.restored(TaskType.HEAVY_PROCESS_VIDEO)
    rebuild(old.engine, old.stores, SITE, add=True)
    with pytest.raises(Exception, match="nor is it archived"):
        old.work_off()
    assert [one.task_type for one in old.pending()] == [TaskType.ARCHIVE_VIDEO]
