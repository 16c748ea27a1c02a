"""How a program proves who it is: ``Authorization: Bearer <token>``, at every call but ``/health`` and this one.

The guard (`app.access.guard`) looks at it; here it only stands in the API's own description.
"""

from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter, HTTPException, Request
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field

from app import system
from app.access.entry import WrongPassword
from app.access.limits import TooMany
from dashcam.access import audit

router = APIRouter(prefix="/auth", tags=["access"])
bearer = HTTPBearer(auto_error=False, description="A token, see docs/access.md")


class Proof(BaseModel):
    user: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=1, max_length=1000, repr=False)


class Given(BaseModel):
    access_token: str
    token_type: Literal["bearer"] = "bearer"
    role: str
    expires_at: datetime


@router.post("/token")
def token(proof: Proof, request: Request) -> Given:
    """A token that lets a program in as this person, for a while (``access.token_hours``)."""
    here, now = system.current(), datetime.now(UTC)
    address = here.access.address(request)
    try:
        account = here.access.proven(proof.user, proof.password, address)
    except WrongPassword as wrong:
        raise HTTPException(401, str(wrong), headers={"WWW-Authenticate": "Bearer"}) from wrong
    except TooMany as many:
        raise HTTPException(429, str(many)) from many
    here.access.note(account.name, "log-in", audit.GOT_TOKEN, address)
    secret, until = here.access.signed(account, now)
    return Given(access_token=secret, role=account.role, expires_at=until)
