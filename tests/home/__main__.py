"""``python -m tests.home [FOLDER]``: the five hosts set up, a drive pushed in, hosts cut off, revoked and added."""

import json
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from dashcam.sample import write_drive
from tests.home.hosts import Host, NotPermitted, build, take_down, until

SETTINGS = {"dispatch": {"settle_seconds": 1, "archive_linger_seconds": 5}, "global": {"task_retry_delay_seconds": 10}}


def say(what: str) -> None:
    print(f"{time.monotonic() - BEGAN:6.1f} s  {what}", flush=True)


BEGAN = time.monotonic()


class Home:
    def __init__(self, box: Path) -> None:
        self.box = box
        self.main = Host("main-server", 1, box, {"indoor": "/mnt/nas-1", "shed": "/mnt/shed"})
        self.nas = Host("nas-1", 2, box, {"indoor": "/srv/volume1/dashcam"})
        self.shed = Host("shed-nas", 3, box, {"indoor": "/srv/indoor", "shed": "/srv/archive"})
        self.jetson = Host("jetson-1", 4, box, {"indoor": "/mnt/nas-1"})
        self.gpu = Host("rtx-4090-1", 5, box, {"indoor": "/srv/clips"})
        self.gpu2 = Host("rtx-4090-2", 6, box, {"indoor": "/srv/videos"})
        self.hosts = [self.main, self.nas, self.shed, self.jetson, self.gpu, self.gpu2]

    def ask(self, path: str) -> Any:
        """The main server's REST API, as a script on the main server would."""
        header = '-H "Authorization: Bearer $(cat /etc/dashcam-processor/token)"'
        return json.loads(self.main.do(f"curl -sf {header} 'http://main-server:8000/api/v1{path}'"))

    def outcomes(self) -> list[str]:
        return [str(video["outcome"]) for video in self.ask("/videos?limit=100")]

    def set_up_main_server(self) -> None:
        (self.main.folder / "site.json").write_text(json.dumps(SETTINGS))
        said = self.main.do(
            "dashcam init --address main-server --store indoor_nas=/mnt/nas-1 --store shed_nas=/mnt/shed "
            "--mark indoor_nas --mark shed_nas --site site.json --user root --no-services --yes"
        )
        assert "dashcam join http://main-server:8000 --code " in said, said
        for command in ("dashcam prefect", "dashcam server", "dashcam worker"):
            self.main.start(command)
        health = "curl -sf http://main-server:8000/api/v1/health"
        until("the main server answers the jetson", lambda: "ok" in self.jetson.do(health, check=False))
        devices = lambda: [one["hostname"] for one in self.ask("/devices")]  # noqa: E731
        until("the main server's worker has set Prefect up", lambda: "main-server" in devices())

    def join(self, host: Host, device_type: str, stores: str = "", works: bool = True) -> None:
        line = self.main.do(f"dashcam device invite --type {device_type} --name {host.name}")
        code = re.search(r"--code (\S+)", line)
        assert code, line
        host.do(f"dashcam join http://main-server:8000 --code {code[1]} {stores} --user root --no-services")
        if works:
            host.start("dashcam worker")
            until(f"{host.name} has reported", lambda: host.name in [one["hostname"] for one in self.ask("/devices")])
        say(f"{host.name} has joined as {device_type}")

    def push(self, drive: Path, clips: slice, trip: str) -> int:
        """As viofosync leaves them, and its trigger tells the main server."""
        files = sorted(drive.glob("*.MP4"))[clips]
        folder = self.box / "disks/indoor/raw" / trip
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copy2(file, folder / file.name)
        time.sleep(1.5)  # what has just been written is still being written, for dispatch.settle_seconds
        self.tell()
        return len(files)

    def tell(self) -> None:
        script = Path(__file__).resolve().parents[2] / "deploy/ingestion_trigger.sh"
        self.nas.do(
            "DASHCAM_SERVER=http://main-server:8000 DASHCAM_TOKEN_FILE=/etc/dashcam-processor/token "
            f"DASHCAM_ROOT=/srv/volume1/dashcam sh {script}"
        )

    def complete(self, clips: int, patience_s: float = 600) -> None:
        until(f"{clips} clips are processed", lambda: self.outcomes().count("processed") >= clips, patience_s)


def live(home: Home) -> None:
    drive = home.box / "drive"
    write_drive(drive, duration_s=4)
    say("a drive is drawn")
    home.set_up_main_server()
    say("the main server is set up")
    home.join(home.nas, "indoor_nas", "--store indoor_nas=/srv/volume1/dashcam", works=False)
    home.join(home.shed, "shed_nas", "--store indoor_nas=/srv/indoor --store shed_nas=/srv/archive")
    home.join(home.jetson, "jetson_coral")
    home.join(home.gpu, "rtx_4090", "--store indoor_nas=/srv/clips")

    clips = home.push(drive, slice(0, 1), "first")
    home.complete(clips)
    say("the first clip is through all five stages, each on its own host")
    plates = home.ask("/plates")
    assert plates, "the clip shows plates"

    page = home.gpu.do("curl -s -o page -w '%{http_code} %{redirect_url}' http://main-server:8000/")
    assert page.startswith(("303", "302", "401")), f"the WebUI is open to the LAN: {page}"
    refused = home.gpu.do("curl -s -m 5 http://main-server:4200/api/health || echo refused")
    assert "refused" in refused, "Prefect's own API is open to the LAN"
    say("whoever has not logged in sees nothing, and Prefect is not reached past its door")

    home.main.do("dashcam device revoke rtx-4090-1")
    site = 'curl -s -o /dev/null -w "%{http_code}" -H "Authorization: Bearer $(cat /etc/dashcam-processor/token)" '
    assert home.gpu.do(f"{site} http://main-server:8000/api/v1/site") == "401"
    home.jetson.cable("down")
    clips += home.push(drive, slice(1, 2), "second")
    home.join(home.gpu2, "rtx_4090", "--store indoor_nas=/srv/videos")
    time.sleep(10)  # a host that is away while there is work
    home.jetson.cable("up")
    say("one graphics card is revoked, another joined, and the jetson was cut off meanwhile")
    home.complete(clips)
    say("the second clip is through")
    for host in (home.main, home.jetson, home.shed, home.gpu2):
        refusals = [line for line in home.main.log("dashcam server").splitlines() if "may not ask Prefect" in line]
        assert not [line for line in refusals if host.name in line], refusals
    bundles = sorted(path.name for path in (home.box / "disks/shed").iterdir() if not path.name.startswith("."))
    assert len(bundles) == clips, bundles


def main() -> int:
    box = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="dashcam-home-"))
    shutil.rmtree(box, ignore_errors=True)
    box.mkdir(parents=True)
    home = Home(box)
    try:
        build(box, home.hosts)
    except NotPermitted as why:
        take_down(home.hosts)
        print(f"SKIPPED: the home in a box was NOT tried: {why}", file=sys.stderr)
        return 0
    try:
        live(home)
    except BaseException:
        say(f"failed; what each host has said lies in {box}/HOST/*.log")
        raise
    finally:
        take_down(home.hosts)
    say("all is well")
    shutil.rmtree(box, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
