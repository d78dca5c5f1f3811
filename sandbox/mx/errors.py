"""MX's refusals: an HTTP status and a body that says the same in words."""

from __future__ import annotations

from typing import Any, Final

TYPES: Final = {
    400: "bad_request",
    401: "unauthorized",
    404: "not_found",
    406: "not_acceptable",
    409: "conflict",
    422: "unprocessable_entity",
    429: "too_many_requests",
}


class MxRefusal(Exception):  # noqa: N818  it says what happened
    """A call that is not answered as asked."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def body(self) -> dict[str, Any]:
        kind = TYPES[self.status]
        return {"error": {"message": self.message, "status": kind, "type": f"{kind}_error"}}
