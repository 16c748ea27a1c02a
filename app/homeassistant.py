"""How the site is, in the words of MQTT: topics and what they say, and what Home Assistant is to make of them.

Backlog, stores, devices and what is wrong; no place, no name of a clip, and no plate but a watched one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashcam import __version__
from dashcam.catalog.devices import SILENT, DeviceLine
from dashcam.catalog.watching import PlateSeen
from dashcam.catalog.work import StageBacklog
from dashcam.config.telling import MqttSettings
from dashcam.doctor.finding import Finding
from dashcam.doctor.stores import Room

ONLINE, OFFLINE = "online", "offline"
ORIGIN = {"name": "dashcam-processor", "sw_version": __version__}


@dataclass(frozen=True)
class State:
    """Of the site, at ``now``."""

    now: datetime
    backlog: list[StageBacklog]
    oldest: datetime | None
    """Since when the task waits that has waited longest."""
    newest_backup: datetime | None
    retention: bool
    """Whether anything is let go at all."""
    due_bytes: int | None
    """What the latest plan would let go; None before the first."""
    rooms: Mapping[str, Room | None]
    devices: list[DeviceLine]
    found: list[Finding]
    watched: PlateSeen | None
    """Which watched plate was seen last."""


@dataclass(frozen=True)
class Topics:
    settings: MqttSettings

    @property
    def here(self) -> str:
        """Whether anybody tells at all; the broker itself says so when that ends."""
        return f"{self.settings.topic}/status"

    @property
    def site(self) -> str:
        return f"{self.settings.topic}/site"

    @property
    def watched(self) -> str:
        return f"{self.settings.topic}/watched"

    def store(self, name: str) -> str:
        return f"{self.settings.topic}/stores/{name}"

    def device(self, hostname: str) -> str:
        return f"{self.settings.topic}/devices/{hostname}"

    def discovery(self, identity: str) -> str:
        return f"{self.settings.discovery_prefix}/device/{identity}/config"

    @property
    def identity(self) -> str:
        return plain(self.settings.topic)


def plain(text: str) -> str:
    """As a part of an identity: letters, digits and ``_``."""
    return re.sub(r"\W+", "_", text, flags=re.ASCII)


def told(topics: Topics, state: State) -> Iterator[tuple[str, dict[str, Any]]]:
    """Topic and content of all that changes."""
    wrong = [one for one in state.found if one.state in ("warning", "fault")]
    yield (
        topics.site,
        {
            "waiting": sum(stage.pending - stage.held for stage in state.backlog),
            "held": sum(stage.held for stage in state.backlog),
            "oldest_minutes": 0 if state.oldest is None else round((state.now - state.oldest).total_seconds() / 60),
            "backup": state.newest_backup.isoformat() if state.newest_backup else None,
            "retention": on(state.retention),
            "due_gb": None if state.due_bytes is None else round(state.due_bytes / 1e9, 1),
            "problem": on(any(one.state == "fault" for one in wrong)),
            "wrong": [one.said for one in wrong],
        },
    )
    last = state.watched
    seen = last.last.isoformat() if last and last.last else None
    yield topics.watched, {"plate": last and last.watched, "read": last and last.text, "seen": seen}
    for name, room in state.rooms.items():
        used = 100 * (1 - room.free / room.total) if room is not None and room.total else None
        free = None if room is None else round(room.free / 1e9, 1)
        yield (
            topics.store(name),
            {"there": on(room is not None), "free_gb": free, "used_percent": used and round(used, 1)},
        )
    for one in state.devices:
        yield topics.device(one.hostname), {"there": on(state.now - one.last_seen <= SILENT), "state": does(one, state)}


def on(value: bool) -> str:
    return "ON" if value else "OFF"


def does(one: DeviceLine, state: State) -> str:
    if state.now - one.last_seen > SILENT:
        return "silent"
    if one.pause.paused:
        return "paused"
    return "rests" if one.drained is not None else "works"


def announced(
    topics: Topics, url: str, stores: Iterable[str], devices: Iterable[DeviceLine]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Topic and content of what tells Home Assistant which things there are, one of its devices each."""
    site = topics.identity
    parts = dict(site_parts(topics))
    for store in stores:
        parts |= store_parts(topics, store)
    about = {"identifiers": [site], "name": "Dashcam", "configuration_url": url, "sw_version": __version__}
    yield topics.discovery(site), thing(topics, site, about, parts)
    for one in devices:
        identity = f"{site}_{plain(one.hostname)}"
        about = {"identifiers": [identity], "name": one.hostname, "model": one.device_type, "via_device": site}
        yield topics.discovery(identity), thing(topics, identity, about, device_parts(topics.device(one.hostname)))


def thing(topics: Topics, identity: str, about: dict[str, Any], parts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    available = {"availability_topic": topics.here, "payload_available": ONLINE, "payload_not_available": OFFLINE}
    components = {key: available | {"unique_id": f"{identity}_{key}"} | part for key, part in parts.items()}
    return {"device": about, "origin": ORIGIN, "components": components}


def sensor(topic: str, name: str, key: str, **more: Any) -> dict[str, Any]:
    said = {"platform": "sensor", "name": name, "state_topic": topic, "value_template": f"{{{{ value_json.{key} }}}}"}
    return said | more


def switch(topic: str, name: str, key: str, kind: str, **more: Any) -> dict[str, Any]:
    """One that is on or off, and only shown."""
    return sensor(topic, name, key, device_class=kind, **more) | {"platform": "binary_sensor"}


def site_parts(topics: Topics) -> dict[str, dict[str, Any]]:
    topic, count = topics.site, {"state_class": "measurement"}
    return {
        "waiting": sensor(topic, "Clips waiting", "waiting", icon="mdi:tray-full", **count),
        "held": sensor(topic, "Clips held back", "held", icon="mdi:hand-back-left", **count),
        "oldest": sensor(
            topic, "Longest wait", "oldest_minutes", device_class="duration", unit_of_measurement="min", **count
        ),
        "backup": sensor(topic, "Newest backup", "backup", device_class="timestamp"),
        "retention": switch(topic, "Retention", "retention", "running"),
        "due": sensor(topic, "Due to go", "due_gb", device_class="data_size", unit_of_measurement="GB", **count),
        "watched": sensor(
            topics.watched,
            "Watched plate seen",
            "seen",
            device_class="timestamp",
            icon="mdi:eye",
            json_attributes_topic=topics.watched,
            json_attributes_template="{{ {'plate': value_json.plate, 'read': value_json.read} | tojson }}",
        ),
        "problem": switch(
            topic,
            "Problem",
            "problem",
            "problem",
            json_attributes_topic=topic,
            json_attributes_template="{{ {'wrong': value_json.wrong} | tojson }}",
        ),
    }


def store_parts(topics: Topics, store: str) -> dict[str, dict[str, Any]]:
    topic, count = topics.store(store), {"state_class": "measurement"}
    free = {"device_class": "data_size", "unit_of_measurement": "GB"}
    return {
        f"{store}_there": switch(topic, f"Store {store}", "there", "connectivity"),
        f"{store}_free": sensor(topic, f"Free in {store}", "free_gb", **free, **count),
        f"{store}_used": sensor(topic, f"Used of {store}", "used_percent", unit_of_measurement="%", **count),
    }


def device_parts(topic: str) -> dict[str, dict[str, Any]]:
    return {
        "there": switch(topic, "There", "there", "connectivity"),
        "state": sensor(topic, "State", "state", icon="mdi:cog-play"),
    }
