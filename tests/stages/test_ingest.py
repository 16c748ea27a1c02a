"""Ingest says what a clip is, refuses what nobody can read, and leaves the file as it was."""

import dataclasses
import errno
import logging
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dashcam.config import DeviceSettings
from dashcam.gps.export import Leg, gpx
from dashcam.media import identity
from dashcam.records import Fix, VideoFacts
from dashcam.sample.mux import GpsRecord, add_gps
from dashcam.stages import ingest
from dashcam.stages.common import Rejected, StageContext, StageError
from dashcam.storage.roots import StoreMissing, Stores
from dashcam.tasks.model import InputRef, Task, TaskType
from tests.media.clips import FPS, faststart, in_coding, mp4
from tests.media.failing import PAGE, failing_disk

NAME = "2026_0628_133416_000001F.MP4"
START = datetime(2026, 6, 28, 11, 34, 16, tzinfo=UTC)
ZONE = "Europe/Amsterdam"


def with_gps(start: datetime = START) -> bytes:
    fixes = [GpsRecord(start + timedelta(seconds=i), 52.37 + i * 1e-4, 4.895, 8.0, 12.0) for i in range(3)]
    return add_gps(mp4(), fixes, FPS)


class Home:
    """A NAS with one clip, and the stage running on it."""

    def __init__(
        self, folder: Path, path: str, data: bytes, store: str = "indoor_nas", time_zone: str | None = ZONE
    ) -> None:
        self.file = folder / path
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(data)
        os.utime(self.file, (START.timestamp(), START.timestamp()))
        self.progress: list[float] = []
        device = DeviceSettings(time_zone=time_zone)
        stores = Stores({store: folder})
        self.context = StageContext(stores, folder, device, logging.getLogger("test"), self.progress.append)
        self.task = Task(
            task_id=1,
            task_type=TaskType.INGEST_VIDEO,
            video_id=identity.video_id(self.file),
            revision=1,
            device_type="main_server",
            state="pending",
            inputs=[InputRef(device=store, path=path)],
            created_at=START,
        )

    def facts(self) -> VideoFacts:
        result = ingest.run(self.task, self.context).result
        assert isinstance(result, VideoFacts)
        return result


def test_facts_of_a_viofo_clip(tmp_path: Path) -> None:
    home = Home(tmp_path, f"raw/evening drive/{NAME}", with_gps())
    output = ingest.run(home.task, home.context)
    facts = home.facts()
    assert (facts.name, facts.camera, facts.kind, facts.trip) == (NAME, "front", "normal", "evening drive")
    assert (facts.start_utc, facts.clock) == (START, "gps")
    assert (facts.width, facts.height, facts.codec, facts.frames) == (128, 96, "h264", 3 * FPS)
    assert facts.sha256 == identity.sha256(home.file)
    assert facts.size == home.file.stat().st_size
    assert [fix.t_s for fix in facts.fixes] == pytest.approx([0, 1, 2])
    assert [new.model_dump() for new in output.publish] == [
        {
            "task_type": TaskType.PREPROCESS_VIDEO,
            "video_id": home.task.video_id,
            "inputs": [
                {"device": "indoor_nas", "path": f"raw/evening drive/{NAME}", "type": "video"},
                {
                    "device": "main_server",
                    "path": "config.json",
                    "type": "parameters",
                    "values": home.context.device.preprocess.model_dump(),
                },
            ],
        }
    ]
    assert home.progress[-1] == 1.0
    assert home.progress[: len(home.progress) // 2] == sorted(home.progress[: len(home.progress) // 2])


@pytest.mark.parametrize(
    ("path", "start", "clock", "camera"),
    [
        ("raw/Record/20260628_133416_NR.mp4", START, "name", "rear"),  # BlackVue
        ("raw/260628_133416_001_FH.MP4", START, "name", "front"),  # Nextbase
        ("raw/Normal/Back/NO20260628-133416-000123.MP4", START, "name", "rear"),  # 70mai
        ("raw/cont_rec/REC_2026_06_28_13_34_16_F.MP4", START, "name", "front"),  # Thinkware
        ("raw/100UNSVD/GRMN0001.MP4", START + timedelta(hours=2), "container", ""),  # Garmin: what its header says
        ("raw/Rear/holiday.mp4", START + timedelta(hours=2), "container", "rear"),
    ],
)
def test_other_brands_begin_when_their_name_says_else_when_the_container_does(
    tmp_path: Path, path: str, start: datetime, clock: str, camera: str
) -> None:
    facts = Home(tmp_path, path, mp4()).facts()
    assert (facts.start_utc, facts.clock, facts.clock_kind, facts.camera) == (start, clock, "camera", camera)


def test_the_same_clip_gives_the_same_facts(tmp_path: Path) -> None:
    home = Home(tmp_path, f"raw/a/{NAME}", with_gps())
    assert home.facts() == home.facts()


@pytest.mark.parametrize(("store", "path"), [("local", f"videos/raw/{NAME}"), ("indoor_nas", f"raw/{NAME}")])
def test_outside_a_trips_folder_the_local_date_is_the_trip(tmp_path: Path, store: str, path: str) -> None:
    assert Home(tmp_path, path, mp4(), store).facts().trip == "2026-06-28"


def test_just_after_midnight_counts_to_the_local_day(tmp_path: Path) -> None:
    facts = Home(tmp_path, "2026_0628_003000_000001F.MP4", mp4(), "local").facts()
    assert facts.start_utc == datetime(2026, 6, 27, 22, 30, tzinfo=UTC)
    assert (facts.trip, facts.clock) == ("2026-06-28", "name")


@pytest.mark.parametrize(("name", "day"), [("2026_0628_003000", "2026-06-28"), ("2026_0110_233000", "2026-01-10")])
def test_the_day_is_that_of_the_clip_whatever_time_of_year_it_is_handed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, day: str
) -> None:
    """By this computer's clock: summer's offset from UTC for a clip of the summer, also in winter."""
    monkeypatch.setenv("TZ", ZONE)
    time.tzset()
    try:
        assert Home(tmp_path, f"{name}_000001F.MP4", mp4(), "local", time_zone=None).facts().trip == day
    finally:
        monkeypatch.undo()
        time.tzset()


