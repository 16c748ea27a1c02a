"""What is looked at and what is found is the same however the threads run, and whatever fails is heard of."""

import random
import time
from pathlib import Path

import pytest

from dashcam.media.decode import frames
from dashcam.vision.engines import Detection, PlateText
from dashcam.vision.track.pipeline import TrackingPipeline, Tracklet
from dashcam.vision.track.thread import WAITING, TrackingThread
from tests.media.made import regular, write_clip


class Painted:
    """Engines that find a plate in some frames, and take their time now and then."""

    name, sha256 = "painted", "0" * 64

    def __init__(self, tardy: float = 0.0, seed: int = 0) -> None:
        self.looked: list[int] = []
        self.most = 0
        self._rng, self._tardy = random.Random(seed), tardy

    def side(self, width: int, height: int) -> int:
        return 64

    def detect(self, images, side=None):
        self.most = max(self.most, len(images))
        if self._rng.random() < 0.5:
            time.sleep(self._tardy)
        return [self._found(int(image[0, 0, 0])) for image in images]

    def _found(self, shade: int) -> list[Detection]:
        self.looked.append(shade)
        return [Detection((10 + shade % 7, 20, 30, 26), 0.9)] if shade % 3 else []

    def read(self, crops):
        return [PlateText("AB12CDE", 0.95, [{sign: 0.9} for sign in "AB12CDE"]) for _ in crops]


def tracked(clip: Path, engine: Painted, *, batch: int = 1) -> tuple[list[Tracklet], list[int]]:
    with TrackingThread(TrackingPipeline(engine, engine, 5, lambda picture: None), 5, batch=batch) as tracking:
        taken = [frame.index for frame in frames(clip) if tracking.offer(frame) is not None]
        return tracking.finish(), taken


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "a.mp4", regular(8))


@pytest.mark.parametrize("batch", [1, 4])
def test_a_slow_detector_changes_nothing(clip: Path, batch: int) -> None:
    quick, slow = Painted(), Painted(0.03, seed=1)
    assert tracked(clip, quick, batch=batch) == tracked(clip, slow, batch=batch)
    assert quick.looked == slow.looked
    assert quick.most == slow.most == batch


def test_all_that_is_found_shows_in_tracklets_whatever_the_batch(clip: Path) -> None:
    one, many = Painted(), Painted()
    (_, few), (found, all_of_them) = tracked(clip, one), tracked(clip, many, batch=4)
    assert set(few) <= set(all_of_them)
    assert sum(len(t.seen) for t in found) == sum(1 for shade in many.looked if shade % 3)


def test_the_decoder_waits_for_the_detector_after_a_few_frames(clip: Path) -> None:
    class Stopped(Painted):
        going = 0

        def detect(self, images, side=None):
            time.sleep(0.05)
            self.going += len(images)
            return super().detect(images, side)

    engine, ahead = Stopped(), []
    with TrackingThread(TrackingPipeline(engine, engine, 5, lambda picture: None), 5) as tracking:
        for frame in frames(clip):
            tracking.offer(frame)
            ahead.append(tracking.sampler.taken - engine.going)
        tracking.finish()
    assert max(ahead) <= WAITING + 2  # one is being looked at, one is to be handed over


def test_the_last_frame_is_looked_at_though_nothing_moves(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", regular(3.8), paint=lambda i, w, h: write_still(w, h))
    engine = Painted()
    with TrackingThread(TrackingPipeline(engine, engine, 5, lambda picture: None), 5) as tracking:
        taken = [frame.t_s for frame in frames(clip) if tracking.offer(frame) is not None]
        found = tracking.finish()
    assert taken == pytest.approx([0, 1, 2, 3])
    assert tracking.sampler.taken == 5
    assert max((t.last_s for t in found), default=3.7) == pytest.approx(3.7)


def write_still(width: int, height: int):
    from tests.media.made import noise

    return noise(1, width, height)


def test_what_fails_in_the_thread_is_raised_to_who_gives_the_frames(clip: Path) -> None:
    class Broken(Painted):
        def detect(self, images, side=None):
            raise RuntimeError("out of memory")

    engine = Broken()
    with (
        pytest.raises(RuntimeError, match="out of memory"),
        TrackingThread(TrackingPipeline(engine, engine, 5, lambda picture: None), 5) as tracking,
    ):
        for frame in frames(clip):
            tracking.offer(frame)
        tracking.finish()


def test_when_the_giving_side_fails_the_thread_ends(clip: Path) -> None:
    engine = Painted()
    tracking = TrackingThread(TrackingPipeline(engine, engine, 5, lambda picture: None), 5)
    with pytest.raises(KeyError), tracking:
        tracking.offer(next(iter(frames(clip))))
        raise KeyError
    assert not tracking._thread.is_alive()
