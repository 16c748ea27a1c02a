"""Privacy as a mode: off until the owner turns a part of it on (docs/privacy.md)."""

from pydantic import BaseModel, ConfigDict

from dashcam.config.kinds import AbsolutePath


class PrivacySettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    key_file: AbsolutePath | None = None
    """Of deleted plates; None is ``privacy.key`` beside the SQLite database, else in /var/lib/dashcam-processor."""
