"""Which engines a device runs, from its settings."""

import os
from importlib.util import find_spec
from pathlib import Path

from dashcam.config import DeviceSettings
from dashcam.vision.detect.onnx_detector import OnnxPlateDetector, default_weights, quickest_weights
from dashcam.vision.detect.zoom import DOUBTED, ZoomedDetector
from dashcam.vision.engines import Detector, PlateReader
from dashcam.vision.read.fixed_slot_reader import FixedSlotReader
from dashcam.vision.read.ppocr_reader import PpOcrReader


def detector_of(device: DeviceSettings) -> Detector:
    """``auto``: ultralytics where the device has a gpu section, the extra and CUDA, else ONNX Runtime.

    Raises `MissingWeights`.
    """
    wanted = device.detector_engine
    if wanted == "ultralytics" or (wanted == "auto" and device.gpu is not None and _cuda()):
        from dashcam.vision.detect.ultralytics_detector import UltralyticsDetector

        gpu = device.gpu
        named = Path(gpu.yolo_model_path) if gpu and gpu.yolo_model_path else default_weights().with_suffix(".pt")
        place = f"cuda:{gpu.device_id}" if gpu and _cuda() else None
        batch = gpu.max_batch_size if gpu else 1
        return ZoomedDetector(
            UltralyticsDetector(named, size=device.detector_size, batch=batch, device=place, min_score=DOUBTED)
        )
    if wanted == "tflite":
        from dashcam.vision.detect.tflite_detector import TfliteDetector, weights_for

        edge_tpu = device.coral is not None
        weights = weights_for(device.detector_weights, edge_tpu)
        return TfliteDetector(weights, edge_tpu=edge_tpu, coral=device.coral, threads=device.threads or 1)
    named = device.detector_weights or quickest_weights()
    threads = beside(device.threads)
    return ZoomedDetector(OnnxPlateDetector(named, size=device.detector_size, threads=threads, min_score=DOUBTED))


def batch_of(device: DeviceSettings) -> int:
    """Frames given to the detector at once."""
    return device.detector_batch or (device.gpu.max_batch_size if device.gpu is not None and _cuda() else 1)


def no_gpu_detector(device: DeviceSettings) -> str:
    """Why the detector of a device with a card does not run on it; empty when it does or shall not."""
    if device.gpu is None or device.detector_engine != "auto" or _cuda():
        return ""
    return "the detector needs the extra 'gpu' and a card that torch finds"


def beside(threads: int) -> int:
    """Threads of what runs beside the decoder, an engine or the encoder: half of all, because one that waits for
    another costs more time than it saves (on two cores a fifth of the detector's, a tenth of x264's)."""
    return threads or max(1, len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else [0]) // 2)


def reader_of(device: DeviceSettings) -> PlateReader:
    """The project's own reader. Raises `MissingWeights`."""
    return FixedSlotReader(threads=beside(device.threads))


def second_reader_of(device: DeviceSettings) -> PlateReader:
    """What doubtful tracks are read with once more: EasyOCR where a GPU's device names a folder with its weights, else
    PP-OCR, whose mistakes are others than our own reader's. Raises `MissingWeights`."""
    if device.gpu is None or device.gpu.easyocr_folder is None:
        return PpOcrReader(threads=beside(device.threads))
    from dashcam.vision.read.easyocr_reader import EasyOcrReader

    return EasyOcrReader(Path(device.gpu.easyocr_folder))


def _cuda() -> bool:
    if find_spec("torch") is None or find_spec("ultralytics") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())
