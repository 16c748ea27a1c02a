"""``dashcam join`` and ``leave``: a device of a site, from the main server's address and a code alone."""

import json
import ssl
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from dashcam import Explained, __version__, config
from dashcam.config import DeviceType
from dashcam.embedded.home import merged
from dashcam.site import authority, machine, units
from dashcam.site.answer import JoinRequest, SiteAnswer
from dashcam.site.init import in_order, read
from dashcam.site.steps import Steps
from dashcam.storage.roots import StoreError, Stores
from dashcam.tasks.silence import explanation

MOST_SKEW_S = 30.0
"""A clock that is further off than this would put heartbeats and failures where nobody looks for them."""


@dataclass(frozen=True)
class Membership:
    """What a person wants of this device."""

    folder: Path
    """With the settings."""
    state: Path
    """For scratch, and what Prefect's client keeps."""
    url: str
    code: str | None
    hostname: str
    device_type: DeviceType | None
    stores: Mapping[str, Path] = field(default_factory=dict)
    """Where this device has them mounted, if not where the site says."""
    authority: str | None = None
    """The fingerprint of who vouches for the main server, as it was printed with the code."""


def join(wanted: Membership, steps: Steps, install_units: bool = True) -> None:
    """Raises `Explained` at the first step that cannot be done; the code is used by none before all else was looked at.

    A device that has joined and brings no code is told the site's settings anew.
    """
    trusted = trust(wanted)
    look_at(wanted, steps, trusted)
    token = (wanted.folder / "token").read_text().strip() if (wanted.folder / "token").exists() else None
    if wanted.code is None and token is None:
        raise Explained("This device has not joined yet: `dashcam device invite` on the main server makes a --code.")
    if steps.dry_run:
        steps.say(f"would    join {wanted.url} as {wanted.hostname}: token, settings and service of this device")
        return
    answer = asked(wanted, token, trusted)
    steps.say(f"done     joined {wanted.url} as {answer.hostname}, {answer.device_type} of the pool {answer.pool}")
    if answer.covers:
        steps.say(f"note     it works for {' and '.join(answer.covers)} too, which has no devices here (covered_by)")
    if answer.version != __version__:
        steps.say(f"note     the main server runs version {answer.version}, this device {__version__}: make them one")
    write(wanted, steps, answer, answer.token or token or "", trusted)
    in_order(wanted.folder, steps)
    folders = look_at_stores(wanted, steps, answer)
    if install_units:
        units.install(steps, [units.service("worker")], steps.owner or machine.me() or "root", wanted.folder, folders)
    else:
        steps.say("waits    the worker: `dashcam worker` starts it")


@dataclass(frozen=True)
class Trust:
    verify: bool | ssl.SSLContext
    """For httpx."""
    certificate: str | None = None
    """Of the authority whose fingerprint was said; it is kept."""


def trust(wanted: Membership) -> Trust:
    """Whose word counts that the main server is who it says. Raises `Explained` where it is not the authority that was
    named: its certificate is asked for unseen, and counts for nothing before its fingerprint is right."""
    if wanted.authority is None or wanted.url.startswith("http://"):
        return Trust(config.certificates(wanted.url))
    try:
        answer = httpx.get(f"{wanted.url}/{config.AUTHORITY_FILE}", timeout=10, verify=False)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise Explained(away(wanted.url, error)) from None
    if not authority.is_it(answer.text, wanted.authority):
        raise Explained(
            f"The authority of {wanted.url} is not the one that you have named: the --authority is mistyped, or it is "
            "not your main server that answers there."
        )
    return Trust(ssl.create_default_context(cadata=answer.text), answer.text)


def away(url: str, error: httpx.HTTPError) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return (
            f"This machine does not know who vouches for {url} ({error}): add the --authority that `dashcam device "
            "invite` prints on the main server."
        )
    return f"No main server answers at {url} ({error}): look whether it runs, and the address."


