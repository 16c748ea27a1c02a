"""How likely a search is what stood on a plate: the exact text is certain, more probability never ranks lower."""

import math

from hypothesis import given
from hypothesis import strategies as st

from dashcam.catalog.confusions import ALPHABET, ANY, code, measured, of_track, table
from dashcam.catalog.likeness import Difference, Plates, explained, packed, unpacked

TEXT = st.text(ALPHABET, min_size=4, max_size=8)
PATTERN = st.text("AB8O017?*", min_size=1, max_size=9)


def likelihood(query: str, text: str, alternatives: bytes | None = None) -> float:
    return float(Plates([text], [alternatives], measured()).likelihoods(query)[0])


@given(TEXT, st.data())
def test_the_text_its_parts_and_patterns_of_it_are_certain(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    queries = [text, text[start:end], text[:start] + "?" + text[start + 1 :], text[:start] + "*" + text[end:]]
    for query in queries:
        assert likelihood(query, text) == 1
        assert explained(query, text, None, measured()).differences == ()


@given(PATTERN, st.lists(st.text("AB8O017", min_size=1, max_size=7), min_size=1, max_size=5), st.data())
def test_all_plates_at_once_are_as_likely_as_each_explained(query: str, texts: list[str], data: st.DataObject) -> None:
    told = [data.draw(st.none() | st.just(packed(text, [[{one: 0.6, "8": 0.3} for one in text]]))) for text in texts]
    found = Plates(texts, told, measured()).likelihoods(query)
    for text, alternatives, share in zip(texts, told, found.tolist(), strict=True):
        match = explained(query, text, alternatives, measured())
        assert math.isclose(match.likelihood, share, rel_tol=1e-9)
        assert bool(match.differences) == (share < 1)


@given(TEXT, st.integers(0, 7), st.floats(0, 0.9), st.floats(0, 0.9))
def test_more_probability_never_ranks_lower(text: str, at: int, one: float, other: float) -> None:
    at %= len(text)
    asked = "B" if text[at] != "B" else "8"
    query = text[:at] + asked + text[at + 1 :]
    few, many = sorted((one, other))
    slots = [{sign: 1.0} for sign in text]
    shares = [
        likelihood(query, text, packed(text, [[*slots[:at], {text[at]: 1 - share, asked: share}, *slots[at + 1 :]]]))
        for share in (few, many)
    ]
    assert shares[0] <= shares[1] < 1


def test_what_differs_is_said() -> None:
    def differs(query: str, text: str) -> tuple[Difference, ...]:
        return explained(query, text, None, measured()).differences

    assert differs("B577PR0", "B577PRO") == (Difference(6, "O", "0"),)
    assert differs("LT23CGKK", "LT23CGK") == (Difference(7, "", "K"),)
    assert differs("TL23CGK", "LT23CGK") == (Difference(0, "LT", "TL"),)
    assert differs("L?2B*K", "LT28CGK") == (Difference(3, "8", "B"),)


def test_what_a_plates_own_reads_say_counts_more_than_what_readers_confuse() -> None:
    doubted = packed(
        "LT28CGK", [[{one: 0.9} for one in "LT2"] + [{"8": 0.5, "B": 0.45}] + [{one: 0.9} for one in "CGK"]]
    )
    sure = packed("LT28CGK", [[{one: 0.99} for one in "LT28CGK"]])
    assert likelihood("LT2BCGK", "LT28CGK", sure) < likelihood("LT2BCGK", "LT28CGK")
    assert likelihood("LT2BCGK", "LT28CGK") < likelihood("LT2BCGK", "LT28CGK", doubted)
    assert [(at, sign) for at, sign, _ in unpacked(doubted)] == [(3, "B")]


def test_our_own_reads_and_peoples_corrections_teach_what_is_confused() -> None:
    reads = [{"text": "AB12CDE"}, {"text": "AB12CDF"}, {"text": "AB12CD"}]
    pairs = list(of_track("AB12CDE", reads))
    assert ("F", "E") in pairs and len(pairs) == 14
    before, after = measured(), table([{("F", "E"): 100}])
    assert after[code("F"), code("E")] > before[code("F"), code("E")] > ANY
    assert table([{("", "E"): 5, ("Ä", "E"): 5}]).tolist() == before.tolist(), "what is no character of a plate"
