"""``python -m tests.home [--few] [--postgresql] [--keep FOLDER]``: five hosts set up by the commands of docs/setup, a
drive pushed in at the NAS and looked at in the WebUI; then a host cut off, one restarted, one revoked and one added.
With ``--few`` a main server and one graphics card, which does the jetson's work; then the main server by itself."""

import argparse
import json
import re
import shlex
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from dashcam.sample import short_clips, write_drive
from tests.home.hosts import REPOSITORY, Host, NotPermitted, build, take_down, until
from tests.home.onlooker import Onlooker
from tests.home.postgresql import PASSWORD as DATABASE_PASSWORD
from tests.home.postgresql import Postgresql

SETTINGS = {"dispatch": {"settle_seconds": 1, "archive_linger_seconds": 5}, "global": {"task_retry_delay_seconds": 10}}
URL = "https://main-server"
PASSWORD = "a horse, a battery and a staple"
CUT_OFF_S = 60
BEGAN = time.monotonic()


def say(what: str) -> None:
    print(f"{time.monotonic() - BEGAN:6.1f} s  {what}", flush=True)


class Home:
    def __init__(self, box: Path, few: bool) -> None:
        self.box = box
        its_own = {"indoor": ("preproc", "heavy_output"), "shed": (".",)}
        self.main = Host("main-server", 1, box, {"indoor": "/mnt/nas-1", "shed": "/mnt/shed"}, its_own)
        self.nas = Host("nas-1", 2, box, {"indoor": "/srv/volume1/dashcam"}, {"indoor": (".",)})
        its_own = {"indoor": (), "shed": (".",)}
        self.shed = Host("shed-nas", 3, box, {"indoor": "/srv/indoor", "shed": "/srv/archive"}, its_own)
        self.jetson = Host("jetson-1", 4, box, {"indoor": "/mnt/nas-1"}, {"indoor": ("preproc",)})
        its_own = {"indoor": ("preproc", "heavy_output") if few else ("heavy_output",)}
        self.gpu = Host("rtx-4090-1", 5, box, {"indoor": "/srv/clips"}, its_own)
        self.gpu2 = Host("rtx-4090-2", 6, box, {"indoor": "/srv/videos"}, {"indoor": ("heavy_output",)})
        all_of_them = [self.main, self.nas, self.shed, self.jetson, self.gpu, self.gpu2]
        self.hosts = [self.main, self.gpu] if few else all_of_them

    def ask(self, path: str) -> Any:
        """The main server's REST API, as a script on the main server would."""
        asked = f"{CURL} -fS {BEARER} '{URL}/api/v1{path}'"
        return json.loads(until(f"{path} is answered", lambda: self.main.do(asked), 60))

    def set_up_main_server(self, database: str | None, more: str = "") -> None:
        (self.main.folder / "site.json").write_text(json.dumps(SETTINGS))
        typed = [*([database] if database else []), PASSWORD]
        said = self.main.do(
            f"printf '%s\\n' {shlex.join(typed)} | dashcam init --https --address main-server "
            "--store indoor_nas=/mnt/nas-1 --store shed_nas=/mnt/shed --mark indoor_nas --mark shed_nas "
            f"--site site.json --admin ana --admin-password - --user root --no-services --yes"
            f"{' --database -' if database else ''} {more}"
        )
        assert f"sudo dashcam join {URL} --code " in said, said
        for service in ("prefect", "server", "https", "worker"):
            self.main.start(service)
        health = status("/api/v1/health")
        until("the main server answers another host", lambda: self.gpu.do(health, check=False) == "200")
        until("the main server's worker has set Prefect up", lambda: self.is_there(self.main))

    def is_there(self, host: Host, pool: str = "") -> bool:
        """``pool``: as it works for that one beside its own."""
        name = f"{host.name}-{pool}" if pool else host.name
        return name in [one["hostname"] for one in self.ask("/devices")]

    def join(self, host: Host, device_type: str, stores: str = "", works: bool = True) -> None:
        line = self.main.do(f"dashcam device invite --type {device_type} --name {host.name}").strip()
        assert re.fullmatch(rf"sudo dashcam join {URL} --code \S+ --authority [0-9a-f]+", line), line
        host.do(f"{line.removeprefix('sudo ')} {stores} --user root --no-services")
        if works:
            host.start("worker")
            until(f"{host.name} has reported", lambda: self.is_there(host))
        say(f"{host.name} has joined as {device_type}")

    def push(self, clips: list[Path], trip: str) -> None:
        """As viofosync leaves them; its trigger tells the main server, from the NAS where that is a host."""
        host = self.nas if self.nas in self.hosts else self.main
        folder = self.box / "disks/indoor/raw" / trip
        folder.mkdir(parents=True, exist_ok=True)
        for file in clips:
            shutil.copy2(file, folder / file.name)
        tell = (
            f"DASHCAM_SERVER={URL} DASHCAM_ROOT={host.mounts['indoor']} sh {REPOSITORY}/deploy/ingestion_trigger.sh && "
            "test ! -s /var/lib/dashcam-processor/trigger/spool"
        )
        until("the NAS has told of its clips", lambda: host.do(f"{tell} && echo told", check=False) == "told\n")

    def secrets(self) -> dict[str, str]:
        """By name: what no command line may show."""
        files = [host.folder / "etc" / name for host in self.hosts for name in ("token", "prefect-login")]
        kept = {f"{file.parents[1].name}'s {file.name}": file.read_text().strip() for file in files if file.exists()}
        return kept | {"the admin's password": PASSWORD, "the database's password": DATABASE_PASSWORD}

    def outcomes(self) -> Counter[str]:
        return Counter(str(video["outcome"]) for video in self.ask("/videos?limit=100")["videos"])

    def complete(self, clips: int) -> None:
        until(f"{clips} clips are processed", lambda: self.outcomes()["processed"] >= clips)
        until("nothing is left to do", lambda: not self.ask("/tasks/pending?limit=1"))


