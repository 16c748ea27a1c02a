"""Faults of the Coral and of the graphics card."""

from dashcam.doctor import accelerators
from dashcam.vision.detect import tflite_detector
from tests.doctor.ward import Planted, Ward

RTX = {"device_type": "rtx_4090", "gpu": {"device_id": 0}}
JETSON = {"device_type": "jetson_coral", "coral": {"device_path": "/dev/bus/usb/001/003"}}


def plug_in(ward: Ward, mbit: int) -> None:
    stick = ward.system / "sys/bus/usb/devices/2-1"
    stick.mkdir(parents=True, exist_ok=True)
    for name, said in {"idVendor": "18d1", "idProduct": "9302", "speed": str(mbit)}.items():
        (stick / name).write_text(f"{said}\n")


def drive(ward: Ward, version: str) -> None:
    file = ward.system / "proc/driver/nvidia/version"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"NVRM version: NVIDIA UNIX x86_64 Kernel Module  {version}  Mon Jan  1 00:00:00 UTC 2026\n")


def has_torch(ward: Ward, version: str | None = "2.13.0+cu130") -> None:
    ward.monkeypatch.setattr(accelerators, "installed", lambda package: version)


def a_coral_on_usb_2(ward: Ward) -> Planted:
    plug_in(ward, 480)
    yield "coral", "at 480 Mbit/s, as on USB 2", "USB 3 socket"
    plug_in(ward, 5000)


def a_coral_without_its_driver(ward: Ward) -> Planted:
    plug_in(ward, 5000)
    ward.change(**JETSON)
    ward.monkeypatch.setattr(tflite_detector, "find_spec", lambda name: name)
    ward.monkeypatch.setattr(tflite_detector, "EDGE_TPU", "no-such-library.so.1")
    yield "coral", "driver libedgetpu.so.1 is not installed", "Install libedgetpu, or let the device's 'proposals'"
    del ward.device["coral"]
    ward.change(proposals="none")


def a_coral_that_is_not_plugged_in(ward: Ward) -> Planted:
    ward.monkeypatch.setattr(accelerators, "no_coral", lambda device: None)
    ward.change(**JETSON)
    yield "coral", "no stick is plugged in", "Plug the stick"
    plug_in(ward, 5000)


def a_graphics_card_without_driver(ward: Ward) -> Planted:
    ward.change(**RTX)
    has_torch(ward)
    yield "gpu", "no NVIDIA driver is loaded", "Install NVIDIA's driver"
    drive(ward, "580.65.06")


def a_driver_that_is_too_old(ward: Ward) -> Planted:
    ward.change(**RTX)
    has_torch(ward)
    drive(ward, "525.147.05")
    yield "gpu", "Driver 525.147.05 is older than torch 2.13.0+cu130 needs", "Install driver 580"
    drive(ward, "580.65.06")


def a_graphics_card_without_torch(ward: Ward) -> Planted:
    ward.change(**RTX)
    drive(ward, "580.65.06")
    has_torch(ward, None)
    yield "gpu", "torch is not installed", "make setup EXTRAS=gpu"
    has_torch(ward)


def weights_of_the_guide_that_are_not_there(ward: Ward) -> Planted:
    drive(ward, "580.65.06")
    has_torch(ward)
    ward.change(device_type="rtx_4090", gpu={"device_id": 0, "yolo_model_path": "./models/yolov8n.pt"})
    yield "gpu", "./models/yolov8n.pt that gpu.yolo_model_path names are not there", "Leave that key out"
    ward.change(gpu={"device_id": 0})
