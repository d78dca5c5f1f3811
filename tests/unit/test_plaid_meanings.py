"""Every error code of Plaid's has a meaning of ours."""

from __future__ import annotations

import re

import pytest

from app.aggregators.contract import Health
from app.aggregators.plaid.errors import error_of_answer, health_of_error
from app.aggregators.plaid.meanings import MEANINGS, MEANINGS_BY_TYPE
from app.kernel.bank import ConnectionStatus

RECONNECT, DEGRADED, DELETED = (
    ConnectionStatus.RECONNECT_REQUIRED,
    ConnectionStatus.DEGRADED,
    ConnectionStatus.DELETED,
)
BANK, PLAID = "INSTITUTION_UNAVAILABLE", "PROVIDER_UNAVAILABLE"

# Code, whether asking again is useless, status, reason.  Written down anew, from the documentation.
EXPECTED = [
    ("ITEM_LOGIN_REQUIRED", True, RECONNECT, "ITEM_LOGIN_REQUIRED"),
    ("ACCESS_NOT_GRANTED", True, RECONNECT, "ACCESS_NOT_GRANTED"),
    ("INSUFFICIENT_CREDENTIALS", True, RECONNECT, "INSUFFICIENT_CREDENTIALS"),
    ("INVALID_CREDENTIALS", True, RECONNECT, "INVALID_CREDENTIALS"),
    ("INVALID_MFA", True, RECONNECT, "INVALID_MFA"),
    ("INVALID_OTP", True, RECONNECT, "INVALID_OTP"),
    ("INVALID_SEND_METHOD", True, RECONNECT, "INVALID_SEND_METHOD"),
    ("INVALID_UPDATED_USERNAME", True, RECONNECT, "INVALID_UPDATED_USERNAME"),
    ("ITEM_CONCURRENTLY_DELETED", True, DELETED, "ITEM_CONCURRENTLY_DELETED"),
    ("ITEM_LOCKED", True, RECONNECT, "ITEM_LOCKED"),
    ("ITEM_NOT_FOUND", True, DELETED, "ITEM_NOT_FOUND"),
    ("ITEM_NOT_SUPPORTED", True, RECONNECT, "UNRECOVERABLE"),
    ("MANUAL_VERIFICATION_REQUIRED", True, RECONNECT, "MANUAL_VERIFICATION_REQUIRED"),
    ("MFA_NOT_SUPPORTED", True, RECONNECT, "UNRECOVERABLE"),
    ("NO_ACCOUNTS", True, RECONNECT, "NO_ACCOUNTS"),
    ("PASSWORD_RESET_REQUIRED", True, RECONNECT, "PASSWORD_RESET_REQUIRED"),
    ("PRODUCT_NOT_ENABLED", True, None, ""),
    ("PRODUCT_NOT_READY", False, None, ""),
    ("PRODUCTS_NOT_SUPPORTED", True, None, ""),
    ("USER_INPUT_TIMEOUT", True, RECONNECT, "USER_INPUT_TIMEOUT"),
    ("USER_SETUP_REQUIRED", True, RECONNECT, "USER_SETUP_REQUIRED"),
    ("INSTITUTION_DOWN", False, DEGRADED, BANK),
    ("INSTITUTION_NOT_RESPONDING", False, DEGRADED, BANK),
    ("INSTITUTION_NOT_AVAILABLE", False, DEGRADED, BANK),
    ("INSTITUTION_NO_LONGER_SUPPORTED", True, RECONNECT, "UNRECOVERABLE"),
    ("INSTITUTION_REGISTRATION_REQUIRED", True, DEGRADED, PLAID),
    ("UNAUTHORIZED_INSTITUTION", True, DEGRADED, PLAID),
    ("UNSUPPORTED_RESPONSE", False, DEGRADED, BANK),
    ("INTERNAL_SERVER_ERROR", False, DEGRADED, PLAID),
    ("PLANNED_MAINTENANCE", False, DEGRADED, PLAID),
    ("INVALID_ACCESS_TOKEN", True, DELETED, "INVALID_ACCESS_TOKEN"),
    ("INVALID_PUBLIC_TOKEN", True, None, ""),
    ("INVALID_LINK_TOKEN", True, None, ""),
    ("INVALID_ACCOUNT_ID", True, None, ""),
    ("INVALID_API_KEYS", True, DEGRADED, PLAID),
    ("INVALID_INSTITUTION", True, None, ""),
    ("INVALID_PRODUCT", True, DEGRADED, PLAID),
    ("ADDITIONAL_CONSENT_REQUIRED", True, RECONNECT, "ADDITIONAL_CONSENT_REQUIRED"),
    ("USER_PERMISSION_REVOKED", True, RECONNECT, "USER_PERMISSION_REVOKED"),
    ("INVALID_WEBHOOK_VERIFICATION_KEY_ID", True, None, ""),
    ("MISSING_FIELDS", True, None, ""),
    ("UNKNOWN_FIELDS", True, None, ""),
    ("INVALID_FIELD", True, None, ""),
    ("INVALID_BODY", True, None, ""),
    ("INVALID_HEADERS", True, None, ""),
    ("NOT_FOUND", True, None, ""),
    ("SANDBOX_ONLY", True, None, ""),
    ("SANDBOX_PRODUCT_NOT_ENABLED", True, None, ""),
    ("SANDBOX_WEBHOOK_INVALID", True, None, ""),
    ("TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION", False, None, ""),
    ("RATE_LIMIT_EXCEEDED", False, None, ""),
    ("RATE_LIMIT", False, None, ""),
    ("TRANSACTIONS_LIMIT", False, None, ""),
    ("TRANSACTIONS_SYNC_LIMIT", False, None, ""),
    ("TRANSACTIONS_REFRESH_LIMIT", False, None, ""),
    ("ACCOUNTS_LIMIT", False, None, ""),
    ("ACCOUNTS_BALANCE_GET_LIMIT", False, None, ""),
    ("ITEM_GET_LIMIT", False, None, ""),
    ("INSTITUTIONS_GET_LIMIT", False, None, ""),
    ("INSTITUTIONS_GET_BY_ID_LIMIT", False, None, ""),
    ("INSTITUTION_RATE_LIMIT", False, DEGRADED, BANK),
]


