"""Tokens of devices and programs."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from dashcam.access import keys, tokens
from dashcam.access.models import AccessToken
from dashcam.access.roles import Role
from dashcam.access.scope import OutOfScope, tasks_of
from dashcam.database import reading, writing

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)


def jetson(engine: Engine, expires_at: datetime | None = None) -> str:
    with writing(engine) as session:
        mine = tasks_of("jetson_coral")
        secret, _ = tokens.for_device(session, "jetson-1", "jetson_coral", mine, ["indoor_nas"], NOW, expires_at)
    return secret


def found(engine: Engine, secret: str, now: datetime = NOW) -> AccessToken | None:
    with reading(engine) as session:
        return tokens.find(session, secret, now)


def test_a_token_is_found_by_itself_and_is_nowhere_in_the_database(any_engine: Engine) -> None:
    secret = jetson(any_engine)
    row = found(any_engine, secret)
    assert row is not None
    assert (row.hostname, row.device_type, row.task_types) == ("jetson-1", "jetson_coral", ["PREPROCESS_VIDEO"])
    assert secret.startswith("dcd_") and len(secret) > 40
    with any_engine.connect() as connection:
        (kept,) = connection.execute(select(AccessToken.__table__)).mappings().all()
    assert secret.removeprefix("dcd_") not in str(dict(kept)) and kept["secret_hash"] == keys.digest(secret)
    for other in ("", secret[:-1], secret + "x", secret.upper(), "dcd_", "x" * 10_000, "\ud800"):
        assert found(any_engine, other) is None, other


def test_a_revoked_or_expired_token_says_why_it_does_not_let_in(any_engine: Engine) -> None:
    ends = NOW + timedelta(days=1)
    secret, other = jetson(any_engine, ends), jetson(any_engine)
    assert found(any_engine, secret, ends - timedelta(seconds=1)) is not None
    with pytest.raises(tokens.Refused, match="jetson-1 ended on 2026-11-29: ask for another"):
        found(any_engine, secret, ends)
    with writing(any_engine) as session:
        assert tokens.revoke_device(session, "jetson-1", NOW) == 2
        assert tokens.revoke_device(session, "jetson-1", NOW) == 0
    with pytest.raises(tokens.Refused, match="jetson-1 has been revoked"):
        found(any_engine, other)


def test_one_token_is_revoked_and_its_row_stays(engine: Engine) -> None:
    with writing(engine) as session:
        secret, row = tokens.for_program(session, "grafana", Role.VIEWER, NOW)
        assert tokens.revoke(session, row.token_id, NOW) is row
        assert tokens.revoke(session, row.token_id, NOW + timedelta(days=1)) is row
        assert tokens.revoke(session, 999, NOW) is None
    with reading(engine) as session:
        assert [(one.name, one.revoked_at) for one in tokens.known(session)] == [("grafana", NOW)]
    with pytest.raises(tokens.Refused):
        found(engine, secret)


def test_the_last_use_is_written_down_once_a_minute(engine: Engine) -> None:
    secret = jetson(engine)
    row = found(engine, secret)
    assert row is not None and tokens.is_note_due(row, NOW)
    with writing(engine) as session:
        tokens.note_use(session, row.token_id, NOW)
    row = found(engine, secret)
    assert row is not None and row.last_used == NOW
    assert not tokens.is_note_due(row, NOW + timedelta(seconds=59)) and tokens.is_note_due(row, NOW + tokens.USED_EVERY)


def test_a_device_does_only_what_its_token_is_for(engine: Engine) -> None:
    row = found(engine, jetson(engine))
    assert row is not None
    scope = tokens.scope_of(row)
    scope.of_tasks(["PREPROCESS_VIDEO"])
    scope.of_pool("jetson")
    scope.of_stores(["indoor_nas"])
    for name in ("jetson-1", "jetson-1-gpu"):
        scope.of_name(name)
    mine = "The token of jetson-1 is for PREPROCESS_VIDEO, not for HEAVY_PROCESS_VIDEO."
    with pytest.raises(OutOfScope, match=mine):
        scope.of_tasks(["PREPROCESS_VIDEO", "HEAVY_PROCESS_VIDEO"])
    for pool in ("gpu", "nas", None):
        with pytest.raises(OutOfScope, match="is for the pool jetson"):
            scope.of_pool(pool)
    with pytest.raises(OutOfScope, match="not for the store shed_nas"):
        scope.of_stores(["shed_nas"])
    for name in ("jetson-2", "jetson-10", "jetson-1-", "jetson", "gpu-pc", ""):
        with pytest.raises(OutOfScope, match="does not speak for"):
            scope.of_name(name)


def test_every_device_type_has_its_tasks_and_an_unknown_one_none() -> None:
    assert tasks_of("rtx_4090") == ["HEAVY_PROCESS_VIDEO"] and tasks_of("shed_nas") == ["ARCHIVE_VIDEO"]
    assert tasks_of("main_server") == ["INGEST_VIDEO", "FINALIZE_VIDEO"]
    with pytest.raises(ValueError, match="not a device type"):
        tasks_of("toaster")
