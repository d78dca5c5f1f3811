"""MX's connection statuses: each of the twenty-two has a meaning, and new ones do no harm."""

import pytest

from app.aggregators.mx.statuses import SIGNED_IN, STATUSES, health
from app.kernel.bank import ConnectionStatus

MX_STATUSES = {
    "CREATED": ConnectionStatus.IN_PROGRESS,
    "PREVENTED": ConnectionStatus.RECONNECT_REQUIRED,
    "DENIED": ConnectionStatus.RECONNECT_REQUIRED,
    "CHALLENGED": ConnectionStatus.RECONNECT_REQUIRED,
    "REJECTED": ConnectionStatus.RECONNECT_REQUIRED,
    "LOCKED": ConnectionStatus.RECONNECT_REQUIRED,
    "CONNECTED": ConnectionStatus.ACTIVE,
    "IMPEDED": ConnectionStatus.RECONNECT_REQUIRED,
    "RECONNECTED": ConnectionStatus.ACTIVE,
    "DEGRADED": ConnectionStatus.DEGRADED,
    "DISCONNECTED": ConnectionStatus.DEGRADED,
    "DISCONTINUED": ConnectionStatus.RECONNECT_REQUIRED,
    "CLOSED": ConnectionStatus.DELETED,
    "DELAYED": ConnectionStatus.DEGRADED,
    "FAILED": ConnectionStatus.DEGRADED,
    "UPDATED": ConnectionStatus.ACTIVE,
    "DISABLED": ConnectionStatus.DEGRADED,
    "IMPORTED": ConnectionStatus.RECONNECT_REQUIRED,
    "RESUMED": ConnectionStatus.ACTIVE,
    "EXPIRED": ConnectionStatus.RECONNECT_REQUIRED,
    "IMPAIRED": ConnectionStatus.RECONNECT_REQUIRED,
    "PENDING": ConnectionStatus.IN_PROGRESS,
}


def test_all_twenty_two_statuses_have_a_meaning():
    assert len(MX_STATUSES) == 22
    assert {name: meaning.status for name, meaning in STATUSES.items()} == MX_STATUSES


@pytest.mark.parametrize(("name", "expected"), MX_STATUSES.items())
def test_the_reason_says_what_is_wrong_and_is_silent_when_nothing_is(name, expected):
    found = health(name, was_ever_read=True)
    assert found.status is expected
    assert bool(found.reason) is (expected is not ConnectionStatus.ACTIVE)


def test_a_login_never_read_is_in_progress_however_healthy():
    assert health("CONNECTED", was_ever_read=False).status is ConnectionStatus.IN_PROGRESS
    assert health("DENIED", was_ever_read=False).status is ConnectionStatus.RECONNECT_REQUIRED


def test_a_status_that_mx_adds_later_is_trouble_but_asks_nobody_to_sign_in():
    found = health("TELEPORTED", was_ever_read=True)
    assert (found.status, found.reason) == (ConnectionStatus.DEGRADED, "UNKNOWN_STATUS")


def test_a_login_without_credentials_asks_for_them():
    assert health("", was_ever_read=True).status is ConnectionStatus.RECONNECT_REQUIRED


def test_new_credentials_that_the_bank_has_not_seen_are_no_sign_in():
    assert not {"CREATED", "UPDATED", "RESUMED", "RECONNECTED", "PENDING"} & SIGNED_IN
