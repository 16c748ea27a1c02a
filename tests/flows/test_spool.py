"""A result that the main server cannot take now is not lost, and its clip is not worked on again for it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.client.schemas.objects import State
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from blocks.device import load_device
from dashcam.database import reading, writing
from dashcam.records import FinalizeResult
from dashcam.stages.common import Rejected, StageContext, StageOutput
from dashcam.tasks import client, table
from dashcam.tasks.model import Completion, NewTask, Task, TaskType
from dashcam.tasks.row import TaskRow
from flows import spool
from flows.clips import work_off
from flows.spool import Spool, deliver_undelivered
from tests.catalog.rows import add_task, add_video
from tests.flows.main_server import TOKEN, MainServer, be_device

WAIT = TaskType.FINALIZE_VIDEO  # reads no clip, so that none is needed here


def looked(by: str) -> FinalizeResult:
    return FinalizeResult(archive=f"shed_nas:by {by}", removed=[])


@pytest.fixture
def main_server(engine: Engine, tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainServer]:
    """Up, with one task to do; and this process is a device of its."""
    one = MainServer(engine, {"shed_nas": tmp_path / "shed"})
    (tmp_path / "shed").mkdir()
    be_device("gpu-pc", one, tmp_path, monkeypatch)
    monkeypatch.setattr(spool, "PATIENCE_S", 0.5)
    with writing(engine) as session:
        add_task(session, add_video(session, 1), WAIT)
    one.start()
    yield one
    one.stop()


class Stage:
    """Counts how often a clip is worked on; the main server goes away meanwhile, where one is given."""

    def __init__(self, leaves: MainServer | None = None) -> None:
        self.times, self.leaves = 0, leaves

    def __call__(self, task: Task, context: StageContext) -> StageOutput:
        self.times += 1
        if self.leaves is not None:
            self.leaves.stop()
        return StageOutput(looked("this device"))

    def run(self, task_id: int = 1) -> State:
        """A run of Prefect's, which has its tasks from the dispatcher."""

        @flow
        def stage() -> State:
            return work_off([task_id], lambda device: self)

        return stage(return_state=True)


def row(engine: Engine, task_id: int = 1) -> TaskRow:
    with reading(engine) as session:
        return session.get_one(TaskRow, task_id)


def here() -> Spool:
    return Spool(load_device().settings.scratch)


def test_a_result_waits_for_a_server_that_is_away_and_the_next_run_delivers_it(
    main_server: MainServer, engine: Engine
) -> None:
    stage = Stage(leaves=main_server)
    ended = stage.run()
    assert ended.is_failed() and "1 result(s) wait in" in str(ended.message) and main_server.url in str(ended.message)
    assert row(engine).state == "pending"
    main_server.start()
    assert stage.run().is_completed()
    assert stage.times == 1, "no clip is worked on twice for a server that was away"
    assert (row(engine).state, row(engine).result) == ("complete", looked("this device").model_dump())
    assert here().files() == []


def test_the_worker_delivers_it_without_a_run(main_server: MainServer, engine: Engine) -> None:
    Stage(leaves=main_server).run()
    deliver_undelivered(load_device())
    assert len(here().files()) == 1, "the server is still away"
    main_server.start()
    deliver_undelivered(load_device())
    assert row(engine).state == "complete" and here().files() == []


