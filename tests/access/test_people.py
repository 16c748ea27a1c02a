"""People, passwords and sessions."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from dashcam.access import audit, passwords, sessions, users
from dashcam.access.models import Account, LoginSession
from dashcam.access.passwords import Unfit, hashed, proves
from dashcam.access.roles import Role, role_of
from dashcam.access.users import NoSuchPerson, NotPossible
from dashcam.database import reading, writing

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)
MONTH = timedelta(days=30)


def add(engine: Engine, name: str = "ana", role: Role = Role.ADMIN) -> int:
    with writing(engine) as session:
        return users.add(session, name, "not a hash", role, NOW).account_id


def log_in(engine: Engine, account_id: int, at: datetime = NOW) -> str:
    with writing(engine) as session:
        return sessions.begin(session, users.get(session, account_id), at, MONTH, "192.0.2.1", "Firefox" * 100)


def session_of(engine: Engine, secret: str, now: datetime = NOW) -> LoginSession | None:
    with reading(engine) as session:
        return sessions.find(session, secret, now)


def test_a_password_is_proven_by_itself_alone() -> None:
    kept = hashed("correct horse battery")
    assert kept.startswith("$argon2id$") and "horse" not in kept and kept != hashed("correct horse battery")
    assert proves(kept, "correct horse battery")
    for other in ("", "correct horse batter", "Correct horse battery", "x" * 300, "\ud800" * 12):
        assert not proves(kept, other), other
    assert not proves(None, "correct horse battery") and not proves(None, "nobody has this password")
    assert not proves("no hash", "correct horse battery")


@pytest.mark.parametrize(
    "password", ["", "short", "x" * 9, "x" * 201, "aaaaaaaaaaaa", "ANA-THE-OWNER", "\ud800 correct horse"]
)
def test_a_password_that_anybody_would_try_is_refused(password: str) -> None:
    with pytest.raises(Unfit):
        hashed(password, "ana-the-owner")


def test_names_are_small_and_there_once(engine: Engine) -> None:
    with writing(engine) as session:
        assert not users.anybody(session)
    add(engine, "  Ana ")
    with reading(engine) as session:
        assert users.anybody(session)
        known = users.by_name(session, "ANA")
        assert known is not None and (known.name, known.role, known.disabled) == ("ana", "admin", False)
    with pytest.raises(NotPossible, match="called ana already"):
        add(engine, "ana")
    for name in ("", "-x", "a b", "a" * 41, "ană", "<b>", "../x"):
        with pytest.raises(NotPossible, match="1 to 40 small letters"):
            add(engine, name)


def test_the_last_admin_stays_one(engine: Engine) -> None:
    ana = add(engine)
    ben = add(engine, "ben", Role.MEMBER)
    for change in (
        lambda session: users.set_role(session, ana, Role.MEMBER),
        lambda session: users.set_disabled(session, ana, True, NOW),
        lambda session: users.remove(session, ana),
    ):
        with pytest.raises(NotPossible, match="ana is the only admin left"), writing(engine) as session:
            change(session)
    with writing(engine) as session:
        users.set_role(session, ben, Role.ADMIN)
        users.set_disabled(session, ana, True, NOW)
    with pytest.raises(NotPossible, match="ben is the only admin"), writing(engine) as session:
        users.set_role(session, ben, Role.VIEWER)
    with writing(engine) as session:
        users.remove(session, ana)
        assert [one.name for one in users.all_of_them(session)] == ["ben"]
        with pytest.raises(NoSuchPerson):
            users.get(session, ana)


def test_a_session_lasts_as_long_as_it_is_used(engine: Engine) -> None:
    ana = add(engine)
    secret = log_in(engine, ana)
    row = session_of(engine, secret)
    assert row is not None and row.account.name == "ana" and len(row.agent) == sessions.LONGEST_AGENT
    with engine.connect() as connection:
        (kept,) = connection.execute(select(LoginSession.__table__)).mappings().all()
    assert secret not in str(dict(kept))
    assert session_of(engine, secret + "x") is None and session_of(engine, "") is None
    later = NOW + MONTH - timedelta(seconds=1)
    assert sessions.is_note_due(row, later, row.address) and not sessions.is_note_due(row, NOW, row.address)
    assert sessions.is_note_due(row, NOW, "192.0.2.9")
    with writing(engine) as session:
        sessions.note_use(session, row.session_id, later, MONTH, "192.0.2.9")
    assert session_of(engine, secret, NOW + MONTH + MONTH / 2) is not None
    assert session_of(engine, secret, later + MONTH) is None
    with writing(engine) as session:
        sessions.forget_expired(session, later + MONTH)
        assert session.scalars(select(LoginSession)).all() == []


def test_an_ended_session_lets_nobody_in(any_engine: Engine) -> None:
    ana, ben = add(any_engine), add(any_engine, "ben")
    secrets = [log_in(any_engine, ana) for _ in range(3)]
    bens = log_in(any_engine, ben)
    first = session_of(any_engine, secrets[0])
    assert first is not None
    with writing(any_engine) as session:
        assert not sessions.end(session, first.session_id, ben), "another person's"
        assert sessions.end(session, first.session_id, ana) and not sessions.end(session, first.session_id)
    assert session_of(any_engine, secrets[0]) is None
    kept = session_of(any_engine, secrets[1])
    assert kept is not None
    with writing(any_engine) as session:
        users.set_password(session, ana, "another hash", NOW + timedelta(seconds=1), keep=kept.session_id)
        assert users.get(session, ana).valid_from == NOW + timedelta(seconds=1)
    assert [session_of(any_engine, one) is not None for one in secrets] == [False, True, False]
    assert session_of(any_engine, bens) is not None


def test_who_is_disabled_or_removed_is_out_at_once(engine: Engine) -> None:
    add(engine)
    ben = add(engine, "ben", Role.MEMBER)
    secret = log_in(engine, ben)
    with writing(engine) as session:
        session.get_one(Account, ben).disabled = True
    assert session_of(engine, secret) is None, "even where the row of the session is there still"
    with writing(engine) as session:
        users.set_disabled(session, ben, False, NOW)
    assert session_of(engine, secret) is not None
    with writing(engine) as session:
        users.set_disabled(session, ben, True, NOW)
        users.set_disabled(session, ben, False, NOW)
    assert session_of(engine, secret) is None
    other = log_in(engine, ben)
    with writing(engine) as session:
        users.remove(session, ben)
    assert session_of(engine, other) is None


def test_what_was_done_is_kept_for_a_year(any_engine: Engine) -> None:
    with writing(any_engine) as session:
        audit.note(session, NOW - audit.KEPT - timedelta(seconds=1), "ana", "plate", "long ago")
        audit.note(session, NOW - audit.KEPT, "ana", "plate", "B577PRO", "192.0.2.1")
        audit.note(session, NOW, "ben", "export", "x" * 1000)
        audit.note(session, NOW, "ana", "log-in", "in")
        audit.forget(session, NOW)
    with reading(any_engine) as session:
        all_ = audit.entries(session)
        assert [one.what[:7] for one in all_] == ["in", "xxxxxxx", "B577PRO"] and len(all_[1].what) == audit.LONGEST
        assert [one.what for one in audit.entries(session, "plate")] == ["B577PRO"]
        assert [one.what for one in audit.entries(session, who="ana")] == ["in", "B577PRO"]
        second = audit.entries(session, before=(all_[0].at, all_[0].audit_id), limit=1)
        assert second == [all_[1]]


def test_roles_are_in_order_and_have_words() -> None:
    assert Role.VIEWER < Role.MEMBER < Role.ADMIN
    assert role_of("member") is Role.MEMBER and Role.ADMIN.word == "admin"
    with pytest.raises(ValueError, match="there are viewer, member, admin"):
        role_of("owner")


def test_hashing_does_not_take_all_memory() -> None:
    assert passwords.AT_ONCE._initial_value == 2  # type: ignore[attr-defined]
