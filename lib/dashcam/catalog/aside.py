"""Rows of the catalogue that are set aside: where they were there is nothing, so no page, search, count, map or export
can show them and nothing is filtered. Put back, they are as they were.

Each function works inside the caller's transaction.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import JSON as Json
from sqlalchemy import ColumnElement, Table, Text, cast, delete, func, select
from sqlalchemy.orm import Session

from dashcam.catalog import clocks, corrections, deletions, deriving, merges
from dashcam.catalog.aside_rows import Going, SetAside
from dashcam.catalog.models import Plate, Protection, SightingRow, TripDecision, TripRow, Video
from dashcam.catalog.plate_words import SightingWord
from dashcam.catalog.plates import forget_unseen, plate_ids, plates_in
from dashcam.config import Site
from dashcam.database import Base, JsonText, UtcDateTime, insert
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow

T = TypeVar("T")
Rows = list[tuple[str, dict[str, Any]]]
"""Each with the name of its table."""
NUMBERED = ("task", "sighting", "read_change", "saved_search")
"""Their numbers may be others' by the time they come back."""
AT_ONCE = 500
"""Clips or words that one statement names."""
WORDS = tuple(one.__tablename__ for one in (TripDecision, Protection, SightingWord))
"""What people have said of a clip."""


def packed(rows: Rows) -> bytes:
    return zlib.compress(json.dumps(rows, separators=(",", ":")).encode())


def unpacked(data: bytes) -> Rows:
    return [(name, row) for name, row in json.loads(zlib.decompress(data))]


def told(session: Session, table: Table, *which: ColumnElement[bool]) -> Rows:
    """Rows as they are kept, without what is empty; of a sighting the plate by its text, and its JSON as it is stored:
    a plate may have been seen thousands of times."""
    query = select(table).where(*which)
    if table.name == SightingRow.__tablename__:
        columns = [cast(one, Text).label(one.name) if isinstance(one.type, Json) else one for one in table.columns]
        query = select(*columns, Plate.text.label("plate")).where(*which)
        query = query.join(Plate, Plate.plate_id == table.c.plate_id)
    return [
        (table.name, {name: plain(value) for name, value in row.items() if value is not None})
        for row in session.execute(query).mappings()
    ]


def plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def note(session: Session, going_id: int, video_id: str, rows: Rows, whole: bool = False, **known: Any) -> None:
    note_all(session, [noted(going_id, video_id, rows, whole, **known)])


def noted(going_id: int, video_id: str, rows: Rows, whole: bool = False, **known: Any) -> dict[str, Any]:
    """A row of `SetAside`, for `note_all`."""
    given = {"looked_at": None, "pictures": [], "files": [], "words": {}} | known
    return {"going_id": going_id, "video_id": video_id, "whole": whole, "rows": packed(rows)} | given


def note_all(session: Session, parts: Sequence[Mapping[str, Any]]) -> None:
    session.flush()
    if parts:
        session.execute(insert(session, SetAside.__table__), parts)


def looked_at(session: Session, video_ids: Iterable[str]) -> dict[str, datetime]:
    """When what these clips show was read last."""
    heavy = TaskRow.task_type == TaskType.HEAVY_PROCESS_VIDEO.value, TaskRow.outcome == "processed"
    found = select(TaskRow.video_id, func.max(TaskRow.completed_at)).where(*heavy).group_by(TaskRow.video_id)
    some = (session.execute(found.where(TaskRow.video_id.in_(ids))).tuples() for ids in chunks(sorted(video_ids)))
    return {video_id: at for rows in some for video_id, at in rows if at is not None}


def chunks(found: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(found), AT_ONCE):
        yield found[start : start + AT_ONCE]


def take_clips(session: Session, going: Going, video_ids: Iterable[str], site: Site) -> None:
    """But for those that somebody keeps for good."""
    deriving.one_at_a_time(session)
    merges.in_turn(session)
    ids = set(video_ids)
    ids -= deletions.protected(session, ids).keys()
    videos = list(session.scalars(select(Video).where(Video.video_id.in_(ids)).order_by(Video.video_id)))
    for video in videos:
        rows = list(rows_of(session, video))
        words: dict[str, list[dict[str, Any]]] = {}
        for name, row in rows:
            if name in WORDS:
                words.setdefault(name, []).append(row)
        files = [[row["uri"], row["size"], row["mtime_ns"]] for name, row in rows if name == "source_file"]
        note(session, going.going_id, video.video_id, rows, whole=True, files=files, words=words)
    deletions.take_out(session, videos, site)


