"""PostgreSQL on the main server of the box, listening there alone, with the role and database of docs/setup."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.home.hosts import Host, NotPermitted, until

PASSWORD = "of-the-database"


class Postgresql:
    url = f"postgresql+psycopg://dashcam:{PASSWORD}@localhost/dashcam"

    def __init__(self, host: Host) -> None:
        self.host = host
        self.folder = Path(tempfile.mkdtemp(prefix="dashcam-postgresql-"))

    def start(self) -> None:
        """Raises `NotPermitted` where it is not installed."""
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not found:
            raise NotPermitted("PostgreSQL is not installed (Debian: apt install postgresql)")
        programs, data = found[-1].parent, self.folder / "data"
        shutil.chown(self.folder, "postgres")  # it refuses to run as root
        auth = ["--auth-local", "trust", "--auth-host", "scram-sha-256"]
        init = [programs / "initdb", "--pgdata", data, "--username", "postgres", "--no-sync", *auth]
        subprocess.run(init, user="postgres", check=True, capture_output=True, cwd=self.folder)
        settings = f"-c listen_addresses=localhost -c unix_socket_directories={self.folder} -c fsync=off"
        self.host.run(
            "postgres", f"exec setpriv --reuid postgres --clear-groups {programs}/postgres -D {data} {settings}"
        )
        psql = f"{programs}/psql -qAt -h {self.folder} -U postgres"
        until("PostgreSQL answers", lambda: "1" in self.host.do(f"{psql} -c 'SELECT 1'", check=False), 60)
        self.host.do(
            f"{psql} -c \"CREATE ROLE dashcam LOGIN PASSWORD '{PASSWORD}'\" -c 'CREATE DATABASE dashcam OWNER dashcam'"
        )

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
