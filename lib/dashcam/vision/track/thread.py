"""A tracking pipeline in a thread of its own beside the decoder, with a bounded number of frames between them."""

import queue
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from dashcam.media.decode import Frame
from dashcam.media.images import Image
from dashcam.media.picture import Picture
from dashcam.vision import motion
from dashcam.vision.track.pipeline import TrackingPipeline, Tracklet
from dashcam.vision.track.sampling import STILL, Sampler

WAITING = 2
"""Batches between decoder and detector; a 4K frame is 12 MB."""
LAG = 1
"""Ticks after which what was found in one decides about another: the decoder goes on so far before it waits. With two a
car that drives away behind is not looked at when it is nearest."""
COARSE = 320
"""Pixels across at which frames are compared."""

Batch = list[tuple[int, Picture, bool]]
"""Tick, picture, and whether it is looked at for the sake of new plates alone."""


class TrackingThread:
    """Give it all frames of a clip, in order; it looks at some. A context manager; `finish` gives what was found.

    The same frames give the same looks and the same tracklets whatever the threads do. With ``batch`` above 1 nothing
    waits for what was found: all ticks are looked at in which something moved. An error of the thread is raised by the
    next `offer` or by `finish`.
    """

    def __init__(
        self,
        pipeline: TrackingPipeline,
        sample_fps: float,
        *,
        batch: int = 1,
        rejected: Sequence[tuple[float, float]] = (),
    ) -> None:
        self.pipeline = pipeline
        self.sampler = Sampler(sample_fps, rejected, calm=1) if batch > 1 else Sampler(sample_fps, rejected)
        self._batch: Batch = []
        self._size = batch
        self._queue: queue.Queue[Batch | None] = queue.Queue(WAITING)
        self._looked = threading.Condition()
        self._new_plate: dict[int, bool] = {}
        self._handed: list[int] = []
        self._error: BaseException | None = None
        self._last: Frame | None = None
        self._coarse: Image | None = None
        self._thread = threading.Thread(target=self._run, name="tracking", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread.is_alive():
            self._put(None)
            self._thread.join()

    def offer(self, frame: Frame) -> Picture | None:
        """The frame's pixels if it is looked at. Afterwards the frame may go to another thread."""
        coarse: list[Image] = []

        def moved() -> bool:
            coarse.append(frame.gray(COARSE))
            return self._coarse is None or motion.moved(self._coarse, coarse[0]) >= STILL

        if not self.sampler.wants(frame.t_s, self._eager, moved):
            self._last = None if self.sampler.rejected(frame.t_s) else frame
            return None
        self._last = None
        self._coarse = coarse[0] if coarse else frame.gray(COARSE)
        return self._take(frame, self.sampler.region_only)

    def finish(self) -> list[Tracklet]:
        """All tracklets, by first appearance. The clip's last frame is looked at too, so that what stands there to the
        end is seen to the end; nobody else may use that frame now."""
        if self._last is not None:
            self.sampler.taken += 1
            self._take(self._last, False)
        self._hand_over()
        self._put(None)
        self._thread.join()
        self._raise()
        return self.pipeline.finish()

    def _take(self, frame: Frame, region_only: bool) -> Picture:
        picture = frame.picture(self.pipeline.side(frame.av.width, frame.av.height))
        self._batch.append((self.sampler.tick(frame.t_s), picture, region_only))
        if len(self._batch) >= self._size:
            self._hand_over()
        return picture

    def _hand_over(self) -> None:
        if self._batch:
            self._handed += [tick for tick, *_ in self._batch]
            self._put(self._batch)
            self._batch = []

    def _eager(self, tick: int) -> bool:
        """Whether the latest look that was at least ``LAG`` ticks ago found a plate that is new; waits for it."""
        due = [handed for handed in self._handed if handed <= tick - LAG]
        if not due:
            return True
        last = due[-1]
        with self._looked:
            self._looked.wait_for(lambda: last in self._new_plate or self._error is not None)
            self._raise()
            self._handed = [handed for handed in self._handed if handed >= last]
            self._new_plate = {handed: new for handed, new in self._new_plate.items() if handed >= last}
            return self._new_plate[last]

    def _put(self, batch: Batch | None) -> None:
        while self._thread.is_alive():
            with suppress(queue.Full):
                self._queue.put(batch, timeout=0.5)
                return

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while (batch := self._queue.get()) is not None:
                ticks, pictures, region_only = zip(*batch, strict=True)
                news = (
                    [self.pipeline.region(*pictures)] if region_only == (True,) else self.pipeline.full_frame(pictures)
                )
                with self._looked:
                    self._new_plate |= dict(zip(ticks, news, strict=True))
                    self._looked.notify_all()
        except BaseException as error:  # handed to the thread that gives the frames
            with self._looked:
                self._error = error
                self._looked.notify_all()
