"""Root types the commands of a site, and what they make belongs to the user whose services run there."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NOBODY = "nobody"
"""A user that every Debian has, whose group has another name."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of a user who is not root, set up from a folder that is root's alone."""
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("has to be root, to be another user as well")
    system = subprocess.run(["/usr/bin/python3", "-V"], capture_output=True, text=True, check=False).stdout.split(".")
    if system[1:2] != [str(sys.version_info.minor)]:
        pytest.skip("has no interpreter of this version that other users may run")
    reads = subprocess.run(["/usr/bin/test", "-r", __file__], user=NOBODY, extra_groups=[], check=False)
    if reads.returncode:
        pytest.skip("lies where other users may not read")
    folder = Path(tempfile.mkdtemp(prefix="dashcam-site-"))
    folder.chmod(0o755)
    for store in ("nas", "shed"):
        (folder / store).mkdir()
        shutil.chown(folder / store, NOBODY)
    try:
        stores = ("--store", f"indoor_nas={folder / 'nas'}", "--store", f"shed_nas={folder / 'shed'}")
        user = ("--mark", "indoor_nas", "--mark", "shed_nas", "--user", NOBODY, "--no-services", "--yes")
        nowhere = ("--port", "9", "--prefect-port", "9")  # whatever else runs on this machine
        done = typed(
            folder,
            "init",
            "--state",
            str(folder / "var"),
            *stores,
            *user,
            *nowhere,
            where=tmp_path_factory.mktemp("roots"),
        )
        assert done.returncode == 0, done.stderr
        yield folder
    finally:
        shutil.rmtree(folder)


def typed(site: Path, *words: str, where: str | Path = "/", **more: Any) -> subprocess.CompletedProcess[str]:
    """By an interpreter that other users may run too: the environment's is in root's own folder on some machines."""
    repository = Path(__file__).parents[2]
    packages = ":".join(map(str, (repository / "lib", repository, Path(pytest.__file__).parents[1])))
    environment = {"PATH": os.environ["PATH"], "HOME": "/", "DASHCAM_CONFIG": str(site / "etc"), "PYTHONPATH": packages}
    argv = ["/usr/bin/python3", "-m", "dashcam.cli", *words]
    return subprocess.run(argv, cwd=where, env=environment, capture_output=True, text=True, check=False, **more)


def test_what_root_restores_or_makes_anew_is_the_services_to_write(site: Path, tmp_path: Path) -> None:
    database, backup = site / "var/dashcam.db", site / "etc/yesterday.db"
    assert database.owner() == NOBODY
    shutil.copy2(database, backup)
    shutil.chown(backup, NOBODY)
    restored = typed(site, "restore", str(backup), where=tmp_path)
    assert restored.returncode == 0, restored.stderr
    database.unlink()
    rebuilt = typed(site, "rebuild", where=tmp_path)
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert {file.owner() for file in (site / "var").iterdir()} == {NOBODY}


def test_who_may_not_read_the_settings_is_told_to_type_sudo(site: Path) -> None:
    asked = typed(site, "device", "list", user=12345, group=12345, extra_groups=[])
    assert asked.returncode == 1
    assert "put `sudo` before the command" in asked.stderr
