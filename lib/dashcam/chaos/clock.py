"""A clock that stands until it is moved, for the modules that ask what time it is."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, tzinfo
from unittest import mock

from dashcam.catalog import apply, arrival, holdings
from dashcam.tasks import table
from dashcam.tasks.chain import STAGES
from dashcam.upkeep import removing

BEGIN = datetime(2026, 6, 28, 12, 0, tzinfo=UTC)
ASKING = (table, arrival, apply, holdings, removing)


class StandingClock:
    """The main server's: stands until it is moved."""

    def __init__(self, now: datetime = BEGIN) -> None:
        self.now = now

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Whoever asks in the tables' modules what time it is, is told this one. Afterwards revisions that were raised
        are what they were."""
        clock = self

        class Moved(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return clock.now.astimezone(tz)

        with ExitStack() as held:
            for module in ASKING:
                held.enter_context(mock.patch.object(module, "datetime", Moved))
            held.enter_context(mock.patch.dict(STAGES))
            yield
