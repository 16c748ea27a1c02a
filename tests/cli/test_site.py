"""``dashcam worker`` does what the device's file says."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dashcam.cli import app
from dashcam.config import MARKER
from dashcam.storage import markers
from tests.cli.running import settings


class Became(Exception):
    """Instead of ceasing to be this process."""


@pytest.mark.parametrize(
    ("arguments", "site", "device", "pool", "limit"),
    [
        ([], {}, {"device_type": "jetson_coral"}, "jetson", "1"),
        ([], {}, {"device_type": "rtx_4090", "storage": {"max_concurrent_tasks": 2}}, "gpu", "2"),
        ([], {"global": {"max_concurrent_tasks_per_device": 4}}, {"device_type": "shed_nas"}, "nas", "4"),
        ([], {"global": {"max_concurrent_tasks_per_device": 1}}, {}, "server", "3"),
        ([], {}, {"storage": {"max_concurrent_tasks": 1}}, "server", "1"),
        (["gpu", "--limit", "5"], {}, {"device_type": "jetson_coral"}, "gpu", "5"),
    ],
)
def test_pool_and_limit_are_the_devices_unless_typed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    site: dict[str, Any],
    device: dict[str, Any],
    pool: str,
    limit: str,
) -> None:
    def became(program: str, argv: Sequence[str]) -> None:
        raise Became(*argv[1:])

    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(os, "execv", became)
    monkeypatch.setenv("DASHCAM_CONFIG", str(settings(tmp_path, site, device)))
    monkeypatch.setenv("DASHCAM_DEVICE", "me")
    done = CliRunner().invoke(app, ["worker", *arguments])
    assert isinstance(done.exception, Became)
    assert done.exception.args == ("-m", "flows.worker", pool, "--limit", limit)


def test_a_pool_that_is_none_is_refused() -> None:
    done = CliRunner().invoke(app, ["worker", "attic"])
    assert done.exit_code == 2
    assert "there is no pool 'attic'" in done.output


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Of a site of several machines: the shed's mount point is bare."""
    folders = {"indoor_nas": tmp_path / "nas", "shed_nas": tmp_path / "shed", "cold": tmp_path / "cold"}
    (folders["indoor_nas"] / "raw").mkdir(parents=True)
    folders["shed_nas"].mkdir()
    folders["cold"].mkdir()
    (folders["cold"] / "0123456789abcdef.json").write_text("{}")
    paths = {
        "indoor_nas": {"base": str(folders["indoor_nas"])},
        "shed_nas": {"archive_base": str(folders["shed_nas"])},
    }
    extra = {"cold": str(folders["cold"]), "local": "/"}
    site = {"storage_paths": paths, "extra_stores": extra, "devices": {"jetson-1": {}}}
    monkeypatch.setenv("DASHCAM_CONFIG", str(settings(tmp_path, site)))
    monkeypatch.setenv("DASHCAM_DEVICE", "me")
    monkeypatch.setenv("DASHCAM_TOKEN", "a token")
    monkeypatch.setattr(markers, "FSTAB", tmp_path / "fstab")
    return folders


def test_setup_marks_the_stores_that_it_sees_and_says_which_it_does_not(
    stores: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def became(program: str, argv: Sequence[str]) -> None:
        raise Became(*argv[1:])

    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(os, "execv", became)
    done = CliRunner().invoke(app, ["setup"])
    assert isinstance(done.exception, Became) and done.exception.args == ("-m", "flows.setup")
    assert (stores["indoor_nas"] / MARKER).is_file() and not (stores["shed_nas"] / MARKER).exists()
    assert (stores["cold"] / MARKER).is_file() and not Path("/", MARKER).exists()
    said = " ".join(done.output.split())
    assert f"indoor_nas: {stores['indoor_nas']} is marked now" in said
    assert f"Store shed_nas has no marker yet: {stores['shed_nas']} is empty, and no disk is mounted there" in said


def test_a_persons_word_marks_a_store_and_sets_up_nothing(
    stores: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "execv", lambda program, argv: pytest.fail("it set up"))
    done = CliRunner().invoke(app, ["setup", "--mark", "shed_nas"])
    assert done.exit_code == 0 and (stores["shed_nas"] / MARKER).is_file()
    assert "has its marker" in CliRunner().invoke(app, ["setup", "--mark", "shed_nas"]).output
    assert not (stores["indoor_nas"] / MARKER).exists()
    refused = CliRunner().invoke(app, ["setup", "--mark", "attic"])
    assert refused.exit_code == 1 and "its stores are: cold, indoor_nas, local, shed_nas" in " ".join(
        refused.output.split()
    )


def test_beside_prefects_server_the_worker_sets_it_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def became(program: str, argv: Sequence[str]) -> None:
        raise Became(*argv[1:])

    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(os, "execv", became)
    home = tmp_path / "prefect"
    home.mkdir()
    monkeypatch.setenv("DASHCAM_CONFIG", str(settings(tmp_path, {"server": {"prefect_home": str(home)}})))
    monkeypatch.setenv("DASHCAM_DEVICE", "me")
    done = CliRunner().invoke(app, ["worker"])
    assert isinstance(done.exception, Became)
    assert done.exception.args[-2:] == ("--set-up", str(home / "deployed"))
