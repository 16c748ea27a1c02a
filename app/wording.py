"""How times, sizes and the state of work are put into words, the same on every page."""

from datetime import date, datetime, tzinfo

from dashcam.catalog.encounters import Manner, Met
from dashcam.catalog.work import TaskLine
from dashcam.records import HIDDEN
from dashcam.tasks.model import TaskType

STAGE_NAMES = {
    TaskType.INGEST_VIDEO: "Ingest",
    TaskType.PREPROCESS_VIDEO: "Preprocess",
    TaskType.HEAVY_PROCESS_VIDEO: "Find plates",
    TaskType.ARCHIVE_VIDEO: "Archive",
    TaskType.FINALIZE_VIDEO: "Finalize",
}
CAMERA_NAMES = {"front": "Front", "rear": "Rear", "interior": "Interior", "telephoto": "Telephoto"}
KIND_NAMES = {"parking": "Parking", "event": "Event"}
ENDED_BADLY = {"rejected": "Rejected", "vanished": "Vanished"}
HELD_NAMES = {
    "raw": "Clip",
    "preproc": "Preprocessing",
    "heavy_output": "Bundle",
    "lowres": "Small copy",
    "crops": "Crops and frames",
}
CLOCK_NAMES = {
    "gps": "from GPS",
    "name": "from the file name",
    "container": "from the file's header",
    "file": "from the file's date, a guess",
}

CLOCK_KINDS = {
    "utc": "UTC of the satellites",
    "gps_local": "GPS records in local time, seen through",
    "camera": "the camera's own clock",
}
MANNERS: dict[Manner, str] = {
    "few": "",
    "parked": "always where it stands, as a neighbour's car does",
    "same_way": "where it had been met before, as cars of the same way are",
    "around": "no more often along with you than other cars of these roads and hours",
}
MANNERS_BRIEFLY: dict[Manner, str] = {
    "few": "",
    "parked": "where it stands",
    "same_way": "where it was met before",
    "around": "as other cars here",
    "along": "with different ways",
}
HASHED = (
    "Hashed: this plate was seen longer ago than plates are kept here. What was read and its pictures are gone; "
    "when and where it was seen stays, and that it was the same plate each time."
)


def is_hashed(text: str) -> bool:
    """Whether of this plate only a keyed hash is kept (docs/privacy.md)."""
    return text.startswith(HIDDEN)


def plate(text: str) -> str:
    """A plate's text; of a hash its first letters with the word for it: ``Hashed #k3vq``."""
    return f"Hashed {text[:5]}" if is_hashed(text) else text


def crop_of(text: str) -> str:
    return "The picture of this plate is not kept" if is_hashed(text) else f"Number plate {text}"


def zone_name(zone: tzinfo | None, now: datetime) -> str:
    """``Europe/Amsterdam``; of this machine's own, which None is, only its short name: ``CET, of this machine``."""
    return str(zone) if zone else f"{now.astimezone():%Z}, of this machine"


def day_title(day: date, today: date) -> str:
    match (today - day).days:
        case 0:
            return f"Today, {day.day} {day:%B}"
        case 1:
            return f"Yesterday, {day.day} {day:%B}"
    return f"{day:%A}, {day.day} {day:%B}" + ("" if day.year == today.year else f" {day.year}")


def moment(when: datetime, zone: tzinfo | None) -> str:
    """``28 Jun 2026, 13:34:16``."""
    local = when.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M:%S}"


def day(when: datetime, zone: tzinfo | None) -> str:
    """``28 Jun 2026``."""
    local = when.astimezone(zone)
    return f"{local.day} {local:%b %Y}"


def short_moment(when: datetime, zone: tzinfo | None, now: datetime) -> str:
    """``28 Jun, 13:34``; with the year instead of the time of day when it is another year."""
    local = when.astimezone(zone)
    return f"{local.day} {local:%b, %H:%M}" if local.year == now.astimezone(zone).year else f"{local.day} {local:%b %Y}"


