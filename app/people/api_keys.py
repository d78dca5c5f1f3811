"""API keys: made, listed, revoked, and turned into who acts.

A key is 32 random bytes, so its plain SHA-256 cannot be guessed back, and looking one up is
one read by index (docs/decisions/0140).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from app.audit.trail import Change, record
from app.kernel import limits
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict, Invalid
from app.kernel.ids import new_id
from app.models import ApiKey, Organization, Role, User, db
from app.models.session import rows_changed, unit_of_work
from app.tenancy.actor import SYSTEM_USER_ID, Actor
from app.tenancy.passwords import hash_password
from app.tenancy.permissions import KEY_PERMISSIONS, Permission
from app.tenancy.scope import ALL_ORGANIZATIONS, get_owned, organization_scope, owned

_BEGINS: Final = "tieout_"
_SHOWN_CHARACTERS: Final = 13


@dataclass(frozen=True, slots=True)
class CreatedKey:
    id: str
    key: str
    """Shown now and never again."""


@dataclass(frozen=True, slots=True)
class ListedKey:
    id: str
    name: str
    beginning: str
    permissions: tuple[Permission, ...]
    created_at: datetime
    created_by_name: str
    last_used_at: datetime | None
    revoked_at: datetime | None


def create_api_key(actor: Actor, name: str, permissions: Collection[str] = ()) -> CreatedKey:
    """Make a key and return it, the only time that it can be read.

    Args:
        permissions: Of `KEY_PERMISSIONS`; none means all of them. Reading is always among them.

    Raises:
        Forbidden: The actor lacks `people`.
        Invalid: No name, too long a name, or a permission that no key can have.
        Conflict: Too many keys.
    """
    actor.require(Permission.PEOPLE)
    name = _checked_name(name)
    granted = _checked_permissions(permissions)
    key = _BEGINS + secrets.token_urlsafe(32)
    key_id, user_id = new_id(), new_id()
    email = f"{key_id}@api-key.invalid"
    nobodys_password = hash_password(secrets.token_urlsafe(32), email)
    with unit_of_work():
        _refuse_too_many()
        db.session.add(
            User(
                id=user_id,
                email=email,
                name=f"API key “{name}”",
                password_hash=nobodys_password,
            )
        )
        db.session.flush()
        row = ApiKey(
            id=key_id,
            user_id=user_id,
            name=name,
            beginning=key[:_SHOWN_CHARACTERS],
            digest=_digest(key),
            permissions=granted,
            created_by_name=actor.name,
        )
        db.session.add(row)
        db.session.flush()
        after = {"name": name, "permissions": granted}
        record(actor, Change("api_key.created", "api_key", key_id, {}, after))
    return CreatedKey(key_id, key)


def create_api_key_by_command(
    organization_id: str, name: str, permissions: Collection[str] = ()
) -> CreatedKey:
    """Make a key as whoever operates the installation.

    Raises:
        Invalid: No such organization, or as in `create_api_key`.
    """
    organization = db.session.get(Organization, organization_id)
    if organization is None:
        raise Invalid(f"There is no organization with the id “{organization_id[:40]}”.")
    operator = Actor(
        organization_id=organization.id,
        organization_name=organization.name,
        time_zone=organization.time_zone,
        user_id=SYSTEM_USER_ID,
        name="Command line",
        email="",
        role=Role.ADMIN,
        permissions=frozenset({Permission.PEOPLE}),
        via="command",
    )
    with organization_scope(organization.id):
        return create_api_key(operator, name, permissions)


def revoke_api_key(actor: Actor, key_id: str) -> None:
    """End a key for good, from its next call on; repeating it is harmless.

    Raises:
        Forbidden: The actor lacks `people`.
        NotFound: No such key here.
    """
    actor.require(Permission.PEOPLE)
    with unit_of_work():
        key = get_owned(ApiKey, key_id, lock=True)
        if key.revoked_at is not None:
            return
        key.revoked_at = utc_now()
        before = {"name": key.name, "permissions": key.permissions}
        record(actor, Change("api_key.revoked", "api_key", key_id, before, {}))


def listed_keys() -> tuple[ListedKey, ...]:
    """Return the keys of the organization in scope, newest first, revoked ones last."""
    rows = db.session.scalars(
        owned(ApiKey).order_by(ApiKey.revoked_at.is_not(None), ApiKey.id.desc())
    )
    return tuple(_listed(row) for row in rows)


def listed_key(key_id: str) -> ListedKey:
    """Return one key of the organization in scope.

    Raises:
        NotFound: No such key here.
    """
    return _listed(get_owned(ApiKey, key_id))


def actor_of_key(key: str, *, ip_address: str | None, request_id: str) -> Actor | None:
    """Return who acts by this key, or None where it is none or was revoked."""
    row = db.session.execute(
        _acting().where(ApiKey.digest == _digest(key)), execution_options=ALL_ORGANIZATIONS
    ).one_or_none()
    if row is None:
        return None
    found, organization = row
    actor = _actor(found, organization, via="api", ip_address=ip_address, request_id=request_id)
    _note_use(found.id, found.last_used_at)
    return actor


def key_actor(
    user_id: str, organization_id: str | None, *, via: str, request_id: str | None
) -> Actor | None:
    """Return who a key is in a job that it asked for; None once it was revoked."""
    row = db.session.execute(
        _acting().where(ApiKey.user_id == user_id, ApiKey.organization_id == organization_id),
        execution_options=ALL_ORGANIZATIONS,
    ).one_or_none()
    if row is None:
        return None
    found, organization = row
    return _actor(found, organization, via=via, request_id=request_id)


def _acting() -> sa.Select[ApiKey, Organization]:
    return (
        sa.select(ApiKey, Organization)
        .join(Organization, Organization.id == ApiKey.organization_id)
        .where(ApiKey.revoked_at.is_(None))
    )


def _actor(
    key: ApiKey,
    organization: Organization,
    *,
    via: str,
    request_id: str | None,
    ip_address: str | None = None,
) -> Actor:
    return Actor(
        organization_id=organization.id,
        organization_name=organization.name,
        time_zone=organization.time_zone,
        user_id=key.user_id,
        name=f"API key “{key.name}”",
        email="",
        role=Role.VIEWER,
        permissions=frozenset(map(Permission, key.permissions)),
        via=via,
        ip_address=ip_address,
        request_id=request_id,
    )


def _note_use(key_id: str, last_used_at: datetime | None) -> None:
    """Note when the key was used, but not at each call: reading must not wait for writers."""
    now = utc_now()
    if last_used_at and now - last_used_at < timedelta(seconds=limits.API_KEY_USE_NOTED_SECONDS):
        return
    with unit_of_work():
        rows_changed(
            sa.update(ApiKey)
            .where(ApiKey.id == key_id)
            .values(last_used_at=now)
            .execution_options(**ALL_ORGANIZATIONS)
        )


def _listed(row: ApiKey) -> ListedKey:
    return ListedKey(
        row.id,
        row.name,
        row.beginning,
        tuple(map(Permission, row.permissions)),
        row.created_at,
        row.created_by_name,
        row.last_used_at,
        row.revoked_at,
    )


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= limits.API_KEY_NAME_CHARACTERS_MAX or not name.isprintable():
        sentence = f"Give a name of 1 to {limits.API_KEY_NAME_CHARACTERS_MAX} characters."
        raise Invalid(sentence, {"name": [sentence]})
    return name


def _checked_permissions(permissions: Collection[str]) -> list[str]:
    """Return what the key is given, in the order of `KEY_PERMISSIONS`."""
    unknown = set(permissions) - set(KEY_PERMISSIONS)
    if unknown:
        choices = ", ".join(KEY_PERMISSIONS)
        sentence = f"“{min(unknown)[:40]}” is not a permission of a key; choose among: {choices}."
        raise Invalid(sentence, {"permissions": [sentence]})
    wanted = {*permissions, Permission.VIEW} if permissions else {*KEY_PERMISSIONS}
    return [str(one) for one in KEY_PERMISSIONS if one in wanted]


def _refuse_too_many() -> None:
    live = owned(ApiKey).where(ApiKey.revoked_at.is_(None)).with_only_columns(sa.func.count())
    if (db.session.scalar(live) or 0) >= limits.API_KEYS_MAX:
        raise Conflict(
            f"An organization has at most {limits.API_KEYS_MAX} keys; revoke one first. "
            "No key was made."
        )


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
