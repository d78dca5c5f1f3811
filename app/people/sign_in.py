"""Who is it, and what may they do in the organization they chose?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from app.kernel.errors import Invalid
from app.models import Membership, Organization, Role, SecondFactor, User, db
from app.people.accounts import find_user
from app.people.api_keys import key_actor
from app.tenancy.actor import SYSTEM_USER_ID, Actor
from app.tenancy.passwords import password_fits
from app.tenancy.permissions import Permission, permissions_of
from app.tenancy.scope import ALL_ORGANIZATIONS


@dataclass(frozen=True, slots=True)
class SignedIn:
    user_id: str
    session_epoch: int
    needs_code: bool = False
    """The second factor is still to come; until then nobody is signed in."""


@dataclass(frozen=True, slots=True)
class OrganizationChoice:
    organization_id: str
    name: str
    role: Role


def sign_in(email: str, password: str) -> SignedIn:
    """Return who it is, in the same time whether the address or the password is wrong.

    Raises:
        Invalid: Wrong, or a person without any organization: the answer does not tell which.
    """
    user = find_user(email)
    fits = password_fits(user.password_hash if user else None, password)
    if user is None or not fits or not organizations_of(user.id):
        sentence = "E-mail address or password is wrong."
        raise Invalid(sentence, {"password": [sentence]})
    needs_code = db.session.scalar(sa.select(_has_second_factor(user.id)))
    return SignedIn(user.id, user.session_epoch, bool(needs_code))


def _has_second_factor(user_id: str | InstrumentedAttribute[str]) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None)
    )


def organizations_of(user_id: str) -> list[OrganizationChoice]:
    """Return the organizations that the person belongs to, by name."""
    rows = db.session.execute(
        sa.select(Organization.id, Organization.name, Membership.role)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(Membership.user_id == user_id)
        .order_by(Organization.name, Organization.id),
        execution_options=ALL_ORGANIZATIONS,
    )
    return [OrganizationChoice(row.id, row.name, Role(row.role)) for row in rows]


def actor_of(
    user_id: str,
    organization_id: str | None,
    *,
    via: str,
    operator_emails: Collection[str] = (),
    session_epoch: int | None = None,
    ip_address: str | None = None,
    request_id: str | None = None,
) -> Actor | None:
    """Return the person as actor in one organization, with the permissions of this moment.

    Args:
        user_id: `SYSTEM_USER_ID` gives the program itself, which may keep connections going; an
            API key's gives the key.
        organization_id: None takes the first by name.
        operator_emails: Addresses that hold the `operations` permission, lower case.
        session_epoch: Epoch that the session was signed in with; another one ends it.

    Returns:
        None when the person, the membership, the session or the key is gone.
    """
    if user_id == SYSTEM_USER_ID:
        return _system_actor(organization_id, via=via, request_id=request_id)
    statement = (
        sa.select(User, Membership, Organization, _has_second_factor(User.id))
        .join(Membership, Membership.user_id == User.id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(User.id == user_id)
        .order_by(Organization.name, Organization.id)
        .limit(1)
    )
    if organization_id is not None:
        statement = statement.where(Organization.id == organization_id)
    row = db.session.execute(statement, execution_options=ALL_ORGANIZATIONS).one_or_none()
    if row is None:
        return key_actor(user_id, organization_id, via=via, request_id=request_id)
    user, membership, organization, has_second_factor = row
    if session_epoch is not None and session_epoch != user.session_epoch:
        return None
    return Actor(
        organization_id=organization.id,
        organization_name=organization.name,
        time_zone=organization.time_zone,
        user_id=user.id,
        name=user.name,
        email=user.email,
        role=Role(membership.role),
        permissions=permissions_of(
            Role(membership.role),
            bank_connections=membership.bank_connections,
            operations=user.email in operator_emails,
        ),
        via=via,
        owes_second_factor=organization.second_factor_required and not has_second_factor,
        ip_address=ip_address,
        request_id=request_id,
    )


def _system_actor(organization_id: str | None, *, via: str, request_id: str | None) -> Actor | None:
    organization = db.session.get(Organization, organization_id) if organization_id else None
    if organization is None:
        return None
    return Actor(
        organization_id=organization.id,
        organization_name=organization.name,
        time_zone=organization.time_zone,
        user_id=SYSTEM_USER_ID,
        name="Tieout",
        email="",
        role=Role.VIEWER,
        permissions=frozenset({Permission.VIEW, Permission.BANK_CONNECTIONS}),
        via=via,
        request_id=request_id,
    )
