"""What a person hides without deleting it is shown to nobody, for as long as somebody wants."""

from datetime import timedelta

import pytest

from dashcam.catalog.aside_rows import NEVER
from dashcam.database import writing
from dashcam.upkeep import undoing
from dashcam.upkeep.deleting import Wanted
from tests.upkeep.lived import Lived
from tests.upkeep.test_undoing import listed, more, now, read_again, rows, see_to, undo


def test_what_is_hidden_alone_never_goes_by_itself_and_is_shown_again_as_it_was(lived: Lived) -> None:
    first, *rest = lived.clips()
    before, files = rows(lived.engine), lived.files()
    for wanted in ({"clips": [first]}, {"plate": "LT22CGK"}):
        undoing.hide(lived.engine, lived.settings, Wanted.model_validate(wanted), "ana", now(), NEVER)
    undoing.hide_sightings(lived.engine, more(lived, [])[:1], "ana", now(), NEVER)
    lines = listed(lived)
    assert len(lines) == 3 and {one.due for one in lines} == {None} and lived.clips() == rest
    assert see_to(lived, timedelta(days=4000)) == 0 and lived.files() == files
    for line in lines:
        undo(lived, line.going_id)
    assert rows(lived.engine) == before


@pytest.mark.parametrize("shown_again", [True, False])
def test_a_plate_that_is_hidden_is_so_in_later_clips(lived: Lived, shown_again: bool) -> None:
    """Shown again, it is found there; let go for good, it goes from them too."""
    wanted = Wanted(plate="LT21CGK")
    line = undoing.hide(lived.engine, lived.settings, wanted, "ana", now() - timedelta(days=9000), NEVER)
    assert "LT21CGK" not in lived.plates()
    with writing(lived.engine) as session:
        read_again(session, lived.clips()[0], lived.settings)
    assert "LT21CGK" not in lived.plates()
    if shown_again:
        undo(lived, line.going_id)
    else:
        undoing.finish(lived.engine, lived.settings, line.going_id, now())
        with writing(lived.engine) as session:
            read_again(session, lived.clips()[0], lived.settings)
    assert ("LT21CGK" in lived.plates()) is shown_again
