"""``dashcam user`` as docs/access.md has it, against a real main server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from dashcam.access.models import Account
from dashcam.access.passwords import proves
from dashcam.cli import app
from dashcam.database import reading
from tests.cli.running import settings
from tests.flows.main_server import TOKEN, MainServer

GOOD, OTHER = "a horse, a battery and a staple", "another one that is long"
Typed = Callable[..., tuple[int, str]]


@pytest.fixture
def typed(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Typed]:
    """A command, with what a person types when it asks; gives its exit status and what it says."""
    server = MainServer(engine, {})
    server.start()
    folder = settings(tmp_path, {"server": {"url": server.url}})
    for name, value in {"DASHCAM_CONFIG": str(folder), "DASHCAM_TOKEN": TOKEN, "DASHCAM_DEVICE": "me"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DASHCAM_NEW_PASSWORD", raising=False)

    def run(words: str, answers: str = "", **environment: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["user", *words.split()], input=answers, env=environment)
        return done.exit_code, " ".join((done.output + str(done.exception or "")).split())

    yield run
    server.stop()


def person(session: Session, name: str) -> Account:
    return session.scalars(select(Account).where(Account.name == name)).one()


def test_a_password_is_asked_for_twice_and_shown_never(typed: Typed, engine: Engine) -> None:
    status, said = typed("add ana --role admin", f"{GOOD}\n{OTHER}\n{GOOD}\n{GOOD}\n")
    assert status == 0 and said.endswith("ana may log in, as admin"), said
    assert "do not match" in said and GOOD not in said
    with reading(engine) as session:
        ana = person(session, "ana")
        assert ana.role == "admin" and proves(ana.password_hash, GOOD)


def test_a_script_gives_it_in_the_environment(typed: Typed, engine: Engine) -> None:
    status, said = typed("add vic --from 2026-05-01", DASHCAM_NEW_PASSWORD=GOOD)
    assert (status, said) == (0, "vic may log in, as viewer")
    with reading(engine) as session:
        assert proves(person(session, "vic").password_hash, GOOD)
    status, said = typed("add ben", DASHCAM_NEW_PASSWORD="short")
    assert status != 0 and "10 to 200 characters" in said
    assert typed("list")[1] == "vic: viewer, from 2026-05-01 on"


def test_a_forgotten_password_is_replaced_and_a_person_kept_out_and_let_in_again(typed: Typed, engine: Engine) -> None:
    assert "dashcam user add NAME --role admin" in typed("list")[1]
    typed("add ana --role admin", DASHCAM_NEW_PASSWORD=GOOD)
    typed("add ben --role member", DASHCAM_NEW_PASSWORD=GOOD)
    assert typed("password ben", f"{OTHER}\n{OTHER}\n")[1].endswith("ben has a new password")
    with reading(engine) as session:
        assert proves(person(session, "ben").password_hash, OTHER)
    assert typed("disable ben") == (0, "ben may not log in any more")
    assert typed("list")[1] == "ana: admin ben: member, may not log in"
    assert typed("enable ben") == (0, "ben may log in again")
    status, said = typed("disable ana")
    assert status != 0 and "admin" in said, "there is one at all times"
    status, _ = typed("disable nobody")
    assert status != 0
