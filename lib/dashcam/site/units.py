"""The services of a machine: units of systemd, and on Windows a scheduled task, rendered for this installation."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.sax.saxutils import escape

from dashcam import NO_USE_TRYING, Explained
from dashcam.site.machine import STATE
from dashcam.site.steps import Steps

SYSTEMD = Path("/etc/systemd")
STOP_S = 60
"""A worker gives back what it works on within seconds; a flow that hangs in a dead mount is not waited for."""
WATCHDOG_S = 120


@dataclass(frozen=True)
class Unit:
    name: str
    what: str
    arguments: tuple[str, ...]
    notifies: bool
    """Whether it says that it is ready, and that it still goes on (`dashcam.device.service`)."""
    needs_devices: bool = False
    """Whether it computes on graphics cards or a Coral, if there is one."""
    low_ports: bool = False
    """Whether it listens where only root may, as on 443."""

    @property
    def unit(self) -> str:
        return f"dashcam-{self.name}.service"


SERVICES = {
    service.name: service
    for service in (
        Unit("prefect", "Prefect's server", ("prefect",), notifies=False),
        Unit("server", "main server: WebUI, REST and dispatch", ("server",), notifies=True),
        Unit("https", "HTTPS before the main server", ("https",), notifies=False, low_ports=True),
        Unit("worker", "worker", ("worker",), notifies=True, needs_devices=True),
    )
}

UNIT = """\
# Written by `dashcam unit install {name}`; what is to differ belongs into a drop-in: systemctl edit {unit}
[Unit]
Description=dashcam-processor, {what}
Wants=network-online.target
After=network-online.target remote-fs.target time-sync.target
StartLimitIntervalSec=0

[Service]
Type={type}
{watchdog}User={user}
Environment=DASHCAM_CONFIG={config}
Environment=HOME={state} PREFECT_HOME={state}/prefect-client
EnvironmentFile=-{config}/environment
ExecStart={command}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus={hopeless}
KillMode=mixed
TimeoutStopSec={stop_s}
TimeoutStartSec=300
LogNamespace=dashcam

StateDirectory=dashcam-processor
StateDirectoryMode=0700
UMask=0027
NoNewPrivileges=yes
CapabilityBoundingSet={capabilities}
AmbientCapabilities={capabilities}
ProtectSystem=strict
ReadWritePaths={writable}
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices={private_devices}
ProtectClock={private_devices}
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""

JOURNAL = """\
# Written by `dashcam unit install`: what our services say, and no more of it (journalctl --namespace=dashcam)
[Journal]
SystemMaxUse=200M
MaxRetentionSec=3month
"""

TASK = """\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.4" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>dashcam-processor, {what}</Description></RegistrationInfo>
  <Triggers><LogonTrigger><Enabled>true</Enabled></LogonTrigger></Triggers>
  <Principals>
    <Principal id="Author"><LogonType>InteractiveToken</LogonType><RunLevel>LeastPrivilege</RunLevel></Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure><Interval>PT1M</Interval><Count>999</Count></RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{program}</Command>
      <Arguments>{arguments}</Arguments>
    </Exec>
  </Actions>
</Task>
"""


def service(name: str) -> Unit:
    """Raises `Explained` for one that is none."""
    try:
        return SERVICES[name]
    except KeyError:
        raise Explained(f"There is no service {name!r}; there are {', '.join(SERVICES)}.") from None


def command(wanted: Unit) -> list[str]:
    return [sys.executable, "-m", "dashcam.cli", *wanted.arguments]


def systemd_unit(wanted: Unit, user: str, config: Path, writable: Sequence[Path]) -> str:
    """The unit file. ``writable`` are folders outside of `STATE` into which it writes: the stores."""
    devices = "no" if wanted.needs_devices else "yes"
    return UNIT.format(
        name=wanted.name,
        unit=wanted.unit,
        what=wanted.what,
        type="notify" if wanted.notifies else "exec",
        watchdog=f"WatchdogSec={WATCHDOG_S}\n" if wanted.notifies else "",
        user=user,
        config=escaped(config),
        state=escaped(STATE),
        command=" ".join(escaped(word) for word in command(wanted)),
        hopeless=NO_USE_TRYING,
        stop_s=STOP_S,
        # "-": a store that is not mounted keeps nothing from starting, it is waited for
        writable=" ".join(f"-{escaped(path)}" for path in (STATE, *writable)),
        private_devices=devices,
        capabilities="CAP_NET_BIND_SERVICE" if wanted.low_ports else "",
    )


