"""`dashcam process` follows its clips on a server that has much else to do, by what the server says has changed."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert

from app.journal import KEPT, Journal
from app.system import System
from dashcam.catalog.models import Video
from dashcam.database import writing
from dashcam.embedded import job as following
from dashcam.embedded.job import Clip, Job, Standing
from dashcam.tasks import table
from dashcam.tasks.chain import STAGES
from dashcam.tasks.client import MainServerClient
from dashcam.tasks.model import Completion, InputRef, NewTask, TaskType
from dashcam.tasks.row import TaskRow
from tests.catalog.rows import NOON

ORDER = list(STAGES)
CLIP = InputRef(device="local", path="a.MP4")


@pytest.fixture
def server(client: TestClient) -> MainServerClient:
    one = MainServerClient("http://testserver", "not used", patience_s=0)
    one.http = client
    return one


def others(here: System, count: int) -> None:
    """Somebody else's clips, waiting for the GPU."""
    videos = [{"video_id": f"o{n}", "name": f"o{n}.MP4", "source": f"s:o{n}", "created_at": NOON} for n in range(count)]
    task = {"task_type": "HEAVY_PROCESS_VIDEO", "revision": 1, "device_type": "gpu", "inputs": [], "created_at": NOON}
    with writing(here.engine) as session:
        session.execute(insert(Video), videos)
        session.execute(insert(TaskRow), [task | {"video_id": video["video_id"]} for video in videos])


def handed_in(here: System, server: MainServerClient, *names: str) -> Job:
    job = Job(server, [Clip(Path(f"{name}.MP4"), video_id=name) for name in names])
    with writing(here.engine) as session:
        for name in names:
            session.add(Video(video_id=name, name=f"{name}.MP4", source=f"local:{name}.MP4", created_at=NOON))
            session.flush()
            table.publish(session, NewTask(task_type=TaskType.INGEST_VIDEO, video_id=name, inputs=[CLIP]))
    return job


def step(here: System, video_id: str) -> None:
    """Complete what is pending for the clip as the API does; the next stage's task follows."""
    with writing(here.engine) as session:
        (task,) = table.briefs(session, TaskRow.video_id == video_id)
        after = ORDER[ORDER.index(task.task_type) + 1 :][:1]
        publish = [NewTask(task_type=one, video_id=video_id, inputs=[CLIP]) for one in after]
        table.complete(session, task.task_id, Completion(publish=publish), lambda *what: None)
    here.wake(video_id)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LEAST_S", 0.0)
    monkeypatch.setattr(following, "WAIT_S", 0.05)


def follow(job: Job, acts: list[Callable[[], None]]) -> list[Standing]:
    """Follow to the end; at each look something happens."""
    seen: list[Standing] = []

    def tick(now: Standing) -> None:
        seen.append(now)
        assert len(seen) < 100, "it has to end"
        if acts:
            acts.pop(0)()

    job.follow(3, tick)
    return seen


def test_clips_are_followed_to_the_end_whatever_else_waits(here: System, server: MainServerClient) -> None:
    others(here, 300)
    job = handed_in(here, server, "a", "b")
    assert job.try_again()
    seen = follow(job, [lambda video=video: step(here, video) for _ in STAGES for video in "ab"])  # type: ignore[misc]
    assert job.left == {} and [clip.trouble for clip in job.clips] == [None, None]
    done = [tuple(now.done[stage] for stage in STAGES) for now in seen]
    assert done[0] == (0, 0, 0, 0, 0) and done[-1] == (2, 2, 2, 2, 2)
    assert done == sorted(done)
    assert (seen[0].clips, seen[0].waiting, seen[-1].waiting) == (2, 2, 0)


def test_only_what_changed_is_asked_for(
    here: System, server: MainServerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    whole = MainServerClient.pending_of
    monkeypatch.setattr(MainServerClient, "pending_of", lambda self, ids: asked.append(list(ids)) or whole(self, ids))
    job = handed_in(here, server, *(f"c{number}" for number in range(40)))

    def rest() -> None:
        for number in range(1, 40):
            for _ in STAGES:
                step(here, f"c{number}")

    acts = [lambda: here.wake("somebody else's"), lambda: step(here, "c0"), rest] + [lambda: step(here, "c0")] * 4
    follow(job, acts)
    assert [len(ids) for ids in asked] == [40, 1, 39, 1, 1, 1, 1]


def test_a_clip_is_given_up_with_the_devices_sentence_and_one_that_is_held_with_its_reason(
    here: System, server: MainServerClient
) -> None:
    job = handed_in(here, server, "a", "b")

    def fail() -> None:
        with writing(here.engine) as session:
            for task in table.briefs(session, TaskRow.video_id == "a"):
                table.fail(session, task.task_id, "the disk is full", timedelta(0))
        here.wake("a")

    def hold() -> None:
        with writing(here.engine) as session:
            (task,) = table.briefs(session, TaskRow.video_id == "b")
            table.hold(session, [task.task_id], "run x was cancelled in Prefect")
        here.wake("b")

    follow(job, [fail, fail, hold, fail])
    assert [clip.trouble for clip in job.clips] == [
        "INGEST_VIDEO failed 3 times: the disk is full",
        "run x was cancelled in Prefect",
    ]
    assert job.try_again()
    assert {task.hold for task in server.pending_of(["a", "b"])} == {None}


def test_a_restarted_server_is_followed_on(here: System, server: MainServerClient) -> None:
    job = handed_in(here, server, "a")

    def restart() -> None:
        step(here, "a")
        here.journal = Journal()

    follow(job, [restart] + [lambda: step(here, "a")] * 4)
    assert job.left == {}


def test_what_nobody_told_is_found_after_a_while(
    here: System, server: MainServerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LOOK_S", 0.1)
    job = handed_in(here, server, "a")
    monkeypatch.setattr(System, "wake", lambda self, *video_ids: None)
    follow(job, [lambda: [step(here, "a") for _ in STAGES]])  # type: ignore[list-item]
    assert job.left == {}


def test_what_runs_is_told_with_its_device(here: System, server: MainServerClient) -> None:
    others(here, 3)
    job = handed_in(here, server, "a")
    (task,) = server.pending_of(["a"])
    server.progress(task.task_id, 0.5, "gpu-pc")
    (foreign,) = server.pending_of(["o1"])
    server.progress(foreign.task_id, 0.5, "gpu-pc")
    (running,) = follow(job, [lambda: [step(here, "a") for _ in STAGES]])[0].running  # type: ignore[list-item]
    assert (running.video_id, running.progress, running.device) == ("a", 0.5, "gpu-pc")


def test_the_journal_says_when_it_does_not_know_any_more() -> None:
    journal = Journal()
    journal.note(["a", "b", "a"])
    assert journal.since(journal.epoch, 0) == ["a", "b"]
    assert journal.since(journal.epoch, 2) == ["a"]
    assert journal.since(journal.epoch, 3) == []
    assert journal.since("another", 3) is None
    assert journal.since(journal.epoch, 4) is None
    journal.note(["c"] * KEPT)
    assert journal.since(journal.epoch, 2) is None
    assert journal.since(journal.epoch, 3) == ["c"]
