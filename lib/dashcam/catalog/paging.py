"""Lists run newest first and are continued with a `Cursor`, so that page 1,000 costs what page 1 costs."""

from datetime import datetime
from typing import Any, NamedTuple


class Cursor(NamedTuple):
    """The last entry shown: its time and its key."""

    when: datetime
    key: Any
