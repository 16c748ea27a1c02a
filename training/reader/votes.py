"""``python -m training.reader.votes``: how sure a vote may be, from tracks of crops that the reader never learnt from.

Each held-out crop is seen one to eight times as a car that stays about as far away would be; what all a track's reads
have in common (its distance, the light, a damaged plate) stays in common. Prints the constants of
``dashcam.vision.read.voting`` and the table of what came true, each half of the plates judged by the other half's fit.
"""

import argparse
from collections.abc import Sequence
from itertools import pairwise
from math import exp
from pathlib import Path

import cv2
import numpy as np

from dashcam.records import Read
from dashcam.vision.engines import PlateReader
from dashcam.vision.read import quality
from dashcam.vision.read.easyocr_reader import EasyOcrReader
from dashcam.vision.read.fixed_slot_reader import FixedSlotReader
from dashcam.vision.read.ppocr_reader import PpOcrReader
from dashcam.vision.read.voting import fuse, vote
from training.reader.photographs import Photograph, labelled

TRACKS = 2
"""Of each crop."""
BANDS = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1.01)


def track(photograph: Photograph, reader: FixedSlotReader, rng: np.random.Generator) -> list[Read]:
    """What the pipeline keeps of one to eight looks at the plate."""
    harm = rng.random()
    near = exp(-rng.uniform(0, 1.6 * harm))
    crops = [
        photograph.worse(rng, float(np.clip(harm + rng.normal(0, 0.12), 0, 1)), near * exp(rng.normal(0, 0.15)))
        for _ in range(rng.integers(1, 9))
    ]
    reads = []
    for i, (crop, found) in enumerate(zip(crops, reader.read(crops), strict=True)):
        box = (0.0, 0.0, float(crop.shape[1]), float(crop.shape[0]))
        if found.text:
            clear = quality.legibility(box, quality.sharpness(crop), found.confidence, False)
            reads.append(
                Read(
                    pts=i, t_s=i / 5, box=box, text=found.text, confidence=found.confidence, legibility=clear,
                    slots=found.probabilities,
                )
            )  # fmt: skip
    return reads


def voted(photographs: Sequence[Photograph], reader: FixedSlotReader) -> tuple[list[float], list[bool], list[str]]:
    """Of each track that shows anything the vote's product, whether its text is right, and the truth."""
    rng = np.random.default_rng(17)
    products, right, truths = [], [], []
    for photograph in (p for p in photographs for _ in range(TRACKS)):
        if reads := track(photograph, reader, rng):
            text = vote(reads).text
            products.append(fuse(text, reads)[1])
            right.append(text == photograph.text)
            truths.append(photograph.text)
    return products, right, truths


def second(photographs: Sequence[Photograph], reader: PlateReader) -> tuple[list[float], list[bool]]:
    """Of every other crop of one line how sure ``reader`` was, and whether its text is right."""
    rng = np.random.default_rng(3)
    some = [p for p in photographs if "twoline" not in p.source][::2]
    crops = [cv2.cvtColor(p.worse(rng, 0.7 * rng.random()), cv2.COLOR_GRAY2BGR) for p in some]
    found = [reader.read([crop])[0] for crop in crops]
    return [f.confidence for f in found], [f.text == p.text for f, p in zip(found, some, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with plate-crops-us and the rest")
    parser.add_argument("--weights", type=Path, help="the reader's, else those of models/")
    parser.add_argument("--second", choices=("ppocr", "easyocr"), help="print this reader's calibration instead")
    parser.add_argument("--easyocr", type=Path, help="the folder with EasyOCR's english_g2.pth")
    args = parser.parse_args()
    import torch  # who only wants tracks has no need of it

    from training.reader.export import calibration

    unseen = [p for p in labelled(args.data) if p.held_out]
    if args.second:
        plain = (1.0, 0.0)
        asked = (
            PpOcrReader(calibration=plain) if args.second == "ppocr" else EasyOcrReader(args.easyocr, calibration=plain)
        )
        sure, came = (torch.tensor(part).float() for part in second(unseen, asked))
        print(f"{asked.name}: {len(came)} crops, {came.mean():.3f} right; CALIBRATION =", calibration(sure, came))
        return
    products, right, truths = voted(unseen, FixedSlotReader(args.weights, threads=1))
    said, came = torch.tensor(products), torch.tensor(right).float()
    print(f"{len(right)} tracks, {sum(right) / len(right):.3f} right; SCALE, SHIFT =", calibration(said, came))
    half = torch.tensor([sum(truth.encode()) % 2 == 0 for truth in truths])
    sure = np.zeros(len(right))
    for part in (half, ~half):
        fit = calibration(said[~part], came[~part])
        for i in torch.nonzero(part)[:, 0].tolist():
            sure[i] = quality.calibrated(products[i], *fit)
    print("| given as | tracks | mean | right |\n|---|---|---|---|")
    for low, high in pairwise(BANDS):
        if (band := (sure >= low) & (sure < high)).any():
            name = f"{100 * low:.0f} to {100 * min(high, 1):.0f} %"
            shares = f"{100 * sure[band].mean():.1f} % | {100 * np.array(right)[band].mean():.1f} %"
            print(f"| {name} | {band.sum()} | {shares} |")


if __name__ == "__main__":
    main()
