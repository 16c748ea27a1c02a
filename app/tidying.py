"""What pages leave behind is looked for when nobody waits: a page's elements name each other, and only Python's
collector finds them gone.

By itself it looks through everything that lives, a fifth of a second now and then in the middle of somebody's page.
"""

import asyncio
import gc
import time

SELDOM = 5_000, 5, 40
"""Of new objects, and of the looks at these before one at older ones and at all: after a million all are looked at
however busy it is, with Python's own numbers after 70,000."""
LOOK_S = 2.0
AT_REST = 0.05
"""Of a core."""
APART_S = 60.0
"""At least, between two looks at all that lives: one costs as much as a page, and somebody who reads each page for two
seconds would have one at every eighth."""


def begin() -> None:
    """Once all is imported, which is never looked through again."""
    gc.set_threshold(*SELDOM)
    gc.freeze()


async def go_on(look_s: float = LOOK_S, apart_s: float = APART_S) -> None:
    """Until cancelled."""
    while True:
        spent = time.process_time()
        await asyncio.sleep(look_s)
        if time.process_time() - spent < AT_REST * look_s and something_came():
            gc.collect()
            await asyncio.sleep(apart_s)


def something_came() -> bool:
    """Since all was last looked through: at rest next to nothing does."""
    return gc.get_count()[2] > 0
