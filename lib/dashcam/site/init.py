"""``dashcam init``: everything that a main server needs, one step a line, safe to repeat."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from sqlalchemy import make_url

from dashcam import Explained, config
from dashcam.config import MARKER
from dashcam.embedded.home import merged
from dashcam.site import authority, https, machine, units
from dashcam.site.answer import join_line
from dashcam.site.steps import Steps
from dashcam.storage.layout import INDOOR, SHED
from dashcam.storage.markers import mark

STORE_KEYS = {INDOOR: "base", SHED: "archive_base"}
PREFECT_S = 120.0
"""So long Prefect may take to answer once its unit was started."""


@dataclass(frozen=True)
class Admin:
    name: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Wishes:
    """What a person wants of the main server; what they have written into its files already stays."""

    folder: Path
    """With the settings."""
    data: Path
    """For database, Prefect and scratch."""
    address: str
    """Under which the other machines find this one."""
    port: int = 8000
    prefect_port: int = 4200
    stores: Mapping[str, Path] = field(default_factory=dict)
    """Where this machine has them mounted."""
    database_url: str | None = None
    site: Mapping[str, Any] = field(default_factory=dict)
    """A site file of theirs."""
    marked: frozenset[str] = frozenset()
    """Stores of which a person says that they are mounted now."""
    https: bool = False
    """Whether Caddy is to serve HTTPS, by an authority of the site's own."""
    covered_by: Mapping[str, str] = field(default_factory=dict)
    """Of a pool without devices the one whose devices do its work as well."""
    admin: Admin | None = None
    """Who is to be the first that may log in."""


def site_file(wishes: Wishes) -> str:
    """``config.json`` as it is to be. Raises `Explained` where it would not be a site."""
    file = wishes.folder / "config.json"
    unless_said: dict[str, Any] = {
        "server": {
            "url": f"http://{wishes.address}:{wishes.port}",
            "prefect_url": f"http://127.0.0.1:{wishes.prefect_port}/api",
            "host": "0.0.0.0",
            "port": wishes.port,
            "database_url": wishes.database_url or f"sqlite:///{wishes.data / 'dashcam.db'}",
            "prefect_home": str(wishes.data / "prefect"),
            "streets_file": str(wishes.data / "streets.pmtiles"),
        }
    }
    said: dict[str, Any] = {}
    if wishes.stores:
        said["storage_paths"] = {store: {STORE_KEYS[store]: str(path)} for store, path in wishes.stores.items()}
    if wishes.covered_by:
        said["covered_by"] = dict(wishes.covered_by)
    if wishes.https:
        unless_said["access"] = {"trusted_proxies": ["127.0.0.1"]}
        said["server"] = {"url": f"https://{wishes.address}", "host": "127.0.0.1"}
    wanted = merged(merged(merged(unless_said, dict(wishes.site)), read(file)), said)
    for store, key in STORE_KEYS.items():
        if not wanted.get("storage_paths", {}).get(store, {}).get(key):
            raise Explained(f"Where is {store} mounted on this machine? Say so with --store {store}=FOLDER.")
    return json.dumps(wanted, indent=2) + "\n"


def refuse_another_database(wishes: Wishes, url: str) -> None:
    """What is in the one that is there would not be in the other. Raises `Explained`."""
    if wishes.database_url not in (None, url):
        raise Explained(
            f"The site's database is another already ({make_url(url).render_as_string()}): move it with "
            "`dashcam migrate-db site -`, then write the new URL into config.json."
        )


def read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    except (OSError, ValueError) as error:
        raise Explained(f"{file} cannot be read ({error}): mend it, or remove it to have it written anew.") from None
    if not isinstance(content, dict):
        raise Explained(f"{file} is no JSON object: mend it, or remove it to have it written anew.")
    return content


def init(wishes: Wishes, steps: Steps, install_units: bool = True) -> None:
    """Raises `Explained` at the first step that cannot be done; what was done until then stays."""
    content = site_file(wishes)
    refuse_another_database(wishes, json.loads(content)["server"]["database_url"])
    if steps.owner is not None:
        user = steps.owner
        steps.step(f"user {user}", machine.user_is_there(user), lambda: machine.make_user(user))
    steps.folder(wishes.folder, "folder of the settings")
    steps.folder(wishes.folder / "devices", "folder of the devices' settings")
    steps.folder(wishes.data, "folder of the data")
    steps.folder(wishes.data / "prefect", "folder of Prefect's server")
    steps.file(wishes.folder / "config.json", "settings of the site", content)
    device = wishes.folder / "devices" / f"{machine.name()}.json"
    ours = {"device_type": "main_server", "storage": {"local_scratch": str(wishes.data / "scratch")}}
    steps.file(device, "settings of this device", json.dumps(merged(ours, read(device)), indent=2) + "\n")
    for name, secret in (
        ("token", secrets.token_urlsafe(32)),
        ("prefect-login", f"dashcam:{secrets.token_urlsafe(24)}"),
    ):
        file = wishes.folder / name
        steps.file(file, f"secret {name}", file.read_text() if file.exists() else secret + "\n")
    encrypted = wishes.https or (wishes.folder / https.AUTHORITY_KEY).exists()
    if encrypted:
        make_authority(wishes.folder, steps, urlsplit(json.loads(content)["server"]["url"]).hostname or "")
    in_order(wishes.folder, steps)
    for store, folder in roots(content).items():
        marker(steps, store, folder, sure=store in wishes.marked)
    steps.step("database", False, lambda: run_module(wishes.folder, "app.prepare", user=steps.owner))
    if wishes.admin is not None:
        let_in(wishes.admin, wishes.folder, steps)
    if install_units:
        folders = list(roots(content).values())
        user = steps.owner or machine.me() or "root"
        services = [units.service(name) for name in services_of(encrypted)]
        units.install(steps, services, user, wishes.folder, folders)
    set_up_prefect(wishes, steps, json.loads(content)["server"]["prefect_url"])


