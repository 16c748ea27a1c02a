"""What the main server finds when it looks at itself."""

from fastapi import APIRouter

from app import findings, system
from dashcam.doctor.finding import Finding

router = APIRouter(prefix="/doctor", tags=["upkeep"])


@router.get("")
def look() -> list[Finding]:
    """Each check with what is, and what to do where it is not as it should be; ``dashcam doctor`` shows them too."""
    return findings.findings(system.current())
