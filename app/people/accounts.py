"""User accounts: one per e-mail address, in as many organizations as it is a member of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from app.kernel.errors import Invalid
from app.models import User, db
from app.tenancy.passwords import hash_password

_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,250}\.[^@\s.]{1,60}")
_NAME_CHARACTERS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it is to be found or made."""

    email: str
    name: str
    password_hash: str | None
    """None where the address signs in already, and keeps its own password."""


def clean_email(text: str) -> str:
    """Return the address in lower case.

    Raises:
        Invalid: It has not the form of one.
    """
    email = text.strip().lower()
    if not _EMAIL.fullmatch(email):
        sentence = "This is not an e-mail address."
        raise Invalid(sentence, {"email": [sentence]})
    return email


def find_user(email: str) -> User | None:
    return db.session.scalar(sa.select(User).where(User.email == email.strip().lower()))


def prepare_account(email: str, name: str, password: str) -> Account:
    """Check address, name and password; outside the transaction, since hashing takes long.

    Raises:
        Invalid: Bad address, overlong name, or weak password.
    """
    email = clean_email(email)
    name = name.strip() or email.partition("@")[0]
    if len(name) > _NAME_CHARACTERS_MAX:
        sentence = f"A name has at most {_NAME_CHARACTERS_MAX} characters."
        raise Invalid(sentence, {"name": [sentence]})
    known = find_user(email) is not None
    return Account(email, name, None if known else hash_password(password, email))


def find_or_create_user(account: Account) -> User:
    """Return the account of this address, made now if there is none."""
    user = find_user(account.email)
    if user is None:
        assert account.password_hash is not None, "accounts are never removed"
        user = User(email=account.email, name=account.name, password_hash=account.password_hash)
        db.session.add(user)
        db.session.flush()
    return user
