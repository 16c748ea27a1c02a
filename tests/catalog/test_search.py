"""What is remembered of a plate finds it, whichever way the search takes, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select
from sqlalchemy import text as sql

from dashcam.catalog import merges, notes, reviews, search
from dashcam.catalog.likeness import Difference
from dashcam.catalog.models import Plate, PlateNear, PlateSuffix, SightingRow, Video
from dashcam.catalog.notes import Note
from dashcam.catalog.plate_facts import catch_up, refresh
from dashcam.catalog.plate_filter import Area, PlateFilter, in_place
from dashcam.catalog.plate_text import canonical, misread_cost, near_keys
from dashcam.catalog.plates import forget_unseen, plate_id
from dashcam.catalog.reviews import Mark
from dashcam.database import reading, writing
from tests.catalog.rows import NOON, add_sighting, add_video

SEEN = ("LT23CGK", "LT23C6K", "LTZ3CGK", "DX17ZWH", "B577PRO", "8577PR0", "BR07AAC", "AAC07", "X", "OO11OO")


@pytest.fixture
def filled(any_engine: Engine) -> Engine:
    """Each plate a minute after the one before, and half a degree further north; all once more a day later."""
    with writing(any_engine) as session:
        for day, (number, text) in product(range(2), enumerate(SEEN)):
            video = add_video(session, day * 100 + number, NOON + timedelta(days=day, minutes=number))
            add_sighting(session, video, text, lat=44.0 + number / 2 + day / 1000, lon=-3.01)
    return any_engine


@pytest.fixture(params=["few", "many"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the matches were few, and as if they were many."""
    if request.param == "many":
        monkeypatch.setattr(search, "FEW_PLATES", 0)
        monkeypatch.setattr(search, "FEW_PLACES", 0)
        monkeypatch.setattr(search, "FEW_CLIPS", 0)


def found(engine: Engine, wanted: PlateFilter) -> list[str]:
    with reading(engine) as session:
        return [card.text for card in search.plates(session, wanted)]


FRAGMENTS_AND_PATTERNS = [
    ("T23C", ["LT23C6K", "LT23CGK"]),
    ("t2-3 cg", ["LT23CGK"]),
    ("07", ["AAC07", "BR07AAC"]),
    ("AAC", ["AAC07", "BR07AAC"]),
    ("AAC*", ["AAC07"]),
    ("*AAC", ["BR07AAC"]),
    ("LT?3C?K", ["LTZ3CGK", "LT23C6K", "LT23CGK"]),
    ("?", ["X"]),
    ("B*", ["BR07AAC", "B577PRO"]),
    ("%", list(reversed(SEEN))),
    ("_", list(reversed(SEEN))),
    ("Q1", []),
]


@pytest.mark.usefixtures("either_way")
def test_a_fragment_or_a_pattern_finds_the_plates_last_seen_first(filled: Engine) -> None:
    for text, expected in FRAGMENTS_AND_PATTERNS:
        assert found(filled, PlateFilter(text)) == expected, text


MISREAD = [
    ("8577PRO", ["B577PRO", "8577PR0"]),  # both one confusion away: a B is an 8 more often than a 0 is an O
    ("B577PRO", ["B577PRO", "8577PR0"]),
    ("LTZ3CGK", ["LTZ3CGK", "LT23CGK", "LT23C6K"]),
    ("LT23CG", ["LT23CGK", "LTZ3CGK", "LT23C6K"]),
    ("LT23CGKK", ["LT23CGK", "LTZ3CGK"]),
    ("TL23CGK", ["LT23CGK", "LTZ3CGK"]),
    ("D17ZWH", ["DX17ZWH"]),
    ("Q0IIDO", ["OO11OO"]),
    ("577", ["8577PR0", "B577PRO"]),
    ("QQQQQ", []),
]


