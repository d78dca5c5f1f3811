"""The second factor: set up, confirmed, asked for at sign-in, switched off, removed by an admin.

A code is taken once: its half minute must be later than the last one taken.  Wrong codes are
counted with the person, so that many addresses gain nothing.  Whoever switches it on or off, or
loses it, has all sessions ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from app.audit.trail import Change, record
from app.kernel import limits
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.models import Membership, Organization, RecoveryCode, Role, SecondFactor, User, db
from app.models.session import rows_changed, unit_of_work
from app.people import one_time_codes
from app.people.accounts import find_user
from app.people.sign_in import SignedIn, actor_of, organizations_of
from app.tenancy import vault
from app.tenancy.actor import SYSTEM_USER_ID, Actor
from app.tenancy.passwords import password_fits
from app.tenancy.permissions import Permission
from app.tenancy.scope import ALL_ORGANIZATIONS, get_owned, organization_scope, owned


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with a person's second factor.

    Args:
        on_since: When it was switched on; None while it is off.
        codes_left: Recovery codes that are not used yet.
        secret: While it is being set up: the secret as it is typed.
        uri: While it is being set up: what the QR code says.
    """

    on_since: datetime | None
    codes_left: int = 0
    secret: str = ""
    uri: str = ""


@dataclass(frozen=True, slots=True)
class SwitchedOn:
    """The recovery codes, which nobody sees again, and the epoch of the session that goes on."""

    recovery_codes: list[str]
    session_epoch: int


