"""Forms are checked by marshmallow schemas, whose messages stand beside the fields."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final

from flask import request
from marshmallow import EXCLUDE, Schema, ValidationError, fields

from app.kernel.errors import Invalid

_WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,9}")
_POSITION: Final = re.compile(r"[0-9]{1,15}")


class Form(Schema):
    """A form of ours: unknown fields (the CSRF token among them) are left aside."""

    class Meta:
        unknown = EXCLUDE


class WholeNumber(fields.Field[int | None]):
    """Digits with an optional sign; `8_5`, `1e2` and other scripts' digits are none.

    With `allow_none` an empty text is None.
    """

    default_error_messages = {  # noqa: RUF012 - declared so by marshmallow
        "invalid": "Enter a whole number.",
        "required": "Enter a whole number.",
    }

    def _deserialize(
        self, value: object, attr: str | None, data: object, **_others: object
    ) -> int | None:
        del attr, data
        if value == "" and self.allow_none:
            return None
        if not _WHOLE_NUMBER.fullmatch(str(value)):
            raise self.make_error("invalid")
        return int(str(value))


def load_form(
    form: Form, *, lists: tuple[str, ...] = (), verbatim: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the submitted form as checked values.

    Args:
        form: The schema.
        lists: Names of the fields that may come more than once.
        verbatim: Names of the fields whose blanks at both ends count: passwords.

    Raises:
        Invalid: With the messages by field.
    """
    sent: dict[str, Any] = {
        name: value if name in verbatim else value.strip()
        for name, value in request.form.items()
        if name not in lists
    }
    sent.update({name: request.form.getlist(name) for name in lists})
    if any("\0" in value for _, value in request.form.items(multi=True)):
        raise Invalid("The input holds a character that no text has; nothing was saved.")
    try:
        loaded: dict[str, Any] = form.load(sent)
    except ValidationError as error:
        messages = {str(name): _flat(part) for name, part in error.messages_dict.items()}
        raise Invalid("Please correct the marked fields; nothing was saved.", messages) from error
    return loaded


def _flat(messages: object) -> list[str]:
    if isinstance(messages, dict):
        return [text for part in messages.values() for text in _flat(part)]
    return [str(text) for text in messages] if isinstance(messages, list) else [str(messages)]


def query_number(name: str) -> int | None:
    """Return a whole number of the query string, not negative; None when absent or none."""
    text = request.args.get(name, "")
    return int(text) if _POSITION.fullmatch(text) else None


def query_date(name: str) -> date | None:
    """Return a date of the query string; None when absent or not a date."""
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
