"""A clip that changes while a stage reads it is never taken for what it was."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from prefect.logging import disable_run_logger

from app.system import System
from blocks.device import LocalDevice
from dashcam.config import DeviceSettings
from dashcam.media import identity
from dashcam.media.decode import FrameReader
from dashcam.stages import ingest
from dashcam.stages.common import StageContext, StageFunction, StageOutput
from dashcam.stages.heavy import Heavy
from dashcam.stages.preprocess import Preprocess
from dashcam.stages.scan import scan
from dashcam.storage import layout
from dashcam.tasks.client import MainServerClient
from dashcam.tasks.model import Task, TaskType
from flows.clips import Work, work_on_clip
from tests.app.test_scan import LONG_AGO
from tests.media.made import regular, write_clip

Change = Callable[[Path], object]
SETTINGS = DeviceSettings(proposals="none")
STAGES: dict[TaskType, Callable[[], StageFunction]] = {
    TaskType.INGEST_VIDEO: lambda: ingest.run,
    TaskType.PREPROCESS_VIDEO: lambda: Preprocess(SETTINGS).run,
    TaskType.HEAVY_PROCESS_VIDEO: lambda: Heavy(SETTINGS).run,
}
READERS = list(STAGES)
WRITES = {TaskType.PREPROCESS_VIDEO: layout.PREPROC, TaskType.HEAVY_PROCESS_VIDEO: layout.HEAVY_OUTPUT}
FOLLOWS = {
    TaskType.PREPROCESS_VIDEO: TaskType.HEAVY_PROCESS_VIDEO,
    TaskType.HEAVY_PROCESS_VIDEO: TaskType.ARCHIVE_VIDEO,
}


def half(clip: Path) -> None:
    os.truncate(clip, clip.stat().st_size // 2)


def overwritten(clip: Path) -> None:
    """In place, and of the same size."""
    with clip.open("r+b") as file:
        file.seek(clip.stat().st_size // 4)
        file.write(os.urandom(clip.stat().st_size // 2))


def changed_by(change: Change, stage: StageFunction) -> StageFunction:
    """The stage, during which the clip is changed once: when it first says how far it is."""

    def run(task: Task, ctx: StageContext) -> StageOutput:
        waiting = [ctx.stores.path(task.input("video").uri)]

        def progress(fraction: float) -> None:
            if waiting:
                change(waiting.pop())
            ctx.progress(fraction)

        return stage(task, replace(ctx, progress=progress))

    return run


def work(task: Task, stage: StageFunction, server: MainServerClient, here: System) -> str:
    one = Work(LocalDevice(replaced_scratch(here), here.stores, "http://testserver", "not used"))
    one.server = server
    with disable_run_logger():
        return work_on_clip.fn(task, stage, one).message or ""


def replaced_scratch(here: System) -> DeviceSettings:
    return SETTINGS.model_copy(update={"scratch": here.stores.root("indoor_nas").parent / "scratch"})


def up_to(kind: TaskType, server: MainServerClient, here: System) -> Task:
    """The clip's task of that kind, what comes before it being done."""
    scan(server, here.stores, "indoor_nas:raw")
    for before, stage in STAGES.items():
        (found,) = server.all_pending()
        task = server.pending(found.task_id)
        assert task is not None and task.task_type == before
        if before == kind:
            return task
        work(task, stage(), server, here)
    raise AssertionError


@pytest.fixture
def clip(raw: Path) -> Path:
    path = write_clip(raw / "2026_0628_133416_000001F.MP4", regular(4.5), size=(640, 480))
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


@pytest.mark.parametrize("change", [half, overwritten])
@pytest.mark.parametrize("kind", READERS)
def test_a_clip_that_is_changed_while_a_stage_reads_it_ends_and_goes_on_by_its_new_identity(
    server: MainServerClient, here: System, clip: Path, kind: TaskType, change: Change
) -> None:
    task = up_to(kind, server, here)
    assert work(task, changed_by(change, STAGES[kind]()), server, here) == "vanished"
    video = server.video(task.video_id) or {}
    assert (video["outcome"], server.all_pending()) == ("vanished", [])
    os.utime(clip, (LONG_AGO, LONG_AGO))
    scan(server, here.stores, "indoor_nas:raw")
    assert [one.video_id for one in server.all_pending()] == [identity.video_id(clip)] != [task.video_id]


def test_a_stage_does_not_begin_on_another_clip(server: MainServerClient, here: System, clip: Path) -> None:
    begun: list[Task] = []

    def begin(task: Task, ctx: StageContext) -> StageOutput:
        begun.append(task)
        return ingest.run(task, ctx)

    task = up_to(TaskType.INGEST_VIDEO, server, here)
    overwritten(clip)
    assert (work(task, begin, server, here), begun) == ("vanished", [])


@pytest.mark.parametrize("kind", READERS[1:])
def test_frames_that_are_missing_once_fail_the_task_and_are_looked_for_again(
    server: MainServerClient, here: System, clip: Path, kind: TaskType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clip is whole whenever its identity is looked at: the store was what ended early."""
    task, whole = up_to(kind, server, here), clip.read_bytes()
    close = FrameReader.__exit__

    def recovered(reader: FrameReader, *error: object) -> None:
        close(reader, *error)  # type: ignore[arg-type]
        clip.write_bytes(whole)

    monkeypatch.setattr(FrameReader, "__exit__", recovered)
    said = work(task, changed_by(half, STAGES[kind]()), server, here)
    assert " of its 45 frames, and 45 when it was read once more" in said
    (waiting,) = server.all_pending()
    assert (waiting.task_type, waiting.failures) == (kind, 1)
    assert not (here.stores.root("indoor_nas") / WRITES[kind] / task.video_id).exists()
    work(task, STAGES[kind](), server, here)
    assert [one.task_type for one in server.all_pending()] == [FOLLOWS[kind]]


@pytest.mark.parametrize("kind", READERS[1:])
def test_a_clip_whose_index_promises_too_much_is_processed_all_the_same(
    server: MainServerClient, here: System, clip: Path, kind: TaskType
) -> None:
    task = up_to(kind, server, here)
    assert task.video is not None
    promised = task.model_copy(update={"video": task.video.model_copy(update={"frames": 50})})
    work(promised, STAGES[kind](), server, here)
    assert [one.task_type for one in server.all_pending()] == [FOLLOWS[kind]]
