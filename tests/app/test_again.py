"""`dashcam again` on the real API: what is there is done again, what cannot be is refused with a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner, Result

from app.system import System
from dashcam.catalog.models import Video
from dashcam.catalog.reread_rows import ReadChange
from dashcam.cli import again, app
from dashcam.database import writing
from dashcam.stages.scan import scan
from dashcam.tasks.client import MainServerClient, ServerRefused
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow
from tests.app.test_scan import put
from tests.catalog.rows import NOON, add_task

CLIP = {"device": "indoor_nas", "path": "raw/a.MP4", "type": "video"}


@pytest.fixture
def video_id(server: MainServerClient, here: System, raw: Path) -> str:
    """A clip whose bundle the archive stage refuses."""
    put(raw / "a.MP4", "a clip")
    scan(server, here.stores, "indoor_nas:raw")
    (task,) = server.all_pending()
    with writing(here.engine) as session:
        session.execute(update(TaskRow).values(state="complete", outcome="processed", completed_at=NOON))
        video = session.get_one(Video, task.video_id)
        add_task(session, video, state="complete", outcome="processed", completed_at=NOON, inputs=[CLIP])
        add_task(session, video, "ARCHIVE_VIDEO", failures=7, last_error="The bundle is not what heavy wrote.")
    return task.video_id


@pytest.fixture
def command(server: MainServerClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    @contextmanager
    def this_one(data: Path | None) -> Iterator[MainServerClient]:
        yield server

    monkeypatch.setattr(again, "main_server", this_one)
    yield


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["again", *words])


def test_a_spoiled_bundle_is_made_anew(server: MainServerClient, video_id: str, command: None) -> None:
    result = run(video_id)
    assert (result.exit_code, result.stderr) == (0, f"{video_id} is done again from heavy on\n")
    (task,) = server.all_pending()
    assert (task.task_type, task.revision, task.inputs[0].uri) == ("HEAVY_PROCESS_VIDEO", 2, "indoor_nas:raw/a.MP4")


def test_a_clip_is_read_where_it_lies_now(server: MainServerClient, video_id: str, raw: Path, here: System) -> None:
    (raw / "a.MP4").rename(put(raw / "RO" / "a.MP4", ""))
    scan(server, here.stores, "indoor_nas:raw")
    server.again(video_id, TaskType.INGEST_VIDEO)
    (task,) = server.all_pending()
    assert task.input("video").path == "raw/RO/a.MP4"


def test_a_clip_that_is_gone_is_not_read_again_and_does_not_vanish(
    server: MainServerClient, video_id: str, raw: Path, command: None
) -> None:
    put(raw / "b.MP4", "another")
    (raw / "a.MP4").unlink()
    result = run(video_id)
    assert result.exit_code == 1 and "not there any more: it can be done again from ARCHIVE_VIDEO on" in result.stderr
    assert run(video_id, "--from", "archive").exit_code == 0
    (task,) = server.all_pending()
    assert (task.task_type, task.revision, task.failures) == ("ARCHIVE_VIDEO", 1, 0), "it is only tried again"


def test_a_store_that_is_away_says_nothing_about_the_clip(
    server: MainServerClient, video_id: str, raw: Path, command: None
) -> None:
    (raw / "a.MP4").unlink()
    raw.rmdir()
    with pytest.raises(ServerRefused, match="cannot be seen now"):
        server.again(video_id, TaskType.HEAVY_PROCESS_VIDEO)


def test_what_nobody_has_handed_in_is_unknown(server: MainServerClient, command: None) -> None:
    assert "There is no video 0000000000000000." in run("0" * 16).stderr


def test_what_is_read_differently_is_listed(
    server: MainServerClient, here: System, video_id: str, command: None, tmp_path: Path
) -> None:
    with writing(here.engine) as session:
        session.add(ReadChange(video_id=video_id, at=NOON, best_s=2.5, was="UCRM469", now="HUCFM469"))
    result = run("--changed", "--json", str(tmp_path / "changed.json"))
    assert result.exit_code == 0 and "1 plates are read differently, 0 are new or gone" in result.stderr
    assert all(word in result.stdout for word in (video_id, "2.5", "UCRM469", "HUCFM469"))
    assert '"now": "HUCFM469"' in (tmp_path / "changed.json").read_text()
    assert server.all_pending(), "nothing is done again by it"
    assert run().exit_code == 2
