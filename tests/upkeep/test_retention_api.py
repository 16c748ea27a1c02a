"""Over REST: every item has its answer, filters narrow down, a rule is tried before it is written down."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, update

from dashcam.catalog.models import SourceFile, Video
from dashcam.database import reading, writing
from dashcam.tasks.client import ServerRefused
from dashcam.tasks.model import TaskType
from dashcam.upkeep import planning
from dashcam.upkeep.retention import Rules, StoreState, Survey
from tests.catalog.rows import add_task, add_video
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


def test_what_is_kept_is_the_same_however_it_is_asked_for(house: House) -> None:
    """Of 250,000 only what a mark keeps is looked at: each of the reasons has to be among them."""
    house.clip(1, 100)
    house.clip(2, 100, locked=True)
    marked, busy, elsewhere = house.clip(3, 100), house.clip(4, 100), house.clip(5, 100)
    with writing(house.engine) as session:
        add_task(session, busy, TaskType.HEAVY_PROCESS_VIDEO, revision=2)
        session.execute(delete(SourceFile).where(SourceFile.video_id == elsewhere.video_id))
        session.execute(
            update(Video).where(Video.video_id == elsewhere.video_id).values(source="local:home/ana/clip.MP4")
        )
    with house.server() as server:
        server.call("POST", f"/videos/{marked.video_id}/protect", json={"reason": "the crash"})
        every = server.call("GET", "/retention", params={"limit": 1000})["items"]
        kept = server.call("GET", "/retention", params={"limit": 1000, "state": "kept"})["items"]
    by_rule = {(one["rule"], one["kind"]) for one in kept}
    assert {rule for rule, _ in by_rule} >= {"protected", "locked in the camera", "in work", "not ours"}
    key = lambda one: (one["kind"], one["video_id"])  # noqa: E731
    assert sorted(kept, key=key) == sorted((one for one in every if one["state"] == "kept"), key=key)


def test_a_plan_says_that_a_store_is_nearly_full_and_that_nothing_goes_sooner_for_it(house: House) -> None:
    full = StoreState(store="shed_nas", total=1000, free=49)
    roomy, away = StoreState(store="indoor_nas", total=1000, free=50), StoreState(store="cold", trouble="It is away.")
    survey = Survey(at=house.now, stores=[full, roomy, away])
    with reading(house.engine) as session:
        plan = planning.draft(session, site_with(enabled=False), survey, house.now, unattended=True)
    [said] = plan.nearly_full
    assert (
        said == "Store shed_nas has no more than its reserve free; nothing goes sooner for it, taking in stops first."
    )


def test_what_is_kept_is_found_without_looking_at_all_that_is_held(house: House) -> None:
    for number in range(1, 30):
        house.clip(number, 100, locked=number == 7)
    with reading(house.engine) as session:
        rules = Rules.of(site_with(enabled=False))
        found = planning.upcoming(session, rules, "raw", 1000, only_kept=True)
    assert len(found) == 1 and found[0][1].rule == "locked in the camera"
