"""What a run leaves in Prefect for people: on a real Prefect server."""

import asyncio

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.objects import Artifact
from prefect.runtime import flow_run

from dashcam.records import HeavyResult, Sighting
from dashcam.tasks.model import Completion, Task, TaskType
from flows import artifacts
from flows.artifacts import PlateTable, ProgressArtifact, plain


def heavy_task() -> Task:
    return Task.model_construct(task_id=1, task_type=TaskType.HEAVY_PROCESS_VIDEO, video_id="v 1")


def read(*plates: str) -> Completion:
    sightings = [
        Sighting(
            text=text, confidence=0.987, confirmed=True, first_s=1, last_s=2, best_s=1.5, best_pts=1, box=(0, 0, 1, 1),
            slots=[], reads=[], crop="", frame="",
        )
        for text in plates
    ]  # fmt: skip
    result = HeavyResult(bundle="a:b", frames_decoded=1, frames_looked_at=1, models={}, sightings=sightings)
    return Completion(result=result.model_dump(mode="json"))


def left_by(run_id: str) -> dict[str, Artifact]:
    async def ask() -> list[Artifact]:
        async with get_client() as client:
            wanted = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
            return await client.read_artifacts(artifact_filter=wanted)

    return {str(one.key): one for one in asyncio.run(ask())}


def test_a_run_leaves_its_progress_and_its_plates(prefect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "INTERVAL_S", 0.0)

    @flow
    def heavy() -> str:
        progress, plates = ProgressArtifact(3), PlateTable("http://main:8000")
        for plate in ("AB123C", "ZZ|99"):
            plates.note(heavy_task(), "<b>clip</b>.MP4", read(plate))
            progress.clip_is_through()
        plates.publish()
        return str(flow_run.id)

    left = left_by(heavy())
    assert left.keys() == {"heavy-progress", "plates"}
    assert left["heavy-progress"].data == pytest.approx(66.7, abs=0.1)
    lines = str(left["plates"].data).splitlines()
    assert lines[2] == (
        "| [AB123C](http://main:8000/plates/AB123C) | 99% | \\<b\\>clip\\<\\/b\\>\\.MP4 | "
        "[1.5 s](http://main:8000/videos/v%201?t=1.50) |"
    )
    assert "/plates/ZZ%7C99" in lines[3]
    assert left["plates"].description == "2 sightings"


def test_a_short_run_leaves_no_progress(prefect: str) -> None:
    @flow
    def ingest() -> str:
        ProgressArtifact(1).clip_is_through()
        return str(flow_run.id)

    assert left_by(ingest()) == {}


def test_a_prefect_that_takes_no_artifact_fails_nothing() -> None:
    def refuse(**given: object) -> None:
        raise OSError("gone")

    assert artifacts.leave(refuse, key="plates") is None


@pytest.mark.parametrize("text", ["a|b", "[x](http://evil)", "<script>", "`x`", "line\nline"])
def test_what_a_camera_saw_is_only_shown(text: str) -> None:
    shown = plain(text)
    assert "\n" not in shown
    for place, letter in enumerate(shown):
        if not (letter.isalnum() or letter in " _\\"):
            assert shown[place - 1] == "\\"