def ago(when: datetime, now: datetime) -> str:
    seconds = int((now - when).total_seconds())
    if seconds < 10:
        return "just now"
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{count(seconds // size, unit)} ago"
    return f"{seconds} seconds ago"


def duration(seconds: float) -> str:
    """``0:59``, ``12:07``, ``3:05:20``; what a player shows."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def span(start: datetime, end: datetime, zone: tzinfo | None) -> str:
    """``08:00 – 08:45``, with the day of the end when that is another one."""
    begin, until = start.astimezone(zone), end.astimezone(zone)
    day = f" ({until.day} {until:%b})" if until.date() != begin.date() else ""
    return f"{begin:%H:%M} – {until:%H:%M}{day}"


def distance(metres: float) -> str:
    return f"{metres:.0f} m" if metres < 950 else f"{metres / 1000:,.1f} km"


def speed(mps: float) -> str:
    return f"{mps * 3.6:.0f} km/h"


def second(seconds: float) -> str:
    """A second inside a clip, to the tenth: ``0:12.3``."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    return f"{minutes}:{rest // 10:02d}.{rest % 10}"


def footage(seconds: float) -> str:
    if seconds < 3600:
        return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"
    return f"{seconds / 3600:,.1f} h" if seconds < 360_000 else f"{seconds / 3600:,.0f} h"


def ahead(seconds: float, of: str = "UTC") -> str:
    """How a clock stands: ``2 h ahead of UTC``, ``3 h 59 min 57 s behind UTC``."""
    minutes, rest = divmod(round(abs(seconds)), 60)
    named = ((minutes // 60, "h"), (minutes % 60, "min"), (rest, "s"))
    text = " ".join(f"{value} {unit}" for value, unit in named if value)
    return f"{text or '0 s'} {'behind' if seconds < 0 else 'ahead of'} {of}"


def size(count_bytes: int) -> str:
    value = float(count_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def count(number: int, noun: str) -> str:
    """``1 clip``, ``1,204 clips``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def met(one: Met) -> str:
    """How a car was met, and whether that is more than chance, in a sentence with its numbers."""
    trips = ("at least " if one.at_least else "") + count(one.trips, "trip")
    where = f" at {count(one.places, 'place')}" if one.places else ""
    seen = f"Seen on {trips} on {count(one.days, 'day')}{where}"
    if one.level != "unusual":
        return f"{seen}{'; ' if MANNERS[one.manner] else ''}{MANNERS[one.manner]}."
    side, along = side_of(one), one.weight.along
    days = len({stretch.start.date() for stretch in along})
    times = f"{count(len(along), 'separate trip')} with different ways, on {count(days, 'day')}"
    return f"{side} on {times}: over 10,000 times likelier of a car that follows than of the traffic there. {seen}."


def met_briefly(one: Met) -> str:
    """The same in the few words that there is room for in a list."""
    if one.level == "unusual":
        times = count(len(one.weight.along), "separate trip")
        return f"{side_of(one)} on {times}, {MANNERS_BRIEFLY[one.manner]}"
    known = [("at least " if one.at_least else "") + count(one.trips, "trip"), count(one.days, "day")]
    known += [count(one.places, "place")] if one.places else []
    return ", ".join(known) + (f"; {MANNERS_BRIEFLY[one.manner]}" if MANNERS_BRIEFLY[one.manner] else "")


def side_of(one: Met) -> str:
    along = one.weight.along
    return "Behind you" if 2 * sum(stretch.behind for stretch in along) > len(along) else "Along with you"


def people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"


def percent(fraction: float) -> str:
    """Rounded, but nothing that is less than 100 % is shown as 100 %."""
    return f"{min(round(fraction * 100), 99 if fraction < 1 else 100)} %"


def sureness(confidence: float) -> str:
    return "high" if confidence >= 0.9 else "middle" if confidence >= 0.7 else "low"


def how_far(fraction: float | None) -> str:
    return "running" if fraction is None else percent(fraction)


def stage_name(task_type: TaskType) -> str:
    return STAGE_NAMES[task_type]


def where_it_stands(task: TaskLine | None, outcome: str | None, reason: str | None, now: datetime) -> str:
    """One sentence: what became of the clip, or what it waits for."""
    if outcome in ENDED_BADLY:
        return reason or "This clip cannot be processed."
    if task is None:
        return "Processed" if outcome == "processed" else "Nothing is planned for this clip."
    name = stage_name(task.task_type)
    if task.hold:
        return f"{name} is held: {task.hold}"
    if task.not_before and task.not_before > now and not task.failures:
        return f"{name} waits: {task.last_error}"
    if task.not_before and task.not_before > now:
        return f"{name} failed and is tried again {until(task.not_before, now)}"
    return f"Waiting: {name.lower()} (step {list(STAGE_NAMES).index(task.task_type) + 1} of {len(STAGE_NAMES)})"


def until(when: datetime, now: datetime) -> str:
    seconds = max(0, int((when - now).total_seconds()))
    if seconds < 60:
        return "within a minute"
    return f"in {count(seconds // 60, 'minute')}" if seconds < 3600 else f"in {count(round(seconds / 3600), 'hour')}"


def near_miss(name: str, left_s: float | None) -> str:
    """``Braked hard, 1.4 s behind a car: a near miss``; the name alone of what was none."""
    return name if left_s is None else f"{name}, {left_s:.1f} s behind a car: a near miss"