CURL = "curl -s --cacert /etc/dashcam-processor/authority.crt"
BEARER = '-H "Authorization: Bearer $(cat /etc/dashcam-processor/token)"'


def status(path: str) -> str:
    """The command that prints HTTP's number for what comes without a token."""
    return f"curl -sk -o /dev/null -w '%{{http_code}}' {URL}{path}"


def log_in_and_look(home: Home, plate: str) -> None:
    """As a browser on another machine, which trusts the site's authority and no other."""
    browser, jar = home.gpu, "-b jar -c jar"
    for page in ("/", "/videos", "/plates"):
        went = browser.do(f"{CURL} -H 'Accept: text/html' -o page -w '%{{http_code}} %{{redirect_url}}' {URL}{page}")
        assert went.startswith(f"303 {URL}/log-in"), f"{page} is open to the LAN: {went}"
    assert "refused" in browser.do(f"curl -s --cacert /etc/ssl/certs/ca-certificates.crt {URL}/ || echo refused")
    typed = f"--data-urlencode name=ana --data-urlencode password={shlex.quote(PASSWORD)}"
    went = browser.do(f"{CURL} {jar} -o page -w '%{{http_code}}' {typed} {URL}/log-in")
    assert went == "303", went
    assert "Secure" in browser.do(f"{CURL} -D - -o page {typed} {URL}/log-in"), "the cookie is for HTTPS alone"
    page = browser.do(f"{CURL} {jar} {URL}/plates/{plate}")
    assert plate in page and "first.MP4" not in page, page[:2000]


def is_closed_to_the_lan(home: Home) -> None:
    for port in (8000, 4200):
        assert "refused" in home.gpu.do(f"curl -s -m 5 http://main-server:{port}/api/health || echo refused")
    for path in ("/api/v1/devices", "/prefect/api/health", "/prefect/api/work_pools/gpu"):
        assert home.gpu.do(status(path)) == "401", path
    login = '-u "$(cat /etc/dashcam-processor/prefect-login)"'
    for answer, how, path in (
        ("200", "-X POST -d '{}'", "deployments/filter"),
        ("200", "", "work_pools/gpu"),
        ("403", "", "work_pools/nas"),
        ("403", "-X POST -d '{}'", "work_pools/nas/get_scheduled_flow_runs"),
        ("403", "-X POST -d '{}'", "deployments/"),
        ("403", "-X POST -d '{}'", "flow_runs/"),
    ):
        json_ = "-H 'Content-Type: application/json' -o /dev/null -w '%{http_code}'"
        said = home.gpu.do(f"{CURL} {login} {json_} {how} {URL}/prefect/api/{path}")
        assert said == answer, f"{path}: {said}"
    pages = home.gpu.do(f"{CURL} -o /dev/null -w '%{{http_code}}' {URL}:4443/api/health")
    assert pages in ("302", "303"), f"Prefect's pages are open to the LAN: {pages}"
    for typed in ("", "-u anything:at-all"):  # Prefect's page asks for a password of its own, whatever it is
        asked = f"{CURL} -b jar {typed} -o /dev/null -w '%{{http_code}}' {URL}:4443/api/health"
        assert home.gpu.do(asked) == "200"


