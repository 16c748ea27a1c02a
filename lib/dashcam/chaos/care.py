"""Faults in and beside what takes care of the house: retention, sweep, scrub, backup, rebuild. By name in `FAULTS`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, select, text

import migrations
from dashcam.catalog.models import Video
from dashcam.chaos.damage import flip
from dashcam.chaos.deaths import die
from dashcam.chaos.interrupt import Killed, Watch, watching
from dashcam.chaos.invariants import always
from dashcam.chaos.trial import Fault, Trial
from dashcam.chaos.world import Run, World
from dashcam.database import open_engine, reading, writing
from dashcam.storage import layout
from dashcam.tasks import chain
from dashcam.upkeep import backup, decisions, planning
from dashcam.upkeep.rebuild import rebuild
from dashcam.upkeep.restore import restore
from dashcam.upkeep.scrub import scrub

MONTHS = timedelta(days=100)
"""After so long a clip may go."""
MOMENTS = {"retention": 4, "sweep": 10, "restore": 14, "rebuild": 60}
"""About so many file operations one of them has, of which one is drawn."""


def dies(trial: Trial, what: str, does: Callable[[], object], reads: bool = False) -> str | None:
    """It is killed at one of its file operations; None where it was through before."""
    watch = Watch([trial.world.folder], trial.dice.randint(1, MOMENTS[what]), die, reads)
    try:
        with watching(watch):
            does()
    except Killed:
        return f"killed before {watch.done[-1]}"
    return None


def months_later(trial: Trial) -> list[str]:
    """All work is done, or it is not; a person protects one of the clips, or does not. The clips, by id."""
    world = trial.world
    if trial.dice.random() < 0.7:
        world.work_off(20)
    with reading(world.engine) as session:
        places = {one.video_id: world.stores.path(one.source) for one in session.scalars(select(Video))}
    known = sorted(places)
    there = [video_id for video_id in known if places[video_id].is_file()]  # an earlier run may have let it go
    if there and trial.dice.random() < 0.4:
        trial.protected.add(video_id := trial.dice.choice(there))
        with writing(world.engine) as session:
            planning.protect(session, video_id, "an accident", "the owner", world.clock.now)
    world.clock.now += MONTHS
    return known


def retention_killed(trial: Trial, run: Run) -> str | None:
    """It dies between two of its changes; the next night's goes on."""
    if trial.healing:
        return None
    months_later(trial)
    detail = dies(trial, "retention", trial.world.tidy)
    trial.world.restart_server()
    trial.world.tidy()
    trial.go_on(run)
    return detail


def retention_meets(trial: Trial, run: Run) -> str | None:
    """A clip is done again, or comes to its end, or is protected, while retention is at it."""
    world = trial.world
    if trial.healing:
        return None
    known = months_later(trial)
    video_id, stage = trial.dice.choice(known), trial.dice.choice(list(chain.STAGES))
    met: list[str] = []

    def meanwhile(change: str, path: Path) -> None:
        met.append(f"{stage} again before {change} {path.name}")
        world.do_again(video_id, stage)
        if trial.dice.random() < 0.5:
            world.work_off(trial.dice.randint(1, 4))

    with watching(Watch(world.watched, trial.dice.randint(1, MOMENTS["retention"]), meanwhile)):
        world.tidy()
    trial.go_on(run)
    return met[0] if met else None


def sweep_killed(trial: Trial, run: Run) -> str | None:
    """The sweep dies, with work half done all around it, which it must leave alone."""
    if trial.healing:
        return None
    hand = None
    if trial.dice.random() < 0.5:
        with suppress(Killed):
            hand = trial.world.begin(run, Watch(trial.world.watched, trial.moment(run.task_type), die))
    if hand is not None:
        trial.world.deliver(hand)
    else:
        run.state = "crashed"
    detail = dies(trial, "sweep", trial.world.sweep)
    trial.world.sweep()
    return detail or "swept while clips wait"


def scrub_mends(trial: Trial, run: Run) -> str | None:
    """A disk forgets a bit, or a file, of an archive whose clip is through; the scrub has it made anew."""
    world = trial.world
    if trial.healing:
        return None
    world.work_off()
    with reading(world.engine) as session:
        through = sorted(session.scalars(select(Video.video_id).where(Video.outcome == "processed")))
        if not through:
            return None
        video = session.get_one(Video, trial.dice.choice(through))
        video_id, clip = video.video_id, world.stores.path(video.source)
    files = sorted(one for one in world.stores.path(layout.archive(video_id)).rglob("*") if one.is_file())
    if not clip.is_file() or not files:
        return None
    file = trial.dice.choice(files)
    if trial.dice.random() < 0.5:
        flip(file, trial)
    else:
        file.unlink()
    trial.spoiled.add(video_id)
    scrub(world.office, world.stores, mb_per_s=1000, hours=1)
    return f"{file.name} of an archive"


