"""What an owner has written into the settings of the embedded system outlives its starts."""

import contextlib
import json
import os
import ssl
from pathlib import Path

import psutil
import pytest

from dashcam import config
from dashcam.config import MARKER, load_device, load_site
from dashcam.embedded.home import Home, HomeUnusable, Ports, device_name
from dashcam.embedded.system import session_is
from dashcam.storage.roots import StoreMissing, Stores


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "data")
    home.prepare()
    home.write_settings(Ports(8000, 4200))
    return home


def change(file: Path, **changes: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_a_start_keeps_the_owners_settings_and_writes_its_own(home: Home) -> None:
    lens = {"front": {"horizontal_fov_deg": 140}}
    site = home.config / "config.json"
    change(site, place={"lenses": lens}, dispatch={"batch_linger_seconds": 40, "batch_minutes": 9})
    gpu = home.config / "devices" / f"{device_name('gpu')}.json"
    change(gpu, sample_fps=2)
    site.chmod(0o600)
    home.write_settings(Ports(8001, 4207))
    written = load_site(home.config)
    assert written.place.lenses["front"].horizontal_fov_deg == 140
    assert (written.dispatch.batch_linger_seconds, written.dispatch.batch_minutes) == (40, 9)
    assert (written.server.url, written.server.port) == ("http://127.0.0.1:8001", 8001)
    assert written.server.prefect_url == "http://127.0.0.1:4207/api"
    assert load_device(home.config, device_name("gpu")).sample_fps == 2
    assert site.stat().st_mode & 0o777 == 0o600


def test_what_is_not_said_is_what_suits_one_machine(home: Home) -> None:
    site = load_site(home.config)
    assert (site.global_.task_retry_delay_seconds, site.dispatch.batch_linger_seconds) == (5, 15)


def test_a_folder_that_was_moved_knows_its_new_place(home: Home, tmp_path: Path) -> None:
    moved = Home(home.data.rename(tmp_path / "elsewhere"))
    moved.write_settings(Ports(8000, 4200))
    assert load_site(moved.config).stores()["indoor_nas"] == str(moved.indoor_nas)


@pytest.mark.parametrize("broken", ["{", "[]", '"text"'])
def test_settings_that_are_no_json_object_are_one_sentence_and_stay_as_they_are(home: Home, broken: str) -> None:
    file = home.config / "config.json"
    file.write_text(broken)
    with pytest.raises(HomeUnusable, match=r"config.json is no JSON object: mend it"):
        home.write_settings(Ports(8000, 4200))
    assert file.read_text() == broken


def test_a_number_that_a_stranger_has_now_is_not_taken_for_ours() -> None:
    """Process ids are reused: with another start it is another process."""
    mine = psutil.Process()
    assert session_is(os.getpid(), mine.create_time())
    assert not session_is(os.getpid(), mine.create_time() - 60)


def test_prefects_clients_read_one_certificate_only(home: Home) -> None:
    """They speak http here, and there are a hundred of them; without any the file would be refused."""
    file = home.environment(Ports(8000, 4200))["PREFECT_API_SSL_CERT_FILE"]
    assert len(ssl.create_default_context(cafile=file).get_ca_certs()) == 1


def test_http_needs_no_certificates_and_anything_else_does() -> None:
    assert not config.certificates("http://main:8000")
    assert config.certificates("https://main") and config.certificates("HTTPS://main")


def test_archives_whose_database_is_gone_are_spoken_of(home: Home) -> None:
    """Who starts with an empty database beside five years of archives is told how to have their record back."""
    assert home.lost() is None, "a new folder has lost nothing"
    for name in ("0000000000000001", "0000000000000002", ".0000000000000003.0123456789ab.part"):
        (home.archive / name).mkdir(parents=True)
        (home.archive / name / "manifest.json").write_text("{}")
    said = home.lost()
    assert said is not None and "2 archives" in said and f"dashcam rebuild --data {home.data}" in said
    home.database.touch()
    assert home.lost() is None


def are_there(home: Home) -> list[str]:
    """Its stores that are, as any of its processes sees them."""
    site = load_site(home.config)
    stores = Stores(site.store_roots(), site.store_markers())
    found = []
    for store in home.stores:
        with contextlib.suppress(StoreMissing):
            stores.root(store)
            found.append(store)
    return found


def start(home: Home) -> None:
    home.prepare()
    home.write_settings(Ports(8000, 4200))


def test_its_stores_are_marked_at_its_first_start_and_never_again(home: Home) -> None:
    assert are_there(home) == ["indoor_nas", "shed_nas"]
    (home.archive / MARKER).unlink()  # as a bare mount point looks
    start(home)
    assert are_there(home) == ["indoor_nas"]
    home.archive.rmdir()
    start(home)
    assert are_there(home) == ["indoor_nas", "shed_nas"], "what it has just made is no mount point"


def test_a_data_folder_from_before_markers_is_marked_at_the_next_start(home: Home) -> None:
    (home.config / "config.json").write_text("{}")
    (home.indoor_nas / MARKER).unlink()
    (home.archive / MARKER).unlink()
    (home.indoor_nas / "preproc").mkdir()
    start(home)
    assert are_there(home) == ["indoor_nas", "shed_nas"]


def test_an_archive_that_lies_elsewhere_is_not_marked_while_it_is_not_mounted(home: Home, tmp_path: Path) -> None:
    """The owner has put a link to his NAS there, before markers were."""
    (home.config / "config.json").write_text("{}")
    (home.archive / MARKER).unlink()
    home.archive.rmdir()
    shed = tmp_path / "shed"
    shed.mkdir()
    home.archive.symlink_to(shed)
    start(home)
    assert are_there(home) == ["indoor_nas"]
    (shed / ".dashcam").mkdir()  # mounted again
    (home.config / "config.json").write_text("{}")
    start(home)
    assert are_there(home) == ["indoor_nas", "shed_nas"]


def test_the_owners_extra_store_is_marked_once_it_is_seen_and_demanded_from_then_on(home: Home, tmp_path: Path) -> None:
    cold, site = tmp_path / "cold", home.config / "config.json"
    extra = json.loads(site.read_text())["extra_stores"]
    change(site, extra_stores=extra | {"cold": str(cold)}, retention={"cold_store": "cold"})

    def is_there() -> bool:
        loaded = load_site(home.config)
        with contextlib.suppress(StoreMissing):
            return bool(Stores(loaded.store_roots(), loaded.store_markers()).root("cold"))
        return False

    start(home)
    assert not is_there(), "there is no such folder"
    cold.mkdir()
    start(home)
    assert is_there() and not (cold / MARKER).exists(), "it may be a bare mount point: it is used as before"
    (cold / "0123456789abcdef.json").write_text("{}")
    start(home)
    assert is_there() and (cold / MARKER).exists()
    (cold / MARKER).unlink()
    start(home)
    assert not is_there() and not (cold / MARKER).exists(), "it is not mounted"
    assert load_site(home.config).store_markers().keys() == {"indoor_nas", "shed_nas", "cold"}
    assert not Path("/", MARKER).exists()


def test_the_owners_own_marker_counts(home: Home) -> None:
    site = home.config / "config.json"
    paths = json.loads(site.read_text())["storage_paths"]
    paths["shed_nas"]["marker"] = "this-is-the-archive"
    change(site, storage_paths=paths)
    start(home)
    assert are_there(home) == ["indoor_nas"]
    (home.archive / "this-is-the-archive").touch()
    assert are_there(home) == ["indoor_nas", "shed_nas"]
