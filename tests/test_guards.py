"""The table of guards (`tests.guards`) speaks of code and tests that are there. Whether they die: ``make guards``."""

import ast
import subprocess
import sys

import pytest

from tests.guards import ROOT, Guard, guards

GUARDS = guards()


def test_each_has_a_name_of_its_own() -> None:
    assert len(GUARDS) >= 30
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_the_code_of_a_guard_is_there_once_and_what_is_left_without_it_is_python(guard: Guard) -> None:
    ast.parse(guard.taken_out(ROOT))
    assert guard.new != guard.old and guard.protects.endswith(".")


def test_the_tests_that_are_named_are_collected() -> None:
    named = sorted({guard.test for guard in GUARDS})
    argv = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *named]
    collected = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
    assert collected.returncode == 0, collected.stdout[-3000:] + collected.stderr[-3000:]
