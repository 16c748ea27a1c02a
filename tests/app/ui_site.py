"""A web process for the browser tests: ``python -m tests.app.ui_site FOLDER [--empty] [--filmed] [--log-in]
[--as-it-is] [--hurried]``; prints its address.

With ``--filmed`` it holds the drive of `tests.app.filmed` and nothing else, with ``--as-it-is`` what is in the folder's
database; with ``--hurried`` open pages ask `HURRY` times as often. With ``--log-in`` it stands behind the guard, and
ana, an admin, may log in with `PASSWORD`.
"""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import uvicorn
from fastapi import FastAPI
from nicegui import ui
from sqlalchemy import event
from sqlalchemy.orm import Session

import migrations
from app import api, media, pages, system, tidying
from app.access.guard import stand_before
from app.packed import PackedOnce
from dashcam.access import tokens, users
from dashcam.access.passwords import hashed
from dashcam.access.roles import Role
from dashcam.access.scope import tasks_of
from dashcam.catalog import accuracy, holdings, routes
from dashcam.catalog.apply import apply, apply_facts
from dashcam.catalog.deriving import derive_everything
from dashcam.catalog.models import DeviceRow, Rejection, Video
from dashcam.catalog.places import place_sightings
from dashcam.catalog.reread_rows import ReadChange, Reread
from dashcam.config import Site
from dashcam.config.model import RetentionDays
from dashcam.database import open_engine, writing
from dashcam.records import PreprocessResult, Span
from dashcam.storage.roots import Stores
from dashcam.tasks.model import Completion, TaskType
from dashcam.upkeep import planning
from dashcam.upkeep.retention import Plan, Rules, StoreState
from tests.app.filmed import film_a_drive, there_and_back
from tests.app.on_the_loop import refuse_on_the_loop
from tests.catalog.car import SITE, Car
from tests.catalog.rows import NOON, add_route, add_sighting, add_task, add_video

PASSWORD = "correct horse battery"
HURRY = 20
NASTY = (
    "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>`${window.pwned=1}`'\""
    "{{constructor.constructor('window.pwned=1')()}}"
)
"""HTML, a script's text, a template of Vue's and of Jinja's: nothing of it may be anything but text."""


def picture(folder: Path, name: str, text: str) -> None:
    image = np.full((60, 200, 3), 235, np.uint8)
    cv2.putText(image, text[:9], (8, 42), cv2.FONT_HERSHEY_SIMPLEX, 1, (20, 20, 20), 2)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / name), image)


