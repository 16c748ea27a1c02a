"""What an older reader has read is counted, and all of it can be read again: from the clip, or from its archive."""

from typing import Any

import pytest
from sqlalchemy import Engine, select

from dashcam.catalog import older_reads
from dashcam.catalog.models import ArchiveCheck, Holding, Video
from dashcam.catalog.older_reads import OlderReads
from dashcam.database import reading, writing
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import LAST, TaskRow
from dashcam.vision.read.fixed_slot_reader import default_weights
from tests.catalog.rows import NOON, add_sighting, add_task, add_video

OLD, NEW = {"plate-reader": "0" * 64, "second": "1"}, {"plate-reader": "f" * 64, "second": "2"}
DONE: dict[str, Any] = {"state": "complete", "outcome": "processed", "completed_at": NOON}


def through(engine: Engine, number: int, models: dict[str, str], gone: bool = False, archived: bool = True) -> str:
    with writing(engine) as session:
        video = add_video(session, number, models=models)
        clip = {"device": "indoor_nas", "path": f"raw/{number}.MP4", "type": "video"}
        found = {"device": "indoor_nas", "path": "preproc/candidates.json", "type": "candidates"}
        add_task(session, video, revision=3, inputs=[clip, found], **DONE)
        add_task(session, video, TaskType.ARCHIVE_VIDEO, revision=3 if archived else 2, **DONE)
        add_sighting(session, video, f"AB{number}", 1.0)
        add_sighting(session, video, f"CD{number}", 2.0)
        if gone:
            session.add(Holding(video_id=video.video_id, kind="raw", since=NOON, removed_at=NOON, rule="a rule"))
        return video.video_id


@pytest.fixture
def street(any_engine: Engine) -> Engine:
    """The newest clip was read by another reader than those before it."""
    for number, gone in ((1, False), (2, True)):
        through(any_engine, number, OLD, gone)
    through(any_engine, 3, NEW)
    with writing(any_engine) as session:
        busy, damaged = (through_in(session, number) for number in (4, 5))
        busy.outcome = None
        session.add(Holding(video_id=damaged.video_id, kind="raw", since=NOON, removed_at=NOON, rule="a rule"))
        session.add(ArchiveCheck(video_id=damaged.video_id, checked_at=NOON, wrong=["a byte"], mendings=0))
    through(any_engine, 6, NEW)
    return any_engine


def through_in(session: Any, number: int) -> Video:
    return add_video(session, number, models=OLD)


def waiting(engine: Engine) -> list[TaskRow]:
    with reading(engine) as session:
        return list(session.scalars(select(TaskRow).where(TaskRow.state == "pending").order_by(TaskRow.task_id)))


def test_what_an_older_reader_has_read_is_counted_with_its_crops(street: Engine) -> None:
    assert default_weights().stem == older_reads.READER
    with reading(street) as session:
        assert older_reads.count(session) == OlderReads(clips=2, crops=4, by_crops=1)


def test_all_of_it_is_read_again_behind_all_else_and_only_once(street: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(older_reads, "AT_ONCE", 1)
    after, shares = None, []
    while after or not shares:
        with writing(street) as session:
            share = older_reads.offer_some(session, after)
            shares.append(share)
            after = share.after
    assert [len(share.video_ids) for share in shares] == [1, 1, 0] and sum(one.by_crops for one in shares) == 1
    film, crops = waiting(street)
    assert [(one.task_type, one.revision, one.not_before) for one in (film, crops)] == [
        ("HEAVY_PROCESS_VIDEO", 4, LAST)
    ] * 2
    assert [ref["type"] for ref in film.inputs] == ["video", "candidates"]
    assert crops.inputs == [{"device": "shed_nas", "path": f"{2:016x}", "type": "archive"}]
    with writing(street) as session:
        assert session.get_one(Video, film.video_id).outcome is None
        assert older_reads.offer_some(session) == ([], 0, None)
        assert older_reads.count(session).clips == 0, "they are on their way"


def test_a_clip_that_is_gone_and_whose_archive_is_older_than_its_reads_is_left_alone(any_engine: Engine) -> None:
    through(any_engine, 1, OLD, gone=True, archived=False)
    through(any_engine, 2, NEW)
    with writing(any_engine) as session:
        assert older_reads.offer_some(session).video_ids == []


def test_before_anything_was_read_nothing_is_older(any_engine: Engine) -> None:
    with writing(any_engine) as session:
        add_video(session, 1, models=OLD)
        assert older_reads.count(session).clips == 0 and older_reads.offer_some(session).video_ids == []
