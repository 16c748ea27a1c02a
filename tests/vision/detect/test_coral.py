"""Which Coral: what the device's file names reaches Google's driver."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from dashcam.config.model import CoralSettings
from dashcam.vision.detect import tflite_detector


@pytest.mark.parametrize(
    ("path", "device"),
    [(None, None), ("/dev/bus/usb/001/003", "usb"), ("/dev/apex_0", "pci:0"), ("/dev/apex_12", "pci:12")],
)
def test_the_driver_is_told_which_coral(path: str | None, device: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def load_delegate(driver: str, options: dict[str, str]) -> None:
        asked.append({"driver": driver, **options})

    def interpreter(weights: str, experimental_delegates: list[None]) -> Any:
        return SimpleNamespace(allocate_tensors=lambda: None)

    litert = SimpleNamespace(load_delegate=load_delegate, Interpreter=interpreter)
    monkeypatch.setattr(tflite_detector, "_litert", lambda: litert)
    monkeypatch.setattr(tflite_detector, "_pycoral", lambda: None)
    tflite_detector.edge_tpu_interpreter(Path("x.tflite"), CoralSettings(device_path=path).delegate_device)
    assert asked == [{"driver": "libedgetpu.so.1"} | ({"device": device} if device else {})]


@pytest.mark.parametrize("path", ["/dev/video0", "/dev/bus/usb/1/3", "usb", "/dev/apex_", "/dev/apex_0/"])
def test_what_is_no_coral_is_refused_in_a_sentence(path: str) -> None:
    with pytest.raises(ValidationError, match=r"must be a stick such as .* or a card such as"):
        CoralSettings(device_path=path)