def look_at(wanted: Membership, steps: Steps, trusted: Trust) -> None:
    steps.say(f"there    Python {'.'.join(map(str, sys.version_info[:3]))}")
    began = time.time()
    try:
        health = httpx.get(f"{wanted.url}/api/v1/health", timeout=10, verify=trusted.verify)
        health.raise_for_status()
    except httpx.HTTPError as error:
        raise Explained(away(wanted.url, error)) from None
    steps.say(f"there    main server {wanted.url}")
    if said := health.headers.get("date"):
        # a whole second of the server's, somewhere between asking and hearing
        off = (began + time.time()) / 2 - parsedate_to_datetime(said).timestamp() - 0.5
        if abs(off) > MOST_SKEW_S:
            raise Explained(
                f"This clock is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} the main server's: set it first "
                "(timedatectl set-ntp true)."
            )
        steps.say(f"there    clock, {abs(off):.0f} s from the main server's")
    if wanted.device_type is not None:
        fine, sentence = machine.accelerator(wanted.device_type)
        steps.say(f"{'there' if fine else 'note':8} accelerator: {sentence}")


def asked(wanted: Membership, token: str | None, trusted: Trust) -> SiteAnswer:
    """What the main server says. Raises `Explained` with its sentence."""
    request = JoinRequest(code=wanted.code or "", hostname=wanted.hostname, device_type=wanted.device_type)
    with httpx.Client(base_url=f"{wanted.url}/api/v1", timeout=30, verify=trusted.verify) as http:
        if wanted.code is not None:
            answer = http.post("/join", json=request.model_dump())
        else:
            answer = http.get("/site", headers={"Authorization": f"Bearer {token}"})
    if answer.is_error:
        raise Explained(explanation(answer))
    return SiteAnswer.model_validate(answer.json())


def write(wanted: Membership, steps: Steps, answer: SiteAnswer, token: str, trusted: Trust) -> None:
    if steps.owner is not None:
        user = steps.owner
        steps.step(f"user {user}", machine.user_is_there(user), lambda: machine.make_user(user))
    steps.folder(wanted.folder, "folder of the settings")
    steps.folder(wanted.folder / "devices", "folder of the devices' settings")
    steps.folder(wanted.state, "folder for scratch")
    if trusted.certificate is not None:
        steps.file(wanted.folder / config.AUTHORITY_FILE, "authority", trusted.certificate, 0o644)
    # the secrets first: a power cut after them has lost nothing, and without a code all may be asked anew
    steps.file(wanted.folder / "token", "secret token", token + "\n")
    steps.file(wanted.folder / "prefect-login", "secret prefect-login", f"{answer.hostname}:{token}\n")
    steps.file(wanted.folder / "config.json", "settings of the site", json.dumps(answer.site, indent=2) + "\n")
    device = wanted.folder / "devices" / f"{answer.hostname}.json"
    unless_said = {"storage": {"local_scratch": str(wanted.state / "scratch")}}
    ours: dict[str, object] = {"device_type": answer.device_type, "hostname": answer.hostname}
    if wanted.stores:
        ours["stores"] = {store: str(folder) for store, folder in wanted.stores.items()}
    content = merged(merged(unless_said, read(device)), ours)
    steps.file(device, "settings of this device", json.dumps(content, indent=2) + "\n")


def look_at_stores(wanted: Membership, steps: Steps, answer: SiteAnswer) -> list[Path]:
    """Whether those that its stages open are mounted here; a worker waits for what is not. Their folders."""
    site, device = config.load_site(wanted.folder), config.load_device(wanted.folder, answer.hostname)
    roots = site.store_roots(device)
    stores = Stores(roots, site.store_markers())
    for store in answer.needs:
        try:
            steps.say(f"there    store {store}: {stores.root(store)}")
        except (StoreError, OSError) as error:
            steps.say(f"waits    {error}")
    return [roots[store] for store in answer.needs if store in roots]


def leave(folder: Path, steps: Steps) -> None:
    """The device's token ends, and its service; its settings stay. Raises `Explained`."""
    secrets = [folder / "token", folder / "prefect-login"]
    if not secrets[0].exists():
        raise Explained(f"This device has no token in {folder}: it has not joined, or has left.")
    site, token = config.load_site(folder), secrets[0].read_text().strip()
    hostname = config.load_device(folder).hostname
    units.remove(steps, [units.service("worker")])

    def take_back() -> str:
        url = f"{site.server.url}/api/v1/devices/{hostname}/token"
        try:
            answer = httpx.delete(
                url, headers={"Authorization": f"Bearer {token}"}, timeout=10, verify=config.certificates(url)
            )
        except httpx.HTTPError as error:
            return f"the main server does not answer ({error}); there: dashcam device revoke {hostname}"
        return "" if answer.is_success else explanation(answer)

    steps.step(f"token of {hostname} taken back", False, take_back)
    for secret in secrets:
        steps.step(f"removed: {secret}", not secret.exists(), secret.unlink)
