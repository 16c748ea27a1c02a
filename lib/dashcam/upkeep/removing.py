"""Carrying a plan out, on a machine that has the stores mounted: the only place where retention removes a file.

What goes was announced (`upkeep.retention.Plan`) and is asked about once more just before it goes. A clip goes only
after its archive was read against its manifest a moment ago. Counted is what was really unlinked.
"""

import os
import shutil
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dashcam import Explained, Say
from dashcam.media import identity
from dashcam.records import Manifest
from dashcam.storage import bundle, layout
from dashcam.storage.bundle import StorageError
from dashcam.storage.roots import StoreError, StoreMissing, Stores, split
from dashcam.tasks.client import MainServerClient
from dashcam.upkeep.retention import Plan, PlanItem, StoreState, Survey
from dashcam.upkeep.sweep import VIDEO_ID, size_of

OURS = {
    "raw": (layout.INDOOR, layout.RAW),
    "preproc": (layout.INDOOR, layout.PREPROC),
    "heavy_output": (layout.INDOOR, layout.HEAVY_OUTPUT),
}
GONE_BEFORE = "was gone already: somebody else has removed it"
HALF_WRITTEN_S = 600


class Kept(Explained):
    """It is not removed; the message is the sentence why."""


class Another(Kept):
    """What lies there is not the clip that was meant."""


@dataclass
class Done:
    """What a run has done."""

    removed: int = 0
    bytes: int = 0
    kept: list[str] = field(default_factory=list)
    """Why something of the plan was not removed, a sentence each."""


def survey(stores: Stores) -> Survey:
    """The two stores as they are here: whether they are there, how full, and how many clips the archive has."""
    states = [state_of(stores, store) for store in (layout.INDOOR, layout.SHED)]
    return Survey(at=datetime.now(UTC), stores=states)


def state_of(stores: Stores, store: str) -> StoreState:
    try:
        root = stores.root(store)
        usage = shutil.disk_usage(root)
        folders = None
        if store == layout.SHED:
            with os.scandir(root) as entries:
                folders = sum(1 for entry in entries if VIDEO_ID.fullmatch(entry.name) and entry.is_dir())
        return StoreState(store=store, total=usage.total, free=usage.free, folders=folders)
    except StoreError as error:
        return StoreState(store=store, trouble=str(error))
    except OSError as error:
        return StoreState(store=store, trouble=f"Store {store} cannot be looked at ({error.strerror}): check its disk.")


def announce(server: MainServerClient, stores: Stores, unattended: bool) -> Plan:
    """What is to go, as the main server says when it has been shown the stores."""
    body = {"survey": survey(stores).model_dump(mode="json"), "unattended": unattended}
    return Plan.model_validate(server.call("POST", "/retention/plans", json=body, timeout=600))


def carry_out(server: MainServerClient, stores: Stores, plan: Plan, tell: Say = lambda line: None) -> Done:
    """Remove what the plan says. Raises `ServerRefused` where it may not be carried out, `StoreMissing` where a store
    goes away meanwhile; what has been removed by then is written down, the rest stays."""
    server.call("POST", f"/retention/plans/{plan.plan_id}/begin")
    done = Done()
    try:
        for item in plan.items:
            remove(server, stores, plan, item, done, tell)
    except (StoreError, OSError) as error:
        done.kept.append(f"It was stopped: {error}")
        raise
    finally:
        server.call("POST", f"/retention/plans/{plan.plan_id}/end", json={"kept": done.kept})
    return done


def remove(server: MainServerClient, stores: Stores, plan: Plan, item: PlanItem, done: Done, tell: Say) -> None:
    """One item of the plan: proven, asked about, unlinked, written down."""
    what = {"kind": item.kind, "video_id": item.video_id}
    try:
        manifest = proven(stores, item)
        word = server.call("POST", f"/retention/plans/{plan.plan_id}/check", json=what)
        if not word["go"]:
            raise Kept(word["why"])
        belongs(item, manifest, word)
        if item.kind == "lowres" and plan.cold_store is not None:
            to_cold_storage(stores, plan.cold_store, item.video_id, manifest)
        count, gone_before = unlink(stores, item, manifest)
    except (Kept, StorageError) as kept:
        done.kept.append(f"{item.name}, {item.kind}: {kept}")
        tell(f"kept: {done.kept[-1]}")
        return
    told: dict[str, Any] = what | {"bytes": count}
    if gone_before and not word["cut_off"]:
        told["rule"] = GONE_BEFORE
    server.call("POST", f"/retention/plans/{plan.plan_id}/removed", json=told)
    done.removed += 1
    done.bytes += count
    tell(f"removed: {', '.join(item.uris)} ({count:,} bytes), {item.rule}")


