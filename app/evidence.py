"""Bundles of evidence: made on demand in a process of its own, given out as a file, kept nowhere."""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import FileResponse
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.background import BackgroundTask

from app import system, wording, zones
from app.access import callers
from app.exports import HomeToo
from app.media import original_of
from dashcam import __version__
from dashcam.catalog import pseudonyms
from dashcam.catalog.models import Plate, SightingRow, Video
from dashcam.catalog.places import track_of
from dashcam.config.privacy import Zone
from dashcam.evidence.order import LONGEST_S, Order, Seen, key_file
from dashcam.gps import home
from dashcam.records import HIDDEN, Fix, Read, VideoFacts
from dashcam.storage.roots import StoreError

AROUND_S = 2.0
"""Positions before and after the stretch, so that its ends have one too."""
LOOKS_S = 1.0
"""How often it is seen to whether anybody still waits for the bundle."""

MADE = 100
REMEMBERED = 50
"""Bundles that were made."""

router = APIRouter(prefix="/export", tags=["export"])
Second = Annotated[float, Query(ge=0, le=86_400, description="Of the clip.")]


@router.get("/evidence.zip", response_class=FileResponse)
async def evidence(
    request: Request,
    video: Annotated[str, Query(pattern="^[0-9a-f]{16}$")],
    first: Second,
    last: Second,
    plate: Annotated[str, Query(max_length=40, description="The plate that it is about.")] = "",
    blur: Annotated[bool, Query(description="Make every other plate unreadable.")] = False,
    faces: Annotated[bool, Query(description="Make every face unreadable.")] = False,
    home: HomeToo = False,
    ticket: Annotated[str, Query(max_length=64, description="Any word by which to ask how far it is.")] = "",
) -> FileResponse:
    """A stretch of a clip as a signed bundle that `dashcam verify` looks through; made in about its length."""
    if not first < last:
        raise HTTPException(422, "The stretch ends before it begins: last must be after first.")
    if last - first > LONGEST_S:
        raise HTTPException(422, f"That is more than {LONGEST_S:.0f} s: take several bundles.")
    here, cut, who = system.current(), zones.cut(home), callers.name()
    wanted = await here.ask(lambda session: order_of(session, video, (first, last), plate.upper(), cut, who))
    wanted = wanted.model_copy(update={"blur": blur, "faces": faces})
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="dashcam-evidence-"))
    begin(here.bundles, ticket)
    try:
        async with here.one_bundle:
            await made(request, wanted, folder, lambda percent: here.bundles.update({ticket: min(percent, MADE - 1)}))
    except BaseException:
        here.bundles.pop(ticket, None)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        raise
    here.bundles[ticket] = MADE
    name = f"evidence_{Path(wanted.name).stem}_{first:.0f}-{last:.0f}s.zip"
    gone = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    return FileResponse(folder / "bundle.zip", media_type="application/zip", filename=name, background=gone)


@router.get("/evidence/progress")
async def progress(ticket: Annotated[str, Query(max_length=64)]) -> dict[str, int | None]:
    """How many percent of the bundle with this ticket are made, 100 once all of it is; null while it waits for another
    one."""
    bundles = system.current().bundles
    if ticket not in bundles:
        raise HTTPException(404, "No bundle with this ticket is or was being made.")
    return {"percent": bundles[ticket]}


def begin(bundles: dict[str, int | None], ticket: str) -> None:
    """Those that were made are remembered for who asks once more, the latest."""
    for old in [one for one, percent in bundles.items() if percent == MADE][:-REMEMBERED]:
        del bundles[old]
    bundles[ticket] = None