def clip(path: Path, size: tuple[int, int], seconds: int = 10, fps: int = 10) -> None:
    """Ten seconds of grey that gets lighter."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for number in range(seconds * fps):
            grey = np.full((size[1], size[0], 3), 40 + number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, "rgb24")))
        container.mux(stream.encode())


def fill(session: Session, archive: Path) -> None:
    first = add_video(session, 1)
    folder = archive / first.video_id
    picture(folder, "frames/poster.jpg", "poster")
    clip(folder / "video_lowres.mp4", (320, 180))
    add_route(session, first)
    for text, at, sure in (("LT23CGK", 2.0, True), ("DX17ZWH", 6.0, True), (NASTY, 8.0, True), ("LT23", 4.0, False)):
        number = round(at * 1000)
        place = {"lat": 44.43 + at * 2e-4, "lon": 26.1}
        box = [320.0 + 40 * at, 360.0, 480.0 + 40 * at, 400.0]
        row = add_sighting(session, first, text, at, confirmed=sure, box=box, **place)
        row.slots = [{sign: 0.8, "8": 0.15, NASTY: 0.02} for sign in text]
        row.reads = [one | {"slots": row.slots} for one in row.reads]
        picture(folder, f"plates/{number}_best_crop.jpg", text)
        picture(folder, f"frames/{number}_best_frame.jpg", text)
    upright = add_video(session, 2, NOON - timedelta(hours=2))
    upright.facts = (upright.facts or {}) | {"width": 720, "height": 1280}
    clip(archive / upright.video_id / "video_lowres.mp4", (180, 320))
    add_sighting(session, upright, "B577PRO", 1.0, box=[360.0, 640.0, 540.0, 704.0])
    for number in range(3, 70):
        add_sighting(session, add_video(session, number, NOON - timedelta(hours=number)), "B577PRO", 1.0)
    sample_of_the_rejected(session, first)
    read_again(session, first)
    kept_and_gone(session, first, session.get_one(Video, f"{4:016x}"))
    broken = add_video(session, 100, None, name=NASTY, outcome="rejected", reason="The file is empty: copy it again.")
    add_task(session, broken, "INGEST_VIDEO", state="complete", outcome="rejected", completed_at=NOON)
    held = add_video(
        session, 101, NOON + timedelta(hours=1), outcome=None, media=None, poster=None, frames_decoded=None
    )
    add_task(session, held, hold="run cancelled in Prefect", failures=1, last_error=f"No such file: {NASTY}")
    there = datetime.now(UTC) + timedelta(hours=1)  # however long the tests of this site take
    session.add(DeviceRow(hostname="gpu-pc", device_type="gpu", last_seen=there, info={"card": NASTY}))
    session.add(DeviceRow(hostname="shed-nas", device_type="nas", last_seen=NOON, info={}))
    drained = "other programs load the graphics card with 63 %"
    info = {"pool": "gpu", "cores": 16}
    session.add(DeviceRow(hostname="study-pc", device_type="gpu", last_seen=there, info=info, drained=drained))


def read_again(session: Session, video: Video) -> None:
    """One plate is read otherwise than before, one is new, one not seen any more, and of one a person had said."""
    session.add(Reread(video_id=video.video_id, at=NOON))
    plates: list[tuple[str | None, str | None, str | None, float]] = [
        ("LT2ECGK", "LT23CGK", None, 2.0), (None, "DX17ZWH", None, 6.0), ("B577PR0", None, None, 7.0),
        (NASTY, f"{NASTY}8", NASTY, 8.0), ("LT2", "LT23", "LT23CGK", 4.0),
    ]  # fmt: skip
    for was, now, said, at_s in plates:
        known = {"was_confidence": was and 0.71, "now_confidence": now and 0.95, "said": said, "best_s": at_s}
        crop = now and f"plates/{round(at_s * 1000)}_best_crop.jpg"
        session.add(ReadChange(video_id=video.video_id, at=NOON, was=was, now=now, crop=crop, **known))


def kept_and_gone(session: Session, here: Video, gone: Video) -> None:
    """Of one clip some is due, and a rule has removed another one's original and small copy; a third is protected."""
    nasty = session.get_one(Video, f"{5:016x}")
    for video in (here, gone, nasty):
        holdings.note(session, video, NOON - timedelta(days=1), [], RetentionDays())
    for kind in ("raw", "lowres"):
        holdings.gone(session, gone.video_id, kind, 1, "storage_retention_days.raw_videos = 90", 12_345_678)
    planning.protect(session, nasty.video_id, NASTY, "Ana", NOON)
    states = [
        StoreState(store="indoor_nas", total=4 * 10**12, free=10**12),
        StoreState(store="shed_nas", trouble=NASTY),
    ]
    rules = Rules.of(Site())
    known = {"made_at": NOON, "unattended": True, "report_only": True, "refused": [], "rules": rules, "items": []}
    planning.announce(session, Plan.model_validate(known | {"later": 3, "later_bytes": 5, "stores": states}))


def sample_of_the_rejected(session: Session, video: Video) -> None:
    """One plate of the clip was only seen where preprocessing had rejected it; the other clips have none such."""
    spans = [
        Span(start_s=0, end_s=3, keep=True, reason="new view"),
        Span(start_s=3, end_s=7.5, keep=False, reason="nothing moves", audit=True),
        Span(start_s=7.5, end_s=10, keep=False, reason="too dark"),
    ]
    result = PreprocessResult(
        candidates="a:b", keyframes=10, kept_s=3, rejected_s=7, brightness=0.5, sharpness=0.01, spans=spans
    )
    add_task(
        session,
        video,
        "PREPROCESS_VIDEO",
        state="complete",
        completed_at=NOON - timedelta(days=1),
        result=result.model_dump(),
    )
    accuracy.note_rejected(session, video.video_id, result)
    session.flush()
    accuracy.note_missed(session, video.video_id)
    for number in range(3, 70):
        known = {"seconds": 2710.0, "audited_s": 55.0, "audited": 11, "missed_s": 0.0, "missed": 0}
        session.add(Rejection(video_id=f"{number:016x}", reason="nothing moves", **known))


def drive(session: Session, archive: Path) -> None:
    """Twelve minutes with a stop of six, seen by two cameras; it brakes hard. One plate ahead, one behind."""
    car = Car()
    car.drive(NOON - timedelta(minutes=50), 6, stand_s=20)
    car.drive(NOON - timedelta(minutes=38), 6, 18.0)
    car.park(NOON - timedelta(minutes=20), 2, timedelta(minutes=3))
    for number, facts in enumerate(car.clips):
        # as the real ids are, 16 hexadecimal digits
        video = Video(video_id=f"{0xCA0 + number:016x}", name=facts.name, source="a:b", created_at=NOON)
        session.add(video)
        session.flush()
        apply_facts(session, video, facts, SITE)
        video.outcome, video.media, video.poster = "processed", f"shed_nas:{video.video_id}", "frames/poster.jpg"
        picture(archive / video.video_id, "frames/poster.jpg", facts.camera)
        if number < 2:
            add_sighting(session, video, f"TR1P{number}", 60.0, box=[700.0, 400.0, 760.0, 413.0])
            picture(archive / video.video_id, "plates/60000_best_crop.jpg", f"TR1P{number}")
            place_sightings(session, video, SITE.place)


