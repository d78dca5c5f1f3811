"""What each of Plaid's error codes means for us: data, no decisions.

Read from Plaid's list of errors.  A code that is not here is judged by its error type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.kernel.bank import ConnectionStatus

INSTITUTION_UNAVAILABLE: Final = "INSTITUTION_UNAVAILABLE"
PROVIDER_UNAVAILABLE: Final = "PROVIDER_UNAVAILABLE"
TOKEN_EXPIRED: Final = "TOKEN_EXPIRED"  # noqa: S105 - a reason code
UNRECOVERABLE: Final = "UNRECOVERABLE"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code says.

    Args:
        sentence: What happened and what to do, for a person.
        permanent: Asking again is useless.
        status: Of the connection, if the code says anything about it.
        reason: Kept beside the status; the code itself when empty.
    """

    sentence: str
    permanent: bool
    status: ConnectionStatus | None = None
    reason: str = ""


def _reconnect(sentence: str, reason: str = "") -> Meaning:
    return Meaning(
        sentence, permanent=True, status=ConnectionStatus.RECONNECT_REQUIRED, reason=reason
    )


def _degraded(sentence: str, reason: str, *, permanent: bool = False) -> Meaning:
    return Meaning(sentence, permanent=permanent, status=ConnectionStatus.DEGRADED, reason=reason)


def _gone(sentence: str) -> Meaning:
    return Meaning(sentence, permanent=True, status=ConnectionStatus.DELETED)


def _refused(sentence: str) -> Meaning:
    return Meaning(sentence, permanent=True)


def _later(sentence: str) -> Meaning:
    return Meaning(sentence, permanent=False)


_SIGN_IN = _reconnect("The bank asks for a new sign-in; repair the connection.")
_CREDENTIALS = _reconnect("The bank refused the sign-in; repair the connection.")
_CODE = _reconnect("The bank refused the security code; repair the connection.")
_NOT_AT_THIS_BANK = _reconnect(
    "Plaid cannot reach this bank login any more; upload files instead.", UNRECOVERABLE
)
_BANK_AWAY = _degraded(
    "The bank does not answer Plaid at the moment; it is asked again later.",
    INSTITUTION_UNAVAILABLE,
)
_PLAID_AWAY = _degraded(
    "Plaid has trouble at the moment; it is asked again later.", PROVIDER_UNAVAILABLE
)
_OUR_ACCOUNT = _degraded(
    "Plaid refuses the keys or the contract of this installation; its operator has to look.",
    PROVIDER_UNAVAILABLE,
    permanent=True,
)
_REQUEST = _refused("Plaid did not understand the request; the operator has to look.")
_SLOWER = _later("Plaid was asked too often; it is asked again later.")
_GONE = _gone("Plaid no longer knows this bank login.")
_NOT_SHARED = _reconnect("The bank login shares no account; repair it and choose accounts.")

