"""The vote: what most and clearest reads say wins, in whatever order they come, and agreement never hurts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.records import Read
from dashcam.vision.read.voting import align, candidates, distance, fuse, support, vote

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
texts = st.text(ALPHABET, min_size=1, max_size=7)


def read(text: str, sure: float = 0.9, legibility: float = 0.8, other: str = "") -> Read:
    """A read with ``sure`` on each of its characters; ``other`` gets what is left, slot by slot."""
    slots = [{sign: sure} for sign in text]
    for slot, sign in zip(slots, other, strict=False):
        if sign not in slot:
            slot[sign] = 1 - sure
    return Read(pts=0, t_s=0, box=(0, 0, 9, 9), text=text, confidence=sure, legibility=legibility, slots=slots)


@st.composite
def uncertain_reads(draw: st.DrawFn, text: str | None = None) -> Read:
    """Any distributions whose most likely characters spell the text."""
    text = draw(texts) if text is None else text
    slots = []
    for sign in text:
        best = draw(st.floats(0.35, 1.0))
        others = draw(st.lists(st.sampled_from(ALPHABET), max_size=3, unique=True))
        share = min(best, (1 - best) / max(1, len(others))) * 0.99
        slots.append({s: share for s in others if s != sign} | {sign: best})
    legibility = draw(st.floats(0.0, 1.0))
    return Read(pts=0, t_s=0, box=(0, 0, 9, 9), text=text, confidence=0.5, legibility=legibility, slots=slots)


@given(st.lists(uncertain_reads(), min_size=1, max_size=4), st.randoms())
def test_the_order_of_reads_does_not_matter(reads: list[Read], random) -> None:
    shuffled = list(reads)
    random.shuffle(shuffled)
    assert vote(shuffled) == vote(reads)


@given(texts, st.data())
def test_unanimous_reads_win(text: str, data: st.DataObject) -> None:
    reads = data.draw(st.lists(uncertain_reads(text), min_size=1, max_size=6))
    assert vote(reads).text == text


@given(st.lists(uncertain_reads(), min_size=1, max_size=4), st.data())
def test_an_agreeing_read_never_moves_its_text_down(reads: list[Read], data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([r.text for r in reads]))
    more = [*reads, data.draw(uncertain_reads(text))]
    for rival in candidates(reads) | candidates(more):
        before = support(text, reads) - support(rival, reads)
        after = support(text, more) - support(rival, more)
        assert after >= before - 1e-9


@given(st.lists(uncertain_reads(), min_size=1, max_size=5))
def test_confidence_and_slots_are_probabilities_of_the_text(reads: list[Read]) -> None:
    result = vote(reads)
    assert 0 <= result.confidence <= 1
    assert len(result.probabilities) == len(result.text)
    assert all(sum(slot.values()) <= 1.01 for slot in result.probabilities)


@given(texts, st.integers(1, 5), st.floats(0.5, 1.0))
def test_more_of_the_same_is_surer(text: str, count: int, sure: float) -> None:
    fewer, more = [read(text, sure)] * count, [read(text, sure)] * (count + 1)
    assert vote(more).confidence >= vote(fewer).confidence


def test_a_clear_read_beats_two_smears() -> None:
    assert vote([read("AB12CDE", 0.99, 0.9), read("A812CDE", 0.5, 0.1), read("A812CDE", 0.5, 0.1)]).text == "AB12CDE"


def test_characters_are_put_together_from_different_reads() -> None:
    # nobody read it right: each is unsure in another place and nearly right there
    reads = [read("8B12C", 0.55, other="A"), read("AB1ZC", 0.9), read("AB12G", 0.9), read("A812C", 0.9)]
    assert vote(reads).text == "AB12C"


def test_a_fragment_supports_the_whole() -> None:
    whole, part = read("LT23CGK"), read("LT23", legibility=0.4)
    assert vote([whole, part, part]).text == "LT23CGK"
    assert vote([whole, part]).confidence >= 0.5 * vote([whole]).confidence


def test_a_character_seen_once_beside_the_plate_is_not_part_of_it() -> None:
    assert vote([read("AB12CDE"), read("AB12CDE"), read("1AB12CDE")]).text == "AB12CDE"


def test_reads_with_more_characters_make_the_plate_less_sure() -> None:
    """By half of what they weigh: what is beside the plate may be a part of it."""
    short, longer = read("AB12CDE"), read("AB12CDEF")
    _, sure = fuse("AB12CDE", [short] * 4)
    _, doubted = fuse("AB12CDE", [short] * 3 + [longer])
    assert doubted == pytest.approx(sure * (1 - 0.5 / 4))
    assert vote([short] * 3 + [longer]).confidence < vote([short] * 4).confidence


def test_alignment_finds_the_missing_character() -> None:
    score, shown = align("BR07AAC", read("BR07AC").slots)
    assert [s is None for s in shown].count(True) == 1
    assert shown[:4] == [0, 1, 2, 3]
    assert score < 0


def test_distance_counts_characters_and_forgives_what_the_distributions_share() -> None:
    assert distance(read("AB12").slots, read("AB12").slots) == 0
    assert distance(read("AB12").slots, read("AC12").slots) == 1
    assert distance(read("AB12", 0.6, other="A812").slots, read("A812", 0.6, other="AB12").slots) < 0.5
    assert distance(read("AB12").slots, read("AB123").slots) == 1
