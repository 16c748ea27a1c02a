"""What must hold of the pipeline: at any moment, and once all work is done. Each breach is one sentence.

Metadata is compared with that of an undisturbed run, byte for byte in one canonical form. Left out of that form is
what may differ between two runs in which nothing went wrong:

- numbers that the database gives (of tasks, sightings, plates, trips), and rows' order;
- times of processing, and how often a task was tried (``attempts``, ``failures``, ``crashes`` and what goes with them)
  or whether its clip's length was known when it was published;
- of the file: its name, place, size and hash, and the size of the archive, which keeps them, because a run may be
  handed copies of one clip that differ in a trailing box; its id and name inside of texts become ``<id>`` and
  ``<name>``;
- what finalize found left to remove (``removed``): a second try finds less.

A stage that was done again at a higher revision counts with its latest; not where a rule had let the clip go before it
was read: then it has vanished for that stage, and stays what it was for the catalogue.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Engine, Table, func, select
from sqlalchemy.orm import Session

from dashcam.catalog import holdings
from dashcam.catalog.models import Plate, PositionRow, Rejection, SightingRow, TripRow, Video
from dashcam.database import reading
from dashcam.records import Manifest
from dashcam.storage import bundle, layout
from dashcam.storage.bundle import StorageError
from dashcam.storage.roots import StoreError, Stores
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow

UNDELIVERED = "undelivered"
"""The folder in a device's scratch that outlives its emptying."""
_OF_THE_FILE = {"name", "source", "size", "sha256", "source_sha256", "manifest_sha256", "bytes", "trip"}
_OF_THE_RUN = {"created_at", "completed_at", "attempts", "failures", "crashes", "last_error", "not_before", "place",
               "hold", "flow_run_id", "told", "revision", "removed", "footage_s"}  # fmt: skip
_NUMBERS = {"video_id", "trip_id", "task_id", "sighting_id", "plate_id"}
_LEFT_OUT = _OF_THE_FILE | _OF_THE_RUN | _NUMBERS
_PLACES = {layout.RAW, layout.PREPROC, layout.HEAVY_OUTPUT}


class Breach(NamedTuple):
    """``invariant`` is its name, ``sentence`` says what does not hold, and where."""

    invariant: str
    sentence: str


@dataclass(frozen=True)
class Ground:
    """What is looked at.

    ``names`` gives each clip that was handed in, by its id, the name under which ``reference`` has its metadata.
    ``markers`` as `Stores` has them: a store without its marker is not there. ``taken_away`` are clips that a fault has
    removed or replaced for good, ``spoiled`` those whose folders it has damaged and nobody could mend yet; ``keeps``
    are the intermediates (``preproc``, ``heavy_output``) that the site keeps for some days, ``protected`` the clips
    that a person wants to be kept.
    """

    engine: Engine
    stores: Mapping[str, Path]
    scratch: Sequence[Path]
    names: Mapping[str, str]
    reference: Mapping[str, str]
    markers: Mapping[str, str] = field(default_factory=dict)
    taken_away: Collection[str] = ()
    spoiled: Collection[str] = ()
    keeps: Collection[str] = ()
    protected: Collection[str] = ()
    restored: bool = False
    """A backup was put back: that an archive was verified may have happened since, so that its bytes alone tell."""


def always(ground: Ground) -> list[Breach]:
    """What holds at any moment, in the midst of work and right after a crash; nothing of a store that is not there."""
    with reading(ground.engine) as session:
        return [*_rows_once(session), *_work_goes_on(session), *_folders_whole(ground), *_clips_there(ground, session)]


def at_rest(ground: Ground) -> list[Breach]:
    """What holds when nothing is left to do: `always`, every clip's end, and that nothing was left lying about."""
    found = always(ground)
    with reading(ground.engine) as session:
        found += [*_all_ended(ground, session), *_archives(ground, session), *_leases(session)]
    return [*found, *_leftovers(ground), *_as_undisturbed(ground)]


def canonical(engine: Engine, names: Mapping[str, str], stores: Mapping[str, Path]) -> dict[str, str]:
    """The metadata of each clip in ``names`` as JSON, and what its archive holds, by the clip's name in there."""
    with reading(engine) as session:
        videos = session.scalars(select(Video).where(Video.video_id.in_(list(names)))).all()
        return {names[one.video_id]: _canonical(session, one, stores) for one in videos}


