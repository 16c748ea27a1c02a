"""Backups of the database, and what archives keep of a clip."""

from fastapi import APIRouter, HTTPException

from app import system
from app.access import callers
from app.upkeep import BackupState
from dashcam.catalog import held_back
from dashcam.catalog.record import record_of
from dashcam.database import reading
from dashcam.records import ClipRecord
from dashcam.upkeep import maintenance
from dashcam.upkeep.maintenance import Maintained

router = APIRouter(tags=["upkeep"])


@router.get("/backup")
def get_backup() -> BackupState:
    """How the last backup went, and which there are."""
    return system.current().upkeep.told()


@router.post("/backup", status_code=202)
def take_backup() -> BackupState:
    """Begin a backup of the database; ``GET`` says when it has ended. 409 while one is under way."""
    upkeep = system.current().upkeep
    if not upkeep.begin():
        raise HTTPException(409, "A backup is under way already: wait until it has ended.")
    return upkeep.told()


@router.post("/maintenance")
def maintain() -> Maintained:
    """Put the catalogue in order: plates and trips that nothing refers to go, the search's keys are held against the
    plates, the database counts anew what it plans by. In short transactions; safe to repeat."""
    return maintenance.maintain(system.current().engine)


@router.get("/videos/{video_id}/record")
def get_record(video_id: str) -> ClipRecord:
    """What the clip's stages have said, as its archive keeps it."""
    with reading(system.current().engine) as session:
        record = record_of(session, video_id)
        hidden = callers.of_a_person() and held_back.pictures(session, video_id)
    if record is not None and hidden:
        record = held_back.shown(record, hidden)
    if record is None:
        raise HTTPException(404, f"There is no video {video_id} that the heavy stage is through with.")
    return record