def test_local_time_in_gps_records_is_corrected_and_said(tmp_path: Path) -> None:
    facts = Home(tmp_path, NAME, with_gps(START + timedelta(hours=2)), "local").facts()
    assert facts.start_utc == START
    assert facts.fixes[0].utc == START
    assert "local time" in facts.note


@pytest.mark.parametrize("data", [b"", b"no video\n" * 99, mp4()[:-2000]], ids=["empty", "text", "no moov"])
def test_what_nobody_can_read_is_rejected_with_its_name(tmp_path: Path, data: bytes) -> None:
    home = Home(tmp_path, f"raw/a/{NAME}", data)
    with pytest.raises(Rejected, match=NAME):
        ingest.run(home.task, home.context)
    assert home.file.read_bytes() == data


def test_what_is_readable_of_a_cut_clip_goes_on(tmp_path: Path) -> None:
    data = faststart(mp4(6))
    home = Home(tmp_path, f"raw/a/{NAME}", data[: len(data) * 2 // 3])
    output = ingest.run(home.task, home.context)
    facts = home.facts()
    assert facts.damage.startswith("first ")
    assert facts.damage.endswith("of 60 frames are in it")
    assert facts.duration_s == pytest.approx(facts.frames / FPS)
    assert [new.task_type for new in output.publish] == [TaskType.PREPROCESS_VIDEO]


def test_positions_are_saved_from_a_clip_without_index(tmp_path: Path) -> None:
    data = with_gps()
    home = Home(tmp_path, f"raw/a/{NAME}", data[: data.rfind(b"moov") - 4])
    with pytest.raises(Rejected, match=r"has no index \(moov\).* Its 3 positions are kept\.") as rejected:
        ingest.run(home.task, home.context)
    saved = rejected.value.result
    assert isinstance(saved, VideoFacts)
    assert [fix.t_s for fix in saved.fixes] == [0, 1, 2]
    assert (saved.start_utc, saved.clock, saved.frames, saved.duration_s) == (START, "gps", 0, 2)
    assert saved.fixes[1].lat == pytest.approx(52.3701, abs=1e-5)


def test_a_file_that_grows_while_it_is_read_is_handed_in_again(tmp_path: Path) -> None:
    home = Home(tmp_path, f"raw/a/{NAME}", mp4())

    def camera_goes_on(fraction: float) -> None:
        if home.file.stat().st_size < len(mp4()) + 1000:
            with home.file.open("ab") as file:
                file.write(bytes(1000))

    home.context = dataclasses.replace(home.context, progress=camera_goes_on)
    with pytest.raises(Rejected, match="still being written: hand it in again"):
        ingest.run(home.task, home.context)


def test_a_gpx_beside_the_clip_is_its_track(tmp_path: Path) -> None:
    home = Home(tmp_path, f"raw/a/{NAME}", mp4())
    fixes = [Fix(t_s=i, utc=START + timedelta(seconds=i), lat=52.0, lon=4.9 + i * 1e-4) for i in range(3)]
    home.file.with_suffix(".gpx").write_text("".join(gpx([Leg(NAME, NAME, "", fixes)])))
    facts = home.facts()
    assert [fix.source for fix in facts.fixes] == ["sidecar"] * 3
    assert (facts.start_utc, facts.clock) == (START, "gps")


def test_a_coding_that_this_server_cannot_decode_is_no_broken_clip(tmp_path: Path) -> None:
    home = Home(tmp_path, f"raw/a/{NAME}", in_coding(b"evc1"))
    with pytest.raises(StageError, match=f"{NAME} is coded as evc, which this device cannot decode"):
        ingest.run(home.task, home.context)


@pytest.mark.parametrize("number", [errno.EIO, errno.EHOSTDOWN])
def test_a_disk_that_fails_rejects_no_clip(tmp_path: Path, number: int) -> None:
    """Wherever in the file it fails: in the index, in the frames, in the positions."""
    home = Home(tmp_path, f"raw/a/{NAME}", with_gps())
    places = range(0, home.file.stat().st_size, PAGE)
    for place in places[:: len(places) // 12]:
        with pytest.raises(OSError, match=r".") as failed, failing_disk(home.file, place, number):
            ingest.run(home.task, home.context)
        assert failed.value.errno == number
    assert home.facts().frames == 3 * FPS


def test_a_missing_file_may_come_back(tmp_path: Path) -> None:
    home = Home(tmp_path, f"raw/a/{NAME}", mp4())
    home.file.unlink()
    with pytest.raises(FileNotFoundError):
        ingest.run(home.task, home.context)


def test_a_missing_store_may_come_back(tmp_path: Path) -> None:
    home = Home(tmp_path / "nas", f"raw/a/{NAME}", mp4())
    (tmp_path / "nas").rename(tmp_path / "elsewhere")
    with pytest.raises(StoreMissing):
        ingest.run(home.task, home.context)
