"""What the main server finds when it looks at itself: for ``dashcam doctor``, and for who is to be told."""

import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dashcam.access import users
from dashcam.access.roles import Role
from dashcam.catalog import deletions, pseudonyms, work
from dashcam.catalog.devices import SILENT, DeviceLine
from dashcam.catalog.devices import lines as device_lines
from dashcam.database import cause, named, reading
from dashcam.doctor.finding import Finding, fault, in_words, ok, warning
from dashcam.doctor.stores import LEAST_FREE, patiently
from dashcam.storage.layout import INDOOR, SHED
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import PENDING, TaskRow
from dashcam.upkeep import checks

if TYPE_CHECKING:
    from app.system import System

OVERDUE = timedelta(hours=24)
MOST_READ = 500 * 10**6
"""Of a larger database not every page is read while somebody waits; each night's backup does that."""


def findings(here: "System", looks: "Sequence[ServerCheck] | None" = None) -> list[Finding]:
    """All of them, or those named. Blocks: asks the database and the stores."""
    found: list[Finding] = []
    for look in LOOKS if looks is None else looks:
        try:
            found += look(here, datetime.now(UTC))
        except DBAPIError as error:
            found.append(
                fault("database", f"It does not answer ({cause(error)}).", "See the main server's disk and log.")
            )
    return found


def database(here: "System", now: datetime) -> Iterator[Finding]:
    file, size = file_of(here), database_bytes(here)
    if file is not None and size <= MOST_READ and (damage := damage_of(here)) is not None:
        remedy = (
            "Stop the main server, keep the file, and run `dashcam restore` with the newest backup (docs/backup.md)."
        )
        yield fault("database", f"The database {file} is damaged ({damage}).", remedy)
        return
    yield ok("database", f"{named(here.engine)}, {in_words(size)}")


def disk(here: "System", now: datetime) -> Iterator[Finding]:
    """Of the database."""
    if (file := file_of(here)) is None:
        return
    usage = shutil.disk_usage(file.parent)
    if usage.free < min(LEAST_FREE, usage.total / 20):
        said = f"The disk of the database has {in_words(usage.free)} left."
        remedy = f"Make room on the disk of {file.parent}: without it nothing is written any more."
        yield fault("database", said, remedy, "disk")
        return
    yield ok("database", f"{in_words(usage.free)} are free on its disk", "disk")