def escaped(word: Path | str) -> str:
    """As one word of a unit file."""
    text = str(word).replace("\\", "\\\\").replace("%", "%%").replace('"', '\\"')
    return f'"{text}"' if any(letter.isspace() for letter in text) else text


def windows_task(wanted: Unit, logs: Path) -> str:
    """A task of the scheduler: from log-on on, without a window or a time limit, started again when it ends."""
    words = [*command(wanted)[1:], "--log", str(logs / f"{wanted.name}.log")]
    program = re.sub(r"python\.exe$", "pythonw.exe", sys.executable)
    return TASK.format(what=wanted.what, program=escape(program), arguments=escape(subprocess.list2cmdline(words)))


def task_name(wanted: Unit) -> str:
    return f"dashcam-{wanted.name}"


def systemd_runs() -> bool:
    return Path("/run/systemd/system").is_dir()


def install(steps: Steps, services: Sequence[Unit], user: str, config: Path, writable: Sequence[Path]) -> None:
    """Each in its place, enabled and started; where nothing is there to run it, what to start is said."""
    if os.name == "nt":
        for one in services:
            install_task(steps, one)
        return
    folder = SYSTEMD / "system"
    if not folder.is_dir():
        steps.say(f"there is no systemd here: run {', '.join(f'`dashcam {one.name}`' for one in services)} yourself")
        return
    steps.file(SYSTEMD / "journald@dashcam.conf", "the journal's limits", JOURNAL, 0o644)
    for one in services:
        steps.file(folder / one.unit, "unit", systemd_unit(one, user, config, writable), 0o644)
    units = [one.unit for one in services]
    if not systemd_runs():
        steps.say(f"systemd does not run here: the units start with it ({', '.join(units)})")
        return

    def start() -> None:
        for argv in (["daemon-reload"], ["enable", *units], ["restart", *units]):
            run(["systemctl", *argv])

    steps.step(f"enabled and started: {', '.join(units)}", False, start)


def install_task(steps: Steps, wanted: Unit) -> None:
    logs = STATE / "logs"
    steps.folder(logs, "folder of the logs")
    file = STATE / f"{task_name(wanted)}.xml"

    def create() -> None:
        file.write_text(windows_task(wanted, logs), encoding="utf-16")
        run(["schtasks", "/Create", "/F", "/TN", task_name(wanted), "/XML", str(file)])
        run(["schtasks", "/Run", "/TN", task_name(wanted)])

    steps.step(f"scheduled task {task_name(wanted)}, and started", False, create)


def remove(steps: Steps, services: Sequence[Unit]) -> None:
    """Stopped, and started no more."""
    for one in services:
        if os.name == "nt":
            steps.step(f"ended and removed: {task_name(one)}", False, partial(remove_task, one))
            continue
        file = SYSTEMD / "system" / one.unit
        steps.step(f"stopped and removed: {one.unit}", not file.exists(), partial(remove_unit, one))


def remove_task(wanted: Unit) -> None:
    run(["schtasks", "/End", "/TN", task_name(wanted)])
    run(["schtasks", "/Delete", "/F", "/TN", task_name(wanted)])


def remove_unit(wanted: Unit) -> None:
    if systemd_runs():
        run(["systemctl", "disable", "--now", wanted.unit])
    (SYSTEMD / "system" / wanted.unit).unlink()
    if systemd_runs():
        run(["systemctl", "daemon-reload"])


def run(argv: list[str]) -> None:
    """Raises `Explained` with what the program said."""
    try:
        subprocess.run(argv, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        why = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise Explained(f"`{' '.join(argv)}` failed: {why[0] if why else error}") from None
