"""Hosts of the box: each with its own address, name, ``/etc/hosts``, settings, data and mounts; no way but the LAN."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from dashcam.site import units

T = TypeVar("T")
REPOSITORY = Path(__file__).resolve().parents[2]
LAN = "dashlan"
PATIENCE_S = 300.0
"""For one thing to come about. A command has as long; all of it together is limited by who runs it (``.ci/run``)."""
LAST_LINES = 40
"""Of each log that are shown where it failed: the box itself is gone once CI is."""
FOLDERS = {"indoor": ("raw", "preproc", "heavy_output"), "shed": (".",)}


class NotPermitted(Exception):
    """Namespaces cannot be made here."""


def run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotPermitted(f"{' '.join(argv)}: {done.stderr.strip()}")


@dataclass
class Host:
    name: str
    number: int
    box: Path
    mounts: Mapping[str, str]
    """A disk of the box to where this host has it mounted."""
    writes: Mapping[str, tuple[str, ...]]
    """Of a disk the folders into which its services have to write, "." for all of it: the rest is read-only to them."""
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        return f"dash-{self.name}"

    @property
    def address(self) -> str:
        return f"10.77.0.{self.number}"

    @property
    def folder(self) -> Path:
        return self.box / self.name

    def plug_in(self) -> None:
        """A cable from the host to the LAN's switch."""
        for folder in ("etc", "var", "tmp"):
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        here, there = f"d{self.number}h", f"d{self.number}l"
        run("ip", "netns", "add", self.namespace)
        run("ip", "link", "add", here, "netns", self.namespace, "type", "veth", "peer", "name", there, "netns", LAN)
        run("ip", "-n", self.namespace, "addr", "add", f"{self.address}/24", "dev", here)
        run("ip", "-n", self.namespace, "link", "set", here, "up")
        run("ip", "-n", self.namespace, "link", "set", "lo", "up")
        run("ip", "-n", LAN, "link", "set", there, "master", "switch", "up")

    def cable(self, state: str) -> None:
        """``up`` or ``down``."""
        run("ip", "-n", LAN, "link", "set", f"d{self.number}l", state)

    def argv(self, command: str, narrow: bool = False) -> list[str]:
        """A shell command as this host runs it, with its mounts; ``narrow``: written to only as `writes` says."""
        lines = ["set -e", f"hostname {self.name}", "mount -t tmpfs none /mnt", "mount -t tmpfs none /srv"]
        lines += [
            f"mount --bind {self.folder / 'etc'} /etc/dashcam-processor",
            f"mount --bind {self.folder / 'var'} /var/lib/dashcam-processor",
            f"mount --bind {self.box / 'hosts'} /etc/hosts",
        ]
        for disk, place in self.mounts.items():
            lines += [f"mkdir -p {place}", f"mount --bind {self.box / 'disks' / disk} {place}"]
            if narrow and self.writes[disk] != (".",):
                lines.append(f"mount -o remount,bind,ro {place}")
                lines += [f"mount --bind {self.box / 'disks' / disk / one} {place}/{one}" for one in self.writes[disk]]
        script = "\n".join([*lines, f"cd {self.folder}", command])
        return ["ip", "netns", "exec", self.namespace, "unshare", "--mount", "--uts", "sh", "-c", script]

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of this machine's own settings; ``dashcam`` is this repository's."""
        mine = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "DASHCAM_"))}
        return mine | {
            "HOME": str(self.folder / "var"),
            "TMPDIR": str(self.folder / "tmp"),
            "PATH": f"{self.box / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": f"{REPOSITORY / 'lib'}:{REPOSITORY}",
        }

    def do(self, command: str, check: bool = True) -> str:
        """What it prints on both outputs."""
        try:
            done = subprocess.run(
                self.argv(command),
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                text=True,
                check=False,
                timeout=PATIENCE_S,
            )
        except subprocess.TimeoutExpired as slow:
            raise AssertionError(f"{self.name}$ {command}\nnot within {PATIENCE_S:.0f} s: {slow.output}") from None
        if check and done.returncode:
            raise AssertionError(f"{self.name}$ {command}\n{done.stdout}")
        return done.stdout

    def start(self, service: str) -> None:
        """As its unit says; what it says goes to ``<service>.log``."""
        unit = units.systemd_unit(units.service(service), "root", Path("/etc/dashcam-processor"), [])
        said = [line.partition("=")[2] for line in unit.splitlines() if line.startswith("Environment=")]
        exports = [f"export {shlex.quote(one)}" for line in said for one in shlex.split(line)]
        command = unit.partition("ExecStart=")[2].splitlines()[0]
        self.run(service, "\n".join([*exports, f"exec {command}"]))

    def run(self, name: str, command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                self.argv(command, narrow=True),
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def stop(self, name: str) -> None:
        """As systemd does with ``KillMode=mixed``."""
        process = self.running.pop(name)
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(units.STOP_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)

    def log(self, name: str) -> str:
        file = self.folder / f"{name}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def last_words(self) -> str:
        """The end of each log."""
        said = []
        for file in sorted(self.folder.glob("*.log")):
            lines = self.log(file.stem).splitlines()[-LAST_LINES:]
            said += [f"--- {self.name}, {file.name}, its last {len(lines)} lines", *lines]
        return "\n".join(said)


def build(box: Path, hosts: list[Host]) -> None:
    """Raises `NotPermitted`."""
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("unshare"):
        raise NotPermitted("network namespaces need root, ip and unshare")
    if missing := [program for program in ("caddy", "curl") if not shutil.which(program)]:
        raise NotPermitted(f"{' and '.join(missing)} is not installed (Debian: apt install {' '.join(missing)})")
    take_down(hosts)
    for place in ("/etc/dashcam-processor", "/var/lib/dashcam-processor"):
        try:
            Path(place).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NotPermitted(f"{place}, over which each host mounts its own, cannot be made ({error})") from None
    (box / "bin").mkdir(parents=True)
    command = box / "bin/dashcam"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m dashcam.cli "$@"\n')
    command.chmod(0o755)
    for host in hosts:
        for disk in host.mounts:
            for folder in FOLDERS[disk]:
                (box / "disks" / disk / folder).mkdir(parents=True, exist_ok=True)
    names = [f"{host.address} {host.name}" for host in hosts]
    (box / "hosts").write_text("\n".join(["127.0.0.1 localhost", *names]) + "\n")
    run("ip", "netns", "add", LAN)
    run("ip", "-n", LAN, "link", "add", "switch", "type", "bridge")
    run("ip", "-n", LAN, "link", "set", "switch", "up")
    for host in hosts:
        host.plug_in()
    if (said := hosts[0].do("echo ok", check=False).strip()) != "ok":
        raise NotPermitted(f"mount namespaces are not permitted here ({said})")


def take_down(hosts: list[Host]) -> None:
    for host in reversed(hosts):  # the main server last: what others give back goes there
        for name in reversed(list(host.running)):
            host.stop(name)
    for namespace in [*(host.namespace for host in hosts), LAN]:
        subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)


def until(what: str, true: Callable[[], T], patience_s: float = PATIENCE_S) -> T:
    """What ``true`` returned once that was true. A command that fails meanwhile is one more "not yet": a machine at its
    limits refuses a call now and then."""
    deadline = time.monotonic() + patience_s
    why = ""
    while True:
        try:
            if told := true():
                return told
        except AssertionError as failed:
            why = f"; at last: {failed}"
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience_s:.0f} s: {what}{why}")
        time.sleep(1)
