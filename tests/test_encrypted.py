"""Encryption at rest as docs/privacy.md says it: the same commands, on a file instead of a disk.

What is written through the opened volume needs the kernel's device mapper; where that is not there it is skipped,
loudly. The container, and what it makes of a database, are tried without it.
"""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

import migrations
from dashcam.catalog.models import Plate
from dashcam.database import open_engine, reading, writing
from tests.catalog.rows import add_sighting, add_video
from tests.conftest import REPOSITORY

QUICK = ["--pbkdf-memory", "65536", "--pbkdf-force-iterations", "4"]
"""Deriving a key from a passphrase is made slow on purpose."""


def documented(begin: str) -> list[str]:
    """The command of docs/privacy.md that begins so, as words without ``sudo``."""
    text = (REPOSITORY / "docs/privacy.md").read_text(encoding="utf-8")
    (line,) = re.findall(rf"^sudo ({re.escape(begin)}.*)$", text, re.MULTILINE)
    return shlex.split(line, comments=True)


def run(words: list[str], disk: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The command with our file in the place of the disk."""
    swapped = [str(disk) if word == "/dev/sdX" else word for word in words]
    return subprocess.run([*swapped, *more], capture_output=True, text=True, check=False)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    if shutil.which("cryptsetup") is None:
        pytest.skip("cryptsetup is not installed (Debian: apt install cryptsetup): encryption at rest is not tried")
    file = tmp_path / "disk"
    with file.open("wb") as made:
        made.truncate(64 << 20)
    (tmp_path / "pass").write_text("correct horse battery")
    done = run(documented("cryptsetup luksFormat"), file, *QUICK, "--batch-mode", "--key-file", str(tmp_path / "pass"))
    assert done.returncode == 0, done.stderr
    return file


def test_the_container_is_opened_by_its_passphrase_alone(disk: Path, tmp_path: Path) -> None:
    told = run(["cryptsetup", "luksDump", "/dev/sdX"], disk)
    assert "Version:" in told.stdout and "argon2id" in told.stdout and "aes-xts" in told.stdout
    test = ["cryptsetup", "open", "--test-passphrase", "/dev/sdX", "--key-file"]
    assert run(test, disk, str(tmp_path / "pass")).returncode == 0
    (tmp_path / "wrong").write_text("incorrect horse")
    assert run(test, disk, str(tmp_path / "wrong")).returncode != 0
    header = documented("cryptsetup luksHeaderBackup")
    assert run([*header[:-1], str(tmp_path / "header")], disk).returncode == 0
    assert (tmp_path / "header").stat().st_size > 1 << 20


def test_a_database_on_an_encrypted_disk_cannot_be_read_off_it(tmp_path: Path) -> None:
    """Without the device mapper too: a disk that has a database is encrypted as it lies there, and decrypted again."""
    if shutil.which("cryptsetup") is None:
        pytest.skip("cryptsetup is not installed (Debian: apt install cryptsetup): encryption at rest is not tried")
    engine = open_engine(f"sqlite:///{tmp_path / 'dashcam.db'}")
    migrations.upgrade(engine)
    with writing(engine) as session:
        add_sighting(session, add_video(session, 1), "B123XYZ")
    engine.dispose()
    content = (tmp_path / "dashcam.db").read_bytes()
    disk, key = tmp_path / "disk", tmp_path / "pass"
    disk.write_bytes(content.ljust(64 << 20, b"\0") + bytes(32 << 20))
    key.write_text("correct horse battery")
    offline = ["cryptsetup", "reencrypt", "--force-offline-reencrypt", "--batch-mode", "--key-file", str(key)]
    there = subprocess.run(
        [*offline, "--encrypt", "--reduce-device-size", "32M", *QUICK, disk],
        capture_output=True,
        text=True,
        check=False,
    )
    if there.returncode != 0:
        pytest.skip(f"this cryptsetup encrypts no file as it lies there ({there.stderr.strip()})")
    assert b"B123XYZ" in content and b"B123XYZ" not in disk.read_bytes()
    assert not any(content[place : place + 64] in disk.read_bytes() for place in range(0, 4096, 1024) if content[place])
    subprocess.run([*offline, "--decrypt", "--header", tmp_path / "header", disk], check=True, capture_output=True)
    assert disk.read_bytes()[: len(content)] == content


@pytest.fixture
def mounted(disk: Path, tmp_path: Path) -> Iterator[Path]:
    if os.getuid() != 0 or not Path("/dev/mapper/control").exists():
        pytest.skip("no device mapper here, or not root: what lies on an encrypted disk is not looked at")
    name, place = f"dashcam-test-{os.getpid()}", tmp_path / "place"
    done = run(["cryptsetup", "open", "/dev/sdX", name, "--key-file", str(tmp_path / "pass")], disk)
    if done.returncode != 0:
        pytest.skip(f"the device mapper does not open it ({done.stderr.strip()})")
    try:
        subprocess.run(["mkfs.ext4", "-q", f"/dev/mapper/{name}"], check=True)
        place.mkdir()
        subprocess.run(["mount", f"/dev/mapper/{name}", place], check=True)
        yield place
        subprocess.run(["umount", place], check=True)
    finally:
        subprocess.run(["cryptsetup", "close", name], check=False)


def test_a_plate_in_a_database_there_is_nowhere_on_the_disk(mounted: Path, disk: Path) -> None:
    engine = open_engine(f"sqlite:///{mounted / 'dashcam.db'}")
    migrations.upgrade(engine)
    with writing(engine) as session:
        add_sighting(session, add_video(session, 1), "B123XYZ")
    with reading(engine) as session:
        assert session.scalars(select(Plate.text)).all() == ["B123XYZ"]
    engine.dispose()
    assert b"B123XYZ" in (mounted / "dashcam.db").read_bytes()
    os.sync()
    assert b"B123XYZ" not in disk.read_bytes()
