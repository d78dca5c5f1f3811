"""Every status and every reason that a provider can give has words, and says what to do."""

import re
from pathlib import Path

import pytest

from app.aggregators.mx.statuses import STATUSES
from app.aggregators.plaid.meanings import MEANINGS, MEANINGS_BY_TYPE
from app.connections import statuses
from app.connections.statuses import Cause
from app.kernel.bank import ConnectionStatus
from app.models import AccountStatus
from app.reports import connection_words as table
from app.reports.connection_words import (
    Step,
    account_reason,
    cause_words,
    exit_sentence,
    words_of,
)

ROOT = Path(__file__).parents[2]
FILLED = {
    "bank": "First Platypus Bank",
    "through": "Plaid",
    "day": "3 November 2026",
    "accounts": "Savings ··1180, closed",
    "stopped": "New transactions stopped on 1 November 2026.",
}
ASKING = (
    ConnectionStatus.RECONNECT_REQUIRED,
    ConnectionStatus.RECONNECT_AVAILABLE,
    ConnectionStatus.EXPIRED,
    ConnectionStatus.DEGRADED,
    ConnectionStatus.PARTIALLY_ACTIVE,
    ConnectionStatus.IN_PROGRESS,
)
OURS = [
    (ConnectionStatus.PARTIALLY_ACTIVE, statuses.PARTIAL),
    (ConnectionStatus.DEGRADED, statuses.PARTIAL),
    (ConnectionStatus.RECONNECT_AVAILABLE, statuses.NEW_ACCOUNTS),
    (ConnectionStatus.RECONNECT_AVAILABLE, statuses.ENDING_SOON),
    (ConnectionStatus.RECONNECT_REQUIRED, statuses.ENDED),
    (ConnectionStatus.EXPIRED, statuses.ABANDONED),
    (ConnectionStatus.EXPIRED, "DUPLICATE"),
    (ConnectionStatus.EXPIRED, "CONSENT_EXPIRED"),
    (ConnectionStatus.IN_PROGRESS, statuses.NOT_READY),
    (ConnectionStatus.DEGRADED, "PROVIDER_UNAVAILABLE"),
    (ConnectionStatus.DEGRADED, "INTERACTIVE_REFRESH"),
    (ConnectionStatus.RECONNECT_REQUIRED, "TOKEN_EXPIRED"),
    (ConnectionStatus.RECONNECT_REQUIRED, "NO_CREDENTIALS"),
    (ConnectionStatus.DEGRADED, "UNKNOWN_STATUS"),
    (ConnectionStatus.DEGRADED, statuses.CREDENTIALS_UNREADABLE),
    (ConnectionStatus.DELETED, "NOT_FOUND"),
    (ConnectionStatus.DELETED, "CONTINUED"),
]


def said_by_providers():
    """Yield every status with a reason that Plaid, MX or we ourselves can give it."""
    for code, meaning in [*MEANINGS.items(), *MEANINGS_BY_TYPE.items()]:
        if meaning.status is not None:
            yield meaning.status, meaning.reason or code
    for health in STATUSES.values():
        if health.reason:
            yield health.status, health.reason
    yield from OURS


def has_words_of_its_own(status, reason):
    return (
        (status, reason) in table.REASON_WORDS
        or (status, reason) in table.OTHER_SENTENCES
        or (status is ConnectionStatus.PARTIALLY_ACTIVE and reason == statuses.PARTIAL)
        or words(status, reason) is table.GONE
        or (status is ConnectionStatus.RECONNECT_REQUIRED and reason in table.SIGN_IN_SENTENCES)
    )


def words(status, reason, **how):
    return words_of(status, reason, **{"was_connected": True, "by_connector": False} | how)


def test_every_status_has_words():
    assert set(table.STATUS_WORDS) == set(ConnectionStatus)


@pytest.mark.parametrize(("status", "reason"), sorted(set(said_by_providers())), ids=str)
def test_every_reason_of_a_provider_has_words_of_its_own(status, reason):
    assert has_words_of_its_own(status, reason)


@pytest.mark.parametrize("status", ConnectionStatus)
@pytest.mark.parametrize("by_connector", [False, True])
@pytest.mark.parametrize("was_connected", [False, True])
def test_a_reason_that_nobody_knows_still_gives_a_sentence(status, by_connector, was_connected):
    said = words(status, "BRAND_NEW", by_connector=by_connector, was_connected=was_connected)
    assert said.badge
    assert bool(said.sentence) is (status is not ConnectionStatus.ACTIVE)
    sentence = said.sentence.format(**FILLED)
    assert "BRAND_NEW" not in sentence
    assert not re.search(r"[{}]", sentence)