def live(home: Home, database: str | None) -> None:
    drive = home.box / "drive"
    write_drive(drive, duration_s=4)
    clips = sorted(drive.glob("*.MP4"))
    home.set_up_main_server(database)
    say("the main server is set up")
    home.join(home.nas, "indoor_nas", "--store indoor_nas=/srv/volume1/dashcam", works=False)
    home.join(home.shed, "shed_nas", "--store indoor_nas=/srv/indoor --store shed_nas=/srv/archive")
    home.join(home.jetson, "jetson_coral")
    home.join(home.gpu, "rtx_4090", "--store indoor_nas=/srv/clips")

    home.push(clips[:1], "first")
    home.complete(1)
    plates = [one["text"] for one in home.ask("/plates")]
    say(f"the first clip is through all five stages, each on its own host: {', '.join(plates)}")
    log_in_and_look(home, plates[0])
    is_closed_to_the_lan(home)
    say("it is in the WebUI, over HTTPS and log-in; nothing else is open to the LAN")

    home.main.do("dashcam device revoke rtx-4090-1")
    done_by_gpu = home.gpu.log("worker").count("Beginning flow run")
    assert home.gpu.do(f"{CURL} {BEARER} -o /dev/null -w '%{{http_code}}' {URL}/api/v1/site") == "401"
    home.jetson.cable("down")
    cut_off = time.monotonic()
    home.shed.stop("worker")
    home.push(clips[1:], "second")
    home.join(home.gpu2, "rtx_4090", "--store indoor_nas=/srv/videos")
    home.shed.start("worker")
    say("one graphics card is revoked, another joined, the shed's NAS was restarted, the jetson is cut off")
    time.sleep(max(0.0, CUT_OFF_S - (time.monotonic() - cut_off)))
    assert home.outcomes()["processed"] == 1, "without the jetson nothing gets further"
    home.jetson.cable("up")
    home.complete(len(clips))
    say("all clips are through")
    assert home.gpu.log("worker").count("Beginning flow run") == done_by_gpu, "the revoked one got work"
    each_touched_only_what_it_should(home, len(clips))


def live_with_few(home: Home, database: str | None) -> None:
    clips = short_clips(home.box / "drive", 2, 1.0)
    home.set_up_main_server(database, "--cover jetson=gpu --cover nas=server")
    home.join(home.gpu, "rtx_4090", "--store indoor_nas=/srv/clips")
    until("the graphics card's host is the jetson too", lambda: home.is_there(home.gpu, "jetson"))
    until("the main server is the shed's NAS too", lambda: home.is_there(home.main, "nas"))
    home.push(clips[:1], "first")
    home.complete(1)
    say("without a jetson and a NAS of its own the first clip is through")

    home.gpu.stop("worker")
    home.gpu.do("dashcam leave")
    home.main.do("dashcam init --cover jetson=server --cover gpu=server --user root --no-services --yes")
    for service in ("server", "worker"):
        home.main.stop(service)
        home.main.start(service)
    until("the main server is the graphics card too", lambda: home.is_there(home.main, "gpu"))
    home.push(clips[1:], "second")
    home.complete(2)
    say("with the main server alone the second is through")


def each_touched_only_what_it_should(home: Home, clips: int) -> None:
    """No host could write where it should not (`Host.writes`); and none had to be refused anything."""
    refused = [line for line in home.main.log("server").splitlines() if "may not ask Prefect" in line]
    asked_by_us = [line for line in refused if home.gpu.name in line]
    assert refused == asked_by_us, refused
    bundles = [path.name for path in (home.box / "disks/shed").iterdir() if not path.name.startswith(".")]
    assert len(bundles) == clips, bundles
    for host in home.hosts:
        for line in host.log("worker").splitlines():
            assert "Read-only file system" not in line, f"{host.name}: {line}"
    for host in (home.jetson, home.gpu, home.gpu2, home.shed):
        assert not (host.folder / "var/dashcam.db").exists() and not (host.folder / "etc/authority.key").exists()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", action="store_true", help="two hosts, which do what others would")
    parser.add_argument("--postgresql", action="store_true", help="the main server's database is PostgreSQL")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="the box is made there, and stays")
    asked = parser.parse_args()
    box = asked.keep or Path(tempfile.mkdtemp(prefix="dashcam-home-"))
    shutil.rmtree(box, ignore_errors=True)
    box.mkdir(parents=True)
    home = Home(box.absolute(), asked.few)
    database = Postgresql(home.main) if asked.postgresql else None
    try:
        build(home.box, home.hosts)
        if database is not None:
            database.start()
    except NotPermitted as why:
        take_down(home.hosts)
        print(f"SKIPPED: the home in a box was NOT tried: {why}", file=sys.stderr)
        return 0
    onlooker = Onlooker()
    onlooker.start()
    try:
        (live_with_few if asked.few else live)(home, database.url if database else None)
        onlooker.stop()
        assert not (shown := onlooker.found(home.secrets())), shown
        say("no secret stood on a command line")
    except BaseException:
        print("\n".join(host.last_words() for host in home.hosts), flush=True)
        say(f"failed; all that each host has said lies in {box}/HOST/*.log")
        raise
    finally:
        take_down(home.hosts)
        if database is not None:
            database.remove()
    say("all is well")
    if asked.keep is None:
        shutil.rmtree(box, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
