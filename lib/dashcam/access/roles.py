"""What a person may be, from the least to the most."""

from enum import IntEnum


class Role(IntEnum):
    VIEWER = 1
    """Videos, trips and maps; nothing that names a plate."""
    MEMBER = 2
    """All that there is, and corrections of it."""
    ADMIN = 3
    """Also what is kept for how long, devices, people and tokens."""

    @property
    def word(self) -> str:
        return self.name.lower()


WORDS = tuple(role.word for role in Role)


def role_of(word: str) -> Role:
    """``ValueError`` for what is none."""
    try:
        return Role[word.upper()]
    except KeyError:
        raise ValueError(f"{word!r} is no role; there are {', '.join(WORDS)}") from None