@pytest.mark.usefixtures("either_way")
def test_so_many_are_few_and_one_more_is_not(filled: Engine) -> None:
    with reading(filled) as session:
        every = select(Plate.plate_id)
        count = len(session.scalars(every).all())
        assert count > 1 and search.few(session, every, count) and not search.few(session, every, count - 1)


def test_a_misread_plate_is_found_nearest_first(filled: Engine) -> None:
    for text, expected in MISREAD:
        assert found(filled, PlateFilter(text, near=True)) == expected, text


@pytest.mark.usefixtures("either_way")
def test_misread_plates_that_do_not_match_take_no_room_on_the_page(any_engine: Engine) -> None:
    with writing(any_engine) as session:
        for number in range(9):
            add_sighting(session, add_video(session, number), f"K{number}SX", lat=44.0, lon=-3.0)
        late = add_video(session, 10, NOON + timedelta(days=9))
        for number, text in enumerate(("K95X", "K9SX2", "K85X", "K7S8"), 1):
            add_sighting(session, late, text, float(number), lat=50.0, lon=-3.0, confirmed=text != "K85X")
    after, north = NOON + timedelta(days=1), Area(49.0, -4.0, 51.0, -2.0)
    with reading(any_engine) as session:
        for wanted in (PlateFilter(since=after), PlateFilter(region=north), PlateFilter(since=after, region=north)):
            for text, expected in (("SX", ["K9SX2", "K95X"]), ("K9SX", ["K9SX2", "K95X"]), ("5", ["K95X", "K7S8"])):
                near = replace(wanted, text=text, near=True)
                assert [card.text for card in search.plates(session, near, limit=2)] == expected, near
        unsure = PlateFilter("SX", near=True, confirmed_only=False, since=after)
        assert [card.text for card in search.plates(session, unsure)] == ["K9SX2", "K85X", "K95X"]


@pytest.mark.usefixtures("either_way")
def test_only_what_was_seen_there_and_then_is_found(filled: Engine) -> None:
    first_day = {"since": NOON, "until": NOON + timedelta(hours=1)}
    south = Area(44.9, -3.02, 46.1, -3.0)  # numbers 2, 3 and 4
    assert found(filled, PlateFilter(region=south)) == ["B577PRO", "DX17ZWH", "LTZ3CGK"]
    assert found(filled, PlateFilter("7", region=south)) == ["B577PRO", "DX17ZWH"]
    assert found(filled, PlateFilter(region=Area(44.9, -2.99, 46.1, -2.0))) == []
    assert found(filled, PlateFilter("7", **first_day)) == ["AAC07", "BR07AAC", "8577PR0", "B577PRO", "DX17ZWH"]
    with reading(filled) as session:
        cards = search.plates(session, PlateFilter(region=Area(44.9995, -3.02, 45.0005, -3.0)))
        assert [(card.text, card.sightings, card.first_seen) for card in cards] == [
            ("LTZ3CGK", 1, NOON + timedelta(minutes=2, seconds=2))
        ]
        window = search.sightings(session, PlateFilter(region=south, **first_day), limit=2)
        assert [one.text for one in window] == ["B577PRO", "DX17ZWH"]
        rest = search.sightings(session, PlateFilter(region=south, **first_day), window[-1].cursor)
        assert [one.text for one in rest] == ["LTZ3CGK"]


@pytest.mark.usefixtures("either_way")
def test_pages_go_on_where_the_last_one_ended(filled: Engine) -> None:
    with reading(filled) as session:
        for wanted in (PlateFilter(), PlateFilter("7"), PlateFilter(region=Area(40, -4, 50, 0))):
            everything = search.plates(session, wanted)
            shown = []
            after = None
            while page := search.plates(session, wanted, after, 3):
                shown += page
                after = page[-1].cursor
            assert shown == everything


