"""What a person deletes is gone from the database at once, and whatever would bring it back meets that word.

What lies in the stores is written down as left over, and goes as soon as a machine sees to it that has them
(`upkeep.erasing`). Each function works inside the caller's transaction.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from dashcam.catalog import corrections, deriving, forgetting, plate_text, rereads, saved_searches
from dashcam.catalog.models import Deletion, Leftover, Plate, Protection, RetentionPlan, SightingRow, SourceFile, Video
from dashcam.catalog.plate_words import DELETED
from dashcam.catalog.plates import forget_unseen
from dashcam.catalog.pseudonyms import Pseudonyms, of_site
from dashcam.config import Site
from dashcam.database import Base, insert
from dashcam.records import HIDDEN, HeavyResult
from dashcam.storage import layout
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow

HEAVY = TaskType.HEAVY_PROCESS_VIDEO.value
CLIP, PLATE = "clip", "plate"
CHUNK = 200
RAW = f"{layout.INDOOR}:{layout.RAW}/"
"""Where clips are ours to remove."""


def deleted_clips(session: Session, video_ids: Iterable[str]) -> set[str]:
    """Those of them that a person has deleted."""
    wanted = select(Deletion.subject).where(Deletion.kind == CLIP, Deletion.subject.in_(set(video_ids)))
    return set(session.scalars(wanted))


def protected(session: Session, video_ids: Iterable[str]) -> dict[str, str]:
    """Those of them that a person keeps for good, and why: that word is taken off first."""
    wanted = select(Protection.video_id, Protection.reason).where(Protection.video_id.in_(set(video_ids)))
    return dict(session.execute(wanted).tuples().all())


def delete_clips(session: Session, video_ids: Iterable[str], site: Site, now: datetime) -> list[str]:
    """All that is known of the clips; the ids of those that there were. Protected ones stay."""
    deriving.one_at_a_time(session)
    ids = set(video_ids)
    ids -= protected(session, ids).keys()
    videos = list(session.scalars(select(Video).where(Video.video_id.in_(ids)).order_by(Video.video_id)))
    if not videos:
        return []
    gone = [video.video_id for video in videos]
    remember(session, CLIP, gone, now)
    leave_over(session, places_of(session, videos), now)
    take_out(session, videos, site)
    return gone


def take_out(session: Session, videos: Sequence[Video], site: Site) -> None:
    """All rows that are about these clips; what follows from them is derived anew."""
    gone = [video.video_id for video in videos]
    spans = deriving.spans_of(session, videos)
    plates = set(session.scalars(select(SightingRow.plate_id).where(SightingRow.video_id.in_(gone))))
    for video in videos:
        session.expunge(video)
    for table in tables_of_clips():
        session.execute(delete(table).where(table.c.video_id.in_(gone)))
    session.execute(delete(Video).where(Video.video_id.in_(gone)).execution_options(synchronize_session=False))
    forget_unseen(session, plates)
    take_out_of_plans(session, set(gone))
    deriving.derive_spans(session, spans, site.trips)


def tables_of_clips() -> list[Any]:
    """Whose rows are each about one clip."""
    clips = Video.__table__
    return [
        table
        for table in Base.metadata.sorted_tables
        if table is not clips and any(key.column.table is clips for key in table.foreign_keys)
    ]


def remember(session: Session, kind: str, subjects: Iterable[str], at: datetime) -> None:
    rows = [{"kind": kind, "subject": subject, "at": at} for subject in sorted(set(subjects))]
    if rows:
        new = insert(session, Deletion)
        later = new.on_conflict_do_update(index_elements=["kind", "subject"], set_={"at": new.excluded["at"]})
        session.execute(later, rows)


def places_of(session: Session, videos: Sequence[Video]) -> dict[str, list[str]]:
    """``store:path`` of every file in our own folder that each clip was ever seen at."""
    places: dict[str, set[str]] = {video.video_id: {video.source} for video in videos}
    for video_id, uri in session.execute(
        select(SourceFile.video_id, SourceFile.uri).where(SourceFile.video_id.in_(places))
    ):
        places[video_id].add(uri)
    return {video_id: [uri for uri in sorted(uris) if uri.startswith(RAW)] for video_id, uris in places.items()}


def leave_over(session: Session, places: dict[str, list[str]], now: datetime, whole: bool = True) -> None:
    """Something of these clips lies in the stores: all of it, or plates in their archives."""
    known = {row.video_id: row for row in session.scalars(select(Leftover).where(Leftover.video_id.in_(places)))}
    for video_id, uris in places.items():
        row = known.get(video_id)
        if row is None:
            session.add(Leftover(video_id=video_id, whole=whole, uris=uris, since=now))
        else:
            row.whole, row.since = row.whole or whole, now
            row.uris = sorted({*row.uris, *uris})
    session.flush()


def take_out_of_plans(session: Session, gone: set[str]) -> None:
    """Retention's plans name clips and where they lay."""
    text = cast(RetentionPlan.plan, Text)
    for video_ids in (sorted(gone)[start : start + 50] for start in range(0, len(gone), 50)):
        naming = select(RetentionPlan).where(or_(*(text.contains(video_id) for video_id in video_ids)))
        for row in session.scalars(naming):
            items = [item for item in row.plan.get("items", []) if item["video_id"] not in gone]
            row.plan = row.plan | {"items": items}


