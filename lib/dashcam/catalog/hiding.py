"""Of plates that were seen long ago only a keyed hash is kept, and no picture (docs/privacy.md).

Those that are watched stay as they are, and one that is watched from now on gets its name back: nobody else's can be
told from its hash. Each function works inside the caller's transaction.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select, text, update
from sqlalchemy.orm import Session

from dashcam.catalog import plate_text
from dashcam.catalog.deletions import leave_over, rewrite_results
from dashcam.catalog.models import Plate, Protection, SightingRow, Video
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
    shown = ~Plate.text.startswith(HIDDEN), Plate.text.not_in({plate_text.normalised(one) for one in watched})
    busy = exists().where(TaskRow.video_id == Video.video_id, text(PENDING))
    kept = exists().where(Protection.video_id == Video.video_id)
    found = (
        select(Video.video_id)
        .join(SightingRow, SightingRow.video_id == Video.video_id)
        .join(Plate, Plate.plate_id == SightingRow.plate_id)
        .where(func.coalesce(Video.start_utc, Video.created_at) < before, *shown, ~busy, ~kept)
        .distinct()
        .limit(AT_ONCE)
    )
    clips = list(session.scalars(found))
    seen = select(SightingRow, Plate.text).join(Plate, Plate.plate_id == SightingRow.plate_id)
    rows = session.execute(seen.where(SightingRow.video_id.in_(clips), *shown)).tuples().all()
    numbers = plate_ids(session, (names.of(said) for _, said in rows))
    left = {row.plate_id for row, _ in rows}
    for row, said in rows:
        one = hidden({"text": said, "best_pts": row.best_pts, "reads": row.reads}, names)
        row.plate_id, row.slots, row.reads = numbers[one["text"]], one["slots"], one["reads"]
        row.crop, row.frame = one["crop"], one["frame"]
    rewrite_results(session, clips, lambda one: one if names.of(one["text"]) in stays else hidden(one, names))
    leave_over(session, {video_id: [] for video_id in clips}, now, whole=False)
    forget_unseen(session, left | set(numbers.values()))
    return len(clips)


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
    forget_unseen(session, {plate_id for plate_id, _ in rows} | set(numbers.values()))
    return len(rows)