def test_a_plate_that_is_forgotten_leaves_no_keys(any_engine: Engine) -> None:
    with writing(any_engine) as session:
        gone, kept = plate_id(session, "LT23CGK"), plate_id(session, "LT23CGK2")
        add_sighting(session, add_video(session, 1), "LT23CGK2")
        forget_unseen(session, {gone, kept})
    with reading(any_engine) as session:
        assert set(session.scalars(select(PlateSuffix.plate_id))) == {kept}
        assert set(session.scalars(select(PlateNear.plate_id))) == {kept}
        assert session.scalar(select(func.count()).select_from(SightingRow)) == 1


def test_any_plate_is_found_by_its_text_with_one_character_confused_and_by_most_of_it(any_engine: Engine) -> None:
    texts = ["LT23CGK", "DX17ZWH", "B577PRO", "BR07AAC", "KL65BD"]
    with writing(any_engine) as session:
        for number, text in enumerate(texts):
            add_sighting(session, add_video(session, number), text)
    for text in texts:
        for at in range(len(text)):
            for other in "8X":
                wrong = text[:at] + other + text[at + 1 :]
                for asked in (wrong, wrong[:5], wrong[-5:], text[:at] + text[at + 1 :], text[:at] + other + text[at:]):
                    likely = found(any_engine, PlateFilter(asked, near=True))
                    exact = {one for one in texts if asked in one}
                    assert text in likely and set(likely[: len(exact)]) == exact, asked


def test_what_a_plates_reads_doubt_ranks_it_first_and_goes_with_them(any_engine: Engine) -> None:
    slots = [{one: 0.9} for one in "LT2"] + [{"8": 0.5, "B": 0.4}] + [{one: 0.9} for one in "CGK"]
    with writing(any_engine) as session:
        for number, text in enumerate(("LT28CGK", "LT20CGK", "LT2ECGK")):
            told = {"slots": slots} if number == 0 else {}
            add_sighting(session, add_video(session, number, NOON + timedelta(days=number)), text, **told)
        refresh(session, set(session.scalars(select(Plate.plate_id))))
    with reading(any_engine) as session:
        cards = search.plates(session, PlateFilter("LT2BCGK", near=True))
        assert cards[0].text == "LT28CGK" and len(cards) == 3
        match = cards[0].match
        assert match is not None and match.likelihood > 0.3 and match.differences == (Difference(3, "8", "B"),)
    with writing(any_engine) as session:
        first = session.scalars(select(SightingRow).order_by(SightingRow.sighting_id)).first()
        assert first is not None
        first.slots = []
        forget_unseen(session, {first.plate_id})
        assert session.get_one(Plate, first.plate_id).alternatives is None


@pytest.mark.usefixtures("either_way")
def test_every_filter_and_every_order(any_engine: Engine) -> None:
    with writing(any_engine) as session:
        for number, (text, times, sure) in enumerate(
            (("OFTEN11", 3, True), ("ONCE222", 1, True), ("JUNK333", 2, False))
        ):
            for again in range(times):
                start = NOON + timedelta(days=10 * again + number)
                camera, kind = ("rear", "event") if text == "ONCE222" else ("front", "normal")
                video = add_video(session, number * 10 + again, start, camera=camera)
                video.facts = (video.facts or {}) | {"kind": kind}
                add_sighting(session, video, text, confirmed=sure, confidence=0.95 if again else 0.75)
        assert not session.scalars(select(Plate.times).where(Plate.times.is_not(None))).all(), (
            "as an upgrade leaves them"
        )
    catch_up(any_engine)
    asked = {
        PlateFilter(): ["OFTEN11", "ONCE222"],
        PlateFilter(sort="first"): ["OFTEN11", "ONCE222"],
        PlateFilter(sort="most"): ["OFTEN11", "ONCE222"],
        PlateFilter("1", sort="most"): ["OFTEN11"],
        PlateFilter("*", sort="most", confirmed_only=False): ["OFTEN11", "ONCE222", "JUNK333"],
        PlateFilter(unsure_only=True): ["JUNK333"],
        PlateFilter(camera="rear"): ["ONCE222"],
        PlateFilter(camera="front"): ["OFTEN11"],
        PlateFilter(kind="event"): ["ONCE222"],
        PlateFilter(least=0.9): ["OFTEN11"],
        PlateFilter(times=2): ["OFTEN11"],
        PlateFilter(times=2, confirmed_only=False): ["OFTEN11", "JUNK333"],
        PlateFilter(times=3, until=NOON + timedelta(days=15)): [],
        PlateFilter(trip=77): [],
        PlateFilter("???????"): ["OFTEN11", "ONCE222"],
        PlateFilter("OFTEN1I", near=True, sort="most"): ["OFTEN11"],
        PlateFilter("OFTEN1I", near=True, camera="rear"): [],
        PlateFilter("O?TEN1I", near=True): ["OFTEN11"],
    }
    for wanted, expected in asked.items():
        assert found(any_engine, wanted) == expected, wanted
        with reading(any_engine) as session:
            rows = session.scalars(select(Plate.text).join(Plate.sightings).where(*search.meeting(session, wanted)))
            assert set(rows) == set(expected), wanted
            assert search.plates(session, wanted, skip=1) == search.plates(session, wanted)[1:]


