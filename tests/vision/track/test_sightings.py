"""Tracklets of one plate become one sighting; two plates stay two; a fragment or a street sign is never confirmed."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashcam.records import Box, Read
from dashcam.vision.read.voting import Vote, vote
from dashcam.vision.track import sightings as module
from dashcam.vision.track.pipeline import Evidence, Tracklet
from dashcam.vision.track.sightings import GAP_S, sightings

HERE: Box = (100, 100, 180, 125)
THERE: Box = (600, 100, 680, 125)


def tracklet(
    texts: Sequence[str],
    start: float = 0.0,
    *,
    box: Box = HERE,
    sure: float = 0.97,
    legible: float = 0.6,
    cut: bool = False,
) -> Tracklet:
    """One read every 0.2 s."""
    made = Tracklet()
    for index, text in enumerate(texts):
        t_s = round(start + 0.2 * index, 3)
        made.seen.append((t_s, box))
        read = Read(
            pts=round(t_s * 1000), t_s=t_s, box=box, text=text, confidence=sure, legibility=legible,
            slots=[{sign: sure} for sign in text],
        )  # fmt: skip
        made.evidence.append(Evidence(read, cut, text.encode()))
    return made


def found(*tracklets: Tracklet) -> list[tuple[str, bool]]:
    return [(s.vote.text, s.confirmed) for s in sightings(tracklets)]


def test_a_plate_that_is_lost_and_found_is_one_sighting() -> None:
    seen = sightings([tracklet(["AB12CDE"] * 3), tracklet(["AB12CDE"] * 2, 3.0)])
    assert [(s.vote.text, s.first_s, s.last_s) for s in seen] == [("AB12CDE", 0.0, 3.2)]


@pytest.mark.parametrize(("sure", "confirmed"), [(0.89, False), (0.96, True)])
def test_a_small_plate_is_told_surer_for_the_picture_of_all_its_crops_and_confirmed_as_if_it_were_not(
    sure: float, confirmed: bool
) -> None:
    singly = tracklet(["AB12CDE"] * 3, sure=sure)
    together = tracklet(["AB12CDE"] * 3, sure=sure)
    last = together.evidence[-1]
    together.evidence[-1] = replace(last, read=last.read.model_copy(update={"looks": 3}))
    (alone,), (fused,) = sightings([singly]), sightings([together])
    assert alone.vote.confidence == vote([e.read for e in alone.evidence]).confidence
    assert fused.vote.confidence > max(0.7, alone.vote.confidence)
    assert (alone.confirmed, fused.confirmed) == (confirmed, confirmed)


def test_a_plate_that_comes_back_much_later_is_seen_twice() -> None:
    assert found(tracklet(["AB12CDE"] * 2), tracklet(["AB12CDE"] * 2, 30)) == [("AB12CDE", True)] * 2


def test_a_misread_tracklet_joins_the_plate_it_is_of() -> None:
    assert found(tracklet(["AB12CDE"] * 3), tracklet(["A812CDE"], 1.0)) == [("AB12CDE", True)]


def test_two_plates_in_one_frame_stay_two_however_alike() -> None:
    assert len(found(tracklet(["AB12CDE"] * 3), tracklet(["AB12CDF"], 0.2, box=THERE))) == 2


def test_two_well_read_plates_one_after_the_other_stay_two() -> None:
    assert len(found(tracklet(["AB12CDE"] * 3), tracklet(["AB12CDF"] * 3, 2))) == 2


def test_a_fragment_joins_the_whole_and_is_not_a_plate_of_its_own() -> None:
    assert found(tracklet(["LT23"] * 2), tracklet(["LT23CGK"] * 3, 0.6)) == [("LT23CGK", True)]


def test_what_the_border_cuts_is_never_confirmed() -> None:
    assert found(tracklet(["AB12CD"] * 5, cut=True)) == [("AB12CD", False)]


def test_one_read_confirms_only_when_it_is_very_clear() -> None:
    assert found(tracklet(["AB12CDE"], sure=0.99, legible=0.8)) == [("AB12CDE", True)]
    assert found(tracklet(["AB12CDE"], sure=0.99, legible=0.3)) == [("AB12CDE", False)]
    assert found(tracklet(["AB12CDE"], sure=0.9, legible=0.8)) == [("AB12CDE", False)]


def test_two_agreeing_reads_confirm() -> None:
    assert found(tracklet(["AB12CDE"] * 2, sure=0.93, legible=0.4)) == [("AB12CDE", True)]


def evidence(*reads: tuple[float, float], pts: int | None = None) -> list[Evidence]:
    """Whole reads of one plate, each so (sure, legible), of frames of their own unless ``pts`` is one's."""
    made = tracklet(["AB12CDE"] * len(reads)).evidence
    frame = {} if pts is None else {"pts": pts}
    return [
        Evidence(one.read.model_copy(update={"confidence": sure, "legibility": legible} | frame), False, b"")
        for one, (sure, legible) in zip(made, reads, strict=True)
    ]