def test_one_over_which_the_server_fails_keeps_no_other_back(
    main_server: MainServer, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as session:
        add_task(session, add_video(session, 2), WAIT)
    server = client.MainServerClient(main_server.url, TOKEN)
    for task_id in (1, 2):
        todo = server.pending(task_id)
        assert todo is not None
        here().keep(todo, Completion(result=looked("this device").model_dump()))
    complete = table.complete

    def failing(session: Session, task_id: int, *rest: Any) -> bool:
        if task_id == 1:
            raise RuntimeError("a fault of the server's")
        return complete(session, task_id, *rest)

    monkeypatch.setattr(table, "complete", failing)
    deliver_undelivered(load_device())
    assert [file.name for file in here().files()] == ["1.json"], "it is still there to be delivered"
    assert (row(engine, 1).state, row(engine, 2).state) == ("pending", "complete")


def test_a_late_one_changes_nothing(main_server: MainServer, engine: Engine) -> None:
    Stage(leaves=main_server).run()
    main_server.start()
    server = client.MainServerClient(main_server.url, TOKEN)
    assert server.complete(1, Completion(result=looked("another device").model_dump()))
    deliver_undelivered(load_device())
    assert row(engine).result == looked("another device").model_dump() and here().files() == []


def test_the_same_number_in_another_database_is_another_task(main_server: MainServer, engine: Engine) -> None:
    Stage(leaves=main_server).run()
    (file,) = here().files()
    kept = json.loads(file.read_text())
    kept["completion"] |= {"task_type": None, "video_id": None}  # as versions left it that did not say whose it is
    file.write_text(json.dumps(kept))
    with writing(engine) as session:  # the server was set up anew meanwhile
        session.get_one(TaskRow, 1).video_id = add_video(session, 2).video_id
    main_server.start()
    deliver_undelivered(load_device())
    assert row(engine).state == "pending" and here().files() == []


def test_what_the_server_cannot_take_is_not_worked_on_again(main_server: MainServer, engine: Engine) -> None:
    """A token that the server no longer knows: nothing is thrown away, and nothing is done twice."""
    stage = Stage(leaves=main_server)
    stage.run()
    main_server.start()
    with pytest.MonkeyPatch.context() as wrong:
        wrong.setenv("DASHCAM_TOKEN", "not this one")
        assert stage.run().is_failed()
        deliver_undelivered(load_device())
    assert (stage.times, len(here().files())) == (1, 1)
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(Spool, "deliver", lambda *_: None)
        ended = stage.run()
    assert ended.is_failed() and "remove the file to have it done again" in str(ended.message)
    assert stage.times == 1


def test_a_run_says_which_clip_failed_and_why(main_server: MainServer) -> None:
    class Full(Stage):
        def __call__(self, task: Task, context: StageContext) -> StageOutput:
            raise OSError(5, "Input/output error", "/mnt/nas-1/raw")

    ended = Full().run()
    assert ended.is_failed()
    assert str(ended.message).startswith("1 of 1 clips failed and will be tried again. 2026_0628_000001_0001F.MP4: ")
    assert "Input/output error: '/mnt/nas-1/raw'" in str(ended.message)


def test_a_result_that_the_server_will_not_have_is_a_failure_of_the_clip(
    main_server: MainServer, engine: Engine
) -> None:
    class Strange(Stage):
        def __call__(self, task: Task, context: StageContext) -> StageOutput:
            following = NewTask(task_type=TaskType.HEAVY_PROCESS_VIDEO, video_id=task.video_id, inputs=[])
            return StageOutput(looked("this device"), [following])

    assert Strange().run().is_failed()
    assert (row(engine).state, row(engine).failures) == ("pending", 1)
    assert "HEAVY_PROCESS_VIDEO of 0000000000000001 does not come after FINALIZE_VIDEO" in str(row(engine).last_error)
    assert here().files() == []


def test_a_rejected_clip_waits_like_any_other_result(main_server: MainServer, engine: Engine) -> None:
    class Unreadable(Stage):
        def __call__(self, task: Task, context: StageContext) -> StageOutput:
            super().__call__(task, context)
            raise Rejected("It is a shopping list.")

    Unreadable(leaves=main_server).run()
    main_server.start()
    deliver_undelivered(load_device())
    assert (row(engine).outcome, row(engine).reason) == ("rejected", "It is a shopping list.")


def test_a_failure_names_its_run_and_is_no_other_runs(main_server: MainServer, engine: Engine) -> None:
    class Late(Stage):
        def __call__(self, task: Task, context: StageContext) -> StageOutput:
            with writing(engine) as session:
                table.offered(session, [task.task_id], "another run")
            raise OSError(5, "Input/output error", "/mnt/nas-1/raw")

    assert Late().run().is_failed()
    assert (row(engine).failures, row(engine).told, row(engine).flow_run_id) == (0, False, "another run")
