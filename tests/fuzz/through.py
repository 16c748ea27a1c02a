"""One clip through all stages, in a process of its own with a limit to its time and memory."""

import logging
import os
import resource
import traceback
from multiprocessing.connection import Connection
from pathlib import Path

from dashcam import Explained
from dashcam.bench.direct import run_stages
from dashcam.stages.common import Rejected

MEMORY = 12 << 30


def through(clip: Path, folder: Path, cpu_s: int, answer: Connection) -> None:
    """In a process of its own: all stages, as a worker runs them; tells how it ended."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    logging.disable()
    try:
        run_stages([clip], folder)
        told = ("processed", "")
    except Rejected as rejected:
        told = ("rejected" if in_words(str(rejected), clip) else "wordless", str(rejected))
    except Explained as error:
        told = ("failed", str(error))
    except BaseException:
        told = ("crash", traceback.format_exc())
    used = resource.getrusage(resource.RUSAGE_SELF)
    answer.send((*told, round(used.ru_utime + used.ru_stime, 2)))
    answer.close()
    os._exit(0)  # models have threads


def in_words(reason: str, clip: Path) -> bool:
    """A sentence that names the clip, without what only its programmer understands; nor that the clip can go."""
    return clip.name in reason and reason.endswith(".") and not any(
        raw in reason for raw in ("remove it", "Traceback", "Errno", "Error:", "0x", "None")
    )  # fmt: skip