PLAIN, CLEAR = (0.9, 0.3), (0.96, 0.6)


@pytest.mark.parametrize(
    ("reads", "confirms"),
    [
        (evidence(PLAIN, PLAIN), True),
        (evidence(PLAIN, PLAIN, pts=1), False),
        (evidence(PLAIN, (0.9, 0.1)), False),
        (evidence(PLAIN), False),
        (evidence(CLEAR), True),
        (evidence((0.94, 0.6)), False),
        (evidence((0.96, 0.4)), False),
    ],
    ids=["two", "two of one frame", "two, one illegible", "one", "one clear", "one less sure", "one less legible"],
)
def test_a_plate_is_confirmed_by_two_reads_or_a_clear_one_and_by_a_vote_that_is_sure(
    reads: list[Evidence], confirms: bool
) -> None:
    assert module.is_confirmed(Vote("AB12CDE", 0.7, []), reads) is confirms
    assert not module.is_confirmed(Vote("AB12CDE", 0.69, []), reads)


@pytest.mark.parametrize("text", ["GARAGE", "010203"])
def test_a_word_or_a_number_is_confirmed_by_three_clear_reads_and_by_a_vote_that_is_very_sure(text: str) -> None:
    def confirmed(count: int, sure: float, legible: float, voted: float) -> bool:
        reads = tracklet([text] * count, sure=sure, legible=legible).evidence
        return module.is_confirmed(Vote(text, voted, []), reads)

    assert confirmed(3, 0.9, 0.4, 0.9)
    assert not confirmed(2, 0.9, 0.4, 0.9)
    assert not confirmed(3, 0.89, 0.4, 0.9)
    assert not confirmed(3, 0.9, 0.39, 0.9)
    assert not confirmed(3, 0.9, 0.4, 0.89)


def moving(text: str, reads: Sequence[tuple[float, float]], step: float) -> list[Evidence]:
    """Reads (sure, legible) of a box, 25 px high, that moves by ``step`` px between them."""
    made = tracklet([text] * len(reads)).evidence
    return [
        Evidence(
            one.read.model_copy(
                update={"confidence": sure, "legibility": legible, "box": (100 + step * i, 100, 180 + step * i, 125)}
            ),
            False,
            b"",
        )
        for i, (one, (sure, legible)) in enumerate(zip(made, reads, strict=True))
    ]


SURE, DIM = (0.9, 0.4), (0.7, 0.2)


@pytest.mark.parametrize(
    ("text", "reads", "step", "confirms"),
    [
        ("4519", [SURE, SURE, DIM], 7, True),
        ("4519", [SURE, SURE, DIM], 5, False),
        ("4519", [SURE, SURE], 20, False),
        ("4519", [SURE, DIM, DIM], 7, False),
        ("8831042", [SURE, SURE, DIM], 7, True),
        ("28062026", [SURE, SURE, DIM], 7, False),
        ("GARAGE", [SURE, SURE, DIM], 7, False),
    ],
    ids=["moves", "stands still", "two frames", "one sure read", "seven digits", "a date", "a word"],
)
def test_digits_alone_are_a_plate_where_they_move_as_one_does(
    text: str, reads: Sequence[tuple[float, float]], step: float, confirms: bool
) -> None:
    """Half the plate's height, 12.5 px, lies between 2 x 5 and 2 x 7."""
    assert module.is_confirmed(Vote(text, 0.7, []), moving(text, reads, step)) is confirms
    assert not module.is_confirmed(Vote(text, 0.69, []), moving(text, reads, step))


