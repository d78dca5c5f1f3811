"""What the tests of pages share: forms with a real token, parsed answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import html5lib
from flask import Flask
from flask.testing import FlaskClient

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


def parse(text: str) -> html5lib.treebuilders.base.Node:
    """Return the page as a tree; anything that is not closed or doubled is an error."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree = parser.parse(text)
    ids = [node.get("id") for node in tree.iter() if node.get("id")]
    assert len(ids) == len(set(ids)), [i for i in ids if ids.count(i) > 1]
    assert parser.errors == [], parser.errors[:3]
    return tree


def words(text: str) -> str:
    """Return what a person reads on a page, with single blanks."""
    tree = parse(text)
    for parent in tree.iter():
        for child in list(parent):
            if child.tag in {"script", "style", "template"}:
                parent.remove(child)
    return " ".join("".join(tree.itertext()).split())
