"""Clocks of single programs, set by files: ``ahead.c``, which a C compiler makes and the linker puts before the C
library."""

import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).with_name("ahead.c")
LIBRARY = "ahead.so"


def unavailable() -> str:
    """Why no clock can be set here; empty where one can."""
    if sys.platform != "linux":
        return "clocks of single programs need Linux"
    return "" if shutil.which("cc") else "clocks of single programs need a C compiler"


def environment(clock: Path) -> dict[str, str]:
    """For a program that goes by the clock in that file; how long something takes stays true. Raises ``OSError``."""
    library = clock.with_name(LIBRARY)
    if not library.exists():
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE], check=True)
    set_clock(clock, 0)
    return {"LD_PRELOAD": str(library), "DASHCAM_CHAOS_CLOCK": str(clock)}


def set_clock(clock: Path, offset_s: int) -> None:
    """So much ahead of the machine's, at once and in all programs that go by it."""
    with clock.open("r+b" if clock.exists() else "w+b") as file:
        file.write(offset_s.to_bytes(8, sys.byteorder, signed=True))
