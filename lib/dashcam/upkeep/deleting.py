"""Deleting for good, as the main server does it: what would go, what has gone, and the list by which it stays gone.

The list lies beside the backups (``deletions.json``) and with the decisions in the archive's store: a restored backup
and a catalogue made anew are held against it. It names clips by their content and plates by keyed hashes.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, model_validator
from sqlalchemy import Engine, func, or_, select, text
from sqlalchemy.orm import Session

from dashcam import Explained
from dashcam.access import audit
from dashcam.catalog import deletions, held_back, plate_text, plates, rereads
from dashcam.catalog.models import Leftover, SightingRow, Video
from dashcam.config import Site
from dashcam.database import reading, writing
from dashcam.storage import bundle, layout
from dashcam.storage.bundle import StorageError
from dashcam.storage.roots import StoreError, Stores
from dashcam.tasks.row import PENDING, TaskRow
from dashcam.upkeep import backup, decisions
from dashcam.upkeep.erasing import LeftBehind

LIST = "deletions.json"
CHUNK = 50
SHOWN = 1000
Words = list[dict[str, str]]
GOING = (
    "It was deleted already, or is hidden: it goes at once on Storage, or with POST /api/v1/deletions/going/NUMBER/now."
)


class NothingToDelete(Explained):
    """There is nothing of what was to be deleted."""


class Wanted(BaseModel):
    """What is to be deleted: clips, or a plate, or all clips that began in a stretch of time."""

    clips: list[str] = Field([], max_length=1000)
    """By their id, or the name of their file."""
    plate: str | None = Field(None, min_length=1, max_length=1000)
    """Exactly this one, as it is typed."""
    with_clips: bool = False
    """Of a plate: also every clip in which it was read."""
    since: datetime | None = None
    until: datetime | None = None
    """Not included."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> "Wanted":
        days = self.since is not None and self.until is not None
        if [bool(self.clips), self.plate is not None, days].count(True) != 1 or (self.with_clips and not self.plate):
            raise ValueError("name clips, or one plate, or since and until; with_clips goes with a plate")
        return self


class Preview(BaseModel):
    """What would go."""

    clips: int
    sightings: int
    """Without those of the clips that go."""
    in_clips: int
    """Clips that stay, and forget a plate."""
    names: list[str]
    """Of the clips that go, at most `SHOWN`."""
    places: list[str]
    """``store:path`` of what goes with them, at most `SHOWN`."""
    kept: list[str]
    """What stays, and why, a sentence each."""


class Deleted(BaseModel):
    clips: int
    sightings: int
    leftovers: int
    """Clips of which something lies in the stores still, until a machine that has them sees to it."""
    kept: list[str]
    backups: list[str]
    """Copies of the database that were taken before, and have it still; restored, they forget it at once."""


def chosen(session: Session, site: Site, wanted: Wanted) -> list[str]:
    """The ids of the clips that are to go. Raises `NothingToDelete`."""
    query = select(Video.video_id)
    if wanted.plate is not None:
        if not wanted.with_clips:
            return []
        seen = select(SightingRow.video_id).where(is_plate(session, site, wanted.plate))
        query = query.where(Video.video_id.in_(seen))
    elif wanted.clips:
        query = query.where(or_(Video.video_id.in_(wanted.clips), Video.name.in_(wanted.clips)))
    else:
        query = query.where(Video.start_utc >= wanted.since, Video.start_utc < wanted.until)
    found = list(session.scalars(query.order_by(Video.start_utc, Video.video_id)))
    if not found:
        going = held_back.clips(session, wanted.clips)
        raise NothingToDelete(GOING if going else "There is no such clip: nothing was deleted.")
    return found


def is_plate(session: Session, site: Site, text: str) -> Any:
    """A sighting is of this plate. Raises `NothingToDelete` where none is, nor was before its clip was read again."""
    plates = [plate.plate_id for plate in deletions.texts_of(session, text, deletions.names_for(session, site))]
    if not plates and plate_text.normalised(text) in held_back.texts(session, datetime.min.replace(tzinfo=UTC)):
        raise NothingToDelete(GOING)
    if not plates and not rereads.knows(session, text):
        raise NothingToDelete(f"No plate {text} has been seen: nothing was deleted.")
    return SightingRow.plate_id.in_(plates)