@pytest.mark.usefixtures("either_way")
def test_tags_and_what_a_person_has_looked_at_narrow_it_down(any_engine: Engine) -> None:
    with writing(any_engine) as session:
        for number, text in enumerate(("CLIP111", "PLATE22", "NEW3333")):
            video = add_video(session, number, NOON - timedelta(days=number))
            add_sighting(session, video, text, best_s=2.0)
            if text == "PLATE22":
                add_sighting(session, video, "OTHER44", best_s=8.0)
        tags = {"CLIP111": ['Van "red"', "été 100%"], "NEW3333": ["van", "VÉLO"]}
        for text, told in tags.items():
            notes.write(session, text, Note(tags=told), "ana", NOON)
        reviews.mark_clips(session, 7, NOON, Video.video_id == f"{0:016x}")
        reviews.mark(session, 7, [Mark(f"{1:016x}", "plate", 2.5)], NOON)
    catch_up(any_engine)
    asked = {
        PlateFilter(tag="van"): ["NEW3333"],
        PlateFilter(tag="Van"): ["NEW3333"],
        PlateFilter(tag='van "RED"'): ["CLIP111"],
        PlateFilter(tag="Été 100%"): ["CLIP111"],
        PlateFilter(tag="vélo"): ["NEW3333"],
        PlateFilter(tag="%"): [],
        PlateFilter("3", tag="van", sort="most"): ["NEW3333"],
        PlateFilter("1", tag="van"): [],
        PlateFilter(reviewed=True, reviewer=7): ["CLIP111", "PLATE22"],
        PlateFilter(reviewed=False, reviewer=7): ["OTHER44", "NEW3333"],
        PlateFilter("33", reviewed=False, reviewer=7, sort="first"): ["NEW3333"],
        PlateFilter("NEW333", near=True, reviewed=True, reviewer=7): [],
        PlateFilter(reviewed=True, reviewer=8): [],
        PlateFilter(tag="van", reviewed=True, reviewer=7): [],
    }
    for wanted, expected in asked.items():
        assert found(any_engine, wanted) == expected, wanted
        with reading(any_engine) as session:
            rows = session.scalars(select(Plate.text).join(Plate.sightings).where(*search.meeting(session, wanted)))
            assert set(rows) == set(expected), wanted


