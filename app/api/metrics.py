"""For Prometheus."""

import asyncio
from datetime import UTC, datetime
from functools import partial

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from app import findings, system
from dashcam.catalog import devices, work

router = APIRouter(prefix="/metrics", tags=["upkeep"])


@router.get("", response_class=Response)
async def scrape() -> Response:
    """Backlog, devices, stores, durations, failures, in Prometheus' text format; cheap enough for every few seconds."""
    here, now = system.current(), datetime.now(UTC)
    told = here.metrics
    backlog, counts = await here.recent(work.backlog), await here.recent(work.task_counts)
    told.work(backlog, counts["stuck"], await here.ask(findings.oldest_waiting), now)
    told.machines(await here.ask(partial(devices.lines, now=now)))
    told.disks(here.caretaker.rooms, await asyncio.to_thread(findings.database_bytes, here))
    told.found(here.caretaker.found)
    return Response(told.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)
