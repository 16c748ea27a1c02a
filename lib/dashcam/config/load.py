"""Reads and merges the settings: environment over device file over site file over defaults."""

import json
import os
import re
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from dashcam.config.model import MARKER, DeviceFile, DeviceSettings, Site, StoragePaths, default_scratch
from dashcam.config.pools import POOLS, DeviceType
from dashcam.config.sentences import ConfigError, nearest, sentences_of

DEFAULT_FOLDER = Path(
    os.environ.get("PROGRAMDATA", "C:/ProgramData") if os.name == "nt" else "/etc", "dashcam-processor"
)
SITE_FILE = "config.json"
RUNS_AT_ONCE: dict[DeviceType, int] = {"main_server": 3}
"""At least, unless the device's own file says otherwise: the server's runs are short, and none waits behind a scan."""
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
M = TypeVar("M", bound=BaseModel)

SITE_ENV = {
    "DASHCAM_SERVER_URL": ("server", "url"),
    "DASHCAM_PREFECT_URL": ("server", "prefect_url"),
    "DASHCAM_HOST": ("server", "host"),
    "DASHCAM_PORT": ("server", "port"),
    "DASHCAM_DATABASE_URL": ("server", "database_url"),
    "DASHCAM_TIME_ZONE": ("server", "time_zone"),
    "DASHCAM_BATCH_MINUTES": ("dispatch", "batch_minutes"),
    "DASHCAM_BATCH_LINGER_SECONDS": ("dispatch", "batch_linger_seconds"),
    "DASHCAM_MAX_FAILURES": ("dispatch", "max_failures"),
    "DASHCAM_SETTLE_SECONDS": ("dispatch", "settle_seconds"),
    "DASHCAM_TASK_RETRY_DELAY_SECONDS": ("global", "task_retry_delay_seconds"),
}
"""Environment variables that win over ``config.json``, and the key each stands for."""

DEVICE_ENV = {
    "DASHCAM_DEVICE_TYPE": ("device_type",),
    "DASHCAM_SCRATCH": ("storage", "local_scratch"),
    "DASHCAM_SAMPLE_FPS": ("sample_fps",),
    "DASHCAM_LOWRES_FPS": ("lowres_fps",),
    "DASHCAM_DETECTOR_SIZE": ("detector_size",),
    "DASHCAM_DETECTOR_WEIGHTS": ("detector_weights",),
    "DASHCAM_THREADS": ("threads",),
}
"""Environment variables that win over the device's file. ``DASHCAM_DEVICE`` says which device this is."""


def config_folder(folder: Path | None = None) -> Path:
    """The folder with the settings: the argument, else ``DASHCAM_CONFIG``, else ``/etc/dashcam-processor``, on Windows
    ``dashcam-processor`` in the folder for the data of programs.

    Raises ``ConfigError`` when a folder that was named is not there; the default one need not be.
    """
    named = folder or (Path(value) if (value := os.environ.get("DASHCAM_CONFIG")) else None)
    if named and not named.is_dir():
        raise ConfigError([f"{named}: there is no such folder; make it, or correct DASHCAM_CONFIG."])
    return named or DEFAULT_FOLDER


def load_site(folder: Path | None = None) -> Site:
    """The site's settings; all defaults when there is no ``config.json``. Raises ``ConfigError``.

    The stores of a site of several machines have a marker each, whether it is named or not.
    """
    base = config_folder(folder)
    path = base / SITE_FILE
    site = _validated(Site, _read(path), path, SITE_ENV)
    if not _is_shared(site, base):
        return site
    extra = {name: MARKER for name in site.extra_stores if name in site.mounts} | site.extra_store_markers
    return site.model_copy(update={"storage_paths": _marked(site.storage_paths), "extra_store_markers": extra})


def _is_shared(site: Site, base: Path) -> bool:
    """Whether other machines have a part in the site, so that its stores are mounted and may be missing: they are
    named, or the main server can be reached by them."""
    named = {*site.devices, *(path.stem for path in (base / "devices").glob("*.json"))}
    machines = {re.sub(f"-({'|'.join(set(POOLS.values()))})$", "", name.partition(".")[0]) for name in named}
    reached = {urlsplit(site.server.url).hostname, site.server.host}
    return len(machines) > 1 or not reached <= LOOPBACK


def _marked(paths: StoragePaths) -> StoragePaths:
    named = {name: getattr(paths, name) for name in StoragePaths.model_fields}
    return paths.model_copy(
        update={
            name: store.model_copy(update={"marker": MARKER})
            for name, store in named.items()
            if store is not None and store.marker is None
        }
    )


