"""The real system under a few faults; and that what is looked at afterwards sees what is wrong."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from dashcam.chaos import real
from dashcam.chaos.clips import base_clips
from dashcam.chaos.real import Warm, run_seed, warm_system
from dashcam.database import open_engine

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    folder = tmp_path_factory.mktemp("chaos")
    with warm_system(folder / "system", base_clips(folder / "base"), {}, print) as system:
        yield system


def test_nothing_is_lost_when_flow_and_app_die(warm: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real, "FAULTS_A_SEED", (3, 3))
    report = run_seed(warm, 4, ["kill-heavy", "kill-app", "network-refused"], print)
    assert report.violations == []
    assert len(report.injections) >= 2


def test_a_doubled_sighting_is_seen(warm: Warm) -> None:
    engine = open_engine(f"sqlite:///{warm.driven.data / 'dashcam.db'}")
    with engine.begin() as database:
        columns = [row[1] for row in database.execute(text("PRAGMA table_info(sighting)")) if row[1] != "sighting_id"]
        kept = ", ".join(column for column in columns if column != "crop")
        database.execute(
            text(f"INSERT INTO sighting ({kept}, crop) SELECT {kept}, crop || '.again' FROM sighting LIMIT 1")
        )
    engine.dispose()
    assert {"nothing-twice", "metadata-equal"} <= {invariant for invariant, _ in warm.breaches()}
