"""How a plate's text is compared: as typed, and as a camera may have misread it."""

from collections.abc import Iterator

from dashcam.records import HIDDEN, alike

CONFUSION_COST = 0.25
"""Of one confused character, where any other difference costs 1."""
MIN_LENGTH = 4
"""Below so many characters a difference of one would find nearly everything."""


def normalised(text: str) -> str:
    """A plate as it is stored: letters and digits, upper case."""
    return "".join(character for character in text.upper() if character.isalnum())


def looked_for(text: str) -> str:
    """Of what somebody typed what a plate can have: letters, digits and the signs of a pattern."""
    return "".join(one if one in "?*" else normalised(one) for one in text)


def canonical(text: str) -> str:
    """A plate as `alike` ones are looked up."""
    return alike(normalised(text))


def suffixes(text: str) -> list[str]:
    """Every end of the canonical text: what contains a fragment has an end that begins with it. Of a hash none."""
    whole = "" if text.startswith(HIDDEN) else canonical(text)
    return [whole[start:] for start in range(len(whole))]


def near_keys(text: str) -> set[str]:
    """The canonical text, and each with one character left out.

    Two texts that differ by one missing, added, wrong or swapped character share a key (the deletion neighbourhood of
    SymSpell, W. Garbe 2012); texts that share one may differ by two.
    """
    whole = "" if text.startswith(HIDDEN) else canonical(text)
    return {whole, *(whole[:at] + whole[at + 1 :] for at in range(len(whole)))} - {""}


def misread_cost(wanted: str, text: str) -> float | None:
    """How far ``text`` is from what was looked for; None when it is no likely misreading of it.

    0 contains it as it is; below 1 contains it but for confused characters; from 1 on it is the whole plate with one
    character missing, added, wrong or swapped with its neighbour.
    """
    wanted, text = normalised(wanted), normalised(text)
    within = min(fragment_costs(wanted, text), default=None)
    if within is None and len(wanted) >= MIN_LENGTH:
        return one_edit_cost(wanted, text)
    return within


def fragment_costs(wanted: str, text: str) -> Iterator[float]:
    """The cost at each place where the fragment stands but for confused characters."""
    size, fragment, whole = len(wanted), canonical(wanted), canonical(text)
    for start in range(len(whole) - size + 1):
        if whole.startswith(fragment, start):
            yield min(CONFUSION_COST * different(text[start : start + size], wanted), 0.99)


def one_edit_cost(wanted: str, text: str) -> float | None:
    """1 and the confusions beside it, when one edit of the whole makes the rest equal but for confusion."""
    a, b = canonical(wanted), canonical(text)
    if abs(len(a) - len(b)) > 1:
        return None
    same = next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    edits = [(1, 1), (0, 1), (1, 0)]  # characters left out of wanted and of text: wrong, added, missing
    if a[same : same + 2] == b[same : same + 2][::-1]:
        edits.append((2, 2))
    for from_a, from_b in edits:
        if a[same + from_a :] == b[same + from_b :]:
            head = different(wanted[:same], text[:same])
            return 1 + CONFUSION_COST * (head + different(wanted[same + from_a :], text[same + from_b :]))
    return None


def different(a: str, b: str) -> int:
    return sum(x != y for x, y in zip(a, b, strict=True))
