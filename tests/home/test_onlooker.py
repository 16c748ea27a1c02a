"""Whoever reads the command lines of a home sees a secret that stands on one."""

import subprocess
import sys

from tests.home.hosts import until
from tests.home.onlooker import Onlooker


def test_a_secret_on_a_command_line_is_seen_and_one_on_standard_input_is_not() -> None:
    onlooker = Onlooker()
    onlooker.start()
    argv = [sys.executable, "-c", "input(); input()", "--database", "postgresql://dashcam:shown@localhost"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        process.stdin.write("typed\n")
        process.stdin.flush()
        until("the process is seen", lambda: any("shown" in line for line in list(onlooker.seen)), 20)
        process.communicate("\n")
    onlooker.stop()
    assert [one.partition(":")[0] for one in onlooker.found({"a": ":shown@", "b": "typed"})] == ["a"]
