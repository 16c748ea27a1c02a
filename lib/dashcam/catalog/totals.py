"""How much there is."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashcam.catalog.models import Plate, SightingRow, Video


@dataclass(frozen=True)
class Totals:
    videos: int
    footage_s: float
    plates: int
    sightings: int


def totals(session: Session) -> Totals:
    """All is counted in indices, of which a row is a hundredth as heavy as the table's own."""
    videos, footage_s = session.execute(select(func.count(), func.sum(Video.duration_s)).select_from(Video)).one()
    sightings = session.scalar(select(func.count()).select_from(SightingRow).where(SightingRow.confirmed))
    seen = select(SightingRow.plate_id).where(SightingRow.plate_id == Plate.plate_id, SightingRow.confirmed).exists()
    plates = session.scalar(select(func.count()).select_from(Plate).where(seen))
    return Totals(videos=videos, footage_s=footage_s or 0.0, plates=plates or 0, sightings=sightings or 0)
