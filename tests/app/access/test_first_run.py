"""What a home without any clip is offered, and whom."""

import asyncio

import pytest
from sqlalchemy import select

from app import samples
from app.pages import first_run
from dashcam.access.roles import Role
from dashcam.catalog.models import Video
from dashcam.database import reading
from tests.app.access.conftest import Home

OFFER = "Try it with a sample drive"


@pytest.mark.parametrize(("role", "offered"), [(Role.MEMBER, True), (Role.VIEWER, False)])
def test_tonight_offers_it_to_who_may_change_something(home: Home, role: Role, offered: bool) -> None:
    home.add("ana", role)
    page = home.logged_in("ana").get("/").text
    assert "No clips yet" in page and (OFFER in page) is offered


def test_its_clips_are_taken_in_at_once(home: Home) -> None:
    home.here.sample.seconds = 1
    assert asyncio.run(home.here.sample.draw()) == ""
    first_run.take_in(home.here)
    with reading(home.here.engine) as session:
        sources = set(session.scalars(select(Video.source)))
    assert len(sources) == 3 and all(one.startswith(f"{samples.FOLDER}/") for one in sources)
