"""Over REST: every item has its answer, filters narrow down, a rule is tried before it is written down."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from dashcam.database import writing
from dashcam.tasks.client import ServerRefused
from tests.catalog.rows import add_video
from tests.upkeep.household import House, site_with


@pytest.fixture
def house(tmp_path: Path, any_engine: Engine) -> House:
    return House(tmp_path / "stores", any_engine, site_with(enabled=False))


def test_everything_that_is_held_has_its_rule_and_date(house: House) -> None:
    old, young, locked = house.clip(1, 100), house.clip(2, 1), house.clip(3, 200, locked=True)
    with house.server() as server:
        page = server.call("GET", "/retention")
        assert page["enabled"] is False and page["rules"]["raw_videos"] == 90
        items = page["items"]
        assert len(items) == 12 and all(one["why"] and one["rule"] for one in items)
        dates = [one["goes_at"] for one in items if one["goes_at"]]
        assert dates == sorted(dates) and all(one["goes_at"] is None for one in items[len(dates) :])
        assert {one["video_id"] for one in items if one["state"] == "due"} == {old.video_id}
        assert {one["video_id"] for one in items if one["state"] == "kept"} == {locked.video_id}
        assert items[0]["kind"] == "raw" or items[0]["goes_at"] <= items[1]["goes_at"]

        raw = server.call("GET", "/retention", params={"kind": "raw", "state": "later"})["items"]
        assert [one["video_id"] for one in raw] == [young.video_id]
        paged = [
            server.call("GET", "/retention", params={"limit": 5, "offset": start})["items"] for start in (0, 5, 10)
        ]
        assert [one for some in paged for one in some] == items
        due = server.call("GET", "/retention", params={"state": "due"})["items"]
        assert server.call("GET", "/retention", params={"until": house.now.isoformat()})["items"][:3] == due


def test_a_rule_is_tried_before_it_is_written_down(house: House) -> None:
    house.clip(1, 100)
    house.clip(2, 50)
    with house.server() as server:
        tried = server.call("POST", "/retention/simulate", json={"raw_videos": 40, "lowres_months": 3})
        assert tried["now"]["by_kind"] == {"raw": 1, "preproc": 2, "heavy_output": 2, "lowres": 0}
        assert tried["then"]["by_kind"] == {"raw": 2, "preproc": 2, "heavy_output": 2, "lowres": 1}
        for_ever = server.call("POST", "/retention/simulate", json={"raw_videos": None})
        assert for_ever["then"]["by_kind"]["raw"] == 0
        assert server.call("GET", "/retention")["rules"]["raw_videos"] == 90
        with pytest.raises(ServerRefused):
            server.call("POST", "/retention/simulate", json={"preproc_data": None})


def test_a_protected_clip_says_who_wants_it_kept_and_why_until_the_mark_is_taken_off(house: House) -> None:
    video = house.clip(1, 100)
    path = f"/videos/{video.video_id}"
    with house.server() as server:
        server.call("POST", f"{path}/protect", json={"reason": "the crash", "who": "Ana"})
        server.call("POST", f"{path}/protect", json={"reason": "the crash at the bridge", "who": "Ana"})
        answers = server.call("GET", f"{path}/retention")
        assert {one["rule"] for one in answers if one["kind"] != "crops"} == {"protected"}
        assert answers[0]["why"].endswith("the crash at the bridge") and "Ana" in answers[0]["why"]
        assert house.announce().items == []
        assert server.call("DELETE", f"{path}/protect") == {"changed": True}
        assert server.call("DELETE", f"{path}/protect") == {"changed": False}
        assert len(house.announce().items) == 3
        for method, body in (("POST", {"reason": "x"}), ("DELETE", None)):
            with pytest.raises(ServerRefused, match="There is no video ffff"):
                server.call(method, "/videos/ffff/protect", json=body)
        with pytest.raises(ServerRefused):
            server.call("POST", f"{path}/protect", json={"reason": ""})


@pytest.mark.parametrize(
    ("outcome", "rule"), [(None, "in work"), ("rejected", "no archive"), ("vanished", "no archive")]
)
def test_a_clip_that_was_not_proven_says_why_it_is_kept(house: House, outcome: str | None, rule: str) -> None:
    with writing(house.engine) as session:
        video = add_video(session, 7, outcome=outcome)
    with house.server() as server:
        answers = server.call("GET", f"/videos/{video.video_id}/retention")
        assert {one["rule"] for one in answers[:-1]} == {rule}
        assert all(one["kept"] and one["why"] and one["places"] for one in answers)
        with pytest.raises(ServerRefused, match="There is no video ffff"):
            server.call("GET", "/videos/ffff/retention")


def test_a_plan_can_be_looked_at(house: House) -> None:
    house.clip(1, 100)
    plan = house.announce()
    with house.server() as server:
        shown = server.call("GET", f"/retention/plans/{plan.plan_id}")
        assert len(shown["plan"]["items"]) == 3 and shown["began_at"] is None
        assert server.call("GET", "/retention")["plan"]["plan"]["plan_id"] == plan.plan_id
        with pytest.raises(ServerRefused, match="There is no plan 99"):
            server.call("GET", "/retention/plans/99")
