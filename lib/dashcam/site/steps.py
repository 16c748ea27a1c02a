"""A set-up as steps of one line each: what is there already is left alone, so that all of it may be repeated."""

import shutil
from collections.abc import Callable
from pathlib import Path

from dashcam import Say, whole_file
from dashcam.site import machine


class Steps:
    """With ``dry_run`` nothing is done, and each step says what it would do. What is made belongs to ``owner``."""

    def __init__(self, say: Say, dry_run: bool = False, owner: str | None = None) -> None:
        self.say, self.dry_run, self.owner = say, dry_run, owner

    def step(self, what: str, there: bool, act: Callable[[], object]) -> None:
        """``act`` unless it is ``there``; what it returns as text is said behind ``what``."""
        if there:
            self.say(f"there    {what}")
        elif self.dry_run:
            self.say(f"would    {what}")
        else:
            said = act()
            self.say(f"done     {what}{f': {said}' if isinstance(said, str) and said else ''}")

    def folder(self, folder: Path, what: str, mode: int = 0o700) -> None:
        def make() -> None:
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(mode)
            self.own(folder)

        self.step(f"{what}: {folder}", folder.is_dir(), make)

    def file(self, file: Path, what: str, content: str, mode: int = 0o600) -> None:
        """With just that content."""

        def write() -> None:
            whole_file.write(file, content.encode(), mode)
            self.own(file)

        self.step(f"{what}: {file}", file.exists() and file.read_text(encoding="utf-8") == content, write)

    def own(self, path: Path) -> None:
        if self.owner is not None:
            shutil.chown(path, *machine.ids_of(self.owner))
