"""Where there is no room is said, for as long as it is so; intake stops before the database's disk is full."""

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine

from app import system
from app.shortages import INTAKE_KEPT_S, TASKS_KEPT_S, Shortages
from dashcam.chaos.disks import full, mounted, unavailable
from dashcam.database import reading, writing
from dashcam.tasks import table
from dashcam.tasks.client import MainServerClient, ServerRefused
from dashcam.tasks.model import InputRef, TaskType
from dashcam.tasks.row import TaskRow
from tests.catalog.rows import add_task, add_video

HEAVY = TaskType.HEAVY_PROCESS_VIDEO
WAIT_S = table.ROOM_WAIT.total_seconds()


class Clock:
    at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shortages(clock: Clock) -> Shortages:
    return Shortages(create_engine("sqlite://"), clock)


def test_a_stage_is_left_alone_for_a_minute_and_spoken_of_until_it_is_not_told_again(
    shortages: Shortages, clock: Clock
) -> None:
    shortages.stage(HEAVY, "No room in store a.")
    assert shortages.waits(HEAVY) and not shortages.waits(TaskType.ARCHIVE_VIDEO)
    clock.at = WAIT_S
    assert not shortages.waits(HEAVY)
    assert shortages.sentences() == ["Clips wait. No room in store a."]
    clock.at = TASKS_KEPT_S
    assert shortages.sentences() == []


def test_a_person_who_says_try_again_need_not_wait(shortages: Shortages) -> None:
    shortages.stage(HEAVY, "No room in store a.")
    shortages.try_again()
    assert not shortages.waits(HEAVY)


def test_intake_is_spoken_of_until_a_scan_finds_room_or_none_comes_any_more(shortages: Shortages, clock: Clock) -> None:
    shortages.intake("indoor_nas", "No room in store a.")
    clock.at = INTAKE_KEPT_S - 1
    assert shortages.sentences() == ["No clips are taken in. No room in store a."]
    shortages.over("indoor_nas")
    assert shortages.sentences() == []


def test_a_task_that_waits_has_not_failed_and_is_told_of(
    here: system.System, client: TestClient, server: MainServerClient
) -> None:
    with writing(here.engine) as session:
        add_task(session, add_video(session, 1), HEAVY)
        table.offered(session, [1], "run")
    server.waits(1, "No room in store a.", "another run")
    assert here.shortages.sentences() == [], "another run has it by now"
    server.waits(1, "No room in store a.", "run")
    with reading(here.engine) as session:
        row = session.get_one(TaskRow, 1)
        assert (row.failures, row.last_error, row.state) == (0, "No room in store a.", "pending")
    with writing(here.engine) as session:  # its run has ended
        table.settle(session, "run", table.ROOM_WAIT, failed="it failed")
        [brief] = table.briefs(session, TaskRow.task_id == 1)
    assert brief.waits and brief.failures == 0, "it had told why"
    assert here.shortages.sentences() == ["Clips wait. No room in store a."]
    server.retry(1)
    assert here.shortages.sentences() == []


def test_nothing_is_taken_in_before_the_database_has_filled_its_disk(
    here: system.System, server: MainServerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if why := unavailable():
        pytest.skip(why)
    (tmp_path / "disk").mkdir()
    here.shortages = Shortages(create_engine(f"sqlite:///{tmp_path / 'disk/dashcam.db'}"))
    with mounted({tmp_path / "disk": 8}):
        assert server.scan("indoor_nas", []) == {"wanted": [], "waiting": 0}
        with full(tmp_path / "disk"):
            for ask in (
                lambda: server.scan("indoor_nas", []),
                lambda: server.ingest([InputRef.of("local:x", "video")]),
            ):
                with pytest.raises(
                    ServerRefused, match=r"No room in the database \(.*disk\): 0 MB are free"
                ) as refused:
                    ask()
                assert refused.value.status == 507
            [said] = here.shortages.sentences()
            assert said.startswith("No clips are taken in. No room in the database")
        assert server.scan("indoor_nas", []) == {"wanted": [], "waiting": 0}
    assert json.dumps(here.shortages.sentences()) == "[]"
