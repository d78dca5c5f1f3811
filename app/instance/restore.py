"""Put a backup in the place of an instance that does not run.

Everything is unpacked and checked beside its place first.  What stood there is moved aside
and stays; when a move fails, all moves are taken back.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alembic.script import ScriptDirectory

from app.config import Settings
from app.instance import archive
from app.instance.backup import revision_of
from app.instance.places import DATABASE, INBOX, SECRETS, InstanceRefused, Places, embedded_places
from app.kernel.clock import utc_now
from app.kernel.instance import LOCK_FILE_NAME, lock

_BESIDE: Final = ("-wal", "-shm")
"""Files that SQLite keeps beside a database; those of one must never meet another."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, and where that which stood there before is now, if anything did."""

    created_at: str
    schema_revision: str
    files_count: int
    moved_to: Path | None


def restore(settings: Settings, file: Path, *, migrations: Path, replace: bool) -> Restored:
    """Put the backup into the instance's places.

    Args:
        migrations: Folder of the migrations that this installation knows.
        replace: Move aside what stands there; without it, places must be empty.

    Raises:
        InstanceRefused: The instance runs, a place is taken, or the file is not sound; then
            everything is as it was.
    """
    places = embedded_places(settings)
    if settings.is_production:
        raise InstanceRefused("A production installation has no embedded instance to restore.")
    places.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _to_ourselves(places):
        if not replace:
            _refuse_taken(places)
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=places.folder) as folder:
            manifest = archive.unpack(file, Path(folder))
            found = revision_of(Path(folder) / DATABASE)
            _refuse_unknown(found, manifest.schema_revision, migrations)
            moved_to = _exchange(places, Path(folder))
    return Restored(manifest.created_at, found, len(manifest.sums), moved_to)


@contextmanager
def _to_ourselves(places: Places) -> Iterator[None]:
    """Hold the lock of a start, so that none begins meanwhile; refuse when one runs."""
    descriptor = os.open(places.folder / LOCK_FILE_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not lock(descriptor) or _is_open(places.database):
            raise InstanceRefused(
                f"Tieout runs in {places.folder}: stop it with Ctrl-C first; nothing was replaced."
            )
        yield
    finally:
        os.close(descriptor)


def _is_open(database: Path) -> bool:
    """Tell whether a program without the lock, such as a web server by itself, has it open."""
    if not database.is_file():
        return False
    with closing(sqlite3.connect(database, timeout=0)) as opened:
        try:
            opened.execute("PRAGMA locking_mode = EXCLUSIVE")
            opened.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            return "locked" in str(error)
        except sqlite3.DatabaseError:
            return False  # damaged: that is what a restore is for
    return False


def _refuse_taken(places: Places) -> None:
    taken = [
        place
        for place in (places.database, places.secrets, places.inbox)
        if (any(place.iterdir()) if place.is_dir() else place.exists())
    ]
    if taken:
        raise InstanceRefused(
            f"There is an instance already ({', '.join(map(str, taken))}); nothing was replaced. "
            "Use --replace, which moves it aside, or another INSTANCE_PATH."
        )


def _refuse_unknown(found: str, stated: str, migrations: Path) -> None:
    known = {script.revision for script in ScriptDirectory(str(migrations)).walk_revisions()}
    if found != stated or found not in known:
        raise InstanceRefused(
            f"The backup's database is at revision {found}, which this version of Tieout does not "
            "know: restore it with the version that wrote it, or a newer one. Nothing was replaced."
        )


def _exchange(places: Places, staged: Path) -> Path | None:
    """Move what stands there aside, and the new in; take everything back if a move fails."""
    aside = places.folder / f"before-restore-{utc_now():%Y%m%dT%H%M%S%f}"
    old = [places.database, *(Path(f"{places.database}{suffix}") for suffix in _BESIDE)]
    old += [places.secrets, places.inbox]
    moves = [(each, aside / each.name) for each in old if each.exists()]
    moves += [
        (staged / part, places.of(part))
        for part in (SECRETS, INBOX, DATABASE)
        if (staged / part).exists()
    ]
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.move(source, target)
            done.append((source, target))
    except OSError as error:
        for source, target in reversed(done):
            shutil.move(target, source)
        raise InstanceRefused(
            f"{error.filename or places.folder} cannot be replaced: {error.strerror}; everything "
            "is as it was."
        ) from error
    return aside if aside.exists() else None
