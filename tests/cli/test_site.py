"""``dashcam worker`` does what the device's file says."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dashcam.cli import app
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
