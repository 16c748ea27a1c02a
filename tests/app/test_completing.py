"""What is no result, or not the clip's next task, is refused with a sentence, for good, and changes nothing."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.system import System
from dashcam.database import reading, writing
from dashcam.tasks.client import MainServerClient, ServerRefused
from dashcam.tasks.model import Completion, NewTask, TaskType
from dashcam.tasks.row import TaskRow
from tests.catalog.rows import add_task, add_video
from tests.tasks.test_table import CLIP, facts, heavy_result

GOOD: dict[TaskType, dict[str, Any]] = {
    TaskType.INGEST_VIDEO: facts().model_dump(mode="json"),
    TaskType.PREPROCESS_VIDEO: {"candidates": "indoor_nas:x", "keyframes": 1, "kept_s": 1, "rejected_s": 0}
    | {"brightness": 0.5, "sharpness": 0.5},
    TaskType.HEAVY_PROCESS_VIDEO: heavy_result("AB12CDE").result or {},
    TaskType.ARCHIVE_VIDEO: {"archive": "shed_nas:x", "manifest_sha256": "0", "files": 1, "bytes": 1},
    TaskType.FINALIZE_VIDEO: {"archive": "shed_nas:x", "removed": []},
}


def pending(here: System, task_type: TaskType) -> int:
    with writing(here.engine) as session:
        return add_task(session, add_video(session, 1, outcome=None), task_type).task_id


def with_(result: dict[str, Any], *path: str | int, value: Any) -> dict[str, Any]:
    """The same with something else at one place."""
    head, *rest = path
    inner = with_(result[head], *rest, value=value) if rest else value  # type: ignore[index]
    if isinstance(result, list):
        return [*result[:head], inner, *result[head + 1 :]]
    return result | {str(head): inner}


@pytest.mark.parametrize("task_type", list(GOOD))
@pytest.mark.parametrize("result", [None, {}, {"colour": "red"}], ids=["none", "empty", "another"])
def test_no_result_of_its_stage_is_a_422_that_names_what_is_wrong(
    client: TestClient, here: System, task_type: TaskType, result: dict[str, Any] | None
) -> None:
    task_id = pending(here, task_type)
    answer = client.post(f"/tasks/{task_id}/complete", json={"result": result})
    assert answer.status_code == 422
    missing = next(iter(GOOD[task_type]))
    assert answer.json()["detail"].startswith("The task stays pending, its result cannot be kept: it is no ")
    assert f"{missing}: Field required" in answer.json()["detail"]
    assert client.post(f"/tasks/{task_id}/complete", json={"result": GOOD[task_type]}).json() == {"changed": True}


INGEST, HEAVY = GOOD[TaskType.INGEST_VIDEO], GOOD[TaskType.HEAVY_PROCESS_VIDEO]


@pytest.mark.parametrize(
    ("task_type", "result", "says"),
    [
        (TaskType.INGEST_VIDEO, with_(INGEST, "start_utc", value="2026-06-28T12:00:00"), "timezone"),
        (TaskType.INGEST_VIDEO, with_(INGEST, "fixes", 1, "t_s", value=0.0), "position"),
        (TaskType.INGEST_VIDEO, with_(INGEST, "start_utc", value="9999-12-31T23:59:59Z"), "out of range"),
        (TaskType.INGEST_VIDEO, with_(INGEST, "size", value="many"), "size"),
        (TaskType.HEAVY_PROCESS_VIDEO, heavy_result("AB12CDE", "X1").result, "sighting"),
        (TaskType.HEAVY_PROCESS_VIDEO, with_(HEAVY, "sightings", 0, "best_pts", value=2**70), ""),
        (TaskType.HEAVY_PROCESS_VIDEO, with_(HEAVY, "frames_decoded", value=2**70), ""),
    ],
    ids=["no zone", "a moment twice", "after all time", "no number", "a crop twice", "huge", "huge too"],
)
def test_a_result_that_the_database_cannot_keep_is_refused_with_the_reason(
    client: TestClient, here: System, task_type: TaskType, result: dict[str, Any], says: str
) -> None:
    if says == "sighting":
        result = with_(result, "sightings", 1, "crop", value=result["sightings"][0]["crop"])
    task_id = pending(here, task_type)
    answer = client.post(f"/tasks/{task_id}/complete", json={"result": result})
    assert answer.status_code == 422, answer.text
    assert "The task stays pending" in answer.json()["detail"] and says in answer.json()["detail"]
    assert client.get(f"/tasks/{task_id}").json()["state"] == "pending"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused(client: TestClient, here: System, number: str) -> None:
    task_id = pending(here, TaskType.INGEST_VIDEO)
    body = Completion(result=INGEST).model_dump_json().replace('"lat":52.0', f'"lat":{number}')
    answer = client.post(f"/tasks/{task_id}/complete", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert client.get(f"/tasks/{task_id}").json()["state"] == "pending"


def new(task_type: TaskType, number: int = 1) -> NewTask:
    return NewTask(task_type=task_type, video_id=f"{number:016x}", inputs=[CLIP])


@pytest.mark.parametrize("published", [one for one in TaskType if one is not TaskType.ARCHIVE_VIDEO])
def test_nothing_is_published_but_what_comes_next(client: TestClient, here: System, published: TaskType) -> None:
    task_id = pending(here, TaskType.HEAVY_PROCESS_VIDEO)
    done = Completion(result=HEAVY, publish=[new(published)])
    answer = client.post(f"/tasks/{task_id}/complete", json=done.model_dump(mode="json"))
    assert answer.status_code == 422
    assert f"{published} of {1:016x} does not come after HEAVY_PROCESS_VIDEO" in answer.json()["detail"]
    with reading(here.engine) as session:
        assert session.scalars(select(TaskRow.state)).all() == ["pending"]


def test_nothing_is_published_for_another_clip_or_after_a_rejection(client: TestClient, here: System) -> None:
    task_id = pending(here, TaskType.HEAVY_PROCESS_VIDEO)
    with writing(here.engine) as session:
        add_video(session, 2)
    for done in (
        Completion(result=HEAVY, publish=[new(TaskType.ARCHIVE_VIDEO, 2)]),
        Completion(outcome="rejected", reason="a", publish=[new(TaskType.ARCHIVE_VIDEO)]),
    ):
        answer = client.post(f"/tasks/{task_id}/complete", json=done.model_dump(mode="json"))
        assert answer.status_code == 422
        assert "does not come after" in answer.json()["detail"]


def test_a_task_by_hand_comes_only_after_the_stage_before_it(client: TestClient, here: System) -> None:
    task_id = pending(here, TaskType.PREPROCESS_VIDEO)
    for early in (TaskType.HEAVY_PROCESS_VIDEO, TaskType.FINALIZE_VIDEO):
        answer = client.post("/tasks", json=new(early).model_dump())
        assert answer.status_code == 409
        assert "which the clip has not passed" in answer.json()["detail"]
    assert client.post("/tasks", json=new(TaskType.INGEST_VIDEO).model_dump()).json() == {"changed": True}
    client.post(f"/tasks/{task_id}/complete", json={"result": GOOD[TaskType.PREPROCESS_VIDEO]})
    assert client.post("/tasks", json=new(TaskType.HEAVY_PROCESS_VIDEO).model_dump()).json() == {"changed": True}


def test_the_clients_try_no_refusal_again(server: MainServerClient, here: System) -> None:
    server.patience_s = 60
    asked: list[int] = []
    server.http.event_hooks["response"] = [lambda answer: asked.append(answer.status_code)]
    with pytest.raises(ServerRefused, match="cannot be kept: it is no HeavyResult, bundle: Field required"):
        server.complete(pending(here, TaskType.HEAVY_PROCESS_VIDEO), Completion(result={}))
    server.http.event_hooks["response"] = []
    assert asked == [422]