def load_device(folder: Path | None = None, hostname: str | None = None, pool: str | None = None) -> DeviceSettings:
    """The settings of this device, or of the one named; all defaults when nothing is written about it.

    ``hostname`` falls back to ``DASHCAM_DEVICE``, then to the machine's own name. An entry of ``devices`` in
    ``config.json`` is overridden key by key by ``devices/<hostname>.json``.

    A machine may work for several pools and is then a device in each. With ``pool`` (else ``DASHCAM_POOL``) its scratch
    is that pool's alone, and unless the pool goes with its type it is called ``<hostname>-<pool>``, by whose file it
    goes where there is one. Raises ``ConfigError``.
    """
    base = config_folder(folder)
    site = load_site(folder)
    name = hostname or os.environ.get("DASHCAM_DEVICE") or socket.gethostname()
    if not re.fullmatch(r"[\w][\w.-]*", name):
        raise ConfigError([f"DASHCAM_DEVICE is {name!r}, but a device's name has only letters, digits, '-' and '.'."])
    pool = pool or os.environ.get("DASHCAM_POOL")
    if not pool:
        return _device(base, site, name)
    part = f"{name.partition('.')[0]}-{pool}"
    if part in site.devices or _device_path(base, part).exists():
        settings = _device(base, site, part)
    else:
        settings = _device(base, site, name)
        if settings.pool != pool:
            settings = settings.model_copy(update={"hostname": part})
    return settings.model_copy(update={"scratch": settings.scratch / pool})


def _device(base: Path, site: Site, name: str) -> DeviceSettings:
    path = _device_path(base, name)
    written = _read(path)
    if name in site.devices:
        written = _merged(site.devices[name].model_dump(exclude_unset=True), written)
    device = _validated(DeviceFile, written, path, DEVICE_ENV)
    if mistakes := _device_mistakes(site, device, path):
        raise ConfigError(mistakes)
    return _settings(site, device, name)


def check(folder: Path) -> list[str]:
    """Every mistake in the site file and all device files, one plain sentence each; empty when all is well."""
    mistakes: list[str] = []
    site = Site()
    try:
        base = config_folder(folder)
        if not (base / SITE_FILE).is_file():
            mistakes.append(f"{base / SITE_FILE} is not there; the settings of the site belong in it.")
        site = load_site(folder)
    except ConfigError as error:
        mistakes += error.sentences
        if not folder.is_dir():
            return mistakes
    for path in sorted((folder / "devices").glob("*.json")):
        try:
            device = _validated(DeviceFile, _read(path), path, {})
        except ConfigError as error:
            mistakes += error.sentences
        else:
            mistakes += _device_mistakes(site, device, path)
    return mistakes


def token(folder: Path | None = None) -> str | None:
    """This device's token for the main server's API, or None when it has none.

    From ``DASHCAM_TOKEN``, else the file ``DASHCAM_TOKEN_FILE``, else ``token`` in the folder with the settings. A
    file that others may read is refused with ``ConfigError``.
    """
    return _secret("token", "DASHCAM_TOKEN", "holds a token", folder)


def prefect_login(folder: Path | None = None) -> str | None:
    """``user:password`` of Prefect's API, or None for one that is open to all.

    From ``PREFECT_API_AUTH_STRING``, else ``prefect-login`` in the folder with the settings, as `token` is found.
    """
    return _secret("prefect-login", "PREFECT_API_AUTH_STRING", "holds Prefect's password", folder)


def mqtt_login(folder: Path | None = None) -> str | None:
    """``user:password`` of the broker, or None for one that is open to all.

    From ``DASHCAM_MQTT_AUTH_STRING``, else ``mqtt-login`` in the folder with the settings, as `token` is found.
    """
    return _secret("mqtt-login", "DASHCAM_MQTT_AUTH_STRING", "holds the broker's password", folder)


