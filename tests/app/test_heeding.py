"""What admins say of the site counts, whoever says something at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Event

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.system import System
from dashcam.catalog import site_words
from dashcam.config import Site
from dashcam.storage.roots import Stores
from tests.catalog.rows import NOON


def test_who_has_read_before_another_said_something_does_not_have_the_last_word(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = System(engine, Site(), Stores({}), "token")
    read, said, heeded = Event(), Event(), site_words.heeded

    def first_waits(session: Session, site: Site) -> Site:
        found = heeded(session, site)
        if not read.is_set():
            read.set()
            said.wait(0.5)
        return found

    monkeypatch.setattr(site_words, "heeded", first_waits)
    rules = {"enabled": False, "lowres_months": None}
    with ThreadPoolExecutor() as beside:
        first = beside.submit(here.heed)
        assert read.wait(5)
        later = partial(site_words.say_retention, who="ana", now=NOON + timedelta(days=1), raw_videos=45, **rules)
        here.settle(later)
        said.set()
        first.result()
    assert here.site.global_.storage_retention_days.raw_videos == 45
