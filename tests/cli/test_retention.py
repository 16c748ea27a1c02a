"""``dashcam retention`` and ``sweep`` as a person types them, against a real main server and real stores."""

import json
import os
from pathlib import Path

from tests.cli.housed import dashcam
from tests.cli.housed import house as house
from tests.cli.housed import server as server
from tests.flows.main_server import MainServer
from tests.upkeep.household import MARKER, House, site_with


def test_what_goes_is_shown_asked_about_and_removed(server: MainServer, house: House, tmp_path: Path) -> None:
    house.clip(1, 100)
    before = house.files()
    shown = dashcam(server, house, tmp_path, f"retention --dry-run --json {tmp_path / 'plan.json'}")
    assert shown.returncode == 0, shown.stderr
    assert "raw_videos = 90" in shown.stdout and "3 things, about" in shown.stdout
    assert [item["kind"] for item in json.loads((tmp_path / "plan.json").read_text())["items"]][-1] == "raw"
    assert house.files() == before
    asked = dashcam(server, house, tmp_path, "retention")  # nobody answers
    assert asked.returncode == 1 and house.files() == before
    done = dashcam(server, house, tmp_path, "retention --yes")
    assert done.returncode == 0 and "Removed 3 things" in done.stdout
    assert len(before - house.files()) == 3
    assert "Nothing is due" in dashcam(server, house, tmp_path, "retention --yes").stdout


def test_where_it_is_only_reported_the_command_says_how_to_turn_it_on(
    server: MainServer, house: House, tmp_path: Path
) -> None:
    server.system.site = site_with(enabled=False)
    house.clip(1, 100)
    before = house.files()
    done = dashcam(server, house, tmp_path, "retention --yes")
    assert done.returncode == 1 and '"retention": {"enabled": true}' in done.stderr
    (house.roots["shed_nas"] / MARKER).unlink()
    refused = dashcam(server, house, tmp_path, "retention --yes")
    assert refused.returncode == 1 and "Store shed_nas is not there" in refused.stderr
    assert house.files() == before and "Traceback" not in done.stderr + refused.stderr


def test_what_was_left_behind_is_shown_and_removed(server: MainServer, house: House, tmp_path: Path) -> None:
    half = house.roots["shed_nas"] / ".v1.0123456789ab.part"
    half.write_bytes(b"half")
    os.utime(half, (1, 1))
    shown = dashcam(server, house, tmp_path, "sweep --dry-run")
    assert shown.returncode == 0 and "half written" in shown.stdout and half.exists()
    done = dashcam(server, house, tmp_path, f"sweep --json {tmp_path / 'left.json'}")
    assert done.returncode == 0 and not half.exists()
    (left,) = json.loads((tmp_path / "left.json").read_text())["left"]
    assert left == {"place": "shed_nas:.v1.0123456789ab.part", "why": "half written", "bytes": 4, "removed": True}
    assert "Nothing was left behind" in dashcam(server, house, tmp_path, "sweep").stdout
