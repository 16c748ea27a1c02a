"""The rules themselves: what keeps comes before what lets go, and a run takes no more than it may."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dashcam.records import Held, HoldingKind
from dashcam.storage import layout
from dashcam.upkeep import retention
from dashcam.upkeep.retention import (
    KINDS,
    STORE_OF,
    UNCOUNTED,
    Circumstances,
    Rules,
    StoreState,
    Survey,
    due,
    judge,
    refusals,
    state_of,
    within,
)

NOW = datetime(2026, 11, 28, 3, 40, tzinfo=UTC)
GUIDE = Rules(raw_videos=90, preproc_data=30, heavy_output=7, lowres_months=None)

rules = st.builds(
    Rules,
    raw_videos=st.none() | st.integers(0, 4000),
    preproc_data=st.integers(0, 4000),
    heavy_output=st.integers(0, 4000),
    lowres_months=st.none() | st.integers(1, 200),
)


def a_thing(kind: HoldingKind = "raw", days: float = 100, **more: object) -> Held:
    known = {"kind": kind, "video_id": "0" * 16, "name": "a.MP4", "uris": ["indoor_nas:raw/a.MP4"], "bytes": 10}
    return Held.model_validate(known | {"since": NOW - timedelta(days=days)} | more)


things = st.builds(
    a_thing,
    kind=st.sampled_from(KINDS),
    days=st.floats(0, 5000),
    bytes=st.none() | st.integers(0, 10**10),
    video_id=st.text("0123456789abcdef", min_size=16, max_size=16),
    protected=st.none() | st.just("Protected by Ana"),
    locked=st.booleans(),
    pending=st.none() | st.just("HEAVY_PROCESS_VIDEO"),
    uris=st.just([]) | st.just(["indoor_nas:raw/a.MP4"]),
)


def state(store: str, total: int = 1000, **more: object) -> StoreState:
    return StoreState.model_validate({"store": store, "total": total, "free": 10} | more)


def both(total: int) -> list[StoreState]:
    return [state(layout.INDOOR, total), state(layout.SHED, total, folders=0)]


@given(st.lists(things), rules)
def test_what_is_due_is_what_every_rule_lets_go(held: list[Held], rules: Rules) -> None:
    found = {(item.kind, item.video_id, item.goes_at) for item in due(held, rules, NOW)}
    for one in held:
        keeps = rules.keeps(one.kind)
        marked = one.protected is not None or one.locked or one.pending is not None or not one.uris
        verdict = judge(one, rules)
        goes = not marked and keeps is not None and one.since + keeps <= NOW
        assert goes == verdict.is_due(NOW) == (state_of(verdict, NOW) == "due")
        assert verdict.why and verdict.rule
        if goes:
            assert (one.kind, one.video_id, verdict.goes_at) in found
    assert len(due(held, rules, NOW)) == sum(judge(one, rules).is_due(NOW) for one in held)


@given(st.lists(things, max_size=30), rules, st.floats(0.01, 1), st.integers(0, 10**11))
def test_a_run_takes_no_more_of_a_store_than_its_share(
    held: list[Held], rules: Rules, share: float, total: int
) -> None:
    all_due = due(held, rules, NOW)
    now, later = within(all_due, both(total), share)
    assert sorted(map(str, now + later)) == sorted(map(str, all_due))
    for store in (layout.INDOOR, layout.SHED):
        sizes = [UNCOUNTED if one.bytes is None else one.bytes for one in now if STORE_OF[one.kind] == store]
        assert sum(sizes) <= share * total


def test_what_is_more_than_the_share_waits() -> None:
    clips = due([a_thing(video_id=f"{number:016x}", bytes=60) for number in range(3)], GUIDE, NOW)
    now, later = within(clips, both(1000), 0.13)
    assert (len(now), len(later)) == (2, 1)


@given(things, rules, st.integers(1, 4000))
def test_keeping_for_longer_never_makes_anything_go_sooner(held: Held, rules: Rules, more: int) -> None:
    longer = rules.model_copy(
        update={name: value + more for name, value in rules.model_dump().items() if value is not None}
    )
    assert not (judge(held, longer).is_due(NOW) and not judge(held, rules).is_due(NOW))


def test_the_guides_days() -> None:
    assert [judge(a_thing(days=days), GUIDE).is_due(NOW) for days in (89.9, 90)] == [False, True]
    assert [judge(a_thing("preproc", days), GUIDE).is_due(NOW) for days in (29.9, 30)] == [False, True]
    assert [judge(a_thing("heavy_output", days), GUIDE).is_due(NOW) for days in (6.9, 7)] == [False, True]
    assert not judge(a_thing("lowres", 40_000), GUIDE).is_due(NOW)
    assert judge(a_thing("lowres", 366), GUIDE.model_copy(update={"lowres_months": 12})).is_due(NOW)
    assert not judge(a_thing(days=40_000), GUIDE.model_copy(update={"raw_videos": None})).is_due(NOW)


def test_each_rule_says_its_name_and_why() -> None:
    assert judge(a_thing(), GUIDE).rule == "storage_retention_days.raw_videos = 90"
    assert judge(a_thing(protected="Protected by Ana on 2026-06-28: the crash"), GUIDE).why.endswith("the crash")
    assert judge(a_thing(locked=True), GUIDE).rule == "locked in the camera"
    assert judge(a_thing(uris=[]), GUIDE).rule == "not ours"
    assert judge(a_thing(pending="HEAVY_PROCESS_VIDEO"), GUIDE).rule == "in work"


def seen(**changes: object) -> Circumstances:
    known: dict[str, object] = {"now": NOW, "unattended": True, "videos": 100, "losing": 1, "schema": ""}
    known |= {"newest_arrival": NOW - timedelta(hours=3), "newest_recording": ("a.MP4", NOW - timedelta(hours=4))}
    known |= {"newest_plan": NOW - timedelta(days=1), "announced": True}
    return Circumstances(**(known | changes))  # type: ignore[arg-type]


def survey(folders: int = 100, at: datetime = NOW, trouble: str | None = None) -> Survey:
    shed = state(layout.SHED, folders=folders, trouble=trouble)
    return Survey(at=at, stores=[state(layout.INDOOR), shed])


def why(circumstances: Circumstances | None = None, looked: Survey | None = None) -> str:
    return " ".join(refusals(circumstances or seen(), looked or survey(), 0.2))


def test_all_is_well_where_all_is_well() -> None:
    assert why() == ""


def test_a_store_that_is_not_there_is_a_refusal_in_its_own_words() -> None:
    assert why(looked=survey(trouble="Store shed_nas is not there.")) == "Store shed_nas is not there."


def test_a_database_with_fewer_videos_than_the_archive_is_the_wrong_one_and_rebuild_is_offered() -> None:
    assert "dashcam rebuild" in why(seen(videos=0, losing=0), survey(folders=1))
    assert "knows 100" in why(looked=survey(folders=101))
    assert why(looked=survey(folders=100)) == ""


def test_a_database_of_another_version_is_refused() -> None:
    assert "another version (0009 instead of 0010)" in why(seen(schema="0009 instead of 0010"))


def test_a_clock_before_what_has_been_recorded_came_in_or_was_planned_is_wrong() -> None:
    assert "a.MP4 was recorded on 2026-12-01" in why(
        seen(newest_recording=("a.MP4", datetime(2026, 12, 1, tzinfo=UTC)))
    )
    assert "A clip came in at" in why(seen(newest_arrival=NOW + timedelta(minutes=11)))
    assert "A plan was made at" in why(seen(newest_plan=NOW + timedelta(minutes=11)))
    assert why(seen(newest_arrival=NOW + timedelta(minutes=9), newest_plan=NOW + timedelta(minutes=9))) == ""


def test_two_clocks_that_differ_are_a_refusal() -> None:
    assert "set the clock that is wrong" in why(looked=survey(at=NOW - timedelta(minutes=11)))
    assert why(looked=survey(at=NOW + timedelta(minutes=9))) == ""


def test_by_itself_nothing_goes_that_was_not_announced_or_is_too_much_at_once() -> None:
    assert "No plan was made between" in why(seen(announced=False))
    assert "21 of 100 videos" in why(seen(losing=21))
    assert why(seen(losing=20)) == ""
    assert why(seen(announced=False, losing=100, unattended=False)) == "", "a person has seen it"


def test_a_month_is_a_twelfth_of_a_year() -> None:
    assert timedelta(days=365.25) == retention.MONTH * 12
