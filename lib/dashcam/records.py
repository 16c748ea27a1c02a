"""The records that stages hand to each other and to the catalogue.

Everything here is plain data with units in the names: ``*_s`` are seconds, boxes are ``(x0, y0, x1, y1)`` in pixels
of the source video, times are UTC. A stage result travels as JSON over REST and is applied to the database by the
main server alone (rule 1 of docs/architecture.md).
"""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

Box = tuple[float, float, float, float]
ClockKind = Literal["utc", "gps_local", "camera"]
"""Of a clip's times: the satellites' UTC, GPS records in local time labelled UTC, or the camera's own clock."""
CharacterProbabilities = list[dict[str, float]]
"""One distribution per character: ``[{"8": 0.71, "B": 0.27}, {"A": 0.99}]``; the rest to 1 is "something else"."""


HIDDEN = "#"
"""So begins the text of a plate of which only a keyed hash is kept; no plate has such a character."""
CONFUSED = ("0ODQ", "1I", "2Z", "5S", "8B")
"""Characters that readers, and who writes labels, take for each other; each group counts as its first."""
_AS_FIRST = str.maketrans({character: group[0] for group in CONFUSED for character in group})

FixQuality = Literal["fix", "2d", "3d"]
"""``fix`` where the source says no more than that it has one."""


def alike(text: str) -> str:
    """The same for all texts that differ in `CONFUSED` characters alone."""
    return text.translate(_AS_FIRST)


class Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Fix(Record):
    """One GPS fix of the clip. ``t_s`` is media time: seconds after the first frame."""

    t_s: float
    utc: AwareDatetime
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)
    speed_mps: float | None = None
    heading_deg: float | None = None
    source: str = "novatek"
    quality: FixQuality = "fix"


class VideoFacts(Record):
    """INGEST_VIDEO's result: what the container, the file name and the GPS say about a clip."""

    name: str
    sha256: str
    size: int
    camera: str = ""
    """``front``, ``rear``, ``interior``, ``telephoto`` or empty when the name does not say."""
    kind: str = "normal"
    """``normal``, ``parking`` or ``event``."""
    locked: bool = False
    """Protected in the camera: it lay in the folder for such clips (``RO``)."""
    trip: str
    start_utc: AwareDatetime
    clock: Literal["gps", "name", "container", "file"]
    """Where ``start_utc`` comes from, most trusted first."""
    clock_kind: ClockKind = "camera"
    camera_ahead_s: float | None = None
    """How far the clock of the file name is ahead of UTC; None when the GPS does not tell."""
    time_zone: str = ""
    """Of the camera's clock, where it is known; of the place, where no file name tells the camera's."""
    duration_s: float
    width: int
    height: int
    fps: float
    codec: str
    frames: int
    fixes: list[Fix] = []
    note: str = ""
    """A plain sentence when something about a usable clip is worth knowing."""
    damage: str = ""
    """What is lost of the clip, e.g. "first 41 of 60 s: the file is cut off"; the rest is of what can be read."""


class Span(Record):
    """A stretch of media time, and why it is worth a closer look (or is not)."""

    start_s: float
    end_s: float
    keep: bool
    reason: str
    audit: bool = False
    """Rejected, but looked at all the same: by such stretches the misses are counted."""
    still: bool = False
    """Kept for its view, in which nothing moves: its keyframes show all there is."""


RegionKind = Literal["plate", "car", "motorcycle", "bus", "truck"]


class ProposedRegion(Record):
    """Where a network that looks at small pictures believes a plate or a vehicle to be."""

    kind: RegionKind
    box: Box
    score: float
    distance_m: float | None = None
    """Very roughly, by how large such things are (`dashcam.gps.place.roughly_m`); None where nothing can be said."""


class KeyframeMeasures(Record):
    """What was measured on one keyframe; numbers from 0 to 1 (docs/candidates.md)."""

    t_s: float
    brightness: float
    """Of the brightest thousandth of the picture, so that one lit plate in the night counts."""
    sharpness: float
    """Variance of the Laplacian at 320 pixels of width, over 255 squared."""
    structure: float
    """Share of the picture's tiles in which brightness varies."""
    motion: float
    """Share of the picture that the largest thing which changed since the look before takes."""
    fresh: bool
    """Nothing moved since the look before, and this view had not been seen for long."""
    score: float
    """What the keyframe promises: light, focus, structure, and something that moves or may be a plate."""
    regions: list[ProposedRegion] = []


Proposals = Literal["edgetpu", "tflite-cpu", "none"]


_STILL_REASONS = ("new view", "first seconds")


