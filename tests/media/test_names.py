"""What a file name promises about a clip."""

from datetime import datetime
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.media.names import ClipName, is_clip, parse

AT = datetime(2026, 6, 28, 13, 34, 16)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("DCIM/Movie/2026_0628_133416_000001F.MP4", ClipName(AT, "front", "normal")),
        ("DCIM/Movie/2026_0628_133416_000002R.MP4", ClipName(AT, "rear", "normal")),
        ("2026_0628_133416_0003I.mp4", ClipName(AT, "interior", "normal")),
        ("2026_0628_133416_000004T.MP4", ClipName(AT, "telephoto", "normal")),
        ("DCIM/Movie/Parking/2026_0628_133416_000005PF.MP4", ClipName(AT, "front", "parking")),
        ("2026_0628_133416_000006EF.MP4", ClipName(AT, "front", "event")),
        ("2026_0628_133416_PF.MP4", ClipName(AT, "front", "parking")),
        ("2026_0628_133416_101.MP4", ClipName(AT, "", "normal")),
        ("20260628133416_000123.TS", ClipName(AT, "", "normal")),
        ("20260628_133416_0001PF.MP4", ClipName(AT, "front", "parking")),
        ("20260628133416_000123.MP4", ClipName(AT, "", "normal")),
        ("CARDV/MOVIE/20260628133416_036576B.TS", ClipName(AT, "rear", "normal")),
        ("CARDV/EMR/20260628133416_036577A.TS", ClipName(AT, "front", "event", locked=True)),
        ("DCIM/Movie/RO/2026_0628_133416_000007F.MP4", ClipName(AT, "front", "event", locked=True)),
        ("DCIM/Movie/ro/2026_0628_133416_000008PF.MP4", ClipName(AT, "front", "parking", locked=True)),
        ("Parking/Rear/MOVI0007.MOV", ClipName(None, "rear", "parking")),
        ("Rear/2026_0628_133416_000009F.MP4", ClipName(AT, "front", "normal")),  # the name is nearer than the folder
        ("Record/20260628_133416_NF.mp4", ClipName(AT, "front", "normal")),  # BlackVue
        ("Record/20260628_133416_PR.mp4", ClipName(AT, "rear", "parking")),
        ("Record/20260628_133416_IF.mp4", ClipName(AT, "front", "parking")),  # hit while parked
        ("Record/20260628_133416_EI.mp4", ClipName(AT, "interior", "event")),
        ("Record/20260628_133416_NFS.mp4", ClipName(AT, "front", "normal")),
        ("260628_133416_001_FH.MP4", ClipName(AT, "front", "normal")),  # Nextbase
        ("PROTECTED/260628_133416_042_RL.MP4", ClipName(AT, "rear", "normal")),
        ("Normal/Front/NO20260628-133416-000123F.MP4", ClipName(AT, "front", "normal")),  # 70mai
        ("Event/Back/EV20260628-133416-000124B.MP4", ClipName(AT, "rear", "event")),
        ("Parking/PA20260628-133416.MP4", ClipName(AT, "", "parking")),
        ("Normal/Back/NO20260628-133416-000125.MP4", ClipName(AT, "rear", "normal")),
        ("cont_rec/REC_2026_06_28_13_34_16_F.MP4", ClipName(AT, "front", "normal")),  # Thinkware
        ("evt_rec/EVT_2026_06_28_13_34_16_R.MP4", ClipName(AT, "rear", "event")),
        ("motion_timelapse_rec/REC_2026_06_28_13_34_16_F.MP4", ClipName(AT, "front", "parking")),
        ("DCIM/100EVENT/GRMN0001.MP4", ClipName()),  # Garmin: its container tells
        ("261328_133416_001_FH.MP4", ClipName()),
        ("0001_0101_000000_000004F.MP4", ClipName()),  # no camera has that clock
        ("9999_1231_235959_000004F.MP4", ClipName()),
        ("1970_0101_000010_000004F.MP4", ClipName(datetime(1970, 1, 1, 0, 0, 10), "front")),
        ("2026_1328_133416_000001F.MP4", ClipName()),  # month 13
        ("2026_0230_133416_000001F.MP4", ClipName()),  # 30 February
        ("holiday.mp4", ClipName()),
        ("٢٠٢٦_0628_133416_000001F.MP4", ClipName()),  # digits, but no dashcam's
    ],
)
def test_name_tells_time_camera_and_kind(path: str, expected: ClipName) -> None:
    assert parse(path) == expected


@given(st.text(max_size=60))
def test_any_name_is_survived(name: str) -> None:
    assert parse(PurePath(name)).kind in {"normal", "parking", "event"}


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(lambda at: at.replace(microsecond=0)),
    st.integers(0, 999_999),
    st.sampled_from("FRIT"),
)
def test_names_the_camera_writes_are_read_back(start: datetime, counter: int, camera: str) -> None:
    found = parse(f"{start:%Y_%m%d_%H%M%S}_{counter:06d}{camera}.MP4")
    assert found.start_local == start
    assert found.camera[0].upper() == camera


@pytest.mark.parametrize("name", ["a.mp4", "a.MP4", "b.MOV", "c.Ts", "d.avi", "raw/x/2026_0628_133416_000001F.MP4"])
def test_videos_are_clips(name: str) -> None:
    assert is_clip(name)


@pytest.mark.parametrize(
    "name", [".a.mp4", "a.mp4.part", "a.MP4.tmp", "a.jpg", "mp4", "~a.mp4", "a.part", "raw/.2026.MP4"]
)
def test_partial_downloads_and_other_files_are_no_clips(name: str) -> None:
    assert not is_clip(name)
