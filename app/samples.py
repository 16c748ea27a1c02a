"""A sample drive for a home without clips: a program of its own draws it, then it lies among the camera's clips."""

import asyncio
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from dashcam.storage import layout
from dashcam.storage.roots import StoreError, Stores

FOLDER = f"{layout.INDOOR}:{layout.RAW}/sample-drive"
UNFINISHED = f"{layout.INDOOR}:{layout.RAW}/.sample-drive"
"""Hidden, so that no scan meets it."""


@dataclass
class SampleDrive:
    """One per main server."""

    stores: Stores
    seconds: int = 10
    """So long each of its clips is."""
    is_drawn: bool = False
    """Now."""

    async def draw(self) -> str:
        """A sentence about why it could not be drawn; empty where it lies there now. One is drawn at a time."""
        if self.is_drawn:
            return "A sample drive is being drawn already."
        self.is_drawn = True
        try:
            folder, unfinished = self.stores.path(FOLDER), self.stores.path(UNFINISHED)
            return await self._into(folder, unfinished)
        except StoreError as error:
            return f"{error}"
        except OSError as error:
            return f"The sample drive cannot be put among the clips ({error.strerror}): check {FOLDER}."
        finally:
            self.is_drawn = False

    async def _into(self, folder: Path, unfinished: Path) -> str:
        if folder.exists():
            return f"There is a sample drive already, in {FOLDER}: the next look into that folder takes it in."
        await asyncio.to_thread(shutil.rmtree, unfinished, ignore_errors=True)  # what a power cut has left
        argv = [sys.executable, "-m", "dashcam.cli", "sample", f"{unfinished}", "--seconds", f"{self.seconds}"]
        piped = asyncio.subprocess.PIPE
        program = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.DEVNULL, stderr=piped)
        _, said = await program.communicate()
        if program.returncode:
            told = said.decode(errors="replace").strip().splitlines() or [f"it ended with {program.returncode}."]
            return f"The sample drive cannot be drawn: {told[-1].removeprefix('dashcam: ')}"
        unfinished.rename(folder)
        return ""