def test_every_sentence_is_one_and_can_be_filled_in():
    tables = (table.STATUS_WORDS, table.REASON_WORDS, table.CONNECTOR_WORDS)
    sentences = [each.sentence for one in tables for each in one.values()]
    sentences += [*table.SIGN_IN_SENTENCES.values(), *table.OTHER_SENTENCES.values()]
    sentences += [
        table.NOT_TAKEN.sentence,
        table.GONE.sentence,
        *table.EXIT_SENTENCES.values(),
        table.LEFT_EARLY,
    ]
    for sentence in filter(None, sentences):
        filled = sentence.format(**FILLED)
        assert filled.endswith("."), filled
        assert not re.search(r"[{}]|  |\.\.", filled), filled


def test_what_needs_somebody_says_so_and_has_a_step_where_one_helps():
    for status, reason in said_by_providers():
        said = words(status, reason)
        if status is ConnectionStatus.RECONNECT_REQUIRED:
            assert said.needs_somebody
            assert said.step is not Step.NOTHING
        if said.step is not Step.NOTHING:
            assert said.needs_somebody, (status, reason)


def test_new_accounts_are_chosen_and_a_lost_bank_is_not_signed_in_to():
    available = ConnectionStatus.RECONNECT_AVAILABLE
    assert words(available, statuses.NEW_ACCOUNTS).step is Step.CHOOSE_ACCOUNTS
    assert words(available, statuses.ENDING_SOON).step is Step.SIGN_IN
    lost = words(ConnectionStatus.RECONNECT_REQUIRED, "UNRECOVERABLE")
    assert lost.step is Step.ELSEWHERE


def test_an_attempt_that_failed_is_not_called_an_access_that_ended():
    assert words(ConnectionStatus.EXPIRED, "INVALID_X", was_connected=False) is table.NOT_TAKEN
    assert "ended" in words(ConnectionStatus.EXPIRED, "INVALID_X").sentence
    abandoned = words(ConnectionStatus.EXPIRED, statuses.ABANDONED, was_connected=False)
    assert "in time" in abandoned.sentence


def test_a_login_that_is_gone_at_the_provider_is_not_called_deleted_by_a_person():
    deleted = ConnectionStatus.DELETED
    assert words(deleted, "BRAND_NEW") is table.GONE
    assert not words(deleted, "").needs_somebody
    assert not words(deleted, "CONTINUED").needs_somebody


def test_a_connector_asks_nobody_to_sign_in_at_a_bank():
    for status in ASKING:
        said = words(status, "CREDENTIALS_REFUSED", by_connector=True)
        if status in table.CONNECTOR_WORDS:
            assert said.step is Step.NOTHING
            assert "Sign in" not in said.sentence


def test_every_status_of_an_account_has_a_badge_and_a_reason():
    assert set(table.ACCOUNT_WORDS) == set(table.ACCOUNT_STATUS_REASONS) == set(AccountStatus)
    assert account_reason(AccountStatus.ACTIVE, "") == ""
    for status in set(AccountStatus) - {AccountStatus.ACTIVE}:
        assert account_reason(status, "BRAND_NEW")
    assert "withdrawn" in account_reason(AccountStatus.FAILING, "USER_ACCOUNT_REVOKED")


def test_every_cause_that_is_written_has_words():
    for cause in Cause:
        assert cause in table.CAUSE_WORDS
    assert cause_words("some_other") == "some other"


def test_a_visit_that_ended_early_says_how_or_at_least_that_it_did():
    assert exit_sentence("") == ""
    assert exit_sentence("SOME_CODE") == table.LEFT_EARLY
    assert "connected already" in exit_sentence("ALREADY_CONNECTED")


def test_no_constant_of_the_statuses_is_forgotten_here():
    """A new reason in `app.connections.statuses` must be added to the list above."""
    source = (ROOT / "app/connections/statuses.py").read_text()
    codes = set(re.findall(r'^[A-Z_]+: Final = "([A-Z_]+)"', source, re.MULTILINE))
    assert codes <= {reason for _, reason in OURS}
