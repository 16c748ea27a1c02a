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
from flows.artifacts import ProgressArtifact, SightingTable, plain


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


def test_a_run_leaves_its_progress_and_where_plates_were_seen_but_no_plate(
    prefect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "INTERVAL_S", 0.0)

    @flow
    def heavy() -> str:
        progress, sightings = ProgressArtifact(3), SightingTable("http://main:8000")
        for plates in (["AB123C", "ZZ|99"], ["AB123C"], []):
            sightings.note(heavy_task(), "<b>clip</b>.MP4", read(*plates))
            if plates:
                progress.clip_is_through()
        sightings.publish()
        return str(flow_run.id)

    left = left_by(heavy())
    assert left.keys() == {"heavy-progress", "sightings"}
    assert left["heavy-progress"].data == pytest.approx(66.7, abs=0.1)
    lines = str(left["sightings"].data).splitlines()
    assert lines[2] == "| [\\<b\\>clip\\<\\/b\\>\\.MP4](http://main:8000/videos/v%201) | 2 | 0 |"
    assert left["sightings"].description == "3 sightings in 2 clips"
    assert "AB123C" not in repr(left)


def test_a_short_run_leaves_no_progress(prefect: str) -> None:
    @flow
    def ingest() -> str:
        ProgressArtifact(1).clip_is_through()
        return str(flow_run.id)

    assert left_by(ingest()) == {}


def test_a_prefect_that_takes_no_artifact_fails_nothing() -> None:
    def refuse(**given: object) -> None:
        raise OSError("gone")

    assert artifacts.leave(refuse, key="sightings") is None


@pytest.mark.parametrize("text", ["a|b", "[x](http://evil)", "<script>", "`x`", "line\nline"])
def test_what_a_file_is_called_is_only_shown(text: str) -> None:
    shown = plain(text)
    assert "\n" not in shown
    for place, letter in enumerate(shown):
        if not (letter.isalnum() or letter in " _\\"):
            assert shown[place - 1] == "\\"
