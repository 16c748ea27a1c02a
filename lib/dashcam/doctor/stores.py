"""Checks of the stores as this machine has them mounted."""

import contextlib
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from dashcam.config.pools import DEVICE_TYPE_OF, MayBeMissing, Pool, pools_of
from dashcam.doctor.finding import Finding, Grade, fault, in_words, of_sentence, ok, skipped
from dashcam.doctor.host import Host
from dashcam.doctor.machine import unwritable
from dashcam.storage.layout import INDOOR, SHED
from dashcam.storage.roots import StoreError, Stores

PATIENCE_S = 10.0
"""A mount whose server has gone answers nothing at all."""
LEAST_FREE = 5 * 10**9
"""Or a twentieth of a small store."""
NEEDED = {
    "main_server": (INDOOR, SHED),
    "jetson_coral": (INDOOR,),
    "rtx_4090": (INDOOR,),
    "indoor_nas": (INDOOR,),
    "shed_nas": (INDOOR, SHED),
}
"""By the device's type: without these it has nothing to work on."""


def needed(device_type: str, covered_by: Mapping[MayBeMissing, Pool]) -> list[str]:
    """Those of the type, and of each pool that it covers (`Site.covered_by`). ``ValueError`` for an unknown type."""
    covered = pools_of(device_type, covered_by)[1:]
    types = [device_type, *(DEVICE_TYPE_OF[pool] for pool in covered)]
    return sorted({store for one in types for store in NEEDED[one]})


def stores(host: Host) -> Iterator[Finding]:
    if host.site is None or host.device is None:
        yield skipped("stores", "Which they are cannot be read from the settings.")
        return
    roots = host.site.store_roots(host.device)
    its = needed(host.device.device_type, host.site.covered_by)
    there = Stores(roots, host.site.store_markers())
    for name in its:
        if name not in roots:
            said = f"The settings name no folder for {name}."
            yield fault("stores", said, f"Name it in config.json under storage_paths.{name}.", name)
    for name, root in roots.items():
        found = patiently(there, name, root, must=name in its, tried=name in its)
        if found.state == "warning" and not host.is_main_server:
            found = skipped("stores", f"{name} is not mounted here, and nothing that this device does needs it.")
        yield found


def patiently(there: Stores, name: str, root: Path, must: bool, tried: bool = True) -> Finding:
    """`store`, in a thread that is left alone when the mount does not answer."""
    found: list[Finding] = []
    looking = threading.Thread(target=lambda: found.append(store(there, name, root, must, tried)), daemon=True)
    looking.start()
    looking.join(PATIENCE_S)
    if found:
        return found[0]
    said = f"Store {name} at {root} does not answer: its server is away, or its mount hangs."
    remedy = f"Start the NAS; if it runs, unmount {root} with `umount -l` and mount it again."
    return fault("stores", said, remedy, about=name)


def store(there: Stores, name: str, root: Path, must: bool, tried: bool) -> Finding:
    """``tried``: something is written to it."""
    state: Grade = "fault" if must else "warning"
    try:
        there.root(name)
    except StoreError as error:
        return of_sentence("stores", str(error), "Correct the settings.", state=state).model_copy(
            update={"about": name}
        )
    except OSError as error:
        said = f"Store {name} cannot be looked into ({error.strerror})."
        return Finding(check="stores", about=name, state=state, said=said, remedy=f"Mount {root} again.")
    if tried and (reason := unwritable(root)) is not None:
        if not must or root == Path("/"):
            return ok("stores", f"{name} at {root}, to be read only", about=name)
        remedy = f"Mount {root} for writing, with the user id under which dashcam runs (uid= for SMB, rights for NFS)."
        return fault("stores", f"Store {name} at {root} cannot be written ({reason}).", remedy, about=name)
    usage = shutil.disk_usage(root)
    if usage.free < min(LEAST_FREE, usage.total / 20):
        said = f"Store {name} at {root} is full: {in_words(usage.free)} of {in_words(usage.total)} are free."
        remedy = "See on the page Storage what may go (docs/retention.md), or make room there."
        return fault("stores", said, remedy, about=name)
    return ok("stores", f"{name} at {root}, {in_words(usage.free)} free", about=name)


class Room(NamedTuple):
    """Bytes of a store."""

    total: int
    free: int


def room_of(there: Stores, name: str) -> Room | None:
    """None of one that is away or does not answer."""
    found: list[Room] = []

    def look() -> None:
        with contextlib.suppress(StoreError, OSError):
            usage = shutil.disk_usage(there.root(name))
            found.append(Room(usage.total, usage.free))

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    looking.join(PATIENCE_S)
    return found[0] if found else None
