"""What the main server tells a device that has joined: all that it would else have to be typed."""

from typing import Any

from pydantic import BaseModel, Field

from dashcam.config import Site

FOR_DEVICES = {
    "global_", "storage_paths", "extra_stores", "extra_store_markers", "server", "dispatch", "place", "preprocess",
    "retention", "covered_by",
}  # fmt: skip
"""What a device's work goes by. Whatever else is in ``config.json``, passwords among it, stays where it is."""
NOT_FOR_DEVICES = {"host", "port", "database_url", "prefect_home", "streets_file"}
DOOR = "/prefect/api"
"""Below the main server's address: Prefect's API for devices, each with its own token."""


class JoinRequest(BaseModel):
    code: str = Field(max_length=64)
    hostname: str = Field(max_length=253, pattern=r"^\w[\w.-]*$")
    device_type: str | None = Field(None, max_length=40)
    """None: as the code says."""


class SiteAnswer(BaseModel):
    version: str
    hostname: str
    device_type: str
    pool: str
    covers: list[str] = []
    """The pools without devices of their own for which it works as well."""
    site: dict[str, Any]
    """``config.json`` of the device."""
    needs: list[str]
    """The stores that its stages open."""
    token: str | None = Field(None, repr=False)
    """The device's own; only to one that has just joined."""


def for_devices(site: Site) -> dict[str, Any]:
    """The site's settings without what is the main server's alone: no secret, no other device, Prefect by our door."""
    said = site.model_dump(mode="json", by_alias=True, exclude_unset=True, include=FOR_DEVICES)
    server = {key: value for key, value in said.get("server", {}).items() if key not in NOT_FOR_DEVICES}
    return said | {"server": server | {"url": site.server.url, "prefect_url": f"{site.server.url}{DOOR}"}}


def join_line(url: str, code: str, authority: str | None) -> str:
    """What is typed on a device; with the fingerprint of whom it is to trust, where the site has its own authority."""
    return f"sudo dashcam join {url} --code {code}{f' --authority {authority}' if authority else ''}"
