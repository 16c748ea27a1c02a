"""The whole job with real processes: clips in, plates out, nothing lost, nothing done twice."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psutil
import pytest

from dashcam import sqlite
from dashcam.bench.pipeline import PROCESS, rows_of
from dashcam.config.model import MARKER
from dashcam.embedded.job import local_ref
from dashcam.gps.track import Track
from dashcam.records import Manifest
from dashcam.sample import TrueClip, Truth, short_clips
from dashcam.storage import bundle
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import TaskType
from tests.conftest import REPOSITORY
from tests.system.running import Running, dashcam, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

FLOWS = [stage.flow for stage in STAGES.values()]


@pytest.fixture(scope="session")
def processed(running: Running, drive: Path) -> dict[str, Any]:
    report, ended = running.process_clips(drive)
    assert ended.returncode == 0, ended.stderr
    return report


@pytest.fixture(scope="session")
def truth(drive: Path) -> Truth:
    return Truth.model_validate_json((drive / "truth.json").read_text())


def by_file(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {Path(video["file"]).name: video for video in report["videos"]}


def rows(running: Running, query: str) -> list[tuple[Any, ...]]:
    with sqlite.driver().connect(f"file:{running.data / 'dashcam.db'}?mode=ro", uri=True) as database:
        return database.execute(query).fetchall()


def ids_of(report: dict[str, Any]) -> str:
    """The report's videos, as SQL writes a list."""
    return ",".join(f"'{video['video_id']}'" for video in report["videos"])


def test_every_plate_of_the_drive_is_found_at_the_right_second_and_place(
    processed: dict[str, Any], truth: Truth
) -> None:
    videos = by_file(processed)
    assert set(videos) == {clip.file for clip in truth.clips}
    drivers = {plate.text for clip in truth.clips for plate in clip.plates}
    for clip in truth.clips:
        found = {plate["text"]: plate for plate in videos[clip.file]["plates"]}
        assert {plate.text for plate in clip.plates} <= set(found), clip.file
        assert set(found) <= drivers, f"{clip.file}: a plate that nobody drove"
        for plate in clip.plates:
            seen = found[plate.text]
            assert plate.first_s - 0.3 <= seen["best_s"] <= plate.last_s + 0.3
            assert overlaps(seen, clip), (clip.file, plate.text)
            assert Path(seen["crop"]).stat().st_size > 500


def overlaps(seen: dict[str, Any], clip: TrueClip) -> bool:
    """The box at ``best_s`` lies on the true box of the nearest half second."""
    (plate,) = (plate for plate in clip.plates if plate.text == seen["text"])
    nearest = min(plate.boxes, key=lambda true: abs(true.t_s - seen["best_s"]))
    x0, y0, x1, y1 = seen["box"]
    a0, b0, a1, b1 = nearest.box
    margin = 60  # what a car moves in the picture in a quarter of a second
    return x0 < a1 + margin and a0 < x1 + margin and y0 < b1 + margin and b0 < y1 + margin


def test_sightings_lie_where_the_car_was(running: Running, processed: dict[str, Any], truth: Truth) -> None:
    videos = by_file(processed)
    for clip in truth.clips:
        video = videos[clip.file]
        track = Track(clip.fixes)
        answer = running.server.video(video["video_id"]) or {}
        assert video["positions"] >= len(clip.fixes) - 1
        for sighting in answer["sightings"]:
            here = track.at(sighting["best_s"])
            assert here is not None
            assert abs(sighting["lat"] - here.lat) < 3e-5 and abs(sighting["lon"] - here.lon) < 5e-5  # about 3 m


def test_every_stage_is_a_completed_flow_run(running: Running, processed: dict[str, Any]) -> None:
    kept = rows(running, f"SELECT task_type, flow_run_id FROM task WHERE video_id IN ({ids_of(processed)})")
    ran = {task_type: {run for other, run in kept if other == task_type} for task_type in STAGES}
    assert all(ran.values()), ran

    def states(task_type: str) -> set[str]:
        runs = running.flow_runs(STAGES[task_type].flow)
        return {run["state_type"] for run in runs if run["id"] in ran[task_type]}

    for task_type in STAGES:
        until(lambda kind=task_type: states(kind) == {"COMPLETED"}, f"the runs of {task_type} are Completed", 30)
    names = {run["name"] for run in running.prefect("/task_runs/filter")}
    assert {Path(video["file"]).name for video in processed["videos"]} <= names


def test_the_archive_has_the_owners_layout_and_matches_its_manifest(processed: dict[str, Any]) -> None:
    for video in processed["videos"]:
        archive = Path(video["archive"])
        assert archive.name == video["video_id"]
        folders = {"plates", "frames"}
        assert {one.name for one in archive.iterdir()} == {"video_lowres.mp4", "manifest.json", "record.json"} | folders
        for plate in video["plates"]:
            assert (archive / "plates" / f"{plate['text']}_best_crop.jpg").is_file()
        manifest = Manifest.model_validate_json((archive / "manifest.json").read_text())
        assert bundle.verify(archive, manifest) == []
        assert manifest.source_sha256
        assert [one.task_type for one in bundle.read_record(archive, manifest).stages] == list(TaskType)[:3]


