"""What admins have said of the site on its pages: it counts beside its settings, or before them.

Each function works inside the caller's transaction.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashcam.catalog import home_zones
from dashcam.catalog.site_rows import RetentionWord
from dashcam.config import Site

TICK = timedelta(microseconds=1)


def heeded(session: Session, site: Site) -> Site:
    """The settings with what was said: home zones beside theirs, rules of retention instead of theirs."""
    zones = [*site.privacy.home_zones, *home_zones.drawn(session)]
    known = site.model_copy(update={"privacy": site.privacy.model_copy(update={"home_zones": zones})})
    word = retention_word(session)
    if word is None or word.by_settings:
        return known
    days = site.global_.storage_retention_days.model_copy(update={"raw_videos": word.raw_videos})
    rules = {"enabled": word.enabled, "lowres_months": word.lowres_months}
    return known.model_copy(
        update={
            "global_": site.global_.model_copy(update={"storage_retention_days": days}),
            "retention": site.retention.model_copy(update=rules),
        }
    )


def rules_of(site: Site) -> dict[str, Any]:
    """What `say_retention` says, as it is now."""
    days, rules = site.global_.storage_retention_days, site.retention
    return {"enabled": rules.enabled, "raw_videos": days.raw_videos, "lowres_months": rules.lowres_months}


def retention_word(session: Session) -> RetentionWord | None:
    """The one that counts."""
    return session.scalars(select(RetentionWord).order_by(RetentionWord.said_at.desc()).limit(1)).one_or_none()


def say_retention(
    session: Session, who: str, now: datetime, *, enabled: bool, raw_videos: int | None, lowres_months: int | None
) -> None:
    """Whether what is due goes, the days of the clips, and the months of small copies; None is for ever."""
    rules = {"enabled": enabled, "raw_videos": raw_videos, "lowres_months": lowres_months}
    session.add(RetentionWord(said_at=after_all(session, now), who=who, by_settings=False, **rules))


def take_retention_back(session: Session, who: str, now: datetime) -> None:
    """The settings count again."""
    session.add(RetentionWord(said_at=after_all(session, now), who=who, by_settings=True, enabled=False))


def after_all(session: Session, now: datetime) -> datetime:
    """What is said last counts, also where the clock was put back."""
    word = retention_word(session)
    return now if word is None else max(now, word.said_at + TICK)
