"""A worker's scratch: what a flow that was killed has left there goes."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from flows import spool


def left_in(scratch: Path) -> list[Path]:
    """Worthless, because every stage starts from its inputs, while no flow of the worker runs; results that the main
    server has not taken yet are not among it."""
    return [left for left in scratch.iterdir() if left.name != spool.FOLDER] if scratch.is_dir() else []


def remove(left: Sequence[Path]) -> None:
    for one in left:
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one, ignore_errors=True)
        else:
            one.unlink(missing_ok=True)


def empty(scratch: Path) -> None:
    scratch.mkdir(parents=True, exist_ok=True)
    remove(left_in(scratch))
