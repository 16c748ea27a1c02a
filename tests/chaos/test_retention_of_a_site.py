"""Retention on a site of drawn clips that the real stages have worked on: what goes is what was announced."""

import hashlib
from pathlib import Path

from dashcam.chaos.care import MONTHS
from dashcam.chaos.clips import variant
from dashcam.chaos.invariants import Ground, at_rest
from dashcam.chaos.trial import Undisturbed
from dashcam.chaos.world import World
from dashcam.database import reading, writing
from dashcam.upkeep import answers, planning, removing
from dashcam.upkeep.retention import Rules
from tests.upkeep.household import files_under


def files(world: World) -> dict[str, str]:
    """The hash of every file in the stores, by ``store:path``."""
    return {
        f"{store}:{path.relative_to(root).as_posix()}": hashlib.sha256(path.read_bytes()).hexdigest()
        for store, root in world.roots.items()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_retention_deletes_exactly_what_was_announced(undisturbed: Undisturbed, tmp_path: Path) -> None:
    """Of three clips and a broken one a person protects one; all else stays byte for byte."""
    world = World(tmp_path / "site", undisturbed.stages)
    with world.clock.ticking():
        ids = [world.hand_in(world.put(clip.name, variant(clip, 1))) for clip in undisturbed.clips]
        assert removing.announce(world.office, world.stores, unattended=False).items == [], "nothing has been through"
        world.work_off()
        assert removing.announce(world.office, world.stores, unattended=False).items == [], "no days are over"
        kept, *others, broken = [str(one) for one in ids]
        with writing(world.engine) as session:
            planning.protect(session, kept, "an accident", "the owner", world.clock.now)
        world.clock.now += MONTHS
        before = files(world)
        plan = removing.announce(world.office, world.stores, unattended=False)
        announced = files_under([uri for item in plan.items for uri in item.uris], set(before))
        assert {item.video_id for item in plan.items} == set(others) and len(announced) == 2
        done = removing.carry_out(world.office, world.stores, plan)
        after = files(world)
        assert after == {file: content for file, content in before.items() if file not in announced}
        assert (done.removed, done.kept) == (len(plan.items), []) and done.bytes == plan.bytes
        ground = Ground(
            world.engine, world.roots, [world.scratch], world.names, undisturbed.metadata, world.markers,
            protected={kept},
        )  # fmt: skip
        assert at_rest(ground) == []
        with reading(world.engine) as session:
            told = {one: answers.of_video(session, Rules.of(world.site), one) or [] for one in (kept, *others, broken)}
        raw = {one: next(answer for answer in said if answer.kind == "raw") for one, said in told.items()}
        assert {one for one, answer in raw.items() if not answer.kept} == set(others)
        assert (raw[kept].rule, raw[broken].rule) == ("protected", "no archive")
        assert removing.announce(world.office, world.stores, unattended=False).items == [], "once more finds nothing"
    world.close()
