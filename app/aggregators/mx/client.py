"""MX's HTTP API: Basic authentication, a versioned media type, bounded waiting."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from urllib.parse import quote, urlencode

import urllib3

from app.aggregators.contract import AggregatorError
from app.aggregators.mx.errors import (
    UNREACHABLE,
    error_of_status,
    too_slow,
    unreachable,
    unreadable,
)
from app.aggregators.mx.fields import Json, NotAnObject, count, parse, record, records
from app.aggregators.mx.settings import MxSettings

CONNECT_TIMEOUT_SECONDS: Final = 5.0
READ_TIMEOUT_SECONDS: Final = 25.0
RETRY_PAUSES_SECONDS: Final = (0.2, 0.8)
"""Before the second and the third try of what may be asked twice: reading and deleting."""

ANSWER_BYTES_MAX: Final = 32 * 1024 * 1024
"""A page of a thousand transactions is one or two megabytes."""

PAGE_ROWS: Final = 1_000
"""The most that MX gives; asked for more, it silently gives 25."""

LIST_PAGES_MAX: Final = 20
"""Of users, members and accounts; nobody has twenty thousand."""

_MEDIA_TYPE: Final = "application/vnd.mx.api.v1+json"
_HTTP_REDIRECT: Final = 300
"""From here on it is no answer; the key goes to MX and nowhere else, so none is followed."""

_REPEATABLE: Final = frozenset({"GET", "DELETE"})
_WORTH_A_RETRY: Final = frozenset({UNREACHABLE, "HTTP_502", "HTTP_503", "HTTP_504"})


@dataclass(frozen=True, slots=True)
class Answer:
    body: Json = field(repr=False)

    def record(self, key: str) -> Json:
        """Return the object under a key.

        Raises:
            AggregatorError: There is none.
        """
        found = record(self.body, key)
        if found is None:
            raise unreadable()
        return found

    def records(self, key: str) -> list[Json]:
        return records(self.body, key)

    def paging(self, name: str) -> int:
        """Return a figure of the list's paging, such as `total_pages`.

        Raises:
            AggregatorError: There is none.
        """
        found = count(record(self.body, "pagination") or {}, name)
        if found is None:
            raise unreadable()
        return found


class MxClient:
    """Every method raises `AggregatorError`."""

    def __init__(self, settings: MxSettings) -> None:
        self._host = settings.host.rstrip("/")
        self._headers = {
            "accept": _MEDIA_TYPE,
            "content-type": "application/json",
            "user-agent": "Tieout",
            **urllib3.make_headers(basic_auth=f"{settings.client_id}:{settings.api_key}"),
        }
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=READ_TIMEOUT_SECONDS),
            retries=False,  # its own retries log addresses, and these name the person's user
        )

    def get(self, *path: str, query: Mapping[str, str | int] | None = None) -> Answer:
        return self._call("GET", path, query=query)

    def post(
        self, *path: str, body: Json | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        return self._call("POST", path, body=body, headers=headers)

    def put(self, *path: str, body: Json) -> Answer:
        return self._call("PUT", path, body=body)

    def delete(self, *path: str) -> None:
        self._call("DELETE", path)

    def list_all(
        self, key: str, *path: str, query: Mapping[str, str | int] | None = None
    ) -> Iterator[Json]:
        """Yield the objects of every page."""
        for page in range(1, LIST_PAGES_MAX + 1):
            answer = self.list_page(*path, page=page, query=query)
            yield from answer.records(key)
            if page >= answer.paging("total_pages"):
                return

    def list_page(
        self, *path: str, page: int, query: Mapping[str, str | int] | None = None
    ) -> Answer:
        return self.get(*path, query={**(query or {}), "page": page, "records_per_page": PAGE_ROWS})

    def _call(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        query: Mapping[str, str | int] | None = None,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        address = "/".join([self._host, *(quote(part, safe="") for part in path)])
        ask = partial(
            self._ask,
            method,
            f"{address}?{urlencode(query)}" if query else address,
            None if body is None else json.dumps(body).encode(),
            {**self._headers, **(headers or {})},
        )
        for pause_seconds in RETRY_PAUSES_SECONDS if method in _REPEATABLE else ():
            try:
                return ask()
            except AggregatorError as error:
                if error.code not in _WORTH_A_RETRY:
                    raise
            time.sleep(pause_seconds)
        return ask()

    def _ask(
        self, method: str, address: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        try:
            response = self._pool.request(
                method, address, body=body, headers=headers, preload_content=False, redirect=False
            )
            with closing(response):  # one that was read to its end keeps its connection
                raw = response.read(ANSWER_BYTES_MAX + 1)
        except urllib3.exceptions.ReadTimeoutError:
            raise too_slow() from None
        except urllib3.exceptions.HTTPError:
            raise unreachable() from None  # its text holds the address
        if response.status >= _HTTP_REDIRECT:
            raise error_of_status(response.status, response.headers.get("retry-after", ""))
        return Answer(_body(raw))


def _body(raw: bytes) -> Json:
    if len(raw) > ANSWER_BYTES_MAX:
        raise unreadable()
    if not raw.strip():
        return {}
    try:
        return parse(raw)
    except NotAnObject:
        raise unreadable() from None
