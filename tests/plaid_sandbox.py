"""The sandbox aggregator as tests see it: the official SDK, and the control API."""

from __future__ import annotations

import datetime as dt
import json
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import plaid
from plaid.api.plaid_api import PlaidApi

if TYPE_CHECKING:
    from collections.abc import Iterator


TODAY = dt.date(2026, 11, 20)
"""The day on which the banks of the tests stand: their transactions are always the same."""


@dataclass(frozen=True)
class PlaidSandbox:
    """A running sandbox: where it answers, and whom."""

    url: str
    client_id: str
    secret: str

    @contextmanager
    def sdk(self) -> Iterator[PlaidApi]:
        """Yield the official SDK's client, not modified."""
        keys = {"clientId": self.client_id, "secret": self.secret}
        with plaid.ApiClient(plaid.Configuration(host=self.url, api_key=keys)) as client:
            yield PlaidApi(client)

    def control(self, method: str, path: str, /, **body: Any) -> Any:
        """Call the control API: `control("POST", "/items/x/advance", days=3)`."""
        return self._json(method, f"/control{path}", body)

    def call(self, path: str, /, **body: Any) -> Any:
        """Make a call of Plaid's without the SDK; an error's body is returned like any other."""
        keys = {"client_id": self.client_id, "secret": self.secret}
        return self._json("POST", path, {**keys, **body})

    def answers(self) -> bool:
        try:
            return "error_code" in self.call("/item/get")
        except OSError:
            return False

    def _json(self, method: str, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if method == "GET" else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return json.load(error)
