"""Guards die loudly: each is taken out by itself in a copy of the repository, and the test that names it has to fail.

``python -m tests.guards`` runs them all (``make guards``) and prints a Markdown table. What the guards are is written
in ``tests/guards.toml``; an entry whose code is no longer there fails too, so the list cannot grow stale.
"""

import argparse
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "tests/guards.toml"
LIMIT_S = 300
"""For each test: a guard that is gone may leave it waiting for ever."""
CONTEXT = multiprocessing.get_context("forkserver")
THEIRS = ["av", "fastapi", "hypothesis", "nicegui", "prefect.flows", "psycopg", "pytest", "sqlalchemy.orm"]
"""Imported once for all: that is most of what a test costs. Nothing of ours, of which each process has other code."""
OURS = {"app", "blocks", "dashcam", "flows", "migrations", "tests"}
OUR_MISTAKE = re.compile(r"(NameError|UnboundLocalError|ImportError|ModuleNotFoundError|SyntaxError)\b")
"""What a change says that is no removal but nonsense."""


@dataclass(frozen=True)
class Guard:
    """``old`` occurs once in ``file``; with ``new`` in its place the guard is gone and ``test`` fails."""

    name: str
    protects: str
    file: str
    old: str
    new: str
    test: str

    def taken_out(self, root: Path) -> str:
        """The file's text without the guard. ``ValueError`` where its code does not occur exactly once."""
        text = (root / self.file).read_text(encoding="utf-8")
        if (count := text.count(self.old)) != 1:
            raise ValueError(f"the code of the guard occurs {count} times in {self.file}")
        return text.replace(self.old, self.new)


@dataclass(frozen=True)
class Verdict:
    guard: str
    died: bool
    said: str
    """What the test failed with, or why it is no proof."""
    seconds: float


def guards() -> list[Guard]:
    return [Guard(**one) for one in tomllib.loads(TABLE.read_text(encoding="utf-8"))["guard"]]


def copy_of_the_repository(folder: Path) -> Path:
    """What git tracks, or would, as it is now."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def run_tests(root: Path, tests: Sequence[str]) -> tuple[int, list[tuple[str, str, str]], str]:
    """Exit status, (the test, what happened, its first line) of each that did not pass, and the end of the output."""
    report, output = root / "junit.xml", root / "output.txt"
    report.unlink(missing_ok=True)
    argv = ["-p", "no:cacheprovider", "--timeout", str(LIMIT_S), "--tb", "line", "--junitxml", str(report), *tests]
    process = CONTEXT.Process(target=pytest_in, args=(root, argv, output))
    process.start()
    process.join()
    return process.exitcode or 0, list(troubles(report)), output.read_text(errors="replace")[-3000:]


def pytest_in(root: Path, argv: Sequence[str], output: Path) -> None:
    """In a process of its own: what pytest would do that is called there."""
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]  # the original's: this process is forked from one that Prefect has given our plugin
    os.chdir(root)
    os.environ["PYTHONPATH"] = os.pathsep.join((str(root / "lib"), str(root)))
    os.environ.setdefault("DASHCAM_SHARED", str(ROOT.parent / "shared"))
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(written, 1)
    os.dup2(written, 2)
    import pytest

    status = pytest.main(list(argv))
    sys.stdout.flush()
    os._exit(status)


def troubles(report: Path) -> Iterator[tuple[str, str, str]]:
    for case in ElementTree.parse(report).iter("testcase") if report.exists() else ():
        for trouble in case:
            if trouble.tag in ("failure", "error", "skipped"):
                yield (
                    f"{case.get('classname')}::{case.get('name')}",
                    trouble.tag,
                    " ".join((trouble.get("message") or "").split())[:120],
                )


def judged(guard: Guard, root: Path) -> Verdict:
    """Take the guard out, run its test, put the guard back."""
    began, file = time.monotonic(), root / guard.file
    whole, when = file.read_bytes(), file.stat()
    try:
        file.write_text(guard.taken_out(root), encoding="utf-8")
        os.utime(file, (0, hash(guard.name) & 0x3FFFFFFF))  # of its own: no other's compiled code is taken for it
        status, found, output = run_tests(root, [guard.test])
    except ValueError as error:
        status, found, output = -1, [], str(error)
    finally:
        file.write_bytes(whole)
        os.utime(file, ns=(when.st_atime_ns, when.st_mtime_ns))
    said = next((words for _, what, words in found if what == "failure"), "")
    if status == 0:
        said, died = "the test passes without the guard", False
    elif status != 1 or any(what == "error" for _, what, _ in found) or not said:
        said, died = said or output.strip()[-300:] or f"pytest ended with {status}", False
    else:
        died = not OUR_MISTAKE.match(said)
    return Verdict(guard.name, died, said, round(time.monotonic() - began, 1))


def judge_all(chosen: Sequence[Guard], jobs: int) -> Iterator[Verdict]:
    """In order. A test has to pass with all the guards in place, else its failing proves nothing."""
    with tempfile.TemporaryDirectory(prefix="guards-") as scratch:
        Path(scratch).chmod(0o755)  # some tests are another user, who has to read the code
        roots: SimpleQueue[Path] = SimpleQueue()
        first = copy_of_the_repository(Path(scratch) / "0")
        roots.put(first)
        status, found, output = run_tests(first, sorted({guard.test for guard in chosen}))
        if status not in (0, 1):
            sys.exit(f"The tests do not run with all guards in place:\n{output}")
        no_proof = {test: f"{what} with the guard in place: {words}" for test, what, words in found}
        for number in range(1, jobs):
            roots.put(Path(shutil.copytree(first, Path(scratch) / str(number))))

        def judge(guard: Guard) -> Verdict:
            file, _, name = guard.test.partition(".py::")
            if said := no_proof.get(f"{file.replace('/', '.')}::{name}"):
                return Verdict(guard.name, False, said, 0.0)
            root = roots.get()
            try:
                return judged(guard, root)
            finally:
                roots.put(root)

        with ThreadPoolExecutor(jobs) as pool:
            yield from pool.map(judge, chosen)


def row(guard: Guard, verdict: Verdict) -> str:
    mark = "died" if verdict.died else f"**UNSEEN**: {verdict.said}"
    cells = guard.name, guard.protects, f"`{guard.file}`", f"`{guard.test}`", mark
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="guards whose name holds this; may be repeated")
    parser.add_argument("--list", action="store_true", help="what there is, nothing is run")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the verdicts")
    arguments = parser.parse_args()
    CONTEXT.set_forkserver_preload(THEIRS)
    chosen = [one for one in guards() if not arguments.only or any(part in one.name for part in arguments.only)]
    if arguments.list:
        print("\n".join(f"{one.name}: {one.protects}" for one in chosen))
        return
    print("| guard | what it protects | file | test | taken out |\n|---|---|---|---|---|", flush=True)
    verdicts = []
    for guard, verdict in zip(chosen, judge_all(chosen, arguments.jobs), strict=True):
        print(row(guard, verdict), flush=True)
        verdicts.append(verdict)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(one) for one in verdicts], indent=1) + "\n", encoding="utf-8")
    unseen = [one.guard for one in verdicts if not one.died]
    print(f"\n{len(verdicts) - len(unseen)} of {len(verdicts)} guards die loudly.")
    if unseen:
        sys.exit(f"Unseen: {'; '.join(unseen)}")


if __name__ == "__main__":
    main()
