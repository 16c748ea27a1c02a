"""What a person knows of a plate: a name, a note, tags; one's own car, one to be ignored, one that is watched.

Each function works inside the caller's transaction.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashcam.catalog import likeness, merges, plate_text, ranking
from dashcam.catalog.models import Plate, PlateNear
from dashcam.catalog.plate_words import PlateApart, PlateNote
from dashcam.catalog.plates import root, roots
from dashcam.config import Site
from dashcam.records import HIDDEN

MOST_TAGS = 12
MOST_ALIKE = 200
LEAST_ALIKE = 0.006
"""P(the plate stood there | what was read) of a misread: with another digit that nobody confuses it is another car."""


class Note(BaseModel):
    """What is kept of a plate; without any of it nothing is kept."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True, str_strip_whitespace=True)

    name: str = Field("", max_length=80)
    note: str = Field("", max_length=2000)
    tags: list[str] = Field([], max_length=MOST_TAGS)
    own: bool = False
    """One's own car."""
    ignored: bool = False
    """Not among what was seen last; it can be searched for."""
    watched: bool = False


def of(session: Session, text: str) -> Note:
    row = session.get(PlateNote, text)
    return Note.model_validate(row) if row is not None else Note()


def of_many(session: Session, texts: Iterable[str]) -> dict[str, Note]:
    """Of those plates that something is known of."""
    rows = session.scalars(select(PlateNote).where(PlateNote.text.in_(set(texts))))
    return {row.text: Note.model_validate(row) for row in rows}


def write(session: Session, text: str, note: Note, who: str, now: datetime) -> Note:
    """Instead of what was known; gives that, which undoes it. Raises `merges.CannotSay`."""
    said = text if text.startswith(HIDDEN) else root(session, merges.plate_said(text))
    before = of(session, said)
    row = session.get(PlateNote, said)
    note = note.model_copy(update={"tags": tags_of(note.tags)})
    if note == Note():
        if row is not None:
            session.delete(row)
    elif row is None:
        session.add(PlateNote(text=said, **note.model_dump(), who=who, at=now))
    else:
        for name, value in note.model_dump().items():
            setattr(row, name, value)
        row.who, row.at = who, now
    session.flush()
    return before


def tags_of(tags: Iterable[str]) -> list[str]:
    """As they are kept: short, each once, in the order of the alphabet."""
    told = [" ".join(tag.split())[:40] for tag in tags]
    once = {tag.casefold(): tag for tag in reversed(told) if tag}
    return [once[key] for key in sorted(once)]


def every_tag(session: Session) -> list[str]:
    return tags_of(tag for tags in session.scalars(select(PlateNote.tags)) for tag in tags)


def watched(session: Session, site: Site) -> list[str]:
    """The plates that are watched, by the settings or by a person, as they are shown."""
    mine = session.scalars(select(PlateNote.text).where(PlateNote.watched)).all()
    told = {plate_text.normalised(one) for one in site.privacy.watched_plates} | set(mine)
    return sorted(set(roots(session, told - {""}).values()))


def is_watched(session: Session, text: str, site: Site) -> bool:
    """Whether a plate is, by whichever of the two."""
    return root(session, plate_text.normalised(text)) in watched(session, site)


def own(session: Session) -> list[str]:
    return sorted(session.scalars(select(PlateNote.text).where(PlateNote.own)))


def kept_by_name(session: Session, site: Site) -> list[str]:
    """The plates that are never hashed: watched ones, and one's own."""
    return sorted({*watched(session, site), *own(session), *map(plate_text.normalised, site.privacy.watched_plates)})


def ignored(session: Session) -> list[int]:
    """The numbers of the plates that are not to be among what was seen last: ignored ones, and one's own car."""
    quiet = PlateNote.ignored | PlateNote.own
    return list(session.scalars(select(Plate.plate_id).join(PlateNote, PlateNote.text == Plate.text).where(quiet)))


def misreads(session: Session, text: str) -> Sequence[str]:
    """The plates that may be misreads of this one, the likeliest first, by what their reads say: what watching it would
    mean too. Not those of which somebody has said that they are another car."""
    sought = plate_text.normalised(text)
    if len(sought) < plate_text.MIN_LENGTH:
        return []
    keys = PlateNear.key.in_(plate_text.near_keys(sought))
    alike = select(Plate.text, Plate.alternatives).join(PlateNear, PlateNear.plate_id == Plate.plate_id)
    apart = select(PlateApart.one, PlateApart.other).where((PlateApart.one == sought) | (PlateApart.other == sought))
    others = {sought, *(one for pair in session.execute(apart).tuples() for one in pair)}
    rows = session.execute(alike.where(keys, Plate.text.not_in(others)).distinct()).tuples().all()
    plain = [row for row in rows if plate_text.normalised(row[0]) == row[0]]  # a device may send any text
    near = [row for row in plain if plate_text.one_edit_cost(sought, row[0]) is not None]
    if not near:
        return []
    plates = likeness.Plates([row[0] for row in near], [row[1] for row in near], ranking.table(session))
    likely = zip(plates.likelihoods(sought).tolist(), plates.texts, strict=True)
    found = sorted((-share, other) for share, other in likely if share >= LEAST_ALIKE)
    return [other for _, other in found[:MOST_ALIKE]]
