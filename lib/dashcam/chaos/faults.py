"""What can be done to the real system: each fault does its harm, lasts, and has ended when it returns."""

# signals and mounts that Windows does not know; `dashcam chaos` refuses to run there
# mypy: disable-error-code="attr-defined"

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import httpx

from dashcam.chaos import disks
from dashcam.chaos.driven import STOP_S, Driven, LiveRun, signalled
from dashcam.chaos.wire import WireState
from dashcam.storage import layout
from dashcam.tasks.chain import STAGES

PARTS = ("app", "prefect", "worker", "forkserver")
FLOWS = tuple(stage.flow for stage in STAGES.values())
PATIENCE_S = 20.0
"""How long a fault waits for what it is to strike."""
DONE_AGAIN_S = 60.0
CUTS_S = {1.0: 6, 3.0: 6, 8.0: 6, 15.0: 6, 25.0: 6, 60.0: 2, 300.0: 1}
"""How long the network is away, and how often so long."""


class NotNow(Exception):
    """There was nothing to strike."""


@dataclass
class Scene:
    """What a fault has at hand. ``clips`` are the files handed in that are not through yet, with their content."""

    driven: Driven
    random: Random
    clips: dict[Path, bytes] = field(default_factory=dict)
    small_disks: bool = False
    troubles: list[str] = field(default_factory=list)
    """What broke its word while the fault was done."""

    def moment(self, longest_s: float) -> None:
        self.last(self.random.uniform(0, longest_s))

    def last(self, seconds: float) -> None:
        """So long the world goes on."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))
            self.driven.tend()

    def run_of(self, flow: str | None) -> LiveRun:
        """One that lives, of that stage or of any. Raises `NotNow`."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if runs := self.driven.live_runs(flow):
                return self.random.choice(runs)
            self.last(0.1)
        raise NotNow(f"no run of {flow or 'any stage'}")


RealFault = Callable[[Scene], str]
"""Does it, and says what was done."""


def kill_part(name: str, scene: Scene) -> str:
    process = scene.driven.sessions().get(name)
    if process is None or not signalled(process, signal.SIGKILL):
        raise NotNow(f"no {name}")
    return f"kill -9 of {name}, pid {process.pid}"


def stop_part(name: str, scene: Scene) -> str:
    process = scene.driven.sessions().get(name)
    if process is None:
        raise NotNow(f"no {name}")
    return stopped(scene, process, name, scene.random.uniform(1, 12))


def stopped(scene: Scene, process: Any, name: str, seconds: float) -> str:
    if not signalled(process, signal.SIGSTOP):
        raise NotNow(f"no {name}")
    try:
        scene.last(seconds)
    finally:
        signalled(process, signal.SIGCONT)
    return f"{name}, pid {process.pid}, stopped for {seconds:.1f} s"


def kill_flow(flow: str, scene: Scene) -> str:
    run = scene.run_of(flow)
    scene.moment(0.8)
    if not signalled(run.process, signal.SIGKILL):
        raise NotNow(f"the run of {flow} has just ended")
    return f"kill -9 of {flow} with tasks {run.task_ids}"


def stop_flow(flow: str, scene: Scene) -> str:
    run = scene.run_of(flow)
    scene.moment(0.5)
    return stopped(scene, run.process, f"{flow} with tasks {run.task_ids}", scene.random.uniform(1, 10))


def kill_second(scene: Scene) -> str:
    process = scene.driven.second_process
    if process is None or process.poll() is not None:
        raise NotNow("no second device")
    process.kill()
    return f"kill -9 of the second device's worker, pid {process.pid}"


def stop_second(scene: Scene) -> str:
    process = scene.driven.second_process
    if process is None or process.poll() is not None:
        raise NotNow("no second device")
    seconds = scene.random.uniform(1, 12)
    process.send_signal(signal.SIGSTOP)
    scene.last(seconds)
    process.send_signal(signal.SIGCONT)
    return f"the second device's worker stopped for {seconds:.1f} s"


def kill_supervisor(scene: Scene) -> str:
    """``dashcam up`` alone; what it leaves behind is the next one's."""
    process = scene.driven.up_process
    if process is None or process.poll() is not None:
        raise NotNow("dashcam up does not run")
    process.kill()
    process.wait()
    scene.driven.up_process = None  # it has not fallen by itself
    scene.moment(3)
    scene.driven.up()
    return "kill -9 of dashcam up, and started again"


def kill_everything(scene: Scene) -> str:
    scene.driven.kill_everything()
    scene.moment(2)
    scene.driven.up()
    return "kill -9 of everything at once, and started again"


def restart(scene: Scene) -> str:
    took = scene.driven.down()
    if took >= STOP_S:
        scene.troubles.append(f"SIGTERM had not ended dashcam up after {took:.0f} s")
    scene.moment(1)
    scene.driven.up()
    return f"SIGTERM, ended after {took:.1f} s, and started again"


def cut_network(state: WireState, scene: Scene) -> str:
    (seconds,) = scene.random.choices(list(CUTS_S), list(CUTS_S.values()))
    scene.driven.wire.cut(state)
    scene.last(seconds)
    scene.driven.wire.mend()
    return f"network {state} for {seconds:.0f} s"


def fill_disk(folder: Callable[[Driven], Path], scene: Scene) -> str:
    seconds, place = scene.random.uniform(1, 10), folder(scene.driven)
    with disks.full(place):
        scene.last(seconds)
    return f"{place.name} full for {seconds:.1f} s"