def services_of(encrypted: bool) -> list[str]:
    """In the order in which they are started."""
    return ["prefect", "server", *(["https"] if encrypted else []), "worker"]


def make_authority(folder: Path, steps: Steps, host: str) -> None:
    """For another name a new one is made: the devices then join once more."""
    certificate, key = folder / config.AUTHORITY_FILE, folder / https.AUTHORITY_KEY
    if key.exists() and authority.vouches_for(certificate, host):
        made = certificate.read_text(), key.read_text()
    else:
        made = authority.make(host)
    steps.file(key, "secret authority.key", made[1])
    steps.file(certificate, f"authority for {host}", made[0], 0o644)


def let_in(admin: Admin, folder: Path, steps: Steps) -> None:
    def add() -> str:
        return run_module(
            folder,
            "app.prepare",
            "--admin",
            admin.name,
            user=steps.owner,
            tell=json.dumps({"password": admin.password}),
        )

    steps.step(f"first admin {admin.name}", False, add)


def is_anybody_in(folder: Path, user: str | None) -> bool:
    """Whether somebody may log in already."""
    if not (folder / "config.json").exists():
        return False
    return run_module(folder, "app.prepare", "--people", user=user) != "0"


def farewell(wishes: Wishes, steps: Steps) -> str:
    """What to type on the other machines, with a code for the first of them."""
    url = config.load_site(wishes.folder).server.url
    code = run_module(wishes.folder, "app.prepare", "--invite", user=steps.owner)
    nobody = not is_anybody_in(wishes.folder, steps.owner)
    first = "\nNobody can log in yet: sudo dashcam user add NAME --role admin\n" if nobody else ""
    encrypted = (wishes.folder / https.AUTHORITY_KEY).exists()
    started = ", ".join(f"dashcam {name}" for name in services_of(encrypted))
    starts = "" if units.systemd_runs() else f"\nTo be started here, and to be kept running: {started}\n"
    return (
        f"\nThe main server is {url}\n{first}{starts}"
        "On each other machine, within an hour and once for each code:\n\n"
        f"    {join_line(url, code, authority.known(wishes.folder))}\n\n"
        "Windows goes without sudo. Another code: sudo dashcam device invite, or the page Devices\n"
        "Whether all is well: sudo dashcam doctor"
    )


def in_order(folder: Path, steps: Steps) -> None:
    if steps.dry_run and not (folder / "config.json").exists():
        return
    if mistakes := config.check(folder):
        raise Explained("\n".join(mistakes))


def roots(content: str) -> dict[str, Path]:
    """The stores that are mounted, and where."""
    said = json.loads(content)
    two = {store: Path(said["storage_paths"][store][key]) for store, key in STORE_KEYS.items()}
    return two | {store: Path(root) for store, root in said.get("extra_stores", {}).items() if root != "/"}


def marker(steps: Steps, store: str, folder: Path, sure: bool) -> None:
    """Of a store that is mounted; what is not is said, and may come later."""
    what = f"store {store}: {folder}"
    there = (folder / MARKER).is_file()

    def write() -> None:
        mark(store, folder, sure=sure)

    try:
        steps.step(f"{what}: marked as mounted", there, write)
    except (Explained, OSError) as error:
        steps.say(f"waits    {what}: {error}")


def set_up_prefect(wishes: Wishes, steps: Steps, api_url: str) -> None:
    what = "Prefect's pools, queues, blocks and deployments"
    if not steps.dry_run and units.systemd_runs():
        wait_for(f"{api_url}/health")
    if not steps.dry_run and not answers(f"{api_url}/health"):
        steps.say(f"waits    {what}: this machine's worker makes them once `dashcam prefect` runs")
        return
    steps.step(what, False, lambda: run_module(wishes.folder, "dashcam.cli", "setup", user=steps.owner))


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.HTTPError:
        return False


def wait_for(url: str) -> None:
    deadline = time.monotonic() + PREFECT_S
    while time.monotonic() < deadline and not answers(url):
        time.sleep(0.5)


def run_module(folder: Path, module: str, *arguments: str, user: str | None = None, tell: str | None = None) -> str:
    """What it prints at last. It reads ``tell``, and runs as ``user``, to whom what it makes belongs. Raises
    `Explained`."""
    environment = os.environ | {"DASHCAM_CONFIG": str(folder)}
    environment.pop("DASHCAM_TOKEN", None)
    argv, as_user = [sys.executable, "-m", module, *arguments], machine.as_user(user)
    try:
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, input=tell, check=False, **as_user)
    except PermissionError:
        raise Explained(
            f"The user {user} may not run {sys.executable}: install where it may read, as in /opt/dashcam, or name "
            "another user with --user."
        ) from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Explained(said[-1] if said else f"python -m {module} ended with status {done.returncode}")
    lines = done.stdout.strip().splitlines()
    return lines[-1] if lines else ""