def _secret(name: str, variable: str, what: str, folder: Path | None) -> str | None:
    if value := os.environ.get(variable, "").strip():
        return value
    named = os.environ.get(f"{variable}_FILE")
    path = Path(named) if named else config_folder(folder) / name
    if not named and not path.exists():
        return None
    _refuse_readable_by_others(path, what)
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigError([f"{path}: the {name} file cannot be read; correct {variable}_FILE or the file."]) from None
    if not value:
        raise ConfigError([f"{path}: the {name} file is empty; write the secret into it, or remove the file."])
    return value


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=lambda pairs: _once(pairs, path))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read ({error.strerror}); give this user the right to."]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: is not UTF-8 text; save it as UTF-8."]) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ConfigError([f"{path}: is not valid JSON at {where} ({error.msg})."]) from None
    except RecursionError:
        raise ConfigError([f"{path}: is nested too deeply to be a settings file."]) from None
    if not isinstance(content, dict):
        raise ConfigError([f"{path}: must hold one JSON object, from {{ to }}."])
    return content


def _once(pairs: list[tuple[str, Any]], path: Path) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError([f"{path}: the key {twice} is there twice; leave one."])
    return content


def _validated(model: type[M], written: dict[str, Any], path: Path, env: Mapping[str, tuple[str, ...]]) -> M:
    """``written`` as a model, alone first so that a mistake is put down to the file or to the variable that made it."""
    try:
        settings = model.model_validate(written)
    except ValidationError as error:
        raise ConfigError(sentences_of(error, str(path), model)) from None
    _refuse_password_in_open_file(settings, path)
    for variable, location in env.items():
        if not (value := os.environ.get(variable)):
            continue
        over: Any = value
        for key in reversed(location):
            over = {key: over}
        written = _merged(written, over)
        try:
            settings = model.model_validate(written)
        except ValidationError as error:
            raise ConfigError(sentences_of(error, variable, model)) from None
    return settings


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _merged(result[key], value) if both else value
    return result


def _device_path(base: Path, name: str) -> Path:
    """``devices/<hostname>.json``; a machine that calls itself ``jetson-1.lan`` finds ``jetson-1.json`` too."""
    full = base / "devices" / f"{name}.json"
    short = base / "devices" / f"{name.partition('.')[0]}.json"
    return short if short.exists() and not full.exists() else full


def _device_mistakes(site: Site, device: DeviceFile, path: Path) -> list[str]:
    mistakes = []
    if device.hostname and device.hostname != path.stem:
        mistakes.append(
            f"{path}: hostname is {device.hostname!r}, but the file's name says {path.stem!r}; make them one."
        )
    known = {"indoor_nas", "shed_nas", "local", *site.extra_stores}
    return mistakes + [
        f"{path}: stores.{store} is not a store of this site; {nearest(store, known)}"
        for store in sorted(set(device.stores) - known)
    ]


def _settings(site: Site, device: DeviceFile, name: str) -> DeviceSettings:
    scratch = device.storage.local_scratch
    device_type = device.device_type or _evident_type(device)
    at_once = max(site.global_.max_concurrent_tasks_per_device, RUNS_AT_ONCE.get(device_type, 1))
    return DeviceSettings(
        hostname=device.hostname or name,
        device_type=device_type,
        # a folder of our own inside it: a worker empties its scratch, and local_scratch may be /tmp itself
        scratch=Path(scratch) / "dashcam-scratch" if scratch else default_scratch(),
        max_concurrent_tasks=device.storage.max_concurrent_tasks or at_once,
        sample_fps=device.sample_fps,
        lowres_fps=device.lowres_fps,
        detector_size=device.detector_size,
        detector_weights=Path(device.detector_weights) if device.detector_weights else None,
        detector_engine=device.detector_engine,
        detector_batch=device.detector_batch,
        proposals=device.proposals,
        preprocess=site.preprocess,
        place=site.place,
        retention=site.global_.storage_retention_days,
        threads=device.threads,
        time_zone=device.time_zone or site.server.time_zone,
        stores=device.stores,
        coral=device.coral,
        gpu=device.gpu,
        availability=device.availability,
    )


def _evident_type(device: DeviceFile) -> DeviceType:
    """The guide's chapter 4 leaves ``device_type`` out where the accelerator says it."""
    if device.coral:
        return "jetson_coral"
    return "rtx_4090" if device.gpu else "main_server"


def _refuse_password_in_open_file(settings: BaseModel, path: Path) -> None:
    if isinstance(settings, Site) and re.match(r"[^/]+://[^/@]*:[^/@]+@", settings.server.database_url):
        _refuse_readable_by_others(path, "holds a password (server.database_url)")
    if isinstance(settings, Site) and settings.notify.urls:
        _refuse_readable_by_others(path, "may hold passwords (notify.urls)")


def _refuse_readable_by_others(path: Path, what: str) -> None:
    if os.name == "posix" and path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError([f"{path}: {what} but others may read it; run: chmod 600 {path}"])