def test_the_database_holds_the_same_as_the_json(running: Running, processed: dict[str, Any]) -> None:
    told = Counter((video["video_id"], plate["text"]) for video in processed["videos"] for plate in video["plates"])
    kept = rows(
        running,
        f"SELECT s.video_id, p.text FROM sighting s JOIN plate p USING (plate_id) "
        f"WHERE s.confirmed AND s.video_id IN ({ids_of(processed)})",
    )
    assert Counter(kept) == told


def test_both_databases_run_on_a_sound_sqlite_and_on_no_other(running: Running, processed: dict[str, Any]) -> None:
    for name in ("app", "prefect"):
        pid, _ = running.state["sessions"][name]
        (loaded,) = (one.path for one in psutil.Process(pid).memory_maps() if "sqlite3" in one.path)
        assert "pysqlite3" in loaded


def test_intermediates_are_let_go_and_the_clips_are_untouched(
    running: Running, processed: dict[str, Any], truth: Truth, drive: Path
) -> None:
    left = [path for path in (running.data / "indoor_nas").rglob("*") if path.is_file()]
    assert left == [running.data / "indoor_nas" / MARKER]
    assert {path.name for path in drive.iterdir()} == {clip.file for clip in truth.clips} | {"truth.json"}


def test_a_second_time_redoes_nothing_and_says_so(running: Running, processed: dict[str, Any], drive: Path) -> None:
    before = {flow: len(running.flow_runs(flow)) for flow in FLOWS}
    again, ended = running.process_clips(drive)
    assert "Nothing to do" in ended.stderr
    assert again["videos"] == processed["videos"]
    assert again["wall_s"] < 15
    assert {flow: len(running.flow_runs(flow)) for flow in FLOWS} == before


def test_thirty_clips_at_once_cost_few_runs(running: Running, tmp_path: Path) -> None:
    short_clips(tmp_path / "clips", 30, 1.0)
    before = {flow: len(running.flow_runs(flow)) for flow in FLOWS}
    with ThreadPoolExecutor(1) as beside:
        processing = beside.submit(running.process_clips, tmp_path / "clips")
        imports = [import_cpu_s()]
        while not processing.done():
            imports.append(import_cpu_s())
    report, ended = processing.result()
    assert ended.returncode == 0, ended.stderr
    assert len(report["videos"]) == 30
    runs = {flow: running.flow_runs(flow)[before[flow] :] for flow in FLOWS}
    used = {flow: len(these) for flow, these in runs.items()}
    assert used["heavy"] <= 3, used
    assert sum(used.values()) <= 15, used
    steps, spent = 30 * len(FLOWS), sum(overhead_cpu_s(running, run["id"]) for these in runs.values() for run in these)
    recorded = PROCESS_STARTS * sum(used.values()) + STEP_STARTS * steps
    assert spent / median(imports) < 1.25 * recorded, (used, spent, imports)


PROCESS_STARTS, STEP_STARTS = 1.1, 0.006
"""CPU of a flow run beside its clips' work, and of a clip in it, as multiples of importing Prefect (recorded)."""


def overhead_cpu_s(running: Running, run_id: str) -> float:
    """What the run's process used beside the stage's own functions."""
    api = f"http://127.0.0.1:{running.state['prefect']}/api"
    with httpx.Client(base_url=api, auth=running.prefect_login, timeout=60) as prefect:
        rows = {row["clip"]: row["cpu_seconds"] for row in rows_of(prefect, run_id)}
    return 2 * rows[PROCESS] - sum(rows.values())


def import_cpu_s() -> float:
    """Of a process that only imports a flow; measured beside the runs, because cores that share work are slower."""
    argv = [sys.executable, "-c", "import time, prefect.engine, flows.heavy; print(time.process_time())"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(REPOSITORY / "lib"), str(REPOSITORY)))}
    return float(subprocess.run(argv, env=environment, capture_output=True, text=True, check=True).stdout)