def test_two_reads_of_one_frame_are_one() -> None:
    twice = tracklet(["AB12CDE"], sure=0.93, legible=0.4)
    assert found(twice, twice) == [("AB12CDE", False)]


def test_lengths_no_plate_has_are_not_confirmed() -> None:
    assert found(tracklet(["A12"] * 4)) == [("A12", False)]
    assert found(tracklet(["20260628133"] * 4)) == []


def test_a_word_on_a_sign_needs_more() -> None:
    assert found(tracklet(["DIVERTED"] * 2, sure=0.8)) == [("DIVERTED", False)]
    assert found(tracklet(["EVERTON"] * 4, sure=0.98, legible=0.8)) == [("EVERTON", True)]


def test_a_date_burnt_into_the_picture_is_no_plate() -> None:
    assert found(tracklet(["2026062813"] * 5, sure=0.99, legible=0.9)) == [("2026062813", False)]
    assert found(tracklet(["8831042"] * 2)) == [("8831042", False)]
    assert found(tracklet(["8831042"] * 3)) == [("8831042", True)]


def test_noise_is_dropped() -> None:
    assert found(tracklet(["XQ"]), tracklet(["JKWPR7"], 20, sure=0.3, legible=0.02), Tracklet(seen=[(1.0, HERE)])) == []


def test_the_crop_shown_is_one_that_was_read_and_agrees() -> None:
    misread = tracklet(["A812CDE"], 0.6, legible=0.9)
    (seen,) = sightings([tracklet(["AB12CDE"] * 3), misread])
    assert seen.best.read.text == "AB12CDE"
    assert seen.best in seen.evidence
    assert seen.best.jpeg == b"AB12CDE"


def merged_one_by_one(tracklets: Sequence[Tracklet]) -> list[tuple[str, float, list[str]]]:
    """All pairs compared anew after each merge: what is meant, and far too slow for a street full of plates."""
    groups = [module._group(0, [t]) for t in tracklets]
    while True:
        groups.sort(key=lambda g: (g.first_s, g.vote.text))
        near = [
            (apart, gap, i, j)
            for (i, a), (j, b) in combinations(enumerate(groups), 2)
            if (gap := max(a.first_s, b.first_s) - min(a.last_s, b.last_s)) <= GAP_S
            and (apart := module._apart(a, b)) is not None
        ]
        if not near:
            return [(g.vote.text, g.last_s, [e.read.text for e in g.evidence]) for g in groups]
        _, _, i, j = min(near)
        right, left = groups.pop(j), groups.pop(i)
        groups.append(module._group(0, left.tracklets + right.tracklets))


READINGS = ("AB12CDE", "A812CDE", "AB12CDF", "AB12CD", "B12C", "DX17ZWH", "DX17ZW")
PIECES = st.builds(
    tracklet,
    st.lists(st.sampled_from(READINGS), min_size=1, max_size=3),
    st.integers(0, 60).map(lambda half: half / 2),
    box=st.sampled_from((HERE, THERE)),
    sure=st.sampled_from((0.6, 0.97)),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(PIECES, max_size=12))
def test_merging_takes_the_surest_pair_of_all_each_time(tracklets: list[Tracklet]) -> None:
    groups = module._Merging(GAP_S)
    for one in tracklets:
        groups.add([one])
    result = [(g.vote.text, g.last_s, [e.read.text for e in g.evidence]) for g in groups.merged()]
    assert result == merged_one_by_one(tracklets)


def test_a_street_full_of_plates_is_compared_pair_by_pair_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    distance = module.distance
    monkeypatch.setattr(module, "distance", lambda *pair: compared.append(pair) or distance(*pair))
    street = [tracklet([f"{number:02}XY{number:02}Z"], number + piece / 2) for number in range(30) for piece in (0, 1)]
    assert len(sightings(street)) == 30
    assert len({(id(left), id(right)) for left, right in compared}) == len(compared) > 100
