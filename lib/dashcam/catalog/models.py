"""The catalogue's tables (the task table is `dashcam.tasks.row`), made and changed by ``migrations/`` only."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON as Json
from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dashcam.catalog import aside_rows as aside_rows  # its tables too
from dashcam.catalog import camera_rows as camera_rows
from dashcam.catalog import plate_words as plate_words
from dashcam.catalog import reread_rows as reread_rows
from dashcam.catalog import review_rows as review_rows
from dashcam.catalog import site_rows as site_rows
from dashcam.database import Base, UtcDateTime
from dashcam.tasks.row import only

Bytewise = String().with_variant(String(collation="C"), "postgresql")
"""Text in the order of its bytes, as SQLite has it."""
Wide = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits, which SQLite's INTEGER has already."""

TILES_PER_DEGREE, TILE_ROW = 100, 100_000
TILE = f"(CAST(lat * {TILES_PER_DEGREE} AS INTEGER) * {TILE_ROW} + CAST(lon * {TILES_PER_DEGREE} AS INTEGER))"
"""The 1/100 degree square of a position, as an index has it; SQLite cuts where PostgreSQL rounds."""


class Video(Base):
    """One clip by content: the same file copied, renamed or moved is the same video."""

    __tablename__ = "video"
    # pages list videos by time, a clip without one by its arrival; each saves a walk over all videos
    __table_args__ = (
        Index("video_time", text("coalesce(start_utc, created_at)"), "video_id"),
        Index("video_camera_time", "camera", text("coalesce(start_utc, created_at)"), "video_id"),
        Index("video_clock_time", "camera", "clock", text("coalesce(start_utc, created_at)")),
        Index("video_duration", "duration_s"),
        Index("video_outcome_time", "outcome", text("coalesce(start_utc, created_at)"), "video_id"),
    )

    video_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    source: Mapped[str]
    """``store:path`` where the clip was last seen."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    facts: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """`records.VideoFacts` without its fixes, once ingested."""
    start_utc: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    duration_s: Mapped[float | None]
    trip: Mapped[str | None] = mapped_column(index=True)
    """The folder it came in, else the local date; the trip itself is ``trip_id``."""
    trip_id: Mapped[int | None] = mapped_column(ForeignKey("trip.trip_id"), index=True)
    counter: Mapped[int | None] = mapped_column(index=True)
    """The camera's own number of the file."""
    clock: Mapped[str | None]
    """`records.ClockKind` of ``start_utc``."""
    drive: Mapped[dict[str, Any] | None] = mapped_column(Json(none_as_null=True))
    """`gps.drive.Drive`, None without positions."""
    camera: Mapped[str | None]
    frames_decoded: Mapped[int | None]
    frames_looked_at: Mapped[int | None]
    models: Mapped[dict[str, str] | None] = mapped_column(Json)
    media: Mapped[str | None]
    """``store:path`` of the folder that holds the low-res video, crops and frames: the bundle, later the archive."""
    poster: Mapped[str | None]
    outcome: Mapped[str | None]
    """None while work is pending, then ``processed``, ``rejected`` or ``vanished`` (gone before it was processed)."""
    reason: Mapped[str | None]

    sightings: Mapped[list["SightingRow"]] = relationship(back_populates="video", order_by="SightingRow.first_s")


GUESSED = Video.facts["clock"].as_string() == "file"
"""Nothing but the file's own date says when the clip began."""


class TripRow(Base):
    """A drive: clips of all cameras, brought together by `catalog.trips`; its number stays as long as its clips."""

    __tablename__ = "trip"

    trip_id: Mapped[int] = mapped_column(primary_key=True)
    start_utc: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    end_utc: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    clips: Mapped[int]
    parked: Mapped[int]
    """Clips of the parked car after it; they do not lengthen it."""
    cameras: Mapped[list[str]] = mapped_column(Json)
    distance_m: Mapped[float]
    moving_s: Mapped[float]
    max_mps: Mapped[float]
    box: Mapped[list[float] | None] = mapped_column(Json(none_as_null=True))
    """South, west, north, east."""
    leads: Mapped[list[str]] = mapped_column(Json)
    """The clips, one at a time, that tell where the car was."""
    stops: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    events: Mapped[list[dict[str, Any]]] = mapped_column(Json)


class RouteRow(Base):
    """A trip's way for the map of everything, at one `catalog.routes.LEVELS`; made beside the trips by
    `catalog.routes.draw`, gone as soon as the trip goes another way."""

    __tablename__ = "route"
    __table_args__ = (Index("route_through", "level", "trip_id", "south", "north", "west", "east"),)
    """It says which trips lead through a window, without their lines."""

    trip_id: Mapped[int] = mapped_column(ForeignKey("trip.trip_id", ondelete="CASCADE"), primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True)
    south: Mapped[float]
    west: Mapped[float]
    north: Mapped[float]
    east: Mapped[float]
    line: Mapped[str]
    """JSON, as it goes to the browser: a list of pieces, each first a place and then steps, in 1/100,000 degrees."""
    heat: Mapped[str]
    """In which cells the car was for how many seconds: `catalog.routes.packed`."""


