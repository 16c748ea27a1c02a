"""The sample of what the cheap look rejected: looked at all the same, so that its misses are counted."""

import hashlib
from collections.abc import Iterator, Sequence

from dashcam.records import Span

PIECE_S = 5.0
"""Rejected stretches are drawn in pieces of about this length: one long draw would say little about the rest."""


def drawn(spans: Sequence[Span], cuts: Sequence[float], video_id: str, share: float) -> list[Span]:
    """The same stretches, a ``share`` of the rejected ones marked as ``audit``.

    Rejected stretches are cut at keyframes (``cuts``, seconds). Whether a piece is drawn follows from the video and its
    start alone, so that a clip that is looked at again has the same sample.
    """
    found: list[Span] = []
    for span in spans:
        for piece in [span] if span.keep else _pieces(span, cuts):
            audit = not piece.keep and lot(video_id, piece.start_s) < share
            if found and not audit and not found[-1].audit and _alike(found[-1], piece):
                found[-1] = found[-1].model_copy(update={"end_s": piece.end_s})
            else:
                found.append(piece.model_copy(update={"audit": audit}))
    return found


def lot(video_id: str, start_s: float) -> float:
    """The same number from 0 to 1 whenever asked, evenly spread."""
    drawn_bytes = hashlib.sha256(f"{video_id} {start_s:.3f}".encode()).digest()[:8]
    return int.from_bytes(drawn_bytes, "big") / 2**64


def _pieces(span: Span, cuts: Sequence[float]) -> Iterator[Span]:
    start_s = span.start_s
    for cut in sorted(round(cut, 3) for cut in cuts):
        if cut - start_s >= PIECE_S and span.end_s - cut >= PIECE_S / 2:
            yield span.model_copy(update={"start_s": start_s, "end_s": cut})
            start_s = cut
    yield span.model_copy(update={"start_s": start_s})


def _alike(a: Span, b: Span) -> bool:
    return (a.keep, a.reason, a.end_s) == (b.keep, b.reason, b.start_s)
