"""The data folder of the embedded system: where everything lies, and the settings that make it a site of its own."""

import contextlib
import json
import os
import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import certifi
from platformdirs import user_data_path

from dashcam import Explained
from dashcam.config import MARKER, ConfigError, has_home, load_site
from dashcam.config.pools import DEVICE_TYPE_OF
from dashcam.config.prefect import client_settings, server_settings
from dashcam.storage import layout
from dashcam.storage.bundle import StorageError
from dashcam.storage.markers import mark
from dashcam.storage.roots import StoreError
from dashcam.tasks.chain import POOLS


class HomeUnusable(Explained):
    """The data folder cannot be used; the message is one plain sentence."""


@dataclass(frozen=True)
class Ports:
    app: int
    prefect: int


@dataclass(frozen=True)
class Home:
    """Paths inside one data folder."""

    data: Path

    @property
    def config(self) -> Path:
        return self.data / "config"

    @property
    def token_file(self) -> Path:
        return self.config / "token"

    @property
    def prefect_login_file(self) -> Path:
        """``user:password`` of Prefect's API and UI: whoever may start a deployment may run programs here."""
        return self.config / "prefect-login"

    @property
    def prefect_login(self) -> str:
        return self.prefect_login_file.read_text().strip()

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def run_file(self) -> Path:
        return self.data / "running.json"

    @property
    def lock_file(self) -> Path:
        return self.data / "lock"

    @property
    def prefect(self) -> Path:
        return self.data / "prefect"

    @property
    def one_certificate(self) -> Path:
        return self.prefect / "certificate.pem"

    def prepare(self) -> None:
        """Make the folders and the token. Raises `HomeUnusable` when that is not allowed or the disk is full."""
        try:
            for folder in (self.config / "devices", self.logs, self.prefect):
                folder.mkdir(parents=True, exist_ok=True)
            for store, folder in self.stores.items():
                self.make_store(store, folder)
            self.mark_extra_stores()
            if not self.token_file.exists():
                write_private(self.token_file, secrets.token_urlsafe(32))
            if not self.prefect_login_file.exists():
                write_private(self.prefect_login_file, f"dashcam:{secrets.token_urlsafe(12)}")
            if not self.one_certificate.exists():
                self.one_certificate.write_text(first_certificate())
            probe = self.data / f".write-{os.getpid()}"
            probe.write_bytes(b"x" * 4096)
            probe.unlink()
        except OSError as error:
            raise HomeUnusable(
                f"The data folder {self.data} cannot be written ({error.strerror}): "
                "give another one with --data, or mend its rights or free space."
            ) from error

    def make_store(self, store: str, folder: Path) -> None:
        """Its folder with its marker in it. What was marked by an earlier start is not marked again: without its marker
        it is not mounted."""
        made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        marker = self.marker_of(store)
        if made or marker is None:
            ours = made or not (folder.is_symlink() or any(folder.iterdir()))
            with contextlib.suppress(StoreError):  # who opens the store hears what is wrong
                mark(store, folder, marker or MARKER, sure=ours)

    def mark_extra_stores(self) -> None:
        """The owner's own, once each where it is seen: from then on it counts as missing without its marker."""
        file = self.config / "config.json"
        with contextlib.suppress(ConfigError):  # `dashcam check` says what is wrong with it
            site = load_site(self.config)
            marked = {}
            for store, root in site.mounts.items():
                if store in site.extra_stores and store not in site.extra_store_markers:
                    with contextlib.suppress(StoreError, StorageError, OSError):
                        mark(store, Path(root))
                        marked[store] = MARKER
            if marked:
                update(file, {"extra_store_markers": marked}, {})

    def marker_of(self, store: str) -> str | None:
        """As its settings name it; None before the first start that knows of markers."""
        paths = written(self.config / "config.json").get("storage_paths")
        section = paths.get(store) if isinstance(paths, dict) else None
        return section.get("marker") if isinstance(section, dict) else None

    @property
    def stores(self) -> dict[str, Path]:
        """The two that it makes."""
        return {layout.INDOOR: self.indoor_nas, layout.SHED: self.archive}

    @property
    def indoor_nas(self) -> Path:
        return self.data / "indoor_nas"

    @property
    def deployed(self) -> Path:
        """Which deployments Prefect has; absent on a new data folder."""
        return self.prefect / "deployed"

    @property
    def archive(self) -> Path:
        return self.data / "archive"

    @property
    def database(self) -> Path:
        return self.data / "dashcam.db"

    def lost(self) -> str | None:
        """What to do where archives are there and their database is not; None where nothing is lost."""
        archived = 0 if self.database.exists() else sum(1 for _ in self.archive.glob(f"[!.]*/{layout.MANIFEST}"))
        if not archived:
            return None
        return (
            f"The database is gone, but {archived} archives are there: stop this, and "
            f"`dashcam rebuild --data {self.data}` brings back what they know. Nothing of them is removed."
        )

    def write_settings(self, ports: Ports) -> None:
        """The site file, and one device per pool: this machine plays them all. What else an owner has written into them
        stays. Raises `HomeUnusable`."""
        site = {
            "storage_paths": {
                "indoor_nas": {"base": str(self.indoor_nas)},
                "shed_nas": {"archive_base": str(self.archive)},
            },
            "extra_stores": {"local": "/"},
            "server": {
                "url": f"http://127.0.0.1:{ports.app}",
                "prefect_url": f"http://127.0.0.1:{ports.prefect}/api",
                "port": ports.app,
                "database_url": f"sqlite:///{self.database}",
                "streets_file": str(self.data / "streets.pmtiles"),
            },
        }
        unless_said = {
            "storage_paths": {store: {"marker": MARKER} for store in self.stores},
            "global": {
                "task_retry_delay_seconds": 5,
                # what is archived on this machine need not lie here twice
                "storage_retention_days": {"preproc_data": 0, "heavy_output": 0},
            },
            # all pools share this machine's cores, where a process start costs more than on a machine of its own
            "dispatch": {"batch_linger_seconds": 15},
        }
        update(self.config / "config.json", site, unless_said)
        for pool in POOLS:
            device = {"device_type": DEVICE_TYPE_OF[pool], "storage": {"local_scratch": str(self.data / "scratch")}}
            update(self.config / "devices" / f"{device_name(pool)}.json", device, {})

    def environment(self, ports: Ports) -> dict[str, str]:
        """The environment of the system's processes; docs/embedded.md says why Prefect is set like this."""
        home = {} if has_home() else {"HOME": str(self.data)}
        site = {
            "DASHCAM_CONFIG": str(self.config),
            "DASHCAM_DEVICE": machine(),
            "DASHCAM_POOL": "server",
            "NICEGUI_STORAGE_PATH": str(self.data / "browser-sessions"),
            "PYTHONUNBUFFERED": "1",
        }
        return os.environ | home | site | self.prefect_client_settings(ports) | self.prefect_server_settings(ports)

    def prefect_client_settings(self, ports: Ports) -> dict[str, str]:
        return client_settings(f"http://127.0.0.1:{ports.prefect}/api", self.prefect_login) | {
            "PREFECT_HOME": str(self.prefect),
            # asked for in a checkout, for Prefect's own command; here setting up makes the pools
            "PREFECT_PLUGINS_ENABLED": "false",
            # each of its many clients would read the world's certificates, for http
            "PREFECT_API_SSL_CERT_FILE": str(self.one_certificate),
        }

    def prefect_server_settings(self, ports: Ports) -> dict[str, str]:
        origins = (f"http://127.0.0.1:{ports.prefect}", f"http://localhost:{ports.prefect}")
        return server_settings(self.prefect_login, origins)


