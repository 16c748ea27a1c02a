"""``dashcam bench pipeline``: its baseline runs every stage; what cannot be measured is a sentence."""

from pathlib import Path

from typer.testing import CliRunner

from dashcam.bench.direct import run_stages
from dashcam.cli.bench import app
from dashcam.sample import short_clips
from dashcam.tasks.chain import STAGES


def test_the_baseline_takes_every_clip_through_every_stage(tmp_path: Path) -> None:
    clips = short_clips(tmp_path / "clips", 2, 1.0)
    took, footage_s = run_stages(clips, tmp_path / "direct")
    assert list(took) == list(STAGES)
    assert all(seconds > 0 for seconds in took.values())
    assert round(footage_s) == 2
    archived = list((tmp_path / "direct" / "shed_nas").iterdir())
    assert len(archived) == 2
    assert all((folder / "video_lowres.mp4").is_file() for folder in archived)


def test_a_folder_without_clips_is_one_sentence(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["pipeline", str(tmp_path)])
    assert ended.exit_code == 1
    assert f"There are no clips in {tmp_path}" in ended.stderr.replace("\n", "")
