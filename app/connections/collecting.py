"""Take the bank files that wait at a connector, each by itself: a bad one stops no other."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from app.aggregators.contract import AggregatorError, Health
from app.connections.imports import FileRefused, import_bank_file_now
from app.connections.source_accounts import accounts_of
from app.connections.sources import access_of, file_connector_of
from app.connections.statuses import Cause, move, tell
from app.connectors.contract import WaitingFile
from app.jobs import runs
from app.jobs.runs import Claim
from app.kernel import limits
from app.kernel.bank import ConnectionStatus
from app.kernel.clock import utc_now
from app.kernel.errors import Refusal
from app.models import FinancialConnection, Upload, UploadState, db
from app.models.session import unit_of_work
from app.tenancy.actor import Actor
from app.tenancy.scope import get_owned, owned

_log = structlog.get_logger(__name__)


def collect_files(actor: Actor, held: Claim) -> None:
    """Import every complete file of the connection's account, then end the run.

    A file is put aside only after it was imported; dying in between means that it is seen
    again, recognized by its content and put aside then.
    """
    connection = get_owned(FinancialConnection, held.subject_id)
    access = access_of(connection)
    assert access is not None, "a connector's connection is made with its access"
    account_id = accounts_of(connection.id)[0].id
    tally = _Tally()
    try:
        for file in file_connector_of(connection).waiting_files(access):
            held.report(min(90, 10 + tally.files), f"Reading {file.name}")
            try:
                tally.add(_take(actor, connection.id, account_id, file))
            except AggregatorError as error:  # of this file alone: the next look finds it again
                tally.left.append(error)
    except AggregatorError as error:
        _write_failure(actor, held, error)
        return
    _write_success(actor, held, tally)


@dataclass(slots=True)
class _Tally:
    """What became of the files of one look."""

    taken: int = 0
    refused: int = 0
    added: int = 0
    left: list[AggregatorError] = field(default_factory=list)

    @property
    def files(self) -> int:
        return self.taken + self.refused + len(self.left)

    @property
    def health(self) -> Health:
        troubles = (error.health for error in self.left if error.health is not None)
        return next(troubles, Health(ConnectionStatus.ACTIVE))

    @property
    def sentence(self) -> str:
        words = f"{self.taken} file{'s' if self.taken != 1 else ''} taken"
        words += f", {self.added:,} new transactions"
        if self.refused:
            words += f", {self.refused} refused"
        if self.left:
            words += f", {len(self.left)} left for the next look: {self.left[0].sentence}"
            return words
        return f"{words}."

    def add(self, new_rows: int | None) -> None:
        self.taken += new_rows is not None
        self.refused += new_rows is None
        self.added += new_rows or 0


def _take(actor: Actor, connection_id: str, account_id: str, file: WaitingFile) -> int | None:
    """Import one file and put it aside; None when it was refused."""
    try:
        data = file.read()
    except AggregatorError as error:
        if not error.permanent:
            raise
        _put_aside(actor, connection_id, file, error.sentence)
        return None
    if _imported_before(account_id, data):
        file.accept()
        return 0
    try:
        outcome = import_bank_file_now(actor, account_id, file.name, data)
    except Refusal as refusal:
        detail = refusal.detail
        if isinstance(refusal, FileRefused):
            findings = refusal.extra.get("findings")
            first = findings[0] if isinstance(findings, list) and findings else {}
            detail = str(first.get("message") or detail)
        _log.info("file_refused", code=refusal.code)
        _put_aside(actor, connection_id, file, detail)
        return None
    file.accept()
    _tell(actor, connection_id, f"“{file.name}” was taken: {outcome.sentence}")
    return outcome.new_count


def _put_aside(actor: Actor, connection_id: str, file: WaitingFile, reason: str) -> None:
    _tell(actor, connection_id, f"“{file.name}” was put aside as failed: {reason}")
    file.refuse(reason)


def _imported_before(account_id: str, data: bytes) -> bool:
    known = owned(Upload).where(
        Upload.financial_account_id == account_id,
        Upload.sha256 == hashlib.sha256(data).hexdigest(),
        Upload.state == UploadState.IMPORTED,
    )
    return db.session.scalar(known.with_only_columns(Upload.id).limit(1)) is not None


def _tell(actor: Actor, connection_id: str, sentence: str) -> None:
    with unit_of_work():
        connection = get_owned(FinancialConnection, connection_id, lock=True)
        tell(actor, connection, cause=Cause.SYNC, sentence=sentence)


def _write_success(actor: Actor, held: Claim, tally: _Tally) -> None:
    with unit_of_work():
        connection = get_owned(FinancialConnection, held.subject_id, lock=True)
        connection.failures_count = 0
        connection.last_read_at = connection.successfully_aggregated_at = utc_now()
        connection.next_sync_at = utc_now() + timedelta(seconds=limits.FOLDER_LOOK_SECONDS)
        move(actor, connection, tally.health, cause=Cause.SYNC)
        db.session.flush()
        counts = {"files": tally.taken, "refused": tally.refused, "added": tally.added}
        result = counts if tally.files else {}
        runs.succeed(held, tally.sentence, result)


def _write_failure(actor: Actor, held: Claim, error: AggregatorError) -> None:
    with unit_of_work():
        connection = get_owned(FinancialConnection, held.subject_id, lock=True)
        connection.failures_count += 1
        health = error.health or Health(ConnectionStatus.DEGRADED, error.code[:60])
        move(actor, connection, health, cause=Cause.SYNC, sentence=error.sentence)
        pause = limits.FAILED_SYNC_WAIT_SECONDS_MIN * 2 ** min(connection.failures_count, 6)
        connection.next_sync_at = utc_now() + timedelta(seconds=pause)
        db.session.flush()
        runs.fail_within(held, f"{error.sentence} Nothing was changed.", {"code": error.code})
