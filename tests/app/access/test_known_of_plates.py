"""What a person knows of a plate, said on its page: name, note, tags, marks, what was merged; and taken back there."""

from datetime import timedelta
from typing import Any

import pytest
from nicegui import Client
from nicegui.element import Element
from sqlalchemy import select
from starlette.testclient import TestClient

from dashcam.access.models import AuditEntry
from dashcam.access.roles import Role
from dashcam.catalog import merges, notes, plates
from dashcam.catalog.models import TripRow, Video
from dashcam.catalog.notes import Note
from dashcam.config import Site
from dashcam.database import reading, writing
from tests.app.access.conftest import Home, act, opened
from tests.catalog.rows import NOON, add_sighting, add_video

PLATE = "/plates/UCRM469"


@pytest.fixture
def ana(home: Home) -> TestClient:
    with writing(home.here.engine) as session:
        clip = add_video(session, 1)
        for at, text in enumerate(("UCRM469", "UCFM469", "TAX1", "#k3vqab2dabcdab7d")):
            add_sighting(session, clip, text, 1.0 + at)
    home.add("ana", Role.MEMBER)
    return home.logged_in("ana")


def note_of(home: Home, text: str = "UCRM469") -> Note:
    with reading(home.here.engine) as session:
        return notes.of(session, text)


def named(page: Client, name: str) -> Element:
    """A button by what it says, or what it is said to be."""
    for one in list(page.elements.values()):
        said = [one._props.get("aria-label"), getattr(one, "text", None)]
        said += [getattr(part, "text", None) for part in one.default_slot.children]
        if one.tag == "button" and name in said:
            return one
    raise AssertionError(f"there is no button {name}")


def form_of(page: Client, field: str) -> Element:
    (one,) = [one for one in list(page.elements.values()) if one._props.get("name") == field and one.tag != "meta"]
    while one.tag != "form":
        assert one.parent_slot is not None
        one = one.parent_slot.parent
    return one


def texts(page: Client) -> set[str]:
    return {str(one.text) for one in list(page.elements.values()) if hasattr(one, "text")}


def test_a_name_tags_and_a_note_are_written_and_undone(home: Home, ana: TestClient) -> None:
    page = opened(ana, PLATE)
    with writing(home.here.engine) as session:  # somebody else, meanwhile
        notes.write(session, "UCRM469", Note(watched=True, name="Van"), "ben", NOON)
    said = {"name": " The neighbour ", "tags": "van, Van , red  one,", "note": "<b>two</b>\nlines"}
    act(ana, page, form_of(page, "tags"), said, lambda: "Saved." in texts(page))
    expected: dict[str, Any] = {"name": "The neighbour", "tags": ["red one", "van"], "note": said["note"]}
    assert note_of(home) == Note(**expected, watched=True), "the mark of the other one stays"
    assert {"The neighbour", "red one", "van", said["note"]} <= texts(page)
    act(ana, page, named(page, "Undo"), {}, lambda: note_of(home).name == "Van")
    assert note_of(home) == Note(name="Van", watched=True)
    with reading(home.here.engine) as session:
        noted = [(one.who, one.what) for one in session.scalars(select(AuditEntry)) if one.kind == "correction"]
    assert noted == [("ana", "wrote down what is known of a plate: UCRM469")] * 2


def test_too_much_is_refused_in_words(home: Home, ana: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(ana, PLATE)
    tags = ",".join(f"tag{number}" for number in range(notes.MOST_TAGS + 1))
    told: list[str] = []
    monkeypatch.setattr("app.pages.plate_known.ui.notify", lambda text, **_: told.append(text))
    act(ana, page, form_of(page, "tags"), {"name": "x", "tags": tags}, lambda: bool(told))
    assert "12 tags" in told[0] and note_of(home) == Note()


@pytest.mark.parametrize(("label", "field"), [("Watched", "watched"), ("Own car", "own"), ("Ignored", "ignored")])
def test_a_mark_is_set_and_taken_off_by_one_button(home: Home, ana: TestClient, label: str, field: str) -> None:
    page = opened(ana, PLATE)
    button = named(page, label)
    assert button._props["aria-pressed"] == "false"
    act(ana, page, button, {}, lambda: button._props["aria-pressed"] == "true")
    assert note_of(home) == Note(**{field: True})
    assert named(opened(ana, PLATE), label)._props["aria-pressed"] == "true"
    act(ana, page, button, {}, lambda: button._props["aria-pressed"] == "false")
    assert note_of(home) == Note()


def test_who_may_watch_is_shown_what_a_watch_would_take_for_it(home: Home, ana: TestClient) -> None:
    said = texts(opened(ana, PLATE))
    assert "May be misreads of it (1)" in said and "UCFM469" in said and "TAX1" not in said
    said = texts(opened(ana, "/plates/TAX1"))
    assert "No plate that was seen is likely to be a misread of it." in said
    assert "The settings watch it (privacy.watched_plates)." not in said


def test_what_the_settings_watch_is_said_to_be(home: Home, ana: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    watching = {"privacy": {"watched_plates": ["tax-1"]}}
    monkeypatch.setattr(home.here, "site", Site.model_validate(home.here.site.model_dump(by_alias=True) | watching))
    assert "The settings watch it (privacy.watched_plates)." in texts(opened(ana, "/plates/TAX1"))


def test_what_was_merged_into_it_is_split_off_there(home: Home, ana: TestClient) -> None:
    with writing(home.here.engine) as session:
        merges.merge(session, "TAX1", "UCRM469", "ben", NOON)
    page = opened(ana, PLATE)

    def apart() -> bool:
        with reading(home.here.engine) as session:
            return plates.root(session, "TAX1") == "TAX1"

    act(ana, page, named(page, "Split TAX1 off"), {}, apart)


def test_of_a_hashed_plate_a_person_may_know_something_too(home: Home, ana: TestClient) -> None:
    page = opened(ana, "/plates/%23k3vqab2dabcdab7d")
    act(ana, page, named(page, "Own car"), {}, lambda: note_of(home, "#k3vqab2dabcdab7d").own)
    assert not {"Watched", "May be misreads of it (0)"} & texts(page), "its text is not known"


def test_on_how_many_trips_it_was_met_follows_the_trips(home: Home, ana: TestClient) -> None:
    def trip(number: int, clip: Video) -> None:
        known = {"cameras": [], "leads": [], "stops": [], "events": [], "clips": 1, "parked": 0}
        known |= {"distance_m": 0.0, "moving_s": 0.0, "max_mps": 0.0}
        session.add(TripRow(trip_id=number, start_utc=NOON, end_utc=NOON + timedelta(minutes=5), **known))
        session.flush()
        clip.trip_id = number

    with writing(home.here.engine) as session:
        other = add_video(session, 2, NOON + timedelta(minutes=1))
        add_sighting(session, other, "UCRM469", 1.0)
        trip(1, session.get_one(Video, f"{1:016x}"))
        other.trip_id = 1
    assert "Seen on 1 trip on 1 day." in texts(opened(ana, PLATE))
    with writing(home.here.engine) as session:
        trip(2, session.get_one(Video, f"{2:016x}"))
    assert "Seen on 2 trips on 1 day." in texts(opened(ana, PLATE)), "it was split"
