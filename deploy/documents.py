"""Makes pages of the documents: `make docs`, or `python deploy/documents.py [FOLDER]`; a broken link is an error.

The documents refer to each other across folders, and the tool takes them from one: they are laid out there as they lie
in the repository, with the pictures beside them.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = "zensical.toml"
PICTURES = {".svg", ".jpg", ".png"}


def documents() -> Iterator[Path]:
    """From the root: every one, and the pictures in ``docs/``; nothing of a hidden folder, nor of tests."""
    for file in sorted([*ROOT.rglob("*.md"), *(ROOT / "docs").rglob("*")]):
        inside = file.relative_to(ROOT)
        hidden = any(part.startswith(".") or part == "tests" for part in inside.parts)
        if not hidden and file.suffix in {".md", *PICTURES}:
            yield inside


def lay_out(folder: Path) -> None:
    """``folder`` gets the tool's settings and, in ``.site/documents``, what they speak of."""
    shutil.rmtree(folder / ".site", ignore_errors=True)
    for file in documents():
        target = folder / ".site/documents" / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, target)
    if folder != ROOT:
        shutil.copyfile(ROOT / SETTINGS, folder / SETTINGS)


def build(folder: Path) -> int:
    """The tool's exit status; 0 when ``.site/pages`` is whole."""
    argv = [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", SETTINGS]
    return subprocess.run(argv, cwd=folder, check=False).returncode


if __name__ == "__main__":
    where = Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else ROOT
    lay_out(where)
    sys.exit(build(where))