def rescanned(world: World) -> None:
    """All that lies in the folder of clips is handed in, as the next scan does."""
    for path in sorted((world.indoor / layout.RAW).rglob("*.MP4")):
        world.hand_in(path)


def restored(killed: bool, trial: Trial, run: Run) -> str | None:
    """Work goes on after a backup, then the database is set back to it; the stores are as they are."""
    world = trial.world
    if trial.healing:
        return None
    folder = world.folder / "backups"
    if trial.dice.random() < 0.3:
        world.work_off()
    made = backup.take(world.engine, folder, keep=2)
    trial.go_on(run)
    rounds = trial.dice.choice([0, 1, 2, 4, 20])
    world.work_off(rounds)
    if trial.dice.random() < 0.5:
        world.clock.now += MONTHS
        world.tidy()
    world.engine.dispose()

    def put_back() -> None:
        restore(world.url, folder / made.file, folder, migrate, lambda line: None, keep_old=trial.dice.random() < 0.5)

    detail = dies(trial, "restore", put_back) if killed else ""
    if killed:
        with closing_engine(world.url) as engine:
            assert backup.contents(engine).rows["video"], "the database is gone"
    put_back()
    trial.restored = True
    world.restart_server()
    if trial.dice.random() < 0.3:  # the shed was away when `dashcam restore` asked it, and is asked later
        world.work_off(trial.dice.choice([1, 20]))
    rebuild(world.engine, world.stores, world.site, add=True)
    rescanned(world)
    return None if detail is None else f"{rounds} rounds after the backup, {detail or 'at once'}"


@contextmanager
def closing_engine(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def migrate(url: str) -> None:
    with closing_engine(url) as engine:
        migrations.upgrade(engine)


def lose_database(world: World) -> None:
    world.engine.dispose()
    if world.engine.dialect.name == "sqlite":
        for path in world.folder.glob("dashcam.db*"):
            path.unlink()
        return
    with closing_engine(world.url) as engine, engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))


def rebuilt(killed: bool, trial: Trial, run: Run) -> str | None:
    """The database is lost, sometimes Prefect's too, and made anew from the archives; the rest is scanned."""
    world = trial.world
    if trial.healing:
        return None
    world.work_off(trial.dice.choice([1, 2, 4, 20]))
    with reading(world.engine) as session:
        words = decisions.all_of(session)
    decisions.write(world.stores, words)
    lose_database(world)
    migrate(world.url)
    for one in world.runs.values():
        one.state = "crashed" if one.live else one.state
    if trial.dice.random() < 0.5:
        world.runs.clear()
        world.keys.clear()
    world.restart_server()
    detail = dies(trial, "rebuild", lambda: rebuild(world.engine, world.stores, world.site), True) if killed else ""
    world.restart_server()
    rebuild(world.engine, world.stores, world.site, add=True)
    rescanned(world)
    return None if detail is None else detail or "from the archives"


def killed_at_every_step(trial: Trial, run: Run) -> str | None:
    """A worker dies at its first step; whoever takes the task up dies at its second, and so on until none is left."""
    world = trial.world
    if trial.healing or run.begun >= len(run.task_ids):
        return None
    task = world.task(run.task_ids[run.begun])
    if task is None or task.state != "pending":
        return None
    stride = 1 + trial.normal.operations[run.task_type] // STEPS
    step, count = trial.dice.randint(1, stride), 0
    while True:
        try:
            world.attempt(task, Watch(world.watched, step, die))
            break
        except Killed:
            step, count = step + stride, count + 1
            world.empty_scratch()
            trial.note(always(trial.ground()), "killed-at-every-step")
    trial.go_on(run)
    return f"{count} times"


STEPS = 10
"""So many of a stage's steps are tried about, of one clip."""

FAULTS: dict[str, Fault] = {
    "retention-killed": Fault(retention_killed),
    "retention-meets-work": Fault(retention_meets),
    "sweep-killed": Fault(sweep_killed),
    "archive-forgets": Fault(scrub_mends),
    "backup-restored": Fault(partial(restored, False)),
    "restore-killed": Fault(partial(restored, True)),
    "database-rebuilt": Fault(partial(rebuilt, False)),
    "rebuild-killed": Fault(partial(rebuilt, True)),
    "killed-at-every-step": Fault(killed_at_every_step),
}
