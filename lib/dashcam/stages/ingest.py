"""INGEST_VIDEO: prove that a file is a clip, and write down what it says about itself."""

from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from dashcam.gps import clock, sources
from dashcam.media import identity, names
from dashcam.media.coding import NoDecoder
from dashcam.media.probe import Probe, UnreadableClip, probe
from dashcam.records import Fix, VideoFacts
from dashcam.stages.common import Rejected, StageContext, StageError, StageOutput, parameters
from dashcam.tasks.model import InputRef, NewTask, Task, TaskType

_HASHED = 0.9
"""Share of the work that reading the whole file is."""
_NO_PICTURE = Probe(codec="", width=0, height=0, fps=0.0, duration_s=0.0, frames=0, created=None)


def run(task: Task, ctx: StageContext) -> StageOutput:
    """Facts of ``task.input("video")``; publishes PREPROCESS_VIDEO on the same file.

    Raises ``Rejected`` for what nobody can read and for a file that grows meanwhile; ``StageError`` where only this
    device lacks a decoder; a missing file or store is an ``OSError`` or ``StoreError``, because it may come back.
    """
    source = task.input("video")
    path = ctx.stores.path(source.uri)
    try:
        facts = _facts(path, source, ctx, probe(path))
    except NoDecoder as error:
        raise StageError(str(error)) from error
    except UnreadableClip as error:
        remains = _remains(path, source, ctx) if error.has_remains else None
        saved = f" Its {len(remains.fixes)} positions are kept." if remains else ""
        raise Rejected(f"{error}{saved}", remains) from error
    picture = f"{facts.codec} {facts.width}x{facts.height}, {facts.duration_s:.1f} s, {facts.frames} frames"
    ctx.log.info("%s, %d positions, began %s (%s)", picture, len(facts.fixes), facts.start_utc, facts.clock)
    if facts.damage:
        ctx.log.warning("damaged: %s", facts.damage)
    inputs = [source, parameters(ctx.device.preprocess)]
    following = NewTask(task_type=TaskType.PREPROCESS_VIDEO, video_id=task.video_id, inputs=inputs)
    return StageOutput(facts, [following])


def _remains(path: Path, source: InputRef, ctx: StageContext) -> VideoFacts | None:
    """The positions of a clip without a picture, as long as they go; None when there are none."""
    facts = _facts(path, source, ctx, _NO_PICTURE)
    return facts.model_copy(update={"duration_s": facts.fixes[-1].t_s}) if facts.fixes else None


def _facts(path: Path, source: InputRef, ctx: StageContext, found: Probe) -> VideoFacts:
    status = path.stat()
    digest = identity.sha256(path, lambda part: ctx.progress(part * _HASHED))
    if path.stat().st_size != status.st_size:
        raise Rejected(f"{path.name} is still being written: hand it in again when it is whole.")
    name = names.parse(PurePosixPath(source.path))
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    without_gps = clock.decide([], name.start_local, ctx.device.time_zone, found.created, modified)
    located = sources.read(path, lambda: sources.Recorded(without_gps.start_utc, found.duration_s))
    fixes = located.fixes
    if located.hint:
        ctx.log.info("no positions: %s", located.hint)
    began = clock.decide(fixes, name.start_local, ctx.device.time_zone, found.created, modified)
    if not located.has_clock:
        began = without_gps
    ctx.progress(1.0)
    return VideoFacts(
        name=path.name,
        sha256=digest,
        size=status.st_size,
        camera=name.camera,
        kind=name.kind,
        locked=name.locked,
        trip=_trip(source, began.start_utc, ctx.device.time_zone),
        start_utc=began.start_utc,
        clock=began.source,
        clock_kind=began.kind,
        camera_ahead_s=began.camera_ahead_s,
        time_zone=began.zone,
        duration_s=found.duration_s,
        width=found.width,
        height=found.height,
        fps=found.fps,
        codec=found.codec,
        frames=found.frames,
        fixes=[_shifted(fix, began) for fix in fixes],
        damage=found.damage,
        note="The camera writes local time into its GPS records; corrected." if began.gps_ahead else "",
    )


def _shifted(fix: Fix, began: clock.Clock) -> Fix:
    return fix.model_copy(update={"utc": fix.utc - began.gps_ahead}) if began.gps_ahead else fix


def _trip(source: InputRef, start_utc: datetime, time_zone: str | None) -> str:
    """The folder that viofosync made, else the local date."""
    parts = PurePosixPath(source.path).parts
    if source.device == "indoor_nas" and len(parts) > 2 and parts[0] == "raw":
        return parts[1]
    return f"{clock.local(start_utc, time_zone):%Y-%m-%d}"
