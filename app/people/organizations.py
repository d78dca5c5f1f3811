"""Organizations: created with their audit chain and a first admin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from app.audit.trail import GENESIS_HASH, Change, record
from app.kernel.errors import Invalid
from app.kernel.ids import new_id
from app.models import AuditHead, Membership, Organization, Role, User, db
from app.models.session import unit_of_work
from app.people.accounts import find_or_create_user, prepare_account
from app.tenancy.actor import Actor
from app.tenancy.permissions import permissions_of
from app.tenancy.scope import organization_scope

_time_zones = cache(available_timezones)  # it opens each of some six hundred files


@dataclass(frozen=True, slots=True)
class CreatedOrganization:
    organization_id: str
    user_id: str


def create_organization(
    name: str,
    *,
    admin_email: str,
    admin_password: str,
    admin_name: str = "",
    time_zone: str = "UTC",
) -> CreatedOrganization:
    """Create an organization with its audit chain and its first admin.

    An address that already signs in keeps its password and gets one organization more.

    Raises:
        Invalid: Empty name, unknown time zone, bad address, weak password.
    """
    if not name.strip():
        raise Invalid("An organization needs a name.", {"name": ["Give it a name."]})
    if time_zone not in _time_zones():
        raise Invalid(f"“{time_zone}” is not a time zone such as America/New_York.")
    account = prepare_account(admin_email, admin_name, admin_password)
    organization_id = new_id()
    with organization_scope(organization_id), unit_of_work():
        db.session.add(Organization(id=organization_id, name=name.strip(), time_zone=time_zone))
        db.session.flush()
        db.session.add(AuditHead(hash=GENESIS_HASH))
        user = find_or_create_user(account)
        db.session.add(Membership(user_id=user.id, role=Role.ADMIN, bank_connections=True))
        db.session.flush()
        record(
            _founder(organization_id, name, time_zone, user),
            Change("organization.created", "organization", organization_id, {}, {"name": name}),
        )
        return CreatedOrganization(organization_id, user.id)


def _founder(organization_id: str, name: str, time_zone: str, user: User) -> Actor:
    return Actor(
        organization_id=organization_id,
        organization_name=name,
        time_zone=time_zone,
        user_id=user.id,
        name=user.name,
        email=user.email,
        role=Role.ADMIN,
        permissions=permissions_of(Role.ADMIN, bank_connections=True, operations=False),
        via="command",
    )
