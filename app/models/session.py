"""Transactions: one per service call, and writers that wait in line instead of failing.

SQLite: WAL, foreign keys on, BEGIN IMMEDIATE for writers and plain BEGIN for readers
(docs/decisions/0002).  PostgreSQL needs none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from app.models.base import db

SQLITE_BUSY_TIMEOUT_MS: Final = 25_000
"""Longer than a file of the most rows is written on a quiet machine (5 to 11 seconds), and
shorter than the web server's patience; who waits longer is told to try again."""

_IN_WORK: Final = "unit_of_work"
_JOINING: Final = "joins_next_transaction"


class UnitOfWork:
    """What a running transaction offers: things to do once it is committed."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call `callback` once the commit stands; never when it was rolled back."""
        self._callbacks.append(callback)

    def run_callbacks(self) -> None:
        for callback in self._callbacks:
            callback()


@contextmanager
def unit_of_work() -> Iterator[UnitOfWork]:
    """Own exactly one writing transaction: commit at the end, roll back on any exception.

    What the session had read before is forgotten first, so a decision inside rests on
    what the database holds now.
    """
    session = db.session()
    assert _IN_WORK not in session.info, "a service owns one transaction; they do not nest"
    session.rollback()
    work = UnitOfWork()
    session.info[_IN_WORK] = True
    joining: Callable[[], None] | None = session.info.get(_JOINING)
    try:
        session.connection(execution_options={"writes": True})
        yield work
        if joining is not None:
            joining()
        session.commit()
        session.info.pop(_JOINING, None)
    except BaseException:
        session.rollback()
        raise
    finally:
        del session.info[_IN_WORK]
    work.run_callbacks()


def join_next_transaction(write: Callable[[], None] | None) -> None:
    """Let `write` be part of the next transaction that this request commits; None takes it back.

    It runs last before that commit, in the same transaction: both stand or neither does.
    """
    db.session().info[_JOINING] = write


def prepare_engine(engine: Engine) -> None:
    """Give an SQLite engine its pragmas and its two kinds of BEGIN."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _set_pragmas(dbapi_connection: Any, _record: object) -> None:
        dbapi_connection.isolation_level = None  # BEGIN is ours to say, below
        for pragma in (
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = ON",
            f"busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}",
        ):
            dbapi_connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def rows_changed(statement: sa.Update | sa.Delete) -> int:
    """Run a conditional UPDATE or DELETE and return how many rows it hit."""
    result = db.session.execute(statement, execution_options={"synchronize_session": False})
    return int(result.rowcount)  # type: ignore[attr-defined]
