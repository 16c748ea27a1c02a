"""Whoever asks the database on an event loop's own thread keeps every page and the API waiting."""

import asyncio

from sqlalchemy import Connection


def refuse_on_the_loop(_connection: Connection) -> None:
    """To be told of each transaction that begins on an engine."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise AssertionError("the database is asked on the event loop: use System.ask or System.change")
