"""``python -m training.detector.train``: makes ``models/plate-detector.{onnx,pt}`` and ``-int8.tflite`` (YOLOv8n)."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from ultralytics import YOLO
from ultralytics.data.dataset import YOLODataset
from ultralytics.data.utils import check_det_dataset
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.nn.tasks import DetectionModel

from dashcam.evaluate.engines import PeerDetector
from training.detector.export import int8_of, onnx_of, plain_of
from training.detector.integer import integer_of, learnt
from training.detector.network import Network
from training.detector.pictures import CLASSES, gathered
from training.detector.repaint import OtherPlates
from training.detector.weather import Weather


class Roads(YOLODataset):
    changes: Sequence[Any] = ()

    def build_transforms(self, hyp: Any = None) -> Any:
        transforms = super().build_transforms(hyp)
        if self.augment:
            for change in self.changes:
                transforms.insert(len(transforms.transforms) - 1, change)
        return transforms


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
    parser.add_argument("--teacher", type=Path, required=True, help="the reference detector, for tighter boxes")
    parser.add_argument("--cache", type=Path, default=Path("training/.cache/detector"))
    parser.add_argument("--out", type=Path, default=Path("models/plate-detector.onnx"))
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--freeze", type=int, help="leave the first so many layers as they are: quicker")
    parser.add_argument("--seed", type=int, default=4)
    args = parser.parse_args()
    listing = gathered(args.data, args.cache / "pictures", args.coco, PeerDetector(args.teacher))
    check_det_dataset(str(listing))
    Roads.changes = (OtherPlates(args.data), Weather())
    model = YOLO(args.start)
    model.train(
        trainer=Trainer, data=str(listing), imgsz=args.size, batch=args.batch, time=args.minutes / 60, epochs=300,
        freeze=args.freeze, seed=args.seed, workers=2, val=False, plots=False, cos_lr=True, optimizer="AdamW",
        lr0=args.rate,
        lrf=0.02, warmup_epochs=0.5, degrees=5, scale=0.7, perspective=0.0003, shear=2, mosaic=0.7, close_mosaic=2,
        # a relative folder would become one below ultralytics' own
        project=str(args.cache.absolute()), name="run", exist_ok=True,
        device=0 if torch.cuda.is_available() else "cpu",
    )  # fmt: skip
    last = args.cache / "run" / "weights" / "last.pt"
    made = args.out.with_suffix(".pt")
    plain_of(last, made)
    onnx_of(made, args.out)
    pictures = sorted((args.cache / "pictures" / "images" / "train").iterdir())[::20]
    int8_of(made, args.out.with_name(f"{args.out.stem}-int8.tflite"), pictures)
    integer_of(args.out, args.out.with_name(f"{args.out.stem}-int8.onnx"), learnt(args.data))


if __name__ == "__main__":
    main()
