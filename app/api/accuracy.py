"""How much the cheap look misses."""

from typing import Annotated

from fastapi import APIRouter, Query

from app import system
from dashcam.catalog import accuracy
from dashcam.database import reading

router = APIRouter(prefix="/accuracy", tags=["accuracy"])


@router.get("")
def get_accuracy(limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> accuracy.Accuracy:
    """By reason of rejection: seconds rejected, seconds audited, the share of them in which a plate was missed with its
    95 % interval; and the missed plates of the newest ``limit`` clips that have some."""
    with reading(system.current().engine) as session:
        return accuracy.accuracy(session, limit)
