"""A clip's own file over the web: for members, while it is there and is still that clip; in parts too."""

from datetime import timedelta
from pathlib import Path

import pytest

from app import deletions
from app.access import callers
from app.access.callers import Caller
from dashcam.access.roles import Role
from dashcam.catalog.models import Video
from dashcam.database import writing
from dashcam.media.identity import video_id as identified
from dashcam.upkeep.deleting import Wanted
from tests.app.access.conftest import Home
from tests.catalog.rows import NOON, add_video


@pytest.fixture
def clip(home: Home) -> tuple[str, Path]:
    """Its id, and its file on the indoor NAS."""
    root = home.here.stores.root("indoor_nas")
    file = root / "raw" / "1.MP4"
    file.parent.mkdir(parents=True)
    file.write_bytes(bytes(range(100)))
    video_id = identified(file)
    with writing(home.here.engine) as session:
        media = f"shed_nas:{video_id}"
        add_video(session, 1, video_id=video_id, source="indoor_nas:raw/1.MP4", media=media)
    return video_id, file


def test_a_member_is_given_the_clip_or_a_part_of_it_and_a_viewer_is_not(home: Home, clip: tuple[str, Path]) -> None:
    address = f"/media/{clip[0]}/original"
    home.add("ben", Role.MEMBER)
    home.add("vic", Role.VIEWER)
    member = home.logged_in("ben")
    whole = member.get(address)
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, bytes(range(100)), "video/mp4")
    assert whole.headers["cache-control"] == "private, no-store"
    part = member.get(address, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
    assert f'href="{address}"' in member.get(f"/videos/{clip[0]}").text
    viewer = home.logged_in("vic")
    assert viewer.get(address).status_code == 403
    assert viewer.get(f"/videos/{clip[0]}").status_code == 200
    assert address not in viewer.get(f"/videos/{clip[0]}").text
    assert home.browser().get(address, follow_redirects=False).status_code in (303, 401)


def test_what_is_deleted_or_from_before_is_not_given(home: Home, clip: tuple[str, Path]) -> None:
    address = f"/media/{clip[0]}/original"
    home.add("ana", Role.ADMIN)
    home.add("cid", Role.MEMBER, NOON + timedelta(days=1))
    assert home.logged_in("cid").get(address).status_code == 404
    browser = home.logged_in("ana")
    with callers.speaking(Caller("ana", "session", Role.ADMIN)):
        line = deletions.hide(home.here, Wanted(clips=[clip[0]]))
    assert browser.get(address).status_code == 404
    with callers.speaking(Caller("ana", "session", Role.ADMIN)):
        deletions.take_back(home.here, line.going_id)
    assert browser.get(address).status_code == 200


def test_a_file_that_is_gone_or_another_one_is_said_to_be_not_there(home: Home, clip: tuple[str, Path]) -> None:
    home.add("ben", Role.MEMBER)
    browser, (video_id, file) = home.logged_in("ben"), clip
    file.write_bytes(b"another clip of the same name")
    assert browser.get(f"/media/{video_id}/original").status_code == 404
    file.unlink()
    answer = browser.get(f"/media/{video_id}/original", headers={"Accept": "application/json"})
    assert answer.status_code == 404 and "let go, or its store is away" in answer.text
    with writing(home.here.engine) as session:
        session.get_one(Video, video_id).outcome = "vanished"
    assert "Download the original" not in browser.get(f"/videos/{video_id}").text
