"""What somebody who helps has to know of a site, in one file, without what concerns nobody else."""

import importlib.metadata
import io
import json
import os
import platform
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from dashcam import Explained, __version__, config
from dashcam.doctor.examine import examine
from dashcam.doctor.host import Host
from dashcam.doctor.scrub import scrubbed, scrubber

LAST_LINES = 2000
MOST_OF_LOG = 2_000_000
UNITS = ("dashcam-server", "dashcam-worker", "dashcam-prefect")
MOST_SECRET = 8192
README = """\
What `dashcam support-bundle` has gathered. Secrets, plates, places and names of clips were taken out; look through it
before you give it away.
"""


def write(file: Path, host: Host) -> list[str]:
    """The names of what is in it. Raises `Explained` where it cannot be written, or is there already."""
    scrub = scrubber(secrets_of(host))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        for name, part in parts(host):
            if isinstance(part, str):
                archive.writestr(name, "\n".join(scrub(line) for line in part.splitlines()) + "\n")
            else:
                archive.writestr(name, json.dumps(scrubbed(part, scrub), indent=2, ensure_ascii=False) + "\n")
        names = archive.namelist()
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(content.getvalue())
    except OSError as error:
        raise Explained(f"{file} cannot be written ({error.strerror}): name another file.") from error
    return names


def parts(host: Host) -> Iterator[tuple[str, Any]]:
    """Name and content, not scrubbed yet: text, or what JSON can hold."""
    yield "versions.json", versions()
    if host.site is not None:
        device = host.device.model_dump(mode="json", by_alias=True) if host.device else None
        site = host.site.model_dump(mode="json", by_alias=True)
        site["notify"]["urls"] = len(host.site.notify.urls)
        yield "settings.json", {"site": site, "device": device}
    yield "doctor.json", [finding.model_dump() for finding in examine(host)]
    if host.site is not None and host.token is not None:
        with suppress(httpx.HTTPError):
            url, headers = host.site.server.url, {"Authorization": f"Bearer {host.token}"}
            answer = httpx.get(
                f"{url}/api/v1/metrics", headers=headers, timeout=10, trust_env=False, verify=config.certificates(url)
            )
            yield "metrics.txt", answer.raise_for_status().text
    for name, lines in logs(host).items():
        yield f"logs/{name}.txt", lines


def versions() -> dict[str, Any]:
    packages = {one.metadata["Name"]: one.version for one in importlib.metadata.distributions()}
    return {
        "dashcam": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "packages": dict(sorted(packages.items())),
    }


def logs(host: Host) -> Mapping[str, str]:
    """The last lines of each: of the embedded system's files, else of the services in the journal."""
    if host.data is not None:
        return {file.stem: tail(file) for file in sorted((host.data / "logs").glob("*.log"))}
    if shutil.which("journalctl") is None:
        return {}
    asked = ["journalctl", "--no-pager", "--output", "short-iso", "--lines", str(LAST_LINES)]
    said = {}
    for unit in UNITS:
        done = subprocess.run([*asked, "--unit", unit], capture_output=True, text=True, errors="replace", check=False)
        if done.returncode == 0 and done.stdout.count("\n") > 1:
            said[unit] = done.stdout
    return said


def tail(file: Path) -> str:
    with suppress(OSError), file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - MOST_OF_LOG))
        return "\n".join(opened.read().decode("utf-8", "replace").splitlines()[-LAST_LINES:])
    return ""


def secrets_of(host: Host) -> Iterator[str]:
    """Every one that this machine knows: of the files beside the settings, of addresses, of the environment."""
    files = [file for file in host.folder.glob("*") if file.is_file() and file.suffix != ".json"]
    for file in files:
        with suppress(OSError):
            if file.stat().st_size <= MOST_SECRET:
                yield from spelled(file.read_text(encoding="utf-8", errors="replace").split())
    yield from spelled(value for name, value in os.environ.items() if is_secret(name))
    if host.token is not None:
        yield host.token
    for url in [*host.site.notify.urls, host.site.server.database_url] if host.site is not None else []:
        yield from spelled([url] if "@" in url else [])
        if (password := urlsplit(url).password) is not None:
            yield from (password, unquote(password))


def is_secret(name: str) -> bool:
    return any(word in name.upper() for word in ("TOKEN", "SECRET", "PASSWORD", "AUTH", "DATABASE_URL", "API_KEY"))


def spelled(words: Any) -> Iterator[str]:
    """Each whole, and its parts where it is ``user:password`` or ``NAME=value``."""
    for word in words:
        yield word
        for sign in ("=", ":"):
            _, divided, value = word.partition(sign)
            if divided and len(value) > 7:
                yield value
