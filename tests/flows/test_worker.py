"""Several workers on one machine keep out of each other's way; two of one pool are one too many."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, temporary_settings

from dashcam import NO_USE_TRYING, config
from flows import worker
from flows.scratch import empty
from flows.worker import PoolTaken, alone


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "devices").mkdir()
    for name in ("DASHCAM_POOL", "DASHCAM_DEVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DASHCAM_CONFIG", str(tmp_path))
    return tmp_path


def write(folder: Path, name: str, **device: object) -> None:
    (folder / "devices" / f"{name}.json").write_text(json.dumps(device))


def test_a_machine_is_a_device_of_its_own_in_each_pool(folder: Path, tmp_path: Path) -> None:
    write(folder, "pc.lan", device_type="rtx_4090", storage={"local_scratch": str(tmp_path)}, sample_fps=3)
    gpu, nas = (config.load_device(hostname="pc.lan", pool=pool) for pool in ("gpu", "nas"))
    assert (gpu.hostname, nas.hostname) == ("pc.lan", "pc-nas"), "names of heartbeat and pause"
    assert gpu.sample_fps == nas.sample_fps == 3
    assert gpu.scratch != nas.scratch and gpu.scratch.parent == nas.scratch.parent


def test_what_is_written_about_a_part_of_a_machine_counts_for_it(folder: Path) -> None:
    write(folder, "pc", device_type="rtx_4090", sample_fps=3)
    write(folder, "pc-server", device_type="main_server", sample_fps=4)
    assert config.load_device(hostname="pc", pool="server").hostname == "pc-server"
    assert config.load_device(hostname="pc", pool="server").sample_fps == 4


def test_a_flow_goes_by_the_pool_of_its_worker(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHCAM_DEVICE", "pc")
    monkeypatch.setenv("DASHCAM_POOL", "nas")
    assert config.load_device().hostname == "pc-nas"
    assert config.load_device().scratch.name == "nas"


def test_a_second_worker_of_a_pool_is_refused_while_the_first_runs(tmp_path: Path) -> None:
    with alone("gpu", tmp_path / "gpu"):
        with pytest.raises(PoolTaken, match=r"the pool gpu runs on this machine already.*stop it first"):
            alone("gpu", tmp_path / "gpu")
        alone("nas", tmp_path / "nas").release()
    alone("gpu", tmp_path / "gpu").release()


def test_the_first_may_have_been_killed(tmp_path: Path) -> None:
    """What it held ends with it."""
    code = f"""
import os
from pathlib import Path
from flows.worker import alone
held = alone("gpu", Path({str(tmp_path)!r}) / "gpu")
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, check=False, timeout=60)
    assert done.returncode == -9
    alone("gpu", tmp_path / "gpu").release()


def test_a_scratch_is_emptied_at_the_start_but_for_results_that_wait(tmp_path: Path) -> None:
    scratch = tmp_path / "gpu"
    (scratch / "clip-1" / "deep").mkdir(parents=True)
    (scratch / "clip-1" / "deep" / "frame").write_text("")
    (scratch / "left.tmp").write_text("")
    (scratch / "undelivered").mkdir()
    (scratch / "undelivered" / "7.json").write_text("{}")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").write_text("")
    (scratch / "link").symlink_to(tmp_path / "elsewhere")
    empty(scratch)
    assert [path.relative_to(scratch).as_posix() for path in sorted(scratch.rglob("*"))] == [
        "undelivered",
        "undelivered/7.json",
    ]
    assert (tmp_path / "elsewhere" / "kept").exists()


DOOR = "https://main-server/prefect/api"


def answer(status: int) -> PrefectHTTPStatusError:
    request = httpx.Request("POST", f"{DOOR}/work_pools/gpu/get_scheduled_flow_runs")
    response = httpx.Response(status, request=request, json={"detail": "no"})
    return PrefectHTTPStatusError("said no", request=request, response=response)


def test_a_device_that_was_revoked_ends_with_a_sentence_and_is_not_started_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As Prefect's worker ends: one error among several, in groups."""

    async def ends(error: Exception) -> None:
        raise error

    monkeypatch.setattr(sys, "argv", ["worker", "gpu"])
    for ended in (answer(401), ExceptionGroup("of a worker", [ExceptionGroup("of its tasks", [answer(401)])])):
        monkeypatch.setattr(worker, "work_for", lambda *_, ended=ended: ends(ended))
        with temporary_settings({PREFECT_API_URL: DOOR}), pytest.raises(SystemExit) as ending:
            worker.main()
        assert ending.value.code == NO_USE_TRYING
        assert "does not accept this machine's login" in capsys.readouterr().err
    other = ExceptionGroup("of a worker", [answer(500)])
    monkeypatch.setattr(worker, "work_for", lambda *_: ends(other))
    with temporary_settings({PREFECT_API_URL: DOOR}), pytest.raises(ExceptionGroup):
        worker.main()
