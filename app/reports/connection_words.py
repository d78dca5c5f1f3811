"""A connection's status and its reason as a sentence that says what to do.

Providers name hundreds of causes and add new ones, so every status has words that hold
whatever the reason is; a reason that asks for something else has words of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.connections.source_accounts import ACCOUNT_REVOKED
from app.connections.statuses import (
    ABANDONED,
    ENDED,
    ENDING_SOON,
    NEW_ACCOUNTS,
    NOT_READY,
    PARTIAL,
    Cause,
)
from app.kernel.bank import ConnectionStatus
from app.models import AccountStatus


class Step(StrEnum):
    """What the person can do about it, as the button beside the sentence."""

    SIGN_IN = "sign_in"
    CHOOSE_ACCOUNTS = "choose_accounts"
    ELSEWHERE = "elsewhere"
    """Another way in: files or a connector."""
    ANEW = "anew"
    """Connect the bank once more."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class StatusWords:
    """What is said of a status.

    Args:
        badge: Two or three words.
        tone: Of the badge and the sentence: ok, warn, bad, neutral.
        sentence: With `{bank}`, `{through}`, `{day}`, `{accounts}` and `{stopped}` to be filled
            in: the last is when new transactions stopped.
        needs_somebody: Nothing gets better before a person acts.
    """

    badge: str
    tone: str
    sentence: str
    step: Step = Step.NOTHING
    needs_somebody: bool = False


_S = ConnectionStatus

STATUS_WORDS: Final[Mapping[ConnectionStatus, StatusWords]] = MappingProxyType(
    {
        _S.PENDING: StatusWords(
            "Not finished",
            "warn",
            "Signing in at the bank is not finished. Begin it again to connect {bank}.",
            Step.SIGN_IN,
            needs_somebody=True,
        ),
        _S.IN_PROGRESS: StatusWords(
            "Reading", "neutral", "{bank} is being read for the first time."
        ),
        _S.ACTIVE: StatusWords("Active", "ok", ""),
        _S.PARTIALLY_ACTIVE: StatusWords(
            "Partly active",
            "warn",
            "Not all accounts sync: {accounts}. The others are up to date. Choose the accounts "
            "again to share them anew, or to leave them out.",
            Step.CHOOSE_ACCOUNTS,
            needs_somebody=True,
        ),
        _S.RECONNECT_REQUIRED: StatusWords(
            "Sign in again",
            "bad",
            "Needs you to sign in at the bank again. {stopped}",
            Step.SIGN_IN,
            needs_somebody=True,
        ),
        _S.RECONNECT_AVAILABLE: StatusWords(
            "Sign in soon",
            "warn",
            "{bank} asks for a visit. Sign in at the bank; transactions arrive meanwhile.",
            Step.SIGN_IN,
            needs_somebody=True,
        ),
        _S.DEGRADED: StatusWords(
            "Delayed",
            "warn",
            "{through} reports trouble with {bank}, so data may lag. It is tried again by itself.",
        ),
        _S.EXPIRED: StatusWords(
            "Expired",
            "bad",
            "Access to {bank} has ended, so no data arrives. Try again, or delete the connection.",
            Step.SIGN_IN,
            needs_somebody=True,
        ),
        _S.DELETED: StatusWords(
            "Deleted", "neutral", "No data arrives any more. What was imported stays readable."
        ),
    }
)
"""For every status, whatever its reason."""

_CREDENTIALS: Final = (
    "{bank} refused the user name or the password. Sign in at the bank with those of today."
)
_CODE: Final = "{bank} refused the security code. Sign in at the bank again with a fresh one."
_QUESTION: Final = (
    "{bank} asks a security question that only you can answer. Sign in at the bank again."
)
_AT_THE_BANK: Final = (
    "{bank} wants something confirmed on its own site. Do so there first, then sign in here again."
)
_LOCKED: Final = "{bank} has locked this login. Unlock it at the bank, then sign in here again."
_CONSENT: Final = "The consent given at {bank} has run out. Sign in at the bank and renew it."
_GONE: Final = StatusWords(
    "Gone",
    "bad",
    "{through} no longer knows this bank login, so no data arrives. Connect the bank anew, and "
    "its accounts go on as they are; what was imported stays.",
    Step.ANEW,
    needs_somebody=True,
)
_SLOW: Final = (
    "{through} could not read {bank} the last times, so data may lag. It is tried again by itself."
)
_FIRST_READ: Final = (
    "{through} reads {bank} for the first time. That takes from seconds to some minutes."
)

