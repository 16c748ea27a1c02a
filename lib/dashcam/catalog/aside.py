"""Rows of the catalogue that are set aside: where they were there is nothing, so no page, search, count, map or export
can show them and nothing is filtered. Put back, they are as they were.

Each function works inside the caller's transaction.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, insert, select
from sqlalchemy.orm import Session

from dashcam.catalog import clocks, corrections, deletions, deriving, merges
from dashcam.catalog.aside_rows import Going, SetAside
from dashcam.catalog.models import Plate, Protection, SightingRow, TripDecision, TripRow, Video
from dashcam.catalog.plate_words import SightingWord
from dashcam.catalog.plates import forget_unseen, plate_ids, plates_in
from dashcam.config import Site
from dashcam.database import Base, UtcDateTime
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow

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
    """Rows as they are kept, without what is empty; of a sighting the plate by its text."""
    query = select(table).where(*which)
    if table.name == SightingRow.__tablename__:
        query = query.add_columns(Plate.text.label("plate")).join(Plate, Plate.plate_id == table.c.plate_id)
    return [
        (table.name, {name: plain(value) for name, value in row.items() if value is not None})
        for row in session.execute(query).mappings()
    ]


def plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def note(session: Session, going_id: int, video_id: str, rows: Rows, whole: bool = False, **known: Any) -> None:
    given = {"looked_at": None, "pictures": [], "files": [], "words": {}} | known
    session.add(SetAside(going_id=going_id, video_id=video_id, whole=whole, rows=packed(rows), **given))
    session.flush()


def looked_at(session: Session, video_ids: Iterable[str]) -> dict[str, datetime]:
    """When what these clips show was read last."""
    heavy = TaskRow.task_type == TaskType.HEAVY_PROCESS_VIDEO.value, TaskRow.outcome == "processed"
    found = select(TaskRow.video_id, func.max(TaskRow.completed_at)).where(*heavy).group_by(TaskRow.video_id)
    some = (session.execute(found.where(TaskRow.video_id.in_(ids))).tuples() for ids in chunks(sorted(video_ids)))
    return {video_id: at for rows in some for video_id, at in rows if at is not None}


def chunks(found: Sequence[str]) -> Iterator[Sequence[str]]:
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
    for (name, _), some in groupby(rows, key=like):
        table = Base.metadata.tables[name]
        told = [row | {"plate_id": plates[row["plate"]]} if name == "sighting" else row for _, row in some]
        new = [values(table, row) for row in told]
        if name != "position":
            new = [row for row in new if not there(session, table, row)]
        if new:
            session.execute(insert(table), new)
    return set(plates.values())


def like(one: tuple[str, dict[str, Any]]) -> tuple[str, list[str]]:
    """Rows that are alike in this are put back by one statement."""
    return one[0], sorted(one[1])


def values(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """As the database takes them, without what this version has no column for."""
    left_out = {column.name for column in table.primary_key} if table.name in NUMBERED else set()
    return {
        name: datetime.fromisoformat(value) if isinstance(table.columns[name].type, UtcDateTime) else value
        for name, value in row.items()
        if name in table.columns and name not in left_out
    }


def there(session: Session, table: Table, row: Mapping[str, Any]) -> bool:
    by = ["video_id", "crop"] if table.name == "sighting" else [column.name for column in table.primary_key]
    if not row.keys() >= set(by):
        return False  # it is numbered anew
    same = (table.c[name] == row[name] for name in by)
    return session.execute(select(table.c[by[0]]).where(*same)).first() is not None


def put_parts_back(session: Session, asides: Sequence[SetAside], site: Site) -> set[str]:
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
    plates = put(session, sorted(back, key=like))
    for one in asides:
        session.delete(one)
    session.flush()
    session.expire_all()
    for video_id in sorted(anew):
        corrections.settle(session, session.get_one(Video, video_id), site, put_back=True)
        plates |= plates_in(session, video_id)
    for some in chunks(sorted(clips)):
        merges.rehome(session, SightingRow.video_id.in_(some))
    forget_unseen(session, plates)
    return clips
