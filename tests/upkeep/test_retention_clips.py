"""What is known of a clip that a rule has let go: it has not vanished, and one that comes back is the same clip."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from dashcam.catalog.models import Holding, SourceFile, Video
from dashcam.database import reading, writing
from dashcam.records import FinalizeResult
from dashcam.storage import layout
from dashcam.tasks import table
from dashcam.tasks.model import Completion, InputRef, NewTask, TaskType
from dashcam.upkeep import removing
from tests.catalog.rows import add_task, applied
from tests.upkeep.household import House, site_with


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> House:
    return House(tmp_path / "stores", engine)


def let_go(house: House, video: Video) -> bytes:
    """The clip has gone by a rule; gives what it was."""
    content = (house.roots[layout.INDOOR] / video.source.partition(":")[2]).read_bytes()
    with house.server() as server:
        done = removing.carry_out(server, house.stores, house.announce())
    assert done.kept == [] and video.source not in house.files()
    return content


def test_a_clip_that_a_rule_removed_has_not_vanished(house: House) -> None:
    """It is looked at again by a new version of the heavy stage, which finds it gone."""
    video = house.clip(1, 100)
    let_go(house, video)
    with writing(house.engine) as session:
        source = InputRef.of(video.source, "video")
        task = NewTask(task_type=TaskType.HEAVY_PROCESS_VIDEO, video_id=video.video_id, inputs=[source])
        assert table.publish(session, task)
    with house.server() as server:
        (pending,) = server.all_pending()
        reason = f"{video.source} was removed or replaced before it was processed"
        assert server.complete(pending.task_id, Completion(outcome="vanished", reason=reason))
        assert server.all_pending() == []
        known = server.video(video.video_id)
    assert known is not None
    assert (known["outcome"], known["reason"]) == ("processed", None)
    (gone,) = [one for one in known["removed"] if one["kind"] == "raw"]
    assert gone["rule"] == "storage_retention_days.raw_videos = 90" and gone["removed_at"]


def test_nor_has_one_that_a_rule_removes_this_moment(house: House) -> None:
    """It is looked at again between its removal and the word of it, or the run that removed it has died in between."""
    video = house.clip(1, 100)
    with house.server() as server:
        plan = house.announce()
        server.call("POST", f"/retention/plans/{plan.plan_id}/begin")
        about = {"kind": "raw", "video_id": video.video_id}
        assert server.call("POST", f"/retention/plans/{plan.plan_id}/check", json=about)["go"]
    with writing(house.engine) as session:
        applied(session, TaskType.INGEST_VIDEO, video.video_id, Completion(outcome="vanished", reason="gone"))
    with reading(house.engine) as session:
        known = session.get_one(Video, video.video_id)
        assert (known.outcome, known.media) == ("processed", layout.archive(video.video_id))


def test_a_clip_that_is_gone_without_a_rule_vanishes_as_ever(house: House) -> None:
    video = house.clip(1, 1)
    with writing(house.engine) as session:
        applied(session, TaskType.HEAVY_PROCESS_VIDEO, video.video_id, Completion(outcome="vanished", reason="gone"))
    with reading(house.engine) as session:
        assert session.get_one(Video, video.video_id).outcome == "vanished"


@pytest.mark.parametrize("place", ["raw/2026-06-28", "raw/again"])
def test_a_copy_that_comes_back_is_known_and_kept_anew(house: House, place: str) -> None:
    video = house.clip(1, 100)
    content = let_go(house, video)
    path = house.roots[layout.INDOOR] / place / video.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    status = path.stat()
    with house.server() as server:
        listed = server.scan("indoor_nas", [(f"{place}/{video.name}", status.st_size, status.st_mtime_ns)])
        assert listed["wanted"] or listed["waiting"], "it is looked at, although its path was known"
        (arrival,) = server.ingest([InputRef(device="indoor_nas", path=f"{place}/{video.name}")], vouched=True)
        assert (arrival["status"], arrival["video_id"]) == ("known", video.video_id)
        assert server.all_pending() == []
        answers = server.call("GET", f"/videos/{video.video_id}/retention")
    (raw,) = [one for one in answers if one["kind"] == "raw"]
    assert raw["kept"] and raw["places"] == [f"indoor_nas:{place}/{video.name}"]
    assert house.announce().items == [], "its 90 days begin anew"


def test_the_days_begin_when_the_archive_is_verified(house: House) -> None:
    """By the result of finalizing, which says what it has let go itself."""
    video = house.clip(1, 100)
    house.here.site = site_with(days={"preproc_data": 0})
    with writing(house.engine) as session:
        for row in session.scalars(select(Holding)):
            session.delete(row)
        add_task(session, session.get_one(Video, video.video_id), "FINALIZE_VIDEO")
    with house.server() as server:
        (task,) = server.all_pending()
        result = FinalizeResult(archive="shed_nas:x", removed=[layout.bundle(video.video_id)])
        assert server.complete(task.task_id, Completion(result=result.model_dump()))
        answers = {one["kind"]: one for one in server.call("GET", f"/videos/{video.video_id}/retention")}
    assert [kind for kind, one in answers.items() if one["kept"]] == ["raw", "lowres", "crops"]
    assert answers["raw"]["goes_at"] > "2026" and answers["lowres"]["goes_at"]
    assert answers["crops"]["rule"] == "kept for ever"


def test_forgotten_paths_are_those_in_our_folder_only(house: House) -> None:
    video = house.clip(1, 100)
    with writing(house.engine) as session:
        session.add(SourceFile(uri="local:home/ana/a.MP4", size=1, mtime_ns=1, video_id=video.video_id))
    let_go(house, video)
    with reading(house.engine) as session:
        assert list(session.scalars(select(SourceFile.uri))) == ["local:home/ana/a.MP4"]
