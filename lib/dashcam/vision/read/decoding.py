"""From what a network says of each step or place to a text in which every character keeps its distribution."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashcam.records import CharacterProbabilities
from dashcam.vision.engines import PlateText
from dashcam.vision.read.quality import calibrated

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TOP = 5
"""Characters kept per slot."""


def plate_columns(characters: Sequence[str]) -> NDArray[np.intp]:
    """For each class its column after folding: 0 blank, 1..36 the alphabet (either case), 37 anything else."""
    columns = [0]
    for character in characters[1:]:
        place = ALPHABET.find(character.upper()) if len(character) == 1 else -1
        columns.append(place + 1 if place >= 0 else 37)
    return np.asarray(columns, dtype=np.intp)


def fold(probabilities: NDArray[np.float32], columns: NDArray[np.intp]) -> NDArray[np.float64]:
    """``T x classes`` to ``T x 38``: blank, the 36 plate characters with both cases summed, and the rest."""
    folded = np.zeros((probabilities.shape[0], 38))
    known = min(probabilities.shape[1], len(columns))
    for column in range(37):
        folded[:, column] = probabilities[:, :known][:, columns[:known] == column].sum(axis=1)
    folded[:, 37] = np.clip(1 - folded[:, :37].sum(axis=1), 0, 1)
    return folded


def ctc_decode(folded: NDArray[np.float64], scale: float = 1.0, shift: float = 0.0) -> PlateText:
    """Best path (Graves 2006): runs of the same winner are one character, blanks and foreign signs separate.

    A slot's distribution is that of the step where its character is surest, over the 36 characters; the confidence is
    the geometric mean of the winners' probabilities before that normalisation, calibrated. Where the characters claim
    more than that together, a part of each slot goes to "something else".
    """
    winners = folded.argmax(axis=1)
    probabilities: CharacterProbabilities = []
    sureness: list[float] = []
    text = ""
    step = 0
    while step < len(winners):
        end = step
        while end < len(winners) and winners[end] == winners[step]:
            end += 1
        column = int(winners[step])
        if 1 <= column <= 36:
            peak = step + int(folded[step:end, column].argmax())
            text += ALPHABET[column - 1]
            sureness.append(float(folded[peak, column]))
            probabilities.append(leading(folded[peak, 1:37]))
        step = end
    if not sureness:
        return PlateText("", 0.0, [])
    mean = float(np.exp(np.mean(np.log(np.clip(sureness, 1e-6, 1)))))
    confidence = calibrated(mean, scale, shift)
    claimed = prod(slot[sign] for slot, sign in zip(probabilities, text, strict=True))
    keep = min(1.0, (confidence / max(claimed, 1e-6)) ** (1 / len(text)))
    told = [{sign: round(share * keep, 4) for sign, share in slot.items()} for slot in probabilities]
    return PlateText(text, round(confidence, 4), told)


def leading(distribution: NDArray[np.floating[Any]]) -> dict[str, float]:
    """The likeliest few of the 36 characters, their shares taken of the 36 alone."""
    shares = distribution / max(float(distribution.sum()), 1e-9)
    best = sorted(range(36), key=lambda i: (-shares[i], i))[:TOP]
    return {ALPHABET[i]: round(float(shares[i]), 4) for i in best if shares[i] >= 0.001}
