"""Addresses of our own pages as the outside has to call them."""

from __future__ import annotations

from flask import current_app, url_for


def outside_url(endpoint: str) -> str:
    """Return the page's whole address: below the public one where the operator set it."""
    public_url: str = current_app.extensions["settings"].public_url
    if public_url:
        return public_url + url_for(endpoint)
    return url_for(endpoint, _external=True)