def database_bytes(here: "System") -> int:
    """With its log, which may hold most of it."""
    if (file := file_of(here)) is None:
        with reading(here.engine) as session:
            return int(session.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    log = file.with_name(f"{file.name}-wal")
    return file.stat().st_size + (log.stat().st_size if log.exists() else 0)


def file_of(here: "System") -> Path | None:
    """The database's, where it is one file."""
    url = here.engine.url
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def damage_of(here: "System") -> str | None:
    try:
        with here.engine.connect() as connection:
            said = str(connection.execute(text("PRAGMA quick_check(1)")).scalar())
    except DBAPIError as error:
        return cause(error)
    return None if said == "ok" else " ".join(said.split())


def backups(here: "System", now: datetime) -> Iterator[Finding]:
    state = here.upkeep.told()
    if (trouble := here.upkeep.trouble(now)) is not None:
        remedy = "Run `dashcam backup`: it says what is in the way (docs/backup.md)."
        yield fault("backup", trouble, remedy)
        return
    newest = f"the newest of {state.newest:%Y-%m-%d %H:%M} UTC" if state.newest else "the first comes by night"
    yield ok("backup", f"{len(state.backups)} in {state.folder}, {newest}")


def stores(here: "System", now: datetime) -> Iterator[Finding]:
    """Whether they can be written is seen by who writes: looking every minute would keep a NAS's disks awake."""
    for name, root in here.stores.roots.items():
        yield patiently(here.stores, name, root, must=name in (INDOOR, SHED), tried=False)


def retention(here: "System", now: datetime) -> Iterator[Finding]:
    if here.site.retention.enabled:
        yield ok("retention", "what is past its days goes every night")
    else:
        yield ok("retention", "nothing is removed, only reported, until an admin has it begin on the page Storage")


def at_work(here: "System", now: datetime) -> Iterator[Finding]:
    """Devices that are silent, pools nobody works for, and clips that wait for too long."""
    with reading(here.engine) as session:
        known = device_lines(session, now)
        waiting = {stage.task_type: stage for stage in work.backlog(session)}
        oldest = oldest_waiting(session)
    for one in known:
        yield silent(one, now)
    there = {str(one.info.get("pool", "")) for one in known if now - one.last_seen <= SILENT}
    yield from unserved(waiting, there)
    held = sum(stage.held for stage in waiting.values())
    if held:
        said = f"{held} {'task is' if held == 1 else 'tasks are'} held back."
        yield warning("tasks", said, "See on the page Tasks why, and try them again there.", "held")
    if oldest is not None and now - oldest > OVERDUE:
        said = f"The oldest clip waits since {oldest:%Y-%m-%d %H:%M} UTC."
        yield warning(
            "tasks", said, "See on the page Tasks what it waits for, and whether its devices work.", "overdue"
        )
    if not held and (oldest is None or now - oldest <= OVERDUE):
        yield ok("tasks", f"{sum(stage.pending for stage in waiting.values())} wait, none for longer than a day")


def unserved(waiting: Mapping[TaskType, work.StageBacklog], there: Collection[str]) -> Iterator[Finding]:
    """Pools that clips wait for and that no device works for; ``there`` are those that one does."""
    clips = Counter[str]()
    for kind, stage in STAGES.items():
        clips[stage.pool] += waiting[kind].pending - waiting[kind].held
    lonely = {pool: count for pool, count in clips.items() if count > 0 and pool not in there}
    for pool, count in lonely.items():
        said = f"{count} clips wait for the pool {pool}, and no device that works for it is there."
        remedy = f"Start `dashcam worker {pool}` on a device, and see what its log says."
        if pool != "server":
            remedy += f" If you have none, leave it to another: `dashcam init --cover {pool}=server` on this machine."
        yield fault("pools", said, remedy, pool)
    if not lonely:
        yield ok("pools", "a device is there for each pool that clips wait for")


def silent(one: DeviceLine, now: datetime) -> Finding:
    if now - one.last_seen <= SILENT:
        return ok("devices", f"{one.hostname} is there", one.hostname)
    said = f"{one.hostname} was last heard of at {one.last_seen:%Y-%m-%d %H:%M} UTC."
    return warning("devices", said, "Switch it on, and run `dashcam doctor` there if it stays silent.", one.hostname)


def oldest_waiting(session: Session) -> datetime | None:
    """Since when the task waits that nobody holds and that has waited longest; the head of an index says it."""
    oldest = select(TaskRow.created_at).where(text(PENDING), TaskRow.hold.is_(None))
    return session.scalar(oldest.order_by(TaskRow.created_at, TaskRow.task_id).limit(1))


def archives(here: "System", now: datetime) -> Iterator[Finding]:
    with reading(here.engine) as session:
        damaged = checks.summary(session)
    if damaged is not None:
        yield fault("archives", damaged, "Look at the archive's disk, and bring the clip back from a copy of it.")


BY_SETTINGS = "Start it, or correct `mqtt` in config.json and the file mqtt-login beside it."
ANEW = "Start it, or name it anew on the page Settings."


def broker(here: "System", now: datetime) -> Iterator[Finding]:
    if here.site.mqtt.host is None:
        return
    if (trouble := here.broker.trouble) is not None:
        yield warning("mqtt", trouble, BY_SETTINGS if here.broker_named is None else ANEW)
        return
    yield ok("mqtt", f"{here.site.mqtt.host} is told how the site is")


def home(here: "System", now: datetime) -> Iterator[Finding]:
    """Whether people who may only look are shown it."""
    if here.site.privacy.home_zones:
        yield ok("privacy", "viewers and exports are told of no place at home")
        return
    with reading(here.engine) as session:
        people = users.all_of_them(session)
    if viewers := [one.name for one in people if one.role == Role.VIEWER.word and not one.disabled]:
        may = "may only look, and is" if len(viewers) == 1 else "may only look, and are"
        said = f"{', '.join(viewers)} {may} shown where you live: there is no home zone."
        yield warning("privacy", said, "Draw a home zone: the page Settings leads to its map.")


def key_of_hashes(here: "System", now: datetime) -> Iterator[Finding]:
    """Of a site that has hashed or deleted plates."""
    with reading(here.engine) as session:
        if not deletions.goes_by_key(session):
            return
    file = pseudonyms.key_file(here.site)
    try:
        pseudonyms.of_site(here.site)
    except pseudonyms.KeyLost:
        said = (
            f"The key of hashed and deleted plates, {file}, is lost: no plate is hashed any more, watched ones do not "
            "get their names back, and a deleted one is not known when it is seen again."
        )
        remedy = f"Put {file} back from your copy of it (docs/privacy.md says what to do without one)."
        yield fault("privacy", said, remedy)
        return
    yield ok("privacy", f"the key of hashed plates is there ({file})")


ServerCheck = Callable[["System", datetime], Iterator[Finding]]
WATCHED: tuple[ServerCheck, ...] = (disk, backups, stores, at_work, archives, key_of_hashes, broker)
"""What costs little enough to be looked at every minute."""
LOOKS: tuple[ServerCheck, ...] = (database, *WATCHED, retention, home)
