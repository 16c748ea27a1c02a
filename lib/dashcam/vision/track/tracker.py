"""Following plates from sample to sample with ByteTrack (Zhang 2022) of Roboflow's ``trackers``."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from dashcam.vision.engines import Detection


class PlateTracker:
    """At a few samples a second a plate jumps by more than its own width, so boxes are compared with a margin.

    ``margin`` widens each box by that share of its size on every side before the overlap is taken (buffered IoU);
    ``patience_s`` is how long a track survives without a detection.
    """

    def __init__(
        self, sample_fps: float, *, margin: float = 0.6, min_iou: float = 0.1, patience_s: float = 1.2
    ) -> None:
        # 1.9 s to import: only who tracks pays for it
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import supervision
            from trackers import BIoU, ByteTrackTracker

        self._detections: Any = supervision.Detections
        self._tracker: Any = ByteTrackTracker(
            lost_track_buffer=round(patience_s * 30),
            frame_rate=sample_fps,
            track_activation_threshold=0.25,
            minimum_consecutive_frames=1,
            minimum_iou_threshold=min_iou,
            high_conf_det_threshold=0.4,
            iou=BIoU(buffer_ratio=margin),
        )

    def update(self, t_s: float, detections: Sequence[Detection]) -> list[int | None]:
        """The track number of each detection of the sample at ``t_s`` (rising); None for one not yet seen twice."""
        if detections:
            given = self._detections(
                xyxy=np.array([d.box for d in detections], dtype=np.float32),
                confidence=np.array([d.score for d in detections], dtype=np.float32),
                data={"given": np.arange(len(detections))},
            )
        else:
            given = self._detections.empty()
        followed = self._tracker.update(given, timestamp=t_s)
        numbers: list[int | None] = [None] * len(detections)
        if detections and len(followed):
            for index, number in zip(followed.data["given"], followed.tracker_id, strict=True):
                numbers[int(index)] = int(number) if number >= 0 else None
        return numbers
