"""A bundle: a ZIP file that holds a stretch of a clip, what was read in it, and the hash of each of its files.

================  ====================================================================================
``film.mp4``      the stretch with time, speed and place in the picture
``original.*``    the camera's own packets of it, as they were recorded; not where anything is blurred
``crops/``        each plate's best crop
``frames/``       and the picture that it is cut from
``reads.json``    every single reading, with the probabilities of its characters
``track.gpx``     the positions
``report.pdf``    one page for people
``manifest.json`` where it comes from, and size and SHA-256 of each of these
``signature.json`` the home's signature over the manifest
================  ====================================================================================
"""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from dashcam.evidence import film, signing
from dashcam.evidence.film import Blur, Through
from dashcam.evidence.order import Order, Seen
from dashcam.evidence.report import picture_path, report
from dashcam.gps.export import Leg, gpx
from dashcam.records import ManifestEntry, Record
from dashcam.vision.detect.face_detector import FaceDetector
from dashcam.vision.engines import Detector

MANIFEST, SIGNATURE = "manifest.json", "signature.json"


class BundleManifest(Record):
    """``manifest.json``: what the signature is over."""

    version: int = 1
    video_id: str
    clip: str
    clip_sha256: str
    """Of the whole original."""
    camera: str
    start_utc: str
    """Of the clip; the stretch is from ``first_s`` to ``last_s`` of it."""
    clock: str
    first_s: float
    last_s: float
    plate: str
    blurred: bool
    """Other plates are."""
    faces_blurred: bool = False
    made_at: str
    made_by: str
    made_with: str
    notes: list[str]
    files: list[ManifestEntry]


def make(order: Order, target: Path, scratch: Path, detector: Callable[[], Detector], tell: Through) -> BundleManifest:
    """The bundle at ``target``, whole or not at all. ``scratch``: an empty folder. ``detector`` is asked for where
    plates are blurred. Raises `Explained`, ``OSError``."""
    key = signing.key_of(order.key_file)  # before minutes are spent on what nobody can sign
    notes = written(order, scratch, blur_of(order, detector), tell)
    report(order, scratch / "report.pdf", notes, signing.fingerprint(signing.public(key)))
    files = sorted(path for path in scratch.rglob("*") if path.is_file())
    manifest = BundleManifest(
        video_id=order.video_id,
        clip=order.name,
        clip_sha256=order.sha256,
        camera=order.camera,
        start_utc=order.start_utc.isoformat(),
        clock=order.clock,
        first_s=order.first_s,
        last_s=order.last_s,
        plate=order.plate,
        blurred=order.blur,
        faces_blurred=order.faces,
        made_at=order.made_at.isoformat(),
        made_by=order.made_by,
        made_with=f"dashcam-processor {order.version}",
        notes=notes,
        files=[entry(path, scratch) for path in files],
    )
    said = manifest.model_dump_json(indent=1).encode()
    (scratch / MANIFEST).write_bytes(said)
    (scratch / SIGNATURE).write_text(signing.sign(said, order.key_file).model_dump_json(indent=1), encoding="utf-8")
    pack(scratch, target)
    return manifest


def blur_of(order: Order, detector: Callable[[], Detector]) -> Blur | None:
    if not order.hides:
        return None
    plates = detector() if order.blur else None
    faces = FaceDetector() if order.faces else None
    allowed = sorted((read.t_s, read.box) for one in order.about() for read in one.reads)
    return Blur(plates, faces, allowed, (order.width, order.height))


def written(order: Order, folder: Path, blur: Blur | None, tell: Through) -> list[str]:
    """All but report and manifest; what is missing or otherwise than one would expect, in sentences."""
    notes = []
    film.film(order, folder / "film.mp4", blur, tell)
    if order.original is None:
        notes.append("The original is no longer here, or not within reach: the pictures are those of its small copy.")
    elif order.hides:
        what = " and ".join(name for name, hidden in (("Plates", order.blur), ("faces", order.faces)) if hidden)
        notes.append(f"{what.capitalize()} are blurred in the pictures, so that the original is not in here.")
    else:
        film.untouched(order, folder / f"original{order.original.suffix.lower()}")
    for one in order.about():
        notes += copied(order, one, folder, blur)
    said = [one.model_dump(mode="json", exclude={"crop", "frame"}) for one in order.about()]
    (folder / "reads.json").write_text(json.dumps(said, indent=1), encoding="utf-8")
    if order.fixes:
        leg = Leg(order.name, order.name, order.camera, order.fixes)
        (folder / "track.gpx").write_text("".join(gpx([leg])), encoding="utf-8")
    else:
        notes.append("There are no positions of this stretch.")
    return notes


def copied(order: Order, one: Seen, folder: Path, blur: Blur | None) -> list[str]:
    """Crop and frame of a plate, under names that say which; a sentence for what is not there."""
    notes = []
    for kind, path in (("crops", one.crop), ("frames", one.frame)):
        target = picture_path(folder, kind, one)
        target.parent.mkdir(exist_ok=True)
        try:
            hides = blur if kind == "frames" else None
            target.write_bytes(film.picture_of(order.folder / path, hides, one.best_s))
        except FileNotFoundError:
            notes.append(f"The picture {path} is not there any more.")
    return notes


def entry(path: Path, folder: Path) -> ManifestEntry:
    content = path.read_bytes()
    name = path.relative_to(folder).as_posix()
    return ManifestEntry(path=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def pack(folder: Path, target: Path) -> None:
    """Films and pictures are small already: they are stored as they are."""
    part = target.with_name(f".{target.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                archive.write(path, path.relative_to(folder).as_posix())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
