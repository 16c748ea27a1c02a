"""``python -m app.prepare``: the site's database made, or brought up to date; with ``--invite`` a code for one device,
with ``--admin`` somebody who may log in.

For `dashcam init`, which itself opens no database. Safe beside a running main server.
"""

import argparse
import json
import logging
import sys
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

import migrations
from dashcam import NO_USE_TRYING, Explained, config
from dashcam.access import invitations, passwords, users
from dashcam.access.roles import Role
from dashcam.database import named, open_engine, reading, writing
from dashcam.upkeep import backup

log = logging.getLogger("dashcam")


def up_to_date(site: config.Site) -> Engine:
    """The site's database, made or migrated. Raises `DatabaseUnusable` with one plain sentence."""
    engine = open_engine(site.server.database_url)
    if migrations.is_older(engine):
        copy_before(engine, site)
    migrations.upgrade(engine)
    return engine


def copy_before(engine: Engine, site: config.Site) -> None:
    """A backup of the database as it is before it is migrated. Migrating is one transaction: without it nothing is lost
    that is there, so a disk that has no room for it keeps nobody from starting."""
    try:
        kept = backup.take(engine, backup.folder_of(site.server.database_url, site.backup.folder), site.backup.keep)
        log.info("backup %s taken before the database is migrated", kept.file)
    except (Explained, OSError, SQLAlchemyError) as error:
        log.warning("the database is migrated without a backup from before: %s", error)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invite", action="store_true", help="print a code with which one device may join")
    parser.add_argument("--people", action="store_true", help="print how many people may log in")
    parser.add_argument("--admin", metavar="NAME", help='let that person in; standard input is {"password": "..."}')
    try:
        print(answer(parser.parse_args()))
    except (Explained, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(NO_USE_TRYING)


def answer(asked: argparse.Namespace) -> str:
    engine = up_to_date(config.load_site())
    if asked.invite:
        with writing(engine) as session:
            return invitations.invite(session, datetime.now(UTC)).text
    if asked.people:
        with reading(engine) as session:
            return str(len(users.all_of_them(session)))
    if asked.admin:
        return admitted(engine, asked.admin, json.load(sys.stdin)["password"])
    return named(engine)


def admitted(engine: Engine, name: str, password: str) -> str:
    """Whoever is there already stays as they are. Raises `Explained` for a name or a password that is none."""
    with reading(engine) as session:
        if users.by_name(session, name) is not None:
            return "is there already, with the password from before"
    password_hash = passwords.hashed(password, name)
    with writing(engine) as session:
        users.add(session, name, password_hash, Role.ADMIN, datetime.now(UTC))
    return "may log in"


if __name__ == "__main__":
    main()
