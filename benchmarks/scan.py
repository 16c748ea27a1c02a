"""``python -m benchmarks.scan --files 50000``: scanning a folder whose clips are all known, as Markdown.

A real folder, a real SQLite database and the real application over HTTP; what the scan flow does but for the two or
three seconds in which its process starts.
"""

import argparse
import os
import socket
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine, insert

import migrations
from app import api, system
from dashcam.catalog.models import SourceFile, Video
from dashcam.config import Site
from dashcam.database import open_engine, writing
from dashcam.stages.scan import listed, scan
from dashcam.storage.roots import Stores
from dashcam.tasks.client import MainServerClient

TOKEN = "a token of this benchmark"
LONG_AGO = 1_700_000_000


def make_clips(raw: Path, count: int) -> None:
    """Small files with different contents, 500 to a day's folder."""
    for number in range(count):
        file = raw / f"day{number // 500:04d}" / f"2026_0628_133416_{number:06d}F.MP4"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(number.to_bytes(8, "big"))
        os.utime(file, (LONG_AGO, LONG_AGO))


def know(engine: Engine, stores: Stores) -> None:
    """Write every clip down as a processed video, as if scanned and worked off long ago."""
    root = stores.root("indoor_nas")
    listing = list(listed(root, root, print))
    names = [(f"{number:016x}", f"indoor_nas:{clip.path}") for number, clip in enumerate(listing)]
    videos = [
        {"video_id": one, "name": uri, "source": uri, "created_at": datetime.now(UTC), "outcome": "processed"}
        for one, uri in names
    ]
    files = [
        {"uri": uri, "size": clip.size, "mtime_ns": clip.mtime_ns, "video_id": one}
        for (one, uri), clip in zip(names, listing, strict=True)
    ]
    with writing(engine) as session:
        session.execute(insert(Video), videos)
        session.execute(insert(SourceFile), files)


def serve(engine: Engine, stores: Stores) -> MainServerClient:
    system.start(system.System(engine, Site(), stores, TOKEN))
    web = FastAPI()
    web.include_router(api.router)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(web, log_level="error"))
    threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True).start()
    return MainServerClient(f"http://127.0.0.1:{listening.getsockname()[1]}", TOKEN)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=50_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dashcam-scan-") as temporary:
        folder = Path(temporary)
        make_clips(folder / "nas" / "raw", arguments.files)
        stores = Stores({"indoor_nas": folder / "nas"})
        engine = open_engine(f"sqlite:///{folder / 'dashcam.db'}")
        migrations.upgrade(engine)
        know(engine, stores)
        server = serve(engine, stores)
        print("| scan | files | new | seconds | CPU seconds | tasks that wait for a run |\n|---|---|---|---|---|---|")
        for name in ("all known", "all known, again"):
            began, cpu = time.monotonic(), time.process_time()
            done = scan(server, stores, "indoor_nas:raw")
            took, used = time.monotonic() - began, time.process_time() - cpu
            waiting = server.call("GET", "/tasks", params={"state": "pending", "limit": 1})["total"]
            print(f"| {name} | {done.files} | {done.new} | {took:.1f} | {used:.1f} | {waiting} |", flush=True)


if __name__ == "__main__":
    main()
