"""Check a call's body against the fields that Plaid knows, in Plaid's order of complaints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, validate

from sandbox.plaid.errors import PlaidRefusal

if TYPE_CHECKING:
    from collections.abc import Iterator

UNKNOWN: Final = "unknown"
MISSING: Final = "missing"


class PlaidBody(Schema):
    """The fields that any call may have; those of one call are a subclass."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": UNKNOWN}  # noqa: RUF012  marshmallow's way

    client_id = fields.String(allow_none=True)
    secret = fields.String(allow_none=True)


class Part(Schema):
    """An object inside a body whose fields are all known."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": UNKNOWN}  # noqa: RUF012  marshmallow's way


class LoosePart(Schema):
    """An object of which only some fields mean something here."""

    class Meta:
        unknown = EXCLUDE


def text(*, required: bool = False, **more: Any) -> fields.String:
    """Return a text field; an optional one may be null, which counts as absent."""
    return fields.String(
        required=required,
        allow_none=not required,
        error_messages={"required": MISSING, "null": MISSING},
        **more,
    )


def required_text(**more: Any) -> fields.String:
    return text(required=True, validate=validate.Length(min=1, error="must not be empty"), **more)


def texts(*, required: bool = False, **more: Any) -> fields.List[str]:
    return fields.List(
        fields.String(),
        required=required,
        allow_none=not required,
        error_messages={"required": MISSING, "null": MISSING},
        **more,
    )


def flag() -> fields.Boolean:
    return fields.Boolean(allow_none=True, truthy={True}, falsy={False})


def whole_number(low: int, high: int) -> fields.Integer:
    error = f"must be a whole number from {low} to {high}"
    return fields.Integer(
        allow_none=True,
        strict=True,
        validate=validate.Range(low, high, error=error),
        error_messages={"invalid": error},
    )


def part(schema: type[Schema]) -> fields.Nested:
    return fields.Nested(schema, allow_none=True)


def anything() -> fields.Raw:
    return fields.Raw(allow_none=True)


def web_url(value: str) -> None:
    """Raise ValidationError unless it is an address that a webhook or a browser can go to."""
    try:
        address = urlsplit(value)
        is_usable = address.scheme in {"http", "https"} and address.hostname and address.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise ValidationError("must be an http or https URL")


def checked(schema: Schema, body: dict[str, Any]) -> dict[str, Any]:
    """Return the body's values without nulls.

    Raises:
        PlaidRefusal: MISSING_FIELDS, UNKNOWN_FIELDS or INVALID_FIELD, naming the fields.
    """
    try:
        loaded = schema.load(body)
    except ValidationError as error:
        complaints = dict(_flat(cast("dict[Any, Any]", error.messages)))
    else:
        return {name: value for name, value in loaded.items() if value is not None}
    for code, marker, sentence in (
        ("MISSING_FIELDS", MISSING, "the following required fields are missing: "),
        ("UNKNOWN_FIELDS", UNKNOWN, "the following fields are not known to this call: "),
    ):
        names = sorted(name for name, complaint in complaints.items() if complaint == marker)
        if names:
            raise PlaidRefusal(code, sentence + ", ".join(names))
    name, complaint = next(iter(complaints.items()))
    raise PlaidRefusal("INVALID_FIELD", f"{name}: {complaint}")


def _flat(messages: dict[Any, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in messages.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _flat(value, f"{path}.")
        else:
            yield path, str(value[0])
