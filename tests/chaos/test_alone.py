"""Seeds of chaos in one process: each fault once, and those seeds that failed once. New ones: `make chaos`."""

from pathlib import Path

import pytest

from dashcam.chaos import alone, nas, power
from dashcam.chaos.interrupt import Killed, Watch, watching
from dashcam.chaos.report import Report

ALIKE = set(nas.FAULTS) - {"nas-read-error", "nas-stale", "shed-nas-fills"}
"""Faults that strike as others do; each seed mounts file systems for them, which takes its time."""


def sentences(report: Report) -> list[str]:
    return [f"seed {one.seed}: {one.invariant}: {one.sentence}" for one in report.violations]


@pytest.mark.parametrize("fault", sorted(set(alone.FAULTS) - ALIKE))
def test_after_each_fault_everything_is_as_if_nothing_had_happened(workdir: Path, fault: str) -> None:
    """Of each kind one that finds its occasion."""
    for seed in range(1, 30):
        report = alone.run(seed, workdir, [fault], clips=1)
        assert sentences(report) == []
        if report.skipped:
            pytest.skip(report.skipped[fault])
        if report.injections:
            return
    pytest.fail(f"{fault} never found an occasion")


def test_a_clip_done_again_while_a_rule_removes_it_stays_what_it_was(workdir: Path) -> None:
    """The stage that comes too late ends as vanished, at its own revision; the clip has been through all the same."""
    report = alone.run(5, workdir, ["retention-meets-work"])
    assert sentences(report) == [] and len(report.injections) == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_a_power_cut_everything_is_as_if_nothing_had_happened(workdir: Path, seed: int) -> None:
    if why := power.impossible():
        pytest.skip(why)
    report = power.run(seed, workdir)
    assert sentences(report) == [] and len(report.injections) == 1


def test_who_is_killed_changes_no_file_any_more(tmp_path: Path) -> None:
    def die(change: str, path: Path) -> None:
        raise Killed

    watch = Watch([tmp_path], at=3, happens=die)
    with pytest.raises(Killed), watching(watch):
        try:
            (tmp_path / "a").mkdir()
            (tmp_path / "b").write_bytes(b"b")
            (tmp_path / "c").rename(tmp_path / "d")
        finally:
            (tmp_path / "b").unlink()
    assert {one.name for one in tmp_path.iterdir()} == {"a", "b"}
    assert watch.done == ["os.mkdir a", "open b", "os.rename c"]
