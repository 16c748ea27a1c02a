"""Who may have clips read again from a page, and what comes of it."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app import rereading
from app.access import callers
from app.access.callers import Caller, NotAllowed
from dashcam.access.models import AuditEntry
from dashcam.access.roles import Role
from dashcam.catalog.models import SourceFile, Video
from dashcam.database import reading, writing
from dashcam.tasks.row import TaskRow
from tests.app.access.conftest import Home
from tests.catalog.rows import NOON, add_task, add_video

BUTTON = "Read this clip again"
ALL = "Read all again tonight"
BEN = Caller("ben", "session", Role.MEMBER)


@pytest.fixture
def clips(home: Home) -> list[str]:
    """Two that are through: the file of the first lies where it was, that of the second is gone."""
    raw = home.here.stores.root("indoor_nas") / "raw"
    raw.mkdir(exist_ok=True)
    (raw / "1.MP4").write_bytes(b"a clip")
    status = (raw / "1.MP4").stat()
    with writing(home.here.engine) as session:
        for number in (1, 2):
            uri = f"indoor_nas:raw/{number}.MP4"
            video = add_video(session, number, source=uri)
            clip = {"device": "indoor_nas", "path": f"raw/{number}.MP4", "type": "video"}
            add_task(session, video, state="complete", outcome="processed", completed_at=NOON, inputs=[clip])
            there = {"size": status.st_size, "mtime_ns": status.st_mtime_ns}
            session.add(SourceFile(uri=uri, video_id=video.video_id, **there))
        return [f"{number:016x}" for number in (1, 2)]


def test_members_are_offered_it_and_viewers_are_not(home: Home, clips: list[str]) -> None:
    home.add("ben", Role.MEMBER)
    home.add("eve", Role.VIEWER)
    assert BUTTON in home.logged_in("ben").get(f"/videos/{clips[0]}").text
    assert BUTTON not in home.logged_in("eve").get(f"/videos/{clips[0]}").text
    with callers.speaking(Caller("eve", "session", Role.VIEWER)), pytest.raises(NotAllowed):
        rereading.read_again(clips)


def test_members_have_all_read_again_that_an_older_reader_has_read(home: Home, clips: list[str]) -> None:
    home.add("ben", Role.MEMBER)
    home.add("eve", Role.VIEWER)
    with writing(home.here.engine) as session:
        newest = add_video(session, 3, models={"plate-reader": "new"})
        add_task(session, newest, state="complete", outcome="processed", completed_at=NOON + timedelta(days=1))
        session.execute(update(Video).where(Video.video_id.in_(clips)).values(models={"plate-reader": "old"}))
    page = home.logged_in("ben").get("/rereads").text
    assert ALL in page and "0 crops of 2 clips could be read again" in page
    with callers.speaking(Caller("eve", "session", Role.VIEWER)), pytest.raises(NotAllowed):
        rereading.read_all()
    with callers.speaking(BEN):
        assert (rereading.read_all().clips, rereading.read_all().clips) == (2, 0)
    with reading(home.here.engine) as session:
        noted = session.execute(select(AuditEntry.who, AuditEntry.what)).all()
    assert ("ben", "had all that an older reader has read again: 2 clips") in [tuple(one) for one in noted]


def test_a_clip_that_is_gone_keeps_no_other_from_it_and_the_audit_log_says_who_asked(
    home: Home, clips: list[str]
) -> None:
    with callers.speaking(BEN):
        begun = rereading.read_again(clips)
    assert begun.clips == 1 and len(begun.refused) == 1 and "not there any more" in begun.refused[0]
    with reading(home.here.engine) as session:
        (task,) = session.scalars(select(TaskRow).where(TaskRow.state == "pending"))
        assert (task.video_id, task.task_type, task.revision) == (clips[0], "HEAVY_PROCESS_VIDEO", 2)
        noted = session.execute(select(AuditEntry.who, AuditEntry.what)).all()
    assert ("ben", "had 1 clip read again") in [tuple(one) for one in noted]
