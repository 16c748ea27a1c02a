"""What it costs to correct a camera's clock over all its clips, and how long others wait for the database meanwhile."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from rich.table import Table
from sqlalchemy import Connection, Engine, event, insert, update
from sqlalchemy.exc import OperationalError

from dashcam import Say
from dashcam.catalog import clocks, deriving
from dashcam.catalog.camera_rows import CameraClock
from dashcam.catalog.models import PositionRow, Video
from dashcam.config import Site
from dashcam.database import open_engine, writing
from dashcam.gps.restart import counter_of

CLIPS_A_DAY = 40
FIXES = 60
"""Of each clip of a minute."""
HOUR_S = 3600.0
FIRST_DAY = datetime(2021, 1, 1, 8, tzinfo=UTC)
OTHERS_EVERY_S = 0.1


class CorrectionCost(BaseModel):
    clips: int
    """Of the camera that is corrected; as many of another run beside them."""
    cpu_s: float
    cpu_ms_a_clip: float
    tenth_cpu_ms_a_clip: float
    """The same with a tenth of the clips."""
    growth: float
    write_transactions: int
    longest_write_s: float
    """By the clock, the wait before it not included."""
    longest_wait_s: float
    """Of another writer, who writes a row all the time, for its turn and its write."""
    locked: int
    """How often that one was told that the database is locked."""


def measure(folder: Path, clips: int, say: Say = lambda what: None) -> CorrectionCost:
    """Make both catalogues in ``folder`` and correct the camera "front" by an hour in each."""
    few = max(CLIPS_A_DAY, clips // 10)
    say(f"Correcting the clock of {few:,} clips")
    tenth = corrected(folder / "tenth.db", few)
    say(f"Correcting the clock of {clips:,} clips")
    whole = corrected(folder / "whole.db", clips)
    whole.tenth_cpu_ms_a_clip = tenth.cpu_ms_a_clip
    whole.growth = round(whole.cpu_ms_a_clip / tenth.cpu_ms_a_clip, 2)
    return whole


def corrected(file: Path, clips: int) -> CorrectionCost:
    import migrations  # as in bench/catalog.py

    engine = open_engine(f"sqlite:///{file}")
    try:
        migrations.upgrade(engine)
        fill(engine, clips)
        deriving.derive_everything(engine, Site().trips)
        with write_transactions(engine) as lasted, another_writer(engine) as (waited, refused):
            began = time.thread_time()
            changed = clocks.correct(engine, "front", HOUR_S, Site())
            cpu_s = time.thread_time() - began
    finally:
        engine.dispose()
    if changed != clips:
        raise AssertionError(f"{changed} of {clips} clips were corrected")
    each = round(cpu_s * 1000 / clips, 2)
    return CorrectionCost(
        clips=clips,
        cpu_s=round(cpu_s, 1),
        cpu_ms_a_clip=each,
        tenth_cpu_ms_a_clip=each,
        growth=1.0,
        write_transactions=len(lasted),
        longest_write_s=round(max(lasted), 2),
        longest_wait_s=round(max(waited, default=0.0), 2),
        locked=len(refused),
    )


def fill(engine: Engine, clips: int) -> None:
    """A front and a rear clip each minute of a drive a day, named and numbered by one clock, with places in front."""
    for first in range(0, clips, 1000):
        videos: list[dict[str, Any]] = []
        positions: list[dict[str, Any]] = []
        for number in range(first, min(first + 1000, clips)):
            start = FIRST_DAY + timedelta(days=number // CLIPS_A_DAY, minutes=number % CLIPS_A_DAY)
            videos += [clip(start, 2 * number, "front"), clip(start, 2 * number + 1, "rear")]
            where = {"video_id": videos[-2]["video_id"], "source": "novatek", "quality": "fix"}
            positions += [
                where | {"t_s": at, "utc": start + timedelta(seconds=at), "lat": 44 + number % CLIPS_A_DAY * 1e-3}
                | {"lon": 26 + at * 1e-4, "speed_mps": 9.0, "heading_deg": 0.0}
                for at in range(FIXES)
            ]  # fmt: skip
        with writing(engine) as session:
            session.execute(insert(Video), videos)
            session.execute(insert(PositionRow), positions)


def clip(start: datetime, number: int, camera: str) -> dict[str, Any]:
    name, key = f"{start:%Y_%m%d_%H%M%S}_{number + 1:06d}{camera[0].upper()}.MP4", f"{number:016x}"
    facts = {"name": name, "sha256": key, "size": 1, "camera": camera, "trip": "", "clock": "name", "duration_s": 60.0}
    facts |= {"start_utc": start.isoformat(), "width": 1280, "height": 720, "fps": 30.0, "codec": "h264"}
    video = {"video_id": key, "name": name, "source": f"indoor_nas:raw/{name}", "created_at": start, "start_utc": start}
    video |= {"duration_s": 60.0, "camera": camera, "clock": "camera", "counter": counter_of(name)}
    return video | {"facts": facts | {"frames": 1800, "clock_kind": "camera"}}


@contextmanager
def write_transactions(engine: Engine) -> Iterator[list[float]]:
    """Seconds between BEGIN and COMMIT of each write transaction of this thread."""
    me, lasted = threading.get_ident(), list[float]()
    began: dict[int, float] = {}

    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("write") and threading.get_ident() == me:
            began[id(connection)] = time.monotonic()

    def commit(connection: Connection) -> None:
        if threading.get_ident() == me and (start := began.pop(id(connection), None)) is not None:
            lasted.append(time.monotonic() - start)

    event.listen(engine, "begin", begin)
    event.listen(engine, "commit", commit)
    yield lasted
    event.remove(engine, "begin", begin)
    event.remove(engine, "commit", commit)


@contextmanager
def another_writer(engine: Engine) -> Iterator[tuple[list[float], list[str]]]:
    """How long each small write of another thread took, and what it was refused with."""
    over = threading.Event()
    waited: list[float] = []
    refused: list[str] = []

    def write() -> None:
        while not over.wait(OTHERS_EVERY_S):
            began = time.monotonic()
            try:
                with writing(engine) as session:
                    session.execute(update(CameraClock).where(CameraClock.camera == "nobody's").values(ahead_s=0.0))
            except OperationalError as error:
                refused.append(str(error))
            waited.append(time.monotonic() - began)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield waited, refused
    finally:
        over.set()
        thread.join()


def table_of(cost: CorrectionCost) -> Table:
    table = Table(title=f"The clock of {cost.clips:,} clips, corrected", title_justify="left")
    table.add_column("what")
    table.add_column("", justify="right")
    for what, figure in (
        ("CPU", f"{cost.cpu_s:.1f} s"),
        ("CPU a clip", f"{cost.cpu_ms_a_clip:.1f} ms"),
        ("the same with a tenth of them", f"{cost.tenth_cpu_ms_a_clip:.1f} ms"),
        ("write transactions", f"{cost.write_transactions:,}"),
        ("the longest of them", f"{cost.longest_write_s:.2f} s"),
        ("another writer's longest wait", f"{cost.longest_wait_s:.2f} s"),
        ('"database is locked"', str(cost.locked)),
    ):
        table.add_row(what, figure)
    return table
