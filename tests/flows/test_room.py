"""A clip for which there is no room waits, which is nobody's failure, and goes on by itself when there is."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prefect import flow
from prefect.client.schemas.objects import State
from sqlalchemy import Engine, func, select

from dashcam.catalog.models import Video
from dashcam.chaos.disks import BALLAST, full, mounted, unavailable
from dashcam.database import reading, writing
from dashcam.records import ArchiveResult
from dashcam.stages import archive as archiving
from dashcam.stages.common import StageContext, StageOutput
from dashcam.storage import bundle
from dashcam.tasks import table
from dashcam.tasks.model import Task, TaskType
from dashcam.tasks.row import TaskRow
from flows.clips import work_off
from flows.scan import scan
from tests.catalog.rows import add_task, add_video
from tests.flows.main_server import MainServer, be_device


@pytest.fixture
def site(engine: Engine, tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainServer]:
    """With two clips to archive; both stores are small disks of their own, and this process is a device."""
    if why := unavailable():
        pytest.skip(why)
    roots = {"indoor_nas": tmp_path / "nas", "shed_nas": tmp_path / "shed"}
    one = MainServer(engine, roots)
    be_device("nas-pc", one, tmp_path, monkeypatch)
    (tmp_path / "scratch/dashcam-scratch").mkdir(parents=True)
    with writing(engine) as session:
        for number in (1, 2):
            add_task(session, add_video(session, number), TaskType.ARCHIVE_VIDEO)
            session.get_one(TaskRow, number).inputs = [
                {"device": "indoor_nas", "path": f"heavy_output/{number}", "type": "bundle"}
            ]
    with mounted({roots["indoor_nas"]: 8, roots["shed_nas"]: 8}):
        one.start()
        yield one
        one.stop()


def archive(loaded: list[str]) -> State:
    def stage(task: Task, context: StageContext) -> StageOutput:
        return StageOutput(ArchiveResult(archive=f"shed_nas:{task.video_id}", manifest_sha256="0", files=0, bytes=0))

    @flow
    def run() -> State:
        return work_off([1, 2], lambda device: loaded.append("loaded") or stage)

    return run(return_state=True)


def rows(engine: Engine) -> list[TaskRow]:
    with reading(engine) as session:
        return [session.get_one(TaskRow, number) for number in (1, 2)]


def clips(engine: Engine) -> int:
    with reading(engine) as session:
        return session.scalar(select(func.count()).select_from(Video)) or 0


def test_what_does_not_fit_waits_with_the_sentence_and_then_goes_on(site: MainServer, engine: Engine) -> None:
    loaded: list[str] = []
    shed = site.system.stores.roots["shed_nas"]
    with full(shed):
        state = archive(loaded)
    assert state.is_completed() and f"Clips wait. No room in store shed_nas ({shed})" in str(state.message)
    first, second = rows(engine)
    assert (first.state, first.failures, second.not_before) == ("pending", 0, None)
    assert first.last_error is not None and first.last_error in str(state.message)
    assert first.not_before is not None and first.not_before <= datetime.now(UTC) + table.ROOM_WAIT
    assert not loaded, "no model is loaded for what has to wait"
    assert site.system.shortages.waits(TaskType.ARCHIVE_VIDEO)
    assert site.system.shortages.sentences() == [f"Clips wait. {first.last_error}"]
    assert archive(loaded).is_completed()
    assert {row.outcome for row in rows(engine)} == {"processed"} and loaded


def test_a_disk_that_fills_up_while_a_clip_is_archived_is_waited_for_and_nothing_is_left_half_written(
    site: MainServer, engine: Engine, tmp_path: Path
) -> None:
    """The real stage on a real disk of 8 MB, on which somebody else needs the rest in the midst of the copying."""
    nas, shed = (site.system.stores.roots[name] for name in ("indoor_nas", "shed_nas"))
    for number, size in ((1, 3_000_000), (2, 3_000)):
        (nas / f"heavy_output/{number}").mkdir(parents=True)
        (nas / f"heavy_output/{number}/video_lowres.mp4").write_bytes(bytes(size))
    others = ExitStack()
    fill = iter([full(shed)])

    def somebody_else_writes(part: float) -> None:
        if (once := next(fill, None)) is not None:
            others.enter_context(once)

    def stage(task: Task, context: StageContext) -> StageOutput:
        return archiving.run(task, replace(context, progress=somebody_else_writes))

    @flow
    def run() -> State:
        return work_off([1, 2], lambda device: stage)

    with others:
        state = run(return_state=True)
        assert sorted(one.name for one in shed.iterdir()) == [BALLAST], "no half of an archive"
        assert list((tmp_path / "scratch").rglob("clip-*")) == []
    first, second = rows(engine)
    said = f"No room in store shed_nas ({shed}): it filled up while the clip was in work."
    assert state.is_completed() and str(state.message).startswith("Clips wait. No room in store shed_nas")
    assert first.last_error is not None and first.last_error.startswith(said)
    assert (first.state, first.failures, first.hold) == ("pending", 0, None)
    assert first.not_before is not None and first.not_before <= datetime.now(UTC) + table.ROOM_WAIT
    assert (second.state, second.failures) == ("pending", 0)
    assert site.system.shortages.waits(TaskType.ARCHIVE_VIDEO)
    assert run(return_state=True).is_completed()
    assert {row.outcome for row in rows(engine)} == {"processed"}
    for row in rows(engine):
        assert bundle.verify(shed / row.video_id, bundle.read_manifest(shed / row.video_id)) == []


def test_a_scan_takes_nothing_in_while_the_store_has_no_room_and_says_so(site: MainServer, engine: Engine) -> None:
    nas = site.system.stores.roots["indoor_nas"]
    (nas / "raw").mkdir()
    (nas / "raw/2026_0628_133416_000001F.MP4").write_bytes(b"a clip")
    site.system.settling.settled = lambda *_: True  # type: ignore[method-assign]
    with full(nas):
        assert scan(return_state=True).is_completed()
    [said] = site.system.shortages.sentences()
    assert f"No clips are taken in. No room in store indoor_nas ({nas})" in said
    assert clips(engine) == 2
    assert scan(return_state=True).is_completed()
    assert site.system.shortages.sentences() == []
    assert clips(engine) == 3


def test_a_scan_that_misses_a_store_says_so_in_its_sentence_and_looks_through_the_others(
    site: MainServer, engine: Engine
) -> None:
    """An exception would be fifteen lines of a traceback in the journal, every five minutes of an outage."""
    site.system.settling.settled = lambda *_: True  # type: ignore[method-assign]
    before = clips(engine)
    raw = site.system.stores.roots["indoor_nas"] / "raw"
    raw.mkdir()
    (raw / "2026_0628_133416_000001F.MP4").write_bytes(b"a clip")
    state = scan(["away:raw", "indoor_nas:raw"], return_state=True)
    assert state.is_failed() and str(state.message).startswith("'away' is not a store of this device")
    assert clips(engine) == before + 1
