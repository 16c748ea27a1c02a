"""``python -m benchmarks.plates``: finding and reading plates, all engines on the same pictures, as Markdown.

The public sets are never trained on; of the crops (two lines, motorcycles) only the first 200 are read.
"""

import argparse
from pathlib import Path

from dashcam.evaluate.measure import evaluate_plates
from dashcam.evaluate.report import PlatesReport, percent

SETS = {
    "openalpr us": ("openalpr-endtoend/us", None),
    "openalpr eu": ("openalpr-endtoend/eu", None),
    "openalpr br": ("openalpr-endtoend/br", None),
    "two-line crops (vn_cz_hr)": ("plate-crops-world/vn_cz_hr", 200),
}
HEADER = (
    "| set | engine | images | recall | precision | exact | within one | true box exact | within one "
    "| calibration error | ms an image |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


def row(name: str, report: PlatesReport) -> str:
    """One line of the table."""
    rates = (
        report.recall, report.precision, report.exact, report.within_one,
        report.true_box_exact, report.true_box_within_one, report.calibration_error,
    )  # fmt: skip
    cells = [name, report.engine, str(report.images), *(percent(rate) for rate in rates), f"{report.ms_per_image:.0f}"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--engines", nargs="+", default=["auto", "peer"], help="own needs weights, see training")
    parser.add_argument("--limit", type=int)
    args = parser.parse_args()
    print(HEADER, flush=True)
    for name, (folder, few) in SETS.items():
        for engine in args.engines:
            report = evaluate_plates(args.data / folder, engine, args.limit or few)
            print(row(name, report), flush=True)


if __name__ == "__main__":
    main()
