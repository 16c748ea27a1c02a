"""What a person says of sightings holds for whatever a later look at the clip finds, and can be taken back."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from dashcam.catalog import corrections, merges, plates, search
from dashcam.catalog.merges import CannotSay
from dashcam.catalog.models import Plate, SightingRow
from dashcam.catalog.plate_words import SightingWord
from dashcam.catalog.search import PlateFilter
from dashcam.config import Site
from dashcam.database import reading, writing
from tests.catalog.looked import look, numbers, seen, table_of
from tests.catalog.rows import NOON, add_sighting, add_video

SITE = Site()
FIRST = [
    seen("UCRM469", 1.0, 3.0),
    seen("B577PRO", 1.0, 4.0, x=900.0),
    seen("TAX1", 5.0, 8.0, confidence=0.4, confirmed=False),
]
BETTER = [
    seen("UCRM4G9", 1.2, 3.4, x=308.0, confidence=0.7),
    seen("B577PR0", 0.8, 4.1, x=896.0),
    seen("TAXI", 5.1, 7.7, x=296.0, confidence=0.5, confirmed=False),
    seen("NEW1", 8.5, 9.5),
]


@pytest.fixture
def looked(any_engine: Engine) -> Engine:
    with writing(any_engine) as session:
        look(session, add_video(session, 1), FIRST)
    return any_engine


def say(engine: Engine, shown: str, text: str | None, minutes: int = 0) -> list[str]:
    with writing(engine) as session:
        at = NOON + timedelta(minutes=minutes)
        return corrections.say(session, numbers(session, shown), text, "ana", at, SITE)


def again(engine: Engine, found: list) -> None:  # type: ignore[type-arg]
    with writing(engine) as session:
        look(session, session.get_one(corrections.Video, f"{1:016x}"), found)


def shown(engine: Engine) -> set[str]:
    with reading(engine) as session:
        return {card.text for card in search.plates(session, PlateFilter(confirmed_only=False))}


def test_a_plate_that_is_corrected_is_found_under_its_true_text_and_the_machines_word_is_known(looked: Engine) -> None:
    say(looked, "UCRM469", "hucf m469")
    with reading(looked) as session:
        row = session.scalars(select(SightingRow).join(SightingRow.plate).where(Plate.text == "HUCFM469")).one()
        assert (row.confidence, row.confirmed) == (1.0, True)
        assert row.machine == {"text": "UCRM469", "confidence": 0.9, "confirmed": True}
        assert plates.plate(session, "UCRM469") is None
        (word,) = session.scalars(select(SightingWord))
        assert (word.read, word.confidence, word.text, word.who) == ("UCRM469", 0.9, "HUCFM469", "ana")


def test_it_is_corrected_still_when_the_clip_is_done_again(looked: Engine) -> None:
    say(looked, "UCRM469", "HUCFM469")
    again(looked, BETTER)
    assert shown(looked) == {"HUCFM469", "B577PR0", "TAXI", "NEW1"}
    with reading(looked) as session:
        row = session.scalars(select(SightingRow).join(SightingRow.plate).where(Plate.text == "HUCFM469")).one()
        assert row.machine == {"text": "UCRM4G9", "confidence": 0.7, "confirmed": True}, "what it says now"


def test_what_is_no_plate_is_in_no_list_and_back_as_it_was_when_that_is_taken_back(looked: Engine) -> None:
    with reading(looked) as session:
        before = table_of(session)
    words = say(looked, "TAX1", None)
    with reading(looked) as session:
        assert session.scalars(select(Plate.text).where(Plate.text == "TAX1")).all() == []
    assert shown(looked) == {"UCRM469", "B577PRO"}
    again(looked, FIRST)
    assert shown(looked) == {"UCRM469", "B577PRO"}, "it stays away"
    with writing(looked) as session:
        assert corrections.take_back(session, words, SITE) == 1
        assert table_of(session) == before


def test_undo_leaves_exactly_what_the_machine_said_and_before_that_what_was_said_before(looked: Engine) -> None:
    with reading(looked) as session:
        before = table_of(session)
    first = say(looked, "TAX1", "TAXI")
    second = say(looked, "TAXI", "TAX7", 1)
    assert "TAX7" in shown(looked)
    with writing(looked) as session:
        corrections.take_back(session, second, SITE)
    assert "TAXI" in shown(looked)
    with writing(looked) as session:
        corrections.take_back(session, first, SITE)
        assert table_of(session) == before
        assert session.scalars(select(SightingRow.word_id)).all() == [None] * 3


def test_another_plate_of_the_same_moment_is_left_alone(looked: Engine) -> None:
    say(looked, "B577PRO", None)
    assert shown(looked) == {"UCRM469", "TAX1"}
    again(looked, BETTER)
    assert shown(looked) == {"UCRM4G9", "TAXI", "NEW1"}


def test_what_cannot_be_is_refused_and_nothing_changes(looked: Engine) -> None:
    with writing(looked) as session:
        video = add_video(session, 2)
        bare = add_sighting(session, video, "AB12CDE").sighting_id
    for ids, text, why in (
        ([10**6], "AB1", "no such sighting"),
        ([], "AB1", "no such sighting"),
        ([bare], "--", "is no plate"),
        ([bare], "A" * 17, "is no plate"),
        ([bare], "#abcd", "is no plate"),
        ([bare], None, "could not be put back"),
    ):
        with pytest.raises(CannotSay, match=why), writing(looked) as session:
            corrections.say(session, ids, text, "ana", NOON, SITE)
    with reading(looked) as session:
        assert session.scalars(select(SightingWord)).all() == []


def test_one_car_under_two_texts_is_one_plate_now_and_from_now_on_and_two_again_on_undo(looked: Engine) -> None:
    with writing(looked) as session:
        look(session, add_video(session, 2, NOON + timedelta(hours=1)), [seen("HUCFM469", 1.0, 2.0)])
        before = table_of(session)
        assert merges.merge(session, "UCRM469", "hucfm 469", "ana", NOON) == 1
        assert len(numbers(session, "HUCFM469")) == 2
        found = plates.plate(session, "UCRM469")
        assert found is not None and found.text == "HUCFM469", "whoever has kept the old address finds it"
        assert plates.root(session, "UCRM469") == "HUCFM469"
    with writing(looked) as session:
        look(session, add_video(session, 3, NOON + timedelta(hours=2)), [seen("UCRM469", 1.0, 2.0)])
        assert len(numbers(session, "HUCFM469")) == 3, "what is seen from now on too"
    with writing(looked) as session:
        assert merges.split(session, "UCRM469") == 2
        assert [row for row in table_of(session) if row[1] != f"{3:016x}"] == before
        with pytest.raises(CannotSay, match="not merged"):
            merges.split(session, "UCRM469")


def test_a_merge_goes_through_others_and_never_in_a_circle(looked: Engine) -> None:
    with writing(looked) as session:
        merges.merge(session, "TAX1", "UCRM469", "ana", NOON)
        merges.merge(session, "UCRM469", "B577PRO", "ana", NOON)
        assert plates.roots(session, ["TAX1", "UCRM469", "X"]) == {"TAX1": "B577PRO", "UCRM469": "B577PRO", "X": "X"}
        assert plates.merged_into(session, "B577PRO") == ["TAX1", "UCRM469"]
        for one, other, why in (("B577PRO", "TAX1", "one plate already"), ("NOTSEEN", "B577PRO", "has been seen")):
            with pytest.raises(CannotSay, match=why):
                merges.merge(session, one, other, "ana", NOON)
        merges.split(session, "UCRM469")
        assert len(numbers(session, "UCRM469")) == 2


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(0, 3), st.sampled_from(["HUCFM469", "B577PRO", "TAXI", None])),
        st.tuples(st.just("undo"), st.integers(0, 5), st.none()),
        st.tuples(st.just("merge"), st.integers(0, 3), st.integers(0, 3)),
        st.tuples(st.just("split"), st.integers(0, 3), st.none()),
        st.tuples(st.just("look"), st.booleans(), st.none()),
    ),
    max_size=8,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_correcting_and_looking_again_in_any_order_ends_the_same(engine: Engine, acts: list) -> None:  # type: ignore[type-arg]
    """What the catalogue shows after the acts, with looks in between, is what one last look makes of the words."""
    with writing(engine) as session:
        video = session.get(corrections.Video, f"{1:016x}") or add_video(session, 1)
        for word in session.scalars(select(SightingWord)):
            session.delete(word)
        for merge in session.scalars(select(merges.PlateMerge)):
            session.delete(merge)
        session.flush()
        latest = FIRST
        look(session, video, latest)
        words: list[str] = []
        for number, (act, which, what) in enumerate(acts):
            there = sorted(session.scalars(select(Plate.text)))
            one = there[which % len(there)] if there else ""
            try:
                if act == "say" and one:
                    at = NOON + timedelta(minutes=number)
                    words += corrections.say(session, numbers(session, one)[:1], what, "ana", at, SITE)
                elif act == "undo" and words:
                    corrections.take_back(session, [words.pop(which % len(words))], SITE)
                elif act == "merge" and one:
                    merges.merge(session, one, there[what % len(there)], "ana", NOON)
                elif act == "split" and one:
                    merges.split(session, (plates.merged_into(session, one) or [one])[0])
                elif act == "look":
                    latest = BETTER if which else FIRST
                    look(session, video, latest)
            except CannotSay:
                pass
        after = table_of(session)
        look(session, video, latest)
        assert table_of(session) == after
        assert set(session.scalars(select(Plate.text))) == {row[0] for row in after}, "no plate without a sighting"
