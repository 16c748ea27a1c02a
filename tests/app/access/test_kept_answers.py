"""What is kept of the maps is nobody else's, and gone with the change that makes it untrue."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete, event
from sqlalchemy.orm import Session

from app import kept
from app.answers import of_the_catalogue
from dashcam.access.roles import Role
from dashcam.catalog import routes, search
from dashcam.catalog.models import SightingRow, Video
from dashcam.catalog.plate_filter import PlateFilter
from dashcam.catalog.plates import PlateCard
from dashcam.config import Site
from dashcam.database import writing
from tests.app.access.conftest import Home
from tests.app.access.test_home_zone import HERE, drive, program
from tests.catalog.rows import add_task

AROUND = "box=52,4,53,5&zoom=14"
__all__ = ["drive"]


def maps(drive: tuple[str, int]) -> list[str]:
    return [
        f"/map/routes?{AROUND}", f"/map/routes?{AROUND}&once=true", f"/map/heat?{AROUND}", f"/map/clusters?{AROUND}",
        "/map/trips?box=52,4,53,5", "/map/sightings?box=52,4,53,5", "/maps/everything", f"/maps/videos/{drive[0]}",
        f"/maps/trips/{drive[1]}", "/maps/plates/LT2AWAY",
    ]  # fmt: skip


def test_a_browser_that_has_an_answer_is_told_so_until_the_catalogue_is_another(
    home: Home, drive: tuple[str, int]
) -> None:
    routes.draw(home.here.engine)
    home.add("ben", Role.MEMBER)
    ben = home.logged_in("ben")
    marks = {path: ben.get(path).raise_for_status().headers["ETag"] for path in maps(drive)}
    for path, mark in marks.items():
        again = ben.get(path, headers={"If-None-Match": mark})
        assert (again.status_code, again.content) == (304, b""), path
        assert again.headers["Cache-Control"] == "private, no-cache"
    with writing(home.here.engine) as session:
        session.execute(delete(SightingRow))
    for path in ("/map/clusters", "/map/sightings", "/maps/videos", "/maps/trips", "/maps/plates"):
        (path,) = (one for one in marks if one.startswith(path))
        now = ben.get(path, headers={"If-None-Match": marks[path]})
        assert now.status_code == 404 or (now.status_code == 200 and "LT2AWAY" not in now.text), path


def test_where_the_map_opens_tells_a_viewer_no_more_than_a_tenth_of_a_degree(
    home: Home, drive: tuple[str, int]
) -> None:
    """How far a trip reaches would be a way to find home."""
    routes.draw(home.here.engine)
    for name, role in (("ana", Role.MEMBER), ("vic", Role.VIEWER)):
        home.add(name, role)
        told = home.logged_in(name).get("/maps/everything").raise_for_status().text
        sides = [float(side) for side in re.findall(r"-?\d+\.\d+", told.partition("fitBounds(")[2])[:4]]
        assert len(sides) == 4
        assert all(round(10 * side, 6).is_integer() for side in sides) is (role is Role.VIEWER), (name, sides)


def test_where_the_map_opens_is_by_the_trips_that_who_asks_may_see_of_these_days(
    home: Home, drive: tuple[str, int]
) -> None:
    routes.draw(home.here.engine)
    home.add("ana", Role.MEMBER)
    home.add("eve", Role.MEMBER, datetime(2026, 7, 1, tzinfo=UTC))
    ana, eve = home.logged_in("ana"), home.logged_in("eve")
    assert "fitBounds(" in ana.get("/maps/everything").raise_for_status().text
    assert "fitBounds(" not in eve.get("/maps/everything").raise_for_status().text
    assert "fitBounds(" not in ana.get("/maps/everything?first=2030-01-01").raise_for_status().text


def test_the_list_of_plates_is_looked_through_once_for_each_who_may_see_as_much_until_the_catalogue_is_another(
    home: Home, drive: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    plates, looked = search.plates, list[str]()

    def counted(session: Session, wanted: PlateFilter, **rest: Any) -> list[PlateCard]:
        looked.append(wanted.text)
        return plates(session, wanted, **rest)

    monkeypatch.setattr(search, "plates", counted)
    home.add("ana", Role.MEMBER)
    home.add("eve", Role.MEMBER, datetime(2026, 7, 1, tzinfo=UTC))
    ana, eve = home.logged_in("ana"), home.logged_in("eve")
    assert all("LT2AWAY" in ana.get("/found/plates").raise_for_status().text for _ in range(3))
    assert looked == [""]
    assert "LT2AWAY" not in eve.get("/found/plates").raise_for_status().text
    assert "LT2AWAY" not in ana.get("/found/plates?first=2030-01-01").raise_for_status().text
    assert "LT2AWAY" not in ana.get("/found/plates?skip=60").raise_for_status().text
    with writing(home.here.engine) as session:
        session.execute(delete(SightingRow))
    assert "LT2AWAY" not in ana.get("/found/plates").raise_for_status().text


def test_what_is_kept_reads_no_table_that_it_is_not_said_to_read(
    home: Home, drive: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    routes.draw(home.here.engine)
    home.add("ben", Role.MEMBER)
    ben, of, said, read = home.logged_in("ben"), home.here.answers.of, list[str](), set[str]()

    def noted(key: Any, tables: Sequence[str], ask: Callable[[], Any]) -> Any:
        said[:] = tables
        read.clear()
        return of(key, tables, ask)

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        read.update(name for name in of_the_catalogue() if re.search(rf"\b(FROM|JOIN) {name}\b", statement))

    monkeypatch.setattr(home.here.answers, "of", noted)
    event.listen(home.here.engine, "before_cursor_execute", note)
    for path in [
        *maps(drive),
        *(f"{path}&plate=2AW" for path in maps(drive) if "?" in path),
        "/maps/everything?plate=2",
    ]:
        said.clear()
        assert ben.get(path).status_code == 200, path
        assert said and read and read <= set(said), path


def test_the_same_is_made_once_and_what_stages_report_or_people_say_does_not_matter(
    home: Home, drive: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    member, made, marked = program(home, Role.MEMBER), [], kept.marked
    monkeypatch.setattr(kept, "marked", lambda make: made.append(make) or marked(make))
    asked = f"/map/clusters?{AROUND}"
    first = member.get(asked).raise_for_status()
    with writing(home.here.engine) as session:
        add_task(session, session.get_one(Video, drive[0]))
    member.put("/plates/LT2AWAY/note", json={"name": "the neighbour"}).raise_for_status()
    assert member.get(asked).json() == first.json() and len(made) == 1
    with writing(home.here.engine) as session:
        session.get_one(Video, drive[0]).name = "another"
    assert member.get(asked).json() == first.json() and len(made) == 2


def test_what_one_is_shown_is_not_given_to_another(
    home: Home, drive: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    routes.draw(home.here.engine)
    asked = [f"/map/routes?{AROUND}", f"/map/routes?{AROUND}&once=true", f"/maps/trips/{drive[1]}"]
    home.add("ana", Role.MEMBER)
    home.add("vic", Role.VIEWER)
    home.add("eve", Role.MEMBER, datetime(2026, 7, 1, tzinfo=UTC))
    ana, vic, eve = (home.logged_in(name) for name in ("ana", "vic", "eve"))
    for path, for_eve in zip(asked, (200, 200, 404), strict=True):
        whole = ana.get(path).raise_for_status()
        mark = {"If-None-Match": whole.headers["ETag"]}
        cut = vic.get(path, headers=mark)
        assert cut.status_code == 200 and cut.text != whole.text, path
        later = eve.get(path, headers=mark)
        assert later.status_code == for_eve and (for_eve == 404 or later.json()["routes"] == []), path
    zone = {"lat": HERE[0], "lon": HERE[1], "radius_m": 20_000}
    wider = Site.model_validate({"server": {"host": "0.0.0.0"}, "privacy": {"home_zones": [zone]}})
    monkeypatch.setattr(home.here, "site", wider)
    assert vic.get(asked[0]).json()["routes"] == [[drive[1], []]] and vic.get(asked[2]).status_code == 404


def test_who_does_not_take_what_is_packed_is_given_it_as_it_is(
    home: Home, drive: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "PACKED", 0)
    routes.draw(home.here.engine)
    member = program(home, Role.MEMBER)
    asked = f"/map/routes?{AROUND}"
    packed = member.get(asked, headers={"Accept-Encoding": "gzip"})
    plain = member.get(asked, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json() and plain.json()["total"] == 1
