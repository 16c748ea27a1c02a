"""A NUL in what is asked for: SQLite looks for it and finds nothing, PostgreSQL refuses to look."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine


@pytest.fixture
def engine(any_engine: Engine) -> Engine:
    return any_engine


@pytest.mark.parametrize("path", ["/videos/a%00b", "/plates/a%00b", "/videos/a%00b/frames"])
def test_nothing_has_such_a_name(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (404, 422), "no error of ours"
