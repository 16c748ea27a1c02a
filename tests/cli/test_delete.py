"""``dashcam delete`` as a person types it, against a real main server and real stores."""

from pathlib import Path

from tests.cli.housed import dashcam
from tests.cli.housed import house as house
from tests.cli.housed import server as server
from tests.flows.main_server import MainServer
from tests.upkeep.household import House


def test_what_goes_is_shown_asked_about_and_deleted(server: MainServer, house: House, tmp_path: Path) -> None:
    video, other = house.clip(1, 1), house.clip(2, 1)
    before = house.files()
    shown = dashcam(server, house, tmp_path, f"delete clip {video.name} --dry-run")
    assert shown.returncode == 0, shown.stderr
    assert video.source in shown.stdout and f"shed_nas:{video.video_id}/" in shown.stdout
    asked = dashcam(server, house, tmp_path, "delete days 2026-06-28 2026-06-28")  # nobody answers
    assert asked.returncode == 1 and "2 clips" in asked.stdout and house.files() == before
    done = dashcam(server, house, tmp_path, f"delete clip {video.video_id} --yes")
    assert done.returncode == 0, done.stderr
    assert "Deleted 1 clips" in done.stdout
    left = house.files()
    assert not any(video.video_id in name or video.name in name for name in left)
    assert {name for name in before if other.video_id in name or other.name in name} <= left
