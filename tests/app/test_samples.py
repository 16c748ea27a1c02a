"""A home without clips is offered a sample drive: drawn beside the server, whole or not there at all."""

import asyncio
from pathlib import Path

from app.samples import SampleDrive
from dashcam.stages.scan import clips_below
from dashcam.storage.roots import Stores


def clips(raw: Path) -> list[str]:
    return sorted(Path(entry.path).relative_to(raw).as_posix() for entry in clips_below(raw, lambda *_: None))


def test_a_sample_drive_lies_among_the_clips_whole_and_once(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    left = raw / ".sample-drive"
    left.mkdir(parents=True)
    (left / "truth.json").write_text("half of it, before the power went")
    sample = SampleDrive(Stores({"indoor_nas": tmp_path}), seconds=1)

    async def two_clicks() -> list[str]:
        return await asyncio.gather(sample.draw(), sample.draw())

    assert asyncio.run(two_clicks()) == ["", "A sample drive is being drawn already."]
    assert len(clips(raw)) == 3 and all(one.startswith("sample-drive/") for one in clips(raw))
    assert not left.exists() and not sample.is_drawn
    assert "already" in asyncio.run(sample.draw()) and len(clips(raw)) == 3


def test_where_it_cannot_be_drawn_one_sentence_says_why_and_nothing_is_left(tmp_path: Path) -> None:
    away = SampleDrive(Stores({"indoor_nas": tmp_path / "not mounted"}), seconds=1)
    assert "not mounted" in asyncio.run(away.draw()) and not away.is_drawn
    (tmp_path / "raw").write_text("no folder")
    spoiled = SampleDrive(Stores({"indoor_nas": tmp_path}), seconds=1)
    said = asyncio.run(spoiled.draw())
    assert "cannot be written (Not a directory)" in said and "\n" not in said and not spoiled.is_drawn
