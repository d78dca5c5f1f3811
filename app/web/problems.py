"""Refusals for programs: `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from flask import Response, g, request

API_PREFIX: Final = "/api/"
CONTENT_TYPE: Final = "application/problem+json"


def is_for_program() -> bool:
    """Tell whether who asks is a program, which reads JSON whatever goes wrong."""
    return request.path.startswith(API_PREFIX)


def problem(
    status: int, title: str, detail: str, code: str, extra: Mapping[str, object] | None = None
) -> Response:
    """Return the refusal as a document.

    Args:
        code: Its stable name, which also ends the address of its `type`.
        extra: Further members, such as `errors` by field.
    """
    body: dict[str, Any] = {
        "type": f"/api/docs#{code}",
        "title": title,
        "status": int(status),
        "detail": detail,
        "code": code,
        "request_id": g.get("request_id", ""),
        **(extra or {}),
    }
    response = Response(json.dumps(body, ensure_ascii=False), status, mimetype=CONTENT_TYPE)
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'ApiKey realm="Tieout"'
    return response


def flat_messages(messages: object) -> dict[str, list[str]]:
    """Return a schema's nested messages by dotted name: `entries.3.amount`."""
    flat: dict[str, list[str]] = {}
    _flatten(messages, (), flat)
    return flat


def _flatten(messages: object, path: tuple[str, ...], flat: dict[str, list[str]]) -> None:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            _flatten(inner, path if str(name) == "_schema" else (*path, str(name)), flat)
        return
    texts = messages if isinstance(messages, list) else [messages]
    flat.setdefault(".".join(path) or "body", []).extend(str(text) for text in texts)
