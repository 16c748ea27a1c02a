"""deploy/compile_edgetpu.sh where Google's compiler is not installed, as almost everywhere."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

SCRIPT = REPOSITORY / "deploy" / "compile_edgetpu.sh"


def compiled(*arguments: str) -> tuple[int, str]:
    ended = subprocess.run(["sh", SCRIPT, *arguments], capture_output=True, text=True)
    return ended.returncode, ended.stderr


@pytest.mark.skipif(shutil.which("edgetpu_compiler") is not None, reason="edgetpu_compiler is installed here")
def test_without_the_compiler_it_says_where_that_is_from() -> None:
    status, said = compiled()
    assert status == 1
    assert "edgetpu_compiler is not installed; it is the package edgetpu-compiler of Google's Coral archive" in said


def test_a_network_that_is_not_there_is_named(tmp_path: Path) -> None:
    status, said = compiled(str(tmp_path / "gone.tflite"))
    assert status == 1
    assert "gone.tflite is not there; make it with 'make train-detector'" in said
