"""Answers of the HTML side: whole pages, fragments of them, and going on after a write."""

from __future__ import annotations

import json
from typing import Any, Final

from flask import Response, flash, g, make_response, redirect, render_template
from flask.typing import ResponseReturnValue
from htmx_flask import request
from jinja2_fragments.flask import render_blocks

UNPROCESSABLE: Final = 422


def wants_fragment() -> bool:
    """Tell whether htmx asks for a part of a page, and not for a whole one (boosted, history)."""
    asked = request.htmx
    return bool(asked) and not asked.boosted and not asked.history_restore_request


def render(template: str, *blocks: str, status: int = 200, **context: Any) -> Response:
    """Render the page; for an htmx request only the named blocks, one after the other."""
    g.without_frame = bool(blocks) and wants_fragment()
    if g.without_frame:
        html = render_blocks(template, list(blocks), **context)
    else:
        html = render_template(template, **context)
    return make_response(html, status)


def say(
    response: Response,
    text: str,
    *,
    tone: str = "ok",
    undo_url: str | None = None,
    event: str | None = None,
) -> Response:
    """Let the page show a passing message, with an Undo button when there is a way back.

    Args:
        response: The fragment that it comes with.
        text: One sentence.
        tone: ok, warn, bad or info.
        undo_url: Address that takes it back by POST.
        event: One more event for the page, which then fetches what has changed.
    """
    toast = {"text": text, "tone": tone} | ({"undo_url": undo_url} if undo_url else {})
    events: dict[str, Any] = {"toast": toast} | ({event: True} if event else {})
    response.headers["HX-Trigger"] = json.dumps(events)
    return response


def go(
    url: str, message: str = "", *, tone: str = "ok", undo_url: str | None = None
) -> ResponseReturnValue:
    """After a write: say what was done and go on to `url` (303; htmx follows by itself)."""
    if message:
        flash({"text": message, "undo_url": undo_url}, tone)  # type: ignore[arg-type]
    if wants_fragment():
        return Response(status=204, headers={"HX-Redirect": url})
    return redirect(url, code=303)
