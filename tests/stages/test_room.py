"""What each stage asks for before it is begun."""

import errno
from pathlib import Path

import pytest

from dashcam.chaos.disks import full, mounted, unavailable
from dashcam.stages.room import BESIDE, PREPROCESSED, RECORD, filled_up, needs, no_room
from dashcam.storage.bundle import DiskFull, explained
from dashcam.storage.roots import Stores
from dashcam.tasks.model import InputRef, TaskType
from tests.stages.running import task
from tests.stages.test_archive import FACTS

SIZE = 7_000_000
CLIP = InputRef(device="indoor_nas", path="raw/clip.MP4")
BUNDLE = InputRef(type="bundle", device="indoor_nas", path="heavy_output/clip")


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    roots = {"indoor_nas": tmp_path / "nas", "shed_nas": tmp_path / "shed"}
    for root in roots.values():
        root.mkdir()
    return Stores(roots)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (TaskType.INGEST_VIDEO, {}),
        (TaskType.PREPROCESS_VIDEO, {"store indoor_nas": PREPROCESSED}),
        (
            TaskType.HEAVY_PROCESS_VIDEO,
            {"store indoor_nas": SIZE + BESIDE, "the scratch of this device": 2 * (SIZE + BESIDE)},
        ),
        (TaskType.ARCHIVE_VIDEO, {"store shed_nas": 3000 + RECORD}),
        (TaskType.FINALIZE_VIDEO, {}),
    ],
)
def test_a_stage_asks_for_what_it_writes_at_most(
    stores: Stores, tmp_path: Path, kind: TaskType, wanted: dict[str, int]
) -> None:
    bundle = stores.path(BUNDLE.uri)
    (bundle / "frames").mkdir(parents=True)
    (bundle / "video_lowres.mp4").write_bytes(bytes(2000))
    (bundle / "frames/p1.jpg").write_bytes(bytes(1000))
    facts = FACTS.model_copy(update={"size": SIZE})
    todo = task(kind, Path("clip.MP4"), [CLIP, BUNDLE]).model_copy(update={"video": facts})
    assert {need.what: need.bytes for need in needs(todo, stores, tmp_path)} == wanted


def test_a_full_archive_keeps_archiving_waiting_and_nothing_else(stores: Stores, tmp_path: Path) -> None:
    if why := unavailable():
        pytest.skip(why)
    shed = stores.roots["shed_nas"]
    clip = Path("clip.MP4")
    with mounted({shed: 8}), full(shed):
        said = {kind: no_room(task(kind, clip, [CLIP, BUNDLE]), stores, tmp_path) for kind in TaskType}
    said_of_archive = said.pop(TaskType.ARCHIVE_VIDEO)
    assert said_of_archive is not None and f"No room in store shed_nas ({shed})" in said_of_archive
    assert set(said.values()) == {None}


def test_of_a_disk_that_fills_up_in_the_midst_of_work_it_is_said_which(stores: Stores, tmp_path: Path) -> None:
    shed, scratch = stores.roots["shed_nas"], stores.roots["indoor_nas"] / "scratch"
    places = {
        shed / ".clip.0123456789ab.part/video_lowres.mp4": f"store shed_nas ({shed})",
        scratch / "clip-1/frames": f"the scratch of this device ({scratch})",
        tmp_path / "elsewhere": str(tmp_path / "elsewhere"),
    }
    for place, what in places.items():
        with pytest.raises(DiskFull) as met, explained(tmp_path):
            raise OSError(errno.ENOSPC, "No space left on device", str(place))
        assert filled_up(met.value, stores, scratch).startswith(f"No room in {what}: it filled up while")


def test_a_store_that_is_away_is_for_the_stage_to_complain_of(stores: Stores, tmp_path: Path) -> None:
    stores.roots["shed_nas"].rmdir()
    assert no_room(task(TaskType.ARCHIVE_VIDEO, Path("clip.MP4"), [BUNDLE]), stores, tmp_path) is None
