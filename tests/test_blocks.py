"""Blocks against a real Prefect server: what setup registers is what a device loads."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path

import pytest
from prefect import flow
from prefect.client.orchestration import get_client

from blocks.device import load_device
from blocks.register import main, register_all
from blocks.types import MainServer, MediaStore
from dashcam.config import MARKER, ConfigError, Site
from dashcam.storage.roots import StoreMissing
from flows.worker import SETUP_POLL_S, this_machine

SITE = Site.model_validate(
    {
        "storage_paths": {
            "indoor_nas": {"base": "//nas-1/videos/", "marker": MARKER},
            "shed_nas": {"archive_base": "//shed-nas/archive/", "marker": "this-is-the-archive"},
        },
        "extra_stores": {"local": "/"},
        "server": {"url": "http://main-server:8000/", "prefect_url": "http://main-server:4200/api"},
    }
)


@pytest.fixture
def registered(prefect: str) -> list[str]:
    return register()


@pytest.fixture
def unregistered(prefect: str) -> None:
    with get_client(sync_client=True) as client:
        for document in client.request("POST", "/block_documents/filter", json={}).json():
            client.request("DELETE", f"/block_documents/{document['id']}")


def register() -> list[str]:
    return asyncio.run(register_all(SITE))


@pytest.fixture
def device_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DASHCAM_SERVER_URL", "DASHCAM_TOKEN_FILE", "DASHCAM_SCRATCH", "DASHCAM_DEVICE_TYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DASHCAM_CONFIG", str(tmp_path))
    monkeypatch.setenv("DASHCAM_DEVICE", "rtx-4090-1")
    monkeypatch.setenv("DASHCAM_TOKEN", "s3cret")
    (tmp_path / "devices").mkdir()
    (tmp_path / MARKER).touch()
    write_device(tmp_path, {"device_type": "rtx_4090", "stores": {"indoor_nas": str(tmp_path)}})
    return tmp_path


def write_device(folder: Path, device: dict[str, object]) -> None:
    (folder / "devices/rtx-4090-1.json").write_text(json.dumps(device))


def documents() -> dict[str, dict[str, object]]:
    with get_client(sync_client=True) as client:
        found = client.read_block_documents_by_type("media-store") + client.read_block_documents_by_type("main-server")
        return {f"{document.block_type_name}/{document.name}": dict(document.data) for document in found}


def test_before_setup_a_device_says_what_to_do(unregistered: None, device_folder: Path) -> None:
    with pytest.raises(ConfigError, match="run: dashcam setup"):
        load_device()


def test_a_worker_that_is_started_before_setup_waits_for_it(unregistered: None, device_folder: Path) -> None:
    with ThreadPoolExecutor(1) as beside:
        # Prefect's settings are context variables
        waiting = beside.submit(copy_context().run, asyncio.run, this_machine(["gpu"]))
        with pytest.raises(TimeoutError):
            waiting.result(timeout=1.5 * SETUP_POLL_S)
        register()
        assert waiting.result(timeout=60)[0].server_url == "http://main-server:8000"


def test_setup_registers_every_store_and_the_server_and_may_be_repeated(
    unregistered: None, device_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (device_folder / "config.json").write_text(SITE.model_dump_json(by_alias=True, exclude_unset=True))
    assert main() == 0
    first = documents()
    assert {name: data.get("root", data.get("url")) for name, data in first.items()} == {
        "Media store/indoor-nas": "//nas-1/videos/",
        "Media store/shed-nas": "//shed-nas/archive/",
        "Media store/local": "/",
        "Main server/main-server": "http://main-server:8000",
    }
    assert "s3cret" not in str(first)
    assert register() == [
        "media-store/local",
        "media-store/indoor-nas",
        "media-store/shed-nas",
        "main-server/main-server",
    ]
    assert documents() == first


def test_a_document_edited_by_hand_is_set_back_to_the_settings(registered: list[str]) -> None:
    MediaStore(store="indoor_nas", root="/wrong").save("indoor-nas", overwrite=True)
    register()
    assert documents()["Media store/indoor-nas"]["root"] == "//nas-1/videos/"


def test_a_flow_loads_its_device_with_its_own_mounts_over_the_blocks(
    registered: list[str], device_folder: Path
) -> None:
    @flow
    def look() -> None:
        device = load_device()
        assert (device.settings.hostname, device.settings.pool) == ("rtx-4090-1", "gpu")
        assert device.stores.path("indoor_nas:raw/clip.MP4") == device_folder / "raw/clip.MP4"
        assert device.stores.roots["shed_nas"] == Path("//shed-nas/archive")
        assert device.stores.path("local:etc/hosts") == Path("/etc/hosts")
        assert (device.server_url, device.token) == ("http://main-server:8000", "s3cret")
        assert "s3cret" not in repr(device)

    look()


def test_a_store_with_a_marker_is_only_there_with_it(registered: list[str], device_folder: Path) -> None:
    write_device(device_folder, {"stores": {"shed_nas": str(device_folder)}})
    with pytest.raises(StoreMissing, match="nothing is mounted"):
        load_device().stores.path("shed_nas:v1")
    (device_folder / "this-is-the-archive").touch()
    assert load_device().stores.path("shed_nas:v1") == device_folder / "v1"


def test_the_environment_wins_over_the_server_block(
    registered: list[str], device_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHCAM_SERVER_URL", "http://127.0.0.1:9999/")
    assert load_device().server_url == "http://127.0.0.1:9999"


def test_a_device_without_a_token_or_with_foreign_scratch_says_so(
    registered: list[str], device_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_device(device_folder, {"storage": {"local_scratch": "D:\\dashcam_temp"}})
    with pytest.raises(ConfigError, match="no folder of this system"):
        load_device()
    write_device(device_folder, {})
    monkeypatch.delenv("DASHCAM_TOKEN")
    with pytest.raises(ConfigError, match="rtx-4090-1 has no token: set DASHCAM_TOKEN"):
        load_device()


def test_the_slugs_that_documents_are_found_by_do_not_change() -> None:
    assert (MediaStore.get_block_type_slug(), MainServer.get_block_type_slug()) == ("media-store", "main-server")
