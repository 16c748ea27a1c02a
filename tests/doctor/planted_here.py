"""Faults of the machine itself: packages, settings, token, scratch, stores, SQLite, weights, logs."""

import shutil
import sys

from dashcam import sqlite
from dashcam.doctor import machine
from dashcam.vision import engines
from tests.conftest import REPOSITORY
from tests.doctor.ward import Planted, Ward, usage


def a_package_of_another_version(ward: Ward) -> Planted:
    found_first = ward.folder / "site-packages/httpx-0.20.dist-info"
    found_first.mkdir(parents=True)
    (found_first / "METADATA").write_text("Metadata-Version: 2.1\nName: httpx\nVersion: 0.20\n")
    ward.monkeypatch.syspath_prepend(str(found_first.parent))
    yield "packages", "httpx 0.20 is not httpx", "make setup"
    shutil.rmtree(found_first)


def output_in_another_encoding(ward: Ward) -> Planted:
    class Latin:
        encoding = "ANSI_X3.4-1968"

    right = sys.stdout
    ward.monkeypatch.setattr(machine.sys, "stdout", Latin())
    yield "encoding", "output are in ANSI_X3.4-1968", "LANG=C.UTF-8"
    ward.monkeypatch.setattr(machine.sys, "stdout", right)


def a_typing_error_in_the_settings(ward: Ward) -> Planted:
    good = (ward.config / "config.json").read_text()
    (ward.config / "config.json").write_text(good[:-1])
    yield "settings", "is not valid JSON at line 1", "Correct it"
    (ward.config / "config.json").write_text(good)


def a_key_that_is_none(ward: Ward) -> Planted:
    ward.change(treads=4)
    yield "settings", "treads is not a known key", "Did you mean 'threads'?"
    ward.device["threads"] = ward.device.pop("treads")
    ward.write()


def no_token(ward: Ward) -> Planted:
    words = ward.token.read_text()
    ward.token.unlink()
    yield "token", "has no token", f"into {ward.token}"
    ward.token.write_text(words)
    ward.token.chmod(0o600)


def a_token_for_all_to_read(ward: Ward) -> Planted:
    ward.token.chmod(0o644)
    yield "token", "others may read it", f"Run: chmod 600 {ward.token}."
    ward.token.chmod(0o600)


def a_scratch_of_another_system(ward: Ward) -> Planted:
    ward.change(storage={"local_scratch": "D:\\dashcam_temp"})
    yield "scratch", "path of another system", "storage.local_scratch in the file of me"
    ward.change(storage={"local_scratch": str(ward.folder / "scratch")})


def a_scratch_that_cannot_be_written(ward: Ward) -> Planted:
    ward.change(storage={"local_scratch": "/proc/self"})
    yield "scratch", "cannot be written", "storage.local_scratch"
    ward.change(storage={})


def a_full_scratch(ward: Ward) -> Planted:
    ward.monkeypatch.setattr(shutil, "disk_usage", usage(10**12, 10**9))
    yield "scratch", "has 1.0 GB left", "Make 10 GB free"
    ward.monkeypatch.setattr(shutil, "disk_usage", usage(10**12, 10**11))


def a_store_that_is_away(ward: Ward) -> Planted:
    ward.stores["shed_nas"].rename(ward.folder / "elsewhere")
    yield "stores", "Store shed_nas is not there", "Mount it"
    (ward.folder / "elsewhere").rename(ward.stores["shed_nas"])


def a_bare_mount_point(ward: Ward) -> Planted:
    (ward.stores["indoor_nas"] / "here.txt").unlink()
    yield "stores", "nothing is mounted on it", "Mount it"
    (ward.stores["indoor_nas"] / "here.txt").touch()


def a_store_mounted_for_reading(ward: Ward) -> Planted:
    ward.site["storage_paths"]["shed_nas"] = {"archive_base": "/proc/self"}
    ward.write()
    yield "stores", "shed_nas at /proc/self cannot be written", "for writing"
    ward.site["storage_paths"]["shed_nas"] = {"archive_base": str(ward.stores["shed_nas"])}
    ward.write()


def a_path_of_the_guide_that_is_no_mount(ward: Ward) -> Planted:
    ward.site["storage_paths"]["indoor_nas"] = {"base": "//nas-1/videos/"}
    ward.write()
    yield "stores", "//nas-1/videos", 'under "stores" in this device\'s file'
    ward.change(stores={"indoor_nas": str(ward.stores["indoor_nas"])})


def a_store_that_the_settings_do_not_name(ward: Ward) -> Planted:
    named = ward.site["storage_paths"].pop("shed_nas")
    ward.write()
    yield "stores", "name no folder for shed_nas", "storage_paths.shed_nas"
    ward.site["storage_paths"]["shed_nas"] = named
    ward.write()


def a_full_store(ward: Ward) -> Planted:
    full = ward.stores["shed_nas"]
    free = {full: 10**9}
    ward.monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, free.get(path, 10**11))(path))
    yield "stores", f"shed_nas at {full} is full: 1.0 GB", "page Storage"
    free[full] = 10**11


def an_sqlite_that_loses_rows(ward: Ward) -> Planted:
    class Old:
        sqlite_version, sqlite_version_info = "3.40.1", (3, 40, 1)

    right = sqlite.driver
    ward.monkeypatch.setattr(sqlite, "driver", Old)
    yield "sqlite", "SQLite 3.40.1 can lose", "pysqlite3"
    ward.monkeypatch.setattr(sqlite, "driver", right)


def a_damaged_network(ward: Ward) -> Planted:
    models = ward.folder / "models"
    models.mkdir()
    for name in ("plate-reader.onnx", "SHA256SUMS"):
        (models / name).write_bytes((REPOSITORY / "models" / name).read_bytes())
    sums = models / "SHA256SUMS"
    sums.write_text("\n".join(line for line in sums.read_text().splitlines() if line.endswith("plate-reader.onnx")))
    network = bytearray((models / "plate-reader.onnx").read_bytes())
    network[1000] ^= 1
    (models / "plate-reader.onnx").write_bytes(network)
    ward.monkeypatch.setattr(engines, "shipped_weights", lambda name, otherwise: models / name)
    yield "models", "plate-reader.onnx is damaged", "Restore the folder models/"
    network[1000] ^= 1
    (models / "plate-reader.onnx").write_bytes(network)


def logs_that_have_grown(ward: Ward) -> Planted:
    ward.data = ward.folder / "data"
    (ward.data / "logs").mkdir(parents=True)
    with (ward.data / "logs/app.log").open("wb") as log:
        log.truncate(2 * 10**9)
    yield "logs", "have grown to 2.0 GB", f"remove {ward.data / 'logs'}"
    shutil.rmtree(ward.data / "logs")
