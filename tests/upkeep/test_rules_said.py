"""What an admin says of retention counts at once, before the settings, and is not lost with the database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete

from dashcam.catalog import site_words
from dashcam.catalog.site_rows import RetentionWord
from dashcam.database import reading, writing
from dashcam.tasks.client import ServerRefused
from dashcam.upkeep import decisions, removing
from dashcam.upkeep.retention import Rules
from tests.upkeep.household import House, site_with

SETTINGS = site_with(enabled=False)
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
RULES = "/retention/rules"


@pytest.fixture
def house(tmp_path: Path, any_engine: Engine) -> House:
    return House(tmp_path / "stores", any_engine, SETTINGS)


def test_what_is_due_goes_once_an_admin_has_it_begin_and_nothing_more_once_it_is_ended(house: House) -> None:
    first, second = house.clip(1, 100), house.clip(2, 80)
    with house.server() as server:
        server.call("PUT", RULES, json={"enabled": True})
        assert server.call("GET", "/retention")["enabled"]
        assert removing.carry_out(server, house.stores, house.announce()).kept == []
        assert first.source not in house.files() and second.source in house.files()
        server.call("PUT", RULES, json={"raw_videos": 70})
        plan = house.announce()
        assert [item.kind for item in plan.items] == ["raw"] and not plan.report_only
        server.call("PUT", RULES, json={"enabled": False})
        with pytest.raises(ServerRefused, match="only reports"):
            removing.carry_out(server, house.stores, plan)
        assert second.source in house.files()


def test_who_ends_it_while_a_plan_is_carried_out_keeps_what_is_still_there(house: House) -> None:
    clips = [house.clip(number, 100) for number in (1, 2, 3)]
    with house.server() as server:
        server.call("PUT", RULES, json={"enabled": True})
        plan = house.announce()

        def stop(said: str) -> None:
            if not house.stores.path(clips[0].source).exists():
                server.call("PUT", RULES, json={"enabled": False})

        done = removing.carry_out(server, house.stores, plan, stop)
    there = {clip.source for clip in clips} & house.files()
    assert 0 < len(there) < 3 and any("only reported" in why for why in done.kept)


def test_a_plan_by_rules_that_were_said_before_is_not_carried_out(house: House) -> None:
    clip = house.clip(1, 100)
    with house.server() as server:
        server.call("PUT", RULES, json={"enabled": True})
        plan = house.announce()
        server.call("PUT", RULES, json={"raw_videos": None})
        with pytest.raises(ServerRefused, match="The rules have changed"):
            removing.carry_out(server, house.stores, plan)
    assert clip.source in house.files()


def test_what_is_left_out_stays_and_what_is_taken_back_is_by_the_settings_again(house: House) -> None:
    def rules() -> tuple[bool, int | None, int | None]:
        told = server.call("GET", "/retention")
        return told["enabled"], told["rules"]["raw_videos"], told["rules"]["lowres_months"]

    with house.server() as server:
        assert rules() == (False, 90, 12)
        server.call("PUT", RULES, json={"raw_videos": None})
        assert rules() == (False, None, 12)
        server.call("PUT", RULES, json={"enabled": True, "lowres_months": 24})
        assert rules() == (True, None, 24)
        for wrong in ({"raw_videos": -1}, {"lowres_months": 0}, {"preproc_data": 3}):
            with pytest.raises(ServerRefused):
                server.call("PUT", RULES, json=wrong)
        house.here.heed()  # as a main server does that starts
        assert rules() == (True, None, 24)
        server.call("DELETE", RULES)
        assert rules() == (False, 90, 12)


def said(engine: Engine) -> Rules:
    with reading(engine) as session:
        return Rules.of(site_words.heeded(session, SETTINGS))


def say(engine: Engine, days: int | None, now: datetime) -> None:
    with writing(engine) as session:
        site_words.say_retention(session, "ana", now, enabled=True, raw_videos=days, lowres_months=None)


def test_the_last_word_counts_though_the_clock_was_put_back(any_engine: Engine) -> None:
    for days, now in ((30, NOW), (60, NOW - timedelta(days=400)), (None, NOW - timedelta(days=400))):
        say(any_engine, days, now)
        assert said(any_engine).raw_videos == days
    with writing(any_engine) as session:
        site_words.take_retention_back(session, "ana", NOW - timedelta(days=800))
    assert said(any_engine).raw_videos == 90


def test_the_last_word_counts_though_a_backup_is_older(any_engine: Engine) -> None:
    """What was said since lies beside the archives; clips that are kept for ever since are not let go by it."""
    say(any_engine, 30, NOW)
    say(any_engine, None, NOW + timedelta(hours=1))
    with reading(any_engine) as session:
        kept = decisions.Decisions.model_validate_json(decisions.to_bytes(decisions.said(session)))
    with writing(any_engine) as session:
        session.execute(delete(RetentionWord).where(RetentionWord.said_at > NOW))
    assert said(any_engine).raw_videos == 30
    with writing(any_engine) as session:
        decisions.put_back(session, kept, decisions.OF_THE_SITE)
    assert said(any_engine).raw_videos is None
