"""The page for people: one sheet of A4 that says what was seen, when, where, and how to prove that it is unchanged."""

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

from fpdf import FPDF

from dashcam.evidence.order import Order, Seen
from dashcam.gps.clock import known_zone
from dashcam.gps.plane import Plane
from dashcam.gps.track import Track

MOST_PLATES = 3
"""On the page; all are in ``reads.json``."""
MARGIN, WIDTH = 15, 180
"""Millimetres."""
MAP = 60
GREY, BLACK, BLUE, RED = (110, 110, 110), (0, 0, 0), (40, 90, 200), (190, 30, 40)


def report(order: Order, target: Path, notes: Sequence[str], fingerprint: str) -> None:
    page = FPDF(format="A4")
    page.set_margin(MARGIN)
    page.set_auto_page_break(False)
    page.set_title(f"{order.name}, {order.first_s:.1f} to {order.last_s:.1f} s")
    page.set_creator(f"dashcam-processor {order.version}")
    page.set_creation_date(order.made_at)
    page.add_page()
    line(page, order.plate or "Dashcam recording", 20, style="B")
    line(page, f"{order.name}, from {order.first_s:.1f} to {order.last_s:.1f} s", 11, GREY)
    page.ln(3)
    facts(page, order)
    page.ln(3)
    shown = sorted(order.about(), key=lambda one: (one.text != order.plate, -one.confidence))[:MOST_PLATES]
    for one in shown:
        plate(page, order, one, target.parent, 80 if len(shown) == 1 else 40)
    if order.fixes:
        route(page, order, shown)
    for note in notes:
        line(page, note, 9, GREY)
    page.set_y(-32)
    line(page, "Whether anything was changed since: dashcam verify BUNDLE.zip", 9)
    line(page, f"Signed with the key {fingerprint}", 9)
    page.output(str(target))


def line(page: FPDF, text: str, size: float, colour: tuple[int, int, int] = BLACK, style: str = "") -> None:
    page.set_font("Helvetica", style, size)
    page.set_text_color(*colour)
    page.multi_cell(WIDTH, size * 0.48, latin(text), new_x="LMARGIN", new_y="NEXT")


def latin(text: str) -> str:
    """The PDF's own fonts have no other letters, and no fonts are shipped for a file's name."""
    return text.encode("latin-1", "replace").decode("latin-1")


def facts(page: FPDF, order: Order) -> None:
    zone = known_zone(order.time_zone) or UTC
    begin, end = (order.at(t_s).astimezone(zone) for t_s in (order.first_s, order.last_s))
    about = [
        ("When", f"{begin:%Y-%m-%d %H:%M:%S} to {end:%H:%M:%S} ({order.time_zone or 'UTC'}); {order.clock}"),
        ("UTC", f"{order.at(order.first_s).astimezone(UTC):%Y-%m-%d %H:%M:%S}"),
        ("Where", where(order)),
        ("Camera", order.camera or "not said"),
        ("Original", f"SHA-256 {order.sha256}"),
        ("Made", f"{order.made_at.astimezone(zone):%Y-%m-%d %H:%M %Z} by {order.made_by}"),
    ]
    for name, value in about:
        page.set_font("Helvetica", "B", 9)
        page.set_text_color(*GREY)
        page.cell(24, 5, latin(name))
        page.set_font("Helvetica", "", 9)
        page.set_text_color(*BLACK)
        page.multi_cell(WIDTH - 24, 5, latin(value), new_x="LMARGIN", new_y="NEXT")


def where(order: Order) -> str:
    at = Track(order.fixes).at((order.first_s + order.last_s) / 2)
    if at is None:
        return "no position is known"
    speed = "" if at.speed_mps is None else f", {at.speed_mps * 3.6:.0f} km/h"
    return f"{at.lat:.6f}, {at.lon:.6f} (our own car, in the middle of the stretch){speed}"


def plate(page: FPDF, order: Order, one: Seen, folder: Path, high: float) -> None:
    """In so many millimetres: the picture, the crop, and what was read."""
    top = page.get_y()
    for kind, left, width, height in (("frames", MARGIN, 128, high), ("crops", MARGIN + 132, 48, 16)):
        file = picture_path(folder, kind, one)
        if file.is_file():
            page.image(str(file), left, top, width, height, keep_aspect_ratio=True)
    page.set_xy(MARGIN + 132, top + 18)
    sure = "sure" if one.confirmed else "unsure"
    when = f"{order.at(one.best_s).astimezone(known_zone(order.time_zone) or UTC):%H:%M:%S}"
    said = (one.text, f"{one.confidence:.0%} ({sure})", f"{len(one.reads)} readings", f"at {one.best_s:.2f} s, {when}")
    for number, text in enumerate(said):
        page.set_x(MARGIN + 132)
        page.set_font("Helvetica", "" if number else "B", 9 if number else 13)
        page.cell(48, 5.5, latin(text), new_x="LMARGIN", new_y="NEXT")
    page.set_xy(MARGIN, top + high + 4)


def picture_path(folder: Path, kind: str, one: Seen) -> Path:
    """Where a plate's picture lies in a bundle; what is in its text is no part of a path."""
    text = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in one.text)
    return folder / kind / f"{text}_{one.best_s:08.2f}.jpg"


def route(page: FPDF, order: Order, shown: Sequence[Seen]) -> None:
    """Our own way as a line, north up, with where the plates were seen from."""
    top, plane = page.get_y(), Plane(order.fixes[0].lat, order.fixes[0].lon)
    track = Track(order.fixes)
    line_of = [plane.to_metres(fix.lat, fix.lon) for fix in order.fixes]
    seen = [plane.to_metres(at.lat, at.lon) for one in shown if (at := track.at(one.best_s)) is not None]
    east, north = zip(*line_of, *seen, strict=True)
    wide = max(max(east) - min(east), max(north) - min(north), 50.0)
    scale, middle = (MAP - 10) / wide, ((max(east) + min(east)) / 2, (max(north) + min(north)) / 2)

    def on_page(place: tuple[float, float]) -> tuple[float, float]:
        return (MARGIN + MAP / 2 + (place[0] - middle[0]) * scale, top + MAP / 2 - (place[1] - middle[1]) * scale)

    page.set_draw_color(*GREY)
    page.rect(MARGIN, top, MAP, MAP)
    page.set_draw_color(*BLUE)
    page.set_line_width(0.6)
    page.polyline([on_page(place) for place in line_of])
    page.set_fill_color(*RED)
    for place in seen:
        x, y = on_page(place)
        page.ellipse(x - 1, y - 1, 2, 2, style="F")
    page.set_line_width(0.2)
    page.set_xy(MARGIN + MAP + 4, top)
    line_beside = (
        f"Our own way, north up; the frame is {wide * MAP / (MAP - 10):,.0f} m wide. Dots: where we were then."
    )
    page.set_font("Helvetica", "", 9)
    page.set_text_color(*GREY)
    page.multi_cell(WIDTH - MAP - 4, 5, latin(line_beside))
    page.set_xy(MARGIN, top + MAP + 4)
