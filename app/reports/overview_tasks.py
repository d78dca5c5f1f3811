"""What needs somebody today, as sentences with the place where it is done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from app.connections.due import Due, DueState
from app.reports.connection_cards import ConnectionCard
from app.reports.connections import ConnectionsPage
from app.reports.financial_accounts import AccountCard
from app.reports.overview_rows import OpenState, OverviewRow
from app.reports.words import day_words
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission


class Place(StrEnum):
    """Where a task is done; the page makes an address and a button of it."""

    CONNECTION = "connection"
    ACCOUNT = "account"
    UPLOAD = "upload"
    MAP = "map"
    WITHOUT_PATH = "without_path"
    REVIEW = "review"
    CERTIFY = "certify"
    OPEN = "open"
    EXCEPTIONS = "exceptions"


class Tone(StrEnum):
    BAD = "bad"
    WARN = "warn"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do; `subject_id` is what its place needs."""

    tone: Tone
    about: str
    sentence: str
    place: Place
    subject_id: str = ""


_ORDER: Final = (Tone.BAD, Tone.WARN, Tone.INFO)


def tasks_of(
    actor: Actor, rows: Sequence[OverviewRow], connections: ConnectionsPage
) -> tuple[Task, ...]:
    """Return what needs somebody: trouble first, then what is due, then what can begin."""
    tasks = [
        *(task for card in connections.connections for task in _of_connection(card)),
        *_without_path(connections),
        *(task for row in rows for task in _of_account(actor, row)),
    ]
    return tuple(sorted(tasks, key=lambda task: _ORDER.index(task.tone)))


def _of_connection(card: ConnectionCard) -> Iterator[Task]:
    if card.awaits_visit or card.is_lost or card.words.needs_somebody:
        sentence = "A visit to the bank was begun and is not finished."
        if not card.awaits_visit:
            sentence = card.sentence or card.words.badge
        tone = Tone.BAD if card.words.tone == "bad" else Tone.WARN
        yield Task(tone, card.institution_name, sentence, Place.CONNECTION, card.connection_id)
    for account in card.accounts:
        if not account.connection_deleted:
            yield from _of_bank_account(card, account)


def _of_bank_account(card: ConnectionCard, account: AccountCard) -> Iterator[Task]:
    about = f"{card.institution_name}, {account.label}"
    if account.is_unmapped:
        sentence = "It stands in no books yet: choose the ledger bank account that it belongs to."
        yield Task(Tone.WARN, about, sentence, Place.MAP, card.connection_id)
    for upload_id in account.waiting_upload_ids:
        sentence = "A file was looked at and waits for your decision."
        yield Task(Tone.WARN, about, sentence, Place.UPLOAD, upload_id)
    if account.due is not None and account.due.state is not DueState.NOT_YET:
        overdue = account.due.state is DueState.OVERDUE
        tone = Tone.BAD if overdue else Tone.WARN
        yield Task(tone, about, _due_sentence(account.due), Place.ACCOUNT, account.account_id)


def _due_sentence(due: Due) -> str:
    month, day = f"{due.month:%B}", day_words(due.due_date)
    if due.state is DueState.OVERDUE:
        return f"The bank file of {month} is overdue since {day}."
    return f"The bank file of {month} is due by {day}."


def _without_path(connections: ConnectionsPage) -> Iterator[Task]:
    for choice in connections.without_path:
        sentence = "No bank data arrives for it: connect the bank, or upload its files."
        yield Task(Tone.WARN, choice.label, sentence, Place.WITHOUT_PATH)


def _of_account(actor: Actor, row: OverviewRow) -> Iterator[Task]:
    if row.exceptions_count:
        changed = (
            "a transaction" if row.exceptions_count == 1 else f"{row.exceptions_count} transactions"
        )
        sentence = f"The bank has changed {changed} after certification: settle what becomes of it."
        yield Task(Tone.WARN, row.name, sentence, Place.EXCEPTIONS)
    if row.open is not None:
        yield from _of_open(actor, row, row.open)
    elif row.next_ending is not None and row.bank_account is not None:
        sentence = f"{_month(row.next_ending)} is over and not begun yet."
        yield Task(Tone.INFO, row.name, sentence, Place.OPEN, row.id)


def _of_open(actor: Actor, row: OverviewRow, opened: OpenState) -> Iterator[Task]:
    if not actor.may(Permission.CERTIFY):
        return
    until = day_words(opened.ending_date)
    if opened.prepared_by:
        if opened.prepared_by_id != actor.user_id:
            sentence = f"{opened.prepared_by} has submitted the statement of {until} for review."
            yield Task(Tone.WARN, row.name, sentence, Place.REVIEW, opened.id)
    elif opened.is_balanced:
        sentence = f"The statement of {until} is balanced and can be certified."
        yield Task(Tone.INFO, row.name, sentence, Place.CERTIFY, opened.id)


def _month(day: date) -> str:
    return f"{day:%B %Y}"
