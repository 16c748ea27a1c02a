"""Checks of this machine by itself: Python and packages, SQLite, codecs, weights, scratch, logs."""

import hashlib
import importlib.metadata
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from packaging.requirements import Requirement

from dashcam import sqlite
from dashcam.doctor.finding import Finding, fault, in_words, ok, skipped, warning
from dashcam.doctor.host import Host

FIRST_PYTHON = (3, 11)
LEAST_SCRATCH = 10 * 10**9
"""A run's footage is an hour at most, and its results a tenth of it."""
MOST_LOGS = 10**9
NEEDED_CODECS = {"h264": "plays no clip", "hevc": "plays no clip of a newer camera", "libx264": "writes no copies"}
"""What a machine without it cannot do."""
SUMS = "SHA256SUMS"


def python(host: Host) -> Iterator[Finding]:
    said = f"Python {'.'.join(map(str, sys.version_info[:3]))}, {sys.maxsize.bit_length() + 1} bits"
    if sys.version_info < FIRST_PYTHON or sys.maxsize < 2**32:
        yield fault("python", f"{said} is too old or too small.", "Install a 64-bit Python 3.11 or newer.")
        return
    yield ok("python", said)


def packages(host: Host) -> Iterator[Finding]:
    try:
        wanted = [Requirement(line) for line in importlib.metadata.requires("dashcam-processor") or []]
    except importlib.metadata.PackageNotFoundError:
        yield skipped("packages", "dashcam-processor runs from its folder, without having been installed.")
        return
    wrong = [said for one in wanted if (said := unfit(one)) is not None]
    if wrong:
        remedy = "Run `make setup` in its folder, or `pip install -c constraints.txt .` there."
        yield fault("packages", f"{'; '.join(wrong[:3])}{' and more' if len(wrong) > 3 else ''}.", remedy)
        return
    yield ok("packages", f"{len(wanted)} packages are of versions that fit")


def unfit(wanted: Requirement) -> str | None:
    """Why the installed package is not the one that is wanted; extras need not be there."""
    if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
        return None
    try:
        found = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{wanted.name} is not installed"
    return None if wanted.specifier.contains(found, prereleases=True) else f"{wanted.name} {found} is not {wanted}"


def encoding(host: Host) -> Iterator[Finding]:
    names = {"file names": sys.getfilesystemencoding(), "output": getattr(sys.stdout, "encoding", None) or "utf-8"}
    wrong = [f"{what} are in {name}" for what, name in names.items() if not is_unicode(name)]
    if wrong:
        remedy = "Set LANG=C.UTF-8 for whoever runs dashcam, in its unit file too."
        yield warning("encoding", f"{' and '.join(wrong)}: names with other letters cannot be handled.", remedy)
        return
    yield ok("encoding", "UTF-8")


def is_unicode(name: str) -> bool:
    return name.lower().replace("-", "").replace("_", "") in ("utf8", "utf8sig", "cp65001")


def codecs(host: Host) -> Iterator[Finding]:
    try:
        import av
    except ImportError as error:
        yield fault("codecs", f"PyAV cannot be loaded ({error}).", "Run `pip install --force-reinstall av`.")
        return
    missing = missing_codecs(av.codec.codecs_available)
    if missing:
        said = "; ".join(f"without {name} this machine {what}" for name, what in missing.items())
        yield fault(
            "codecs", f"PyAV lacks codecs: {said}.", "Install PyAV's own wheel: `pip install --force-reinstall av`."
        )
        return
    yield ok("codecs", f"PyAV {av.__version__} with {', '.join(NEEDED_CODECS)}")


def missing_codecs(available: Iterable[str]) -> dict[str, str]:
    return {name: what for name, what in NEEDED_CODECS.items() if name not in set(available)}


