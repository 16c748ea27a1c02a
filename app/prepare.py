"""``python -m app.prepare``: the site's database made, or brought up to date; with ``--invite`` a code for one device.

For `dashcam init`, which itself opens no database. Safe beside a running main server.
"""

import argparse
import logging
import sys
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

import migrations
from dashcam import NO_USE_TRYING, Explained, config
from dashcam.access import invitations
from dashcam.database import named, open_engine, writing
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
    arguments = parser.parse_args()
    try:
        engine = up_to_date(config.load_site())
    except (Explained, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(NO_USE_TRYING)
    if arguments.invite:
        with writing(engine) as session:
            print(invitations.invite(session, datetime.now(UTC)).text)
    else:
        print(named(engine))


if __name__ == "__main__":
    main()
