"""Back up the whole embedded instance while it runs, into one file.

The database is copied by SQLite's own backup, in one step: it reads one state of a database
in WAL mode and keeps no writer waiting.  The copy is checked before anything is packed.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from app.config import Settings
from app.instance import archive
from app.instance.places import DATABASE, INBOX, SECRETS, InstanceRefused, Places, embedded_places
from app.kernel.clock import utc_now


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What was written, and the settings that are elsewhere and must be kept beside it."""

    bytes_count: int
    files_count: int
    schema_revision: str
    missing_secrets: tuple[str, ...]


def back_up(settings: Settings, file: Path) -> BackedUp:
    """Write the backup; it appears under its name once it is whole.

    Raises:
        InstanceRefused: There is no embedded database, it is damaged, or the file cannot be
            written.
    """
    places = embedded_places(settings)
    if not places.database.is_file():
        raise InstanceRefused(f"There is no database {places.database}; nothing was written.")
    if file.exists():
        raise InstanceRefused(f"{file} exists already; it was left as it is.")
    if not file.parent.is_dir():
        raise InstanceRefused(f"There is no folder {file.parent}; nothing was written.")
    with tempfile.TemporaryDirectory(prefix=".tieout-backup-", dir=file.parent) as folder:
        staged = Path(folder)
        revision = _copy_database(places.database, staged / DATABASE)
        if places.secrets.is_file():
            shutil.copyfile(places.secrets, staged / SECRETS)
        _copy_inbox(places.inbox, staged / INBOX)
        manifest = archive.write(file, staged, utc_now().isoformat(), revision)
    return BackedUp(
        file.stat().st_size, len(manifest.sums), revision, _secrets_elsewhere(settings, places)
    )


def revision_of(database: Path) -> str:
    """Return the migration that a database file stands at, after looking at all of its pages.

    Raises:
        InstanceRefused: The file is damaged, or it is no database of Tieout.
    """
    try:
        with closing(sqlite3.connect(database)) as opened:
            (state,) = opened.execute("PRAGMA integrity_check(1)").fetchone()
            if state == "ok":
                (revision,) = opened.execute("SELECT version_num FROM alembic_version").fetchone()
                return str(revision)
    except (sqlite3.Error, TypeError) as error:
        state = str(error)
    raise InstanceRefused(f"The database is damaged or none of Tieout ({state}).")


def _copy_database(source: Path, target: Path) -> str:
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as running,
        closing(sqlite3.connect(target)) as copied,
    ):
        running.backup(copied)
        copied.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    return revision_of(target)


def _copy_inbox(inbox: Path, target: Path) -> None:
    """Copy what waits in the watched folders; what is taken away meanwhile was read already."""
    for source in sorted(inbox.rglob("*")):
        if source.is_file() and not source.is_symlink():
            copied = target / source.relative_to(inbox)
            copied.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                shutil.copyfile(source, copied)


def _secrets_elsewhere(settings: Settings, places: Places) -> tuple[str, ...]:
    """Name the secrets in use that the environment sets, and the archive therefore lacks."""
    kept = dotenv_values(places.secrets) if places.secrets.is_file() else {}
    used = {
        "SECRET_KEY": settings.secret_key,
        "CREDENTIAL_KEYS": ",".join(settings.credential_keys),
    }
    return tuple(name for name, value in used.items() if value != kept.get(name))