def sound_sqlite(host: Host) -> Iterator[Finding]:
    if not host.is_main_server:
        yield skipped("sqlite", "Only the main server has a database.")
        return
    module = sqlite.driver()
    if sqlite.has_wal_reset_bug(module.sqlite_version_info):
        said = f"SQLite {module.sqlite_version} can lose committed rows in WAL mode, so the database runs without it."
        yield warning(
            "sqlite", said, "Install the package pysqlite3 or a Python with SQLite 3.51.3, or use PostgreSQL."
        )
        return
    yield ok("sqlite", f"SQLite {module.sqlite_version}")


def weights(host: Host) -> Iterator[Finding]:
    from dashcam.vision.engines import MissingWeights, shipped_weights

    restore = "Restore the folder models/ from the release, or correct SHA256SUMS if the weights are yours."
    try:
        sums = shipped_weights(SUMS, "it tells which weights are right")
    except MissingWeights as error:
        yield fault("models", str(error), restore)
        return
    wrong = wrong_weights(sums)
    if wrong:
        yield fault("models", f"{'; '.join(wrong)}: the network would find other plates.", restore)
        return
    yield ok("models", f"the weights in {sums.parent} are those of the release")


def wrong_weights(sums: Path) -> list[str]:
    wrong = []
    for line in sums.read_text(encoding="utf-8").splitlines():
        wanted, _, name = line.partition("  ")
        file = sums.parent / name
        if not file.is_file():
            wrong.append(f"{name} is missing")
        elif hashlib.sha256(file.read_bytes()).hexdigest() != wanted:
            wrong.append(f"{name} is damaged")
    return wrong


def scratch(host: Host) -> Iterator[Finding]:
    if host.device is None:
        yield skipped("scratch", "Which folder it is cannot be read from the settings.")
        return
    folder = host.device.scratch
    where = f"storage.local_scratch in the file of {host.device.hostname}"
    if not folder.is_absolute():
        yield fault(
            "scratch",
            f"The scratch folder {folder} is a path of another system, not of this one.",
            f"Correct {where} to a folder of this machine, such as /var/tmp, or leave it out.",
        )
        return
    if (reason := unwritable(folder)) is not None:
        yield fault(
            "scratch",
            f"The scratch folder {folder} cannot be written ({reason}).",
            f"Mend its rights, or correct {where}.",
        )
        return
    free = shutil.disk_usage(existing(folder)).free
    if free < LEAST_SCRATCH:
        said = f"The scratch folder {folder} has {in_words(free)} left: long clips may not fit."
        yield warning("scratch", said, f"Make {in_words(LEAST_SCRATCH)} free there, or correct {where}.")
        return
    yield ok("scratch", f"{folder}, {in_words(free)} free")


def existing(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that is there."""
    return next((one for one in (folder, *folder.parents) if one.is_dir()), Path(folder.anchor))


def unwritable(folder: Path) -> str | None:
    """Why nothing can be written there, tried; None where it can. A folder that is not there yet can be made."""
    there = existing(folder)
    blocked = next((one for one in (folder, *folder.parents) if one.exists() and not one.is_dir()), None)
    if blocked is not None and blocked.is_relative_to(there):
        return f"{blocked} is a file"
    try:
        with tempfile.TemporaryFile(dir=there, prefix=".dashcam-doctor-") as probe:
            probe.write(b"x" * 4096)
    except OSError as error:
        return error.strerror or type(error).__name__
    return None


def logs(host: Host) -> Iterator[Finding]:
    if host.data is None:
        yield skipped("logs", "The services of a site write to the journal, which limits itself.")
        return
    folder, size = host.data / "logs", 0
    for file in folder.glob("*"):
        with suppress(OSError):
            size += file.stat().st_size
    if size > MOST_LOGS:
        said = f"The logs in {folder} have grown to {in_words(size)}."
        yield warning("logs", said, f"Stop dashcam, remove {folder} and start it again.")
        return
    yield ok("logs", f"{in_words(size)} in {folder}")
