"""Hosts of the box: each with its own address, name, ``/etc/hosts``, settings, data and mounts; no way but the LAN."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LAN = "dashlan"
PATIENCE_S = 600.0


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

    def argv(self, command: str) -> list[str]:
        """A shell command as this host runs it. Its mounts are there while it runs."""
        binds = {
            self.folder / "etc": "/etc/dashcam-processor",
            self.folder / "var": "/var/lib/dashcam-processor",
            self.box / "hosts": "/etc/hosts",
            **{self.box / "disks" / disk: place for disk, place in self.mounts.items()},
        }
        lines = ["set -e", f"hostname {self.name}", "mount -t tmpfs none /mnt", "mount -t tmpfs none /srv"]
        for source, place in binds.items():
            lines += [f"mkdir -p {place}" if source.is_dir() else ":", f"mount --bind {source} {place}"]
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
        done = subprocess.run(
            self.argv(command),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{self.name}$ {command}\n{done.stdout}")
        return done.stdout

    def start(self, command: str) -> None:
        """As a service would run it; its log is ``<host>/<command>.log``."""
        with (self.folder / f"{command.replace(' ', '-')}.log").open("ab") as log:
            self.running[command] = subprocess.Popen(
                self.argv(f"exec {command}"), env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def stop(self, command: str) -> None:
        process = self.running.pop(command)
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(60)

    def log(self, command: str) -> str:
        return (self.folder / f"{command.replace(' ', '-')}.log").read_text(errors="replace")


def build(box: Path, hosts: list[Host]) -> None:
    """Raises `NotPermitted`."""
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("unshare"):
        raise NotPermitted("network namespaces need root, ip and unshare")
    take_down(hosts)
    for place in ("/etc/dashcam-processor", "/var/lib/dashcam-processor"):
        Path(place).mkdir(parents=True, exist_ok=True)
    (box / "bin").mkdir(parents=True)
    command = box / "bin/dashcam"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m dashcam.cli "$@"\n')
    command.chmod(0o755)
    for host in hosts:
        for disk in host.mounts:
            (box / "disks" / disk).mkdir(parents=True, exist_ok=True)
    names = [f"{host.address} {host.name}" for host in hosts]
    (box / "hosts").write_text("\n".join(["127.0.0.1 localhost", *names]) + "\n")
    run("ip", "netns", "add", LAN)
    run("ip", "-n", LAN, "link", "add", "switch", "type", "bridge")
    run("ip", "-n", LAN, "link", "set", "switch", "up")
    for host in hosts:
        host.plug_in()
    if "ok" not in hosts[0].do("echo ok", check=False):
        raise NotPermitted("mount namespaces are not permitted here")


def take_down(hosts: list[Host]) -> None:
    for host in hosts:
        for command in list(host.running):
            host.stop(command)
    for namespace in [*(host.namespace for host in hosts), LAN]:
        subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)


def until(what: str, true: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience_s:.0f} s: {what}")
        time.sleep(1)
