"""A small client of Tieout's REST API: what any client should do, in one class over httpx.

A POST carries one idempotency key through all its attempts, so that nothing is done twice; a
pause is as long as `Retry-After` says; a list is read to its end; a refusal is an exception that
says what the server said.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Final

import httpx

PAUSES_SECONDS: Final = (1.0, 2.0, 4.0, 8.0)
PATIENCE_SECONDS: Final = 60.0
"""Whoever is told to wait longer than this is told so by an exception."""

PASSES_BY_ITSELF: Final = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


class Refused(Exception):  # noqa: N818 - it says what happened, as the server's own do
    """The server's problem document (RFC 9457)."""

    def __init__(self, answer: httpx.Response) -> None:
        is_problem = answer.headers.get("Content-Type", "").startswith("application/problem+json")
        problem: dict[str, Any] = answer.json() if is_problem else {}
        self.status = answer.status_code
        self.code: str = problem.get("code", "")
        self.errors: dict[str, list[str]] = problem.get("errors", {})
        self.retry_after_seconds = float(answer.headers.get("Retry-After", 0))
        detail = problem.get("detail", answer.reason_phrase)
        super().__init__(f"{self.status}: {detail}" + (f" {self.errors}" if self.errors else ""))


class Tieout:
    """One organization, by one of its API keys."""

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/", headers={"X-API-KEY": key}, timeout=60.0
        )

    def get(self, path: str, **query: Any) -> Any:
        return self._call("GET", path, params=query)

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        key = {"Idempotency-Key": str(uuid.uuid4())}
        return self._call("POST", path, params=query, json=body, headers=key)

    def put(self, path: str, body: Any) -> Any:
        return self._call("PUT", path, json=body)

    def rows(self, path: str, **query: Any) -> Iterator[Any]:
        """Yield every row of a list, page after page."""
        cursor: str | None = ""
        while cursor is not None:
            parts = {**query, "limit": 200, **({"cursor": cursor} if cursor else {})}
            page = self.get(path, **parts)
            yield from page["data"]
            cursor = page["next_cursor"]

    def _call(self, method: str, path: str, **parts: Any) -> Any:
        """Make one call, again where its failure passes by itself.

        Raises:
            Refused: The server's own words.
            httpx.TransportError: It does not answer.
        """
        for pause_seconds in PAUSES_SECONDS:
            try:
                answer = self._http.request(method, path, **parts)
            except httpx.TransportError:
                time.sleep(pause_seconds)
                continue
            if answer.is_success:
                return answer.json()
            refused = Refused(answer)
            wait_seconds = max(refused.retry_after_seconds, pause_seconds)
            if answer.status_code not in PASSES_BY_ITSELF or wait_seconds > PATIENCE_SECONDS:
                raise refused
            time.sleep(wait_seconds)
        answer = self._http.request(method, path, **parts)
        if not answer.is_success:
            raise Refused(answer)
        return answer.json()


def wait_for(look: Callable[[], Any], *, timeout_seconds: float, pause_seconds: float = 1.0) -> Any:
    """Look until there is something to see, and return it.

    Raises:
        TimeoutError: There was nothing in time.
    """
    until = time.monotonic() + timeout_seconds
    while not (seen := look()):
        if time.monotonic() > until:
            raise TimeoutError(f"Nothing after {timeout_seconds:.0f} seconds.")
        time.sleep(pause_seconds)
    return seen
