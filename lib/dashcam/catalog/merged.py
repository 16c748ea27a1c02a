"""Plates by what they were read as before a person merged that into them: who looks for it finds the car."""

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashcam.catalog.models import Plate
from dashcam.catalog.plate_filter import PlateFilter, text_is
from dashcam.catalog.plate_text import normalised
from dashcam.catalog.plate_words import PlateMerge
from dashcam.catalog.plates import roots

MOST = 200
"""So many merged texts are looked at: a search that matches more says little."""


def plates(session: Session, wanted: PlateFilter) -> dict[int, tuple[str, ...]]:
    """The plates that do not match by their own text, each with the texts merged into it that do, as they are typed."""
    if not normalised(wanted.text):
        return {}
    exactly = replace(wanted, near=False)
    said = select(PlateMerge.text).where(text_is(PlateMerge.text, exactly)).order_by(PlateMerge.text).limit(MOST)
    shown = roots(session, session.scalars(said).all())
    if not shown:
        return {}
    others = select(Plate.plate_id, Plate.text).where(Plate.text.in_(shown.values()), ~text_is(Plate.text, exactly))
    numbers = session.execute(others).tuples().all()
    return {number: tuple(one for one in sorted(shown) if shown[one] == text) for number, text in numbers}
