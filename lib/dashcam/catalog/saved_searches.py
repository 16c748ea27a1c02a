"""Searches that people keep by a name: each person their own, on a site without log-in all together."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from urllib.parse import parse_qs

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from dashcam import Explained
from dashcam.catalog import plate_text
from dashcam.catalog.models import SavedSearch

LONGEST_NAME = 60
MOST = 100


class NotSaved(Explained):
    """Why a search is not kept, in one plain sentence."""


def saved(session: Session, account_id: int | None) -> Sequence[SavedSearch]:
    """By name."""
    mine = select(SavedSearch).where(whose(account_id))
    return session.scalars(mine.order_by(SavedSearch.name, SavedSearch.search_id)).all()


def save(session: Session, account_id: int | None, name: str, query: str, now: datetime) -> SavedSearch:
    """One of the same name is replaced. ``query`` is as the page's address has it. Raises `NotSaved`."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise NotSaved(f"A saved search needs a name of 1 to {LONGEST_NAME} characters.")
    session.execute(delete(SavedSearch).where(whose(account_id), SavedSearch.name == name))
    if (session.scalar(select(func.count()).where(whose(account_id))) or 0) >= MOST:
        raise NotSaved(f"{MOST} searches are kept: remove one first.")
    row = SavedSearch(account_id=account_id, name=name, query=query, created_at=now)
    session.add(row)
    session.flush()
    return row


def remove(session: Session, account_id: int | None, search_id: int) -> bool:
    """False where this person has no such search."""
    mine = delete(SavedSearch).where(whose(account_id), SavedSearch.search_id == search_id)
    return bool(session.execute(mine.returning(SavedSearch.search_id)).all())


def forget(session: Session, names: Callable[[str], bool]) -> None:
    """Of plates that are deleted no search is kept, nobody's; ``names`` tells whether a text is one of them."""
    session.execute(delete(SavedSearch).where(SavedSearch.search_id.in_(naming(session, names))))


def naming(session: Session, names: Callable[[str], bool]) -> list[int]:
    """The numbers of the searches in which one of the texts stands."""
    rows = session.execute(select(SavedSearch.search_id, SavedSearch.query, SavedSearch.name)).tuples()
    return [
        search_id
        for search_id, query, name in rows
        if any(map(names, filter(plate_text.normalised, (*said(query), name, *name.split()))))
    ]


def said(query: str) -> Iterator[str]:
    """What stands in an address in a person's words."""
    given = parse_qs(query)
    yield from (*given.get("q", []), *given.get("tag", []))


def whose(account_id: int | None) -> ColumnElement[bool]:
    return SavedSearch.account_id.is_(None) if account_id is None else SavedSearch.account_id == account_id
