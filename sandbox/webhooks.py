"""Webhooks: queued in the transaction that causes them, signed and sent by threads behind it."""

from __future__ import annotations

import hashlib
import http.client
import json
from base64 import b64encode
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from sandbox import faults, keys
from sandbox.faults import Fault

if TYPE_CHECKING:
    import sqlite3

    from sandbox.keys import SigningKey
    from sandbox.store import Store

ANSWER_SECONDS_MAX: Final = 10.0
ATTEMPTS_MAX: Final = 5
RETRY_FACTOR: Final = 4
OLD_SECONDS: Final = 600
ACCEPTED: Final = (str(HTTPStatus.OK.value), str(HTTPStatus.NO_CONTENT.value))
SIGNATURE_HEADER: Final = "Plaid-Verification"
FLAWS: Final = (
    Fault.WEBHOOK_LOST,
    Fault.WEBHOOK_UNSIGNED,
    Fault.WEBHOOK_BAD_SIGNATURE,
    Fault.WEBHOOK_WRONG_ALGORITHM,
    Fault.WEBHOOK_WRONG_HASH,
    Fault.WEBHOOK_OLD,
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook on its way; `due_at` is None once it arrived, was given up or is never sent."""

    delivery_id: int
    item_id: str
    link_token: str
    code: str
    url: str
    body: str
    flaw: str
    created_at: float
    due_at: float | None
    attempts: int
    last_answer: str


def queue(
    db: sqlite3.Connection,
    url: str,
    body: dict[str, Any],
    *,
    now: float,
    code: str = "",
    item_id: str = "",
    link_token: str = "",
) -> None:
    """Send a webhook once the transaction is committed, as the item's faults let it go."""
    if not url:
        return
    wrong = faults.active(db, item_id)
    flaw = next((name for name in FLAWS if name in wrong), "")
    late = wrong.get(Fault.WEBHOOK_LATE)
    due_at = None if flaw == Fault.WEBHOOK_LOST else now + float(late.value if late else 0)
    for _ in range(2 if Fault.WEBHOOK_DOUBLED in wrong else 1):
        db.execute(
            "INSERT INTO delivery (item_id, link_token, code, url, body, flaw, created_at, due_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                item_id,
                link_token,
                code or body["webhook_code"],
                url,
                json.dumps(body, indent=2),
                flaw,
                now,
                due_at,
            ),
        )
    for name in (flaw, Fault.WEBHOOK_LATE, Fault.WEBHOOK_DOUBLED):
        if name in wrong:
            faults.use_up(db, wrong[name])


def deliveries(db: sqlite3.Connection, item_id: str | None = None) -> list[Delivery]:
    """Return what was queued, for one item or all, newest first."""
    rows = db.execute(
        "SELECT * FROM delivery WHERE item_id = COALESCE(?, item_id) ORDER BY delivery_id DESC",
        (item_id,),
    )
    return [Delivery(**row) for row in rows]


def send_again(db: sqlite3.Connection, delivery_id: int, *, now: float) -> bool:
    """Queue a copy of a webhook, as a replay; return whether there is such a one."""
    inserted = db.execute(
        "INSERT INTO delivery (item_id, link_token, code, url, body, flaw, created_at, due_at) "
        "SELECT item_id, link_token, code, url, body, '', :now, :now FROM delivery "
        "WHERE delivery_id = :delivery_id",
        {"now": now, "delivery_id": delivery_id},
    )
    return inserted.rowcount == 1


def claim_due(db: sqlite3.Connection, *, now: float) -> list[tuple[Delivery, SigningKey]]:
    """Return what is to be sent now with the key to sign it, and put off its next attempt."""
    rows = db.execute(
        "SELECT * FROM delivery WHERE due_at <= ? ORDER BY due_at, delivery_id", (now,)
    ).fetchall()
    if not rows:
        return []
    db.executemany(
        "UPDATE delivery SET due_at = ?, attempts = attempts + 1 WHERE delivery_id = ?",
        [(now + 2 * ANSWER_SECONDS_MAX, row["delivery_id"]) for row in rows],
    )
    key = keys.current_key(db, now=now)
    return [(Delivery(**row), key) for row in rows]


def send(
    store: Store, delivery: Delivery, key: SigningKey, *, now: float, retry_seconds: float
) -> None:
    """Send a webhook once and write down what came of it; a refusal is tried again later."""
    answer = _post(delivery, _headers(delivery, key, now=now))
    is_over = answer in ACCEPTED or delivery.attempts + 1 >= ATTEMPTS_MAX
    due_at = None if is_over else now + retry_seconds * RETRY_FACTOR**delivery.attempts
    with store.writing() as db:
        db.execute(
            "UPDATE delivery SET due_at = ?, last_answer = ? WHERE delivery_id = ?",
            (due_at, answer, delivery.delivery_id),
        )


def _headers(delivery: Delivery, key: SigningKey, *, now: float) -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    if delivery.flaw == Fault.WEBHOOK_UNSIGNED:
        return headers
    if urlsplit(delivery.url).username is not None:
        return headers | _password_headers(delivery)
    signed_body = delivery.body + (" " if delivery.flaw == Fault.WEBHOOK_WRONG_HASH else "")
    claims = {
        "iat": int(now) - (OLD_SECONDS if delivery.flaw == Fault.WEBHOOK_OLD else 0),
        "request_body_sha256": hashlib.sha256(signed_body.encode()).hexdigest(),
    }
    signer = keys.stranger_key(key) if delivery.flaw == Fault.WEBHOOK_BAD_SIGNATURE else key
    algorithm = "HS256" if delivery.flaw == Fault.WEBHOOK_WRONG_ALGORITHM else "ES256"
    headers[SIGNATURE_HEADER] = keys.signed_token(signer, claims, algorithm=algorithm)
    return headers


def _password_headers(delivery: Delivery) -> dict[str, str]:
    """Return how MX proves itself, and what it was given when the visit began."""
    address = urlsplit(delivery.url)
    password = "a stranger's" if delivery.flaw == Fault.WEBHOOK_BAD_SIGNATURE else address.password
    shown = b64encode(f"{address.username}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {shown}"}
    return headers | ({"X-CALLBACK-PAYLOAD": delivery.link_token} if delivery.link_token else {})


def _post(delivery: Delivery, headers: dict[str, str]) -> str:
    """Return the answer's status, or the error that came instead of one."""
    address = urlsplit(delivery.url)
    is_secure = address.scheme == "https"
    connect = http.client.HTTPSConnection if is_secure else http.client.HTTPConnection
    host = address.netloc.rpartition("@")[2]
    target = f"{address.path or '/'}{'?' if address.query else ''}{address.query}"
    try:
        with closing(connect(host, timeout=ANSWER_SECONDS_MAX)) as connection:
            connection.request("POST", target, delivery.body.encode(), headers)
            return str(connection.getresponse().status)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return type(error).__name__
