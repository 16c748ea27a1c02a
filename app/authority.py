"""The certificate of the site's own authority, for whoever is to trust it: a device that joins, a browser."""

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

from dashcam import config

router = APIRouter(include_in_schema=False)


@router.get(f"/{config.AUTHORITY_FILE}")
def certificate() -> FileResponse:
    """Open to all: it is public, and who asks has nothing to log in with yet."""
    file = config.authority()
    if file is None:
        raise HTTPException(404, "This site has no authority of its own.")
    return FileResponse(file, media_type="application/x-x509-ca-cert")
