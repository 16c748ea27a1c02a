"""How often a read is right, by people's answers to spot checks, before and since a clip was read again; how much
preprocessing misses, counted on a sample of what it rejected, with the plates that only the sample found."""

from app import addresses, system, wording
from app.pages import judging, parts
from app.pages.frame import ask, frame, zone
from app.pages.parts import link, tag
from dashcam.catalog import accuracy as counted
from dashcam.catalog import then_and_now
from dashcam.catalog.then_and_now import ThenAndNow


async def accuracy() -> None:
    found = await ask(counted.accuracy)
    asked = await ask(judging.asked)
    readers = await ask(then_and_now.side_by_side)
    with frame("Accuracy", "/tasks", own=("accuracy.css", "accuracy.js")):
        parts.page_title("Accuracy", "How often a read is right, and what is not read at all")
        judging.Judging(*asked).draw()
        side_by_side(*readers)
        preprocessing(found)


def side_by_side(by_chance: ThenAndNow, of_all: ThenAndNow) -> None:
    """Nothing where no clip was read again since somebody has said something of it."""
    if not of_all.plates:
        return
    with parts.section("The reader before, and the one since", ("What is read differently", "/rereads")):
        why = (
            "Plates that people have said, in clips that were read again since. People correct what was read wrong, "
            "so that only what was drawn by chance is fair to the reader before."
        )
        tag("p", "muted section-note", why)
        with tag("div", "panel scroll readers"), tag("table", "table"):
            tag("caption", "spoken", "How many plates were read right before their clips were read again, and since")
            with tag("thead"), tag("tr"):
                for column in ("Plates", "Right before", "Right since", "Mended", "Spoiled"):
                    tag("th", text=column, scope="col")
            with tag("tbody"):
                for name, one in (("Drawn by chance", by_chance), ("All that people have said", of_all)):
                    with tag("tr"):
                        tag("th", text=f"{name}: {one.plates:,}", scope="row")
                        for number in (one.right_then, one.right_now, one.mended, one.spoiled):
                            tag("td", "num", f"{number:,}")


def preprocessing(found: counted.Accuracy) -> None:
    share = system.current().site.preprocess.audit_share
    with parts.section("What preprocessing misses"):
        tag("p", "muted section-note", f"Of what it rejects, {percent(share)} is looked at all the same.")
        if not found.reasons:
            what = "It shows here when preprocessing has left out a stretch of a clip: darkness, blur, a still view."
            parts.empty("task_alt", "Nothing has been rejected yet", what)
            return
        figures(found.total)
        by_reason(found.reasons)
    missed(found.misses, found.total)


def figures(total: counted.Share) -> None:
    rate = "not known yet" if total.rate is None else percent(total.rate)
    with tag("div", "counts"):
        for value, noun in (
            (rate, "of rejected footage holds a missed plate"),
            (between(total) or "not known yet", "is where that share lies with 95 % certainty"),
            (wording.footage(total.audited_s), f"looked at again, in {stretches(total.stretches)}"),
            (wording.footage(total.rejected_s), "rejected in all"),
        ):
            with tag("div", "count"):
                tag("strong", "num", value)
                tag("span", "muted", noun)


def by_reason(reasons: list[counted.Share]) -> None:
    with tag("div", "grid"):
        for one in reasons:
            with tag("section", "panel pad", aria_label=one.reason):
                tag("h3", text=one.reason.capitalize())
                with tag("dl", "facts inline"):
                    for name, value in facts(one):
                        with tag("div"):
                            tag("dt", text=name)
                            tag("dd", "num", value)


def facts(one: counted.Share) -> list[tuple[str, str]]:
    known = [
        ("Rejected", wording.footage(one.rejected_s)),
        ("Looked at again", wording.footage(one.audited_s) if one.stretches else "nothing yet"),
    ]
    if one.rate is None:
        return known
    missed = wording.footage(one.missed_s) if one.missed else "nothing"
    return [*known, ("Plates missed in", missed), ("Share missed", percent(one.rate)), ("With 95 %", between(one))]


def missed(misses: list[counted.Miss], total: counted.Share) -> None:
    with parts.section("Plates that only the sample found"):
        if not misses:
            what = (
                "Every plate in the sample had been read elsewhere in its clip, or there was none."
                if total.stretches
                else "No rejected stretch has been looked at yet."
            )
            parts.empty("task_alt", "None so far", what)
            return
        with tag("div", "grid plates"):
            for one in misses:
                card(one)


def card(one: counted.Miss) -> None:
    with link(addresses.video_url(one.video_id, one.best_s), "card plate-card"):
        parts.picture(addresses.media_url(one.video_id, one.crop), f"Number plate {one.text}", "crop")
        with tag("div", "card-body"):
            with tag("div", "line"):
                parts.plate_text(one.text)
                parts.confidence(one.confidence)
            when = wording.moment(one.seen_utc, zone()) if one.seen_utc else "time unknown"
            tag("div", "line muted small num", when)
            with tag("div", "line"):
                parts.chip(one.reason)
            tag("div", "name muted small num", one.video_name, title=one.video_name)


def between(one: counted.Share) -> str:
    return "" if one.low is None or one.high is None else f"{percent(one.low)} to {percent(one.high)}"


def percent(share: float) -> str:
    """With as many digits as tell small shares apart: ``0 %``, ``0.04 %``, ``2 %``, ``37 %``."""
    value = share * 100
    if 0 < value < 0.01:
        return "under 0.01 %"
    digits = 0 if value >= 10 or value == 0 else 1 if value >= 1 else 2
    return f"{value:.{digits}f}".removesuffix(".0") + " %"


def stretches(number: int) -> str:
    return "1 stretch" if number == 1 else f"{number:,} stretches"
