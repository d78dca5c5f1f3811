"""What MX's published description (version 20111101) says of the objects that Tieout reads.

Only names and types, of the fields that the sandbox answers with; the description lets any of
them be null or absent.
"""

from __future__ import annotations

from typing import Any, Final


def _fields(**names: str) -> dict[str, str]:
    return {name: kind for kind, listed in names.items() for name in listed.split()}


OBJECTS: Final[dict[str, dict[str, str]]] = {
    "user": _fields(text="email guid id metadata", flag="is_disabled"),
    "institution": _fields(
        text="code iso_country_code name url",
        flag="is_disabled_by_client supports_account_identification supports_account_statement "
        "supports_account_verification supports_oauth supports_transaction_history",
    ),
    "member": _fields(
        text="aggregated_at connection_status guid id institution_code institution_guid metadata "
        "name oauth_window_uri successfully_aggregated_at user_guid user_id",
        flag="background_aggregation_is_disabled is_being_aggregated is_managed_by_user is_manual "
        "is_oauth",
        texts="use_cases",
    ),
    "account": _fields(
        text="account_number currency_code guid id institution_code member_guid metadata name "
        "nickname subtype type user_guid user_id",
        number="available_balance available_credit balance credit_limit",
        flag="is_closed is_hidden is_manual",
    ),
    "transaction": _fields(
        text="account_guid account_id category check_number_string currency_code date description "
        "guid id member_guid memo original_description posted_at status transacted_at type "
        "user_guid user_id",
        number="amount",
        flag="is_manual",
    ),
    "widget_url": _fields(text="type url user_id"),
    "pagination": dict.fromkeys(
        ("current_page", "per_page", "total_entries", "total_pages"), "whole number"
    ),
}


def faults_of(name: str, found: Any) -> list[str]:
    """Return what an object has against the description; nothing when it keeps to it."""
    known = OBJECTS[name]
    return [
        f"{name}.{field} is {value!r}"
        for field, value in found.items()
        if field not in known or not _is(known[field], value)
    ]


def _is(kind: str, value: Any) -> bool:
    if value is None:
        return True
    match kind:
        case "text":
            return isinstance(value, str)
        case "flag":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "whole number":
            return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
