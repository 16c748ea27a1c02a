"""What the search goes by is what the plates are, and what nothing refers to goes."""

from sqlalchemy import Engine, delete, insert, select, text, update

from dashcam.catalog import search
from dashcam.catalog.models import Plate, PlateNear, PlateSuffix, SightingRow, TripRow, Video
from dashcam.catalog.plate_filter import PlateFilter
from dashcam.database import reading, writing
from dashcam.upkeep.maintenance import maintain
from tests.catalog.rows import NOON, add_sighting, add_video


def filled(engine: Engine) -> None:
    with writing(engine) as session:
        video = add_video(session, 1)
        for number, said in enumerate(("LT23CGK", "DX17ZWH", "B577PRO")):
            add_sighting(session, video, said, float(number))


def found(engine: Engine, fragment: str) -> list[str]:
    with reading(engine) as session:
        return sorted(card.text for card in search.plates(session, PlateFilter(text=fragment)))


def test_a_sound_catalogue_is_left_alone(any_engine: Engine) -> None:
    filled(any_engine)
    done = maintain(any_engine)
    assert (done.plates, done.mended, done.forgotten) == (3, 0, 0)


def test_a_plate_that_the_search_has_lost_is_found_again(any_engine: Engine) -> None:
    filled(any_engine)
    with writing(any_engine) as session:
        first, second = session.scalars(select(Plate.plate_id).order_by(Plate.plate_id).limit(2))
        session.execute(delete(PlateSuffix).where(PlateSuffix.plate_id == first))
        session.execute(insert(PlateSuffix), [{"suffix": "XXX", "plate_id": second, "text": "XXX"}])
        session.execute(delete(PlateNear).where(PlateNear.plate_id == second))
    assert found(any_engine, "23CGK") == []
    assert maintain(any_engine).mended == 2
    assert found(any_engine, "23CGK") == ["LT23CGK"] and found(any_engine, "XXX") == []
    assert maintain(any_engine).mended == 0


def test_what_nothing_refers_to_goes(any_engine: Engine) -> None:
    filled(any_engine)
    trip = {"start_utc": NOON, "end_utc": NOON, "clips": 1, "parked": 0, "cameras": [], "distance_m": 0.0}
    trip |= {"moving_s": 0.0, "max_mps": 0.0, "leads": [], "stops": [], "events": []}
    with writing(any_engine) as session:
        session.execute(insert(TripRow), [{"trip_id": 7, **trip}, {"trip_id": 8, **trip}])
        session.execute(update(Video).values(trip_id=8))
        lost = session.scalars(select(Plate.plate_id).where(Plate.text == "B577PRO")).one()
        session.execute(delete(SightingRow).where(SightingRow.plate_id == lost))
    assert maintain(any_engine).forgotten == 2
    with reading(any_engine) as session:
        assert session.scalars(select(TripRow.trip_id)).all() == [8]
        assert sorted(session.scalars(select(Plate.text))) == ["DX17ZWH", "LT23CGK"]
        assert session.scalars(select(PlateSuffix.plate_id).where(PlateSuffix.plate_id == lost)).all() == []


def test_the_planner_is_told_what_there_is(sqlite_engine: Engine) -> None:
    filled(sqlite_engine)
    maintain(sqlite_engine)
    with sqlite_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM sqlite_stat1")).scalar()
