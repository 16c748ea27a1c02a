"""What the reader has made of one sighting's characters: by all reads together, and by each."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashcam.catalog.models import Plate, SightingRow
from dashcam.records import CharacterProbabilities, Read

READS = TypeAdapter(list[Read])


@dataclass(frozen=True)
class Readings:
    video_id: str
    text: str
    """As it is shown."""
    confidence: float
    best_s: float
    frame: str
    """Path in the clip's archive of the frame at ``best_s``; of a plate of which only a hash is kept it is gone."""
    slots: CharacterProbabilities
    """By all reads together; empty of a plate of which only a hash is kept."""
    reads: Sequence[Read]
    """In order of time."""


def of_sighting(session: Session, sighting_id: int) -> Readings | None:
    row = SightingRow
    columns = row.video_id, Plate.text, row.confidence, row.best_s, row.frame, row.slots, row.reads
    query = select(*columns).join(row.plate).where(row.sighting_id == sighting_id)
    found = session.execute(query).first()
    if found is None:
        return None
    video_id, text, confidence, best_s, frame, slots, reads = found
    in_time = sorted(READS.validate_python(reads), key=lambda read: read.t_s)
    return Readings(video_id, text, confidence, best_s, frame, slots, in_time)


def clearest(reads: Sequence[Read], most: int) -> set[int]:
    """Which of them are the most legible."""
    return set(sorted(range(len(reads)), key=lambda at: -reads[at].legibility)[:most])
