"""What a check has found."""

from collections.abc import Iterable
from typing import Literal

from dashcam.records import Record

Grade = Literal["ok", "skipped", "warning", "fault"]
ORDER: tuple[Grade, ...] = ("ok", "skipped", "warning", "fault")


class Finding(Record):
    """``warning`` works, but not as it should; with a ``fault`` something does not work at all."""

    check: str
    about: str = ""
    """Of a check of many things alike: which of them."""
    state: Grade
    said: str
    """What is, in one sentence."""
    remedy: str | None = None
    """What to do about it, in one sentence; only of a warning or a fault."""


def ok(check: str, said: str, about: str = "") -> Finding:
    return Finding(check=check, about=about, state="ok", said=said)


def skipped(check: str, said: str, about: str = "") -> Finding:
    """It cannot be looked at, and something else says why."""
    return Finding(check=check, about=about, state="skipped", said=said)


def warning(check: str, said: str, remedy: str, about: str = "") -> Finding:
    return Finding(check=check, about=about, state="warning", said=said, remedy=remedy)


def fault(check: str, said: str, remedy: str, about: str = "") -> Finding:
    return Finding(check=check, about=about, state="fault", said=said, remedy=remedy)


def of_sentence(check: str, sentence: str, otherwise: str, *, at: str = "; ", state: Grade = "fault") -> Finding:
    """A sentence that says what is wrong and then what to do, divided there; ``otherwise`` is for one that does not."""
    said, divided, remedy = sentence.rpartition(at)
    if not divided:
        return Finding(check=check, state=state, said=sentence, remedy=otherwise)
    remedy = f"{remedy[:1].upper()}{remedy[1:]}{'' if remedy.endswith(('.', '?')) else '.'}"
    return Finding(check=check, state=state, said=f"{said}.", remedy=remedy)


def worst(findings: Iterable[Finding]) -> Grade:
    return max((one.state for one in findings), key=ORDER.index, default="ok")


def in_words(size: float) -> str:
    """Bytes as a person reads them."""
    units = iter(("bytes", "KB", "MB", "GB", "TB"))
    unit = next(units)
    while size >= 1000 and unit != "TB":
        size, unit = size / 1000, next(units)
    return f"{size:.0f} {unit}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"
