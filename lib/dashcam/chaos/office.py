"""The main server as housekeeping asks it: the functions behind its REST API, on a world's database, by its clock."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from dashcam.catalog import holdings
from dashcam.catalog.record import record_of
from dashcam.chaos.clock import StandingClock
from dashcam.config import Site
from dashcam.database import reading, writing
from dashcam.storage.roots import Stores
from dashcam.upkeep import checks, orphans, planning
from dashcam.upkeep.retention import Survey
from dashcam.upkeep.sweep import Folder


class Office:
    """Stands where a `MainServerClient` is wanted."""

    def __init__(self, engine: Engine, stores: Stores, site: Site, clock: StandingClock) -> None:
        self.engine, self.stores, self.site, self.clock = engine, stores, site, clock

    def call(self, method: str, path: str, **request: Any) -> Any:
        """Raises `planning.PlanRefused` where the REST API answers 409."""
        sent = request.get("json") or request.get("params") or {}
        for pattern, answer in self.routes().items():
            if found := re.fullmatch(pattern, f"{method} {path}"):
                return answer(sent, *found.groups())
        raise AssertionError(f"nobody has asked {method} {path} yet")

    def routes(self) -> Mapping[str, Callable[..., Any]]:
        plan, video = r"/retention/plans/(\d+)", r"/(\w+)"
        return {
            "GET /sweep/archives": lambda sent: self.read(orphans.archived, sent["after"], 500),
            "POST /sweep/judge": self.judge,
            "POST /retention/plans": self.announce,
            f"POST {plan}/begin": lambda sent, number: self.write(
                planning.begin, site=self.site, plan_id=int(number), now=self.clock.now
            ),
            f"POST {plan}/check": lambda sent, number: self.write(
                planning.check, self.site, int(number), planning.One(**sent), self.clock.now
            ).model_dump(),
            f"POST {plan}/removed": lambda sent, number: self.write(
                planning.removed, int(number), planning.RemovedOne(**sent)
            ),
            f"POST {plan}/end": lambda sent, number: self.write(
                planning.end, int(number), sent["kept"], self.clock.now
            ),
            "GET /archives/unchecked": lambda sent: [
                one.model_dump() for one in self.read(checks.next_ones, sent["limit"])
            ],
            f"POST /archives{video}/checked": self.checked,
            f"GET /videos{video}/record": lambda sent, video_id: self.read(record_of, video_id),
        }

    def read(self, what: Callable[..., Any], *arguments: Any) -> Any:
        with reading(self.engine) as session:
            return what(session, *arguments)

    def write(self, what: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with writing(self.engine) as session:
            return what(session, *arguments, **named)

    def judge(self, sent: Any) -> Any:
        folders = [Folder.model_validate(one) for one in sent["folders"]]
        return [word.model_dump() for word in self.read(orphans.judge, folders)]

    def announce(self, sent: Any) -> Any:
        survey, now = Survey.model_validate(sent["survey"]), self.clock.now
        while self.write(holdings.catch_up, self.site.global_.storage_retention_days, now):
            pass
        draft: Callable[[Session], Any] = partial(
            planning.draft, site=self.site, survey=survey, now=now, unattended=sent["unattended"]
        )
        return self.write(planning.announce, self.read(draft)).model_dump(mode="json")

    def checked(self, sent: Any, video_id: str) -> Any:
        verdict = checks.CheckResult(**sent)
        way = self.read(checks.way_out, self.stores, video_id) if verdict.wrong else None
        return {"mended_by": self.write(checks.note, video_id, verdict, way, self.clock.now)}