@pytest.mark.parametrize(("code", "permanent", "status", "reason"), EXPECTED)
def test_a_code_means_the_same_in_an_answer_and_inside_an_item(code, permanent, status, reason):
    body = {"error_type": "ANY", "error_code": code, "error_message": "words"}
    error = error_of_answer(400, {}, body)
    health = Health(status, reason) if status else None
    assert (error.code, error.permanent, error.health) == (code, permanent, health)
    assert health_of_error(body) == health


def test_no_code_is_without_a_test():
    assert {code for code, *_ in EXPECTED} == set(MEANINGS)


@pytest.mark.parametrize(
    ("error_type", "permanent", "health"),
    [
        ("ITEM_ERROR", True, Health(RECONNECT, "OF_TOMORROW")),
        ("INSTITUTION_ERROR", False, Health(DEGRADED, BANK)),
        ("API_ERROR", False, Health(DEGRADED, PLAID)),
        ("RATE_LIMIT_EXCEEDED", False, None),
        ("INVALID_INPUT", True, None),
        ("INVALID_REQUEST", True, None),
        ("SANDBOX_ERROR", True, None),
        ("TRANSACTIONS_ERROR", False, None),
        ("TYPE_OF_TOMORROW", False, None),
        ("", False, None),
    ],
)
def test_a_code_of_tomorrow_is_judged_by_its_type(error_type, permanent, health):
    error = error_of_answer(400, {}, {"error_type": error_type, "error_code": "OF_TOMORROW"})
    assert (error.code, error.permanent, error.health) == ("OF_TOMORROW", permanent, health)


def test_every_sentence_is_one():
    for meaning in [*MEANINGS.values(), *MEANINGS_BY_TYPE.values()]:
        assert re.fullmatch(r"[A-Z][^.]{20,120}\.", meaning.sentence), meaning.sentence


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_without_a_code_is_plaids_trouble(status):
    error = error_of_answer(status, {}, None)
    assert (error.code, error.permanent) == (f"HTTP_{status}", False)
    assert error.health == Health(DEGRADED, PLAID)


@pytest.mark.parametrize("code", ["access-sandbox-1", "lower", "A", "A" * 61, "É", "A B", 5, None])
def test_a_code_of_no_safe_shape_is_not_passed_on(code):
    assert error_of_answer(400, {}, {"error_code": code}).code == "HTTP_400"
