"""Call Plaid through its official SDK, with bounds on time, repeats and size.

The SDK builds and checks each request.  Its transport is replaced by one that hands back
every answer as bytes: the SDK's own fails on error answers that are not decoded, follows
redirects with the secret in the headers, and has no bound on time or size.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import plaid
import structlog
import urllib3
from plaid.api.plaid_api import PlaidApi
from plaid.exceptions import OpenApiException
from plaid.rest import RESTClientObject

from app.aggregators.contract import AggregatorError
from app.aggregators.plaid.errors import error_of_answer, failure
from app.aggregators.plaid.meanings import REQUEST_INVALID, UNREACHABLE, UNREADABLE
from app.aggregators.plaid.reading import Json, NotJson, parse, text_of
from app.aggregators.plaid.settings import PlaidSettings

ANSWER_BYTES_MAX: Final = 32 * 1024 * 1024
"""A page of 500 transactions has under two million."""

REQUEST_ID_CHARACTERS_MAX: Final = 40
"""Anything longer could be something else, and is not logged."""

_READ_BYTES: Final = 64 * 1024
_NEVER_SENT: Final = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
_REPEATED_CODES: Final = frozenset({"INTERNAL_SERVER_ERROR"})

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One of Plaid's calls.

    Args:
        operation: As the SDK names it.
        read_seconds: How long an answer may take.
        total_seconds: No attempt begins that could end after it.
        repeatable: Sending it again does no harm when the first may have arrived.
    """

    operation: str
    read_seconds: float
    total_seconds: float
    repeatable: bool = True


