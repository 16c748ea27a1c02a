"""The catalogue made anew from the archives alone, after the database was lost.

Each archive's record goes the way that its results went: a task is written down and completed, and what completing
makes rows of makes the same rows again. So nothing is left to run, and there is no second way to read a result.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.orm import Session

from dashcam import Explained
from dashcam.catalog import arrival, deletions, held_back
from dashcam.catalog.models import Protection, TripRow, Video
from dashcam.config import Site
from dashcam.database import reading, writing
from dashcam.records import ArchiveResult, ClipRecord, FinalizeResult, Manifest, StageRecord, VideoFacts
from dashcam.stages.common import HASHES
from dashcam.storage import bundle, layout
from dashcam.storage.bundle import StorageError
from dashcam.storage.roots import StoreError, Stores
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import InputRef, TaskType
from dashcam.upkeep import backup, behind, decisions, deleting, undoing
from dashcam.upkeep.decisions import Decisions


class NotEmpty(Explained):
    """The database has videos already; nothing was changed."""


@dataclass
class Rebuilt:
    clips: int = 0
    known: int = 0
    """They were in the database already."""
    caught_up: int = 0
    """Of those, clips of which their archive has shown more than the database knew."""
    ended: int = 0
    """Clips without an archive, rejected or vanished."""
    left_out: list[str] = field(default_factory=list)
    """Archives that could not be taken in, each a sentence."""
    doubts: list[str] = field(default_factory=list)
    """What was taken in although not every file of its archive is right."""


@dataclass(frozen=True)
class FoundArchive:
    folder: Path
    start_utc: datetime


def rebuild(
    engine: Engine,
    stores: Stores,
    site: Site,
    *,
    add: bool = False,
    every_byte: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Rebuilt:
    """Take every archive of the shed NAS into a migrated database, oldest clip first.

    Each archive's record is proven by its manifest, and each of its files by its size, with ``every_byte`` by its hash.
    Raises `NotEmpty` for a database that has videos unless told to ``add``. Then those that it has stay as they are, so
    that one that was cut short is finished by doing it again, but for those of which their archive shows more
    (`upkeep.behind`): it is a backup that is older. `StoreError` where a store is away.
    """
    root = stores.root(layout.SHED)
    with reading(engine) as session:
        known = set(session.scalars(select(Video.video_id)))
    if known and not add:
        raise NotEmpty(
            f"The database has {len(known)} videos already: restore a backup, or let this add what it lacks (--add)."
        )
    words = decisions.read(stores) or Decisions(said={})
    backups = backup.folder_of(site.server.database_url, site.backup.folder)
    done = Rebuilt()
    with writing(engine) as session:
        decisions.put_back(session, words, decisions.OF_THE_SITE)
        decisions.put_back_pauses(session, words)
        deletions.again(session, [*words.deletions, *deleting.read_list(backups)], site, datetime.now(UTC))
    folders = [one for one in sorted(root.iterdir()) if one.is_dir() and not one.name.startswith(".")]
    with writing(engine) as session:
        ended = (one.record.video_id for one in words.ended)
        gone = deletions.deleted_clips(session, [*(one.name for one in folders), *ended])
        deletions.leave_over(session, {one.name: [] for one in folders if one.name in gone}, datetime.now(UTC))
        gone |= held_back.clips(session, (one.name for one in folders)).keys()
    folders = [one for one in folders if one.name not in gone]
    done.known = sum(folder.name in known for folder in folders)
    for folder in folders:
        if folder.name in known:
            _catch_up(engine, stores, site, folder.name, words, done)
    found = [one for folder in folders if folder.name not in known and (one := _found(folder, done))]
    for number, one in enumerate(sorted(found, key=lambda one: (one.start_utc, one.folder.name))):
        progress(number, len(found))
        _take_in(engine, site, one.folder, words, every_byte, done)
    for lost in words.ended:
        if lost.record.video_id not in known | gone and not (root / lost.record.video_id).is_dir():
            with writing(engine) as session:
                _video(session, lost.record, lost.name, lost.created_at, words)
                for stage in lost.record.stages:
                    behind.complete(session, lost.record.video_id, stage, site)
            done.ended += 1
    with writing(engine) as session:
        renumber_trips(session, words.trip_numbers)
    if words.going or stores.path(layout.DECISIONS).is_file():
        undoing.agree(engine, site, words.going, stores.path(layout.DECISIONS), datetime.now(UTC))
    progress(len(found), len(found))
    return done


def _catch_up(engine: Engine, stores: Stores, site: Site, video_id: str, words: Decisions, done: Rebuilt) -> None:
    """A clip that the database knows; what a person or a rule has said of it since counts too."""
    record = behind.archived(stores, video_id)
    with reading(engine) as session:
        more = record is not None and behind.shows_more(session, record)
        gone = decisions.gone_since(session, words, video_id) and _nowhere(session, stores, video_id)
        said = decisions.lacks(session, words, Protection, video_id)
    if not (more or gone or said):
        return
    with writing(engine) as session:
        decisions.put_back(session, words, [Protection], video_id)
        if gone or more:
            decisions.put_back_gone(session, words, video_id)
        if more and record is not None:
            behind.take_in(session, record, site)
            done.caught_up += 1


def _nowhere(session: Session, stores: Stores, video_id: str) -> bool:
    try:
        return arrival.still_there(session, stores, video_id) is None
    except (StoreError, OSError):
        return False


def _found(folder: Path, done: Rebuilt) -> FoundArchive | None:
    try:
        record = bundle.read_record(folder, bundle.read_manifest(folder))
        if record.video_id != folder.name:
            raise StorageError(f"{folder} holds the archive of {record.video_id}; give the folder that name.")
        ingested = next(one for one in record.stages if one.task_type == TaskType.INGEST_VIDEO)
        return FoundArchive(folder, VideoFacts.model_validate(ingested.result).start_utc)
    except (StorageError, OSError, StopIteration, ValueError) as error:
        done.left_out.append(str(error) or f"{folder} has a record without a first stage.")
        return None


def _take_in(engine: Engine, site: Site, folder: Path, words: Decisions, every_byte: bool, done: Rebuilt) -> None:
    try:
        manifest = bundle.read_manifest(folder)
        record = bundle.read_record(folder, manifest)
        wrong = bundle.verify(folder, manifest) if every_byte else behind.missing(folder, manifest)
        created = datetime.fromtimestamp((folder / layout.MANIFEST).stat().st_mtime, UTC)
        with writing(engine) as session:
            _video(session, record, manifest.source, created, words)
            for stage in (*record.stages, *_archived(record, manifest)):
                behind.complete(session, record.video_id, stage, site)
            decisions.put_back_gone(session, words, record.video_id)
    except (StorageError, OSError, ValueError) as error:
        done.left_out.append(f"{folder.name}: {error}")
        return
    done.clips += 1
    if wrong:
        done.doubts.append(f"{folder.name}: {'; '.join(wrong[:3])}")


def _archived(record: ClipRecord, manifest: Manifest) -> list[StageRecord]:
    """The last two stages, which the archive itself shows to be done."""
    archive, made_from = layout.archive(record.video_id), layout.bundle(record.video_id)
    result = ArchiveResult(
        archive=archive,
        manifest_sha256=hashlib.sha256(bundle.manifest_bytes(manifest)).hexdigest(),
        files=len(manifest.files),
        bytes=sum(entry.size for entry in manifest.files),
    )
    store, _, path = record.source.partition(":")
    refs = [
        InputRef(device=store, path=path, type="video"),
        InputRef.of(made_from, "bundle"),
        InputRef.of(f"{made_from}/{layout.MANIFEST}", HASHES),
    ]
    last = [InputRef.of(archive, "archive"), refs[1]]
    results = {
        TaskType.ARCHIVE_VIDEO: (refs, result),
        TaskType.FINALIZE_VIDEO: (last, FinalizeResult(archive=archive, removed=[])),
    }
    return [
        StageRecord(
            task_type=kind,
            revision=max([STAGES[kind].revision, *(stage.revision for stage in record.stages)]),
            inputs=[ref.model_dump() for ref in inputs],
            result=made.model_dump(mode="json"),
        )
        for kind, (inputs, made) in results.items()
    ]


def _video(session: Session, record: ClipRecord, name: str, created_at: datetime, words: Decisions) -> None:
    session.add(Video(video_id=record.video_id, name=name, source=record.source, created_at=created_at))
    session.flush()
    decisions.put_back(session, words, decisions.OF_A_CLIP, record.video_id)


def renumber_trips(session: Session, numbers: dict[str, int]) -> None:
    """Give trips the numbers that they had, by the clip that each began with."""
    query = select(Video.video_id, Video.trip_id).where(Video.video_id.in_(list(numbers)), Video.trip_id.is_not(None))
    wanted: dict[int, int] = {}
    for video_id, trip_id in session.execute(query.order_by(Video.start_utc)):
        if trip_id not in wanted and numbers[video_id] not in wanted.values():
            wanted[trip_id] = numbers[video_id]
    if all(old == new for old, new in wanted.items()):
        return
    # every trip is written down once more, above all numbers that there are or were, and then under its own
    above = max([session.scalar(select(func.max(TripRow.trip_id))) or 0, *numbers.values()]) + 1
    rows = list(session.scalars(select(TripRow).order_by(TripRow.trip_id)))
    free = iter(range(above + len(rows), above + 2 * len(rows)))
    for offset, row in enumerate(rows):
        _move_trip(session, row.trip_id, above + offset)
        wanted.setdefault(row.trip_id, next(free))
    for offset, row in enumerate(rows):
        _move_trip(session, above + offset, wanted[row.trip_id])
    session.expire_all()


def _move_trip(session: Session, old: int, new: int) -> None:
    columns = [column for column in TripRow.__table__.columns if column.name != "trip_id"]
    row = session.execute(select(*columns).where(TripRow.trip_id == old)).mappings().one()
    session.execute(TripRow.__table__.insert(), [{"trip_id": new, **row}])  # type: ignore[attr-defined]
    session.execute(update(Video).where(Video.trip_id == old).values(trip_id=new))
    session.execute(delete(TripRow).where(TripRow.trip_id == old).execution_options(synchronize_session=False))
