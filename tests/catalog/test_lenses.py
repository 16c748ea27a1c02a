"""What a person says of a lens counts: for what is seen from now on, and for all that was seen before."""

from functools import partial

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from dashcam.catalog import lenses, plate_facts
from dashcam.catalog.camera_rows import CameraLens
from dashcam.catalog.models import Plate, SightingRow, Video
from dashcam.catalog.places import estimate_again
from dashcam.config.model import Lens, PlaceSettings
from dashcam.database import reading, writing
from tests.catalog.car import SITE, Car, arrive, video_id
from tests.catalog.rows import NOON, add_sighting

SETTINGS = PlaceSettings(lenses={"rear": Lens(horizontal_fov_deg=120)})
AGAIN = partial(estimate_again, settings=SETTINGS)
NARROW = Lens(horizontal_fov_deg=60)


@pytest.fixture
def driven(any_engine: Engine) -> Engine:
    """A car is seen in each clip of both cameras."""
    car = Car()
    car.drive(NOON, 9)
    with writing(any_engine) as session:
        for facts in car.clips:
            arrive(session, facts)
        for facts in car.clips:
            see(session, session.get_one(Video, video_id(facts)))
    return any_engine


def see(session: Session, video: Video) -> None:
    add_sighting(session, video, "LT23CGK", 40.0, box=[900.0, 500.0, 1000.0, 521.0])
    AGAIN(session, video)


def metres(engine: Engine, camera: str) -> set[float]:
    """How far away the cars were, by the clips of one camera."""
    query = select(SightingRow.estimate).join(Video, Video.video_id == SightingRow.video_id)
    with reading(engine) as session:
        return {told["distance_m"] for told in session.scalars(query.where(Video.camera == camera)) if told}


def test_what_was_seen_before_goes_by_it_and_by_the_settings_once_it_is_taken_back(driven: Engine) -> None:
    plate_facts.catch_up(driven)
    front, rear = metres(driven, "front"), metres(driven, "rear")
    assert len(front) == len(rear) == 1
    lenses.note(driven, "front", NARROW)
    lenses.carry_out(driven, "front", AGAIN)
    assert min(metres(driven, "front")) > 1.5 * max(front) and metres(driven, "rear") == rear
    with reading(driven) as session:
        assert lenses.owed(session) == []
        assert [lenses.of_camera(session, name, SETTINGS).said for name in ("front", "rear")] == [True, False]
        assert session.scalars(select(Plate.times)).all() == [6], "what is kept of a plate stays"
    lenses.note(driven, "front", None)
    lenses.carry_out(driven, "front", AGAIN)
    assert metres(driven, "front") == front


def test_what_is_seen_from_now_on_goes_by_it(driven: Engine) -> None:
    lenses.note(driven, "front", NARROW)
    car = Car(counter=500)
    car.drive(NOON.replace(hour=18), 3)
    with writing(driven) as session:
        arrive(session, car.clips[0])
        see(session, session.get_one(Video, video_id(car.clips[0])))
    assert len(metres(driven, "front")) == 2


def test_one_that_is_cut_short_is_owed_and_finished_by_doing_it_again(
    driven: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lenses, "SHORT_S", 0.0)
    lenses.note(driven, "front", NARROW)
    left = iter([True, False])
    lenses.carry_out(driven, "front", AGAIN, lambda: next(left))
    with reading(driven) as session:
        assert lenses.owed(session) == ["front"]
    lenses.carry_out(driven, "front", AGAIN)
    assert len(metres(driven, "front")) == 1
    with reading(driven) as session:
        assert lenses.owed(session) == []


def test_what_is_said_meanwhile_is_owed_still(driven: Engine) -> None:
    lenses.note(driven, "front", NARROW)

    def say_again(session: Session, video: Video) -> None:
        session.merge(CameraLens(camera="front", horizontal_fov_deg=90.0, projection="fisheye", decided_at=NOON))
        AGAIN(session, video)

    lenses.carry_out(driven, "front", say_again)
    with reading(driven) as session:
        assert session.get_one(CameraLens, "front").applied is False


def test_what_a_person_says_counts_before_the_settings_and_those_of_others_stay(driven: Engine) -> None:
    lenses.note(driven, "rear", Lens(horizontal_fov_deg=150, projection="fisheye"))
    with reading(driven) as session:
        known = lenses.known(session, SETTINGS)
    assert known.lens("rear") == Lens(horizontal_fov_deg=150, projection="fisheye")
    assert known.lens("front") == Lens() and known.plate_width_m == SETTINGS.plate_width_m
    assert SITE.place.lenses == {}
