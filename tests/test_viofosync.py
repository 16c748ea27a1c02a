"""viofosync on the indoor NAS: nothing is deleted before it was processed, nothing leaves the LAN."""

import json
import re

import yaml

from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "deploy" / "viofosync"


def test_retention_deletion_and_place_names_are_off() -> None:
    settings = json.loads((FOLDER / "config.json").read_text())
    assert (settings["RETENTION_MAX_DAYS"], settings["RETENTION_DISK_PCT"]) == (0, 0)
    assert settings["RECORDINGS_QUOTA_GB"] == 0
    assert settings["DELETE_AFTER_DOWNLOAD"] is False
    assert settings["GEOCODE_ENABLED"] is False
    assert settings["SYNC_RO_ONLY"] is False, "all clips are fetched, not only locked ones"


def test_a_release_is_named_and_clips_land_where_they_are_looked_for() -> None:
    service = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]["viofosync"]
    assert re.fullmatch(r"robxyz/viofosync:2\.\d+(\.\d+)?", service["image"])
    assert "/videos/raw:/recordings" in service["volumes"]
