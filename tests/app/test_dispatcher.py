"""What the dispatcher makes of a run that has ended."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelled, Crashed

from app.dispatcher import GIVING_BACK, being_given_back

JUST_NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("state", "resting", "waits"),
    [
        (Crashed(timestamp=JUST_NOW), {"gpu-pc"}, True),
        (Crashed(timestamp=JUST_NOW), {"other-pc"}, False),
        (Crashed(timestamp=JUST_NOW - GIVING_BACK - timedelta(seconds=1)), {"gpu-pc"}, False),
        (Cancelled(timestamp=JUST_NOW), {"gpu-pc"}, False),
        (None, {"gpu-pc"}, False),
    ],
)
def test_only_a_crash_under_a_worker_that_gives_way_is_left_alone_for_a_while(
    state: object, resting: set[str], waits: bool
) -> None:
    run = FlowRun(flow_id=uuid4(), state=state, labels={"prefect.worker.name": "gpu-pc"})
    assert being_given_back(run, resting) is waits
