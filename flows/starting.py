"""How a worker starts the process of a flow: forked from one that has everything imported, else a new interpreter."""

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache

import psutil
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus
from prefect.client.schemas.objects import FlowRun
from prefect.runner._control_channel import ControlChannel
from prefect.runner._process_manager import ProcessHandle
from prefect.settings import get_current_settings

from dashcam.embedded.forkserver import DOOR, ForkedProcess, ForkServer, ForkServerGone

ENTRY = "flows.run"
POLL_S = 0.1

log = logging.getLogger("dashcam.worker")

FlowProcess = ForkedProcess | subprocess.Popen[bytes]


class Starter:
    """What Prefect's executor of one run asks to start its process, and wait for it; and the way to end it."""

    def __init__(
        self, forks: ForkServer | None, environment: Mapping[str, str], entrypoint: str, control: ControlChannel
    ) -> None:
        self.forks, self.control = forks, control
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != DOOR},
            **prefect_settings(),
            **environment,
            "PREFECT__FLOW_ENTRYPOINT": entrypoint,
            "PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS": "false",
        }
        self.process: FlowProcess | None = None
        self.begun = asyncio.Event()

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process is not None else None

    async def start(self, flow_run: FlowRun, task_status: TaskStatus[ProcessHandle] = TASK_STATUS_IGNORED) -> None:
        """Until the process has ended."""
        environment = self.environment | {"PREFECT__FLOW_RUN_ID": str(flow_run.id)}
        with contextlib.suppress(RuntimeError):  # without a channel a run that is cancelled is simply ended
            port, token = self.control.register(flow_run.id)
            environment |= {"PREFECT__CONTROL_PORT": str(port), "PREFECT__CONTROL_TOKEN": token}
        self.process = await asyncio.to_thread(self.begin, environment)
        self.begun.set()
        task_status.started(ProcessHandle(self.process, RunEnder(self)))  # type: ignore[arg-type]
        if isinstance(self.process, ForkedProcess):
            await readable(self.process.channel.fileno())
        while self.process.poll() is None:
            await asyncio.sleep(POLL_S)

    def begin(self, environment: Mapping[str, str]) -> FlowProcess:
        if self.forks is not None:
            try:
                return self.forks.start([ENTRY], environment, sys.stdout.fileno())
            except ForkServerGone as gone:
                log.warning("nothing forks any more (%s): a flow's start takes longer now", gone)
        return subprocess.Popen([sys.executable, "-m", ENTRY], env=dict(environment))

    def terminate(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def kill(self) -> None:
        """With what it has started."""
        if self.process is None or self.process.returncode is not None:
            return
        with contextlib.suppress(psutil.Error):
            for one in psutil.Process(self.process.pid).children(recursive=True):
                one.kill()
        self.process.kill()


class RunEnder:
    """How Prefect ends a run that was cancelled: by the process, never by its number alone."""

    wait_after_graceful_kill = True

    def __init__(self, starter: Starter) -> None:
        self.starter = starter

    def is_alive(self, pid: int) -> bool:
        return self.starter.process is not None and self.starter.process.returncode is None

    def graceful_kill(self, pid: int) -> None:
        self.starter.terminate()

    def hard_kill(self, pid: int) -> None:
        self.starter.kill()

    def close(self) -> None:
        pass


@cache
def prefect_settings() -> dict[str, str]:
    """This worker's, as environment; found out once, because it takes a twentieth of a second."""
    return get_current_settings().to_environment_variables(exclude_unset=True, include_secrets=True)


async def readable(descriptor: int) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
