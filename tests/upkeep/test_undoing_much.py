"""A plate that was seen a thousand times is had back in a moment: the server waits for nobody meanwhile."""

import json

from sqlalchemy import Engine, event, select

from dashcam.catalog import aside
from dashcam.catalog.aside_rows import SetAside
from dashcam.catalog.models import SightingRow
from dashcam.config import Site
from dashcam.database import reading, writing
from dashcam.upkeep import undoing
from dashcam.upkeep.deleting import Wanted
from tests.catalog.rows import NOON, add_sighting, add_video

PLATE = "LT23CGK"


def statements(engine: Engine, clips: range) -> tuple[int, int]:
    """Of hiding a plate that was seen in so many clips, and of having it back."""
    with writing(engine) as session:
        for number in clips:
            add_sighting(session, add_video(session, number), PLATE, 2.0)
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _cursor, said, *_rest: asked.append(said))
    word = undoing.hide(engine, Site(), Wanted(plate=PLATE), "ana", NOON.replace(year=2030))
    hidden = len(asked)
    undoing.undo(engine, Site(), word.going_id, NOON.replace(year=2030))
    done = len(asked)
    with reading(engine) as session:
        back = session.scalars(
            select(SightingRow.video_id).join(SightingRow.plate).where(SightingRow.plate.has(text=PLATE))
        )
        assert len(back.all()) == clips.stop - 1
    return hidden, done - hidden


def test_a_sighting_that_is_hidden_or_comes_back_costs_no_question_of_its_own(any_engine: Engine) -> None:
    few = statements(any_engine, range(1, 6))
    many = statements(any_engine, range(6, 46))
    assert many == few, "a plate that was seen 4,000 times kept who else writes waiting for 4.6 s"


def test_what_an_older_version_has_set_aside_comes_back_as_it_was(any_engine: Engine) -> None:
    """It kept a sighting's reads as JSON, not as its text."""
    with writing(any_engine) as session:
        row = add_sighting(session, add_video(session, 1), PLATE, 2.0)
        was = [row.reads, row.slots, row.box]
    word = undoing.hide(any_engine, Site(), Wanted(plate=PLATE), "ana", NOON.replace(year=2030))
    with writing(any_engine) as session:
        part = session.scalars(select(SetAside)).one()
        ((name, kept),) = aside.unpacked(part.rows)
        part.rows = aside.packed([(name, kept | {one: json.loads(kept[one]) for one in ("reads", "slots", "box")})])
    undoing.undo(any_engine, Site(), word.going_id, NOON.replace(year=2030))
    with reading(any_engine) as session:
        back = session.scalars(select(SightingRow)).one()
        assert [back.reads, back.slots, back.box] == was
