"""User accounts: one per e-mail address, in as many organizations as it is a member of."""

from __future__ import annotations

import re
from typing import Final

import sqlalchemy as sa

from app.kernel.errors import Invalid
from app.models import User, db
from app.tenancy.passwords import hash_password

_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,250}\.[^@\s.]{1,60}")


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


def find_or_create_user(email: str, name: str, password: str) -> User:
    """Return the account of this address, made now if there is none.

    Raises:
        Invalid: Bad address or weak password.
    """
    email = clean_email(email)
    user = find_user(email)
    if user is None:
        user = User(
            email=email,
            name=name.strip() or email.partition("@")[0],
            password_hash=hash_password(password, email),
        )
        db.session.add(user)
        db.session.flush()
    return user
