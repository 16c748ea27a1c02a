"""A site with clips that have been through the real stages' results, and the real API."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

import migrations
from app import system
from dashcam.catalog.models import Plate, Video
from dashcam.config import Site
from dashcam.database import Base, open_engine, reading
from dashcam.tasks.client import MainServerClient
from dashcam.upkeep import erasing
from tests.upkeep.household import TOKEN, client
from tests.upkeep.made_site import MadeSite


def new_database(file: Path) -> Engine:
    engine = open_engine(f"sqlite:///{file}")
    migrations.upgrade(engine)
    return engine


class Lived:
    """A site with clips, and the real API."""

    def __init__(self, made: MadeSite, settings: Site) -> None:
        self.made, self.settings = made, settings
        self.engine, self.stores = made.engine, made.stores
        self.here = system.System(self.engine, settings, self.stores, TOKEN)
        system.start(self.here)

    def server(self) -> AbstractContextManager[MainServerClient]:
        system.start(self.here)
        return client()

    def delete(self, **wanted: Any) -> dict[str, Any]:
        with self.server() as server:
            done: dict[str, Any] = server.call("POST", "/deletions", json=wanted)
            erasing.carry_out(server, self.stores)
        return done

    def clips(self) -> list[str]:
        with reading(self.engine) as session:
            return list(session.scalars(select(Video.video_id).order_by(Video.start_utc)))

    def plates(self) -> set[str]:
        with reading(self.engine) as session:
            return set(session.scalars(select(Plate.text)))

    def files(self) -> dict[str, bytes]:
        return {
            f"{store}:{path.relative_to(root).as_posix()}": path.read_bytes()
            for store, root in self.stores.roots.items()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    def mentions(self, word: str) -> list[str]:
        """Every file of the stores, and every table, in which there is that word."""
        found = [name for name, data in self.files().items() if word in name or word.encode() in data]
        with self.engine.connect() as connection:
            for name, table_ in Base.metadata.tables.items():
                rows = connection.execute(table_.select()).all()
                found += [f"table {name}" for row in rows if word in repr(tuple(row))]
        return found
