"""The Connect widget: its address, which opens once, and what its forms do to members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from flask import request, url_for

from sandbox import banks, items, links
from sandbox.links import Link, Session, Step
from sandbox.mx import announcements, jobs, members
from sandbox.mx.calls import Call, endpoint
from sandbox.mx.errors import MxRefusal
from sandbox.mx.objects import COUNTRIES
from sandbox.mx.render import code_of
from sandbox.mx.statuses import DENIALS_MAX, STATUSES, sentence

if TYPE_CHECKING:
    import sqlite3

    from sandbox.banks import Institution
    from sandbox.mx.members import Member
    from sandbox.world import World

OPEN_SECONDS: Final = 600
CALLBACK_HEADER: Final = "X-CALLBACK-PAYLOAD"
CALLBACK_CHARACTERS_MAX: Final = 1_024
ERROR_PASSWORD: Final = "error_"  # noqa: S105  followed by the status that is wanted
FIELDS: Final = (
    "client_redirect_url",
    "color_scheme",
    "connections_use_case_filter",
    "current_institution_code",
    "current_institution_guid",
    "current_member_guid",
    "disable_background_agg",
    "disable_institution_search",
    "enable_app2app",
    "include_identity",
    "include_transactions",
    "insight_guid",
    "is_mobile_webview",
    "iso_country_code",
    "microwidget_instance_id",
    "mode",
    "oauth_referral_source",
    "ui_message_version",
    "ui_message_webview_url_scheme",
    "update_credentials",
    "use_cases",
    "widget_type",
)


class Refused(Exception):  # noqa: N818  it says what happened
    """A form cannot be taken as it is."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of one person: the widget's address, the session, and where to write."""

    world: World
    db: sqlite3.Connection
    link: Link
    session: Session

    @property
    def bank(self) -> Institution:
        return banks.INSTITUTIONS[self.session.institution_id]

    @property
    def member(self) -> Member | None:
        """Return the member that this visit repairs or has made."""
        return members.find(self.db, self.session.public_token)


@endpoint("POST", "/users/<user_guid>/widget_urls")
def request_widget_url(call: Call, user_guid: str) -> dict[str, Any]:
    asked = call.body("widget_url", FIELDS)
    callback = request.headers.get(CALLBACK_HEADER, "")
    if asked.get("widget_type") != "connect_widget" or len(callback) > CALLBACK_CHARACTERS_MAX:
        raise MxRefusal(400, "The widget's type or the callback payload cannot be taken.")
    with call.world.store.writing() as db:
        user = call.user(db, user_guid)
        repaired = asked.get("current_member_guid")
        member = call.member(db, user_guid, repaired) if repaired else None
        kept = {
            "client_name": "The application",
            "country_codes": sorted(COUNTRIES),
            "hosted_link": {"completion_redirect_uri": asked.get("client_redirect_url")},
            "user_guid": user_guid,
            "member_guid": member.guid if member else "",
            "callback": callback,
            "institution_code": asked.get("current_institution_code") or "",
            "asks_credentials": bool(asked.get("update_credentials")),
        }
        link = links.make_link(
            call.world,
            db,
            kept,
            item_id=member.guid if member else "",
            lifetime_seconds=OPEN_SECONDS,
        )
    url = url_for("mx.open_widget", hosted_id=link.hosted_id, _external=True)
    return {"widget_url": {"type": "connect_widget", "url": url, "user_id": user.own_id}}


def begin(world: World, db: sqlite3.Connection, link: Link) -> Session:
    """Start the one session of an address: at a bank's sign-in where one was named."""
    asked = link.asked
    member = members.find(db, asked["member_guid"])
    bank = items.find(db, link.item_id).bank if link.is_update else _named(asked)
    step = Step.BANK if bank is None else first_step(bank)
    if member and not asked["asks_credentials"] and members.status_of(db, member) == "CHALLENGED":
        step = Step.CODE
    session = links.start_session(
        world, db, link, step=step, institution_id=bank.institution_id if bank else ""
    )
    return links.change_session(db, session, public_token=member.guid if member else "")