@dataclass(frozen=True, slots=True)
class Patience:
    """How often is tried.

    Args:
        pause_seconds: Of the first pause at most; each later one is twice as long.
    """

    connect_seconds: float = 5.0
    attempts_max: int = 3
    pause_seconds: float = 0.5


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why an attempt failed, and whether Plaid may have acted on it."""

    error: AggregatorError
    may_have_arrived: bool
    passing: bool
    body: Json = field(default_factory=dict)


class Client:
    def __init__(self, settings: PlaidSettings, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._configuration = plaid.Configuration(
            host=settings.host,
            api_key={"clientId": settings.client_id, "secret": settings.secret},
        )
        self._configuration.retries = False  # neither repeats nor redirects behind our back
        sdk = plaid.ApiClient(self._configuration)
        sdk.rest_client = _RawTransport(self._configuration)
        self._api = PlaidApi(sdk)

    def call(self, call: Call, request: dict[str, Any]) -> Json:
        """Return the answer's JSON.

        Raises:
            AggregatorError: With the meaning of the answer, or of there being none.
        """
        give_up_at = time.monotonic() + call.total_seconds
        attempt = 1
        while True:
            outcome = self._attempt(call, request, attempt)
            if not isinstance(outcome, _Failure):
                return outcome
            pause = self._pause(attempt)
            if not self._try_again(call, outcome, attempt, give_up_at - pause):
                raise outcome.error
            time.sleep(pause)
            attempt += 1

    def _try_again(self, call: Call, failed: _Failure, attempt: int, begin_before: float) -> bool:
        if not failed.passing or attempt >= self._patience.attempts_max:
            return False
        if failed.may_have_arrived and not call.repeatable:
            return False
        longest = self._patience.connect_seconds + call.read_seconds
        return time.monotonic() + longest <= begin_before

    def _pause(self, attempt: int) -> float:
        # Chosen anew each time, so that many workers do not come back at the same moment.
        longest = self._patience.pause_seconds * float(2 ** (attempt - 1))
        return random.uniform(0.1, 1.0) * longest  # noqa: S311 - no secret

    def _attempt(self, call: Call, request: dict[str, Any], attempt: int) -> Json | _Failure:
        began = time.monotonic()
        answer = self._send(call, request)
        outcome = answer if isinstance(answer, _Failure) else _read(answer)
        log = _log.bind(
            operation=call.operation,
            attempt=attempt,
            milliseconds=round((time.monotonic() - began) * 1000),
        )
        if isinstance(outcome, _Failure):
            request_id = _request_id(outcome.body)
            log.warning("plaid_call_failed", code=outcome.error.code, plaid_request=request_id)
        else:
            log.debug("plaid_call", plaid_request=_request_id(outcome))
        return outcome

    def _send(self, call: Call, request: dict[str, Any]) -> _Answer | _Failure:
        # The exceptions of the SDK and of urllib3 can hold what was sent, so none is chained.
        try:
            answer: _Answer = getattr(self._api, call.operation)(
                request,
                _preload_content=False,
                _request_timeout=(self._patience.connect_seconds, call.read_seconds),
            )
        except _NEVER_SENT:
            return _Failure(
                failure("NOT_CONNECTED", UNREACHABLE), may_have_arrived=False, passing=True
            )
        except urllib3.exceptions.SSLError:
            return _Failure(
                failure("TLS_FAILED", UNREACHABLE), may_have_arrived=False, passing=False
            )
        except urllib3.exceptions.TimeoutError:
            return _Failure(failure("TIMED_OUT", UNREACHABLE), may_have_arrived=True, passing=True)
        except (urllib3.exceptions.HTTPError, OSError):
            return _Failure(
                failure("CONNECTION_BROKEN", UNREACHABLE), may_have_arrived=True, passing=True
            )
        except (OpenApiException, TypeError, ValueError):
            return _Failure(
                failure("REQUEST_INVALID", REQUEST_INVALID), may_have_arrived=False, passing=False
            )
        return answer


class _RawTransport(RESTClientObject):  # type: ignore[misc]  # the SDK has no types
    """Sends what the SDK built, and reads the answer as bytes, whatever its status."""

    def request(
        self,
        method: str,
        url: str,
        query_params: object = None,  # noqa: ARG002
        headers: Mapping[str, str] | None = None,
        body: object = None,
        post_params: object = None,  # noqa: ARG002
        _preload_content: bool = True,
        _request_timeout: tuple[float, float] | None = None,
    ) -> _Answer:
        """Return the answer.

        Raises:
            HTTPError: Of urllib3.
        """
        assert _request_timeout
        connect_seconds, read_seconds = _request_timeout
        response = self.pool_manager.request(
            method,
            url,
            json=body,
            headers=dict(headers or {}),
            timeout=urllib3.Timeout(connect=connect_seconds, read=read_seconds),
            preload_content=False,
        )
        try:
            content = _read_bounded(response, time.monotonic() + read_seconds)
        except BaseException:
            response.close()  # the rest of it must not be taken for the next answer
            raise
        response.release_conn()
        lowered = {name.lower(): value for name, value in response.headers.items()}
        return _Answer(response.status, lowered, content)


def _read_bounded(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    """Read all of it; a server that only drips is given up at the deadline."""
    content = bytearray()
    while chunk := response.read1(_READ_BYTES):
        content += chunk
        if len(content) > ANSWER_BYTES_MAX:
            raise urllib3.exceptions.ProtocolError("longer than any answer")
        if time.monotonic() > deadline:
            raise urllib3.exceptions.TimeoutError
    return bytes(content)


def _read(answer: _Answer) -> Json | _Failure:
    try:
        body: Json | None = parse(answer.body)
    except NotJson:
        body = None
    if answer.status == HTTPStatus.OK:
        if body is not None:
            return body
        return _Failure(
            failure("ANSWER_UNREADABLE", UNREADABLE), may_have_arrived=True, passing=True
        )
    error = error_of_answer(answer.status, answer.headers, body)
    broken = body is None and answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    passing = broken or error.code in _REPEATED_CODES
    return _Failure(error, may_have_arrived=True, passing=passing, body=body or {})


def _request_id(body: Json) -> str:
    """Return Plaid's id of the call, which its support asks for."""
    text = text_of(body, "request_id")
    return text if text.isalnum() and len(text) <= REQUEST_ID_CHARACTERS_MAX else ""
