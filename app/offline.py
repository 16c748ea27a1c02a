"""What is done to the database while the main server does not run: ``python -m app.offline restore FILE | rebuild |
migrate-db FROM TO``."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlalchemy.exc import DBAPIError

import migrations
from dashcam import Explained, config
from dashcam.config import Site
from dashcam.database import cause, open_engine
from dashcam.site.typed import url_of
from dashcam.storage.roots import Stores
from dashcam.upkeep import backup, deleting, moving, undoing
from dashcam.upkeep.rebuild import Rebuilt, rebuild
from dashcam.upkeep.restore import restore

OURS = "site"
"""Stands for the database of ``server.database_url``."""


def main(argv: Sequence[str]) -> int:
    wanted = arguments().parse_args(argv)
    try:
        site = config.load_site()
        refuse_while_it_runs(site)
        return DOES[wanted.what](site, wanted)
    except Explained as error:
        say(f"dashcam: {error}")
    except (OSError, DBAPIError) as error:
        say(f"dashcam: The database cannot be used ({cause(error) if isinstance(error, DBAPIError) else error}).")
    return 1


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.offline")
    what = parser.add_subparsers(dest="what", required=True)
    one = what.add_parser("restore")
    one.add_argument("file", type=Path)
    one.add_argument("--no-keep", action="store_true")
    other = what.add_parser("rebuild")
    other.add_argument("--add", action="store_true")
    other.add_argument("--every-byte", action="store_true")
    third = what.add_parser("migrate-db")
    third.add_argument("source")
    third.add_argument("target")
    third.add_argument("--verify", action="store_true")
    return parser


def refuse_while_it_runs(site: Site) -> None:
    """Two that write the catalogue would each undo what the other does. `Explained`."""
    try:
        # whoever it is by its certificate: it answers
        answer = httpx.get(f"{site.server.url}/api/v1/health", timeout=2, trust_env=False, verify=False)
    except httpx.HTTPError:
        return
    if answer.is_success:
        raise Explained(f"The main server runs at {site.server.url}: stop it first. Nothing was changed.")


def restore_file(site: Site, wanted: argparse.Namespace) -> int:
    url = site.server.database_url
    folder = backup.folder_of(url, site.backup.folder)
    words = deleting.told(folder, stores_of(site))

    def bring_up(at: str) -> None:
        migrate(at)
        forget(at, site, words)

    there = restore(url, wanted.file, folder, bring_up, say, keep_old=not wanted.no_keep)
    say(f"Restored: {there.rows['video']} clips, {there.rows['sighting']} sightings")
    try:
        return report(rebuilt(site, add=True))
    except (Explained, OSError) as error:
        say(f"What the archive knows beyond it was not taken in: {error} Then run: dashcam rebuild --add")
        return 1


def migrate(url: str) -> None:
    engine = open_engine(url)
    try:
        migrations.upgrade(engine)
    finally:
        engine.dispose()


def forget(url: str, site: Site, words: deleting.Words) -> None:
    """What was deleted since the backup was taken is not in what takes the database's place."""
    engine = open_engine(url)
    try:
        undoing.another_day(engine, datetime.now(UTC))
        if gone := deleting.learn(engine, site, words, datetime.now(UTC)):
            say(f"Deleted again: {gone} clips and sightings that were deleted after this backup was taken")
    finally:
        engine.dispose()


def stores_of(site: Site) -> Stores:
    return Stores(site.store_roots(config.load_device()), site.store_markers())


def rebuild_all(site: Site, wanted: argparse.Namespace) -> int:
    migrate(site.server.database_url)
    return report(rebuilt(site, add=wanted.add, every_byte=wanted.every_byte))


def rebuilt(site: Site, *, add: bool, every_byte: bool = False) -> Rebuilt:
    engine = open_engine(site.server.database_url)
    try:
        return rebuild(engine, stores_of(site), site, add=add, every_byte=every_byte, progress=tell_progress)
    finally:
        engine.dispose()


def tell_progress(done: int, total: int) -> None:
    if total and (done % 100 == 0 or done == total):
        say(f"{done} of {total} archives taken in")


def report(done: Rebuilt) -> int:
    for sentence in done.left_out:
        say(f"Left out: {sentence}")
    for sentence in done.doubts:
        say(f"Taken in, and not whole: {sentence}")
    say(f"Rebuilt: {done.clips} clips from their archives, {done.ended} without one, {done.known} known before")
    if done.caught_up:
        say(f"Of those {done.caught_up} were behind their archives; they are archived and finalized once more")
    return 1 if done.left_out else 0


def move_database(site: Site, wanted: argparse.Namespace) -> int:
    ours = site.server.database_url
    source, target = (ours if url == OURS else url_of(url) for url in (wanted.source, wanted.target))
    counts = (moving.verify if wanted.verify else moving.move)(source, target, say)
    how = "The same" if wanted.verify else "Moved"
    say(f"{how}: {sum(counts.values()):,} rows of {len(counts)} tables, each compared")
    if not wanted.verify and target != ours:
        say("Now write the new one into config.json, as server.database_url, and start the main server.")
    return 0


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


DOES = {"restore": restore_file, "rebuild": rebuild_all, "migrate-db": move_database}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
