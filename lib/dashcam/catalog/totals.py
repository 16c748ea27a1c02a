"""How much there is."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashcam.catalog.models import SightingRow, Video


@dataclass(frozen=True)
class Totals:
    videos: int
    footage_s: float
    plates: int
    sightings: int


def totals(session: Session) -> Totals:
    videos, footage_s = session.execute(select(func.count(), func.sum(Video.duration_s)).select_from(Video)).one()
    confirmed = select(func.count(SightingRow.plate_id.distinct()), func.count()).where(SightingRow.confirmed)
    plates, sightings = session.execute(confirmed).one()
    return Totals(videos=videos, footage_s=footage_s or 0.0, plates=plates, sightings=sightings)