def first_certificate() -> str:
    """One of the world's, because none at all is an error: Prefect is asked by http here."""
    every = Path(certifi.where()).read_text(encoding="ascii", errors="ignore")
    return every[every.index("-----BEGIN") :].partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"


def written(file: Path) -> dict[str, Any]:
    """What is in it; nothing where it is not there. Raises `HomeUnusable`."""
    try:
        content = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise HomeUnusable(f"{file} is no JSON object: mend it, or remove it to have it written anew.")
    return content


def update(file: Path, ours: dict[str, Any], unless_said: dict[str, Any]) -> None:
    """Write what is ours into the owner's file, and what they have not said otherwise. Raises `HomeUnusable`."""
    there = written(file)
    wanted = merged(merged(unless_said, there), ours)
    if wanted != there:
        temporary = file.with_name(f".{file.name}")
        temporary.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")
        if file.exists():
            shutil.copymode(file, temporary)
        temporary.replace(file)


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = {key for key in base.keys() & over.keys() if isinstance(base[key], dict) and isinstance(over[key], dict)}
    return base | over | {key: merged(base[key], over[key]) for key in both}


def machine() -> str:
    return socket.gethostname().partition(".")[0] or "localhost"


def device_name(pool: str) -> str:
    """This machine in the role of one device class."""
    return f"{machine()}-{pool}"


def write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def default_data() -> Path:
    """``$DASHCAM_DATA``, else this user's folder for the data of programs."""
    if named := os.environ.get("DASHCAM_DATA"):
        return Path(named)
    try:
        return user_data_path("dashcam-processor", appauthor=False)
    except RuntimeError:
        raise HomeUnusable("This user has no home folder: name a data folder with --data or DASHCAM_DATA.") from None