SIGN_IN_SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ITEM_LOGIN_REQUIRED": STATUS_WORDS[_S.RECONNECT_REQUIRED].sentence,
        "ITEM_ERROR": STATUS_WORDS[_S.RECONNECT_REQUIRED].sentence,
        "INVALID_CREDENTIALS": _CREDENTIALS,
        "INVALID_UPDATED_USERNAME": _CREDENTIALS,
        "INSUFFICIENT_CREDENTIALS": "{bank} asks for more than it was given. Sign in again.",
        "NO_CREDENTIALS": "Nobody has signed in at {bank} yet. Sign in at the bank.",
        "DENIED": _CREDENTIALS,
        "IMPAIRED": _CREDENTIALS,
        "IMPORTED": "Nobody has signed in at {bank} yet. Sign in at the bank.",
        "PREVENTED": "{bank} was tried too often with a wrong password. Sign in at the bank again.",
        "INVALID_MFA": _CODE,
        "INVALID_OTP": _CODE,
        "INVALID_SEND_METHOD": _CODE,
        "REJECTED": _CODE,
        "CHALLENGED": _QUESTION,
        "EXPIRED": "A question of {bank} was not answered in time. Sign in at the bank again.",
        "USER_INPUT_TIMEOUT": "Signing in at {bank} was not finished in time. Sign in again.",
        "ITEM_LOCKED": _LOCKED,
        "LOCKED": _LOCKED,
        "MANUAL_VERIFICATION_REQUIRED": _AT_THE_BANK,
        "USER_SETUP_REQUIRED": _AT_THE_BANK,
        "IMPEDED": _AT_THE_BANK,
        "PASSWORD_RESET_REQUIRED": (
            "{bank} wants a new password. Set it at the bank, then sign in here again."
        ),
        "ACCESS_NOT_GRANTED": (
            "{bank} was not allowed to share what is needed. Sign in again and allow it."
        ),
        "ADDITIONAL_CONSENT_REQUIRED": "{bank} wants one more consent. Sign in again and give it.",
        "USER_PERMISSION_REVOKED": (
            "Access was withdrawn at {bank}. Sign in at the bank again, or delete the connection."
        ),
        "TOKEN_EXPIRED": _CONSENT,
        ENDED: "Access to {bank} ended on {day}. Sign in at the bank to renew it.",
    }
)
"""For `reconnect_required`, by reason; each asks for a visit to the bank."""

REASON_WORDS: Final[Mapping[tuple[ConnectionStatus, str], StatusWords]] = MappingProxyType(
    {
        (_S.RECONNECT_REQUIRED, "NO_ACCOUNTS"): StatusWords(
            "Choose accounts",
            "bad",
            "The login at {bank} shares no account. Sign in again and choose accounts.",
            Step.CHOOSE_ACCOUNTS,
            needs_somebody=True,
        ),
        (_S.RECONNECT_REQUIRED, "UNRECOVERABLE"): StatusWords(
            "Not reachable",
            "bad",
            "{through} cannot reach {bank} any more, and signing in does not help. Delete the "
            "connection, and upload files or ask for a connector.",
            Step.ELSEWHERE,
            needs_somebody=True,
        ),
        (_S.RECONNECT_AVAILABLE, NEW_ACCOUNTS): StatusWords(
            "New accounts",
            "warn",
            "New accounts can be added: {bank} has some that nobody has shared yet. The others "
            "sync on.",
            Step.CHOOSE_ACCOUNTS,
            needs_somebody=True,
        ),
        (_S.RECONNECT_AVAILABLE, ENDING_SOON): StatusWords(
            "Access ends soon",
            "warn",
            "Access to {bank} ends on {day} unless somebody signs in there before.",
            Step.SIGN_IN,
            needs_somebody=True,
        ),
        (_S.DEGRADED, "INTERACTIVE_REFRESH"): StatusWords(
            "Waits for you",
            "warn",
            "{bank} gives new data only while somebody signs in. Do so when you need fresh ones.",
            Step.SIGN_IN,
            needs_somebody=True,
        ),
        (_S.DEGRADED, PARTIAL): StatusWords(
            "No account syncs",
            "bad",
            "None of the accounts can be read: {accounts}. Choose the accounts at the bank again.",
            Step.CHOOSE_ACCOUNTS,
            needs_somebody=True,
        ),
        (_S.EXPIRED, ABANDONED): StatusWords(
            "Not finished",
            "warn",
            "Nobody finished signing in at the bank in time, so nothing was connected. Try again, "
            "or delete the attempt.",
            Step.SIGN_IN,
            needs_somebody=True,
        ),
        (_S.EXPIRED, "DUPLICATE"): StatusWords(
            "Connected already",
            "warn",
            "All accounts that were chosen come through another connection already, so this one "
            "was not made. Delete it; repair the other one if it does not sync.",
            needs_somebody=True,
        ),
        (_S.EXPIRED, "CONSENT_EXPIRED"): StatusWords(
            "Consent ended", "bad", _CONSENT, Step.SIGN_IN, needs_somebody=True
        ),
        (_S.DELETED, "CLOSED"): _GONE,
        (_S.DELETED, "NOT_FOUND"): _GONE,
        (_S.DELETED, "ITEM_NOT_FOUND"): _GONE,
        (_S.DELETED, "ITEM_CONCURRENTLY_DELETED"): _GONE,
        (_S.DELETED, "INVALID_ACCESS_TOKEN"): _GONE,
    }
)
"""For reasons that ask for something else than their status does by itself."""