async def made(request: Request, wanted: Order, folder: Path, tell: Callable[[int], None]) -> None:
    """Raises `HTTPException` with the maker's own sentence."""
    order, target = folder / "order.json", folder / "bundle.zip"
    await asyncio.to_thread(order.write_text, wanted.model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-m", "dashcam.evidence", str(order), str(target)]
    quiet, heard = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
    maker = await asyncio.create_subprocess_exec(*command, stdin=quiet, stdout=heard, stderr=heard)
    talk = asyncio.create_task(talked(maker, tell))
    try:
        while not talk.done():
            await asyncio.wait([talk], timeout=LOOKS_S)
            if not talk.done() and await request.is_disconnected():
                raise HTTPException(499, "Nobody waits for the bundle any more.")
    finally:
        if maker.returncode is None:
            maker.kill()
        said = await talk
    if maker.returncode:
        why = said.decode(errors="replace").strip().splitlines()
        raise HTTPException(500, why[-1] if why else "The bundle could not be made.")


async def talked(maker: asyncio.subprocess.Process, tell: Callable[[int], None]) -> bytes:
    """What it says of itself, when it has ended; how far it is in the meantime."""
    assert maker.stdout is not None and maker.stderr is not None
    said = asyncio.create_task(maker.stderr.read())
    tell(0)
    async for line in maker.stdout:
        if line.strip().isdigit():  # a library may say something, too
            tell(int(line))
    await maker.wait()
    return await said


def order_of(
    session: Session,
    video_id: str,
    span: tuple[float, float],
    plate: str,
    cut: Sequence[Zone],
    who: str,
) -> Order:
    """Raises `HTTPException` for what is not there."""
    here = system.current()
    video = session.scalar(select(Video).where(Video.video_id == video_id))
    if video is None:
        raise HTTPException(404, f"There is no video {video_id}.")
    if video.media is None or video.facts is None:
        raise HTTPException(404, f"{video.name} has not been looked through yet.")
    facts = VideoFacts.model_validate(video.facts)
    first, last = span
    if first >= facts.duration_s:
        raise HTTPException(422, f"{video.name} is only {facts.duration_s:.1f} s long.")
    seen = list(seen_in(session, video_id, span))
    if plate and plate not in {one.text for one in seen}:
        raise HTTPException(404, f"No plate {plate} was read between {first:g} and {last:g} s of {video.name}.")
    try:
        folder = here.stores.path(video.media)
    except StoreError as error:
        raise HTTPException(404, str(error)) from None
    return Order(
        video_id=video_id,
        name=video.name,
        camera=wording.CAMERA_NAMES.get(video.camera or "", video.camera or ""),
        start_utc=video.start_utc or facts.start_utc,
        time_zone=facts.time_zone,
        clock=f"{wording.CLOCK_NAMES[facts.clock]}, {wording.CLOCK_KINDS[video.clock or facts.clock_kind]}",
        sha256=facts.sha256,
        width=facts.width,
        height=facts.height,
        first_s=first,
        last_s=min(last, facts.duration_s),
        original=original_of(session, video),
        folder=folder,
        seen=seen,
        fixes=home_free(cut, track_of(session, video), span),
        plate=plate,
        made_at=datetime.now(UTC),
        made_by=who,
        version=__version__,
        key_file=key_file(pseudonyms.key_file(here.site).parent),
    )


def home_free(cut: Sequence[Zone], fixes: Sequence[Fix], span: tuple[float, float]) -> list[Fix]:
    near = [fix for fix in fixes if span[0] - AROUND_S <= fix.t_s <= span[1] + AROUND_S]
    return home.outside(cut, near)


def seen_in(session: Session, video_id: str, span: tuple[float, float]) -> Iterator[Seen]:
    first, last = span
    query = select(SightingRow, Plate.text).join(Plate, Plate.plate_id == SightingRow.plate_id)
    inside = SightingRow.first_s <= last, SightingRow.last_s >= first, ~Plate.text.startswith(HIDDEN)
    for row, text in session.execute(query.where(SightingRow.video_id == video_id, *inside)).tuples():
        reads = [Read.model_validate(read) for read in row.reads]
        yield Seen(
            text=text,
            confidence=row.confidence,
            confirmed=row.confirmed,
            first_s=row.first_s,
            last_s=row.last_s,
            best_s=row.best_s,
            crop=row.crop,
            frame=row.frame,
            reads=[read for read in reads if first <= read.t_s <= last],
        )
