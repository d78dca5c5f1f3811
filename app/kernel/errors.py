"""One class per refusal: a stable code, an HTTP status and a title.

A refusal is expected: the person gets its sentence, which says what happened, what was
kept and what to do.  A bug is an assertion and is never caught here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class Refusal(Exception):  # noqa: N818 - it is the field's word; not every refusal is an error
    """An expected "no"; nothing was changed unless the sentence says so."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 400
    title: ClassVar[str] = "Not possible"

    def __init__(self, detail: str, *, extra: Mapping[str, object] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra: dict[str, object] = dict(extra or {})


class NotFound(Refusal):
    """The thing does not exist, or belongs to somebody else: the two look the same."""

    code = "not_found"
    status = 404
    title = "Not found"

    def __init__(self, detail: str = "There is nothing here under this address.") -> None:
        super().__init__(detail)


class Unauthenticated(Refusal):
    """Nobody knows who asks."""

    code = "unauthenticated"
    status = 401
    title = "Who are you?"


class Forbidden(Refusal):
    """The person is known but lacks a permission."""

    code = "forbidden"
    status = 403
    title = "You lack the permission"


class Conflict(Refusal):
    """Somebody or something else was faster; the detail says what stands now."""

    code = "conflict"
    status = 409
    title = "Changed in the meantime"


class Invalid(Refusal):
    """The input cannot be taken as it is.

    Args:
        detail: One clear sentence.
        fields: Messages by field name, for the form that was sent.
    """

    code = "invalid"
    status = 422
    title = "Please correct the input"

    def __init__(self, detail: str, fields: Mapping[str, list[str]] | None = None) -> None:
        self.fields: dict[str, list[str]] = {k: list(v) for k, v in (fields or {}).items()}
        super().__init__(detail, extra={"errors": self.fields} if self.fields else None)


class PreconditionFailed(Refusal):
    """What the caller has read is not what stands now."""

    code = "precondition_failed"
    status = 412
    title = "Changed since you read it"


class TooLarge(Refusal):
    """A named limit of `app.kernel.limits` was passed."""

    code = "too_large"
    status = 413
    title = "Too large"
