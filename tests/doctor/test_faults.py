"""Each fault that is planted here is found, with its remedy; and following that makes all well again."""

import socket
import ssl
import sys
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text, update

import migrations
from dashcam import sqlite
from dashcam.database import open_engine, writing
from dashcam.doctor import accelerators, machine
from dashcam.doctor.finding import worst
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow
from dashcam.vision import engines
from dashcam.vision.detect import tflite_detector
from tests.conftest import REPOSITORY
from tests.doctor.ward import Answers, Ward, usage, ward_in
from tests.tasks.test_table import publish

Planted = Generator[tuple[str, str, str], None, None]
"""Plants it; gives the check, words of what is said and words of the remedy; then follows the remedy."""
PLANTS: list[Callable[[Ward], Planted]] = []


@pytest.fixture
def ward(tmp_path: Path, empty: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    (tmp_path / "dashcam.db").write_bytes(empty)
    engine = open_engine(f"sqlite:///{tmp_path / 'dashcam.db'}")
    with ward_in(tmp_path, engine, monkeypatch) as one:
        yield one
    engine.dispose()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database as the migrations make it."""
    file = tmp_path_factory.mktemp("empty") / "dashcam.db"
    engine = open_engine(f"sqlite:///{file}")
    migrations.upgrade(engine)
    engine.dispose()
    return file.read_bytes()


def plant(one: Callable[[Ward], Planted]) -> Callable[[Ward], Planted]:
    PLANTS.append(one)
    return one


def test_where_all_is_well_nothing_is_wrong(ward: Ward) -> None:
    found = ward.findings()
    assert [one for one in found if one.state in ("warning", "fault")] == []
    assert {"clock", "database", "backup", "devices", "tasks", "prefect"} <= {one.check for one in found}


@pytest.mark.parametrize("planted", PLANTS, ids=lambda one: one.__name__)
def test_each_planted_fault_is_found_and_its_remedy_helps(ward: Ward, planted: Callable[[Ward], Planted]) -> None:
    going = planted(ward)
    check, said, remedy = next(going)
    wrong = [one for one in ward.about(check) if one.state in ("warning", "fault")]
    assert len(wrong) == 1, wrong
    assert said in wrong[0].said and remedy in (wrong[0].remedy or ""), wrong
    assert "\n" not in wrong[0].said and wrong[0].said.endswith(".") and wrong[0].remedy.endswith((".", "?"))  # type: ignore[union-attr]
    next(going, None)
    now = ward.about(check)
    assert now and worst(now) in ("ok", "skipped"), now


def test_there_are_twenty_at_least() -> None:
    assert len(PLANTS) >= 20


@plant
def a_typing_error_in_the_settings(ward: Ward) -> Planted:
    good = (ward.config / "config.json").read_text()
    (ward.config / "config.json").write_text(good[:-1])
    yield "settings", "is not valid JSON at line 1", "Correct it"
    (ward.config / "config.json").write_text(good)


@plant
def a_key_that_is_none(ward: Ward) -> Planted:
    ward.change(treads=4)
    yield "settings", "treads is not a known key", "Did you mean 'threads'?"
    ward.device["threads"] = ward.device.pop("treads")
    ward.write()


@plant
def no_token(ward: Ward) -> Planted:
    words = ward.token.read_text()
    ward.token.unlink()
    yield "token", "has no token", f"into {ward.token}"
    ward.token.touch(0o600)
    ward.token.write_text(words)


@plant
def a_token_for_all_to_read(ward: Ward) -> Planted:
    ward.token.chmod(0o644)
    yield "token", "others may read it", f"Run: chmod 600 {ward.token}."
    ward.token.chmod(0o600)


@plant
def a_scratch_of_another_system(ward: Ward) -> Planted:
    ward.change(storage={"local_scratch": "D:\\dashcam_temp"})
    yield "scratch", "path of another system", "storage.local_scratch in the file of me"
    ward.change(storage={"local_scratch": str(ward.folder / "scratch")})


@plant
def a_scratch_that_cannot_be_written(ward: Ward) -> Planted:
    ward.change(storage={"local_scratch": "/proc/self"})
    yield "scratch", "cannot be written", "storage.local_scratch"
    ward.change(storage={})


@plant
def a_full_scratch(ward: Ward) -> Planted:
    ward.monkeypatch.setattr(machine.shutil, "disk_usage", usage(10**12, 10**9))
    yield "scratch", "has 1.0 GB left", "Make 10 GB free"
    ward.monkeypatch.setattr(machine.shutil, "disk_usage", usage(10**12, 10**11))


@plant
def a_store_that_is_away(ward: Ward) -> Planted:
    ward.stores["shed_nas"].rename(ward.folder / "elsewhere")
    yield "stores", "Store shed_nas is not there", "Mount it"
    (ward.folder / "elsewhere").rename(ward.stores["shed_nas"])


@plant
def a_bare_mount_point(ward: Ward) -> Planted:
    (ward.stores["indoor_nas"] / "here.txt").unlink()
    yield "stores", "nothing is mounted on it", "Mount it"
    (ward.stores["indoor_nas"] / "here.txt").touch()


@plant
def a_store_mounted_for_reading(ward: Ward) -> Planted:
    ward.site["storage_paths"]["shed_nas"] = {"archive_base": "/proc/self"}
    ward.write()
    yield "stores", "shed_nas at /proc/self cannot be written", "for writing"
    ward.site["storage_paths"]["shed_nas"] = {"archive_base": str(ward.stores["shed_nas"])}
    ward.write()


@plant
def a_path_of_the_guide_that_is_no_mount(ward: Ward) -> Planted:
    ward.site["storage_paths"]["indoor_nas"] = {"base": "//nas-1/videos/"}
    ward.write()
    yield "stores", "//nas-1/videos", 'under "stores" in this device\'s file'
    ward.change(stores={"indoor_nas": str(ward.stores["indoor_nas"])})


@plant
def a_full_store(ward: Ward) -> Planted:
    ward.monkeypatch.setattr(machine.shutil, "disk_usage", usage(10**12, 10**9))
    ward.site["storage_paths"].pop("indoor_nas")
    ward.device["device_type"] = "shed_nas"
    ward.change(stores={"indoor_nas": str(ward.folder / "scratch")})
    (ward.folder / "scratch").mkdir()
    ward.monkeypatch.setattr(
        machine.shutil,
        "disk_usage",
        lambda path: usage(10**12, 10**9 if path == ward.stores["shed_nas"] else 10**11)(path),
    )
    yield "stores", "shed_nas at", "page Storage"
    ward.monkeypatch.setattr(machine.shutil, "disk_usage", usage(10**12, 10**11))


@plant
def an_sqlite_that_loses_rows(ward: Ward) -> Planted:
    class Old:
        sqlite_version, sqlite_version_info = "3.40.1", (3, 40, 1)

    right = sqlite.driver
    ward.monkeypatch.setattr(sqlite, "driver", Old)
    yield "sqlite", "SQLite 3.40.1 can lose", "pysqlite3"
    ward.monkeypatch.setattr(sqlite, "driver", right)


@plant
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


def plug_in(ward: Ward, mbit: int) -> None:
    stick = ward.system / "sys/bus/usb/devices/2-1"
    stick.mkdir(parents=True, exist_ok=True)
    for name, said in {"idVendor": "18d1", "idProduct": "9302", "speed": str(mbit)}.items():
        (stick / name).write_text(f"{said}\n")


@plant
def a_coral_on_usb_2(ward: Ward) -> Planted:
    plug_in(ward, 480)
    yield "coral", "at 480 Mbit/s, as on USB 2", "USB 3 socket"
    plug_in(ward, 5000)


@plant
def a_coral_without_its_driver(ward: Ward) -> Planted:
    plug_in(ward, 5000)
    ward.change(device_type="jetson_coral", coral={"device_path": "/dev/bus/usb/001/003"})
    ward.monkeypatch.setattr(tflite_detector, "find_spec", lambda name: name)
    ward.monkeypatch.setattr(tflite_detector, "EDGE_TPU", "no-such-library.so.1")
    yield "coral", "driver libedgetpu.so.1 is not installed", "Install libedgetpu, or let the device's 'proposals'"
    ward.change(proposals="none")
    ward.monkeypatch.setattr(accelerators, "no_coral", lambda device: None)


@plant
def a_coral_that_is_not_plugged_in(ward: Ward) -> Planted:
    ward.monkeypatch.setattr(accelerators, "no_coral", lambda device: None)
    ward.change(device_type="jetson_coral", coral={"device_path": "/dev/bus/usb/001/003"})
    yield "coral", "no stick is plugged in", "Plug the stick"
    plug_in(ward, 5000)


@plant
def a_graphics_card_without_driver(ward: Ward) -> Planted:
    ward.change(device_type="rtx_4090", gpu={"device_id": 0})
    ward.monkeypatch.setattr(accelerators, "installed", lambda package: "2.13.0+cu130")
    yield "gpu", "no NVIDIA driver is loaded", "Install NVIDIA's driver"
    drive(ward, "580.65.06")


@plant
def a_driver_that_is_too_old(ward: Ward) -> Planted:
    ward.change(device_type="rtx_4090", gpu={"device_id": 0})
    ward.monkeypatch.setattr(accelerators, "installed", lambda package: "2.13.0+cu130")
    drive(ward, "525.147.05")
    yield "gpu", "Driver 525.147.05 is older than torch 2.13.0+cu130 needs", "Install driver 580"
    drive(ward, "580.65.06")


def drive(ward: Ward, version: str) -> None:
    file = ward.system / "proc/driver/nvidia/version"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"NVRM version: NVIDIA UNIX x86_64 Kernel Module  {version}  Mon Jan  1 00:00:00 UTC 2026\n")


@plant
def output_in_another_encoding(ward: Ward) -> Planted:
    class Latin:
        encoding = "ANSI_X3.4-1968"

    right = sys.stdout
    ward.monkeypatch.setattr(machine.sys, "stdout", Latin())
    yield "encoding", "output are in ANSI_X3.4-1968", "LANG=C.UTF-8"
    ward.monkeypatch.setattr(machine.sys, "stdout", right)


@plant
def no_main_server(ward: Ward) -> Planted:
    ward.server.stop()
    yield "server", f"Nothing answers at 127.0.0.1:{ward.server.port}", "Start the main server"
    ward.server.start()


@plant
def a_name_that_nobody_knows(ward: Ward) -> Planted:
    ward.site["server"]["url"] = "http://main-server.invalid:8000"
    ward.write()
    yield "server", "The name main-server.invalid of the main server is not known", "/etc/hosts"
    ward.site["server"]["url"] = ward.server.url
    ward.write()


@plant
def something_else_at_its_address(ward: Ward) -> Planted:
    ward.prefect.login = "someone:else"
    ward.site["server"]["url"] = ward.prefect.url
    ward.write()
    yield "server", "is not a main server", "correct server.url"
    ward.site["server"]["url"] = ward.server.url
    ward.write()


@plant
def a_token_that_was_revoked(ward: Ward) -> Planted:
    ward.server.system.access.token = "another one by now, and just as long"
    yield "token", "does not accept this device's token", "join it again"
    ward.token.write_text(ward.server.system.access.token)


@plant
def a_wrong_clock(ward: Ward) -> Planted:
    other = Answers()
    other.date = datetime.now(UTC) - timedelta(hours=1)
    ward.token.unlink()
    ward.site["server"]["url"] = other.url
    ward.write()
    yield "clock", "s ahead of the main server's", "timedatectl set-ntp true"
    other.date = None
    ward.monkeypatch.setattr(ward.prefect, "date", None)


@plant
def no_prefect(ward: Ward) -> Planted:
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/api"
    ward.site["server"]["prefect_url"], right = nobody, ward.site["server"]["prefect_url"]
    ward.write()
    yield "prefect", "where Prefect should be", "Start Prefect"
    ward.site["server"]["prefect_url"] = right
    ward.write()


@plant
def a_prefect_with_a_login(ward: Ward) -> Planted:
    ward.prefect.login = "dashcam:secret"
    yield "prefect", "it wants a login", f"{ward.config / 'prefect-login'}"
    (ward.config / "prefect-login").touch(0o600)
    (ward.config / "prefect-login").write_text("dashcam:secret\n")


@plant
def another_prefect(ward: Ward) -> Planted:
    right, ward.prefect.version = ward.prefect.version, "3.4.0"
    yield "prefect", "Prefect's server is 3.4.0", "Install prefect==3.4.0"
    ward.prefect.version = right


@plant
def a_damaged_database(ward: Ward) -> Planted:
    file = Path(str(ward.engine.url.database))
    with ward.engine.connect() as connection:
        root = connection.execute(text("SELECT rootpage FROM sqlite_master WHERE name = 'plate'")).scalar_one()
        size = connection.execute(text("PRAGMA page_size")).scalar_one()
        connection.commit()
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    ward.engine.dispose()
    kept = file.read_bytes()
    file.write_bytes(kept[: (root - 1) * size] + b"\x55" * size + kept[root * size :])
    yield "database", "is damaged", "dashcam restore"
    ward.engine.dispose()
    file.write_bytes(kept)


@plant
def a_pool_without_a_worker(ward: Ward) -> Planted:
    publish(ward.engine, TaskType.HEAVY_PROCESS_VIDEO)
    ward.beat(("gpu",), ago=timedelta(hours=1))
    yield "pools", "1 clips wait for the pool gpu", "Start `dashcam worker gpu`"
    ward.beat(("gpu",))
    with writing(ward.engine) as session:
        session.execute(update(TaskRow).values(state="complete"))
    ward.monkeypatch.setattr(
        ward, "about", lambda check: [one for one in ward.findings("server") if one.check == "tasks"]
    )


@plant
def a_silent_device(ward: Ward) -> Planted:
    ward.beat(("jetson",), ago=timedelta(hours=1))
    yield "devices", "me-jetson was last heard of", "Switch it on"
    ward.beat(("jetson",))


@plant
def a_clip_that_waits_for_days(ward: Ward) -> Planted:
    task_id = publish(ward.engine, TaskType.HEAVY_PROCESS_VIDEO)
    with writing(ward.engine) as session:
        session.execute(update(TaskRow).values(created_at=datetime.now(UTC) - timedelta(days=3)))
    yield "tasks", "The oldest clip waits since", "page Tasks"
    with writing(ward.engine) as session:
        session.execute(update(TaskRow).where(TaskRow.task_id == task_id).values(state="complete"))


@plant
def no_backup_for_days(ward: Ward) -> Planted:
    ward.server.system.upkeep.began_at -= timedelta(days=3)
    yield "backup", "no backup of the database yet", "Run `dashcam backup`"
    assert ward.server.system.upkeep.begin()
    ward.server.system.upkeep._one.acquire()


def test_a_certificate_that_nobody_has_signed_is_told_apart(ward: Ward, tmp_path: Path) -> None:
    other = Answers()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path / "one.pem"))
    other.socket = context.wrap_socket(other.socket, server_side=True)
    ward.site["server"]["url"] = other.url.replace("http:", "https:")
    ward.write()
    (wrong,) = ward.about("server")
    assert "certificate of the main server" in wrong.said and "SSL_CERT_FILE" in (wrong.remedy or "")
    other.shutdown()
    other.server_close()


def self_signed(file: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1)
    )
    certificate = builder.sign(key, hashes.SHA256())
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    file.write_bytes(file.read_bytes() + certificate.public_bytes(serialization.Encoding.PEM))
    return file
