"""Which tables were written to since: what was asked of others is as true as it was.

Of this process alone, and of what goes through `dashcam.database.writing`: only the main server opens the database.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event

ANY = ""
"""Stands for a statement of which nobody knows what it writes to."""
HARMLESS = ("SELECT", "BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE", "ROLLBACK")
HERE, LOCK = threading.local(), threading.Lock()
COUNTS: WeakKeyDictionary[Engine, Counter[str]] = WeakKeyDictionary()


def watch(engine: Engine) -> None:
    event.listen(engine, "after_cursor_execute", note)


def note(_connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool) -> None:
    names = getattr(HERE, "names", None)
    if names is None:
        return
    if context.isinsert or context.isupdate or context.isdelete:
        names.add(context.compiled.statement.table.name)
    elif not statement.lstrip().upper().startswith(HARMLESS):
        names.add(ANY)


@contextmanager
def counted(engine: Engine) -> Iterator[None]:
    """Within is one write transaction of this thread, committed at the end: only then is it counted, so that nobody
    takes what was there before for what is there now."""
    around, names = getattr(HERE, "names", None), set[str]()
    HERE.names = names
    try:
        yield
    finally:
        HERE.names = around
        with LOCK:
            COUNTS.setdefault(engine, Counter()).update(names)


def so_often(engine: Engine, tables: Iterable[str]) -> tuple[int, ...]:
    """How often these tables were written to: asked before they are read, the same later says that nothing changed."""
    counts = COUNTS.get(engine, Counter())
    return tuple(counts[name] for name in (ANY, *tables))