def rows_of(session: Session, video: Video) -> Iterator[tuple[str, dict[str, Any]]]:
    """All of a clip, in an order in which it can be put back."""
    yield from told(session, Base.metadata.tables["trip"], TripRow.trip_id == video.trip_id)
    yield from told(session, Base.metadata.tables["video"], Video.video_id == video.video_id)
    for table in deletions.tables_of_clips():
        yield from told(session, table, table.c.video_id == video.video_id)


def put_clip_back(session: Session, one: SetAside, site: Site) -> None:
    """The clip as it was, by what people have said of clocks and merges since."""
    deriving.one_at_a_time(session)
    merges.in_turn(session)
    rows, video_id = unpacked(one.rows), one.video_id
    session.delete(one)
    session.flush()
    if session.get(Video, video_id) is not None:
        return
    put(session, [(name, at_rest(row) if name == "task" else row) for name, row in rows])
    session.expire_all()
    merges.rehome(session, SightingRow.video_id == video_id)
    video = session.get_one(Video, video_id)
    clocks.follow(session, [video, *clocks.apply_to(session, video)], site)
    forget_unseen(session, plates_in(session, video_id))


def at_rest(task: dict[str, Any]) -> dict[str, Any]:
    """What was to be done still no run has any more."""
    pending = task["state"] == "pending"
    return {key: value for key, value in task.items() if not pending or key != "flow_run_id"} | {"told": False}


def put(session: Session, rows: Rows) -> set[int]:
    """What is there by now stays. The plates of the sightings among them."""
    texts = {row["plate"] for name, row in rows if name == "sighting"}
    plates = plate_ids(session, texts) if texts else {}
    for (name, names), some in groupby(rows, key=like):
        table = Base.metadata.tables[name]
        told = [row | {"plate_id": plates[row["plate"]]} if name == "sighting" else row for _, row in some]
        take = takers(table, {*names, *told[0]})
        new = [{column: do(row[column]) for column, do in take.items()} for row in told]
        session.execute(insert(session, table).on_conflict_do_nothing(), new)
    return set(plates.values())


def like(one: tuple[str, dict[str, Any]]) -> tuple[str, list[str]]:
    """Rows that are alike in this are put back by one statement."""
    return one[0], sorted(one[1])


def takers(table: Table, names: Iterable[str]) -> dict[str, Callable[[Any], Any]]:
    """Of each of these columns how its value goes into the database; without what this version has no column for."""
    left_out = {column.name for column in table.primary_key} if table.name in NUMBERED else set()
    return {name: taker(table, name) for name in names if name in table.columns and name not in left_out}


def taker(table: Table, name: str) -> Callable[[Any], Any]:
    kind = table.columns[name].type
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat
    if table.name == SightingRow.__tablename__ and isinstance(kind, Json):
        return as_stored
    return lambda value: value


def as_stored(value: Any) -> Any:
    """What an older version has set aside is no text."""
    return JsonText(value) if isinstance(value, str) else value


class AsidePart(NamedTuple):
    """What is set aside of a clip that is there."""

    aside_id: int
    video_id: str
    """Empty: of no one clip."""
    looked_at: datetime | None
    rows: bytes


def put_parts_back(session: Session, asides: Sequence[AsidePart], site: Site) -> set[str]:
    """Sightings and what was said of them, in clips that are there; where a clip was read again since, what was found
    then. The clips."""
    merges.in_turn(session)
    clips = {one.video_id for one in asides} - {""}
    looked = looked_at(session, clips)
    anew = {one.video_id for one in asides if one.video_id and one.looked_at != looked.get(one.video_id)}
    rows = [row for one in asides for row in unpacked(one.rows)]
    for some in chunks([row["word_id"] for name, row in rows if name == SightingWord.__tablename__]):
        session.execute(delete(SightingWord).where(SightingWord.word_id.in_(some)))
    back = [(name, row) for name, row in rows if name != "sighting" or row["video_id"] not in anew]
    back_again, plates = put(session, sorted(back, key=like)), set[int]()
    gone = delete(SetAside).execution_options(synchronize_session=False)
    for some in chunks([one.aside_id for one in asides]):
        session.execute(gone.where(SetAside.aside_id.in_(some)))
    session.expire_all()
    for video_id in sorted(anew):
        corrections.settle(session, session.get_one(Video, video_id), site, put_back=True)
        plates |= plates_in(session, video_id)
    merges.rehome(session, SightingRow.plate_id.in_(back_again))
    forget_unseen(session, back_again | plates)
    return clips