def test_bad_clips_get_one_line_each_and_the_good_one_is_processed(
    running: Running, drive: Path, truth: Truth, tmp_path: Path
) -> None:
    good = drive / truth.clips[0].file
    whole = good.read_bytes()
    bad = {
        "text.MP4": b"this is a shopping list, not a video\n" * 10,
        "empty.MP4": b"",
        "no_moov.MP4": whole[: len(whole) // 2],
    }
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    report, ended = running.process_clips(tmp_path, tmp_path / "missing", good)
    assert ended.returncode == 1
    videos = by_file(report)
    assert videos[good.name]["outcome"] == "processed"
    for name in (*bad, "missing"):
        assert videos[name]["outcome"] == "rejected", name
        assert name in videos[name]["reason"]
        assert sum(line == f"rejected: {videos[name]['reason']}" for line in ended.stdout.splitlines()) == 1, name
    for name, content in bad.items():
        assert (tmp_path / name).read_bytes() == content


def test_killing_worker_and_flow_in_the_middle_of_a_clip_loses_and_doubles_nothing(
    running: Running, tmp_path: Path
) -> None:
    """Power goes on the GPU machine: kill -9 of worker and flow; the supervisor (systemd's part) starts the worker."""
    (clip,) = short_clips(tmp_path / "long", 1, 80.0)
    (arrival,) = running.server.ingest([local_ref(clip)], vouched=True)
    video_id = arrival["video_id"]

    def heavy_under_way() -> Any:
        return [
            task
            for task in running.server.all_pending()
            if task.video_id == video_id and task.task_type == "HEAVY_PROCESS_VIDEO" and (task.progress or 0) > 0.05
        ]

    (heavy,) = until(heavy_under_way, "the heavy stage is in the middle of the clip")
    victims = [running.worker(), *running.flow_processes(heavy.flow_run_id)]
    assert len(victims) >= 2, "worker and flow"
    for process in victims:
        process.kill()

    until(lambda: (running.server.video(video_id) or {})["outcome"] == "processed", "the clip is through", 240)
    tasks = running.server.call("GET", "/tasks", params={"video": video_id})["tasks"]
    assert Counter(task["task_type"] for task in tasks) == Counter(str(task_type) for task_type in STAGES)
    assert {task["state"] for task in tasks} == {"complete"}
    (again,) = (task for task in tasks if task["task_type"] == "HEAVY_PROCESS_VIDEO")
    assert again["attempts"] == 2
    sightings = rows(running, f"SELECT crop FROM sighting WHERE video_id = '{video_id}'")
    assert len(sightings) == len(set(sightings))
    archive = running.data / "archive" / video_id
    assert [entry.name for entry in archive.parent.iterdir() if video_id in entry.name] == [video_id]
    assert bundle.verify(archive, Manifest.model_validate_json((archive / "manifest.json").read_text())) == []
    crashed = [run for run in running.flow_runs("heavy") if run["state_type"] == "CRASHED"]
    assert crashed, "the run that died says so in Prefect"


def test_the_real_clips_give_their_plates(running: Running, shared: Path, tmp_path: Path) -> None:
    report, ended = running.process_clips(shared / "data" / "clips")
    assert ended.returncode == 0, ended.stderr
    videos = by_file(report)
    london = {plate["text"] for plate in videos["london-street-hevc.mp4"]["plates"]}
    in_car = {plate["text"] for plate in videos["incar-romania-1fps.mp4"]["plates"]}
    assert london == {"LT23CGK", "DX17ZWH"}
    assert in_car == {"BR07AAC", "B577PRO"}


def test_process_alone_starts_and_ends_everything(drive: Path, truth: Truth, tmp_path: Path) -> None:
    """No system running: `dashcam process` brings its own, takes other ports, and leaves no process behind."""
    data, clip = tmp_path / "data", drive / truth.clips[0].file
    began = time.monotonic()
    ended = dashcam("process", clip, "--data", data, "--json", tmp_path / "out.json")
    assert ended.returncode == 0, ended.stderr
    assert json.loads((tmp_path / "out.json").read_text())["videos"][0]["outcome"] == "processed"
    first = time.monotonic() - began
    assert not (data / "running.json").exists()
    assert still_running(data) == []
    assert states_in_prefect(data) == {"COMPLETED"}, "no run is cut off in its last second"
    began = time.monotonic()
    assert "Nothing to do" in dashcam("process", clip, "--data", data).stderr
    assert time.monotonic() - began < min(15, first)


def test_a_lost_database_is_made_anew_and_nothing_is_done_again(
    running: Running, processed: dict[str, Any], drive: Path, tmp_path: Path
) -> None:
    """On a copy of the archive that the running system has made."""
    shutil.copytree(running.data / "archive", tmp_path / "data/archive", ignore=shutil.ignore_patterns(".dashcam"))
    rebuilt = dashcam("rebuild", "--data", tmp_path / "data")
    assert rebuilt.returncode == 0 and "clips from their archives" in rebuilt.stderr, rebuilt.stderr
    clips = [drive / Path(video["file"]).name for video in processed["videos"]]
    again = dashcam("process", *clips, "--data", tmp_path / "data", "--json", tmp_path / "out.json")
    assert "Nothing to do" in again.stderr, again.stderr
    told = json.dumps(json.loads((tmp_path / "out.json").read_text())["videos"])
    before = json.dumps(processed["videos"])
    assert told.replace(str(tmp_path / "data"), "DATA") == before.replace(str(running.data), "DATA")


def states_in_prefect(data: Path) -> set[str]:
    """Of all runs that have begun."""
    with sqlite.driver().connect(f"file:{data / 'prefect' / 'prefect.db'}?mode=ro", uri=True) as database:
        return {state for (state,) in database.execute("SELECT state_type FROM flow_run WHERE start_time IS NOT NULL")}


def still_running(data: Path) -> list[str]:
    import psutil

    names = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        environment = process.info["environ"] or {}
        if environment.get("PREFECT_HOME", "").startswith(str(data)):
            names.append(" ".join(process.info["cmdline"]))
    return names
