"""The MQTT broker that an admin has named on the page Settings, told instead of that of the settings (``mqtt``)."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from app.private_words import PrivateWord
from dashcam.config.telling import MqttSettings

LONGEST = 200
LoginPart = Annotated[str, Field(min_length=1, max_length=LONGEST)]


class NamedBroker(BaseModel):
    model_config = ConfigDict(frozen=True)

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]+$", max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)]
    tls: bool
    user: Annotated[LoginPart, Field(pattern="^[^:]+$")] | None
    password: LoginPart | None
    who: str
    """An admin, who has named it."""
    at: datetime

    def instead_of(self, settings: MqttSettings) -> MqttSettings:
        return settings.model_copy(update={"host": self.host, "port": self.port, "tls": self.tls})

    @property
    def login(self) -> str | None:
        return None if self.user is None else f"{self.user}:{self.password or ''}"


WORD = PrivateWord(
    "broker.json",
    TypeAdapter(NamedBroker),
    "the MQTT broker in it is told nothing",
    "Name the broker anew on the page Settings, or remove the file.",
)
