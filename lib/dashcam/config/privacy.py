"""Privacy as a mode: off until the owner turns a part of it on (docs/privacy.md)."""

from pydantic import BaseModel, ConfigDict, Field

from dashcam.config.kinds import AbsolutePath


class Zone(BaseModel):
    """A circle on the ground."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)
    radius_m: float = Field(300, ge=50, le=20_000)


class PrivacySettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    home_zones: list[Zone] = []
    """What is given out has no place inside one of them: exports, and what viewers are shown."""
    hash_plates_after_days: int | None = Field(None, ge=1)
    """Of plates seen longer ago only a keyed hash is kept, and no picture of theirs; None: they stay as they are."""
    watched_plates: list[str] = []
    """Not hashed; one that is added later gets its name back where it was hashed before."""
    key_file: AbsolutePath | None = None
    """Of the hashes; None is ``privacy.key`` beside the SQLite database, else in /var/lib/dashcam-processor."""
