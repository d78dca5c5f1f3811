"""What a matching rule asks of a bank line and of a GL entry, as it is kept and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from app.kernel.errors import Invalid
from app.kernel.limits import RULE_DAYS_APART_MAX, RULE_TEXT_CHARACTERS_MAX
from app.kernel.money import AMOUNT_MINOR_MAX, valid_currency
from app.reconciliation.expressions import Expression, ExpressionInvalid, require_fast


class TextTest(StrEnum):
    CONTAINS = "contains"
    EQUALS = "equals"
    EXPRESSION = "expression"


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Conditions:
    """All that are given must hold; empty texts and None ask nothing.

    Texts are compared without regard to case and to blanks.

    Args:
        bank_description_test: How `bank_description` is compared; None with an empty text.
        bank_description: The text or the regular expression.
        bank_reference_contains: In the bank line's reference.
        amount_from_minor: Smallest amount without its sign, in minor units.
        amount_to_minor: Largest; the same as `amount_from_minor` asks for exactly this amount.
        amount_currency: Currency of the two, always given with them.
        direction: Money in or out.
        gl_account_id: The GL account that the entry stands on.
        gl_counterparty_contains: In the entry's counterparty.
        gl_description_contains: In the entry's description.
        gl_reference_contains: In the entry's reference.
        days_apart_max: Days between the two dates, either way.

    Raises:
        Invalid: With the messages by field.
    """

    bank_description_test: TextTest | None = None
    bank_description: str = ""
    bank_reference_contains: str = ""
    amount_from_minor: int | None = None
    amount_to_minor: int | None = None
    amount_currency: str = ""
    direction: Direction | None = None
    gl_account_id: str = ""
    gl_counterparty_contains: str = ""
    gl_description_contains: str = ""
    gl_reference_contains: str = ""
    days_apart_max: int | None = None

    def __post_init__(self) -> None:
        problems: dict[str, list[str]] = {}
        for name, message in _problems(self):
            problems.setdefault(name, []).append(message)
        if problems:
            first = next(iter(problems.values()))[0]
            raise Invalid(first, problems)

    def require_fast_expression(self) -> None:
        """Try out the regular expression, if there is one; before a rule is saved.

        Raises:
            Invalid: It can take very long.
        """
        if self.bank_description_test is TextTest.EXPRESSION:
            try:
                require_fast(self.bank_description)
            except ExpressionInvalid as refusal:
                raise Invalid(refusal.detail, {"bank_description": [refusal.detail]}) from None

    def to_json(self) -> dict[str, Any]:
        """Return what is given, by name; what asks nothing is left out."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Conditions:
        """Read what `to_json` gave.

        Raises:
            Invalid: Unknown names, wrong types, or conditions that contradict each other.
        """
        unknown = set(stored) - {field.name for field in fields(cls)}
        if unknown:
            raise Invalid(f"A rule has no condition named “{min(unknown)[:40]}”.")
        values = dict(stored)
        for name, kind in (("bank_description_test", TextTest), ("direction", Direction)):
            if values.get(name) is not None:
                values[name] = _member(kind, name, values[name])
        return cls(**values)


_TEXTS = (
    "bank_description",
    "bank_reference_contains",
    "amount_currency",
    "gl_account_id",
    "gl_counterparty_contains",
    "gl_description_contains",
    "gl_reference_contains",
)
_NUMBERS = {
    "amount_from_minor": AMOUNT_MINOR_MAX,
    "amount_to_minor": AMOUNT_MINOR_MAX,
    "days_apart_max": RULE_DAYS_APART_MAX,
}
_TELLING = (
    "bank_description",
    "bank_reference_contains",
    "amount_from_minor",
    "amount_to_minor",
    "gl_counterparty_contains",
    "gl_description_contains",
    "gl_reference_contains",
)
"""At least one of these makes a rule about something; the others only narrow it."""
_TOO_WIDE = (
    "A rule needs at least one condition on a text or an amount; without one it would fit "
    "everything."
)


def _member(kind: type[StrEnum], name: str, value: object) -> StrEnum:
    try:
        return kind(str(value))
    except ValueError:
        sentence = f"Choose one of: {', '.join(kind)}."
        raise Invalid(sentence, {name: [sentence]}) from None


def _problems(conditions: Conditions) -> Iterator[tuple[str, str]]:
    """Yield field and message for everything that is wrong, cheap checks only."""
    mistyped = list(_type_problems(conditions))
    yield from mistyped
    if mistyped:
        return
    yield from _description_problems(conditions)
    yield from _amount_problems(conditions)
    if not any(getattr(conditions, name) not in ("", None) for name in _TELLING):
        yield "bank_description", _TOO_WIDE


def _type_problems(conditions: Conditions) -> Iterator[tuple[str, str]]:
    for name in _TEXTS:
        value = getattr(conditions, name)
        if not isinstance(value, str) or len(value) > RULE_TEXT_CHARACTERS_MAX:
            yield name, f"This is a text of at most {RULE_TEXT_CHARACTERS_MAX} characters."
    for name, most in _NUMBERS.items():
        value = getattr(conditions, name)
        if value is not None and (type(value) is not int or not 0 <= value <= most):
            yield name, f"This is a whole number from 0 to {most:,}."


def _description_problems(conditions: Conditions) -> Iterator[tuple[str, str]]:
    test, text = conditions.bank_description_test, conditions.bank_description
    if test is None and text:
        yield "bank_description_test", "Choose how the description is compared."
    if test is not None and not text.strip():
        yield "bank_description", "Enter the text to look for, or choose “any description”."
    elif test is TextTest.EXPRESSION:
        try:
            Expression(text)
        except ExpressionInvalid as refusal:
            yield "bank_description", refusal.detail


def _amount_problems(conditions: Conditions) -> Iterator[tuple[str, str]]:
    low, high = conditions.amount_from_minor, conditions.amount_to_minor
    currency = conditions.amount_currency
    if (low is None and high is None) != (not currency):
        yield "amount_currency", "An amount and its currency are given together."
    if currency:
        try:
            valid_currency(currency)
        except Invalid as refusal:
            yield "amount_currency", refusal.detail
    if low is not None and high is not None and low > high:
        yield "amount_to_minor", "The largest amount is below the smallest."
