"""Each invariant catches what is planted against it: a guard that cannot fail is none."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from dashcam.chaos.clips import variant
from dashcam.chaos.invariants import Breach, Ground, always, at_rest
from dashcam.chaos.trial import Undisturbed
from dashcam.chaos.world import World
from dashcam.storage import layout


@pytest.fixture(scope="module")
def finished(undisturbed: Undisturbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("finished"), undisturbed.stages)
    with world.clock.ticking():
        for clip in undisturbed.clips:
            world.hand_in(world.put(clip.name, variant(clip, 1)))
        world.work_off()
    yield world
    world.close()


@pytest.fixture
def ground(finished: World, undisturbed: Undisturbed, tmp_path: Path) -> Iterator[Ground]:
    """A copy of the finished world, to be spoiled."""
    finished.engine.dispose()
    copy = shutil.copytree(finished.folder, tmp_path / "copy", symlinks=True)
    world = World(copy, finished.stages)
    yield Ground(world.engine, world.roots, [world.scratch], dict(finished.names), undisturbed.metadata)
    world.close()


def sql(ground: Ground, statement: str) -> None:
    """Past all that keeps a database in order."""
    with closing(sqlite3.connect(str(ground.engine.url.database), isolation_level=None)) as connection:
        connection.execute(statement)


def processed(ground: Ground) -> str:
    """The id of a clip with a plate."""
    with ground.engine.connect() as connection:
        return str(connection.execute(text("SELECT video_id FROM sighting ORDER BY video_id")).scalar())


def archive(ground: Ground) -> Path:
    return ground.stores[layout.SHED] / processed(ground)


def clip(ground: Ground) -> Path:
    with ground.engine.connect() as connection:
        source = connection.execute(text(f"SELECT source FROM video WHERE video_id = '{processed(ground)}'")).scalar()
    return ground.stores[layout.INDOOR] / str(source).partition(":")[2]


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def test_nothing_is_wrong_with_a_run_that_nobody_disturbed(ground: Ground) -> None:
    assert at_rest(ground) == []
    assert len(ground.reference) == 4 and sum('"rejected"' in one for one in ground.reference.values()) == 1


def twice(ground: Ground, table: str, columns: str) -> None:
    """The table made anew without its constraints, one row of it doubled."""
    sql(ground, f"CREATE TABLE copy AS SELECT * FROM {table}")
    sql(ground, f"DROP TABLE {table}")
    sql(ground, f"ALTER TABLE copy RENAME TO {table}")
    sql(ground, f"INSERT INTO {table} SELECT * FROM {table} ORDER BY {columns} LIMIT 1")


def unseen_plate(ground: Ground) -> None:
    sql(ground, "INSERT INTO plate (text) VALUES ('UNSEEN1')")


def lost_task(ground: Ground) -> None:
    sql(ground, f"UPDATE video SET outcome = NULL WHERE video_id = '{processed(ground)}'")


def never_finalized(ground: Ground) -> None:
    sql(ground, f"DELETE FROM task WHERE task_type = 'FINALIZE_VIDEO' AND video_id = '{processed(ground)}'")


def result_gone(ground: Ground) -> None:
    sql(ground, "UPDATE task SET result = 'null' WHERE task_type = 'HEAVY_PROCESS_VIDEO'")


def rejected_for_nothing(ground: Ground) -> None:
    sql(ground, "UPDATE task SET reason = NULL WHERE outcome = 'rejected'")


def part_of_preproc(ground: Ground) -> None:
    (ground.stores[layout.INDOOR] / layout.PREPROC / "0123456789abcdef").mkdir(parents=True)


def clip_gone_unproven(ground: Ground) -> None:
    flip(archive(ground) / layout.LOWRES)
    clip(ground).unlink()


ALWAYS: dict[str, list[Callable[[Ground], None]]] = {
    "nothing-twice": [lambda g: twice(g, "task", "task_id"), lambda g: twice(g, "sighting", "sighting_id"),
                      lambda g: twice(g, "plate", "plate_id"), lambda g: twice(g, "position", "video_id"),
                      lambda g: twice(g, "video", "video_id")],
    "no-orphan": [unseen_plate],
    "nothing-lost": [lost_task, never_finalized],
    "nothing-partial": [result_gone, rejected_for_nothing, part_of_preproc],
    "archive-matches-manifest": [
        lambda g: flip(archive(g) / layout.LOWRES),
        lambda g: (archive(g) / layout.LOWRES).unlink(),
        lambda g: (archive(g) / layout.MANIFEST).unlink(),
        lambda g: (archive(g) / "beside").touch(),
        lambda g: archive(g).rename(archive(g).with_name("0123456789abcdef")) and None,
    ],
    "raw-outlives-archive": [clip_gone_unproven],
}  # fmt: skip


@pytest.mark.parametrize(
    ("invariant", "number"), [(name, n) for name, some in ALWAYS.items() for n in range(len(some))]
)
def test_what_holds_at_any_moment_is_seen_to_be_broken(ground: Ground, invariant: str, number: int) -> None:
    ALWAYS[invariant][number](ground)
    assert invariant in {one.invariant for one in always(ground)}


def held_task(ground: Ground) -> None:
    sql(ground, "UPDATE task SET state = 'pending', flow_run_id = 'r' WHERE task_type = 'FINALIZE_VIDEO'")


def clip_of_another(ground: Ground) -> None:
    sql(ground, f"UPDATE video SET facts = json_set(facts, '$.sha256', 'ab') WHERE video_id = '{processed(ground)}'")


def shown_and_not_there(ground: Ground) -> None:
    sql(ground, "UPDATE sighting SET crop = 'plates/none.jpg'")


def left_behind(ground: Ground, place: str) -> None:
    (ground.stores[layout.INDOOR] / place / processed(ground)).mkdir(parents=True)


def half_made(ground: Ground) -> None:
    (ground.stores[layout.SHED] / f".{processed(ground)}.0123456789ab.part").mkdir()


AT_REST: dict[str, list[Callable[[Ground], None]]] = {
    "nothing-lost": [held_task, lambda g: sql(g, "UPDATE video SET reason = NULL WHERE outcome = 'rejected'"),
                     lambda g: sql(g, "UPDATE video SET outcome = 'vanished'")],
    "no-lease": [held_task],
    "nothing-partial": [shown_and_not_there, lambda g: shutil.rmtree(archive(g)),
                        lambda g: sql(g, "UPDATE video SET media = 'indoor_nas:heavy_output/x'")],
    "archive-matches-manifest": [clip_of_another],
    "no-orphan": [lambda g: sql(g, "DELETE FROM sighting"),
                  lambda g: (g.stores[layout.INDOOR] / layout.PREPROC / "0123456789abcdef").mkdir(parents=True),
                  lambda g: archive(g).rename(archive(g).with_name("0123456789abcdef")) and None],
    "no-leftover": [lambda g: left_behind(g, layout.PREPROC), lambda g: left_behind(g, layout.HEAVY_OUTPUT)],
    "no-part-file": [half_made],
    "no-scratch": [lambda g: (g.scratch[0] / "clip-1").mkdir()],
    "metadata-equal": [lambda g: sql(g, "UPDATE sighting SET confidence = confidence - 0.0001"),
                       lambda g: sql(g, "UPDATE video SET frames_decoded = 14"),
                       lambda g: sql(g, "DELETE FROM position"),
                       lambda g: sql(g, "UPDATE plate SET text = text || 'X'")],
}  # fmt: skip


@pytest.mark.parametrize(("invariant", "number"), [(n, i) for n, some in AT_REST.items() for i in range(len(some))])
def test_what_holds_at_rest_is_seen_to_be_broken(ground: Ground, invariant: str, number: int) -> None:
    AT_REST[invariant][number](ground)
    assert invariant in {one.invariant for one in at_rest(ground)}


def test_a_clip_that_nobody_took_is_lost(ground: Ground) -> None:
    lost = replace(ground, names=dict(ground.names) | {"0123456789abcdef": next(iter(ground.reference))})
    assert [one.invariant for one in at_rest(lost)] == ["nothing-lost"]


def test_what_the_site_keeps_is_no_leftover(ground: Ground) -> None:
    left_behind(ground, layout.HEAVY_OUTPUT)
    kept = replace(ground, keeps=[layout.HEAVY_OUTPUT])
    assert "no-leftover" not in {one.invariant for one in at_rest(kept)}


def test_a_clip_whose_archive_is_proven_may_go(ground: Ground) -> None:
    clip(ground).unlink()
    assert always(ground) == []


def test_but_not_one_that_a_person_has_protected(ground: Ground) -> None:
    clip(ground).unlink()
    kept = replace(ground, protected=[processed(ground)])
    assert [one.invariant for one in always(kept)] == ["protected-stays"]


def test_a_breach_is_a_sentence(ground: Ground) -> None:
    flip(archive(ground) / layout.LOWRES)
    (found,) = (one for one in always(ground))
    assert isinstance(found, Breach) and found.sentence.endswith("other content than the manifest says.")
