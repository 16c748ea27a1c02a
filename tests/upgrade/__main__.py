"""What a release leaves behind, to be upgraded in `tests/test_upgrade.py`: ``python -m tests.upgrade DATA FOLDER``.

DATA is the folder of `dashcam process` on a drive of `dashcam sample` that lies beside it, with that release. Some more
of what a person leaves is added (a clip protected, one to be done again, a device paused, people and tokens); FOLDER
gets the database as SQL and what REST says of it.
"""

import gzip
import json
import os
import socket
import sqlite3
import sys
from pathlib import Path

from fastapi import FastAPI
from fastapi.testclient import TestClient

from app import api, system
from app.main import configured
from dashcam import config


def main(data: Path, folder: Path) -> None:
    os.environ["DASHCAM_CONFIG"] = str(data / "config")
    here = configured()
    system.start(here)
    web = FastAPI()
    web.include_router(api.router)
    headers = {"Authorization": f"Bearer {config.token()}"}
    client = TestClient(web, base_url="http://testserver/api/v1", headers=headers)
    leave_marks(client)
    paths = asked(client)
    said = {path: client.get(path).raise_for_status().json() for path in paths}
    here.engine.dispose()
    connection = sqlite3.connect(data / "dashcam.db")
    left = {"answers.json.gz": json.dumps(said), "site.sql.gz": "\n".join(connection.iterdump())}
    connection.close()
    folder.mkdir(parents=True, exist_ok=True)
    for name, words in left.items():
        # nobody's machine is in it
        words = words.replace(str(data.absolute().parent).lstrip("/"), "home/owner")
        words = words.replace(socket.gethostname().partition(".")[0], "home")
        (folder / name).write_bytes(gzip.compress(words.encode(), mtime=0))


def leave_marks(client: TestClient) -> None:
    first, second, *_ = (one["video_id"] for one in client.get("/videos").json()["videos"])
    (device, *_) = (one["hostname"] for one in client.get("/devices").json())
    client.post(f"/videos/{first}/protect", json={"reason": "the holiday", "who": "ana"}).raise_for_status()
    client.post(f"/videos/{second}/again", json={"stage": "HEAVY_PROCESS_VIDEO"}).raise_for_status()
    client.put(f"/devices/{device}/pause", json={}).raise_for_status()
    for name, role in (("ana", "admin"), ("ben", "viewer")):
        person = {"name": name, "role": role, "password": f"the password of {name}"}
        client.post("/users", json=person).raise_for_status()
    client.post("/tokens", json={"name": "grafana", "role": "viewer"}).raise_for_status()
    client.post("/devices/invitations", json={}).raise_for_status()


def asked(client: TestClient) -> list[str]:
    """Paths whose answer does not depend on when they are asked, nor on this machine."""
    videos = [one["video_id"] for one in client.get("/videos").json()["videos"]]
    plates = sorted({one["text"] for one in client.get("/search", params={"q": "*"}).json()})
    lists = ["/accuracy", "/devices", "/search?q=*", "/sightings", "/tasks", "/tokens", "/trips", "/users", "/videos"]
    each = [f"/videos/{one}{more}" for one in videos for more in ("", "/track", "/retention")]
    return [*lists, *each, *(f"/plates/{text}" for text in plates)]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
