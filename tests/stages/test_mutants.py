"""Clips damaged in every way, through all stages: each is processed or rejected in words (``make fuzz-clips``)."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fuzz.clips import Outcome, outcome_of, sources
from tests.fuzz.mutations import MUTATIONS, Mutant, Source, mutant

pytestmark = pytest.mark.timeout(280)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[Source]:
    return sources(tmp_path_factory.mktemp("whole"), None)


@pytest.fixture
def goes(tmp_path: Path) -> Callable[[Mutant], Outcome]:
    def through(one: Mutant) -> Outcome:
        (tmp_path / "one").mkdir()
        return outcome_of(one, 0, tmp_path / "one")

    return through


@pytest.mark.parametrize("kind", sorted({name for name, _ in MUTATIONS}))
def test_each_kind_of_damage_ends_in_words(kind: str, whole: list[Source], goes: Callable[[Mutant], Outcome]) -> None:
    """Another one each day; its seed is told when it fails."""
    day = int(time.time() // 86400) * 1000
    seed = next(seed for seed in range(day, day + 1000) if f"_{kind}." in mutant(whole, seed).name)
    outcome = goes(mutant(whole, seed))
    assert not outcome.is_violation, f"python -m tests.fuzz.clips 1 --seed {seed}: {outcome}"


def real(shared: Path, name: str) -> Source:
    (path,) = (shared / "data").rglob(name)
    return Source(name, path.read_bytes())


@pytest.mark.parametrize(
    ("name", "begin", "end"),
    [("novatek-a119v3-real.TS", 67278, 137955), ("gopro-hero5-real.mp4", 25663, 26115)],
    ids=["sound that goes back in time", "frames that do not decode"],
)
def test_a_part_that_lies_twice(
    name: str, begin: int, end: int, shared: Path, goes: Callable[[Mutant], Outcome]
) -> None:
    data = real(shared, name).data
    outcome = goes(Mutant(f"twice{Path(name).suffix}", data[:end] + data[begin:], name))
    assert not outcome.is_violation, outcome


def test_sound_of_which_a_stretch_is_zeros(shared: Path, goes: Callable[[Mutant], Outcome]) -> None:
    """The copy takes sound as it is, and its container refuses a packet without a head."""
    data = real(shared, "novatek-a119v3-real.TS").data
    outcome = goes(Mutant("hole.TS", data[:21194] + bytes(73982 - 21194) + data[73982:], "hole"))
    assert outcome.kind == "processed", outcome


def test_another_container_behind_a_stream(shared: Path, goes: Callable[[Mutant], Outcome]) -> None:
    """FFmpeg ends it with "try again", which is no word of the disk's."""
    data = real(shared, "novatek-a119v3-real.TS").data + real(shared, "incar-romania-1fps.mp4").data
    outcome = goes(Mutant("appended.TS", data, "both"))
    assert outcome.kind == "processed", outcome


def test_words_that_are_no_utf8(whole: list[Source], goes: Callable[[Mutant], Outcome]) -> None:
    (clip,) = (one for one in whole if one.name.endswith(".MKV"))
    assert b"Lavf" in clip.data
    outcome = goes(Mutant("title.MKV", clip.data.replace(b"Lavf", b"L\xe4vf"), clip.name))
    assert outcome.kind == "processed", outcome
