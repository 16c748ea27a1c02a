"""What dies is started again, not in a spin, and a person hears of it."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dashcam import NO_USE_TRYING
from dashcam.embedded.keeper import MANY, Keeper
from dashcam.embedded.processes import Child, end_all


class Kept:
    """One child of this code under a keeper."""

    def __init__(self, code: str, log: Path) -> None:
        self.child = Child("app", [sys.executable, "-c", code], {"PYTHONUNBUFFERED": "1"}, log)
        self.said: list[str] = []
        self.noted = 0
        self.keeper = Keeper({"app": self.child}, self.said.append, self.note)

    def note(self) -> None:
        self.noted += 1

    def starts(self) -> int:
        return self.child.log_file.read_text().count("here") if self.child.log_file.exists() else 0


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Kept]]:
    monkeypatch.setattr("dashcam.embedded.keeper.LOOK_S", 0.02)
    monkeypatch.setattr("dashcam.embedded.processes.RESTART_DELAY_S", 0.01)
    made: list[Kept] = []

    def make(code: str) -> Kept:
        made.append(Kept(code, tmp_path / "log"))
        made[0].child.start()
        return made[0]

    yield make
    for one in made:
        one.keeper.stop()
        end_all([one.child])


def until(true: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_one_that_is_killed_is_back_while_nobody_looks(kept: Callable[[str], Kept]) -> None:
    one = kept("import time; print('here'); time.sleep(600)")
    one.keeper.start()
    until(lambda: one.starts() == 1, "it runs")
    assert one.child.process is not None
    one.child.process.kill()
    until(lambda: one.starts() == 2, "it runs again")
    until(lambda: one.said, "it is said")
    assert one.said == ["The web interface was ended by SIGKILL, and is started again"]
    assert one.noted == 1, "its new number is written down"


def test_one_that_cannot_run_is_tried_ever_later_and_its_last_words_are_told_once(
    kept: Callable[[str], Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashcam.embedded.processes.LONGEST_DELAY_S", 0.1)
    one = kept("print('here'); raise SystemExit('the disk is full')")
    one.keeper.start()
    until(lambda: one.starts() > MANY + 4, "it is tried on and on")
    assert len(one.said) == MANY, one.said
    assert one.said[0] == "The web interface ended with status 1, and is started again"
    assert f"{MANY} times in a row" in one.said[-1] and "the disk is full" in one.said[-1]
    assert str(one.child.log_file) in one.said[-1]


def test_restarts_do_not_spin(kept: Callable[[str], Kept], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashcam.embedded.processes.RESTART_DELAY_S", 1.0)
    clock = [1000.0]
    monkeypatch.setattr("dashcam.embedded.processes.time.monotonic", lambda: clock[0])
    one = kept("print('here')")
    tries = 0
    for _ in range(600):  # ten minutes, looked at each second
        assert one.child.process is not None
        one.child.process.wait()
        tries += one.child.keep_alive()
        clock[0] += 1
    assert 10 <= tries <= 16
    one.child.process.wait()
    clock[0] += 3600
    assert one.child.keep_alive() and one.child.restarts == 1, "what ran long is started at once, and counts anew"


@pytest.mark.parametrize(
    ("code", "starts"),
    [
        (f"import sys; print('here the settings say no'); sys.exit({NO_USE_TRYING})", 1),
        ("import os; print('here the settings say no'); os.abort()", MANY + 1),
    ],
    ids=["says so", "dies"],
)
def test_one_that_never_ran_is_given_up(kept: Callable[[str], Kept], code: str, starts: int) -> None:
    """At once if it knows that trying is of no use, else after a few times: a busy machine kills too."""
    one = kept(code)
    one.keeper.unproven.add("app")
    one.keeper.start()
    until(lambda: one.keeper.hopeless, "it is given up")
    assert one.keeper.hopeless and "here the settings say no" in one.keeper.hopeless
    assert one.starts() == starts


def test_a_process_that_cannot_be_made_now_is_tried_again(kept: Callable[[str], Kept]) -> None:
    one = kept("print('here')")
    good, one.child.argv = one.child.argv, ["/nowhere"]
    one.keeper.start()
    until(lambda: one.said, "it is said")
    assert one.said[0] == "The web interface cannot be started (No such file or directory), and is started again"
    one.child.argv = good
    until(lambda: one.starts() > 1, "it runs again")


def test_what_ends_while_the_system_ends_stays_ended(kept: Callable[[str], Kept]) -> None:
    one = kept("import time; print('here'); time.sleep(600)")
    one.keeper.start()
    until(lambda: one.starts() == 1, "it runs")
    one.keeper.stop()
    end_all([one.child])
    assert not one.child.alive and one.starts() == 1 and not one.said