def preview(session: Session, site: Site, wanted: Wanted) -> Preview:
    """Raises `NothingToDelete`, `KeyLost`."""
    ids = chosen(session, site, wanted)
    marked = deletions.protected(session, ids)
    going = [video_id for video_id in ids if video_id not in marked]
    names, places, kept = list[str](), list[str](), list[str]()
    for some in chunks(ids):
        videos = session.scalars(select(Video).where(Video.video_id.in_(some)).order_by(Video.start_utc)).all()
        lies = deletions.places_of(session, videos)
        for video in videos:
            if video.video_id in marked:
                kept.append(f"{video.name} is kept for good ({marked[video.video_id]}): take that mark off first.")
                continue
            names.append(video.name)
            own = [layout.preproc(video.video_id), layout.bundle(video.video_id), layout.archive(video.video_id)]
            places += [*lies[video.video_id], *(f"{place}/" for place in own)]
            if not video.source.startswith(deletions.RAW):
                kept.append(
                    f"{video.source} lies outside {deletions.RAW}: remove it yourself. It is not taken in again."
                )
    sightings, in_clips = (0, 0) if wanted.plate is None else counted(session, site, wanted.plate, going)
    return Preview(
        clips=len(going),
        sightings=sightings,
        in_clips=in_clips,
        names=names[:SHOWN],
        places=places[:SHOWN],
        kept=kept[:SHOWN],
    )


def counted(session: Session, site: Site, plate: str, going: list[str]) -> tuple[int, int]:
    """Sightings of a plate in clips that stay, and how many clips that are; but for protected ones."""
    per_clip = select(SightingRow.video_id, func.count()).where(is_plate(session, site, plate))
    counts: dict[str, int] = dict(session.execute(per_clip.group_by(SightingRow.video_id)).tuples().all())
    out = {*going, *deletions.protected(session, counts)}
    stays = {video_id: count for video_id, count in counts.items() if video_id not in out}
    return sum(stays.values()), len(stays)


def delete(engine: Engine, site: Site, wanted: Wanted, now: datetime) -> Deleted:
    """Gone from the database when this returns, in short transactions; cut off, it is done again. Raises
    `NothingToDelete`, `KeyLost`, ``OSError`` where the list cannot be written."""
    with reading(engine) as session:
        told = preview(session, site, wanted)
        ids = chosen(session, site, wanted)
    clips = sightings = 0
    for some in chunks(ids):
        with writing(engine) as session:
            clips += len(deletions.delete_clips(session, some, site, now))
    if wanted.plate is not None:
        with writing(engine) as session:
            shown = plates.shown_as(session, wanted.plate)
            words = {wanted.plate, shown, *plates.merged_into(session, shown)}
            sightings, _ = deletions.delete_plate(session, wanted.plate, deletions.names_for(session, site), now)
            for word in sorted(words, key=len, reverse=True):
                audit.forget_word(session, word)
    folder = backup.folder_of(site.server.database_url, site.backup.folder)
    with reading(engine) as session:
        write_list(folder, deletions.said(session))
        left = session.scalar(select(func.count()).select_from(Leftover)) or 0
    older = [str(folder / one.file) for one in backup.backups(folder)]
    return Deleted(clips=clips, sightings=sightings, leftovers=left, kept=told.kept, backups=older)


def chunks(ids: list[str]) -> Iterator[list[str]]:
    yield from (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))


def leftovers(session: Session, limit: int, skip: int, cold_store: str | None) -> list[LeftBehind]:
    """What the stores have still of what was deleted, the oldest first."""
    rows = session.scalars(select(Leftover).order_by(Leftover.since, Leftover.video_id).limit(limit).offset(skip)).all()
    ids = [row.video_id for row in rows]
    pending = select(TaskRow.video_id).where(TaskRow.video_id.in_(ids), text(PENDING))
    busy = set(session.scalars(pending))
    return [
        LeftBehind(
            video_id=row.video_id,
            whole=row.whole,
            uris=row.uris,
            since=row.since,
            in_work=row.video_id in busy,
            cold_store=cold_store,
        )
        for row in rows
    ]


def told(folder: Path, stores: Stores) -> Words:
    """The list, from both places as far as they can be read."""
    words = read_list(folder)
    try:
        known = decisions.read(stores) if layout.SHED in stores.roots else None
    except (StoreError, StorageError, OSError):
        known = None
    return [*words, *(known.deletions if known else [])]


def read_list(folder: Path) -> Words:
    try:
        read: Words = json.loads((folder / LIST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise StorageError(f"{folder / LIST} cannot be read: it is the list of what was deleted. Mend it.") from error
    return read


def write_list(folder: Path, words: Iterable[dict[str, str]]) -> None:
    """The list only grows, whichever database it is written from."""
    there = read_list(folder)
    known = {(word["kind"], word["subject"]): word for word in there}
    every = known | {(word["kind"], word["subject"]): word for word in words}
    if every == known:
        return
    folder.mkdir(parents=True, exist_ok=True)
    data = json.dumps([every[key] for key in sorted(every)], indent=1, sort_keys=True)
    bundle.write_file(folder / LIST, f"{data}\n".encode())


def learn(engine: Engine, site: Site, words: Words, now: datetime) -> int:
    """Carry out what the list says and the database does not know; how much went."""
    with reading(engine) as session:
        known = {(word["kind"], word["subject"]): word["at"] for word in deletions.said(session)}
    if all(known.get((word["kind"], word["subject"]), "") >= word["at"] for word in words):
        return 0
    with writing(engine) as session:
        return deletions.again(session, words, site, now)
