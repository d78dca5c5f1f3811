"""Forms are checked by marshmallow schemas, whose messages stand beside the fields."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

from flask import request
from marshmallow import EXCLUDE, Schema, ValidationError

from app.kernel.errors import Invalid


class Form(Schema):
    """A form of ours: unknown fields (the CSRF token among them) are left aside."""

    class Meta:
        unknown = EXCLUDE


def load_form(form: Form, *, lists: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the submitted form as checked values.

    Args:
        form: The schema.
        lists: Names of the fields that may come more than once.

    Raises:
        Invalid: With the messages by field.
    """
    sent: dict[str, Any] = {
        name: value.strip() for name, value in request.form.items() if name not in lists
    }
    sent.update({name: request.form.getlist(name) for name in lists})
    try:
        loaded: dict[str, Any] = form.load(sent)
    except ValidationError as error:
        messages = cast("dict[str, object]", error.messages)  # a schema's are always by field
        fields = {name: _flat(part) for name, part in messages.items()}
        raise Invalid("Please correct the marked fields; nothing was saved.", fields) from error
    return loaded


def _flat(messages: object) -> list[str]:
    if isinstance(messages, dict):
        return [text for part in messages.values() for text in _flat(part)]
    return [str(text) for text in messages] if isinstance(messages, list) else [str(messages)]


def query_date(name: str) -> date | None:
    """Return a date of the query string; None when absent or not a date."""
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
