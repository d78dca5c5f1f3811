"""Bring a database back to a beginning that was kept, in milliseconds.

Nobody else may be connected while a beginning is kept or brought back.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final, Protocol

import psycopg
import sqlalchemy as sa

from tests.servers import ADMIN

TABLES: Final = (
    "SELECT table_name FROM information_schema.tables "
    "WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
)


class Beginnings(Protocol):
    def keep(self, name: str) -> None:
        """Keep what the database holds now, under this name."""

    def bring_back(self, name: str) -> None:
        """Let the database hold what it held then."""

    def close(self) -> None: ...


class SqliteBeginnings:
    """Copies of the one file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def keep(self, name: str) -> None:
        shutil.copyfile(self._file, self._kept(name))

    def bring_back(self, name: str) -> None:
        for suffix in ("-wal", "-shm"):
            Path(f"{self._file}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(self._kept(name), self._file)

    def close(self) -> None:
        """Nothing is open."""

    def _kept(self, name: str) -> Path:
        return self._file.with_name(f"{name}.kept")


class PostgresBeginnings:
    """Copies of the rows, in a schema of each beginning.

    Emptying a table by TRUNCATE makes new files for it and for each of its indexes, which takes
    longer than most tests; deleting the few rows of a test does not.  A superuser's session may
    leave triggers and foreign keys aside.
    """

    def __init__(self, owners_url: str) -> None:
        url = sa.make_url(owners_url)
        self._connection = psycopg.connect(
            host=url.query["host"], user=ADMIN, dbname=url.database, autocommit=True
        )
        self._connection.execute("SET session_replication_role = replica")
        self._tables = [name for (name,) in self._connection.execute(TABLES).fetchall()]
        self._scripts: dict[str, str] = {}

    def close(self) -> None:
        self._connection.close()

    def keep(self, name: str) -> None:
        script = [f'DELETE FROM public."{table}"' for table in self._tables]
        self._connection.execute(f'CREATE SCHEMA "{name}"')
        for table in self._tables:
            kept = f'"{name}"."{table}"'
            self._connection.execute(f'CREATE TABLE {kept} AS TABLE public."{table}"')
            if self._connection.execute(f"SELECT count(*) FROM {kept}").fetchone() != (0,):
                script.append(f'INSERT INTO public."{table}" SELECT * FROM {kept}')
        self._scripts[name] = ";".join(script)

    def bring_back(self, name: str) -> None:
        self._connection.execute(self._scripts[name])
