"""What is going and not to be shown meanwhile, for whoever would show it or take it in anew.

Each function works inside the caller's transaction, and costs next to nothing while nothing is going.
"""

import zlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from dashcam.catalog.aside_rows import NEVER, Going, SetAside
from dashcam.catalog.models import Video
from dashcam.records import ClipRecord

NOTHING = zlib.compress(b"[]")
PICTURES = select(SetAside.pictures).where(SetAside.video_id == bindparam("video_id"))


def clips(session: Session, video_ids: Iterable[str]) -> dict[str, datetime]:
    """Those of these clips that are set aside as a whole, and when they go."""
    wanted = select(SetAside.video_id, Going.due).join(Going, Going.going_id == SetAside.going_id)
    its = SetAside.whole, SetAside.video_id.in_(set(video_ids))
    return dict(session.execute(wanted.where(*its)).tuples().all())


def files(session: Session) -> dict[str, tuple[int, int, str]]:
    """Size, time and clip of each file of clips that are set aside: no scan reads them again."""
    found = session.execute(select(SetAside.video_id, SetAside.files).where(SetAside.whole)).tuples()
    return {uri: (size, mtime_ns, video_id) for video_id, its in found for uri, size, mtime_ns in its}


def pictures(session: Session, video_id: str) -> set[str] | None:
    """Of a clip what is not to be shown, as paths in its folder; None where nothing of it is set aside."""
    found = session.scalars(PICTURES, {"video_id": video_id}).all()
    return {path for some in found for path in some} if found else None


def with_pictures(query: Select[Any]) -> Select[Any]:
    """The same question about clips, with ``pictures`` of what is set aside of them as the last column: None where
    nothing is, and a line for each time that something was."""
    return query.add_columns(SetAside.pictures).outerjoin(SetAside, SetAside.video_id == Video.video_id)


def texts(session: Session, when: datetime) -> dict[str, int]:
    """Plates that are going, in clips from that time, each with the `Going`'s number. One that is hidden without being
    deleted is so in later clips too."""
    wanted = select(Going.going_id, Going.texts).where((Going.at >= when) | (Going.due == NEVER), ~Going.back)
    return {text: number for number, its in session.execute(wanted).tuples() for text in its}


def keep(session: Session, going_id: int, video_id: str, pictures: list[str]) -> None:
    """A plate that is going was found in a clip that is read meanwhile: taken back, it is found there."""
    bare: dict[str, Any] = {"whole": False, "looked_at": None, "files": [], "words": {}, "rows": NOTHING}
    session.add(SetAside(going_id=going_id, video_id=video_id, pictures=pictures, **bare))


def shown(record: ClipRecord, hidden: set[str]) -> ClipRecord:
    """What a clip's stages have said, without the sightings of these pictures."""
    stages = []
    for stage in record.stages:
        if found := stage.result.get("sightings"):
            stays = [one for one in found if one["crop"] not in hidden]
            stage = stage.model_copy(update={"result": stage.result | {"sightings": stays}})
        stages.append(stage)
    return record.model_copy(update={"stages": stages})
