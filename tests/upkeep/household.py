"""A house with clips that have been through: files in two stores, rows in a database, and the real REST API between."""

import hashlib
import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app import api, system
from app.trouble import answer_trouble
from dashcam.catalog import holdings
from dashcam.catalog.models import RetentionPlan, SourceFile, Video
from dashcam.config import Site
from dashcam.database import reading, writing
from dashcam.media import identity
from dashcam.records import HoldingKind
from dashcam.storage import bundle, layout
from dashcam.storage.roots import Stores
from dashcam.tasks.client import MainServerClient
from dashcam.upkeep import planning, removing
from dashcam.upkeep.retention import Plan
from tests.catalog.rows import add_task, add_video
from tests.storage.made import manifest_of

KINDS: tuple[HoldingKind, ...] = ("raw", "preproc", "heavy_output", "lowres")
TOKEN = "a token of this test"
MARKER = "dashcam-store"
DAYS = {"raw_videos": 90, "preproc_data": 30, "heavy_output": 7}


def site_with(enabled: bool = True, days: dict[str, Any] = DAYS, **retention: Any) -> Site:
    known = {"enabled": enabled, "lowres_months": 12, "most_of_store": 1.0, "most_of_videos": 1.0}
    others = {"extra_stores": {"cold": "/cold"}}
    return Site.model_validate(others | {"global": {"storage_retention_days": days}, "retention": known | retention})


@contextmanager
def client() -> Iterator[MainServerClient]:
    """The flows' own client, its requests going straight into the real application."""
    web = FastAPI()
    answer_trouble(web)
    web.include_router(api.router)
    with TestClient(web, base_url="http://testserver/api/v1") as http:
        http.headers["Authorization"] = f"Bearer {TOKEN}"
        one = MainServerClient("http://testserver", "not used", patience_s=0)
        one.http = http
        yield one


class House:
    def __init__(self, home: Path, engine: Engine, site: Site | None = None) -> None:
        self.home, self.engine = home, engine
        self.roots = {name: home / name for name in (layout.INDOOR, layout.SHED)}
        for root in self.roots.values():
            root.mkdir(parents=True)
            (root / MARKER).touch()
        self.stores = Stores(self.roots, dict.fromkeys(self.roots, MARKER))
        self.here = system.System(engine, site or site_with(), self.stores, TOKEN)
        system.start(self.here)
        self.now = datetime.now(UTC)

    def server(self) -> AbstractContextManager[MainServerClient]:
        return client()

    def clip(self, number: int, days: float, locked: bool = False, **kept: bool) -> Video:
        """A clip whose archive is verified since so many days, with all its files; ``heavy_output=False`` is gone."""
        name = f"2026_0628_{number:06d}_{number:04d}F.MP4"
        raw = self.roots[layout.INDOOR] / "raw/2026-06-28" / name
        raw.parent.mkdir(parents=True, exist_ok=True)
        raw.write_bytes(random.Random(number).randbytes(3000 + number))
        video_id = identity.video_id(raw)
        self.archive(video_id, identity.sha256(raw), name)
        for kind, file in (("preproc", "candidates.json"), ("heavy_output", layout.LOWRES)):
            folder = self.roots[layout.INDOOR] / kind / video_id
            folder.mkdir(parents=True)
            (folder / file).write_bytes(f"{kind} of {name}".encode())
        uri = f"indoor_nas:raw/2026-06-28/{name}"
        with writing(self.engine) as session:
            video = add_video(session, number, video_id=video_id, name=name, source=uri, media=layout.archive(video_id))
            video.created_at = self.now - timedelta(days=days, hours=1)
            video.facts = (video.facts or {}) | {
                "sha256": identity.sha256(raw), "size": raw.stat().st_size, "locked": locked,
            }  # fmt: skip
            status = raw.stat()
            session.add(SourceFile(uri=uri, size=status.st_size, mtime_ns=status.st_mtime_ns, video_id=video_id))
            result = {"archive": "a", "manifest_sha256": "b", "files": 3, "bytes": 100 + number}
            add_task(session, video, "ARCHIVE_VIDEO", state="complete", result=result)
            session.flush()
            retention = self.here.site.global_.storage_retention_days
            holdings.note(session, video, self.now - timedelta(days=days), [], retention)
        return video

    def archive(self, video_id: str, sha256: str, name: str) -> None:
        folder = self.roots[layout.SHED] / video_id
        for path in (layout.LOWRES, "plates/p_best_crop.jpg", "frames/p_best_frame.jpg"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(hashlib.sha256(f"{path}{video_id}".encode()).digest() * 9)
        self.write_manifest(folder, sha256, name)

    def write_manifest(self, folder: Path, sha256: str, name: str = "a.MP4") -> None:
        manifest = manifest_of(folder, folder.name, name, sha256)
        (folder / layout.MANIFEST).write_bytes(bundle.manifest_bytes(manifest))

    def announced_before(self) -> None:
        """A plan of the night before, as a house has that has run for a while."""
        with writing(self.engine) as session:
            session.add(RetentionPlan(made_at=self.now - timedelta(days=1), plan={}))

    def files(self) -> set[str]:
        """``store:path`` of every file, but for the markers."""
        return {
            f"{store}:{path.relative_to(root).as_posix()}"
            for store, root in self.roots.items()
            for path in root.rglob("*")
            if path.is_file() and path.name != MARKER
        }

    def announce(self, unattended: bool = False) -> Plan:
        survey = removing.survey(self.stores)
        with reading(self.engine) as session:
            plan = planning.draft(session, self.here.site, survey, datetime.now(UTC), unattended)
        with writing(self.engine) as session:
            return planning.announce(session, plan)

    def protect(self, video: Video) -> None:
        with writing(self.engine) as session:
            planning.protect(session, video.video_id, "the crash", "Ana", self.now)


def files_under(uris: list[str], files: set[str]) -> set[str]:
    """Those of the files that the places of a plan's items name."""
    return {file for file in files if any(file == uri or file.startswith(f"{uri}/") for uri in uris)}