def lost(session: Session) -> None:
    """A clip whose camera lost power: no picture, and positions that were saved."""
    car = Car(lat=52.6, counter=199)
    car.drive(NOON - timedelta(days=4), 1)
    facts = car.clips[0].model_copy(update={"frames": 0, "codec": "", "time_zone": "Europe/London"})
    video = Video(video_id=f"{0xDEAD:016x}", name=facts.name, source="a:b", created_at=NOON)
    session.add(video)
    session.flush()
    reason = (
        f"{facts.name} has no index (moov): copy it from the card again. Its {len(facts.fixes)} positions are kept."
    )
    said = Completion(outcome="rejected", reason=reason, result=facts.model_dump(mode="json"))
    apply(session, TaskType.INGEST_VIDEO, video.video_id, said, SITE)


def people(session: Session) -> None:
    now = datetime.now(UTC)
    for name, role, since in (("ana", Role.ADMIN, None), ("ben", Role.MEMBER, NOON), ("vic", Role.VIEWER, None)):
        users.add(session, name, hashed(PASSWORD, name), role, now, since)
    for hostname, device_type, store in (("study-pc", "rtx_4090", "shed_nas"), ("gone-pc", "rtx_4090", "shed_nas")):
        tokens.for_device(session, hostname, device_type, tasks_of(device_type), [store], now)
    tokens.revoke_device(session, "gone-pc", now)


def hurry() -> None:
    asks = ui.timer.__init__

    def asks_sooner(self: ui.timer, interval: float, *given: Any, **named: Any) -> None:
        asks(self, interval / HURRY, *given, **named)

    ui.timer.__init__ = asks_sooner  # type: ignore[method-assign]


def main(
    folder: Path,
    empty: bool,
    log_in: bool,
    filmed: bool = False,
    as_it_is: bool = False,
    hurried: bool = False,
) -> None:
    if hurried:
        hurry()
    engine = open_engine(f"sqlite:///{folder / 'dashcam.db'}")
    migrations.upgrade(engine)
    archive = folder / "archive"
    archive.mkdir(exist_ok=as_it_is)
    if filmed:
        with writing(engine) as session:
            film_a_drive(session, archive)
            there_and_back(session)
        derive_everything(engine, SITE.trips)
    elif not empty and not as_it_is:
        with writing(engine) as session:
            fill(session, archive)
        derive_everything(engine, SITE.trips)
        with writing(engine) as session:
            drive(session, archive)
            lost(session)
        routes.draw(engine)
    event.listen(engine, "begin", refuse_on_the_loop)
    kept = {"backup": {"folder": str(folder / "backups")}, "privacy": {"key_file": str(folder / "privacy.key")}}
    kept["server"] = {"streets_file": str(folder / "streets.pmtiles")}
    site = Site.model_validate(kept | ({"access": {"login": "on"}} if log_in else {}))
    if log_in:
        with writing(engine) as session:
            people(session)
    system.start(system.System(engine, site, Stores({"shed_nas": archive}), "a token"))
    web = FastAPI(lifespan=beside)
    web.include_router(media.router)
    web.include_router(api.router)
    pages.register()
    web.add_middleware(PackedOnce)
    if log_in:
        stand_before(web)
    ui.run_with(web, **pages.RUN_WITH, show_welcome_message=False)
    tidying.begin()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        uvicorn.Server(uvicorn.Config(web, log_level="warning")).run(sockets=[listening])


@asynccontextmanager
async def beside(_web: FastAPI) -> AsyncIterator[None]:
    """What the real web process does for its pages, so that none of them has to."""
    here = system.current()
    await asyncio.to_thread(here.look_at_zone)
    await asyncio.to_thread(here.heed)
    going_on = [asyncio.create_task(one) for one in (here.keep_zone(), here.ahead.go_on(), tidying.go_on())]
    yield
    for task in going_on:
        task.cancel()


if __name__ == "__main__":
    switches = ("--empty", "--log-in", "--filmed", "--as-it-is", "--hurried")
    main(Path(sys.argv[1]), *(one in sys.argv for one in switches))
