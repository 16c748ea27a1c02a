"""Whom the main server tells how the site is."""

from pydantic import BaseModel, ConfigDict, Field

from dashcam.config.kinds import MqttTopic


class NotifySettings(BaseModel):
    """Who is told, and when, that something is wrong (docs/running.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    urls: list[str] = Field([], repr=False)
    """As apprise writes them: ``ntfy://host/topic``, ``mailto://user:password@host``. They belong into a file of mode
    0600."""
    silent_minutes: float = Field(60, ge=2)
    """A device that is not heard of for so long is told of."""


class MqttSettings(BaseModel):
    """A broker of the house that is told how the site is, for Home Assistant; nobody is until ``host`` is set. Its
    login is a secret of its own (`dashcam.config.mqtt_login`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str | None = Field(None, min_length=1)
    port: int = Field(1883, ge=1, le=65535)
    tls: bool = False
    topic: MqttTopic = "dashcam"
    """What all topics begin with; a second site on one broker needs another."""
    discovery_prefix: MqttTopic = "homeassistant"
    """Where Home Assistant listens for what there is to show."""