class _Outcome(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    PAUSED = "paused"
    OFF = "off"


_SENTENCES = {
    _Outcome.WRONG: (
        "This code is wrong or was used already. Wait for the next one, or use a recovery code."
    ),
    _Outcome.PAUSED: (
        f"There were {limits.SECOND_FACTOR_FAILURES_MAX} wrong codes in a row. Wait "
        f"{limits.SECOND_FACTOR_PAUSE_SECONDS // 60} minutes and try again."
    ),
    _Outcome.OFF: "Your second factor is switched off; nothing was changed.",
}


def standing(actor: Actor) -> Standing:
    """Return how it stands with the actor's own second factor."""
    factor = _factor_of(actor.user_id)
    if factor is None:
        return Standing(None)
    if factor.confirmed_at is None:
        secret = _secret_of(factor)
        uri = one_time_codes.provisioning_uri(secret, actor.email)
        return Standing(None, secret=one_time_codes.grouped(secret), uri=uri)
    unused = sa.select(sa.func.count()).where(
        RecoveryCode.user_id == actor.user_id, RecoveryCode.used_at.is_(None)
    )
    return Standing(factor.confirmed_at, db.session.scalar(unused) or 0)


def begin(actor: Actor) -> None:
    """Make a secret to be confirmed; one that was never confirmed is replaced.

    Raises:
        Conflict: It is switched on already.
    """
    secret = one_time_codes.new_secret()
    with unit_of_work():
        _lock_person(actor.user_id)
        factor = _factor_of(actor.user_id)
        if factor is None:
            factor = SecondFactor(user_id=actor.user_id)
            db.session.add(factor)
        elif factor.confirmed_at is not None:
            raise Conflict("Your second factor is switched on already; nothing was changed.")
        factor.secret = _sealed(secret, actor.user_id)
        factor.last_step = 0
        db.session.flush()


def confirm(actor: Actor, code: str) -> SwitchedOn:
    """Switch it on with a first code, end all sessions, and return the recovery codes.

    Raises:
        Invalid: The code is wrong.
        Conflict: It is switched on already, or was never begun.
    """
    with unit_of_work():
        user = _lock_person(actor.user_id)
        factor = _factor_of(actor.user_id)
        if factor is None or factor.confirmed_at is not None:
            raise Conflict("There is nothing to confirm any more; nothing was changed.")
        step = one_time_codes.fitting_step(_secret_of(factor), code, utc_now())
        if step is None:
            raise _wrong(
                "This code does not fit. Take the one that is shown now, and see that the "
                "telephone's clock is right."
            )
        factor.confirmed_at, factor.last_step = utc_now(), step
        codes = _new_codes(actor.user_id)
        user.session_epoch += 1
        db.session.flush()
        _tell(actor, "person.second_factor_switched_on", off=False)
        return SwitchedOn(codes, user.session_epoch)


def switch_off(actor: Actor, password: str, code: str) -> int:
    """Switch it off with password and code, end all sessions, and return the new epoch.

    Raises:
        Invalid: One of the two is wrong, or there were too many wrong codes.
    """
    _prove(actor.user_id, password, code)
    with unit_of_work():
        epoch = _forget(actor.user_id)
        _tell(actor, "person.second_factor_switched_off", off=True)
    return epoch


def renew_recovery_codes(actor: Actor, password: str, code: str) -> list[str]:
    """Return new recovery codes; those from before are void.

    Raises:
        Invalid: Password or code is wrong, or there were too many wrong codes.
    """
    _prove(actor.user_id, password, code)
    with unit_of_work():
        _lock_person(actor.user_id)
        codes = _new_codes(actor.user_id)
        change = Change("person.recovery_codes_renewed", "person", actor.user_id, {}, {})
        record(actor, change)
    return codes


def pass_at_sign_in(who: SignedIn, code: str) -> None:
    """Take the code, or a recovery code, of somebody whose password was right.

    Raises:
        Invalid: It is wrong, or there were too many wrong ones.
    """
    outcome = _take(who.user_id, code)
    if outcome is not _Outcome.RIGHT:
        raise _wrong(_SENTENCES[outcome])


def holders() -> frozenset[str]:
    """Return the ids of those in the organization in scope who have it switched on."""
    members = owned(Membership).with_only_columns(Membership.user_id)
    statement = sa.select(SecondFactor.user_id).where(
        SecondFactor.confirmed_at.is_not(None), SecondFactor.user_id.in_(members)
    )
    return frozenset(db.session.scalars(statement))


def remove_of_member(actor: Actor, membership_id: str) -> None:
    """Remove a member's second factor, who lost it; they sign in with the password again.

    Raises:
        Forbidden: It is the actor's own, or the person belongs to an organization in which the
            actor may not decide.
        Conflict: There is none.
    """
    actor.require(Permission.PEOPLE)
    with unit_of_work():
        membership = get_owned(Membership, membership_id)
        if membership.user_id == actor.user_id:
            raise Forbidden("Your own is switched off under “Your account”, with your password.")
        if _belongs_elsewhere(membership.user_id, actor.user_id):
            raise Forbidden(
                "This person signs in to another organization as well, so the second factor is "
                "not yours to remove; the operator of this installation can."
            )
        _refuse_without(membership.user_id)
        _forget(membership.user_id)
        _tell(actor, "person.second_factor_removed", off=True, user_id=membership.user_id)


def remove_of_address(email: str) -> None:
    """Remove somebody's second factor at the operator's hand; all their organizations see it.

    Raises:
        Conflict: Nobody has this address, or they have none.
    """
    user = find_user(email)
    if user is None:
        raise Conflict(f"Nobody signs in as {email}; nothing was changed.")
    user_id = user.id
    told = [choice.organization_id for choice in organizations_of(user_id)]
    with unit_of_work():
        _refuse_without(user_id)
        _forget(user_id)
        for organization_id in told:
            with organization_scope(organization_id):
                actor = actor_of(SYSTEM_USER_ID, organization_id, via="command")
                assert actor is not None, "the person's organization exists"
                _tell(actor, "person.second_factor_removed", off=True, user_id=user_id)


def is_required(organization_id: str) -> bool:
    return _organization(organization_id).second_factor_required


def require_of_everybody(actor: Actor, *, required: bool) -> None:
    """Let everybody of the organization set it up before anything else, or no longer."""
    actor.require(Permission.PEOPLE)
    with unit_of_work():
        organization = _organization(actor.organization_id, lock=True)
        before = {"second_factor_required": organization.second_factor_required}
        after = {"second_factor_required": required}
        if before == after:
            return
        organization.second_factor_required = required
        db.session.flush()
        change = Change(
            "organization.second_factor_rule_changed",
            "organization",
            organization.id,
            before,
            after,
        )
        record(actor, change)


def _prove(user_id: str, password: str, code: str) -> None:
    user = db.session.scalar(sa.select(User).where(User.id == user_id))
    if not password_fits(user.password_hash if user else None, password):
        sentence = "This is not your password."
        raise Invalid(f"{sentence} Nothing was changed.", {"current_password": [sentence]})
    outcome = _take(user_id, code)
    if outcome is not _Outcome.RIGHT:
        raise _wrong(_SENTENCES[outcome])


def _take(user_id: str, code: str) -> _Outcome:
    """Compare a code and use it up; what was wrong is counted, whoever sent it."""
    now = utc_now()
    with unit_of_work():
        factor = _factor_of(user_id, lock=True)
        if factor is None or factor.confirmed_at is None:
            return _Outcome.OFF
        if factor.locked_until is not None and factor.locked_until > now:
            return _Outcome.PAUSED
        step = one_time_codes.fitting_step(_secret_of(factor), code, now)
        if step is not None and step > factor.last_step:
            factor.last_step, factor.failures_count = step, 0
            return _Outcome.RIGHT
        if step is None and _use_recovery_code(user_id, code, now):
            factor.failures_count = 0
            return _Outcome.RIGHT
        factor.failures_count += 1
        if factor.failures_count >= limits.SECOND_FACTOR_FAILURES_MAX:
            factor.failures_count = 0
            factor.locked_until = now + timedelta(seconds=limits.SECOND_FACTOR_PAUSE_SECONDS)
        return _Outcome.WRONG


def _use_recovery_code(user_id: str, code: str, now: datetime) -> bool:
    used = sa.update(RecoveryCode).where(
        RecoveryCode.user_id == user_id,
        RecoveryCode.digest == one_time_codes.recovery_digest(user_id, code),
        RecoveryCode.used_at.is_(None),
    )
    return rows_changed(used.values(used_at=now)) == 1


def _new_codes(user_id: str) -> list[str]:
    codes = one_time_codes.new_recovery_codes()
    rows_changed(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    db.session.add_all(
        RecoveryCode(user_id=user_id, digest=one_time_codes.recovery_digest(user_id, code))
        for code in codes
    )
    db.session.flush()
    return codes


def _refuse_without(user_id: str) -> None:
    factor = _factor_of(user_id, lock=True)
    if factor is None or factor.confirmed_at is None:
        raise Conflict("There is no second factor to remove; nothing was changed.")


def _forget(user_id: str) -> int:
    user = _lock_person(user_id)
    rows_changed(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    rows_changed(sa.delete(SecondFactor).where(SecondFactor.user_id == user_id))
    user.session_epoch += 1
    db.session.flush()
    return user.session_epoch


def _belongs_elsewhere(user_id: str, admin_id: str) -> bool:
    """Tell whether the person is in an organization of which the other is no admin."""
    decides = sa.select(Membership.organization_id).where(
        Membership.user_id == admin_id, Membership.role == Role.ADMIN
    )
    statement = sa.select(Membership.id).where(
        Membership.user_id == user_id, Membership.organization_id.not_in(decides)
    )
    return db.session.scalar(statement.limit(1), execution_options=ALL_ORGANIZATIONS) is not None


def _tell(actor: Actor, action: str, *, off: bool, user_id: str | None = None) -> None:
    before, after = {"second_factor": off}, {"second_factor": not off}
    record(actor, Change(action, "person", user_id or actor.user_id, before, after))


def _factor_of(user_id: str, *, lock: bool = False) -> SecondFactor | None:
    statement = sa.select(SecondFactor).where(SecondFactor.user_id == user_id)
    return db.session.scalar(statement.with_for_update() if lock else statement)


def _lock_person(user_id: str) -> User:
    user = db.session.scalar(sa.select(User).where(User.id == user_id).with_for_update())
    assert user is not None, "accounts are never removed"
    return user


def _organization(organization_id: str, *, lock: bool = False) -> Organization:
    statement = sa.select(Organization).where(Organization.id == organization_id)
    organization = db.session.scalar(statement.with_for_update() if lock else statement)
    assert organization is not None, "an actor's organization exists"
    return organization


def _sealed(secret: str, user_id: str) -> bytes:
    return vault.seal(
        {"totp": secret}, purpose=vault.SECOND_FACTOR, organization_id="", row_id=user_id
    )


def _secret_of(factor: SecondFactor) -> str:
    opened = vault.unseal(
        factor.secret, purpose=vault.SECOND_FACTOR, organization_id="", row_id=factor.user_id
    )
    return opened["totp"]


def _wrong(sentence: str) -> Invalid:
    return Invalid(sentence, {"code": [sentence]})
