"""How the site's processes write their log: as lines for people, or with ``DASHCAM_LOG=json`` as one JSON object a
line, for Loki, ELK and the like."""

import json
import logging
import os
from datetime import UTC, datetime

JSON = "json"
USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What each record has; everything else was given by who wrote it."""


class JsonLines(logging.Formatter):
    """``time``, ``level``, ``logger``, ``message``, with an exception ``trace``, and what the record was given."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        given = {name: value for name, value in vars(record).items() if name not in USUAL}
        return json.dumps(given | line, default=str, ensure_ascii=False)


def write_json() -> bool:
    """Whether the environment asks for it; a value that is none is as if there were none."""
    return os.environ.get("DASHCAM_LOG", "").lower() == JSON


def begin(form: str, handler: logging.Handler | None = None, clock: str | None = "%H:%M:%S") -> None:
    """This process's log from now on, in ``form`` where no JSON is asked for; to standard error unless a ``handler``
    is given. ``clock`` is the form of times, None with the date. Requests of HTTP clients are left out."""
    handler = handler or logging.StreamHandler()
    handler.setFormatter(JsonLines() if write_json() else logging.Formatter(form, datefmt=clock))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("httpx", "alembic.runtime.migration"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
