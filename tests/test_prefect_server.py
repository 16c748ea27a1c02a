"""Prefect's event loop goes on while a statement that met a locked database is freed."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY

LOCKED = """
import sqlite3, sys, threading, time
from flows.prefect_server import collect_beside

def connected(timeout):
    return sqlite3.connect(sys.argv[1], check_same_thread=False, isolation_level=None, timeout=timeout)

holder, waiter = connected(0), connected(4)
holder.execute("PRAGMA journal_mode = WAL")
holder.execute("CREATE TABLE t (x)")
statement = waiter.execute("SELECT 1 UNION SELECT 2")
statement.fetchone()
collect_beside()
garbage = {"statement": statement}
garbage["itself"] = garbage
del garbage, statement
holder.execute("BEGIN IMMEDIATE")
waiting = threading.Thread(target=waiter.execute, args=["INSERT INTO t VALUES (1)"])
waiting.start()
time.sleep(0.3)
longest, before = 0.0, time.monotonic()
kept = []
while len(kept) < 3_000_000 and waiting.is_alive():
    kept.append([])  # what makes Python look for garbage
    now = time.monotonic()
    longest, before = max(longest, now - before), now
    if len(kept) == 300_000:
        time.sleep(1.5)
        before = time.monotonic()
        holder.execute("COMMIT")
waiting.join()
print(longest)
"""


def test_freeing_a_statement_of_a_waiting_connection_keeps_nobody_waiting(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    argv = [sys.executable, "-c", LOCKED, str(tmp_path / "db")]
    ended = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert float(ended.stdout) < 1.5, "the holder of the lock was kept from committing"
