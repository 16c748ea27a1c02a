"""A training picture with other plates on its cars is otherwise the same picture."""

from pathlib import Path

import numpy as np

from training.detector.repaint import SHARE, SMALLEST, OtherPlates


def test_other_plates_stay_in_their_boxes(shared: Path) -> None:
    plates = np.array([(20 + 90 * i, 40, 20 + 90 * i + 60, 60) for i in range(200)], float)
    narrow = np.array([(20 + 90 * i, 80, 20 + 90 * i + SMALLEST - 1, 86) for i in range(200)], float)
    outside = np.array([(-30.0, -10.0, 0.0, 0.0), (18500.0, 20.0, 18600.0, 60.0)])
    image = np.full((100, 18200, 3), 90, np.uint8)
    OtherPlates(shared / "data").paint(image, np.concatenate([plates, narrow, outside]), np.random.default_rng(3))
    changed = (image != 90).any(2)
    painted = [bool(changed[40:60, int(box[0]) : int(box[2])].any()) for box in plates]
    assert SHARE - 0.1 < np.mean(painted) < SHARE + 0.1
    for box in plates:
        changed[int(box[1]) : int(box[3]), int(box[0]) : int(box[2])] = False
    assert not changed.any()
