"""What each form of the hosted page does to its session.

Every step takes the session as it is and returns it as it is then, or raises `Refused` with the
sentence that the person reads.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from sandbox import banking, banks, items, links, operations
from sandbox.banking import Opening
from sandbox.ids import random_id
from sandbox.links import Link, Session, Step
from sandbox.plaid import WIRE, announcements
from sandbox.plaid.errors import ERRORS
from sandbox.plaid.render import instant
from sandbox.webhooks import queue

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from sandbox.banks import AccountPlan, Institution
    from sandbox.items import Item
    from sandbox.world import World

DAYS_DEFAULT: Final = 90
ABANDONED_SECONDS: Final = 900
ERROR_PASSWORD: Final = "error_"  # noqa: S105  followed by the error code that is wanted
EXIT_STATUSES: Final = {
    Step.BANK: "institution_not_found",
    Step.CONSENT: "requires_oauth",
    Step.SIGN_IN: "requires_credentials",
    Step.CODE: "requires_code",
    Step.ACCOUNTS: "requires_account_selection",
}


class Refused(Exception):  # noqa: N818  it says what happened
    """A form cannot be taken as it is."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of one person: the link, the session, and where to write."""

    world: World
    db: sqlite3.Connection
    link: Link
    session: Session

    @property
    def bank(self) -> Institution:
        return banks.INSTITUTIONS[self.session.institution_id]

    @property
    def item(self) -> Item | None:
        return items.find(self.db, self.link.item_id) if self.link.is_update else None

    def plans(self) -> list[AccountPlan]:
        """Return the accounts that the person may share: those open at this bank."""
        if self.item is None:
            return [plan for plan in self.bank.accounts if not plan.is_opened_later]
        return [account.plan for account in items.accounts_of(self.db, self.item)]

    def shared_keys(self) -> set[str]:
        """Return which accounts are chosen when the page opens: all, or those shared so far."""
        if self.item is None:
            return {plan.key for plan in self.plans()}
        return {account.key for account in items.shared_accounts(self.db, self.item)}


def begin(world: World, db: sqlite3.Connection, link: Link) -> Session:
    """Start a session; a repair begins at its own bank."""
    bank = items.find(db, link.item_id).bank if link.is_update else None
    session = links.start_session(
        world,
        db,
        link,
        step=Step.BANK if bank is None else _first_step(bank),
        institution_id="" if bank is None else bank.institution_id,
    )
    return _with_event(world, db, session, "OPEN")


def _first_step(bank: Institution) -> Step:
    return Step.CONSENT if bank.is_oauth else Step.SIGN_IN


def choose_bank(visit: Visit, institution_id: str) -> Session:
    bank = banks.INSTITUTIONS.get(institution_id)
    if bank is None:
        raise Refused("Choose a bank from the list.")
    if not bank.is_supported:
        raise Refused(f"{bank.name} cannot be connected: it is not supported.")
    wanted = visit.link.asked.get("products") or []
    if "transactions" in wanted and not bank.has_transactions:
        raise Refused(f"{bank.name} cannot be connected: it gives no transactions.")
    session = links.change_session(
        visit.db, visit.session, institution_id=institution_id, step=_first_step(bank)
    )
    return _with_event(visit.world, visit.db, session, "SELECT_INSTITUTION")


def give_consent(visit: Visit) -> Session:
    session = links.change_session(visit.db, visit.session, step=Step.SIGN_IN)
    return _with_event(visit.world, visit.db, session, "OPEN_OAUTH")


def sign_in(visit: Visit, username: str, password: str) -> Session:
    """Check the login; a password such as error_ITEM_LOCKED asks for that error."""
    code = _login_error(visit, username, password)
    if code:
        _refuse(visit, code)
    step = Step.CODE if visit.bank.asks_code else Step.ACCOUNTS
    session = links.change_session(
        visit.db, visit.session, username=username, error_code="", step=step
    )
    return _with_event(visit.world, visit.db, session, "SUBMIT_CREDENTIALS")


def _login_error(visit: Visit, username: str, password: str) -> str:
    code = password.removeprefix(ERROR_PASSWORD)
    if password.startswith(ERROR_PASSWORD) and code in ERRORS:
        return code
    is_right = banks.knows(username) and (
        password == banks.PASSWORD_GOOD or username == banks.USER_DYNAMIC
    )
    if not is_right:
        return "INVALID_CREDENTIALS"
    if visit.item is not None and visit.item.username != username:
        return "INVALID_UPDATED_USERNAME"
    return ""


def _refuse(visit: Visit, code: str) -> NoReturn:
    """Keep the error with the session, which ends with it if the person leaves now."""
    session = links.change_session(visit.db, visit.session, error_code=code)
    _with_event(visit.world, visit.db, session, "ERROR", error_code=code)
    raise Refused(ERRORS[code].display or ERRORS[code].message)


