"""Refusals for machines: `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import json

from flask import Response


def problem(status: int, title: str, detail: str, code: str) -> Response:
    """Return the refusal; `code` is its stable name, beside the standard's own members."""
    body = {"title": title, "status": status, "detail": detail, "code": code}
    return Response(json.dumps(body), status, mimetype="application/problem+json")
