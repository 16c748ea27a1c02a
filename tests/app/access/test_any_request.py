"""The whole API by its own description, asked with what it allows and what it does not: never an error of ours.

schemathesis draws the requests, the same in each run. ``make fuzz-api`` draws more: ``DASHCAM_EXAMPLES``, ``SEED``.
"""

import os
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

from app.access.rules import rule_of
from dashcam.access.roles import Role
from dashcam.catalog.deriving import derive_everything
from dashcam.config import Site
from dashcam.database import writing
from tests.app.access.conftest import HOST, Home
from tests.app.conftest import TOKEN
from tests.catalog.rows import NOON, add_route, add_sighting, add_task, add_video

EXAMPLES = int(os.environ.get("DASHCAM_EXAMPLES") or 4)
SEED = os.environ.get("SEED")
OPEN = {"GET /api/v1/health", "POST /api/v1/auth/token", "POST /api/v1/join"}
MODES = st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
HURRY = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example]


@pytest.fixture
def filled(home: Home) -> Home:
    """With something of each kind, so that what is drawn meets more than an empty catalogue."""
    with writing(home.here.engine) as session:
        for number in (1, 2):
            video = add_video(session, number)
            add_route(session, video)
            add_sighting(session, video, "B577PRO", 1.0, lat=44.43, lon=26.1)
            add_task(session, video, state="complete", completed_at=NOON)
    derive_everything(home.here.engine, Site().trips)
    home.add("ana", Role.ADMIN)
    home.device()
    home.program(TOKEN).post("/devices/heartbeat", json={"hostname": "jetson-1", "device_type": "jetson_coral"})
    return home


THERE: dict[str, list[Any]] = {
    "video_id": [f"{1:016x}", f"{2:016x}"],
    "task_id": [1, 2],
    "trip_id": [1, 2],
    "plate": ["B577PRO"],
    "token_id": [1],
    "plan_id": [1],
    "hostname": ["jetson-1"],
    "name": ["ana"],
}
"""Values that are there, by the name of the parameter in the path."""


def asked(browser: TestClient, case: Case, headers: dict[str, str]) -> httpx.Response:
    request = case.as_transport_kwargs(base_url=f"http://{HOST}")
    request["headers"] = {name: value for name, value in request["headers"].items() if value.isascii()} | headers
    cookies = request.pop("cookies", None) or {}
    if cookies:
        request["headers"]["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return browser.request(**request)


def each_operation(home: Home, check: Callable[[Case, Any], None], examples: int) -> int:
    """Draw so many requests to each; how many operations there are."""
    described = schemathesis.openapi.from_dict(home.whole.app.openapi())  # type: ignore[attr-defined]
    operations = [one.ok() for one in described.get_all_operations()]
    for operation in operations:
        requests(operation, check, examples)()
    return len(operations)


def requests(operation: Any, check: Callable[[Case, Any], None], examples: int) -> Callable[[], None]:
    @settings(
        max_examples=examples,
        derandomize=SEED is None,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=HURRY,
    )
    @given(data=st.data())
    def drawn(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=data.draw(MODES)))
        for name, values in THERE.items():
            if name in (case.path_parameters or {}) and data.draw(st.booleans()):
                case.path_parameters[name] = data.draw(st.sampled_from(values))
        check(case, data)

    return seed(int(SEED))(drawn) if SEED else drawn


def test_nothing_that_is_asked_is_an_error_of_ours(filled: Home) -> None:
    browser, wrong = filled.client(f"http://{HOST}", raise_server_exceptions=False), {}

    def check(case: Case, _: Any) -> None:
        answer = asked(browser, case, {"Authorization": f"Bearer {TOKEN}"})
        if answer.status_code >= 500:
            wrong.setdefault(case.operation.label, f"{answer.status_code} {case.as_curl_command()} {answer.text[:500]}")

    assert each_operation(filled, check, EXAMPLES) > 70
    assert wrong == {}


def test_nothing_but_health_and_log_in_answers_without_a_token(filled: Home) -> None:
    browser, answered = filled.browser(), set()

    def check(case: Case, data: Any) -> None:
        proof = data.draw(st.sampled_from([{}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {TOKEN}"}]))
        if asked(browser, case, proof).status_code != 401:
            answered.add(case.operation.label)

    each_operation(filled, check, max(1, EXAMPLES // 3))
    assert answered <= OPEN
    assert all(rule_of(label.split()[1], label.split()[0])[0].least is None for label in OPEN)
