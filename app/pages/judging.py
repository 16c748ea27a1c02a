"""Spot checks on the page of accuracy: a read beside its picture, right or wrong; and what the answers say."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import get_args

from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments
from sqlalchemy.orm import Session

from app import addresses, saying, wording
from app.found import TEMPLATES
from app.pages import parts
from app.pages.frame import ask, now, zone
from app.pages.parts import AS_FORM, link, tag
from app.pages.plate_acts import act
from app.pages.still import Piece
from dashcam.catalog import lessons, spot_checks
from dashcam.catalog.lessons import Band
from dashcam.catalog.spot_checks import CheckedBand, ReadVerdict, SpotCheck

LABELS: dict[ReadVerdict, tuple[str, str]] = {
    "right": ("Right", "R"),
    "wrong": ("Wrong", "W"),
    "unclear": ("Cannot tell", "C"),
}
SHOWN = "() => emit(document.querySelector('#judging [data-sighting]')?.dataset.sighting)"
"""An answer is about what the person has seen, which is not always what comes next."""
LEFT, RIGHT, TOP, BOTTOM = 45.0, 330.0, 10.0, 255.0
"""Of the field of the curve, in its own units."""
JudgedShares = tuple[list[CheckedBand], list[Band]]


def asked(session: Session) -> tuple[list[SpotCheck], JudgedShares]:
    today = now().astimezone(zone()).date()
    return spot_checks.to_judge(session, today), (spot_checks.bands(session), lessons.bands(session))


class Judging:
    """What is asked of the person who looks, one after the other."""

    def __init__(self, queue: list[SpotCheck], counts: JudgedShares) -> None:
        self.queue, self.counts = queue, counts
        self.judged: list[tuple[SpotCheck, str]] = []
        """On this page, with the word of each."""
        self.turn = asyncio.Lock()

    def draw(self) -> None:
        with parts.section("Was it read right?"):
            why = (
                "Drawn by chance from all that was read, the unsure as often as the sure. How sure the reader was is "
                "not shown: it would sway you."
            )
            tag("p", "muted section-note", why)
            with tag("div", "panel pad judging", id="judging"):
                self.place = tag("div", role="status")
                self.answers()
        with parts.section("How sure it is, and how often it is right"):
            self.curve = tag("div")
        self.show()

    def answers(self) -> None:
        with tag("div", "answers"):
            for verdict in get_args(ReadVerdict):
                label, key = LABELS[verdict]
                button(label, key).on("click", self.handler(verdict), js_handler=SHOWN)
            button("Undo", "U").on("click", self.undo)
        with tag("form", "answers") as form:
            tag("label", "small muted", "Wrong: it says", for_="truth")
            tag("input", "field", id="truth", name="truth", maxlength="16", autocomplete="off", spellcheck="false")
            tag("button", "button small", "Correct", type="submit")
        form.on("submit", lambda event: self.correct(event.args), js_handler=AS_FORM)

    def show(self) -> None:
        self.place.clear()
        with self.place:
            if self.queue:
                draw_check(self.queue[0])
            else:
                what = "No read is asked about twice. Tomorrow others are drawn, and from what is yet to come."
                parts.empty("task_alt", "Nothing to judge", what)
        self.curve.clear()
        with self.curve:
            draw_counts(*self.counts)

    def handler(self, verdict: ReadVerdict) -> Callable[[GenericEventArguments], object]:
        return lambda event: self.judge(str(event.args), verdict)

    async def correct(self, told: Mapping[str, str]) -> None:
        truth = told.get("truth", "").strip()
        if not truth:
            ui.notify("Type what stands on the plate first.", type="warning")
        elif self.queue:
            await self.judge(str(self.queue[0].sighting_id), "wrong", truth)

    async def judge(self, shown: str, verdict: ReadVerdict, truth: str = "") -> None:
        async with self.turn:
            if not self.queue or str(self.queue[0].sighting_id) != shown:
                return
            number = self.queue[0].sighting_id
            word_id = await act(lambda session: saying.judge(session, number, verdict, truth))
            if word_id is None:
                return
            self.judged.append((self.queue.pop(0), word_id))
            _, self.counts = await ask(asked)
            self.show()

    async def undo(self) -> None:
        """Of what was judged on this page, then of what the person has judged before."""
        async with self.turn:
            one, word_id = self.judged.pop() if self.judged else (None, None)
            if not await act(partial(saying.take_judged_back, word_id=word_id)):
                ui.notify("You have judged nothing that could be taken back.", type="info")
                return
            queue, self.counts = await ask(asked)
            self.queue = [one, *self.queue] if one else queue
            self.show()


def button(label: str, key: str) -> Element:
    with tag("button", "button", type="button", aria_keyshortcuts=key) as element:
        tag("span", text=label)
        tag("kbd", text=key, aria_hidden="true")
    return element


def draw_check(one: SpotCheck) -> None:
    with tag("div", "judged", data_sighting=str(one.sighting_id)):
        parts.picture(addresses.media_url(one.video_id, one.crop), wording.crop_of(one.read), "crop")
        with tag("div", "read"):
            parts.plate_text(one.read)
            href = addresses.video_url(one.video_id, one.best_s)
            link(href, "small", f"{one.video_name}, {wording.second(one.best_s)}", target="_blank")


def draw_counts(checked: Sequence[CheckedBand], corrected: Sequence[Band]) -> None:
    judged = sum(band.right + band.wrong for band in checked)
    if not judged and not any(band.right + band.wrong for band in corrected):
        parts.empty("insights", "Nothing has been judged yet", "The curve is drawn from the answers above.")
        return
    with tag("div", "calibration"):
        with tag("div", "panel pad"):
            Piece(curve(checked))  # our own template, of numbers
            tag(
                "p",
                "muted small",
                "On the dashed line it is right as often as it says. Bars: where it is with 95 % certainty.",
            )
        table(checked, corrected)


def curve(checked: Sequence[CheckedBand]) -> str:
    grid = [{"x": across(share), "y": down(share), "text": wording.percent(share)} for share in (0, 0.25, 0.5, 0.75, 1)]
    points = [
        {"x": across(band.said), "y": down(band.rate), "top": down(band.rate_high), "bottom": down(band.rate_low)}
        for band in checked
        if band.said is not None and band.rate is not None and band.rate_low is not None and band.rate_high is not None
    ]
    return TEMPLATES.get_template("calibration.html").render(grid=grid, points=points)


def across(share: float) -> float:
    return round(LEFT + share * (RIGHT - LEFT), 1)


def down(share: float) -> float:
    return round(BOTTOM - share * (BOTTOM - TOP), 1)


def table(checked: Sequence[CheckedBand], corrected: Sequence[Band]) -> None:
    with tag("div", "panel scroll"), tag("table", "table"):
        tag("caption", "spoken", "How often reads were right, by how sure the reader was")
        with tag("thead"), tag("tr"):
            for column in ("Sure", "Right", "Was sure", "Was right", "95 % certain", "With all corrections"):
                tag("th", text=column, scope="col")
        with tag("tbody"):
            for band, every in zip(checked, corrected, strict=True):
                if band.right or band.wrong or band.unclear or every.right or every.wrong:
                    row(band, every)


def row(band: CheckedBand, every: Band) -> None:
    judged = band.right + band.wrong
    answers = [f"{band.right:,} of {judged:,}"] if judged else []
    answers += [f"{band.unclear:,} unclear"] if band.unclear else []
    with tag("tr"):
        tag("th", "num", shares(band.low, band.high), scope="row")
        for text in (
            ", ".join(answers),
            "" if band.said is None else wording.percent(band.said),
            "" if band.rate is None else wording.percent(band.rate),
            shares(band.rate_low, band.rate_high),
            f"{every.right:,} of {every.right + every.wrong:,}" if every.right or every.wrong else "",
        ):
            tag("td", "num", text)


def shares(low: float | None, high: float | None) -> str:
    """``95 – 99 %``"""
    return "" if low is None or high is None else f"{low * 100:.0f} – {high * 100:.0f} %"
