"""What a machine is: its name, the user whose services run on it, and what it brings along."""

import getpass
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from dashcam import Explained
from dashcam.config.pools import DeviceType

STATE = Path(os.environ.get("PROGRAMDATA", "C:/ProgramData") if os.name == "nt" else "/var/lib", "dashcam-processor")
"""Where this machine keeps what no other needs: on the main server the database, on a device its scratch."""
SERVICE_USER = "dashcam"
CORAL_IDS = {("1a6e", "089a"), ("18d1", "9302")}
"""Of a Coral stick on the USB bus, before and after it was first used."""


def name() -> str:
    return socket.gethostname().partition(".")[0] or "localhost"


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def user_is_there(user: str) -> bool:
    if sys.platform == "win32":
        return True
    import pwd

    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def ids_of(user: str) -> tuple[int, int]:
    """The number of a user that is there, and that of its group. Raises `Explained`."""
    if sys.platform == "win32":
        raise Explained("On Windows all belongs to whoever types: leave --user out.")
    import pwd

    known = pwd.getpwnam(user)
    return known.pw_uid, known.pw_gid


def as_user(user: str | None) -> dict[str, Any]:
    """What `subprocess.run` is told so that the process is that user's, and so what it makes."""
    return as_number(*ids_of(user)) if user is not None and is_root() else {}


def as_owner_of(folder: Path) -> dict[str, Any]:
    """The same for whom that folder belongs to: a service cannot write what root has made for it."""
    return as_number(folder.stat().st_uid, folder.stat().st_gid) if is_root() else {}


def as_number(user: int, group: int) -> dict[str, Any]:
    """It begins at the top: the folder that root stands in may be closed to others."""
    return {"user": user, "group": group, "extra_groups": [], "cwd": Path(sys.executable).anchor}


def make_user(user: str) -> None:
    """A system user without a shell. Raises `Explained`."""
    argv = ["useradd", "--system", "--home-dir", str(STATE), "--shell", "/usr/sbin/nologin", "--user-group", user]
    try:
        subprocess.run(argv, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        why = str(getattr(error, "stderr", None) or error).strip()
        raise Explained(f"The user {user} cannot be made ({why}): make it, or name one with --user.") from None


def evident_type(root: Path = Path("/")) -> DeviceType | None:
    """The device type that this machine's hardware speaks for; None where nothing does."""
    if (root / "etc/nv_tegra_release").exists() or coral(root):
        return "jetson_coral"
    if os.name == "nt":
        return "rtx_4090" if shutil.which("nvidia-smi") else None
    return "rtx_4090" if (root / "proc/driver/nvidia/version").exists() else None


def accelerator(device_type: DeviceType, root: Path = Path("/")) -> tuple[bool, str]:
    """Whether what a device of this type computes with is seen, and one sentence about it."""
    if device_type == "jetson_coral":
        if where := coral(root):
            return True, f"a Coral is there: {where}"
        return False, "no Coral is seen: the cheap look runs on the processor (docs/setup/jetson.md)"
    if device_type == "rtx_4090":
        version = root / "proc/driver/nvidia/version"
        if version.exists():
            said = version.read_text().splitlines()[0]
            return True, f"NVIDIA's driver is there: {said.partition('Module')[2].strip() or said}"
        if os.name == "nt" and shutil.which("nvidia-smi"):
            return True, "NVIDIA's driver is there"
        return False, "NVIDIA's driver is not loaded: the heavy stage runs on the processor (docs/setup/gpu.md)"
    return True, "none is needed"


def coral(root: Path) -> str | None:
    """Where a Coral is: a stick's USB device, or a card."""
    for card in sorted((root / "dev").glob("apex_*")):
        return f"/dev/{card.name}"
    for vendor in sorted((root / "sys/bus/usb/devices").glob("*/idVendor")):
        product = vendor.with_name("idProduct")
        if product.exists() and (vendor.read_text().strip(), product.read_text().strip()) in CORAL_IDS:
            return f"USB {vendor.parent.name}"
    return None


def me() -> str | None:
    """This process's user by name; None where its number has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return None
