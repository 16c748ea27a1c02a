"""Weighs how the plates of the newest trips were met before anybody asks: who opens Tonight sees it at once."""

import asyncio
import logging
import math
import time
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from app.access import callers
from dashcam.catalog import meanings, tonight, watching
from dashcam.catalog.meanings import Weighing
from dashcam.database import reading

if TYPE_CHECKING:
    from app.system import System

LOOK_S = 60.0
WEIGHED_S = 0.05
"""Of CPU, at once."""
SHARE = 0.02
"""Of one core."""
log = logging.getLogger("dashcam")


class Ahead:
    """One per main server. At rest it asks the database nothing."""

    def __init__(self, here: "System") -> None:
        self.here = here
        self.looked = -math.inf
        self.since: tuple[int, ...] = ()
        """How often the tables had been written to when all was weighed."""

    async def go_on(self) -> None:
        """Until cancelled."""
        while True:
            rest_s = LOOK_S
            try:
                rest_s = await asyncio.to_thread(self.look)
            except SQLAlchemyError as error:
                log.warning("how plates were met is not weighed ahead (%s); who looks at them waits", error)
            await asyncio.sleep(rest_s)

    def look(self) -> float:
        """Weighs a few, for whoever may see all; in how many seconds the next are to be."""
        began = time.thread_time()
        with reading(self.here.engine) as session:
            since = meanings.since(session)
            if since == self.since and time.monotonic() - self.looked < meanings.KEPT_S:
                return LOOK_S
            look = Weighing(session, self.here.meanings, self.here.zone(), WEIGHED_S, callers.view())
            tonight.weigh(session, look, watching.numbers(session, self.here.site))
        if look.left:
            return (time.thread_time() - began) / SHARE
        self.looked, self.since = time.monotonic(), since
        return LOOK_S
