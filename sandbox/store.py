"""The sandbox's memory: one SQLite file that several threads share and a restart finds again."""

from __future__ import annotations

import queue
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_SECONDS_MAX: Final = 20.0
SCHEMA_VERSION: Final = 2
SCHEMA: Final = """
CREATE TABLE item (
    item_id TEXT PRIMARY KEY,
    wire TEXT NOT NULL,
    access_token TEXT NOT NULL UNIQUE,
    institution_id TEXT NOT NULL,
    username TEXT NOT NULL,
    webhook TEXT NOT NULL,
    created_at REAL NOT NULL,
    created_day TEXT NOT NULL,
    first_day TEXT NOT NULL,
    bank_day TEXT NOT NULL,
    days_ahead INTEGER NOT NULL DEFAULT 0,
    stage TEXT NOT NULL,
    stage_due_at REAL,
    head INTEGER NOT NULL DEFAULT 0,
    bulk_rows INTEGER NOT NULL DEFAULT 0,
    cursor_epoch INTEGER NOT NULL DEFAULT 0,
    is_synced INTEGER NOT NULL DEFAULT 0,
    error_code TEXT NOT NULL DEFAULT '',
    error_reason TEXT NOT NULL DEFAULT '',
    error_since REAL,
    consent_expires_at REAL,
    disconnect_at REAL,
    last_success_at REAL,
    last_failure_at REAL,
    last_webhook_at REAL,
    last_webhook_code TEXT NOT NULL DEFAULT '',
    is_removed INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE account (
    account_id TEXT PRIMARY KEY,
    item_id TEXT NOT NULL REFERENCES item ON DELETE CASCADE,
    key TEXT NOT NULL,
    is_shared INTEGER NOT NULL,
    current_minor INTEGER NOT NULL,
    pending_minor INTEGER NOT NULL,
    UNIQUE (item_id, key)
);
CREATE TABLE entry (
    item_id TEXT NOT NULL REFERENCES item ON DELETE CASCADE,
    transaction_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    removed_at INTEGER,
    day TEXT NOT NULL,
    authorized_day TEXT NOT NULL,
    is_pending INTEGER NOT NULL,
    pending_transaction_id TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    description TEXT NOT NULL,
    merchant TEXT NOT NULL,
    kind TEXT NOT NULL,
    check_number TEXT NOT NULL,
    PRIMARY KEY (item_id, transaction_id)
) WITHOUT ROWID;
CREATE INDEX entry_changed ON entry (item_id, changed_at);
CREATE TABLE told_event (
    item_id TEXT NOT NULL REFERENCES item ON DELETE CASCADE,
    account_key TEXT NOT NULL,
    event TEXT NOT NULL
);
CREATE TABLE public_token (
    token TEXT PRIMARY KEY,
    item_id TEXT NOT NULL REFERENCES item ON DELETE CASCADE,
    expires_at REAL NOT NULL,
    is_used INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE link (
    token TEXT PRIMARY KEY,
    hosted_id TEXT NOT NULL UNIQUE,
    request TEXT NOT NULL,
    item_id TEXT NOT NULL,
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL
);
CREATE TABLE session (
    session_id TEXT PRIMARY KEY,
    link_token TEXT NOT NULL REFERENCES link ON DELETE CASCADE,
    started_at REAL NOT NULL,
    finished_at REAL,
    step TEXT NOT NULL,
    institution_id TEXT NOT NULL DEFAULT '',
    username TEXT NOT NULL DEFAULT '',
    error_code TEXT NOT NULL DEFAULT '',
    public_token TEXT NOT NULL DEFAULT '',
    exit_status TEXT NOT NULL DEFAULT '',
    events TEXT NOT NULL DEFAULT '[]',
    active_at REAL NOT NULL
);
CREATE INDEX session_link ON session (link_token);
CREATE TABLE fault (
    item_id TEXT NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    value TEXT NOT NULL,
    times_left INTEGER,
    PRIMARY KEY (item_id, name)
);
CREATE TABLE delivery (
    delivery_id INTEGER PRIMARY KEY,
    item_id TEXT NOT NULL,
    link_token TEXT NOT NULL,
    code TEXT NOT NULL,
    url TEXT NOT NULL,
    body TEXT NOT NULL,
    flaw TEXT NOT NULL,
    created_at REAL NOT NULL,
    due_at REAL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_answer TEXT NOT NULL DEFAULT ''
);
CREATE INDEX delivery_due ON delivery (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE mx_user (
    guid TEXT PRIMARY KEY,
    own_id TEXT NOT NULL,
    email TEXT NOT NULL,
    metadata TEXT NOT NULL,
    is_disabled INTEGER NOT NULL
);
CREATE UNIQUE INDEX mx_user_own_id ON mx_user (own_id) WHERE own_id <> '';
CREATE TABLE mx_member (
    guid TEXT PRIMARY KEY REFERENCES item ON DELETE CASCADE,
    user_guid TEXT NOT NULL REFERENCES mx_user ON DELETE CASCADE,
    own_id TEXT NOT NULL,
    metadata TEXT NOT NULL,
    status TEXT NOT NULL,
    denials_count INTEGER NOT NULL,
    aggregated_at REAL,
    successfully_aggregated_at REAL,
    job_ends_at REAL,
    callback TEXT NOT NULL,
    is_deleted INTEGER NOT NULL
);
CREATE INDEX mx_member_user ON mx_member (user_guid);
CREATE INDEX mx_member_job ON mx_member (job_ends_at) WHERE job_ends_at IS NOT NULL;
CREATE TABLE simplefin_grant (
    grant_id TEXT PRIMARY KEY,
    claim_code TEXT NOT NULL UNIQUE,
    username TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    claimed_at REAL,
    is_disabled INTEGER NOT NULL,
    is_unpaid INTEGER NOT NULL
);
CREATE TABLE simplefin_bank (
    grant_id TEXT NOT NULL REFERENCES simplefin_grant ON DELETE CASCADE,
    item_id TEXT NOT NULL REFERENCES item ON DELETE CASCADE,
    PRIMARY KEY (grant_id, item_id)
);
CREATE TABLE signing_key (
    key_id TEXT PRIMARY KEY,
    private_pem TEXT NOT NULL,
    created_at REAL NOT NULL,
    expired_at REAL
);
"""


class Store:
    """Connections to the one file; each is used by one thread at a time."""

    def __init__(self, file: Path) -> None:
        """Open the file, and start anew when another version of the sandbox wrote it."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        if not self._is_current():
            for suffix in ("", "-wal", "-shm"):
                file.with_name(file.name + suffix).unlink(missing_ok=True)
            with self._connection() as connection:
                connection.executescript(f"{SCHEMA}PRAGMA user_version = {SCHEMA_VERSION};")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection whose reads all see one moment."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection with the write lock; commit at the end, roll back on an exception."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def close(self) -> None:
        while not self._idle.empty():
            self._idle.get_nowait().close()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = self._open()
        try:
            yield connection
        finally:
            self._idle.put(connection)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._file, timeout=BUSY_SECONDS_MAX, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")  # test data: a power cut may take it
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _is_current(self) -> bool:
        if not self._file.exists():
            return False
        with self._connection() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
        is_current = bool(version == SCHEMA_VERSION)
        if not is_current:
            self.close()
        return is_current