def _named(asked: dict[str, Any]) -> Institution | None:
    wanted = asked["institution_code"]
    found = [bank for bank in banks.search("", COUNTRIES) if code_of(bank) == wanted]
    return found[0] if found and found[0].accounts else None


def first_step(bank: Institution) -> Step:
    return Step.CONSENT if bank.is_oauth else Step.SIGN_IN


def choose_bank(visit: Visit, institution_id: str) -> Session:
    bank = banks.INSTITUTIONS.get(institution_id)
    if bank is None or bank.country not in COUNTRIES:
        raise Refused("Choose a bank from the list.")
    if not bank.is_supported:
        raise Refused(f"{bank.name} cannot be connected: it is not supported.")
    return links.change_session(
        visit.db, visit.session, institution_id=institution_id, step=first_step(bank)
    )


def give_consent(visit: Visit) -> Session:
    return links.change_session(visit.db, visit.session, step=Step.SIGN_IN)


def sign_in(visit: Visit, username: str, password: str) -> Session:
    """Make the member, or take the one of this login, and try it at the bank."""
    world, db = visit.world, visit.db
    member, is_new = _member_of(visit, username)
    member = members.change(db, member, callback=visit.link.asked["callback"])
    session = links.change_session(db, visit.session, public_token=member.guid, username=username)
    if is_new:
        announcements.tell_member(db, member, "created", now=world.now())
    status = _refusal_of(visit, member, username, password)
    if status:
        jobs.refuse(world, db, member, status)
        raise Refused(sentence(status))
    if visit.bank.asks_code:
        jobs.refuse(world, db, member, "CHALLENGED")
        return links.change_session(db, session, step=Step.CODE)
    jobs.let_in(world, db, member, "CREATED" if is_new else "UPDATED")
    return _finished(visit, session)


def answer_code(visit: Visit, code: str) -> Session:
    member = visit.member
    assert member is not None
    if code.strip() != banks.CODE_GOOD:
        jobs.refuse(visit.world, visit.db, member, "REJECTED")
        raise Refused(sentence("REJECTED"))
    jobs.let_in(visit.world, visit.db, member, "RESUMED")
    return _finished(visit, visit.session)


def leave(visit: Visit) -> Session:
    """End the session; a code that nobody typed has expired."""
    if visit.session.step is Step.CODE and visit.member is not None:
        jobs.refuse(visit.world, visit.db, visit.member, "EXPIRED")
    return links.change_session(
        visit.db, visit.session, step=Step.EXITED, finished_at=visit.world.now()
    )


def _finished(visit: Visit, session: Session) -> Session:
    return links.change_session(
        visit.db, session, step=Step.FINISHED, finished_at=visit.world.now()
    )


def _member_of(visit: Visit, username: str) -> tuple[Member, bool]:
    """Return the visit's member, and whether it is new.

    MX allows one member of a bank and user name; the widget then takes that one and gives it
    the password that was typed.
    """
    if visit.link.is_update and visit.member is not None:
        return visit.member, False
    user_guid = visit.link.asked["user_guid"]
    known = members.same_login(visit.db, user_guid, visit.bank, username)
    if known is not None:
        return known, False
    return members.create(visit.world, visit.db, user_guid, visit.bank, username), True


def _refusal_of(visit: Visit, member: Member, username: str, password: str) -> str:
    """Return the status that the bank's answer amounts to; empty when it lets the login in."""
    wanted = password.removeprefix(ERROR_PASSWORD)
    if password.startswith(ERROR_PASSWORD) and wanted in STATUSES:
        return wanted
    is_right = banks.knows(username) and (
        password == banks.PASSWORD_GOOD or username == banks.USER_DYNAMIC
    )
    if is_right and items.find(visit.db, member.guid).username == username:
        return ""
    member = members.change(visit.db, member, denials_count=member.denials_count + 1)
    return "PREVENTED" if member.denials_count >= DENIALS_MAX else "DENIED"
