"""Every frame comes with its exact time; damage is counted, and no picture at all is an error, never an empty clip."""

from pathlib import Path

import pytest

from dashcam.media import decode
from dashcam.media.decode import ClipUnreadable, DecodeError, FrameReader, frames
from tests.media.made import regular, write_clip

UNEVEN = [0, 3_000, 6_000, 30_000, 33_003, 120_000, 121_500, 300_000]


@pytest.mark.parametrize("b_frames", [0, 2])
def test_time_is_that_of_the_frame_not_of_the_frame_rate(tmp_path: Path, b_frames: int) -> None:
    clip = write_clip(tmp_path / "a.mp4", UNEVEN, b_frames=b_frames)
    found = list(frames(clip))
    assert [f.t_s for f in found] == pytest.approx([p / 90_000 for p in UNEVEN])
    assert [f.index for f in found] == list(range(len(UNEVEN)))


def test_time_starts_with_the_first_frame_where_pts_do_not(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.ts", [126_000 + pts for pts in regular(1)])
    found = list(frames(clip))
    assert found[0].pts == 126_000
    assert [f.t_s for f in found] == pytest.approx([i / 10 for i in range(10)])


def test_keyframes_only_gives_the_keyframes_with_their_own_time(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", regular(3), gop=10)
    assert [f.t_s for f in frames(clip, keyframes_only=True)] == pytest.approx([0, 1, 2])


def test_gray_keeps_the_shape_and_is_never_enlarged(tmp_path: Path) -> None:
    frame = next(iter(frames(write_clip(tmp_path / "a.mp4", [0], size=(128, 96)))))
    assert frame.gray(64).shape == (48, 64)
    assert frame.gray(640).shape == (96, 128)
    assert frame.bgr().shape == (96, 128, 3)


def test_frames_are_made_as_they_are_asked_for(tmp_path: Path) -> None:
    with FrameReader(write_clip(tmp_path / "a.mp4", regular(20))) as reader:
        next(iter(reader))
        assert reader.decoded < 40


def test_damage_in_the_middle_costs_frames_and_is_counted(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", regular(3))
    data = bytearray(clip.read_bytes())
    middle = data.index(b"mdat") + len(data) // 2
    data[middle : middle + 20_000] = bytes(20_000)
    clip.write_bytes(data)
    with FrameReader(clip) as reader:
        found = list(reader)
    assert 10 <= len(found) <= 30
    assert reader.corrupt > 0
    assert found[0].t_s == 0


def test_a_clip_cut_off_ends_where_it_is_cut(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.ts", regular(3))
    data = clip.read_bytes()
    clip.write_bytes(data[: len(data) // 2])
    found = list(frames(clip))
    assert 5 < len(found) < 25


def test_no_frame_at_all_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "night.mp4", regular(1))
    data = bytearray(clip.read_bytes())
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[start:end] = bytes(end - start)
    clip.write_bytes(data)
    with pytest.raises(DecodeError, match=r"No frame of night\.mp4"):
        list(frames(clip))


@pytest.mark.parametrize("content", [b"", b"Shopping list: milk, eggs\n" * 40])
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes) -> None:
    clip = tmp_path / "list.MP4"
    clip.write_bytes(content)
    with pytest.raises(DecodeError, match=r"list\.MP4 cannot be opened as video"):
        list(frames(clip))


def test_a_clip_that_is_gone_says_nothing_about_its_content(tmp_path: Path) -> None:
    with pytest.raises(ClipUnreadable, match=r"gone\.mp4 cannot be read"):
        list(frames(tmp_path / "gone.mp4"))


def test_a_stream_that_no_table_lists_does_no_harm(shared: Path) -> None:
    """Viofo's positions in a transport stream: PyAV stumbles over them behind the last frame."""
    with FrameReader(shared / "data/gps/novatek-a119v3-real.TS") as reader:
        assert len(list(reader)) == 300
        assert not reader.corrupt


SECONDS = 8
GOP = 10


def skimmed(tmp_path: Path, skip: list[tuple[float, float]], **made: int) -> tuple[list[float], list[float]]:
    clip = write_clip(tmp_path / "a.mp4", regular(SECONDS), gop=GOP, **made)
    with FrameReader(clip, skip=skip) as reader:
        found = [f.t_s for f in reader]
        assert not reader.corrupt
    return found, reader.passed_over_s


@pytest.mark.parametrize("b_frames", [0, 2])
def test_where_nobody_looks_only_keyframes_are_decoded(tmp_path: Path, b_frames: int) -> None:
    found, passed_over = skimmed(tmp_path, [(2, 6)], b_frames=b_frames)
    before, after = [i / 10 for i in range(20)], [6 + i / 10 for i in range(20)]
    assert found == pytest.approx([*before, 2, 3, 4, 5, *after])
    assert sorted([*found, *passed_over]) == pytest.approx([i / 10 for i in range(10 * SECONDS)])


def test_a_stretch_that_ends_within_a_group_of_pictures_costs_no_frame_behind_it(tmp_path: Path) -> None:
    found, passed_over = skimmed(tmp_path, [(2, 4.45)])
    assert found == pytest.approx([*(i / 10 for i in range(20)), 2, 3, *(4 + i / 10 for i in range(40))])
    assert len(set(found)) == len(found)
    assert len(passed_over) == 18


def test_the_frames_behind_a_skipped_stretch_are_the_same_pixels(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", regular(4), gop=GOP, b_frames=2)
    whole = {f.pts: f.bgr().tobytes() for f in frames(clip)}
    for skip in ([(0.0, 2.0)], [(1.0, 2.35)]):
        with FrameReader(clip, skip=skip) as reader:
            assert all(whole[f.pts] == f.bgr().tobytes() for f in reader)


def test_more_than_can_be_put_aside_is_decoded_after_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "HELD_BYTES", 1)
    assert skimmed(tmp_path, [(2, 6)])[0] == pytest.approx([i / 10 for i in range(10 * SECONDS)])
