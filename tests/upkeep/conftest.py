"""A site that was made once, and a copy of it for each test that asks."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashcam.config import Site
from tests.catalog.car import Car
from tests.upkeep import made_site
from tests.upkeep.lived import Lived, new_database
from tests.upkeep.made_site import MadeSite


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clips that have been through, made once; two plates in each, one of them in all of no two."""
    folder = tmp_path_factory.mktemp("made")
    site = MadeSite(new_database(folder / "old.db"), folder)
    car = Car()
    car.drive(made_site.NOON, 6)
    for number, facts in enumerate(car.clips[:3]):
        site.process(facts, number)
    site.engine.dispose()
    return folder


@pytest.fixture
def lived(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lived]:
    shutil.copytree(made, tmp_path / "site")
    file = tmp_path / "site/old.db"
    settings = Site.model_validate({"server": {"database_url": f"sqlite:///{file}", "url": "http://127.0.0.1:9"}})
    monkeypatch.setattr(made_site, "SITE", settings)
    one = Lived(MadeSite(new_database(file), tmp_path / "site"), settings)
    yield one
    one.engine.dispose()
