"""Plaid's error codes: the type, the HTTP status and the words that go with each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

ITEM: Final = "ITEM_ERROR"
INSTITUTION: Final = "INSTITUTION_ERROR"
INPUT: Final = "INVALID_INPUT"
REQUEST: Final = "INVALID_REQUEST"
RATE: Final = "RATE_LIMIT_EXCEEDED"
API: Final = "API_ERROR"
SANDBOX: Final = "SANDBOX_ERROR"
TRANSACTIONS: Final = "TRANSACTIONS_ERROR"


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One error code; `display` is what may be shown to the bank's customer, if anything."""

    error_type: str
    message: str
    display: str | None = None
    status: int = 400


ERRORS: Final = {
    "ITEM_LOGIN_REQUIRED": ErrorKind(
        ITEM,
        "the login details of this item have changed; the user has to sign in again",
        "Please sign in to your bank again.",
    ),
    "ACCESS_NOT_GRANTED": ErrorKind(
        ITEM, "the user did not grant the access that is needed", "Please grant access again."
    ),
    "INSUFFICIENT_CREDENTIALS": ErrorKind(
        ITEM, "the sign-in was not finished", "Please finish signing in at your bank."
    ),
    "INVALID_CREDENTIALS": ErrorKind(
        ITEM,
        "the credentials were not accepted by the institution",
        "The user name or password was not correct.",
    ),
    "INVALID_MFA": ErrorKind(
        ITEM, "the answer to the second factor was wrong", "That code was not correct."
    ),
    "INVALID_OTP": ErrorKind(ITEM, "the one-time password was wrong", "That code was not correct."),
    "INVALID_SEND_METHOD": ErrorKind(
        ITEM, "the way of sending the code is not offered", "Please choose another way."
    ),
    "INVALID_UPDATED_USERNAME": ErrorKind(
        ITEM,
        "another user name was given than when the item was made",
        "Please sign in with the user name that you used before.",
    ),
    "ITEM_CONCURRENTLY_DELETED": ErrorKind(ITEM, "the item was deleted during the call"),
    "ITEM_LOCKED": ErrorKind(
        ITEM, "the account is locked at the institution", "Your account is locked at the bank."
    ),
    "ITEM_NOT_FOUND": ErrorKind(
        ITEM, "the item does not exist, was removed, or its user took the access away"
    ),
    "ITEM_NOT_SUPPORTED": ErrorKind(
        ITEM, "this kind of account is not supported", "This account cannot be connected."
    ),
    "MANUAL_VERIFICATION_REQUIRED": ErrorKind(
        ITEM, "the user has to do something at the institution", "Please visit your bank's site."
    ),
    "MFA_NOT_SUPPORTED": ErrorKind(
        ITEM, "the second factor of this account is not supported", "This cannot be connected."
    ),
    "NO_ACCOUNTS": ErrorKind(
        ITEM, "no account was found that can be shared", "No account was found."
    ),
    "PASSWORD_RESET_REQUIRED": ErrorKind(
        ITEM, "the user has to set a new password", "Please set a new password at your bank."
    ),
    "PRODUCT_NOT_ENABLED": ErrorKind(ITEM, "the product is not enabled for this item"),
    "PRODUCT_NOT_READY": ErrorKind(ITEM, "the product is not ready yet; try again later"),
    "PRODUCTS_NOT_SUPPORTED": ErrorKind(ITEM, "the institution does not support the products"),
    "USER_INPUT_TIMEOUT": ErrorKind(
        ITEM, "the user did not answer in time", "Please try again and answer in time."
    ),
    "USER_SETUP_REQUIRED": ErrorKind(
        ITEM, "the user has to finish the set-up", "Please finish the set-up at your bank."
    ),
    "INSTITUTION_DOWN": ErrorKind(
        INSTITUTION, "this institution is not answering", "Your bank is not available now."
    ),
    "INSTITUTION_NOT_RESPONDING": ErrorKind(
        INSTITUTION, "this institution did not answer in time", "Your bank is not available now."
    ),
    "INSTITUTION_NOT_AVAILABLE": ErrorKind(
        INSTITUTION, "this institution is not available now", "Your bank is not available now."
    ),
    "INSTITUTION_NO_LONGER_SUPPORTED": ErrorKind(
        INSTITUTION, "this institution is no longer supported", "Your bank is not supported."
    ),
    "INSTITUTION_REGISTRATION_REQUIRED": ErrorKind(
        INSTITUTION, "the application is not registered with this institution"
    ),
    "UNAUTHORIZED_INSTITUTION": ErrorKind(
        INSTITUTION, "the application may not use this institution"
    ),
    "UNSUPPORTED_RESPONSE": ErrorKind(
        INSTITUTION, "the institution's answer was not understood", "Please try again later."
    ),
    "INSTITUTION_RATE_LIMIT": ErrorKind(RATE, "too many calls to this institution", status=429),
    "INTERNAL_SERVER_ERROR": ErrorKind(API, "an unexpected error occurred", status=500),
    "PLANNED_MAINTENANCE": ErrorKind(API, "the service is under maintenance", status=503),
    "INVALID_ACCESS_TOKEN": ErrorKind(INPUT, "the access token was not found"),
    "INVALID_PUBLIC_TOKEN": ErrorKind(
        INPUT, "the public token was not found, has expired or was used already"
    ),
    "INVALID_LINK_TOKEN": ErrorKind(INPUT, "the link token was not found or has expired"),
    "INVALID_ACCOUNT_ID": ErrorKind(INPUT, "an account was asked for that the item does not have"),
    "INVALID_API_KEYS": ErrorKind(INPUT, "client_id or secret is not correct"),
    "INVALID_INSTITUTION": ErrorKind(INPUT, "the institution was not found"),
    "INVALID_PRODUCT": ErrorKind(INPUT, "a product was asked for that is not offered"),
    "ADDITIONAL_CONSENT_REQUIRED": ErrorKind(
        INPUT, "the user has not consented to this product", "Please grant the missing access."
    ),
    "USER_PERMISSION_REVOKED": ErrorKind(INPUT, "the user has taken the permission away"),
    "INVALID_WEBHOOK_VERIFICATION_KEY_ID": ErrorKind(INPUT, "the key was not found"),
    "MISSING_FIELDS": ErrorKind(REQUEST, "required fields are missing"),
    "UNKNOWN_FIELDS": ErrorKind(REQUEST, "fields are not known here"),
    "INVALID_FIELD": ErrorKind(REQUEST, "a field is not valid"),
    "INVALID_BODY": ErrorKind(REQUEST, "the body must be a JSON object"),
    "INVALID_HEADERS": ErrorKind(REQUEST, "the Content-Type must be application/json"),
    "NOT_FOUND": ErrorKind(REQUEST, "there is nothing at this path", status=404),
    "SANDBOX_ONLY": ErrorKind(REQUEST, "this call is for the sandbox"),
    "SANDBOX_PRODUCT_NOT_ENABLED": ErrorKind(SANDBOX, "the item does not have this product"),
    "SANDBOX_WEBHOOK_INVALID": ErrorKind(SANDBOX, "this webhook cannot be fired for the item"),
    "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION": ErrorKind(
        TRANSACTIONS, "the data changed while they were read; start again at the first cursor"
    ),
    "TRANSACTIONS_SYNC_LIMIT": ErrorKind(RATE, "too many calls of this kind", status=429),
    "TRANSACTIONS_REFRESH_LIMIT": ErrorKind(RATE, "too many calls of this kind", status=429),
    "ACCOUNTS_LIMIT": ErrorKind(RATE, "too many calls of this kind", status=429),
    "ACCOUNTS_BALANCE_GET_LIMIT": ErrorKind(RATE, "too many calls of this kind", status=429),
    "ITEM_GET_LIMIT": ErrorKind(RATE, "too many calls of this kind", status=429),
    "INSTITUTIONS_GET_BY_ID_LIMIT": ErrorKind(RATE, "too many calls of this kind", status=429),
    "RATE_LIMIT": ErrorKind(RATE, "too many calls", status=429),
}
LASTING: Final = frozenset(
    {
        "ITEM_LOGIN_REQUIRED",
        "ACCESS_NOT_GRANTED",
        "INSUFFICIENT_CREDENTIALS",
        "INVALID_CREDENTIALS",
        "INVALID_MFA",
        "INVALID_OTP",
        "INVALID_SEND_METHOD",
        "INVALID_UPDATED_USERNAME",
        "ITEM_LOCKED",
        "ITEM_NOT_SUPPORTED",
        "MANUAL_VERIFICATION_REQUIRED",
        "MFA_NOT_SUPPORTED",
        "NO_ACCOUNTS",
        "PASSWORD_RESET_REQUIRED",
        "USER_INPUT_TIMEOUT",
        "USER_PERMISSION_REVOKED",
        "USER_SETUP_REQUIRED",
    }
)
"""Codes that stay with an item until its user repairs it; /item/get shows them."""

EVERY_CALL: Final = frozenset(
    {
        "INTERNAL_SERVER_ERROR",
        "INVALID_ACCESS_TOKEN",
        "INVALID_API_KEYS",
        "ITEM_CONCURRENTLY_DELETED",
        "ITEM_NOT_FOUND",
        "PLANNED_MAINTENANCE",
    }
)
"""Codes that, set as a fault, meet every call; the others meet those that need the bank."""


class PlaidRefusal(Exception):  # noqa: N818  an answer, not a bug
    """A call is answered with an error."""

    def __init__(self, code: str, message: str = "", *, reason: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.reason = reason

    @property
    def status(self) -> int:
        return ERRORS[self.code].status


def error_body(code: str, message: str = "", *, reason: str = "") -> dict[str, Any]:
    """Return the error as bodies and items hold it, without request_id."""
    kind = ERRORS[code]
    body: dict[str, Any] = {
        "error_type": kind.error_type,
        "error_code": code,
        "error_message": message or kind.message,
        "display_message": kind.display,
        "documentation_url": f"https://plaid.com/docs/errors/#{code.lower()}",
        "suggested_action": None,
    }
    if reason:
        body["error_code_reason"] = reason
    return body
