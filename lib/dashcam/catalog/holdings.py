"""What is held of clips that have been through: noted when a clip is, looked at by retention, kept as what has gone."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, text, update
from sqlalchemy.orm import Session

from dashcam.catalog.models import Holding, Protection, SourceFile, Video
from dashcam.config.model import RetentionDays
from dashcam.database import insert
from dashcam.records import Held, HoldingKind
from dashcam.storage import layout
from dashcam.tasks.model import InputRef, TaskType
from dashcam.tasks.row import PENDING, TaskRow

AT_ONCE = "storage_retention_days = 0, when the clip was through"
OPEN = "removed_at IS NULL"
RAW = f"{layout.INDOOR}:{layout.RAW}/"
CHUNK = 2000


def note(session: Session, video: Video, since: datetime, removed: Iterable[str], days: RetentionDays) -> None:
    """The clip has been through: its archive is verified. ``removed`` are the places that finalizing let go."""
    archived = session.execute(
        select(TaskRow.result, TaskRow.inputs)
        .where(TaskRow.video_id == video.video_id, TaskRow.task_type == TaskType.ARCHIVE_VIDEO.value)
        .order_by(TaskRow.revision.desc())
        .limit(1)
    ).first()
    result, inputs = archived or (None, [])
    size = (result or {}).get("bytes")
    gone = set(removed)
    made: dict[HoldingKind, tuple[int | None, bool]] = {
        "preproc": (None, days.preproc_data == 0 or layout.preproc(video.video_id) in gone),
        "heavy_output": (size, days.heavy_output == 0 or layout.bundle(video.video_id) in gone),
        "lowres": (size, False),
    }
    rows = [
        row_of(video.video_id, kind, since, size=size) | ({"removed_at": since, "rule": AT_ONCE} if went else {})
        for kind, (size, went) in made.items()
    ]
    new = insert(session, Holding)
    anew = {name: new.excluded[name] for name in ("since", "bytes", "plan_id", "removed_at", "rule")}
    if any(InputRef.model_validate(ref).uri == layout.archive(video.video_id) for ref in inputs):
        # its crops were read again, so that nothing was made which could be held
        session.execute(new.on_conflict_do_nothing(index_elements=["video_id", "kind"]), rows)
    else:
        session.execute(new.on_conflict_do_update(index_elements=["video_id", "kind"], set_=anew), rows)
    clip = row_of(video.video_id, "raw", since, size=(video.facts or {}).get("size"))
    session.execute(insert(session, Holding).on_conflict_do_nothing(index_elements=["video_id", "kind"]), [clip])


def row_of(video_id: str, kind: HoldingKind, since: datetime, size: int | None) -> dict[str, Any]:
    known = {"video_id": video_id, "kind": kind, "since": since, "bytes": size}
    return known | {"plan_id": None, "removed_at": None, "rule": None}


def catch_up(session: Session, days: RetentionDays, now: datetime) -> int:
    """Note some clips that were through before holdings were; gives how many, 0 when there are no more."""
    noted = exists().where(Holding.video_id == Video.video_id, Holding.kind == "raw")
    through = select(Video).where(Video.outcome == "processed", ~noted).limit(CHUNK)
    videos = list(session.scalars(through))
    ids = [video.video_id for video in videos]
    final = select(TaskRow.video_id, TaskRow.completed_at, TaskRow.result).where(
        TaskRow.video_id.in_(ids), TaskRow.task_type == TaskType.FINALIZE_VIDEO.value, TaskRow.state == "complete"
    )
    ended = {video_id: (at, result) for video_id, at, result in session.execute(final.order_by(TaskRow.revision))}
    for video in videos:
        at, result = ended.get(video.video_id, (None, None))
        note(session, video, at or now, (result or {}).get("removed", ()), days)
    return len(videos)


def held(session: Session, *wanted: ColumnElement[bool] | Any, limit: int | None = None, offset: int = 0) -> list[Held]:
    """What is held now, by the time since when."""
    query = (
        select(Holding.kind, Holding.video_id, Holding.bytes, Holding.since, Video.name, Video.source, Video.facts)
        .join(Video, Video.video_id == Holding.video_id)
        .where(text(f"holding.{OPEN}"), *wanted)
        .order_by(Holding.since, Holding.video_id, Holding.kind)
    )
    rows = session.execute(query.limit(limit).offset(offset)).all()
    found: list[Held] = []
    for start in range(0, len(rows), CHUNK):
        found += _described(session, rows[start : start + CHUNK])
    return found


def kept_by_mark(kind: HoldingKind) -> ColumnElement[bool]:
    """Of what `held` finds: what `upkeep.retention.judge` keeps whatever the days are, so that nothing else is looked
    at for it."""
    marked = [
        exists().where(Protection.video_id == Holding.video_id),
        exists().where(TaskRow.video_id == Holding.video_id, text(PENDING)),
        Video.facts["locked"].as_boolean(),
    ]
    if kind == "raw":
        ours = exists().where(SourceFile.video_id == Holding.video_id, SourceFile.uri.startswith(RAW, autoescape=True))
        marked.append(~(ours | Video.source.startswith(RAW, autoescape=True)))
    return or_(*marked)


def _described(session: Session, rows: Sequence[Any]) -> list[Held]:
    ids = {row.video_id for row in rows}
    words = {one.video_id: one for one in session.scalars(select(Protection).where(Protection.video_id.in_(ids)))}
    pending = select(TaskRow.video_id, func.min(TaskRow.task_type)).where(text(PENDING), TaskRow.video_id.in_(ids))
    to_do = dict(session.execute(pending.group_by(TaskRow.video_id)).tuples().all())
    copies: dict[str, set[str]] = {row.video_id: {row.source} for row in rows}
    files = select(SourceFile.video_id, SourceFile.uri).where(SourceFile.video_id.in_(ids))
    for video_id, uri in session.execute(files):
        copies[video_id].add(uri)
    return [
        Held(
            kind=row.kind,
            video_id=row.video_id,
            name=row.name,
            uris=_places(row.kind, row.video_id, copies[row.video_id]),
            bytes=row.bytes,
            since=row.since,
            protected=protected_by(words[row.video_id]) if row.video_id in words else None,
            locked=bool((row.facts or {}).get("locked")),
            pending=to_do.get(row.video_id),
        )
        for row in rows
    ]


def _places(kind: HoldingKind, video_id: str, copies: set[str]) -> list[str]:
    match kind:
        case "raw":
            return sorted(uri for uri in copies if uri.startswith(RAW))
        case "preproc":
            return [layout.preproc(video_id)]
        case "heavy_output":
            return [layout.bundle(video_id)]
    return [f"{layout.archive(video_id)}/{layout.LOWRES}"]


def protected_by(word: Protection) -> str:
    return f"Protected by {word.who} on {word.at:%Y-%m-%d}: {word.reason}"


def about_to_go(session: Session, video_id: str, kind: HoldingKind, plan_id: int) -> int | None:
    """Write down that this plan removes it now; gives the plan that was about to do so before, and was cut off."""
    row = session.get_one(Holding, (video_id, kind))
    before, row.plan_id = row.plan_id, plan_id
    return before


def gone(session: Session, video_id: str, kind: HoldingKind, plan_id: int, rule: str, count: int) -> bool:
    """It was removed; False when that was known. A clip's own paths are forgotten: one that comes back is looked at."""
    done = session.execute(
        update(Holding)
        .where(Holding.video_id == video_id, Holding.kind == kind, text(OPEN))
        .values(removed_at=datetime.now(UTC), rule=rule, plan_id=plan_id, bytes=count)
    )
    if kind == "raw":
        ours = SourceFile.video_id == video_id, SourceFile.uri.startswith(RAW, autoescape=True)
        session.execute(delete(SourceFile).where(*ours))
    return bool(done.rowcount)  # type: ignore[attr-defined]


