"""``python -m training.detector.train``: makes ``models/plate-detector.{onnx,pt}`` and ``-int8.tflite`` (YOLOv8n)."""

import argparse
import shutil
from pathlib import Path
from typing import Any

import torch
from ultralytics import YOLO
from ultralytics.data.dataset import YOLODataset
from ultralytics.data.utils import check_det_dataset
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.nn.tasks import DetectionModel

from training.detector.export import int8_of, onnx_of
from training.detector.pictures import CLASSES, gathered
from training.detector.weather import Weather


class Roads(YOLODataset):
    def build_transforms(self, hyp: Any = None) -> Any:
        transforms = super().build_transforms(hyp)
        if self.augment:
            transforms.insert(len(transforms.transforms) - 1, Weather())
        return transforms


class Network(DetectionModel):
    """Computes in bfloat16 where the processor does that quicker; what the losses see is float32."""

    def _predict_once(self, x: torch.Tensor, *args: Any, **options: Any) -> Any:
        if not (self.training and x.device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()):
            return super()._predict_once(x, *args, **options)
        with torch.autocast("cpu", torch.bfloat16):
            return as_float(super()._predict_once(x.to(memory_format=torch.channels_last), *args, **options))


def as_float(answers: Any) -> Any:
    """Every tensor inside, whatever ultralytics packs them in."""
    if isinstance(answers, dict):
        return {name: as_float(part) for name, part in answers.items()}
    if isinstance(answers, list | tuple):
        return type(answers)(as_float(part) for part in answers)
    return answers.float() if isinstance(answers, torch.Tensor) else answers


class Trainer(DetectionTrainer):
    """Starts from a plate network of another number of classes; trains on `Roads`."""

    def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> DetectionModel:
        model = Network(cfg, nc=self.data["nc"], ch=self.data["channels"], verbose=verbose)
        if weights is not None:
            model.load(weights)
        if weights is not None and (one := len(weights.names)) < len(CLASSES):
            # the plate's own output weights fit no head of five classes, so ultralytics leaves them behind
            for ours, theirs in zip(model.model[-1].cv3, weights.model[-1].cv3, strict=True):
                with torch.no_grad():
                    ours[-1].weight[:one] = theirs[-1].weight.float()
                    ours[-1].bias[:one] = theirs[-1].bias.float()
        return model

    def build_dataset(self, img_path: str, mode: str = "train", batch: int | None = None) -> Any:
        dataset = super().build_dataset(img_path, mode, batch)
        if mode == "train":
            dataset.__class__ = Roads
            dataset.transforms = dataset.build_transforms(self.args)
        return dataset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with plates-street and the rest")
    parser.add_argument("--start", type=Path, required=True, help="a YOLOv8n checkpoint to go on from")
    parser.add_argument("--coco", type=Path, required=True, help="the COCO network that labels the vehicles")
    parser.add_argument("--cache", type=Path, default=Path("training/.cache/detector"))
    parser.add_argument("--out", type=Path, default=Path("models/plate-detector.onnx"))
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--freeze", type=int, help="leave the first so many layers as they are: quicker")
    parser.add_argument("--seed", type=int, default=4)
    args = parser.parse_args()
    listing = gathered(args.data, args.cache / "pictures", args.coco)
    check_det_dataset(str(listing))
    model = YOLO(args.start)
    model.train(
        trainer=Trainer, data=str(listing), imgsz=args.size, batch=args.batch, time=args.minutes / 60, epochs=300,
        freeze=args.freeze, seed=args.seed, workers=2, val=False, plots=False, cos_lr=True, optimizer="AdamW", lr0=1e-3,
        lrf=0.02, warmup_epochs=0.5, degrees=5, scale=0.7, perspective=0.0003, shear=2, mosaic=0.7, close_mosaic=2,
        project=str(args.cache), name="run", exist_ok=True,
        device=0 if torch.cuda.is_available() else "cpu",
    )  # fmt: skip
    last = args.cache / "run" / "weights" / "last.pt"
    onnx_of(last, args.out)
    shutil.copyfile(last, args.out.with_suffix(".pt"))
    pictures = sorted((args.cache / "pictures" / "images" / "train").iterdir())[::20]
    int8_of(last, args.out.with_name(f"{args.out.stem}-int8.tflite"), pictures)


if __name__ == "__main__":
    main()
