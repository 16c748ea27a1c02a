"""Of plates that were seen long ago only a keyed hash is kept, and no picture (docs/privacy.md).

Those that are watched stay as they are, and one that is watched from now on gets its name back: nobody else's can be
told from its hash. Each function works inside the caller's transaction.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import exists, func, select, text, update
from sqlalchemy.orm import Session

from dashcam.catalog import forgetting, plate_text, rereads
from dashcam.catalog.deletions import leave_over, rewrite_results
from dashcam.catalog.models import Plate, Protection, SightingRow, Video
from dashcam.catalog.plate_words import SightingWord
from dashcam.catalog.plates import forget_unseen, plate_ids
from dashcam.catalog.pseudonyms import Pseudonyms
from dashcam.records import HIDDEN
from dashcam.storage import layout
from dashcam.tasks.row import PENDING, TaskRow

AT_ONCE = 50
"""Clips in one transaction."""


def hide(session: Session, names: Pseudonyms, watched: Sequence[str], before: datetime, now: datetime) -> int:
    """Hash the plates of some clips from before then; how many clips, 0 when there are no more. Clips that are kept for
    good, or in work, wait."""
    stays = {names.of(one) for one in watched}
    plain = {plate_text.normalised(one) for one in watched}
    shown = ~Plate.text.startswith(HIDDEN), Plate.text.not_in(plain)
    busy = exists().where(TaskRow.video_id == Video.video_id, text(PENDING))
    kept = exists().where(Protection.video_id == Video.video_id)
    past = func.coalesce(Video.start_utc, Video.created_at) < before
    rereads.forget(session, select(Video.video_id).where(past, ~kept))
    found = (
        select(Video.video_id)
        .join(SightingRow, SightingRow.video_id == Video.video_id)
        .join(Plate, Plate.plate_id == SightingRow.plate_id)
        .where(past, *shown, ~busy, ~kept)
        .distinct()
        .limit(AT_ONCE)
    )
    clips = list(session.scalars(found))
    if len(clips) < AT_ONCE:
        spoken = select(Video.video_id).join(SightingWord, SightingWord.video_id == Video.video_id)
        mentions = forgetting.unhashed(plain)
        more = spoken.where(past, *mentions, ~busy, ~kept).distinct().limit(AT_ONCE - len(clips))
        clips = sorted({*clips, *session.scalars(more)})
    seen = select(SightingRow, Plate.text).join(Plate, Plate.plate_id == SightingRow.plate_id)
    rows = session.execute(seen.where(SightingRow.video_id.in_(clips), *shown)).tuples().all()
    numbers = plate_ids(session, (names.of(said) for _, said in rows))
    left = {row.plate_id for row, _ in rows}
    for row, said in rows:
        one = hidden({"text": said, "best_pts": row.best_pts, "reads": row.reads}, names)
        row.plate_id, row.slots, row.reads = numbers[one["text"]], one["slots"], one["reads"]
        row.crop, row.frame = one["crop"], one["frame"]
        if row.machine:
            row.machine = row.machine | {"text": names.of(row.machine["text"])}
    session.flush()
    shown_by_word = seen.with_only_columns(SightingRow.video_id, SightingRow.crop).where(
        SightingRow.video_id.in_(clips)
    )
    corrected: dict[str, set[str]] = {}
    for video_id, crop in session.execute(shown_by_word.where(Plate.text.in_(plain), SightingRow.machine.is_not(None))):
        corrected.setdefault(video_id, set()).add(crop)
    for video_id, crops in [("", set[str]()), *corrected.items()]:
        some = [video_id] if video_id else [one for one in clips if one not in corrected]
        rewrite_results(session, some, partial(told, names=names, stays=stays, crops=crops))
    forgetting.hashed_in(session, clips, names, stays)
    leave_over(session, {video_id: [] for video_id in clips}, now, whole=False)
    forget_unseen(session, left | set(numbers.values()))
    forgetting.hashed(session, {said for _, said in rows}, names)
    return len(clips)


def told(one: dict[str, Any], names: Pseudonyms, stays: set[str], crops: set[str]) -> dict[str, Any]:
    """What a stage has said, without plates that do not stay; ``crops`` are of sightings that a person says show one
    that does."""
    return one if names.of(one["text"]) in stays or one["crop"] in crops else hidden(one, names)


def hidden(one: dict[str, Any], names: Pseudonyms) -> dict[str, Any]:
    """A sighting without its plate: what was read is gone, when and where in the picture stays."""
    if str(one["text"]).startswith(HIDDEN):
        return one
    name = names.of(one["text"])
    reads = [read | {"text": "", "slots": []} for read in one["reads"]]
    place = f"{name.removeprefix(HIDDEN)}-{one['best_pts']}"
    return one | {"text": name, "slots": [], "reads": reads, "crop": layout.crop(place), "frame": layout.frame(place)}


def name_again(session: Session, names: Pseudonyms, watched: Iterable[str]) -> int:
    """Give watched plates their names back where they are hashed; how many."""
    hashed = {names.of(one): plate_text.normalised(one) for one in watched}
    rows = session.execute(select(Plate.plate_id, Plate.text).where(Plate.text.in_(hashed))).tuples().all()
    numbers = plate_ids(session, {hashed[name] for _, name in rows})
    for plate_id, name in rows:
        number = numbers[hashed[name]]
        session.execute(update(SightingRow).where(SightingRow.plate_id == plate_id).values(plate_id=number))
    forgetting.named_again(session, {name: hashed[name] for _, name in rows})
    forget_unseen(session, {plate_id for plate_id, _ in rows} | set(numbers.values()))
    return len(rows)
