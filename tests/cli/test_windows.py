"""The 4090 machine of the deployment guide may run Windows: nothing that a worker imports may ask for POSIX."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

NOT_ON_WINDOWS = ("fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "syslog", "readline", "spwd", "crypt")
MASKED = f"""
import builtins, os, signal, sys
real = builtins.__import__
def without_posix(name, globals=None, *rest, **more):
    importer = str((globals or {{}}).get("__name__")).partition(".")[0]
    if name in {NOT_ON_WINDOWS} and importer in ("dashcam", "blocks", "flows"):
        raise ModuleNotFoundError(f"No module named {{name!r}}, which {{importer}} imports")
    return real(name, globals, *rest, **more)
builtins.__import__ = without_posix
"""
WITHOUT_NAMES = """
for name in ("fork", "getsid", "setsid", "killpg", "getuid", "geteuid", "getgid", "sched_getaffinity", "posix_fadvise"):
    delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGCHLD", "SIGQUIT"):
    delattr(signal, name)
"""
GROUPS = (
    "",
    "process",
    "up",
    "worker",
    "setup",
    "server",
    "check",
    "sample",
    "gps",
    "trips",
    "bench",
    "evaluate",
    "device",
)


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("group", GROUPS)
def test_the_command_and_each_group_helps_without_posix(group: str) -> None:
    run = f"{MASKED}{WITHOUT_NAMES}\nfrom dashcam.cli import main\nmain()"
    done = python(run, *group.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Usage: dashcam {group}".strip() in done.stdout.replace("-c", "dashcam")


def test_everything_a_worker_and_its_flows_import_is_there_without_posix() -> None:
    modules = """
import importlib, pkgutil
import dashcam, flows
for package in (dashcam, flows):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if found.name.rpartition(".")[2] != "__main__":
            importlib.import_module(found.name)
print("all there")
"""
    done = python(MASKED + modules)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("all there\n")


def test_the_mask_refuses_what_windows_lacks() -> None:
    planted = "exec('import fcntl', {'__name__': 'dashcam.planted'})"
    assert "No module named 'fcntl', which dashcam imports" in python(MASKED + planted).stderr


def test_ctrl_c_leaves_a_worker_the_time_to_give_back_where_it_is_a_child(tmp_path: Path) -> None:
    """On Windows nothing replaces a process by another; what waits for the worker must not kill it."""
    ready = tmp_path / "ready"
    worker = f"""
import pathlib, signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    pathlib.Path({str(ready)!r}).touch()
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(1)
    print("gave back")
"""
    # what a shell starts with "&" ignores Ctrl-C
    heard = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    above = heard + "import subprocess, sys\nfrom dashcam.cli.site import wait_for\n"
    above += "sys.exit(wait_for(subprocess.Popen([sys.executable, '-c', sys.argv[1]])))"
    with subprocess.Popen(
        [sys.executable, "-c", above, worker], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as both:
        deadline = time.monotonic() + 30
        while not ready.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(both.pid, signal.SIGINT)
        said, _ = both.communicate(timeout=30)
    assert (both.returncode, said) == (0, "gave back\n")