def test_what_was_merged_into_a_plate_finds_it_and_says_so(filled: Engine) -> None:
    def asked(wanted: PlateFilter) -> list[tuple[str, tuple[str, ...]]]:
        with reading(filled) as session:
            cards = search.plates(session, wanted)
            for limit, skip in product((1, 2, 3), range(3)):
                assert search.plates(session, wanted, limit=limit, skip=skip) == cards[skip : skip + limit]
            rows = session.scalars(select(Plate.text).join(Plate.sightings).where(*search.meeting(session, wanted)))
            assert set(rows) == {card.text for card in cards}
        return [(card.text, card.merged) for card in cards]

    with writing(filled) as session:
        for text, into in (("LTZ3CGK", "DX17ZWH"), ("DX17ZWH", "BR07AAC"), ("LT23C6K", "LT23CGK")):
            merges.merge(session, text, into, "ana", NOON)
    assert asked(PlateFilter("ltz3-cgk")) == [("BR07AAC", ("LTZ3CGK",))]
    assert asked(PlateFilter("LTZ3CGK", near=True)) == [("BR07AAC", ("LTZ3CGK",)), ("LT23CGK", ())]
    assert asked(PlateFilter("*3C?K")) == [("BR07AAC", ("LTZ3CGK",)), ("LT23CGK", ())]
    assert asked(PlateFilter("17Z")) == [("BR07AAC", ("DX17ZWH",))]
    assert asked(PlateFilter("17Z", region=Area(0, 0, 1, 1))) == []
    with writing(filled) as session:
        merges.split(session, "LTZ3CGK")
    assert asked(PlateFilter("LTZ3CGK")) == [("LTZ3CGK", ())]


PLATE = st.text("AB8O0I17", min_size=4, max_size=8)


@st.composite
def misread(draw: st.DrawFn) -> tuple[str, str]:
    """A plate, and the same with confused characters and one character missing, added, wrong or swapped."""
    plate = draw(PLATE)
    confused = {one: group for group in ("0ODQ", "1I", "8B") for one in group}
    read = "".join(draw(st.sampled_from(confused.get(one, one))) for one in plate)
    at = draw(st.integers(0, len(read) - 1))
    other = draw(st.sampled_from("XYZ"))
    return plate, draw(
        st.sampled_from(
            [
                read,
                read[:at] + read[at + 1 :],
                read[:at] + other + read[at:],
                read[:at] + other + read[at + 1 :],
                read[:at] + read[at + 1 : at + 2] + read[at : at + 1] + read[at + 2 :],
            ]
        )
    )


@given(misread())
def test_every_single_misreading_shares_a_key_and_has_a_cost(pair: tuple[str, str]) -> None:
    plate, read = pair
    if len(read) >= 4:
        assert near_keys(plate) & near_keys(read)
        assert misread_cost(read, plate) is not None


def edits(a: str, b: str) -> Iterator[bool]:
    """Every way in which one edit of ``a`` gives ``b``, the slow and plain way."""
    for at in range(len(a) + 1):
        yield a[:at] + a[at + 1 :] == b
        yield a[:at] + a[at + 1 : at + 2] + a[at : at + 1] + a[at + 2 :] == b
        for character in set(b):
            yield a[:at] + character + a[at:] == b or a[:at] + character + a[at + 1 :] == b


@given(PLATE, PLATE)
def test_the_cost_is_that_of_the_plain_definition(wanted: str, text: str) -> None:
    a, b = canonical(wanted), canonical(text)
    assert (misread_cost(wanted, text) is not None) == (a in b or any(edits(a, b)))


@pytest.mark.parametrize("wanted", [PlateFilter(), PlateFilter(unsure_only=True), PlateFilter(confirmed_only=False)])
def test_a_tall_region_is_met_by_the_index_of_places(sqlite_engine: Engine, wanted: PlateFilter) -> None:
    """SQLite made an index of its own over all sightings, at each question: seconds at a hundred thousand."""
    query = in_place(replace(wanted, region=Area(51.0, 3.0, 52.5, 4.0)))
    sentence = str(query.compile(sqlite_engine, compile_kwargs={"literal_binds": True}))
    with reading(sqlite_engine) as session:
        steps = [str(step) for *_, step in session.execute(sql(f"EXPLAIN QUERY PLAN {sentence}"))]
    assert any("sighting_in_place" in step for step in steps) and not any("AUTOMATIC" in step for step in steps), steps
