"""What a caller hears when something the answer needs is not there now: 503, a sentence, and when to ask again; and of
what the database refuses to look for."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, OperationalError

from app.access.callers import NotAllowed
from dashcam.access.scope import OutOfScope
from dashcam.database import passing
from dashcam.storage.roots import StoreMissing

AGAIN_S = 5


def answer_trouble(web: FastAPI) -> None:
    web.add_exception_handler(StoreMissing, store_missing)
    web.add_exception_handler(OperationalError, database_trouble)
    web.add_exception_handler(DataError, no_text)
    for refused in (NotAllowed, OutOfScope):
        web.add_exception_handler(refused, not_allowed)


async def store_missing(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=503)


async def not_allowed(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=403)


async def no_text(request: Request, error: Exception) -> JSONResponse:
    """PostgreSQL takes no text with a NUL, of which SQLite says that nothing is called so."""
    if "NUL" not in str(error):
        raise error
    return JSONResponse({"detail": "Nothing has a name with a NUL character in it."}, status_code=422)


async def database_trouble(request: Request, error: Exception) -> JSONResponse:
    sentence = passing(error) if isinstance(error, OperationalError) else None
    if sentence is None:
        raise error
    return JSONResponse({"detail": sentence}, status_code=503, headers={"Retry-After": str(AGAIN_S)})
