"""A site with a history, made without pictures: the real table, catalogue, archive and finalize stages on two stores.

What ingest, preprocessing and the heavy stage would say of the clips is drawn; the rest happens as it does.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from app import api, system
from app.trouble import answer_trouble
from dashcam.catalog import apply, clocks, trips, work
from dashcam.catalog.models import TripRow, Video
from dashcam.config import DeviceSettings, Site
from dashcam.config.model import RetentionDays
from dashcam.database import reading, writing
from dashcam.records import HeavyResult, PreprocessResult, Read, Record, Sighting, Span, VideoFacts
from dashcam.stages import archive, finalize
from dashcam.stages.common import StageContext, StageOutput
from dashcam.storage import layout
from dashcam.storage.roots import Stores
from dashcam.tasks import table
from dashcam.tasks.model import Completion, InputRef, NewTask, Task, TaskType
from dashcam.tasks.row import TaskRow
from dashcam.upkeep import planning
from tests.catalog.car import Car, video_id

SITE = Site()
TOKEN = "a token of this test"
NOON = datetime(2026, 6, 28, 12, 0, tzinfo=UTC)
DEVICE = DeviceSettings(retention=RetentionDays(preproc_data=0, heavy_output=0))


class MadeSite:
    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        roots = {name: folder / name for name in (layout.INDOOR, layout.SHED)}
        for root in roots.values():
            root.mkdir(parents=True, exist_ok=True)
        self.stores = Stores(roots)

    def history(self) -> None:
        """Two drives and a parked car; a person has split a trip, corrected a clock, protected a clip; one clip is bad.

        The numbers of the trips have a gap.
        """
        car = Car()
        car.drive(NOON, 9)
        car.drive(NOON + timedelta(hours=2), 6)
        car.record(NOON + timedelta(hours=5), 60, 0, NOON, gps=False, said=datetime(2026, 6, 28, 20, 0))
        for number, facts in enumerate(car.clips):
            self.process(facts, number)
        self.reject(car.clips[0].model_copy(update={"name": "2026_0628_090000_000001F.MP4", "fixes": [], "frames": 0}))
        with writing(self.engine) as session:
            first = session.scalars(select(TripRow).order_by(TripRow.start_utc)).first()
            assert first is not None
            trips.split(session, first.trip_id, video_id(car.clips[2]), SITE.trips)
            planning.protect(session, video_id(car.clips[1]), "evidence", "the owner", NOON)
        clocks.correct(self.engine, "rear", 30.0, SITE)

    def process(self, facts: VideoFacts, number: int) -> None:
        name = self.new_clip(facts)
        self.complete(name, TaskType.INGEST_VIDEO, StageOutput(facts, [self.next(name, TaskType.PREPROCESS_VIDEO)]))
        looked = StageOutput(preprocessed(name), [self.next(name, TaskType.HEAVY_PROCESS_VIDEO)])
        self.complete(name, TaskType.PREPROCESS_VIDEO, looked)
        found = heavy(name, facts, number)
        self.write_bundle(name, found, number)
        self.complete(name, TaskType.HEAVY_PROCESS_VIDEO, StageOutput(found, [self.next(name, TaskType.ARCHIVE_VIDEO)]))
        self.run(name, TaskType.ARCHIVE_VIDEO, archive.run)
        self.run(name, TaskType.FINALIZE_VIDEO, finalize.run)

    def reject(self, facts: VideoFacts) -> None:
        name = self.new_clip(facts)
        with writing(self.engine) as session:
            task_id = self.task_id(session, name, TaskType.INGEST_VIDEO)
            ended = Completion(outcome="rejected", reason="The file is empty: copy it again.")
            table.complete(session, task_id, ended, partial(apply.apply, site=SITE))

    def new_clip(self, facts: VideoFacts) -> str:
        name = video_id(facts)
        with writing(self.engine) as session:
            session.add(Video(video_id=name, name=facts.name, source=f"indoor_nas:raw/{name}", created_at=NOON))
            session.flush()
            table.publish(session, self.next(name, TaskType.INGEST_VIDEO))
        return name

    def next(self, name: str, kind: TaskType) -> NewTask:
        refs = [InputRef.of(f"indoor_nas:raw/{name}", "video")]
        if kind is TaskType.ARCHIVE_VIDEO:
            refs.append(InputRef.of(layout.bundle(name), "bundle"))
        return NewTask(task_type=kind, video_id=name, inputs=refs)

    def complete(self, name: str, kind: TaskType, output: StageOutput) -> None:
        result: Record = output.result
        said = Completion(result=result.model_dump(mode="json"), publish=output.publish)
        with writing(self.engine) as session:
            task_id = self.task_id(session, name, kind)
            assert table.complete(session, task_id, said, partial(apply.apply, site=SITE))

    def run(self, name: str, kind: TaskType, stage: Any) -> None:
        with reading(self.engine) as session:
            todo = work.get(session, self.task_id(session, name, kind))
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        assert todo is not None
        self.complete(name, kind, stage(todo, StageContext(self.stores, scratch, DEVICE, logging.getLogger("site"))))

    def task_id(self, session: Any, name: str, kind: TaskType) -> int:
        wanted = select(TaskRow.task_id).where(TaskRow.video_id == name, TaskRow.task_type == kind.value)
        number: int = session.scalars(wanted.order_by(TaskRow.revision.desc()).limit(1)).one()
        return number

    def write_bundle(self, name: str, found: HeavyResult, number: int) -> None:
        folder = self.stores.path(found.bundle)
        files = {layout.LOWRES: b"low resolution " * 1000, layout.POSTER: f"poster {number}".encode()}
        for seen in found.sightings:
            files |= {layout.bundled(seen.crop): seen.text.encode(), seen.frame: seen.text.encode() * 2}
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)

    @contextmanager
    def server(self) -> Iterator[TestClient]:
        system.start(system.System(self.engine, SITE, self.stores, TOKEN))
        web = FastAPI()
        answer_trouble(web)
        web.include_router(api.router)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with TestClient(web, base_url="http://testserver/api/v1", headers=headers) as http:
            yield http

    def work_off(self) -> list[str]:
        """Archive and finalize what waits for that; the stages that were run."""
        ran = []
        while todo := self.pending():
            kind = todo[0].task_type
            self.run(todo[0].video_id, kind, {TaskType.ARCHIVE_VIDEO: archive.run}.get(kind, finalize.run))
            ran.append(kind.value)
        return ran

    def pending(self) -> list[Task]:
        with reading(self.engine) as session:
            return work.pending(session, None, 100)

    def answers(self) -> dict[str, Any]:
        """What the main server answers about all that there is, without the numbers that no archive can know."""
        with self.server() as http:
            said = {path: http.get(path).raise_for_status().json() for path in LISTS}
            for one in said["/videos?limit=1000"]["videos"]:
                for part in ("", "/track"):
                    path = f"/videos/{one['video_id']}{part}"
                    said[path] = http.get(path).raise_for_status().json()
            for one in said["/plates?limit=1000"]:
                path = f"/plates/{one['text']}"
                said[path] = http.get(path).raise_for_status().json()
            for one in said["/trips"]["trips"]:
                path = f"/trips/{one['trip_id']}"
                said[path] = http.get(path).raise_for_status().json()
        told: dict[str, Any] = json.loads(json.dumps(said, sort_keys=True))
        return told


LISTS = ("/videos?limit=1000", "/plates?limit=1000", "/trips", "/cameras/clocks", "/accuracy", "/search?q=LT2")


def preprocessed(name: str) -> PreprocessResult:
    spans = [
        Span(start_s=0, end_s=30, keep=True, reason="moves"),
        Span(start_s=30, end_s=40, keep=False, reason="nothing moves", audit=True),
    ]
    measures = {"keyframes": 40, "kept_s": 30, "rejected_s": 10, "brightness": 0.5, "sharpness": 0.01}
    return PreprocessResult(candidates=layout.candidates(name), spans=spans, **measures)  # type: ignore[arg-type]


def heavy(name: str, facts: VideoFacts, number: int) -> HeavyResult:
    return HeavyResult(
        bundle=layout.bundle(name),
        frames_decoded=facts.frames,
        frames_looked_at=60,
        models={"detector": "ab" * 32},
        sightings=[sighting(f"LT{number % 3 + 21}CGK", 10.0), sighting(f"DX{number:02d}ZWH", 33.0)],
        poster=layout.POSTER,
    )


def sighting(text: str, at: float) -> Sighting:
    box = (320.0 + at, 360.0, 480.0 + at, 400.0)
    slots = [{letter: 0.71, "B": 0.27} for letter in text]
    read = Read(pts=0, t_s=at, box=box, text=text, confidence=0.9, legibility=0.9, slots=slots)
    return Sighting(
        text=text,
        confidence=0.95,
        confirmed=True,
        first_s=at - 0.5,
        last_s=at + 0.5,
        best_s=at,
        best_pts=0,
        box=box,
        slots=slots,
        reads=[read],
        crop=layout.crop(text),
        frame=layout.frame(text),
    )
