"""The people of an organization: add, change role and grants, remove, change passwords."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.audit.trail import Change, record
from app.kernel.errors import Conflict, Invalid, NotFound
from app.models import Membership, Role, User, db
from app.models.session import rows_changed, unit_of_work
from app.people.accounts import find_or_create_user, prepare_account
from app.tenancy.actor import Actor
from app.tenancy.passwords import hash_password, password_fits
from app.tenancy.permissions import Permission
from app.tenancy.scope import get_owned, owned


@dataclass(frozen=True, slots=True)
class Member:
    membership_id: str
    user_id: str
    name: str
    email: str
    role: Role
    bank_connections: bool
    is_last_admin: bool = False


def members() -> Sequence[Member]:
    """Return the people of the organization in scope, by name."""
    rows = db.session.execute(
        owned(Membership)
        .add_columns(User)
        .join(User, User.id == Membership.user_id)
        .order_by(User.name, User.id)
    )
    people = [_member(membership, user) for membership, user in rows]
    admins = [person for person in people if person.role is Role.ADMIN]
    return [replace(p, is_last_admin=len(admins) == 1 and p is admins[0]) for p in people]


def member(membership_id: str) -> Member:
    """Return one person of the organization in scope.

    Raises:
        NotFound: No such membership here.
    """
    found = next((p for p in members() if p.membership_id == membership_id), None)
    if found is None:
        raise NotFound
    return found


def add_member(
    actor: Actor, *, email: str, name: str, password: str, role: Role, bank_connections: bool
) -> str:
    """Add a person and return the membership's id.

    An address that already signs in elsewhere keeps its own password.

    Raises:
        Invalid: Bad address or weak password.
        Conflict: The person is a member already.
    """
    actor.require(Permission.PEOPLE)
    account = prepare_account(email, name, password)
    with _one_membership_each(account.email), unit_of_work():
        user = find_or_create_user(account)
        if db.session.scalar(owned(Membership).where(Membership.user_id == user.id)):
            raise _already_here(user.email)
        membership = Membership(user_id=user.id, role=role, bank_connections=bank_connections)
        db.session.add(membership)
        db.session.flush()
        after = _facts(_member(membership, user))
        record(actor, Change("person.added", "membership", membership.id, {}, after))
        return membership.id


def change_member(actor: Actor, membership_id: str, *, role: Role, bank_connections: bool) -> None:
    """Change role and grant; takes effect with the person's next request.

    Raises:
        Conflict: The last admin would be gone.
    """
    actor.require(Permission.PEOPLE)
    with unit_of_work():
        _hold_admins()
        membership = get_owned(Membership, membership_id, lock=True)
        user = _user_of(membership)
        before = _facts(_member(membership, user))
        membership.role, membership.bank_connections = role, bank_connections
        db.session.flush()
        _keep_an_admin()
        after = _facts(_member(membership, user))
        if after != before:
            record(actor, Change("person.changed", "membership", membership.id, before, after))


def remove_member(actor: Actor, membership_id: str) -> None:
    """Take a person out of the organization; what they did stays in the trail.

    Raises:
        Conflict: The last admin would be gone.
    """
    actor.require(Permission.PEOPLE)
    with unit_of_work():
        _hold_admins()
        membership = get_owned(Membership, membership_id, lock=True)
        before = _facts(_member(membership, _user_of(membership)))
        db.session.delete(membership)
        db.session.flush()
        _keep_an_admin()
        record(actor, Change("person.removed", "membership", membership_id, before, {}))


def change_own_password(actor: Actor, current_password: str, password: str) -> int:
    """Change the actor's password, end all sessions, and return the new session epoch.

    Raises:
        Invalid: The current password is wrong, or the new one is weak.
        Conflict: It was changed elsewhere at the same time.
    """
    user = db.session.scalar(sa.select(User).where(User.id == actor.user_id))
    assert user is not None
    old_hash, epoch = user.password_hash, user.session_epoch + 1
    if not password_fits(old_hash, current_password):
        sentence = "This is not your current password."
        raise Invalid(sentence, {"current_password": [sentence]})
    new_hash = hash_password(password, user.email)
    with unit_of_work():
        changed = rows_changed(
            sa.update(User)
            .where(User.id == actor.user_id, User.password_hash == old_hash)
            .values(password_hash=new_hash, session_epoch=epoch)
        )
        if changed != 1:
            raise Conflict("Your password has just been changed elsewhere; nothing was changed.")
        record(actor, Change("person.password_changed", "person", actor.user_id, {}, {}))
    return epoch


@contextmanager
def _one_membership_each(email: str) -> Iterator[None]:
    """Turn the loser of two simultaneous additions into the refusal it would have got."""
    try:
        yield
    except IntegrityError as error:
        raise _already_here(email) from error


def _already_here(email: str) -> Conflict:
    return Conflict(f"{email} belongs to the organization already; nothing was changed.")


def _user_of(membership: Membership) -> User:
    user = db.session.scalar(sa.select(User).where(User.id == membership.user_id))
    assert user is not None
    return user


def _admins() -> sa.Select[Membership]:
    return owned(Membership).where(Membership.role == Role.ADMIN).order_by(Membership.id)


def _hold_admins() -> None:
    """Put those who change people in line, lest two admins remove each other at once."""
    db.session.scalars(_admins().with_for_update()).all()


def _keep_an_admin() -> None:
    if db.session.scalar(_admins().limit(1)) is None:
        raise Conflict("An organization keeps at least one admin; nothing was changed.")


def _member(membership: Membership, user: User) -> Member:
    return Member(
        membership_id=membership.id,
        user_id=user.id,
        name=user.name,
        email=user.email,
        role=Role(membership.role),
        bank_connections=membership.bank_connections,
    )


def _facts(member: Member) -> dict[str, object]:
    return {
        "email": member.email,
        "role": member.role,
        "bank_connections": member.bank_connections,
    }