def answer_code(visit: Visit, code: str) -> Session:
    if code.strip() != banks.CODE_GOOD:
        _refuse(visit, "INVALID_MFA")
    session = links.change_session(visit.db, visit.session, error_code="", step=Step.ACCOUNTS)
    return _with_event(visit.world, visit.db, session, "SUBMIT_MFA")


def finish(visit: Visit, keys: Sequence[str]) -> Session:
    """Share the accounts that were chosen: in a new item, or in the one that is repaired."""
    chosen = frozenset(keys) & {plan.key for plan in visit.plans()}
    if not chosen and visit.link.can_select_accounts:
        raise Refused("Choose at least one account.")
    item = _repaired(visit, chosen) if visit.link.is_update else _connected(visit, chosen)
    public_token = operations.give_public_token(visit.world, visit.db, item)
    session = links.change_session(
        visit.db,
        visit.session,
        step=Step.FINISHED,
        public_token=public_token,
        finished_at=visit.world.now(),
    )
    session = _with_event(visit.world, visit.db, session, "HANDOFF")
    if not visit.link.is_update:
        _tell(visit, session, "ITEM_ADD_RESULT", public_token=public_token)
    _tell_finished(visit, session, "SUCCESS", [public_token])
    return session


def leave(visit: Visit) -> Session:
    """End the session without a result."""
    session = links.change_session(
        visit.db,
        visit.session,
        step=Step.EXITED,
        exit_status=EXIT_STATUSES[visit.session.step],
        finished_at=visit.world.now(),
    )
    session = _with_event(visit.world, visit.db, session, "EXIT", error_code=session.error_code)
    _tell_finished(visit, session, "EXITED", [])
    return session


def end_abandoned(world: World) -> None:
    """End the sessions in which nobody does anything any more, or whose link has run out."""
    now = world.now()
    with world.store.reading() as db:
        idle = links.idle_sessions(db, now=now, idle_seconds=ABANDONED_SECONDS)
    for link, session in idle:
        with world.store.writing() as db:
            current = links.find_session(db, link, session.session_id)
            if current is not None and not current.is_over:
                leave(Visit(world, db, link, current))


def _connected(visit: Visit, chosen: frozenset[str]) -> Item:
    asked = visit.link.asked
    opening = Opening(
        wire=WIRE,
        bank=visit.bank,
        username=visit.session.username,
        account_keys=chosen,
        webhook=asked.get("webhook") or "",
        history_days=(asked.get("transactions") or {}).get("days_requested") or DAYS_DEFAULT,
    )
    return operations.connect(visit.world, visit.db, opening)


def _repaired(visit: Visit, chosen: frozenset[str]) -> Item:
    item = visit.item
    assert item is not None
    item = operations.repair(visit.world, visit.db, item)
    if visit.link.can_select_accounts:
        item = banking.share_accounts(visit.db, item, chosen)
    return item


def _with_event(
    world: World, db: sqlite3.Connection, session: Session, name: str, *, error_code: str = ""
) -> Session:
    """Write down what the page would tell its embedder."""
    metadata: dict[str, Any] = {"request_id": session.session_id[:16]}
    if error_code:
        metadata |= {
            "error_code": error_code,
            "error_type": ERRORS[error_code].error_type,
            "error_message": ERRORS[error_code].message,
        }
    if session.institution_id:
        metadata["institution_id"] = session.institution_id
        metadata["institution_name"] = banks.INSTITUTIONS[session.institution_id].name
    if session.exit_status:
        metadata["exit_status"] = session.exit_status
    event = {
        "event_id": random_id(),
        "event_name": name,
        "timestamp": instant(world.now()),
        "event_metadata": metadata,
    }
    events = json.dumps([*session.event_list, event])
    return links.change_session(db, session, events=events, active_at=world.now())


def _tell_finished(visit: Visit, session: Session, status: str, public_tokens: list[str]) -> None:
    _tell(visit, session, "EVENTS", events=session.event_list)
    fields: dict[str, Any] = {"status": status, "public_tokens": public_tokens}
    if public_tokens:
        fields["public_token"] = public_tokens[0]
    _tell(visit, session, "SESSION_FINISHED", **fields)


def _tell(visit: Visit, session: Session, code: str, **fields: Any) -> None:
    body = {
        "webhook_type": "LINK",
        "webhook_code": code,
        "link_session_id": session.session_id,
        "link_token": visit.link.token,
        **fields,
        "environment": announcements.ENVIRONMENT,
    }
    url = visit.link.asked.get("webhook") or ""
    queue(visit.db, url, body, now=visit.world.now(), link_token=visit.link.token)
    visit.world.wake.set()
