"""What the tests of pages share: forms with a real token, parsed answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from flask.testing import FlaskClient

from tests.html import checked

_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


@contextmanager
def csrf_checked(app: Flask) -> Iterator[None]:
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        yield
    finally:
        app.config["WTF_CSRF_ENABLED"] = False


def token_of(client: FlaskClient, path: str = "/sign-in") -> str:
    """Return the CSRF token of a page, as its scripts would send it."""
    page = client.get(path, follow_redirects=True)
    found = _TOKEN.search(page.text)
    assert found, page.text[:500]
    return found.group(1)


def words(text: str) -> str:
    """Return what a person reads on a page, with single blanks."""
    tree = checked(text)
    for parent in tree.iter():
        for child in list(parent):
            if child.tag in {"script", "style", "template"}:
                parent.remove(child)
    return " ".join("".join(tree.itertext()).split())
