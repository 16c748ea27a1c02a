"""Parameters that several calls take."""

from typing import Annotated

from pydantic import Field

LARGEST = 2**31 - 1
"""What PostgreSQL takes for an id."""
Number = Annotated[int, Field(ge=0, le=LARGEST)]
"""An id, or how many entries to pass over."""
