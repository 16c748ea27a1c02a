"""``python -m benchmarks.plates``: finding and reading plates, all engines on the same pictures, as Markdown.

The public sets are never trained on, of others only the part that training keeps aside is looked at (boxes alone); of
``vn_cz_hr`` (two lines, motorcycles) the first 200 are read.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from dashcam.evaluate.measure import evaluate_plates
from dashcam.evaluate.report import PlatesReport, percent
from training.detector.pictures import pictures

SETS = {
    "openalpr us": ("openalpr-endtoend/us", None),
    "openalpr eu": ("openalpr-endtoend/eu", None),
    "openalpr br": ("openalpr-endtoend/br", None),
    "two-line crops (vn_cz_hr)": ("plate-crops-world/vn_cz_hr", 200),
    "Indonesian crops": ("plate-crops-more/id_plates", None),
    "crops of many countries": ("plate-crops-more/mixed_human", None),
    "US designs": ("plate-crops-more/us_designs", None),
}
ASIDE = {
    "in-car, the end of each drive": ("incar-romania",),
    "many countries, held out": tuple(
        f"plates-world/{name}" for name in ("openlpr", "openlpr_more", "openimages_plates", "kaggle_car")
    ),
}
HEADER = (
    "| set | engine | images | recall | precision | exact | look-alikes equal | within one "
    "| true box exact | within one | calibration error | ms an image |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def row(name: str, report: PlatesReport) -> str:
    """One line of the table."""
    rates = (
        report.recall, report.precision, report.exact, report.exact_alike, report.within_one,
        report.true_box_exact, report.true_box_within_one, report.calibration_error,
    )  # fmt: skip
    cells = [name, report.engine, str(report.images), *(percent(rate) for rate in rates), f"{report.ms_per_image:.0f}"]
    return f"| {' | '.join(cells)} |"


def held_out(data: Path, sources: Sequence[str], folder: Path) -> Path:
    """``folder`` as a YOLO set of links to what the detector has not been trained on."""
    for picture in pictures(data):
        if picture.held_out and picture.source in sources:
            for file, kind in ((picture.image, "images"), (picture.label, "labels")):
                (folder / kind).mkdir(parents=True, exist_ok=True)
                (folder / kind / f"{picture.name}{file.suffix}").symlink_to(file.absolute())
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--engines", nargs="+", default=["auto", "peer"], help="auto, own, ppocr, peer")
    parser.add_argument("--limit", type=int)
    args = parser.parse_args()
    print(HEADER, flush=True)
    for name, (folder, few) in SETS.items():
        for engine in args.engines:
            report = evaluate_plates(args.data / folder, engine, args.limit or few)
            print(row(name, report), flush=True)
    for name, sources in ASIDE.items():
        with TemporaryDirectory() as folder:
            found = held_out(args.data, sources, Path(folder))
            for engine in args.engines:
                print(row(name, evaluate_plates(found, engine, args.limit)), flush=True)


if __name__ == "__main__":
    main()