def trips(engine: Engine, names: Mapping[str, str]) -> str:
    """The trips as JSON, their clips by name; comparable between runs of exactly the same clips."""
    with reading(engine) as session:
        found = []
        for row in session.scalars(select(TripRow)):
            clips = session.scalars(select(Video.video_id).where(Video.trip_id == row.trip_id))
            found.append(_columns(row, TripRow.__table__) | {"videos": sorted(names.get(one, one) for one in clips)})
    text = json.dumps(sorted(found, key=lambda one: str(one["videos"])), default=str, sort_keys=True, indent=1)
    for video_id, name in names.items():
        text = text.replace(video_id, name)
    return text


def _canonical(session: Session, video: Video, stores: Mapping[str, Path]) -> str:
    mine: dict[str, Any] = {"video": _columns(video, Video.__table__)}
    for name, entity in {"positions": PositionRow, "rejections": Rejection}.items():
        table: Any = entity
        rows = session.scalars(select(table).where(table.video_id == video.video_id))
        mine[name] = _sorted(_columns(row, table.__table__) for row in rows)
    seen = select(SightingRow, Plate.text).join(Plate).where(SightingRow.video_id == video.video_id)
    mine["sightings"] = _sorted(
        _columns(row, SightingRow.__table__) | {"text": text} for row, text in session.execute(seen)
    )
    tasks = select(TaskRow).where(TaskRow.video_id == video.video_id).order_by(TaskRow.revision)
    too_late = "vanished" if holdings.clip_let_go(session, video.video_id) else None
    ended = [row for row in session.scalars(tasks) if row.outcome not in (None, too_late)]
    latest = {row.task_type: _columns(row, TaskRow.__table__) for row in ended}
    for task in latest.values():
        task["inputs"] = [ref for ref in task["inputs"] if ref["type"] != "video"]
    mine["tasks"] = dict(sorted(latest.items()))
    mine["archive"] = _archived(video.video_id, stores)
    text = json.dumps(mine, default=str, sort_keys=True, indent=1)
    return text.replace(video.video_id, "<id>").replace(video.name, "<name>")


def _archived(video_id: str, stores: Mapping[str, Path]) -> dict[str, str]:
    """The hashes of the footage's files in the archive, by path."""
    with suppress(KeyError, StorageError):
        files = bundle.read_manifest(stores[layout.SHED] / video_id).files
        return {one.path: one.sha256 for one in files if layout.archived(layout.bundled(one.path)) is not None}
    return {}


def _columns(row: Any, table: Any) -> dict[str, Any]:
    assert isinstance(table, Table)
    found: dict[str, Any] = _without({column.name: getattr(row, column.name) for column in table.columns})
    return found


def _without(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without(one) for key, one in value.items() if key not in _LEFT_OUT}
    return [_without(one) for one in value] if isinstance(value, list) else value


def _sorted(rows: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: json.dumps(row, default=str, sort_keys=True))


def _rows_once(session: Session) -> Iterator[Breach]:
    """No row twice, asked of the rows themselves and not of their constraints."""
    keys: dict[str, tuple[ColumnElement[Any], ...]] = {
        "task": (TaskRow.task_type.expression, TaskRow.video_id.expression, TaskRow.revision.expression),
        "video": (Video.video_id.expression,),
        "crop": (SightingRow.video_id.expression, SightingRow.crop.expression),
        "sighting": (SightingRow.video_id.expression, SightingRow.plate_id.expression, SightingRow.best_pts.expression),
        "plate": (Plate.text.expression,),
        "position": (PositionRow.video_id.expression, PositionRow.t_s.expression),
    }
    for what, key in keys.items():
        for row in session.execute(select(*key, func.count()).group_by(*key).having(func.count() > 1)):
            yield Breach("nothing-twice", f"The {what} {' '.join(map(str, row[:-1]))} is there {row[-1]} times.")
    unseen = select(Plate.text).where(~select(SightingRow).where(SightingRow.plate_id == Plate.plate_id).exists())
    for text in session.scalars(unseen):
        yield Breach("no-orphan", f"The plate {text} has no sighting.")