def names_for(session: Session, site: Site) -> Pseudonyms:
    """With the site's key, which is made where nothing goes by it yet. Raises `KeyLost`."""
    return of_site(site, make=not goes_by_key(session))


def goes_by_key(session: Session) -> bool:
    """Whether a plate has been hashed or deleted."""
    hashed = select(Plate.plate_id).where(Plate.text >= HIDDEN, Plate.text < f"{HIDDEN}~").limit(1)
    deleted = select(Deletion.subject).where(Deletion.kind == PLATE).limit(1)
    return session.scalar(hashed) is not None or session.scalar(deleted) is not None


def ensure_key(session: Session, site: Site) -> None:
    """Raises `KeyLost` where something goes by the key and it is not there."""
    if session.scalar(select(Deletion.subject).where(Deletion.kind == PLATE).limit(1)) is not None:
        of_site(site)


def texts_of(session: Session, text: str, names: Pseudonyms | None) -> list[Plate]:
    """The plates that a text means: as it is typed, as it is stored, and where it is hashed."""
    wanted = {text, plate_text.normalised(text)} - {""}
    if names is not None:
        wanted.add(names.of(text))
    return list(session.scalars(select(Plate).where(Plate.text.in_(wanted))))


def delete_plate(session: Session, text: str, names: Pseudonyms, now: datetime) -> tuple[int, list[str]]:
    """Every sighting of exactly that plate; how many, and the clips. Those in protected clips stay."""
    deriving.one_at_a_time(session)
    plates = texts_of(session, text, names)
    subjects = {names.of(text), *forgetting.subjects(session, (plate.text for plate in plates), names)}
    remember(session, PLATE, subjects, now)
    done = drop(session, {plate.plate_id for plate in plates}, names, now)
    forget_words(session, dict.fromkeys(subjects, now), names, now)
    return done


def forget_words(session: Session, gone: dict[str, datetime], names: Pseudonyms, now: datetime) -> None:
    saved_searches.forget(session, lambda said: names.of(said) in gone)
    for video_id, crops in forgetting.deleted(session, gone, names).items():
        rewrite_results(session, [video_id], partial(left_of, crops=crops, keys=set(), stays=set(), names=names))
        leave_over(session, {video_id: []}, now, whole=False)


def drop(
    session: Session, plates: set[int], names: Pseudonyms, now: datetime, *which: ColumnElement[bool]
) -> tuple[int, list[str]]:
    """Sightings of plates, where they are not in protected clips; how many, and the clips."""
    keys = {names.of(text) for text in session.scalars(select(Plate.text).where(Plate.plate_id.in_(plates)))}
    kept = exists().where(Protection.video_id == SightingRow.video_id)
    mine = SightingRow.plate_id.in_(plates), ~kept
    found = (
        select(SightingRow.video_id, func.count())
        .join(Video, Video.video_id == SightingRow.video_id)
        .where(*mine, *which)
        .group_by(SightingRow.video_id)
        .order_by(SightingRow.video_id)
    )
    counts: dict[str, int] = dict(session.execute(found).tuples().all())
    clips = list(counts)
    for some in (clips[start : start + CHUNK] for start in range(0, len(clips), CHUNK)):
        theirs = SightingRow.video_id.in_(some)
        dropped = by_clip(session, *mine, theirs)
        rereads.forget_crops(session, dropped)
        session.execute(delete(SightingRow).where(*mine, theirs))
        said_otherwise = by_clip(session, theirs, SightingRow.machine.is_not(None))
        for video_id in some:
            crops, stays = dropped.get(video_id, set()), said_otherwise.get(video_id, set())
            rewrite_results(session, [video_id], partial(left_of, crops=crops, keys=keys, stays=stays, names=names))
        leave_over(session, {video_id: [] for video_id in some}, now, whole=False)
        session.expire_all()
    forget_unseen(session, plates)
    return sum(counts.values()), clips


def by_clip(session: Session, *which: ColumnElement[bool]) -> dict[str, set[str]]:
    """The crops of sightings."""
    found: dict[str, set[str]] = {}
    for video_id, crop in session.execute(select(SightingRow.video_id, SightingRow.crop).where(*which)):
        found.setdefault(video_id, set()).add(crop)
    return found


SightingChange = Callable[[dict[str, Any]], dict[str, Any] | None]
"""What becomes of a sighting as a stage has told it; None: nothing."""


def left_of(
    one: dict[str, Any], *, crops: set[str], keys: set[str], stays: set[str], names: Pseudonyms
) -> dict[str, Any] | None:
    """None for a sighting that is dropped: by its crop, or by its plate, unless a person says that it ``stays``."""
    if one["crop"] in crops or (one["crop"] not in stays and names.of(one["text"]) in keys):
        return None
    return one