CONNECTOR_WORDS: Final[Mapping[ConnectionStatus, StatusWords]] = MappingProxyType(
    {
        _S.IN_PROGRESS: StatusWords(
            "Reading", "neutral", "{through} is looked at for the first time."
        ),
        _S.PARTIALLY_ACTIVE: StatusWords(
            "Partly active",
            "warn",
            "Not all accounts sync: {accounts}. The others are up to date.",
            needs_somebody=True,
        ),
        _S.RECONNECT_REQUIRED: StatusWords(
            "Not let in",
            "bad",
            "{through} is no longer let in, so no data arrives for {bank}. Delete the connection "
            "and set it up again; what was imported stays.",
            needs_somebody=True,
        ),
        _S.DEGRADED: StatusWords(
            "Trouble",
            "warn",
            "{through} cannot bring everything for {bank}. It is tried again by itself; what it "
            "says stands below.",
            needs_somebody=True,
        ),
    }
)
"""For connectors, which have no sign-in at a bank; the failure of the last sync says more."""

NOT_TAKEN: Final = StatusWords(
    "Not connected",
    "bad",
    "The sign-in at the bank was not accepted by {through}, so nothing was connected. Try again, "
    "or delete the attempt.",
    Step.SIGN_IN,
    needs_somebody=True,
)
"""For an attempt that ended in any other way."""

OTHER_SENTENCES: Final[Mapping[tuple[ConnectionStatus, str], str]] = MappingProxyType(
    {
        (_S.IN_PROGRESS, NOT_READY): _FIRST_READ,
        (_S.IN_PROGRESS, "CREATED"): _FIRST_READ,
        (_S.IN_PROGRESS, "PENDING"): _FIRST_READ,
        (_S.DEGRADED, "INSTITUTION_UNAVAILABLE"): (
            "{bank} does not answer {through} at the moment, so data may lag. It is tried again "
            "by itself."
        ),
        (_S.DEGRADED, "CREDENTIALS_UNREADABLE"): (
            "The stored access to {bank} cannot be opened, so no data arrives. Ask your operator "
            "to restore the key, or delete the connection and connect the bank anew."
        ),
        (_S.DEGRADED, "PROVIDER_UNAVAILABLE"): (
            "{through} has trouble at the moment, so data may lag. It is tried again by itself; "
            "if it lasts for a day, tell your operator."
        ),
        (_S.DEGRADED, "UNKNOWN_STATUS"): _SLOW,
        (_S.DEGRADED, "DEGRADED"): _SLOW,
        (_S.DEGRADED, "DISCONNECTED"): _SLOW,
        (_S.DEGRADED, "DELAYED"): (
            "{bank} answers {through} slowly, so data may lag. Nothing needs to be done."
        ),
        (_S.DEGRADED, "FAILED"): _SLOW,
        (_S.DEGRADED, "DISABLED"): (
            "{through} has stopped reading {bank} for now, so no new data arrives. Upload files "
            "meanwhile."
        ),
        (_S.DELETED, "CONTINUED"): (
            "Its account goes on through another connection, with all that it holds."
        ),
    }
)
"""For reasons that leave the status what it is and only say more."""

