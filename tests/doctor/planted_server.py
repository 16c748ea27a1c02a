"""Faults of the way to the main server and to Prefect, and those that the main server finds in itself."""

import shutil
import socket
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import text, update

from dashcam.access import users
from dashcam.access.roles import Role
from dashcam.catalog import home_zones, pseudonyms
from dashcam.catalog.models import Plate
from dashcam.config.privacy import PrivacySettings, Zone
from dashcam.database import writing
from dashcam.tasks import table
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow
from dashcam.upkeep import backup
from tests.doctor.ward import Planted, Ward, usage
from tests.tasks.test_table import publish


def no_main_server(ward: Ward) -> Planted:
    ward.server.stop()
    yield "server", f"Nothing answers at 127.0.0.1:{ward.server.port}", "Start the main server"
    ward.server.start()


def a_name_that_nobody_knows(ward: Ward) -> Planted:
    ward.site["server"]["url"] = "http://main-server.invalid:8000"
    ward.write()
    yield "server", "The name main-server.invalid of the main server is not known", "/etc/hosts"
    ward.site["server"]["url"] = ward.server.url
    ward.write()


def something_else_at_its_address(ward: Ward) -> Planted:
    ward.prefect.login = "someone:else"
    ward.site["server"]["url"] = ward.prefect.url
    ward.write()
    yield "server", "is not a main server", "correct server.url"
    ward.site["server"]["url"] = ward.server.url
    ward.write()


def a_token_that_was_revoked(ward: Ward) -> Planted:
    ward.server.system.access.token = "another one by now, and just as long"
    yield "token", "does not accept this device's token", "join it again"
    ward.token.write_text(ward.server.system.access.token)


def a_wrong_clock(ward: Ward) -> Planted:
    other = ward.another()
    other.date = datetime.now(UTC) - timedelta(hours=1)
    ward.token.unlink()
    ward.site["server"]["url"] = other.url
    ward.write()
    yield "clock", "s ahead of the main server's", "timedatectl set-ntp true"
    other.date = None


def no_prefect(ward: Ward) -> Planted:
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/api"
    ward.site["server"]["prefect_url"], right = nobody, ward.site["server"]["prefect_url"]
    ward.write()
    yield "prefect", "where Prefect should be", "Start Prefect"
    ward.site["server"]["prefect_url"] = right
    ward.write()


def a_prefect_with_a_login(ward: Ward) -> Planted:
    ward.prefect.login = "dashcam:secret"
    yield "prefect", "it wants a login", f"{ward.config / 'prefect-login'}"
    (ward.config / "prefect-login").touch(0o600)
    (ward.config / "prefect-login").write_text("dashcam:secret\n")


def another_prefect(ward: Ward) -> Planted:
    right, ward.prefect.version = ward.prefect.version, "3.4.0"
    yield "prefect", "Prefect's server is 3.4.0", "Install prefect==3.4.0"
    ward.prefect.version = right


def a_damaged_database(ward: Ward) -> Planted:
    file = Path(str(ward.engine.url.database))
    ward.site["server"]["database_url"] = f"sqlite:///{file}"
    ward.write()
    newest = backup.take(ward.engine, ward.folder / "backups", 7)
    with ward.engine.connect() as connection:
        root = connection.execute(text("SELECT rootpage FROM sqlite_master WHERE name = 'plate'")).scalar_one()
        size = connection.execute(text("PRAGMA page_size")).scalar_one()
        connection.commit()
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    ward.engine.dispose()
    whole = file.read_bytes()
    file.write_bytes(whole[: (root - 1) * size] + b"\x55" * size + whole[root * size :])
    yield "database", "is damaged", "dashcam restore"
    ward.server.stop()
    ward.engine.dispose()
    ward.types("restore", str(ward.folder / "backups" / newest.file))
    ward.server.start()


def a_full_disk_of_the_database(ward: Ward) -> Planted:
    free = {ward.folder: 10**9}
    ward.monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, free.get(path, 10**11))(path))
    yield "database", "The disk of the database has 1.0 GB left", f"Make room on the disk of {ward.folder}"
    free[ward.folder] = 10**11


def a_pool_without_a_worker(ward: Ward) -> Planted:
    publish(ward.engine, TaskType.HEAVY_PROCESS_VIDEO)
    ward.beat(("gpu",), ago=timedelta(hours=1))
    yield "pools", "1 clips wait for the pool gpu", "Start `dashcam worker gpu`"
    ward.beat(("gpu",))


def a_silent_device(ward: Ward) -> Planted:
    ward.beat(("jetson",), ago=timedelta(hours=1))
    yield "devices", "me-jetson was last heard of", "Switch it on"
    ward.beat(("jetson",))


def a_clip_that_waits_for_days(ward: Ward) -> Planted:
    task_id = publish(ward.engine, TaskType.HEAVY_PROCESS_VIDEO)
    with writing(ward.engine) as session:
        session.execute(update(TaskRow).values(created_at=datetime.now(UTC) - timedelta(days=3)))
    yield "tasks", "The oldest clip waits since", "page Tasks"
    with writing(ward.engine) as session:
        session.execute(update(TaskRow).where(TaskRow.task_id == task_id).values(state="complete"))


def a_clip_that_is_held_back(ward: Ward) -> Planted:
    task_id = publish(ward.engine, TaskType.HEAVY_PROCESS_VIDEO)
    with writing(ward.engine) as session:
        table.hold(session, [task_id], "three failures")
    yield "tasks", "1 task is held back", "try them again"
    with writing(ward.engine) as session:
        assert table.release(session, task_id)


def no_backup_for_days(ward: Ward) -> Planted:
    ward.server.system.upkeep.began_at -= timedelta(days=3)
    yield "backup", "no backup of the database yet", "Run `dashcam backup`"
    ward.types("backup")


def a_viewer_who_is_shown_home(ward: Ward) -> Planted:
    with writing(ward.engine) as session:
        users.add(session, "vic", "no password's hash", Role.VIEWER, datetime.now(UTC))
        users.add(session, "ada", "no password's hash", Role.VIEWER, datetime.now(UTC)).disabled = True
    yield "privacy", "vic may only look, and is shown where you live", "Draw a home zone"
    ward.server.system.settle(partial(home_zones.draw, zone=Zone(lat=52.37, lon=4.9)))


def a_lost_key_of_hashed_plates(ward: Ward) -> Planted:
    key = ward.folder / "privacy.key"
    here = ward.server.system
    here.site = here.site.model_copy(update={"privacy": PrivacySettings(key_file=str(key))})
    with writing(ward.engine) as session:
        hashed = pseudonyms.of_site(here.site, make=True).of("LT21CGK")
        session.add(Plate(text=hashed))
    key.rename(ward.folder / "copy.key")
    yield "privacy", f"The key of hashed and deleted plates, {key}, is lost", f"Put {key} back from your copy"
    (ward.folder / "copy.key").rename(key)
