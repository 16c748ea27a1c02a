"""What an evaluation found, and its table."""

from rich.table import Table

from dashcam.records import Record


class HeightBand(Record):
    """Plates at least ``from_px`` and less than ``to_px`` high (0: no limit). ``read``: those with a text; rates are
    shares of ``plates`` and ``read``."""

    from_px: int
    to_px: int
    plates: int
    recall: float | None = None
    read: int = 0
    exact: float | None = None
    within_one: float | None = None


class SureBand(Record):
    """Reads or votes given with a confidence from ``from_confidence`` up to the next band's; ``exact``: how many were
    right."""

    from_confidence: float
    reads: int
    confidence: float
    exact: float


class PlatesReport(Record):
    """Rates are shares of 1, None where the layout does not tell. ``recall`` and ``precision`` at IoU 0.5; ``exact``
    and ``within_one`` (edit distance) of the surest plate of each picture, or of each crop; ``exact_alike`` with
    `dashcam.records.CONFUSED` characters equal, as labels mix O and 0 too; ``true_box_*`` read at the labelled box.
    ``ms_per_image``: detection and reading, or reading a crop; decoding the file is not in it."""

    data: str
    layout: str
    engine: str
    detector: str | None
    reader: str | None
    second_reader: str | None = None
    images: int
    plates: int
    recall: float | None = None
    precision: float | None = None
    exact: float | None = None
    exact_alike: float | None = None
    within_one: float | None = None
    true_box_exact: float | None = None
    true_box_within_one: float | None = None
    ms_per_image: float
    calibration_error: float | None = None
    """See `measure.calibration_error`."""
    by_height: list[HeightBand]
    reliability: list[SureBand]
    wrong: list[tuple[str, str, str]]
    """(file name, truth, what was read) of every picture that was not read exactly."""


class ClipsReport(Record):
    """Rates are shares of 1 of the true plates. ``exact_single``: the most legible single read; ``exact_voted``: the
    vote over the track. ``wrong_confirmed`` counts confirmed plates that nobody drove. ``time_error_s``: how far the
    best read lies outside the time in which the plate is to be seen; ``place_error_m``: between where the clip's own
    GPS puts that read and where the car was. Both are means; ``*_max`` the worst."""

    data: str
    engine: str
    clips: int
    plates: int
    found: float
    confirmed: float
    exact_single: float
    exact_voted: float
    wrong_confirmed: int
    time_error_s: float | None = None
    time_error_s_max: float | None = None
    place_error_m: float | None = None
    place_error_m_max: float | None = None
    calibration_error: float | None = None
    """See `measure.calibration_error`."""
    reliability: list[SureBand]
    """Of the votes on true plates."""
    wrong: list[tuple[str, str, str]]
    """(clip, truth, vote) of every plate that was not read exactly; the vote is empty where it was not found."""


def table_of(report: PlatesReport) -> Table:
    """The figures for people; the first line has the whole, the rest the plates by height."""
    table = Table(
        title=f"{report.data}: {report.engine}, {report.images} images, {report.ms_per_image:.0f} ms an image"
    )
    for column in (
        "plates",
        "number",
        "recall",
        "precision",
        "exact",
        "alike",
        "one wrong",
        "true box exact",
        "one wrong",
    ):
        table.add_column(column, justify="left" if column == "plates" else "right")
    table.add_row(
        "all", str(report.plates), *(
            percent(rate)
            for rate in (
                report.recall, report.precision, report.exact, report.exact_alike, report.within_one,
                report.true_box_exact, report.true_box_within_one,
            )
        ),
    )  # fmt: skip
    for band in report.by_height:
        name = f"{band.from_px} to {band.to_px} px high" if band.to_px else f"from {band.from_px} px"
        table.add_row(
            name, str(band.plates), percent(band.recall), "", percent(band.exact), "", percent(band.within_one)
        )
    for sure in report.reliability:
        table.add_row(f"given as {sure.confidence:.0%}", str(sure.reads), "", "", percent(sure.exact))
    return table


def clips_table(report: ClipsReport) -> Table:
    """The figures of whole clips for people."""
    table = Table(title=f"{report.data}: {report.engine}, {report.clips} clips, {report.plates} plates")
    table.add_column("")
    table.add_column("", justify="right")
    for name, rate in (
        ("found", report.found), ("confirmed", report.confirmed),
        ("single best frame exact", report.exact_single), ("vote exact", report.exact_voted),
    ):  # fmt: skip
        table.add_row(name, percent(rate))
    table.add_row("confirmed that nobody drove", str(report.wrong_confirmed))
    for name, mean, worst, unit in (
        ("time error", report.time_error_s, report.time_error_s_max, "s"),
        ("place error", report.place_error_m, report.place_error_m_max, "m"),
    ):
        if mean is not None:
            table.add_row(name, f"{mean:.2f} {unit}, at most {worst:.2f} {unit}")
    for sure in report.reliability:
        table.add_row(f"given as {sure.confidence:.0%}: {sure.reads} plates", f"{percent(sure.exact)} right")
    for clip, truth, vote in report.wrong:
        table.add_row(f"{clip}: {truth}", vote or "not found")
    return table


def percent(rate: float | None) -> str:
    return "" if rate is None else f"{100 * rate:.1f} %"
