"""A bank login's health as /item/get tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.aggregators.contract import AggregatorError, Health
from app.aggregators.plaid import items
from app.aggregators.plaid.meanings import TOKEN_EXPIRED
from app.kernel.bank import ConnectionStatus
from tests.plaid_answers import item_get

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def error(code: str, **more: str) -> dict[str, str]:
    return {"error_type": "ITEM_ERROR", "error_code": code, "error_message": "words", **more}


def test_a_login_without_trouble_is_active():
    assert items.health(item_get(), NOW) == Health(ConnectionStatus.ACTIVE)


def test_the_last_success_at_the_bank_is_plaids_own():
    assert items.aggregated_at(item_get()) == datetime(2026, 11, 20, 6, tzinfo=UTC)


@pytest.mark.parametrize("status", [None, {}, {"transactions": None}])
def test_without_a_status_the_login_counts_as_active(status):
    answer = {**item_get(), "status": status}
    assert items.health(answer, NOW).status is ConnectionStatus.ACTIVE
    assert items.aggregated_at(answer) is None


def test_the_status_is_read_beside_the_item_not_inside():
    answer = item_get(status={"transactions": {"last_successful_update": "2020-01-01T00:00:00Z"}})
    assert items.aggregated_at(answer) == datetime(2026, 11, 20, 6, tzinfo=UTC)


def test_an_error_inside_the_item_decides():
    health = items.health(item_get(error=error("ITEM_LOGIN_REQUIRED")), NOW)
    assert health == Health(ConnectionStatus.RECONNECT_REQUIRED, "ITEM_LOGIN_REQUIRED")


@pytest.mark.parametrize("reason", ["OAUTH_INVALID_TOKEN", "OAUTH_CONSENT_EXPIRED"])
def test_the_reason_of_a_banks_own_sign_in_says_more(reason):
    health = items.health(
        item_get(error=error("ITEM_LOGIN_REQUIRED", error_code_reason=reason)), NOW
    )
    assert health == Health(ConnectionStatus.RECONNECT_REQUIRED, TOKEN_EXPIRED)


def test_an_error_that_says_nothing_of_health_leaves_it_to_the_rest():
    answer = item_get(error=error("PRODUCT_NOT_READY"), update_type="user_present_required")
    assert items.health(answer, NOW).reason == "INTERACTIVE_REFRESH"


@pytest.mark.parametrize(
    ("deadline", "status"),
    [
        (NOW, ConnectionStatus.EXPIRED),
        (NOW + timedelta(seconds=1), ConnectionStatus.RECONNECT_AVAILABLE),
        (NOW + timedelta(days=7), ConnectionStatus.RECONNECT_AVAILABLE),
        (NOW + timedelta(days=7, seconds=1), ConnectionStatus.ACTIVE),
    ],
)
def test_a_consent_ends_at_its_time_and_is_announced_a_week_before(deadline, status):
    answer = item_get(consent_expiration_time=deadline.isoformat())
    health = items.health(answer, NOW)
    assert (health.status, health.deadline) == (status, deadline)


def test_a_failure_after_the_last_success_is_degraded():
    health = items.health(item_get(updates={"last_failed_update": "2026-11-20T06:00:01Z"}), NOW)
    assert health == Health(ConnectionStatus.DEGRADED, "INSTITUTION_UNAVAILABLE")


def test_a_failure_before_the_last_success_is_over():
    answer = item_get(updates={"last_failed_update": "2026-11-20T05:59:59Z"})
    assert items.health(answer, NOW).status is ConnectionStatus.ACTIVE


def test_a_bank_that_has_not_been_read_yet_is_in_progress():
    health = items.health(item_get(updates={"last_successful_update": None}), NOW)
    assert health == Health(ConnectionStatus.IN_PROGRESS, "NOT_READY")


def test_a_bank_that_could_never_be_read_is_degraded():
    updates = {"last_successful_update": None, "last_failed_update": "2026-11-20T06:00:00Z"}
    assert items.health(item_get(updates=updates), NOW).status is ConnectionStatus.DEGRADED


def test_a_login_that_needs_its_person_each_time_is_degraded():
    health = items.health(item_get(update_type="user_present_required"), NOW)
    assert health == Health(ConnectionStatus.DEGRADED, "INTERACTIVE_REFRESH")


@pytest.mark.parametrize("answer", [{}, {"item": None}, {"item": {"item_id": ""}}])
def test_an_answer_without_an_item_is_a_failure(answer):
    with pytest.raises(AggregatorError, match="ANSWER_WITHOUT_ITEM"):
        items.health(answer, NOW)