def found_gone(session: Session, video: Video, rule: str) -> None:
    """The clip itself, of which a whole archive is there, lies nowhere any more; nothing where that is known."""
    row = session.get(Holding, (video.video_id, "raw"))
    if row is None:
        row = Holding(**row_of(video.video_id, "raw", datetime.now(UTC), size=0))
        session.add(row)
    if row.removed_at is None:
        row.removed_at, row.rule, row.bytes = datetime.now(UTC), rule, 0
    session.flush()


def come_back(session: Session, video_ids: Iterable[str]) -> None:
    """Clips that were removed lie in a folder again: they are kept for the same days anew."""
    back = Holding.video_id.in_(set(video_ids)), Holding.kind == "raw", Holding.removed_at.is_not(None)
    anew = {"removed_at": None, "rule": None, "plan_id": None, "since": datetime.now(UTC)}
    session.execute(update(Holding).where(*back).values(anew))


def of_video(session: Session, video_id: str) -> dict[HoldingKind, Holding]:
    """By kind, what is held and what was removed."""
    rows = session.scalars(select(Holding).where(Holding.video_id == video_id))
    return {cast(HoldingKind, row.kind): row for row in rows}


def clip_let_go(session: Session, video_id: str) -> bool:
    """Whether retention has removed the clip itself, or was about to and has not said yet that it did."""
    row = session.get(Holding, (video_id, "raw"))
    return row is not None and (row.removed_at is not None or row.plan_id is not None)


def totals(session: Session) -> dict[str, tuple[int, int]]:
    """Of each kind, how many are held and about how many bytes. To be asked through `app.kept`."""
    counted = select(Holding.kind, func.count(), func.sum(Holding.bytes)).where(text(OPEN)).group_by(Holding.kind)
    return {kind: (count, size or 0) for kind, count, size in session.execute(counted)}