MEANINGS: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        # ITEM_ERROR
        "ITEM_LOGIN_REQUIRED": _SIGN_IN,
        "ACCESS_NOT_GRANTED": _reconnect(
            "The person did not grant what is needed; repair the connection and grant it."
        ),
        "INSUFFICIENT_CREDENTIALS": _CREDENTIALS,
        "INVALID_CREDENTIALS": _CREDENTIALS,
        "INVALID_MFA": _CODE,
        "INVALID_OTP": _CODE,
        "INVALID_SEND_METHOD": _CODE,
        "INVALID_UPDATED_USERNAME": _CREDENTIALS,
        "ITEM_CONCURRENTLY_DELETED": _GONE,
        "ITEM_LOCKED": _reconnect(
            "The bank locked this login; unlock it at the bank, then repair the connection."
        ),
        "ITEM_NOT_FOUND": _GONE,
        "ITEM_NOT_SUPPORTED": _NOT_AT_THIS_BANK,
        "MANUAL_VERIFICATION_REQUIRED": _reconnect(
            "The bank wants something confirmed on its own site; do so, then repair the connection."
        ),
        "MFA_NOT_SUPPORTED": _NOT_AT_THIS_BANK,
        "NO_ACCOUNTS": _NOT_SHARED,
        "PASSWORD_RESET_REQUIRED": _reconnect(
            "The bank wants a new password; set it at the bank, then repair the connection."
        ),
        "PRODUCT_NOT_ENABLED": _refused(
            "This bank login was connected without transactions; delete it and connect it again."
        ),
        "PRODUCT_NOT_READY": _later("Plaid is still reading the bank; it is asked again later."),
        # Said of a refresh where only some accounts can be refreshed; regular reads go on.
        "PRODUCTS_NOT_SUPPORTED": _refused(
            "The bank does not offer this for the login's accounts."
        ),
        "USER_INPUT_TIMEOUT": _reconnect(
            "The sign-in was not finished in time; repair the connection."
        ),
        "USER_SETUP_REQUIRED": _reconnect(
            "The bank wants the login set up on its own site; do so, then repair the connection."
        ),
        # INSTITUTION_ERROR
        "INSTITUTION_DOWN": _BANK_AWAY,
        "INSTITUTION_NOT_RESPONDING": _BANK_AWAY,
        "INSTITUTION_NOT_AVAILABLE": _BANK_AWAY,
        "INSTITUTION_NO_LONGER_SUPPORTED": _NOT_AT_THIS_BANK,
        "INSTITUTION_REGISTRATION_REQUIRED": _OUR_ACCOUNT,
        "UNAUTHORIZED_INSTITUTION": _OUR_ACCOUNT,
        "UNSUPPORTED_RESPONSE": _BANK_AWAY,
        # API_ERROR
        "INTERNAL_SERVER_ERROR": _PLAID_AWAY,
        "PLANNED_MAINTENANCE": _PLAID_AWAY,
        # INVALID_INPUT
        "INVALID_ACCESS_TOKEN": _GONE,
        "INVALID_PUBLIC_TOKEN": _refused(
            "The finished sign-in was used already or is too old; connect the bank again."
        ),
        "INVALID_LINK_TOKEN": _refused("The sign-in page has expired; begin again."),
        "INVALID_ACCOUNT_ID": _refused("Plaid does not know one of the accounts any more."),
        "INVALID_API_KEYS": _OUR_ACCOUNT,
        "INVALID_INSTITUTION": _refused("Plaid does not know this bank."),
        "INVALID_PRODUCT": _OUR_ACCOUNT,
        "ADDITIONAL_CONSENT_REQUIRED": _reconnect(
            "The bank wants another consent; repair the connection and give it."
        ),
        "USER_PERMISSION_REVOKED": _reconnect(
            "The person withdrew Plaid's access at the bank; repair the connection."
        ),
        "INVALID_WEBHOOK_VERIFICATION_KEY_ID": _refused("Plaid does not know this signature key."),
        # INVALID_REQUEST
        "MISSING_FIELDS": _REQUEST,
        "UNKNOWN_FIELDS": _REQUEST,
        "INVALID_FIELD": _REQUEST,
        "INVALID_BODY": _REQUEST,
        "INVALID_HEADERS": _REQUEST,
        "NOT_FOUND": _REQUEST,
        "SANDBOX_ONLY": _REQUEST,
        # SANDBOX_ERROR
        "SANDBOX_PRODUCT_NOT_ENABLED": _REQUEST,
        "SANDBOX_WEBHOOK_INVALID": _REQUEST,
        # TRANSACTIONS_ERROR
        "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION": _later(
            "The bank's data changed while they were read; they are read again."
        ),
        # RATE_LIMIT_EXCEEDED
        "RATE_LIMIT_EXCEEDED": _SLOWER,
        "RATE_LIMIT": _SLOWER,
        "TRANSACTIONS_LIMIT": _SLOWER,
        "TRANSACTIONS_SYNC_LIMIT": _SLOWER,
        "TRANSACTIONS_REFRESH_LIMIT": _SLOWER,
        "ACCOUNTS_LIMIT": _SLOWER,
        "ACCOUNTS_BALANCE_GET_LIMIT": _SLOWER,
        "ITEM_GET_LIMIT": _SLOWER,
        "INSTITUTIONS_GET_LIMIT": _SLOWER,
        "INSTITUTIONS_GET_BY_ID_LIMIT": _SLOWER,
        "INSTITUTION_RATE_LIMIT": _BANK_AWAY,
    }
)

MEANINGS_BY_TYPE: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "ITEM_ERROR": _SIGN_IN,
        "INSTITUTION_ERROR": _BANK_AWAY,
        "API_ERROR": _PLAID_AWAY,
        "RATE_LIMIT_EXCEEDED": _SLOWER,
        "INVALID_INPUT": _REQUEST,
        "INVALID_REQUEST": _REQUEST,
        "SANDBOX_ERROR": _REQUEST,
        "TRANSACTIONS_ERROR": _later("Plaid could not give the transactions; it is asked again."),
    }
)
"""For the codes that Plaid adds after this was written."""

REASONS_OF_OAUTH: Final[Mapping[str, str]] = MappingProxyType(
    {"OAUTH_INVALID_TOKEN": TOKEN_EXPIRED, "OAUTH_CONSENT_EXPIRED": TOKEN_EXPIRED}
)
"""`error_code_reason` of a bank with its own sign-in page says more than the code."""

UNKNOWN: Final = _later(
    "Plaid answered with an error that Tieout does not know; it is asked again."
)
UNREACHABLE: Final = _degraded(
    "Plaid could not be reached; it is asked again later.", PROVIDER_UNAVAILABLE
)
UNREADABLE: Final = _degraded(
    "Plaid's answer could not be read; it is asked again later.", PROVIDER_UNAVAILABLE
)
"""Not its form, or without what every answer of its kind holds."""
REQUEST_INVALID: Final = _refused("The request to Plaid was not valid; the operator has to look.")
