"""Matching rules between the form, the conditions and the words on the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields as names_of
from typing import Any, Final

from marshmallow import fields

from app.kernel.errors import Invalid
from app.kernel.money import decimal_text, display_amount, parse_amount
from app.reconciliation.conditions import Conditions, Direction, TextTest
from app.web.forms import Form, WholeNumber, load_form

TEST_WORDS: Final = (
    (TextTest.CONTAINS, "contains"),
    (TextTest.EQUALS, "is exactly"),
    (TextTest.EXPRESSION, "matches the regular expression"),
)
DIRECTION_WORDS: Final = ((Direction.IN, "Money in"), (Direction.OUT, "Money out"))

_CONTAINS_WORDS: Final = (
    ("bank_reference_contains", "bank reference"),
    ("gl_counterparty_contains", "entry’s counterparty"),
    ("gl_description_contains", "entry’s description"),
    ("gl_reference_contains", "entry’s reference"),
)
_AMOUNTS: Final = {"amount_from": "amount_from_minor", "amount_to": "amount_to_minor"}


class RuleForm(Form):
    name = fields.Str(load_default="")
    bank_description_test = fields.Str(load_default="")
    bank_description = fields.Str(load_default="")
    bank_reference_contains = fields.Str(load_default="")
    amount_from = fields.Str(load_default="")
    amount_to = fields.Str(load_default="")
    amount_currency = fields.Str(load_default="")
    direction = fields.Str(load_default="")
    gl_account_id = fields.Str(load_default="")
    gl_counterparty_contains = fields.Str(load_default="")
    gl_description_contains = fields.Str(load_default="")
    gl_reference_contains = fields.Str(load_default="")
    days_apart_max = WholeNumber(load_default=None, allow_none=True)


def sent_rule() -> tuple[str, Conditions]:
    """Return name and conditions of the rule form that was sent.

    Raises:
        Invalid: With the messages by the names of the form's fields.
    """
    values = load_form(RuleForm())
    name = values.pop("name")
    stored = {key: value for key, value in values.items() if value not in ("", None)}
    if not _AMOUNTS.keys() & stored.keys():
        stored.pop("amount_currency", None)
    stored.update(_amounts(stored))
    try:
        return name, Conditions.from_json(stored)
    except Invalid as refusal:
        form_names = {kept: sent for sent, kept in _AMOUNTS.items()}
        messages = {form_names.get(key, key): said for key, said in refusal.fields.items()}
        raise Invalid(refusal.detail, messages) from refusal


def _amounts(stored: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Take the typed amounts out of the form's values and yield them in minor units."""
    currency = stored.get("amount_currency", "")
    for sent, kept in _AMOUNTS.items():
        typed = stored.pop(sent, None)
        if typed is None:
            continue
        try:
            yield kept, abs(parse_amount(typed, currency))
        except Invalid as refusal:
            raise Invalid(refusal.detail, {sent: [refusal.detail]}) from refusal


def form_values(name: str, conditions: Conditions) -> dict[str, str]:
    """Return a saved rule as the form shows it."""
    values = {each.name: getattr(conditions, each.name) for each in names_of(conditions)}
    for sent, kept in _AMOUNTS.items():
        amount = values.pop(kept)
        values[sent] = None if amount is None else decimal_text(amount, conditions.amount_currency)
    return {"name": name} | {
        key: "" if value is None else str(value) for key, value in values.items()
    }


def condition_words(conditions: Conditions, accounts: Mapping[str, str]) -> list[str]:
    """Return one phrase for each condition.

    Args:
        conditions: Of a rule.
        accounts: Labels by the id of the GL account.
    """
    return list(_phrases(conditions, accounts))


def _phrases(conditions: Conditions, accounts: Mapping[str, str]) -> Iterator[str]:
    if conditions.bank_description_test:
        words = dict(TEST_WORDS)[conditions.bank_description_test]
        yield f"bank description {words} “{conditions.bank_description}”"
    for name, words in _CONTAINS_WORDS:
        if text := getattr(conditions, name):
            yield f"{words} contains “{text}”"
    if conditions.amount_currency:
        yield _amount_words(conditions)
    if conditions.direction:
        yield dict(DIRECTION_WORDS)[conditions.direction].lower()
    if conditions.days_apart_max is not None:
        days = conditions.days_apart_max
        yield f"at most {days} day{'' if days == 1 else 's'} apart" if days else "on the same day"
    if conditions.gl_account_id:
        yield f"on {accounts.get(conditions.gl_account_id, 'an account that is gone')}"


def _amount_words(conditions: Conditions) -> str:
    currency = conditions.amount_currency
    low, high = (
        None if minor is None else f"{display_amount(minor, currency)} {currency}"
        for minor in (conditions.amount_from_minor, conditions.amount_to_minor)
    )
    if low == high:
        return f"amount is {low}"
    if low is None or high is None:
        return f"amount is at most {high}" if low is None else f"amount is at least {low}"
    return f"amount is from {low} to {high}"