def rewrite_results(session: Session, video_ids: Sequence[str], change: SightingChange) -> None:
    """What the heavy stage has said of these clips, which archives keep too (`catalog.record`)."""
    done = TaskRow.task_type == HEAVY, TaskRow.state == "complete"
    wanted = select(TaskRow).where(TaskRow.video_id.in_(video_ids), *done)
    for row in session.scalars(wanted):
        told = (row.result or {}).get("sightings")
        if told is None:
            continue
        now = [one for one in map(change, told) if one is not None]
        if now != told:
            row.result = (row.result or {}) | {"sightings": now}
    session.flush()


def without_deleted(session: Session, video: Video, heavy: HeavyResult, site: Site) -> HeavyResult:
    """What the heavy stage has found in a clip, but for plates that a person has deleted since it was recorded."""
    when = video.start_utc or video.created_at
    gone = set(session.scalars(select(Deletion.subject).where(Deletion.kind == PLATE, Deletion.at >= when)))
    if not gone or not heavy.sightings or protected(session, [video.video_id]):
        return heavy
    names = of_site(site)
    said = corrections.shown_as(session, video.video_id, heavy.sightings)
    stays = [one for one, (kind, text) in zip(heavy.sightings, said, strict=True)
             if kind != DELETED and names.of(text or one.text) not in gone]  # fmt: skip
    if len(stays) < len(heavy.sightings):
        crops = {one.crop for one in stays}
        rewrite_results(session, [video.video_id], lambda one: one if one["crop"] in crops else None)
        leave_over(session, {video.video_id: []}, datetime.now(UTC), whole=False)
    return heavy.model_copy(update={"sightings": stays})


def settle(session: Session, video_id: str, since: datetime, trouble: str | None) -> None:
    """What a machine has done about a leftover that it was told of: it is gone, or lies there still."""
    this = Leftover.video_id == video_id, Leftover.since == since
    if trouble is None:
        session.execute(delete(Leftover).where(*this))
    else:
        session.execute(update(Leftover).where(*this).values(trouble=trouble[:1000]))


def said(session: Session) -> list[dict[str, str]]:
    """All that was ever deleted, as a restore and a rebuild need it."""
    rows = session.scalars(select(Deletion).order_by(Deletion.kind, Deletion.subject))
    return [{"kind": row.kind, "subject": row.subject, "at": row.at.isoformat()} for row in rows]


def again(session: Session, words: Iterable[dict[str, str]], site: Site, now: datetime) -> int:
    """Carry out deletions that this database does not know, or has lost the effect of; how many clips and sightings
    went. So a backup from before them, and archives that were not seen to yet, bring nothing back."""
    known = {(row.kind, row.subject): row.at for row in session.scalars(select(Deletion))}
    for word in words:
        key, at = (word["kind"], word["subject"]), datetime.fromisoformat(word["at"])
        if key not in known or known[key] < at:
            remember(session, word["kind"], [word["subject"]], at)
            known[key] = at
    clips = sorted(subject for kind, subject in known if kind == CLIP)
    count = 0
    for some in (clips[start : start + CHUNK] for start in range(0, len(clips), CHUNK)):
        # the word was given when the clip was not protected: what a backup says of that is older
        session.execute(delete(Protection).where(Protection.video_id.in_(some)))
        count += len(delete_clips(session, some, site, now))
    plates = {subject: at for (kind, subject), at in known.items() if kind == PLATE}
    return count + (plates_again(session, plates, of_site(site), now) if plates else 0)


def plates_again(session: Session, gone: dict[str, datetime], names: Pseudonyms, now: datetime) -> int:
    found = [(plate_id, at) for plate_id, text in session.execute(select(Plate.plate_id, Plate.text))
             if (at := gone.get(names.of(text))) is not None]  # fmt: skip
    when = func.coalesce(Video.start_utc, Video.created_at)
    count = sum(drop(session, {plate_id}, names, now, when <= at)[0] for plate_id, at in found)
    forget_words(session, gone, names, now)
    return count


def forget_in(session: Session, clips: Sequence[str], site: Site, now: datetime) -> None:
    """What was deleted while these clips were set aside is not in them."""
    delete_clips(session, deleted_clips(session, clips), site, now)
    gone = {row.subject: row.at for row in session.scalars(select(Deletion).where(Deletion.kind == PLATE))}
    if not gone or not clips:
        return
    names, when = of_site(site), func.coalesce(Video.start_utc, Video.created_at)
    seen = select(Plate.plate_id, Plate.text).join(Plate.sightings).where(SightingRow.video_id.in_(clips)).distinct()
    for plate_id, text in session.execute(seen).tuples().all():
        if (at := gone.get(names.of(text))) is not None:
            drop(session, {plate_id}, names, now, when <= at, SightingRow.video_id.in_(clips))
    forget_words(session, gone, names, now)
