"""The table of guards (`tests.guards`) speaks of code and tests that are there. Whether they die: ``make guards``."""

import ast

import pytest

from tests.conftest import COLLECTED
from tests.guards import ROOT, Guard, guards

GUARDS = guards()


def test_each_has_a_name_of_its_own() -> None:
    assert len(GUARDS) >= 30
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_the_code_of_a_guard_is_there_once_and_what_is_left_without_it_is_python(guard: Guard) -> None:
    ast.parse(guard.taken_out(ROOT))
    assert guard.new != guard.old and guard.protects.endswith(".")


def test_the_tests_that_are_named_are_collected(request: pytest.FixtureRequest) -> None:
    """Of the files that this run of pytest has collected: with ``make test`` those are all."""
    collected = request.config.stash[COLLECTED]
    files = {one.partition("::")[0] for one in collected}
    named = {guard.test for guard in GUARDS}
    assert {test for test in named if not (ROOT / test.partition("::")[0]).is_file()} == set()
    asked = {test for test in named if test.partition("::")[0] in files}
    assert asked - collected - {one.partition("[")[0] for one in collected} == set()