def proven(stores: Stores, item: PlanItem) -> Manifest:
    """The manifest of its clip's archive, every file of which has just been read. Raises `StorageError`."""
    folder = stores.path(layout.archive(item.video_id))
    # what a run that was cut off has left of a new manifest would count as a file too many
    bundle.sweep_temporaries(folder, layout.MANIFEST, older_than_s=HALF_WRITTEN_S)
    manifest = bundle.read_manifest(folder)
    if manifest.video_id != item.video_id:
        raise StorageError(f"The manifest in {folder} belongs to another clip ({manifest.source}).")
    differences = bundle.verify(folder, manifest)
    if item.kind == "lowres":  # a run that was cut off has taken it out of the manifest already
        differences = [one for one in differences if one != f"{layout.LOWRES} is not in the manifest"]
    if differences:
        raise StorageError(
            f"The archive {folder} is not what its manifest says ({'; '.join(differences[:3])}): archive it again."
        )
    return manifest


def belongs(item: PlanItem, manifest: Manifest, word: dict[str, Any]) -> None:
    """The archive is of this very clip, and has what is to be kept instead of it. Raises `Kept`."""
    if manifest.source_sha256 != word["sha256"]:
        raise Kept("its archive was made from another clip; archive it again.")
    if item.kind != "lowres" and word["lowres"] and layout.LOWRES not in {entry.path for entry in manifest.files}:
        raise Kept(f"its archive has no {layout.LOWRES}; archive it again.")


def to_cold_storage(stores: Stores, store: str, video_id: str, manifest: Manifest) -> None:
    """All that is known of the clip, as its archive keeps it, goes to ``store:<video_id>.json``. Raises `Kept`."""
    source, target = stores.path(layout.archive(video_id)), stores.path(f"{store}:{video_id}.json")
    data = bundle.record_bytes(bundle.read_record(source, manifest))
    bundle.write_file(target, data)
    if target.read_bytes() != data:
        raise Kept(f"its record does not read back from {target} as it was written: check that disk.")


def unlink(stores: Stores, item: PlanItem, manifest: Manifest) -> tuple[int, bool]:
    """Bytes that were really unlinked, and whether there was nothing to unlink. Raises `Kept`, and `StorageError` or
    ``OSError`` when it fails."""
    match item.kind:
        case "raw":
            counts = [unlink_clip(stores, uri, item.video_id) for uri in item.uris]
        case "lowres":
            counts = [_small_copy(stores.path(layout.archive(item.video_id)), manifest)]
        case _:
            counts = [_folder(stores, uri, item.kind) for uri in item.uris]
    return sum(count or 0 for count in counts), all(count is None for count in counts)


def unlink_clip(stores: Stores, uri: str, video_id: str) -> int | None:
    """Bytes of a clip's file; None where it is gone already. Raises `Kept` where it is none of ours, or another now."""
    path = _inside(stores, uri, "raw")
    try:
        status = path.lstat()
    except FileNotFoundError:
        _surely_gone(stores, uri)
        return None
    if not stat.S_ISREG(status.st_mode):
        raise Kept(f"{uri} is no file.")
    if identity.video_id(path) != video_id:
        raise Another(f"what lies at {uri} is another clip now.")
    with bundle.explained(path.parent):
        path.unlink()
    bundle.sync_folder(path.parent)
    return status.st_size


def _folder(stores: Stores, uri: str, kind: str) -> int | None:
    folder = _inside(stores, uri, kind)
    if folder.is_symlink():
        raise Kept(f"{uri} is a link, not a folder this system made.")
    if not folder.is_dir():
        _surely_gone(stores, uri)
        return None
    size = size_of(folder)
    bundle.let_go(folder)
    return size


def _small_copy(folder: Path, manifest: Manifest) -> int | None:
    """First out of the manifest: what is cut off between the two leaves a file too many, never one too few."""
    path = folder / layout.LOWRES
    rest = [entry for entry in manifest.files if entry.path != layout.LOWRES]
    if len(rest) < len(manifest.files):
        without = manifest.model_copy(update={"files": rest})
        bundle.write_file(folder / layout.MANIFEST, bundle.manifest_bytes(without))
    try:
        size = path.lstat().st_size
    except FileNotFoundError:
        return None
    with bundle.explained(folder):
        path.unlink()
    bundle.sync_folder(folder)
    return size


def _inside(stores: Stores, uri: str, kind: str) -> Path:
    """The place, which is proven to lie in the folder for such things. Raises `Kept`."""
    store, relative = split(uri)
    if (store, relative.parts[0]) != OURS[kind] or len(relative.parts) < 2:
        raise Kept(f"{uri} lies outside {':'.join(OURS[kind])}/.")
    return stores.path(uri)


def _surely_gone(stores: Stores, uri: str) -> None:
    """Raises `StoreMissing` where the store is empty, which is what a missing mount looks like."""
    store, _ = split(uri)
    root = stores.root(store)
    if not any(root.iterdir()):
        raise StoreMissing(f"{root} is empty, which is what a missing mount looks like: nothing was removed.")
