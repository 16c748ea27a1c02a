"""Front and rear belong together when they overlap in time, whatever their seconds and counters say."""

from datetime import timedelta

from sqlalchemy import Engine

from dashcam.catalog.companions import companions
from dashcam.catalog.models import Video
from dashcam.database import reading, writing
from tests.catalog.rows import NOON, add_video


def paired(engine: Engine, number: int) -> list[tuple[int, float]]:
    with reading(engine) as session:
        video = session.get_one(Video, f"{number:016x}")
        return [(int(one.video_id, 16), one.offset_s) for one in companions(session, video)]


def test_each_camera_gives_the_clip_that_shares_most(engine: Engine) -> None:
    with writing(engine) as session:
        for minute in range(4):
            start = NOON + timedelta(minutes=minute)
            name = f"2026_0628_12{minute:02d}00_{minute * 3:06d}F.MP4"
            add_video(session, 10 + minute, start, name=name, camera="front", duration_s=62.0)
            late = f"2026_0628_12{minute:02d}02_{minute * 3 + 1:06d}R.MP4"
            # no GPS in the rear: its UTC is the camera's clock, ten minutes off
            add_video(session, 20 + minute, start + timedelta(minutes=10), name=late, camera="rear", duration_s=60.0)
        add_video(session, 30, NOON, name="2026_0628_120001_000002I.MP4", camera="interior", duration_s=5.0)
    assert paired(engine, 11) == [(21, 2.0)]
    assert paired(engine, 21) == [(11, -2.0)]
    assert paired(engine, 10) == [(30, 1.0), (20, 2.0)]


def test_other_brands_pair_by_utc_and_the_next_clip_is_no_companion(engine: Engine) -> None:
    with writing(engine) as session:
        add_video(session, 1, NOON, name="MOVI0001.MOV", camera="front", duration_s=60.0)
        add_video(session, 2, NOON + timedelta(seconds=58), name="MOVI0002.MOV", camera="rear", duration_s=60.0)
        add_video(session, 3, NOON + timedelta(seconds=-1), name="MOVI0003.MOV", camera="interior", duration_s=60.0)
        add_video(session, 4, NOON, name="MOVI0004.MOV", camera="", duration_s=60.0)
    assert paired(engine, 1) == [(3, -1.0)]
    assert paired(engine, 4) == []