class Candidates(Record):
    """``candidates.json``, PREPROCESS_VIDEO's artefact: where the heavy stage should look (docs/candidates.md)."""

    version: Literal[1, 2, 3] = 3
    """1 has spans only; 1 and 2 know no parameters and no distances, and say in words which spans are still."""
    video_id: str
    duration_s: float
    keyframes: int
    """How many were decoded and looked at."""
    spans: list[Span]
    proposals: Proposals = "none"
    """Which engine filled the looks' regions."""
    weights: str = ""
    """SHA-256 of its weights."""
    parameters: dict[str, int | float] = {}
    """What the stage went by: `dashcam.config.PreprocessSettings`."""
    looks: list[KeyframeMeasures] = []

    @model_validator(mode="before")
    @classmethod
    def _said_in_words(cls, data: Any) -> Any:
        """Of older files the spans that are still, as the heavy stage told them by their reason."""
        if isinstance(data, dict) and data.get("version") in (1, 2) and isinstance(data.get("spans"), list):
            told = [(span, isinstance(span, dict) and span.get("reason") in _STILL_REASONS) for span in data["spans"]]
            return data | {"spans": [span | {"still": True} if still else span for span, still in told]}
        return data


class PreprocessResult(Record):
    candidates: str
    """``store:path`` of candidates.json."""
    keyframes: int
    kept_s: float
    rejected_s: float
    brightness: float
    sharpness: float
    proposals: Proposals = "none"
    spans: list[Span] = []
    """As in candidates.json: what was rejected and audited is counted by the main server."""


class Read(Record):
    """One reading of one crop: the evidence that voting works on, with the frame and place that were read; ``reader``
    is set where a second reader was asked. What was read of several crops as one picture has those of the best."""

    pts: int
    t_s: float
    box: Box
    text: str
    confidence: float
    legibility: float
    slots: CharacterProbabilities
    reader: str | None = None
    looks: int = Field(1, ge=1, exclude_if=lambda looks: looks == 1)
    """Crops in the picture that was read."""


class Sighting(Record):
    """One plate, followed through one stretch of one clip, with the read that shows it best."""

    text: str
    confidence: float
    confirmed: bool
    first_s: float
    last_s: float
    best_s: float
    best_pts: int
    box: Box
    slots: CharacterProbabilities
    reads: list[Read]
    crop: str
    """Path inside the video's archive, ``plates/<plate_id>_best_crop.jpg``; see `dashcam.storage.layout`."""
    frame: str
    """Path inside the video's archive, ``frames/<plate_id>_best_frame.jpg``."""


class HeavyResult(Record):
    """HEAVY_PROCESS_VIDEO's result; ``detections.json`` says the same with the crops' paths in the bundle."""

    bundle: str
    """``store:path`` of the folder with the low-res video, crops and frames."""
    frames_decoded: int
    frames_looked_at: int
    models: dict[str, str]
    """Engine name to the SHA-256 of its weights."""
    sightings: list[Sighting]
    poster: str = ""
    damaged: int = 0
    """Packets or frames that did not decode."""


class ManifestEntry(Record):
    path: str
    size: int
    sha256: str


class Manifest(Record):
    """``manifest.json`` of an archived video, and of a bundle: every file with its hash, and what it was made from."""

    version: Literal[1] = 1
    video_id: str
    source: str
    source_sha256: str
    files: list[ManifestEntry]


class StageRecord(Record):
    """What one stage said of a clip: its task as it was completed."""

    task_type: str
    revision: int
    inputs: list[dict[str, Any]]
    result: dict[str, Any]
    outcome: str = Field("processed", exclude_if=lambda outcome: outcome == "processed")
    """Only what ended without an archive has another."""
    reason: str | None = None


class ClipRecord(Record):
    """``record.json`` of an archived video: all that the stages before the archive have found out about it, so that the
    catalogue can be made anew from archives alone. No times of work are in it: the same clip gives the same bytes."""

    version: Literal[1] = 1
    video_id: str
    source: str
    """``store:path`` of the clip when it was archived."""
    stages: list[StageRecord]
    """In the order in which a clip travels."""


class ArchiveResult(Record):
    archive: str
    """``store:path`` of the archive folder."""
    manifest_sha256: str
    files: int
    bytes: int


class FinalizeResult(Record):
    archive: str
    removed: list[str]
    """``store:path`` of each intermediate that was let go."""


HoldingKind = Literal["raw", "preproc", "heavy_output", "lowres"]
"""The clip, what preprocessing and the heavy stage wrote, and the small copy in the archive."""


class Held(Record):
    """What is held of a clip that has been through, as far as a rule needs to know it."""

    kind: HoldingKind
    video_id: str
    name: str
    uris: list[str]
    """``store:path`` of each file or folder, all of them in folders of ours."""
    bytes: int | None
    """About; None where it was never counted."""
    since: AwareDatetime
    """The archive has been verified since then."""
    protected: str | None = None
    """Who protects it and why."""
    locked: bool = False
    """In the camera."""
    pending: str | None = None
    """The stage that is still to be done for its clip."""