def _work_goes_on(session: Session) -> Iterator[Breach]:
    """A clip that has not ended has something pending, and what is complete says how."""
    pending = select(TaskRow).where(TaskRow.video_id == Video.video_id, TaskRow.state == "pending").exists()
    for video_id in session.scalars(select(Video.video_id).where(Video.outcome.is_(None), ~pending)):
        yield Breach("nothing-lost", f"The clip {video_id} has not ended, and nothing is pending for it.")
    ended = Video.outcome == "processed", TaskRow.task_type == TaskType.FINALIZE_VIDEO.value
    of_clip = (
        select(TaskRow).where(TaskRow.video_id == Video.video_id, *ended[1:], TaskRow.state == "complete").exists()
    )
    for video_id in session.scalars(select(Video.video_id).where(ended[0], ~of_clip)):
        yield Breach("nothing-lost", f"The clip {video_id} counts as processed, and was never finalized.")
    for task in session.scalars(select(TaskRow).where(TaskRow.state == "complete")):
        if task.outcome is None and task.reason and task.completed_at:
            continue  # replaced by a later one, as it says
        if task.outcome is None or task.completed_at is None or (task.outcome == "processed" and not task.result):
            yield Breach("nothing-partial", f"{task.task_type} of {task.video_id} is complete without a result.")
        elif task.outcome != "processed" and not task.reason:
            yield Breach("nothing-partial", f"{task.task_type} of {task.video_id} ended {task.outcome}, for no reason.")


def _folders_whole(ground: Ground) -> Iterator[Breach]:
    """Whatever has its name is whole: archives and bundles match their manifests, and nothing lies beside."""
    for place in filter(None, (ground.stores.get(layout.SHED), _below(ground, layout.HEAVY_OUTPUT))):
        for folder in _visible(place):
            if folder.name in ground.spoiled:
                continue
            try:
                manifest = bundle.read_manifest(folder)
                differences = bundle.verify(folder, manifest)
            except StorageError as error:
                differences, manifest = [str(error)], None
            if manifest is not None and manifest.video_id != folder.name:
                differences.append(f"its manifest is of {manifest.video_id}")
            for difference in differences:
                yield Breach("archive-matches-manifest", f"{folder}: {difference}.")
    for folder in _visible(_below(ground, layout.PREPROC)):
        if not (folder / layout.CANDIDATES).is_file():
            yield Breach("nothing-partial", f"{folder} has no {layout.CANDIDATES}.")


def _clips_there(ground: Ground, session: Session) -> Iterator[Breach]:
    """The clip itself lies where it was, unless its archive is proven."""
    stores = Stores(ground.stores, ground.markers)
    for video in session.scalars(select(Video).where(Video.video_id.in_(list(ground.names)))):
        if video.video_id in ground.taken_away:
            continue
        try:
            there = stores.path(video.source).is_file()
        except (StoreError, OSError):
            continue
        if not there and video.video_id in ground.protected:
            yield Breach("protected-stays", f"{video.source} is gone, and a person has protected it.")
        if not there and (_whole(ground, video) if ground.restored else _proven(ground, session, video)) is None:
            yield Breach("raw-outlives-archive", f"{video.source} is gone, and its archive is not proven.")


def _proven(ground: Ground, session: Session, video: Video) -> Manifest | None:
    """The manifest of the clip's archive, where finalize has said so and every byte still matches."""
    final = TaskRow.video_id == video.video_id, TaskRow.task_type == TaskType.FINALIZE_VIDEO.value
    if not session.scalar(select(TaskRow.task_id).where(*final, TaskRow.outcome == "processed").limit(1)):
        return None
    return _whole(ground, video)


def _whole(ground: Ground, video: Video) -> Manifest | None:
    """The manifest of the clip's archive, where every byte matches it."""
    with suppress(StorageError, KeyError):
        folder = ground.stores[layout.SHED] / video.video_id
        manifest = bundle.read_manifest(folder)
        return None if bundle.verify(folder, manifest) else manifest
    return None


def _all_ended(ground: Ground, session: Session) -> Iterator[Breach]:
    known = {video.video_id: video for video in session.scalars(select(Video))}
    for video_id, name in ground.names.items():
        video = known.get(video_id)
        if video is None:
            yield Breach("nothing-lost", f"The clip {name} ({video_id}) was handed in and is not known.")
        elif video.outcome not in ("processed", "rejected", "vanished") or (
            video.outcome == "vanished" and video_id not in ground.taken_away
        ):
            yield Breach("nothing-lost", f"The clip {name} ({video_id}) ended as {video.outcome}: {video.reason}.")
        elif video.outcome != "processed" and not video.reason:
            yield Breach("nothing-lost", f"The clip {name} ({video_id}) was {video.outcome} for no reason.")
    for task in session.scalars(select(TaskRow).where(TaskRow.state == "pending")):
        why = task.hold or task.last_error or "nobody has tried it"
        yield Breach("nothing-lost", f"{task.task_type} of {task.video_id} is still pending ({why}).")


