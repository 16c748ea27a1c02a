"""What was asked is remembered until somebody writes to what it is about, and no longer."""

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import Engine, delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from app.answers import Answers
from dashcam import written
from dashcam.catalog.models import Plate, SavedSearch, SightingRow
from dashcam.database import Base, reading, writing
from tests.catalog.rows import NOON, add_sighting, add_video

Change = Callable[[Session], object]
PLATE = {"plate_id": 77, "text": "AB12CDE"}


def sightings(engine: Engine, answers: Answers) -> int:
    def ask() -> int:
        with reading(engine) as session:
            return session.scalar(select(func.count()).select_from(SightingRow)) or 0

    return answers.of("how many", ("sighting",), ask)


def test_an_answer_is_asked_for_anew_when_its_table_was_written_to(any_engine: Engine) -> None:
    answers = Answers(any_engine)
    with writing(any_engine) as session:
        video = add_video(session, 1)
        add_sighting(session, video, "LT23CGK", 1.0)
    assert sightings(any_engine, answers) == 1
    with writing(any_engine) as session:
        add_sighting(session, video, "LT23CGK", 2.0)
        assert sightings(any_engine, answers) == 1, "what is not committed is there for nobody"
    assert sightings(any_engine, answers) == 2
    with writing(any_engine) as session:
        session.execute(delete(SightingRow))
    assert sightings(any_engine, answers) == 0, "what is hidden is not shown from memory"


def test_nobody_is_asked_again_while_nothing_changed(sqlite_engine: Engine) -> None:
    answers, asked = Answers(sqlite_engine), list[int]()

    def ask() -> int:
        asked.append(1)
        return len(asked)

    def of(key: str, holds: bool = True) -> int:
        return answers.of(key, ("sighting",), ask, lambda _: holds)

    assert of("a") == of("a") == 1
    with writing(sqlite_engine) as session:
        session.add(SavedSearch(name="x", query="q=B", created_at=NOON))
    assert of("a") == 1, "another table was written to"
    assert of("b") == 2 and of("a") == 1
    assert of("a", holds=False) == 3 and of("a") == 3


def test_an_answer_in_the_middle_of_which_somebody_wrote_is_asked_for_anew(sqlite_engine: Engine) -> None:
    answers, asked = Answers(sqlite_engine), list[int]()

    def ask() -> int:
        asked.append(1)
        if len(asked) == 1:
            with writing(sqlite_engine) as session:
                session.add(Plate(**PLATE))
        return len(asked)

    assert [answers.of("a", ("plate",), ask) for _ in range(3)] == [1, 2, 2]


def test_those_asked_for_last_are_remembered(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.answers.MOST", 2)
    answers, asked = Answers(sqlite_engine), list[str]()
    for key in "abacab":
        answers.of(key, ("plate",), partial(asked.append, key))
    assert asked == ["a", "b", "c", "b"]


@pytest.mark.parametrize(
    "change",
    [
        lambda session: session.add(Plate(**PLATE)),
        lambda session: session.execute(insert(Plate), [PLATE]),
        lambda session: session.execute(update(Plate).values(times=3)),
        lambda session: session.execute(update(Plate), [{"plate_id": 1, "times": 3}]),
        lambda session: session.connection().execute(insert(Base.metadata.tables["plate"]), [PLATE]),
        lambda session: session.execute(delete(Plate).where(Plate.text == "B").returning(Plate.text)),
        lambda session: session.execute(text("UPDATE plate SET times = 4")),
        lambda session: session.connection().exec_driver_sql("UPDATE plate SET times = 4"),
    ],
)
def test_whatever_writes_to_a_table_is_counted(any_engine: Engine, change: Change) -> None:
    with writing(any_engine) as session:
        session.add(Plate(plate_id=1, text="A"))
    before = written.so_often(any_engine, ["plate"])
    with writing(any_engine) as session:
        session.execute(select(Plate)).all()
    assert written.so_often(any_engine, ["plate"]) == before, "whoever only reads has changed nothing"
    with writing(any_engine) as session:
        change(session)
    assert written.so_often(any_engine, ["plate"]) != before
