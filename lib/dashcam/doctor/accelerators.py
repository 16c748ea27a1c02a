"""Checks of what makes a machine quick: the Coral, the graphics card."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from dashcam.doctor.finding import Finding, fault, of_sentence, ok, skipped, warning
from dashcam.doctor.host import Host
from dashcam.vision.detect.tflite_detector import no_coral

CORALS = {("1a6e", "089a"), ("18d1", "9302")}
"""How a Coral stick calls itself on USB before and after its first use."""
USB_3_MBIT = 5000
CUDA_13_DRIVER = 580
"""The first driver that torch of CUDA 13 works with."""


class Stick(NamedTuple):
    place: str
    mbit: int


def coral(host: Host) -> Iterator[Finding]:
    sticks = corals(host.system / "sys/bus/usb/devices")
    wanted = host.device is not None and (host.device.coral is not None or host.device.proposals == "edgetpu")
    if not sticks and not wanted:
        yield skipped("coral", "No Coral is asked for, and none is plugged in.")
        return
    if wanted and host.device is not None and (reason := no_coral(host.device)) is not None:
        yield of_sentence("coral", reason, "", at=": ")
        return
    if not sticks and not is_card(host):
        remedy = "Plug the stick into a blue USB 3 socket and run `lsusb`: it shows as 1a6e:089a or 18d1:9302."
        yield fault("coral", "The device's file asks for a Coral, and no stick is plugged in.", remedy)
        return
    for stick in sticks:
        if stick.mbit < USB_3_MBIT:
            said = f"The Coral at {stick.place} runs at {stick.mbit} Mbit/s, as on USB 2: a third of its speed."
            yield warning("coral", said, "Plug it into a USB 3 socket with its own short cable, without a hub.")
            return
    yield ok("coral", f"{len(sticks)} stick on USB 3" if sticks else "a card")


def is_card(host: Host) -> bool:
    asked = host.device.coral if host.device is not None else None
    return asked is not None and asked.delegate_device not in (None, "usb")


def corals(devices: Path) -> list[Stick]:
    """Those plugged in, with the speed of their connection, as Linux tells them."""
    found = []
    for one in sorted(devices.glob("*")):
        if (said(one / "idVendor"), said(one / "idProduct")) in CORALS:
            speed = said(one / "speed")
            found.append(Stick(one.name, int(float(speed)) if speed else 0))
    return found


def said(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def gpu(host: Host) -> Iterator[Finding]:
    if host.device is None or host.device.gpu is None:
        yield skipped("gpu", "This device's file has no section gpu.")
        return
    driver = driver_version(host.system / "proc/driver/nvidia/version")
    if driver is None:
        said = (
            "The device's file has a section gpu, and no NVIDIA driver is loaded: its clips are worked on by the CPU."
        )
        yield warning("gpu", said, "Install NVIDIA's driver (Debian: nvidia-driver; for WSL2 in Windows), and restart.")
        return
    if (torch := installed("torch")) is None:
        said = f"Driver {driver} is loaded, but torch is not installed: detection runs on the CPU."
        yield warning(
            "gpu",
            said,
            "Run `make setup EXTRAS=gpu` in the folder of dashcam-processor (Windows: docs/setup/windows.md).",
        )
        return
    if "cu13" in torch and int(driver.split(".")[0]) < CUDA_13_DRIVER:
        said = f"Driver {driver} is older than torch {torch} needs."
        yield fault("gpu", said, f"Install driver {CUDA_13_DRIVER} or newer, or torch for an older CUDA.")
        return
    named = host.device.gpu.yolo_model_path
    if named is not None and not Path(named).is_file():
        said = f"The weights {named} that gpu.yolo_model_path names are not there."
        yield fault("gpu", said, "Leave that key out, which takes the project's own, or name a file by its whole path.")
        return
    yield ok("gpu", f"driver {driver}, torch {torch}")


def driver_version(file: Path) -> str | None:
    """As ``580.65.06``; None where no driver is loaded. On Windows and in WSL2 there is no such file, and its library
    says."""
    words = said(file).splitlines()[:1]
    numbers = [word for line in words for word in line.split() if word[0].isdigit() and "." in word]
    if numbers or file.parents[3] != Path("/").absolute():
        return numbers[0] if numbers else None
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        told: str = pynvml.nvmlSystemGetDriverVersion()
    except pynvml.NVMLError:
        return None
    return told


def installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
