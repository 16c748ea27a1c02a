"""What a flow asks for once, at its start: this device, its stores, and the way to the main server."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

from blocks.types import MAIN_SERVER, MainServer, MediaStore
from dashcam import config
from dashcam.config import ConfigError, DeviceSettings
from dashcam.storage.roots import Stores


@dataclass(frozen=True)
class LocalDevice:
    settings: DeviceSettings
    stores: Stores
    server_url: str
    token: str = field(repr=False)


class NotSetUp(ConfigError):
    """``dashcam setup`` has not been run against this Prefect, or is still running."""


def load_device() -> LocalDevice:
    """The device this process runs on; see `load_devices`."""
    return load_devices([None])[0]


def load_devices(pools: Sequence[str | None]) -> list[LocalDevice]:
    """This machine as it works for each pool, from its own settings and the blocks that ``dashcam setup`` registered.

    A store's root is the block's, unless the device's ``stores`` map it elsewhere; ``DASHCAM_SERVER_URL`` wins over the
    block. The token comes from ``DASHCAM_TOKEN`` or a file of mode 0600 (`dashcam.config.token`), never from a block.
    Raises ``ConfigError`` with one plain sentence.
    """
    devices = [config.load_device(pool=pool) for pool in pools]
    for settings in devices:
        if not settings.scratch.is_absolute():
            raise ConfigError(
                [f"storage.local_scratch of {settings.hostname} is {settings.scratch}, no folder of this system."]
            )
    token = config.token()
    if token is None:
        name = devices[0].hostname
        raise ConfigError([f"{name} has no token: set DASHCAM_TOKEN, or DASHCAM_TOKEN_FILE to a file of mode 0600."])
    with get_client(sync_client=True) as client:
        blocks = media_stores(client)
        url = server_url(client)
    roots = {block.store: Path(block.root) for block in blocks}
    markers = {block.store: block.marker for block in blocks if block.marker}
    return [LocalDevice(one, Stores(roots | mounts_of(one), markers), url, token) for one in devices]


def mounts_of(settings: DeviceSettings) -> dict[str, Path]:
    return {store: Path(mount) for store, mount in settings.stores.items()}


def media_stores(client: SyncPrefectClient) -> list[MediaStore]:
    """Every registered store; ``NotSetUp`` when there is none."""
    try:
        # all in one answer: Prefect 3.8's server ignores limit and offset here
        found = client.read_block_documents_by_type(MediaStore.get_block_type_slug())
    except PrefectHTTPStatusError as error:
        if error.response.status_code != HTTPStatus.NOT_FOUND:
            raise
        found = []
    if not found:
        raise NotSetUp(["Prefect knows no media store; name them in config.json and run: dashcam setup"])
    return [MediaStore.model_validate(document.data) for document in found]


def server_url(client: SyncPrefectClient) -> str:
    """Of the main server, without a slash at its end; ``DASHCAM_SERVER_URL`` wins over the block."""
    if named := os.environ.get("DASHCAM_SERVER_URL"):
        return named.rstrip("/")
    try:
        document = client.read_block_document_by_name(MAIN_SERVER, MainServer.get_block_type_slug())
    except ObjectNotFound:
        raise NotSetUp(["Prefect knows no main server; run: dashcam setup"]) from None
    return MainServer.model_validate(document.data).url.rstrip("/")
