"""Readers are compared by what people have said: what was right before the clip was read again, and what is since."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, event

from dashcam.catalog import corrections, then_and_now
from dashcam.catalog.models import Video
from dashcam.catalog.then_and_now import ThenAndNow
from dashcam.config import Site
from dashcam.database import reading, writing
from dashcam.records import Sighting
from tests.catalog.looked import look, numbers, seen
from tests.catalog.rows import NOON, add_video
from tests.catalog.test_spot_checks import judge

SITE = Site()
CLIP = f"{1:016x}"
READS = ["AA11AAA", "BB22BBB", "CC33CCC", "DD44DDD"]
FIRST = [seen(text, 1.0, 4.0, x=200.0 * place) for place, text in enumerate(READS)]


@pytest.fixture
def looked(any_engine: Engine) -> Engine:
    with writing(any_engine) as session:
        look(session, add_video(session, 1, frames_decoded=None), FIRST)
    return any_engine


def again(engine: Engine, texts: list[str | None]) -> None:
    """The clip read once more; ``texts`` of the four places, None where nothing is seen any more."""
    found: list[Sighting] = [
        seen(text, 1.0, 4.0, x=200.0 * place) for place, text in enumerate(texts) if text is not None
    ]
    with writing(engine) as session:
        look(session, session.get_one(Video, CLIP), found)


def compared(engine: Engine) -> tuple[ThenAndNow, ThenAndNow]:
    with reading(engine) as session:
        return then_and_now.side_by_side(session)


def counts(plates: int, then: int, now: int, mended: int, spoiled: int) -> ThenAndNow:
    return ThenAndNow(plates=plates, right_then=then, right_now=now, mended=mended, spoiled=spoiled)


def test_what_the_new_reader_mends_and_spoils_is_told_apart_by_who_chose_it(looked: Engine) -> None:
    judge(looked, "AA11AAA", "right")
    judge(looked, "BB22BBB", "wrong", "BB22BB8")
    with writing(looked) as session:
        corrections.say(session, numbers(session, "CC33CCC"), "CC33CC0", "ana", NOON, SITE)
    judge(looked, "DD44DDD", "right")
    none = counts(0, 0, 0, 0, 0)
    assert compared(looked) == (none, none), "nothing was read again yet"
    again(looked, ["AA11AAA", "BB22BB8", "CC33CC0", "DD44DD0"])
    assert compared(looked) == (counts(3, 2, 2, 1, 1), counts(4, 2, 3, 2, 1))
    again(looked, ["AA11AAA", "BB22BB8", "CC33CC0", None])
    assert compared(looked)[0] == counts(3, 2, 2, 1, 1), "what is not seen any more is not right"


def test_a_second_thought_counts_once(looked: Engine) -> None:
    judge(looked, "AA11AAA", "wrong", "AA11AA4")
    with writing(looked) as session:
        corrections.say(session, numbers(session, "AA11AA4"), "AA11AAA", "ben", NOON + timedelta(minutes=5), SITE)
    again(looked, ["AA11AAA", *READS[1:]])
    assert compared(looked)[1] == counts(1, 1, 1, 0, 0)


def test_no_sighting_is_looked_at_of_which_nobody_has_said_anything(sqlite_engine: Engine) -> None:
    """A million of them were, at each opening of the page: 3.3 s of the server."""
    asked: list[str] = []
    event.listen(sqlite_engine, "before_cursor_execute", lambda _c, _cursor, said, *_rest: asked.append(said))
    with reading(sqlite_engine) as session:
        then_and_now.side_by_side(session)
        (statement,) = (one for one in asked if "sighting_word" in one)
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", (0,) * statement.count("?"))
        steps = [str(step) for *_, step in plan]
    assert not any(step.startswith("SCAN sighting ") or "AUTOMATIC" in step for step in steps), steps
