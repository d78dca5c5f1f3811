"""Read banks: what a person finds when searching, and the name of one bank."""

from __future__ import annotations

from typing import Final

from app.aggregators.contract import Coverage, Institution
from app.aggregators.plaid.reading import Json, id_of, record_of, records_of, text_of
from app.aggregators.plaid.requests import PRODUCT
from app.kernel.bank import AccountType

FOUND_MAX: Final = 20
COVERED: Final = (
    AccountType.CHECKING,
    AccountType.SAVINGS,
    AccountType.CARD,
    AccountType.LINE_OF_CREDIT,
)
"""Kinds whose transactions Plaid gives where a bank has the product."""


def coverages(answer: Json) -> tuple[Coverage, ...]:
    """Return the banks of a search that can be connected, in Plaid's order."""
    found = [_coverage(record) for record in records_of(answer, "institutions")]
    return tuple(coverage for coverage in found if coverage is not None)[:FOUND_MAX]


def institution_of(answer: Json) -> Institution | None:
    """Return the bank of /institutions/get_by_id; None without a name."""
    return _institution(record_of(answer, "institution"))


def _institution(record: Json) -> Institution | None:
    external_id, name = id_of(record, "institution_id"), text_of(record, "name")
    return Institution(external_id, name) if external_id and name else None


def _coverage(record: Json) -> Coverage | None:
    institution = _institution(record)
    products = record.get("products")
    has_product = not isinstance(products, list) or PRODUCT in products
    available = text_of(record, "connection_availability") != "NOT_SUPPORTED"
    if institution is None or not has_product or not available:
        return None
    note = "You sign in on the bank's own page." if record.get("oauth") is True else ""
    return Coverage(institution, COVERED, note)
