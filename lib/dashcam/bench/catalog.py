"""What a search or a page costs in a big catalogue, beside reading everything, and in one of a tenth of the size."""

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

from pydantic import BaseModel
from rich.table import Table
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from dashcam.bench import town
from dashcam.catalog import plates as plate_table
from dashcam.catalog import search
from dashcam.catalog import sightings as sighting_table
from dashcam.catalog import videos as video_table
from dashcam.catalog.models import Plate, SightingRow, Video
from dashcam.catalog.plate_filter import Area, PlateFilter
from dashcam.catalog.plate_text import misread_cost
from dashcam.catalog.videos import VideoFilter
from dashcam.database import open_engine, reading
from dashcam.records import CONFUSED

PAGE = 61
"""One more than a page shows, as the pages ask."""
PINS = 500
RUNS = 2
"""Each question is asked so often, and the quickest counts."""

Question = Callable[[Session], object]


class KindCost(BaseModel):
    """Milliseconds of one kind of question: of CPU in the asking thread, because what other programs do to the clock
    on a shared machine is no property of the catalogue; ``wall_p95_ms`` is by the clock."""

    questions: int
    p50_ms: float
    p95_ms: float
    wall_p95_ms: float
    tenth_p50_ms: float
    tenth_p95_ms: float
    growth: float
    """The mean over that in a tenth of the data."""
    linear_ms: float | None = None
    """The same question answered by reading every row."""
    linear_over_p95: float | None = None


class CatalogCost(BaseModel):
    sightings: int
    plates: int
    videos: int
    database_mb: float
    generate_s: float
    kinds: dict[str, KindCost]


