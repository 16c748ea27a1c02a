"""Codes with which one device joins."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from dashcam.access.invitations import GOOD_FOR, LETTERS, CodeRefused, invite, redeem
from dashcam.access.models import Invitation
from dashcam.database import reading, writing

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)


def code(engine: Engine) -> str:
    with writing(engine) as session:
        return invite(session, NOW, "jetson-1", "jetson_coral").text


def use(engine: Engine, typed: str, now: datetime = NOW, by: str = "jetson-1") -> Invitation:
    with writing(engine) as session:
        return redeem(session, typed, by, now)


def test_a_code_lets_one_device_join_once_however_it_is_typed(any_engine: Engine) -> None:
    letters = code(any_engine)
    assert len(letters) == 9 and set(letters.replace("-", "")) <= set(LETTERS)
    invitation = use(any_engine, f" {letters.lower().replace('-', ' ')} ")
    assert (invitation.hostname, invitation.device_type, invitation.used_by) == ("jetson-1", "jetson_coral", "jetson-1")
    with pytest.raises(CodeRefused, match="`dashcam device invite` makes another"):
        use(any_engine, letters)


def test_a_code_ends_after_an_hour(engine: Engine) -> None:
    letters = code(engine)
    with pytest.raises(CodeRefused):
        use(engine, letters, NOW + GOOD_FOR)
    assert use(engine, letters, NOW + GOOD_FOR - timedelta(seconds=1)).used_at is not None


def test_the_database_does_not_know_the_code(engine: Engine) -> None:
    letters = code(engine)
    with reading(engine) as session:
        row = session.scalars(select(Invitation)).one()
    assert letters.replace("-", "") not in row.code_hash and len(row.code_hash) == 64


@pytest.mark.parametrize("typed", ["", "-", "AAAA-AAAA", "x" * 10_000, "\ud800", "' OR 1=1 --"])
def test_what_is_no_code_lets_nobody_join(engine: Engine, typed: str) -> None:
    code(engine)
    with pytest.raises(CodeRefused):
        use(engine, typed)


def test_a_type_that_is_none_is_no_invitation(engine: Engine) -> None:
    with writing(engine) as session, pytest.raises(ValueError, match="is not a device type"):
        invite(session, NOW, device_type="toaster")