def harm_clip(how: str, scene: Scene) -> str:
    """While it is worked on; then it is put back and handed in again."""
    if not scene.clips:
        raise NotNow("every clip is through")
    path, content = scene.random.choice(sorted(scene.clips.items()))
    scene.moment(2)
    if how == "cut":
        os.truncate(path, int(len(content) * scene.random.uniform(0.05, 0.95)))
    elif how == "replaced":
        other = scene.random.choice([one for one in scene.clips.values() if one != content] or [content[::-1]])
        put(path, other + bytes(8))
    else:
        path.unlink()
    seconds = scene.random.uniform(0.5, 6)
    scene.last(seconds)
    put(path, content)
    hand_in(scene.driven, [path])
    return f"{path.name} {how} for {seconds:.1f} s"


def put(path: Path, content: bytes) -> None:
    beside = path.with_name(f"{path.name}.part")
    beside.write_bytes(content)
    beside.replace(path)


def hand_in(driven: Driven, paths: list[Path]) -> list[str]:
    """Their ids. The command that a person would repeat is repeated: only its answer says that it was heard."""
    deadline = time.monotonic() + 180
    while True:
        driven.tend()
        try:
            arrivals = driven.server(10).ingest([driven.ref(path) for path in paths], vouched=True)
            return [str(one["video_id"]) for one in arrivals]
        except (httpx.HTTPError, OSError) as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no clip could be handed in for 180 s ({error})") from error
            time.sleep(0.3)


def deliver_twice(scene: Scene) -> str:
    """A second run with the same tasks, beside the first."""
    run = scene.run_of(None)
    body = {"parameters": {"task_ids": run.task_ids}, "tags": ["dashcam"], "name": f"{run.flow} again"}
    with reached(), scene.driven.prefect() as prefect:
        prefect.post(f"/deployments/{run.deployment_id}/create_flow_run", json=body).raise_for_status()
    return f"a second run of {run.flow} with tasks {run.task_ids}"


def zombie(scene: Scene) -> str:
    """A flow stands still until its run is given up and its tasks are done by another; then it goes on."""
    run = scene.run_of(scene.random.choice([*FLOWS[:4], None]))
    if not signalled(run.process, signal.SIGSTOP):
        raise NotNow("the run has just ended")
    try:
        state = {"type": "CRASHED", "message": "no heartbeat"}
        with reached(), scene.driven.prefect() as prefect:
            prefect.post(f"/flow_runs/{run.run_id}/set_state", json={"state": state, "force": True}).raise_for_status()
        deadline = time.monotonic() + DONE_AGAIN_S
        while pending_among(scene.driven, run.task_ids) and time.monotonic() < deadline:
            scene.last(0.2)
        again = not pending_among(scene.driven, run.task_ids)
    finally:
        signalled(run.process, signal.SIGCONT)
    done = "were done by another" if again else "waited"
    return f"{run.flow} stood still, was Crashed, and woke after its tasks {run.task_ids} {done}"


def pending_among(driven: Driven, task_ids: list[int]) -> bool:
    marks = ",".join("?" * len(task_ids))
    question = f"SELECT count(*) FROM task WHERE state = 'pending' AND task_id IN ({marks})"
    return bool(driven.ask(question, *task_ids)[0][0])


@contextlib.contextmanager
def reached() -> Iterator[None]:
    """Raises `NotNow` where Prefect does not answer."""
    try:
        yield
    except (httpx.HTTPError, OSError) as error:
        raise NotNow(f"Prefect does not answer ({error})") from error


def spoil_weights(how: str, scene: Scene) -> str:
    weights, aside = scene.driven.weights, scene.driven.weights.with_suffix(".aside")
    content, seconds = weights.read_bytes(), scene.random.uniform(3, 9)
    if how == "missing":
        weights.rename(aside)
    else:
        put(weights, content[: int(len(content) * scene.random.uniform(0, 0.99))])
    try:
        scene.last(seconds)
    finally:
        put(weights, content)
        aside.unlink(missing_ok=True)
    return f"the detector's weights {how} for {seconds:.1f} s"


def all_faults() -> dict[str, RealFault]:
    """By name."""
    return {
        **{f"kill-{part}": partial(kill_part, part) for part in PARTS},
        **{f"stop-{part}": partial(stop_part, part) for part in PARTS},
        **{f"kill-{flow}": partial(kill_flow, flow) for flow in FLOWS},
        **{f"stop-{flow}": partial(stop_flow, flow) for flow in FLOWS},
        "kill-second-device": kill_second,
        "stop-second-device": stop_second,
        "kill-supervisor": kill_supervisor,
        "kill-everything": kill_everything,
        "restart": restart,
        "network-refused": partial(cut_network, "refused"),
        "network-silent": partial(cut_network, "silent"),
        **{f"disk-full-{name}": partial(fill_disk, folder) for name, folder in DISKS.items()},
        **{f"clip-{how}": partial(harm_clip, how) for how in ("cut", "replaced", "removed")},
        "delivered-twice": deliver_twice,
        "zombie": zombie,
        **{f"weights-{how}": partial(spoil_weights, how) for how in ("missing", "cut")},
    }


DISKS: Mapping[str, Callable[[Driven], Path]] = {
    "indoor": lambda driven: driven.disk(layout.INDOOR),
    "shed": lambda driven: driven.disk(layout.SHED),
    "scratch": lambda driven: driven.data / "scratch",
    "database": lambda driven: driven.data,
    "prefect": lambda driven: driven.home.prefect,
}
"""Each on a small disk of its own; the second device's scratch shares the database's."""
SIZES_MB = {"database": 768, "indoor": 768, "shed": 512, "scratch": 64, "prefect": 384}
"""Outer ones first."""