def measure(
    folder: Path, sightings: int, questions: int = 100, progress: Callable[[str], None] = lambda what: None
) -> CatalogCost:
    """Make both catalogues in ``folder`` and ask each kind of question as often as wanted."""
    tenth = made(folder / "tenth.db", max(1, sightings // 10))
    progress(f"Making {sightings:,} sightings")
    began = time.monotonic()
    whole = made(folder / "catalog.db", sightings)
    generate_s = round(time.monotonic() - began, 1)
    asked = {engine: questions_about(engine, questions) for engine in (tenth, whole)}
    scans, kinds = linear_scans(), {}
    for kind in asked[whole]:
        progress(f"Asking {questions} times: {kind}")
        few = [milliseconds(tenth, question)[0] for question in asked[tenth][kind]]
        many = [milliseconds(whole, question) for question in asked[whole][kind]]
        linear = [milliseconds(whole, scans[kind], runs=1)[0] for _ in range(3)] if kind in scans else []
        kinds[kind] = cost_of(few, many, linear)
    with reading(whole) as session:
        plates, videos = (session.scalar(select(func.count()).select_from(table)) or 0 for table in (Plate, Video))
    size_mb = round((folder / "catalog.db").stat().st_size / 1e6, 1)
    for engine in asked:
        engine.dispose()
    return CatalogCost(
        sightings=sightings, plates=plates, videos=videos, database_mb=size_mb, generate_s=generate_s, kinds=kinds
    )


def cost_of(few: list[float], many: list[tuple[float, float]], linear: list[float]) -> KindCost:
    cpu = [one for one, _ in many]
    p50, p95 = percentiles(cpu)
    tenth_p50, tenth_p95 = percentiles(few)
    return KindCost(
        questions=len(many),
        p50_ms=p50,
        p95_ms=p95,
        wall_p95_ms=percentiles([wall for _, wall in many])[1],
        tenth_p50_ms=tenth_p50,
        tenth_p95_ms=tenth_p95,
        growth=round(sum(cpu) / sum(few), 2),
        linear_ms=round(median(linear), 1) if linear else None,
        linear_over_p95=round(median(linear) / p95, 1) if linear else None,
    )


def questions_about(engine: Engine, count: int) -> dict[str, list[Question]]:
    with reading(engine) as session:
        return all_questions(session, random.Random(2), count)


def made(database: Path, sightings: int) -> Engine:
    import migrations  # the tables are made by them alone; other commands need no Alembic

    engine = open_engine(f"sqlite:///{database}")
    migrations.upgrade(engine)
    town.fill(engine, sightings)
    return engine


def milliseconds(engine: Engine, question: Question, runs: int = RUNS) -> tuple[float, float]:
    """Of CPU in this thread and by the clock."""
    cpu, wall = [], []
    for _ in range(runs):
        with reading(engine) as session:
            session.connection()
            began, cpu_began = time.perf_counter(), time.thread_time()
            question(session)
            cpu.append(time.thread_time() - cpu_began)
            wall.append(time.perf_counter() - began)
    return min(cpu) * 1000, min(wall) * 1000


def percentiles(ms: Sequence[float]) -> tuple[float, float]:
    return round(median(ms), 2), round(quantiles(ms, n=20)[-1], 2)


def all_questions(session: Session, rng: random.Random, count: int) -> dict[str, list[Question]]:
    """The same calls as the pages and the API make, about plates, places and times that are in the catalogue."""
    total = session.scalar(select(func.max(SightingRow.sighting_id))) or 0
    columns = select(Plate.text, SightingRow.seen_utc, SightingRow.lat, SightingRow.lon).join(SightingRow.plate)
    some: list[tuple[str, datetime, float, float]] = []
    while len(some) < count:
        row = session.execute(columns.where(SightingRow.sighting_id == rng.randint(1, total))).first()
        if row is not None and row.seen_utc is not None and row.lat is not None and row.lon is not None:
            some.append((row.text, row.seen_utc, row.lat, row.lon))
    return {
        "newest": [plates_page(PlateFilter()) for _ in some],
        "fragment": [plates_page(PlateFilter(fragment(rng, plate))) for plate, *_ in some],
        "wildcard": [plates_page(PlateFilter(pattern(rng, plate))) for plate, *_ in some],
        "fuzzy": [plates_page(PlateFilter(misreading(rng, plate), near=True)) for plate, *_ in some],
        "region": [plates_page(PlateFilter(region=around(rng, lat, lon))) for _, _, lat, lon in some],
        "date_region": [
            plates_page(PlateFilter(region=around(rng, lat, lon), since=since, until=until))
            for _, at, lat, lon in some
            for since, until in [days_around(rng, at)]
        ],
        "fragment_date": [
            plates_page(PlateFilter(fragment(rng, plate), since=since, until=until))
            for plate, at, *_ in some
            for since, until in [days_around(rng, at)]
        ],
        "plate_page": [plate_page(plate) for plate, *_ in some],
        "day_page": [day_page(at) for _, at, *_ in some],
        "map_window": [
            map_window(
                PlateFilter(region=around(rng, lat, lon), since=at - timedelta(days=90) if rng.random() < 0.5 else None)
            )
            for _, at, lat, lon in some
        ],
    }


def plates_page(wanted: PlateFilter) -> Question:
    return lambda session: search.plates(session, wanted, limit=PAGE)


def plate_page(plate: str) -> Question:
    def ask(session: Session) -> object:
        found = plate_table.plate(session, plate)
        return found and sighting_table.of_plate(session, found.plate_id, limit=PAGE)

    return ask


def day_page(at: datetime) -> Question:
    midnight = datetime(at.year, at.month, at.day, tzinfo=UTC)
    day = VideoFilter(since=midnight, until=midnight + timedelta(days=1))
    return lambda session: video_table.videos(session, day, limit=PAGE)


def map_window(wanted: PlateFilter) -> Question:
    return lambda session: search.sightings(session, wanted, limit=PINS)


def fragment(rng: random.Random, plate: str) -> str:
    size = rng.choice((2, 3, 3, 4, 4, 5))
    start = rng.randint(0, max(0, len(plate) - size))
    return plate[start : start + size]


def pattern(rng: random.Random, plate: str) -> str:
    """One or two characters unknown, or only the beginning or the end known."""
    match rng.randint(0, 3):
        case 0:
            return plate[:3] + "*"
        case 1:
            return "*" + plate[-3:]
        case unknown:
            letters = list(plate)
            for at in rng.sample(range(len(plate)), unknown - 1):
                letters[at] = "?"
            return "".join(letters)


def misreading(rng: random.Random, plate: str) -> str:
    """What is confused in one of two, and in three of four one character missing, added or wrong."""
    letters = [
        rng.choice(next((group for group in CONFUSED if one in group), one)) if rng.random() < 0.5 else one
        for one in plate
    ]
    at = rng.randrange(len(letters))
    match rng.randint(0, 3):
        case 0:
            del letters[at]
        case 1:
            letters.insert(at, rng.choice("ACEHKX7"))
        case 2:
            letters[at] = rng.choice("ACEHKX7")
    return "".join(letters)


def around(rng: random.Random, lat: float, lon: float) -> Area:
    """From a street to a county."""
    half = rng.choice((0.002, 0.01, 0.05, 0.2))
    return Area(lat - half, lon - half, lat + half, lon + half)


def days_around(rng: random.Random, at: datetime) -> tuple[datetime, datetime]:
    days = timedelta(days=rng.choice((1, 7, 30, 180)))
    return at - days, at + days


SCAN = (
    "SELECT plate.text, count(*), max(seen_utc) FROM sighting NOT INDEXED JOIN plate USING (plate_id) "
    "WHERE confirmed AND {} GROUP BY plate_id ORDER BY 3 DESC LIMIT 61"
)


def linear_scans() -> dict[str, Question]:
    """What a catalogue without its indices would do; the fuzzy one compares every plate."""
    conditions = {
        "fragment": "text LIKE '%T23%'",
        "wildcard": "text LIKE 'LT_3%'",
        "region": "lat BETWEEN 51.46 AND 51.47 AND lon BETWEEN -0.12 AND -0.11",
        "date_region": "seen_utc > '2024' AND lat BETWEEN 51.46 AND 51.47 AND lon BETWEEN -0.12 AND -0.11",
    }
    scans: dict[str, Question] = {kind: scan(condition) for kind, condition in conditions.items()}
    scans["fuzzy"] = lambda session: [
        one for one in session.scalars(select(Plate.text)) if misread_cost("LTZ3CGK", one)
    ]
    return scans


def scan(condition: str) -> Question:
    return lambda session: session.execute(text(SCAN.format(condition))).all()


def table_of(cost: CatalogCost) -> Table:
    title = f"{cost.sightings:,} sightings, {cost.plates:,} plates, {cost.videos:,} videos, {cost.database_mb:,.0f} MB"
    table = Table(title=title, title_justify="left")
    headings = ("p50 ms", "p95 ms", "by the clock", "all rows ms", "ratio", "tenth: p50", "p95", "growth")
    table.add_column("question")
    for heading in headings:
        table.add_column(heading, justify="right")
    for kind, one in cost.kinds.items():
        linear = (f"{one.linear_ms:,.0f}", f"{one.linear_over_p95:,.0f}x") if one.linear_ms else ("", "")
        tenth = (f"{one.tenth_p50_ms:.1f}", f"{one.tenth_p95_ms:.1f}", f"{one.growth:.1f}x")
        table.add_row(kind, f"{one.p50_ms:.1f}", f"{one.p95_ms:.1f}", f"{one.wall_p95_ms:.1f}", *linear, *tenth)
    return table