class TripDecision(Base):
    """A person's word: a trip begins with this clip (``split``), or goes on through it (``merge``)."""

    __tablename__ = "trip_decision"

    video_id: Mapped[str] = mapped_column(ForeignKey("video.video_id"), primary_key=True)
    decision: Mapped[str]
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SourceFile(Base):
    """A path that has been looked at, so that a known file costs one stat and no hash."""

    __tablename__ = "source_file"

    uri: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(Wide)
    mtime_ns: Mapped[int] = mapped_column(Wide)
    video_id: Mapped[str] = mapped_column(ForeignKey("video.video_id"), index=True)


class Holding(Base):
    """What is held of a clip that has been through, beside its crops; a row stays when that is removed."""

    __tablename__ = "holding"
    __table_args__ = (
        only("holding_open", "removed_at IS NULL", "kind", "since", "video_id", "bytes"),
        Index("holding_removed", "removed_at", "video_id"),
    )

    video_id: Mapped[str] = mapped_column(ForeignKey("video.video_id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    """`records.HoldingKind`."""
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    """The archive has been verified since then."""
    bytes: Mapped[int | None] = mapped_column(Wide)
    """About; of what was removed as it was counted."""
    plan_id: Mapped[int | None]
    """The plan that has removed it, or was about to."""
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rule: Mapped[str | None]
    """By which it was removed."""


class Protection(Base):
    """A person's word: nothing of this clip is ever removed."""

    __tablename__ = "protection"

    video_id: Mapped[str] = mapped_column(ForeignKey("video.video_id"), primary_key=True)
    reason: Mapped[str]
    who: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ArchiveCheck(Base):
    """When an archive was read against its manifest last; `upkeep.checks`."""

    __tablename__ = "archive_check"
    __table_args__ = (Index("archive_check_at", "checked_at", "video_id"),)

    video_id: Mapped[str] = mapped_column(ForeignKey("video.video_id"), primary_key=True)
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    wrong: Mapped[list[str] | None] = mapped_column(Json(none_as_null=True))
    """What differs from the manifest, in words; None where all is right."""
    mended_by: Mapped[str | None]
    """The stage from which on the clip was done again for it; None where nothing can mend it."""
    mendings: Mapped[int] = mapped_column(default=0)
    """How often in a row."""


class RetentionPlan(Base):
    """What was announced to go, and what became of it."""

    __tablename__ = "retention_plan"

    plan_id: Mapped[int] = mapped_column(primary_key=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    plan: Mapped[dict[str, Any]] = mapped_column(Json)
    """`upkeep.retention.Plan`."""
    began_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    removed: Mapped[int] = mapped_column(default=0)
    removed_bytes: Mapped[int] = mapped_column(Wide, default=0)
    kept: Mapped[list[str]] = mapped_column(Json, default=list)
    """Why something of it was not removed; a sentence each."""


class Deletion(Base):
    """A person's word that something is to be nowhere any more. Whatever brings it back meets this row."""

    __tablename__ = "deletion"

    kind: Mapped[str] = mapped_column(primary_key=True)
    """``clip`` or ``plate``."""
    subject: Mapped[str] = mapped_column(primary_key=True)
    """The clip's ``video_id``, or the plate's `pseudonyms.Pseudonyms.of`: what it says is not kept."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    """A plate's sightings in clips from before then."""


class Leftover(Base):
    """A clip of which something lies in the stores that the database has no more; gone when they have been seen to."""

    __tablename__ = "leftover"

    video_id: Mapped[str] = mapped_column(primary_key=True)
    whole: Mapped[bool]
    """The clip is deleted; else its archive holds plates that are."""
    uris: Mapped[list[str]] = mapped_column(Json)
    """Where its file lay."""
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    trouble: Mapped[str | None]
    """Why it lies there still."""


class PositionRow(Base):
    """A GPS fix of a clip; ``t_s`` is media time."""

    __tablename__ = "position"

    video_id: Mapped[str] = mapped_column(ForeignKey("video.video_id"), primary_key=True)
    t_s: Mapped[float] = mapped_column(primary_key=True)
    utc: Mapped[datetime] = mapped_column(UtcDateTime)
    lat: Mapped[float]
    lon: Mapped[float]
    speed_mps: Mapped[float | None]
    heading_deg: Mapped[float | None]
    source: Mapped[str]
    quality: Mapped[str] = mapped_column(default="fix")
    """`records.FixQuality`."""


class Plate(Base):
    """A distinct plate text; exists as long as a sighting names it. The rest is what these say (`plate_facts`)."""

    __tablename__ = "plate"
    __table_args__ = (
        Index("plate_times", "times", "plate_id"),
        Index("plate_first_seen", "first_seen", "plate_id"),
    )

    plate_id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(unique=True)
    times: Mapped[int | None]
    """Its confirmed sightings; None until, and whenever, what follows is to be found out anew."""
    first_seen: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_seen: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Of the confirmed sightings, where there are any."""
    alternatives: Mapped[bytes | None]
    """What else may stand on it (`likeness.packed`); None where its reads say nothing."""

    sightings: Mapped[list["SightingRow"]] = relationship(back_populates="plate")


class PlateSuffix(Base):
    """The ends of a plate's canonical text (`plate_text.suffixes`): a fragment is found as the beginning of one."""

    __tablename__ = "plate_suffix"
    __table_args__ = ({"sqlite_with_rowid": False},)

    suffix: Mapped[str] = mapped_column(Bytewise, primary_key=True)
    plate_id: Mapped[int] = mapped_column(
        ForeignKey("plate.plate_id", ondelete="CASCADE"), primary_key=True, index=True
    )
    text: Mapped[str]
    """The plate's own, so that a pattern is compared without another look-up."""


class PlateNear(Base):
    """The keys under which a plate is found although a character of it was misread (`plate_text.near_keys`)."""

    __tablename__ = "plate_near"
    __table_args__ = ({"sqlite_with_rowid": False},)

    key: Mapped[str] = mapped_column(primary_key=True)
    plate_id: Mapped[int] = mapped_column(
        ForeignKey("plate.plate_id", ondelete="CASCADE"), primary_key=True, index=True
    )


class SavedSearch(Base):
    """A person's word: a search by a name of its own, as the address of the page has it."""

    __tablename__ = "saved_search"

    search_id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.account_id", ondelete="CASCADE"), index=True)
    """Whose; None: of whoever uses a site without log-in."""
    name: Mapped[str]
    query: Mapped[str]
    """``q=B57&camera=front``"""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SightingRow(Base):
    """One plate in one stretch of one clip. ``lat``/``lon`` are where our own car was at ``best_s``."""

    __tablename__ = "sighting"
    # they hold all that a search asks, because the rows themselves are a hundred times as heavy; none begins with
    # confirmed, which SQLite would take for a narrow choice
    __table_args__ = (
        UniqueConstraint("video_id", "crop"),
        Index("sighting_of_plate", "plate_id", "seen_utc", "confirmed", "lat", "lon", "video_id"),
        Index("sighting_in_time", "seen_utc", "plate_id", "confirmed", "lat", "lon"),
        Index("sighting_in_place", text(TILE), "seen_utc", "confirmed", "lat", "lon", "plate_id"),
    )

    sighting_id: Mapped[int] = mapped_column(primary_key=True)
    video_id: Mapped[str] = mapped_column(ForeignKey("video.video_id"), index=True)
    plate_id: Mapped[int] = mapped_column(ForeignKey("plate.plate_id"))
    confidence: Mapped[float]
    confirmed: Mapped[bool]
    first_s: Mapped[float]
    last_s: Mapped[float]
    best_s: Mapped[float]
    best_pts: Mapped[int] = mapped_column(Wide)
    box: Mapped[list[float]] = mapped_column(Json)
    slots: Mapped[list[dict[str, float]]] = mapped_column(Json)
    reads: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    crop: Mapped[str]
    frame: Mapped[str]
    seen_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    speed_mps: Mapped[float | None]
    heading_deg: Mapped[float | None]
    accuracy_m: Mapped[float | None]
    place_quality: Mapped[str | None]
    """`gps.track.Quality` of our own place; None where it is not known, or from before it was kept."""
    estimate: Mapped[dict[str, Any] | None] = mapped_column(Json(none_as_null=True))
    """`gps.place.Estimate`: where the other car may have been."""
    machine: Mapped[dict[str, Any] | None] = mapped_column(Json(none_as_null=True))
    """What the machine says, where a person says otherwise: the text it has read, and of a row with a ``word_id`` its
    confidence and whether that is enough."""
    word_id: Mapped[str | None]
    """Of the `plate_words.SightingWord` that it is shown by."""

    video: Mapped[Video] = relationship(back_populates="sightings")
    plate: Mapped[Plate] = relationship(back_populates="sightings")


class Rejection(Base):
    """What preprocessing rejected of a clip for one reason, and what the heavy stage found in the sample of it."""

    __tablename__ = "rejection"

    video_id: Mapped[str] = mapped_column(ForeignKey("video.video_id"), primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    seconds: Mapped[float]
    audited_s: Mapped[float]
    """Of them in the sample, in ``audited`` stretches."""
    audited: Mapped[int]
    missed_s: Mapped[float | None]
    """Seconds of the sample with a plate that was missed, in ``missed`` stretches; None until it was looked at."""
    missed: Mapped[int | None]


class DeviceRow(Base):
    """A machine that has said it is there."""

    __tablename__ = "device"

    hostname: Mapped[str] = mapped_column(primary_key=True)
    device_type: Mapped[str]
    last_seen: Mapped[datetime] = mapped_column(UtcDateTime)
    info: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    paused: Mapped[bool] = mapped_column(default=False)
    """A person wants it to take no work, until ``paused_until`` or until someone says otherwise."""
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    drained: Mapped[str | None]
    """Why it takes no work, as it said last."""
