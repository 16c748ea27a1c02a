"""What the sightings of each plate say together, kept with the plate so that no search reads the heavy rows.

It follows from the sightings alone: whoever adds, removes or changes some calls `refresh` for their plates (which
`plates.forget_unseen` does), or `outdate` where there are many.
"""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Engine, Select, func, select, update
from sqlalchemy.orm import Session

from dashcam.catalog import likeness
from dashcam.catalog.models import Plate, SightingRow
from dashcam.database import reading, writing

NEWEST = 20
"""So many sightings tell what else may stand on the plate."""
CHUNK = 200


def refresh(session: Session, plate_ids: Iterable[int]) -> None:
    """Put down anew what is kept of these plates, as their sightings are now."""
    session.flush()
    wanted = sorted(set(plate_ids))
    for some in (wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)):
        # locked in one order, so that of two who write sightings of one plate the second counts those of the first
        rows = select(Plate.plate_id, Plate.text).where(Plate.plate_id.in_(some)).order_by(Plate.plate_id)
        texts = dict(session.execute(rows.with_for_update(key_share=True)).tuples().all())
        if texts:
            facts = {row.plate_id: dict(row._mapping) for row in session.execute(counted(texts))}
            told = [facts[plate_id] | {"alternatives": alternatives(session, plate_id, text)}
                    for plate_id, text in texts.items() if plate_id in facts]  # fmt: skip
            session.execute(update(Plate), told)


def counted(plate_ids: Iterable[int]) -> Select[Any]:
    sure = SightingRow.confirmed
    return (
        select(
            SightingRow.plate_id,
            func.count().filter(sure).label("times"),
            func.coalesce(func.min(SightingRow.seen_utc).filter(sure), func.min(SightingRow.seen_utc)).label(
                "first_seen"
            ),
            func.coalesce(func.max(SightingRow.seen_utc).filter(sure), func.max(SightingRow.seen_utc)).label(
                "last_seen"
            ),
        )
        .where(SightingRow.plate_id.in_(plate_ids))
        .group_by(SightingRow.plate_id)
    )


def alternatives(session: Session, plate_id: int, text: str) -> bytes | None:
    newest = select(SightingRow.slots).where(SightingRow.plate_id == plate_id)
    told = session.scalars(newest.order_by(SightingRow.seen_utc.desc()).limit(NEWEST)).all()
    return likeness.packed(text, told) if any(told) else None


def outdate(session: Session, video_id: str) -> None:
    """The clip's sightings have other times: `catch_up` sees to their plates."""
    seen = select(SightingRow.plate_id).where(SightingRow.video_id == video_id)
    session.execute(update(Plate).where(Plate.plate_id.in_(seen)).values(times=None))


def catch_up(engine: Engine, go_on: Callable[[], bool] = lambda: True) -> None:
    """Find out what is kept of those plates of which it is not known, as an older version left them.

    Whoever stops it, by ``go_on`` or by killing it, finds it going on there at the next start.
    """
    unknown = select(Plate.plate_id).where(Plate.times.is_(None)).limit(CHUNK)
    while go_on():
        with reading(engine) as session:
            some = session.scalars(unknown).all()
        if not some:
            return
        with writing(engine) as session:
            refresh(session, some)
            # one without any sighting is not met again
            session.execute(update(Plate).where(Plate.plate_id.in_(some), Plate.times.is_(None)).values(times=0))