def _leases(session: Session) -> Iterator[Breach]:
    for task in session.scalars(select(TaskRow).where(TaskRow.state == "pending", TaskRow.flow_run_id.is_not(None))):
        yield Breach("no-lease", f"{task.task_type} of {task.video_id} is held by run {task.flow_run_id}.")


def _archives(ground: Ground, session: Session) -> Iterator[Breach]:
    """What a processed clip shows is there; what the archive's task said of it is so."""
    for video in session.scalars(select(Video).where(Video.outcome == "processed")):
        manifest = _proven(ground, session, video)
        if manifest is None or video.media != layout.archive(video.video_id):
            yield Breach("nothing-partial", f"The clip {video.video_id} is processed, and its archive is not proven.")
            continue
        if video.facts and manifest.source_sha256 != video.facts["sha256"]:
            yield Breach("archive-matches-manifest", f"The archive of {video.video_id} is of another clip.")
        there = {one.path for one in manifest.files}
        shown = {name for one in video.sightings for name in (one.crop, one.frame)} | ({video.poster} - {None, ""})
        for name in sorted(str(one) for one in shown - there):
            yield Breach("nothing-partial", f"{name} of {video.video_id} is shown and is not in its archive.")
        pictures = {name for name in there if name.startswith((f"{layout.PLATES}/", f"{layout.FRAMES}/"))}
        for name in sorted(pictures - shown - {layout.TIMES}):
            yield Breach("no-orphan", f"{name} of {video.video_id} is archived, and no sighting shows it.")


def _leftovers(ground: Ground) -> Iterator[Breach]:
    """Nothing half-made, nothing of an ended clip that is not kept, nothing of a clip that nobody knows."""
    with reading(ground.engine) as session:
        outcomes = dict(session.execute(select(Video.video_id, Video.outcome)).tuples().all())
    for place in (layout.PREPROC, layout.HEAVY_OUTPUT):
        for folder in _entries(_below(ground, place)):
            if folder.name not in outcomes:
                yield Breach("no-orphan", f"{folder} is of no clip that is known.")
            elif outcomes[folder.name] == "processed" and place not in ground.keeps:
                yield Breach("no-leftover", f"{folder} is left of a clip that has ended.")
    for folder in _visible(ground.stores.get(layout.SHED)):
        if outcomes.get(folder.name) != "processed":
            yield Breach("no-orphan", f"{folder} is the archive of no clip that was processed.")
    for root in (ground.stores.get(name) for name in (layout.INDOOR, layout.SHED)):
        for path in sorted(root.rglob(".*.*")) if root and root.is_dir() else ():
            if path.suffix in (".part", ".old"):
                yield Breach("no-part-file", f"{path} is left half-made.")
    for scratch in ground.scratch:
        for entry in _entries(scratch):
            if entry.name != UNDELIVERED or _entries(entry):
                yield Breach("no-scratch", f"{entry} is left in scratch.")


def _as_undisturbed(ground: Ground) -> Iterator[Breach]:
    here = {video_id: name for video_id, name in ground.names.items() if video_id not in ground.taken_away}
    for video_id, name in here.items():
        found = canonical(ground.engine, {video_id: name}, ground.stores).get(name)
        if found is not None and found != ground.reference[name]:
            pairs = zip(found.splitlines(), ground.reference[name].splitlines(), strict=False)
            other = next((f"{a.strip()} instead of {b.strip()}" for a, b in pairs if a != b), "it is longer or shorter")
            yield Breach("metadata-equal", f"The metadata of {name} ({video_id}) is not as undisturbed: {other}.")


def _below(ground: Ground, place: str) -> Path | None:
    root = ground.stores.get(layout.INDOOR)
    return root / place if root else None


def _entries(folder: Path | None) -> list[Path]:
    return sorted(folder.iterdir()) if folder and folder.is_dir() else []


def _visible(folder: Path | None) -> list[Path]:
    return [entry for entry in _entries(folder) if entry.is_dir() and not entry.name.startswith(".")]
