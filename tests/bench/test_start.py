"""``dashcam bench start``: its ratios, its baseline, and what cannot be measured is a sentence."""

import sys
from pathlib import Path

from typer.testing import CliRunner

from dashcam.bench.start import CommandCost, Idle, cost_of, spent_alone, spent_by, table_of
from dashcam.cli.bench import app
from dashcam.sample import short_clips


def test_what_a_run_takes_is_said_over_the_stages_own_work() -> None:
    idle = Idle(over_s=300, cpu_percent=2.5, pss_mb=500)
    own, new, known = (
        CommandCost(wall_s=10, cpu_s=8),
        CommandCost(wall_s=30, cpu_s=32),
        CommandCost(wall_s=20, cpu_s=24),
    )
    cost = cost_of(own, new, known, idle)
    assert cost.new_folder_over_own == CommandCost(wall_s=3, cpu_s=4)
    assert cost.known_folder_over_own == CommandCost(wall_s=2, cpu_s=3)
    assert table_of(cost).row_count == 4


def test_the_work_of_what_a_command_starts_counts() -> None:
    work = "import time\nwhile time.process_time() < 0.3: pass"
    below = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}])"
    spent = spent_by([sys.executable, "-c", below])
    assert spent.cpu_s >= 0.3


def test_the_baseline_is_the_stages_on_one_clip(tmp_path: Path) -> None:
    (clip,) = short_clips(tmp_path / "clips", 1, 1.0)
    assert spent_alone(clip, tmp_path / "direct").cpu_s > 0
    assert any((tmp_path / "direct" / "shed_nas").iterdir())


def test_a_folder_with_too_few_clips_is_one_sentence(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["start", str(tmp_path)])
    assert ended.exit_code == 1
    assert "There are fewer than two clips" in ended.stderr
