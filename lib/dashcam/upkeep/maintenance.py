"""The catalogue's own housekeeping, in short transactions: what nothing refers to goes, what the search goes by is held
against the plates, and the database counts anew what its planner goes by."""

from pydantic import BaseModel
from sqlalchemy import Engine, delete, exists, insert, select, text
from sqlalchemy.orm import Session

from dashcam.catalog import deriving, plate_facts, plate_text
from dashcam.catalog.models import Plate, PlateNear, PlateSuffix, SightingRow, TripRow, Video
from dashcam.database import reading, writing

CHUNK = 500


class Maintained(BaseModel):
    plates: int = 0
    """So many were looked at."""
    mended: int = 0
    """Plates that a search would have missed, or found where they are not."""
    forgotten: int = 0
    """Plates that no sighting names, and trips that no clip is in."""


def maintain(engine: Engine) -> Maintained:
    """All of it; safe to repeat, and to be cut off anywhere."""
    done = Maintained()
    last = 0
    while True:
        with reading(engine) as session:
            following = select(Plate.plate_id).where(Plate.plate_id > last).order_by(Plate.plate_id).limit(CHUNK)
            ids = list(session.scalars(following))
            wrong = wrongly_indexed(session, ids)
        if not ids:
            break
        done.plates, last = done.plates + len(ids), ids[-1]
        if wrong:
            with writing(engine) as session:
                done.mended += sum(index(session, plate_id) for plate_id in wrong)
    with writing(engine) as session:
        done.forgotten = forget(session)
    plate_facts.catch_up(engine)
    with engine.connect() as connection:
        for statement in counting(engine.dialect.name):
            connection.execute(text(statement))
        connection.commit()
    return done


def wrongly_indexed(session: Session, plate_ids: list[int]) -> list[int]:
    """Those of the plates that are not found by just their own suffixes and near keys."""
    wanted = select(Plate.plate_id, Plate.text).where(Plate.plate_id.in_(plate_ids))
    texts: dict[int, str] = {row.plate_id: row.text for row in session.execute(wanted)}
    suffixes: dict[int, set[tuple[str, str]]] = {}
    near: dict[int, set[str]] = {}
    columns = PlateSuffix.plate_id, PlateSuffix.suffix, PlateSuffix.text
    for plate_id, suffix, said in session.execute(select(*columns).where(PlateSuffix.plate_id.in_(plate_ids))):
        suffixes.setdefault(plate_id, set()).add((suffix, said))
    keys = select(PlateNear.plate_id, PlateNear.key).where(PlateNear.plate_id.in_(plate_ids))
    for plate_id, key in session.execute(keys):
        near.setdefault(plate_id, set()).add(key)
    return [
        plate_id
        for plate_id, said in texts.items()
        if suffixes.get(plate_id, set()) != {(suffix, said) for suffix in plate_text.suffixes(said)}
        or near.get(plate_id, set()) != set(plate_text.near_keys(said))
    ]


def index(session: Session, plate_id: int) -> bool:
    """Write down anew by what the plate is found; False where it is there no more, or was put right meanwhile."""
    plate = session.get(Plate, plate_id)
    if plate is None or not wrongly_indexed(session, [plate_id]):
        return False
    session.execute(delete(PlateSuffix).where(PlateSuffix.plate_id == plate_id))
    session.execute(delete(PlateNear).where(PlateNear.plate_id == plate_id))
    suffixes = [
        {"suffix": one, "plate_id": plate_id, "text": plate.text} for one in set(plate_text.suffixes(plate.text))
    ]
    near = [{"key": one, "plate_id": plate_id} for one in set(plate_text.near_keys(plate.text))]
    for table, rows in ((PlateSuffix, suffixes), (PlateNear, near)):
        if rows:
            session.execute(insert(table), rows)
    return True


def forget(session: Session) -> int:
    deriving.one_at_a_time(session)
    unseen = ~exists().where(SightingRow.plate_id == Plate.plate_id)
    empty = ~exists().where(Video.trip_id == TripRow.trip_id)
    count = 0
    for table, key, condition in ((Plate, Plate.plate_id, unseen), (TripRow, TripRow.trip_id, empty)):
        found = list(session.scalars(select(key).where(condition)))
        if found:
            session.execute(delete(table).where(key.in_(found)))
        count += len(found)
    return count


def counting(dialect: str) -> list[str]:
    """A look at some hundred rows of each index is enough for SQLite to choose between them."""
    return ["ANALYZE"] if dialect == "postgresql" else ["PRAGMA analysis_limit=400", "PRAGMA optimize=0x10002"]
