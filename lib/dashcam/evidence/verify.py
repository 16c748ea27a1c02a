"""Whether a bundle is as it was made."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from dashcam import Explained
from dashcam.evidence.bundle import MANIFEST, SIGNATURE, BundleManifest
from dashcam.evidence.signing import Signature

LARGEST = 50 * 1024 * 1024
"""Of manifest and signature."""


@dataclass(frozen=True)
class Inspection:
    """``wrong``: a sentence for each thing that was changed. ``key``: the fingerprint of the key it is signed with."""

    manifest: BundleManifest | None
    key: str = ""
    wrong: list[str] = field(default_factory=list)


def verify(bundle: Path) -> Inspection:
    """Every file's hash, that there is no other, and the signature. Raises `Explained` for what is no bundle at all."""
    try:
        archive = zipfile.ZipFile(bundle)
    except (OSError, zipfile.BadZipFile) as error:
        raise Explained(f"{bundle} cannot be read as a bundle ({error}): is it the ZIP file as it was made?") from error
    with archive:
        names = [one.filename for one in archive.infolist() if not one.is_dir()]
        if MANIFEST not in names or SIGNATURE not in names:
            raise Explained(f"{bundle} has no {MANIFEST} or no {SIGNATURE}: it is no bundle of this program.")
        try:
            said, signed = small(archive, MANIFEST), small(archive, SIGNATURE)
            manifest = BundleManifest.model_validate_json(said)
            signature = Signature.model_validate_json(signed)
        except (ValidationError, zipfile.BadZipFile, json.JSONDecodeError):
            return Inspection(
                None, wrong=[f"{MANIFEST} or {SIGNATURE} was changed: it is not what this program writes."]
            )
        wrong = list(differences(archive, names, manifest))
        if not signature.holds(said):
            wrong.insert(0, f"{MANIFEST} was changed: the signature is over another one.")
        return Inspection(manifest, signature.fingerprint(), wrong)


def small(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise zipfile.BadZipFile
    return content


def differences(archive: zipfile.ZipFile, names: list[str], manifest: BundleManifest) -> Iterator[str]:
    known = {one.path: one for one in manifest.files}
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name} is in there twice."
    for name in sorted(set(names) - known.keys() - {MANIFEST, SIGNATURE}):
        yield f"{name} was added."
    for name, one in known.items():
        if name not in names:
            yield f"{name} is missing."
            continue
        try:
            with archive.open(name) as file:
                same = digest(file, one.size) == one.sha256
        except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError):
            same = False
        if not same:
            yield f"{name} was changed."


def digest(file: IO[bytes], size: int) -> str:
    """The hash of so many bytes; another one where there are more."""
    digest, left = hashlib.sha256(), size + 1
    while left > 0 and (piece := file.read(min(left, 1 << 20))):
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest()
