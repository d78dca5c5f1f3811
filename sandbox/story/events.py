"""One movement of money through its life: pending, posted, corrected, taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    """How the money moved, in words that every wire format can translate."""

    ACH = "ach"
    CARD = "card"
    CARD_PAYMENT = "card payment"
    CHECK = "check"
    DEPOSIT = "deposit"
    FEE = "fee"
    INTEREST = "interest"
    LOAN = "loan"
    PAYROLL = "payroll"
    REFUND = "refund"
    TAX = "tax"
    TRANSFER = "transfer"
    WIRE = "wire"


@dataclass(frozen=True, slots=True)
class Event:
    """A movement on one account; money in is positive, `key` is unique on the account.

    From `pending_from`, if given, until `day` it is pending with `pending_minor`, under another
    identifier; `is_linked` says whether the posted transaction names the pending one.  On
    `corrected_on` the bank changes the posted one, and on `removed_on` takes it back; a removal on
    or before `day` means that a pending transaction never posts.
    """

    key: str
    day: date
    amount_minor: int
    description: str
    kind: Kind
    merchant: str = ""
    check_number: str = ""
    pending_from: date | None = None
    pending_minor: int = 0
    is_linked: bool = True
    corrected_on: date | None = None
    corrected_minor: int = 0
    corrected_description: str = ""
    removed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """What the bank shows of an event on some day."""

    event: Event
    day: date
    is_pending: bool
    amount_minor: int
    description: str


def version_on(event: Event, day: date) -> Version | None:
    """Return what the bank shows of this event at the end of a day, if anything."""
    if event.removed_on is not None and day >= event.removed_on:
        return None
    if day < event.day:
        if event.pending_from is None or day < event.pending_from:
            return None
        return Version(event, event.pending_from, True, event.pending_minor, event.description)
    if event.corrected_on is not None and day >= event.corrected_on:
        return Version(event, event.day, False, event.corrected_minor, event.corrected_description)
    return Version(event, event.day, False, event.amount_minor, event.description)


def posted_minor(event: Event, day: date) -> int:
    """Return what the event adds to the account's balance at the end of a day."""
    version = version_on(event, day)
    return 0 if version is None or version.is_pending else version.amount_minor
