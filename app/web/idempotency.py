"""Answer a repeated call once: its key stands in the transaction of what the call did.

docs/decisions/0141 says what happens when a process dies between the two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Final, TypeVar, cast

from flask import Response, current_app, request
from sqlalchemy.exc import IntegrityError

from app.kernel import limits
from app.kernel.errors import Conflict, Invalid, Refusal
from app.models.session import join_next_transaction
from app.people.idempotency import Call, KeptCall, keep_answer, kept_call, note_call
from app.web.access import current_actor

HEADER: Final = "Idempotency-Key"
REPLAYED_HEADER: Final = "Idempotency-Replayed"
_KEPT_HEADERS: Final = ("Content-Type", "Location", "Retry-After")

View = TypeVar("View", bound=Callable[..., Any])


class CallAtWork(Conflict):
    """The same key came before, and its answer is not known."""

    code = "idempotency_key_in_use"
    title = "The same call came before"


class KeyReused(Invalid):
    """The key stands for another call."""

    code = "idempotency_key_reused"
    title = "The key belongs to another call"


def answered_once(view: View) -> View:
    """Let a POST with an idempotency key be done once, however often it is sent."""

    @wraps(view)
    def once(*args: Any, **kwargs: Any) -> Any:
        key = request.headers.get(HEADER, "")
        if not key:
            return view(*args, **kwargs)
        if len(key) > limits.IDEMPOTENCY_KEY_CHARACTERS_MAX or not key.isprintable():
            raise Invalid(
                f"{HEADER} has at most {limits.IDEMPOTENCY_KEY_CHARACTERS_MAX} printable "
                "characters; nothing was done."
            )
        call = Call(current_actor().user_id, key, _digest())
        before = kept_call(call)
        if before is not None:
            return _again(before, call)
        return _first_time(call, lambda: view(*args, **kwargs))

    return cast("View", once)


def _again(before: KeptCall, call: Call) -> Response:
    if before.request_digest != call.request_digest:
        raise KeyReused(
            f"This {HEADER} came within the last 24 hours with another body or address; nothing "
            "was done. Choose a new key for a new call."
        )
    if before.status is None:
        raise CallAtWork(
            "The first call with this key is at work, or was done without its answer being kept; "
            "nothing was done again. Look at what stands now."
        )
    response = Response(before.body, before.status, before.headers)
    response.headers[REPLAYED_HEADER] = "true"
    return response


def _first_time(call: Call, do: Callable[[], Any]) -> Response:
    written = False

    def join() -> None:
        nonlocal written
        note_call(call)
        written = True

    join_next_transaction(join)
    try:
        response = current_app.make_response(do())
    except IntegrityError as error:
        if kept_call(call) is None:
            raise  # not our key's
        raise _lost_the_race() from error
    except Refusal as refusal:
        if written:  # what came first stands, so the answer stands for it as well
            _keep(call, current_app.make_response(_refused(refusal)))
            raise
        before = kept_call(call)  # the same call may have been done while this one waited
        if before is None:
            raise
        return _again(before, call)
    _keep(call, response)
    return response


def _lost_the_race() -> CallAtWork:
    return CallAtWork("The same call is at work at this moment; nothing was done twice.")


def _refused(refusal: Refusal) -> Any:
    return current_app.handle_user_exception(refusal)


def _keep(call: Call, response: Response) -> None:
    join_next_transaction(None)
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    try:
        keep_answer(call, response.status_code, response.get_data(as_text=True), headers)
    except IntegrityError as error:
        raise _lost_the_race() from error


def _digest() -> str:
    """Return the digest of what is asked: address and body, but not how a form is cut up."""
    digest = hashlib.sha256()
    for part in (request.method, request.full_path, *_body_parts()):
        data = part if isinstance(part, bytes) else part.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _body_parts() -> Iterator[str | bytes]:
    if request.mimetype != "multipart/form-data":  # whose boundary differs each time
        yield request.get_data()
        return
    for name, value in sorted(request.form.items(multi=True)):
        yield from (name, value)
    for name, file in sorted(request.files.items(multi=True)):
        yield from (name, file.filename or "", file.read())
        file.seek(0)