EXIT_SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ALREADY_CONNECTED": "The last visit found a bank login that is connected already.",
        "institution_not_found": "The bank was not found in the last visit.",
        "institution_not_supported": "The last visit ended: the bank is not supported.",
        "requires_credentials": "The last visit ended before the password was given.",
        "requires_questions": "The last visit ended at a security question.",
        "requires_selections": "The last visit ended at a security question.",
        "requires_recaptcha": "The last visit ended before the bank was sure of you.",
        "requires_code": "The last visit ended before the security code was given.",
        "choose_device": "The last visit ended before the security code was sent.",
        "requires_account_selection": "The last visit ended before accounts were chosen.",
        "INVALID_CREDENTIALS": "The bank refused the user name or password in the last visit.",
        "INVALID_MFA": "The bank refused the security code in the last visit.",
        "ITEM_LOCKED": "The bank has locked the login. Unlock it at the bank first.",
        "INSTITUTION_DOWN": "The bank did not answer in the last visit.",
        "INSTITUTION_NOT_RESPONDING": "The bank did not answer in the last visit.",
    }
)
LEFT_EARLY: Final = "The last visit was left before its end."
"""For the many ways in which a visit ends that ask for nothing but another one."""

ACCOUNT_WORDS: Final[Mapping[AccountStatus, tuple[str, str]]] = MappingProxyType(
    {
        AccountStatus.ACTIVE: ("Syncing", "ok"),
        AccountStatus.FAILING: ("Not read", "warn"),
        AccountStatus.NOT_SHARED: ("Not shared", "neutral"),
        AccountStatus.CLOSED: ("Closed", "neutral"),
        AccountStatus.UNSUPPORTED: ("Not supported", "warn"),
        AccountStatus.DUPLICATE: ("Comes otherwise", "neutral"),
    }
)
"""Badge and tone."""

ACCOUNT_REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        ACCOUNT_REVOKED: "access to it was withdrawn at the bank",
        "VANISHED": "the bank login no longer shares it",
        "INACTIVE_DUPLICATE": "another connection brings it already",
        "CURRENCY_UNSUPPORTED": "its currency has no ISO 4217 code",
        "NO_CURRENCY": "its currency has no ISO 4217 code",
        "CUSTOM_CURRENCY": "its currency has no ISO 4217 code",
        "TRANSACTIONS_MISSING": "its balance comes without transactions",
        "CON_AUTH": "its bank wants a new sign-in",
        "CONTINUED": "it goes on as another account",
    }
)
ACCOUNT_STATUS_REASONS: Final[Mapping[AccountStatus, str]] = MappingProxyType(
    {
        AccountStatus.ACTIVE: "",
        AccountStatus.FAILING: "it cannot be read at the moment",
        AccountStatus.NOT_SHARED: "the bank login no longer shares it",
        AccountStatus.CLOSED: "the bank says it is closed",
        AccountStatus.UNSUPPORTED: "accounts of its kind cannot be read",
        AccountStatus.DUPLICATE: "another connection brings it already",
    }
)

CAUSE_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Cause.PERSON: "asked for by a person",
        Cause.FLOW: "after a visit to the bank",
        Cause.SYNC: "found by a sync",
        Cause.WEBHOOK: "on word of the aggregator",
        Cause.CLOCK: "on schedule",
        "asked_again": "asked for again meanwhile",
    }
)


def words_of(
    status: ConnectionStatus, reason: str, *, was_connected: bool, by_connector: bool
) -> StatusWords:
    """Return what is said of a status with its reason; a reason unknown here changes nothing.

    Args:
        was_connected: The connection had access to the bank at least once.
        by_connector: It is a connector's and no aggregator's.
    """
    if by_connector and status in CONNECTOR_WORDS:
        return CONNECTOR_WORDS[status]
    own = REASON_WORDS.get((status, reason))
    if own is not None:
        return own
    if status is _S.EXPIRED and not was_connected:
        return NOT_TAKEN
    words = STATUS_WORDS[status]
    if status is _S.RECONNECT_REQUIRED:
        sentence = SIGN_IN_SENTENCES.get(reason, words.sentence)
    else:
        sentence = OTHER_SENTENCES.get((status, reason), words.sentence)
    return StatusWords(words.badge, words.tone, sentence, words.step, words.needs_somebody)


def exit_sentence(code: str) -> str:
    """Return how the last visit to the bank ended; empty when it did not."""
    return EXIT_SENTENCES.get(code, LEFT_EARLY) if code else ""


def account_reason(status: AccountStatus, reason: str) -> str:
    """Return why an account brings nothing; empty while it does."""
    by_status = ACCOUNT_STATUS_REASONS[status]
    return ACCOUNT_REASONS.get(reason, by_status) if by_status else ""


def cause_words(cause: str) -> str:
    return CAUSE_WORDS.get(cause, cause.replace("_", " "))
