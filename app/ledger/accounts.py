"""The chart of accounts, and the bank accounts of the books that stand on it."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.audit.trail import Change, record
from app.kernel.errors import Invalid
from app.kernel.money import valid_currency
from app.models import GlAccount, GlAccountType, LedgerBankAccount, db
from app.models.session import unit_of_work
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import get_owned, owned

NUMBER_CHARACTERS_MAX: Final = 40
NAME_CHARACTERS_MAX: Final = 200

_BANK_TYPES: Final = (GlAccountType.ASSET, GlAccountType.LIABILITY)


def create_gl_account(actor: Actor, *, number: str, name: str, type: str, currency: str) -> str:  # noqa: A002 - the field's word
    """Add an account to the chart and return its id.

    Args:
        type: A value of `GlAccountType`.
        currency: Three letters, in which all entries of the account are kept.

    Raises:
        Invalid: Empty or too long, unknown type or currency, or a number that is taken.
    """
    actor.require(Permission.LEDGER)
    number = _text(number, "number", "An account needs a number.", NUMBER_CHARACTERS_MAX)
    name = _text(name, "name", "An account needs a name.", NAME_CHARACTERS_MAX)
    if type not in set(GlAccountType):
        raise _invalid("type", f"“{type[:40]}” is not one of: {', '.join(GlAccountType)}.")
    try:
        currency = valid_currency(currency)
    except Invalid as refusal:
        raise _invalid("currency", refusal.detail) from refusal
    account = GlAccount(number=number, name=name, type=type, currency=currency)
    with unit_of_work():
        taken = db.session.scalar(owned(GlAccount).where(GlAccount.number == number))
        if taken is not None:
            raise _invalid("number", _number_taken(number, taken.name))
        db.session.add(account)
        _flush_unique("number", _number_taken(number, "another account"))
        record(actor, Change("gl_account.created", "gl_account", account.id, {}, _facts(account)))
        return account.id


def rename_gl_account(actor: Actor, account_id: str, name: str) -> None:
    """Give the account another name; number, type and currency stay as entries rest on them.

    Raises:
        Invalid: Empty or too long.
        NotFound: No such account in the organization.
    """
    actor.require(Permission.LEDGER)
    name = _text(name, "name", "An account needs a name.", NAME_CHARACTERS_MAX)
    with unit_of_work():
        account = get_owned(GlAccount, account_id, lock=True)
        if account.name == name:
            return
        before, account.name = {"name": account.name}, name
        db.session.flush()
        after = {"name": name}
        record(actor, Change("gl_account.renamed", "gl_account", account.id, before, after))


def create_ledger_bank_account(actor: Actor, *, name: str, gl_account_id: str) -> str:
    """Declare that an asset or liability account stands for a bank account; return the new id.

    Its currency is the GL account's.

    Raises:
        Invalid: Bad name or one that is taken, a GL account that is of another type, unknown,
            or stands for a bank account already.
    """
    actor.require(Permission.LEDGER)
    name = _text(name, "name", "A ledger bank account needs a name.", NAME_CHARACTERS_MAX)
    with unit_of_work():
        account = _account_for_bank(gl_account_id)
        _refuse_second(name, account)
        bank_account = LedgerBankAccount(
            name=name, gl_account_id=account.id, currency=account.currency
        )
        db.session.add(bank_account)
        _flush_unique("name", "Somebody else has just added this bank account.")
        after = {"name": name, "gl_account": account.number, "currency": account.currency}
        subject = ("ledger_bank_account", bank_account.id)
        record(actor, Change("ledger_bank_account.created", *subject, {}, after))
        return bank_account.id


def _account_for_bank(gl_account_id: str) -> GlAccount:
    account = db.session.scalar(owned(GlAccount).where(GlAccount.id == gl_account_id))
    if account is None:
        raise _invalid("gl_account_id", "Choose a GL account of the list.")
    if account.type not in _BANK_TYPES:
        raise _invalid(
            "gl_account_id",
            f"{account.number} {account.name} is of type {account.type}; a bank account stands on "
            "an asset or a liability account.",
        )
    return account


def _refuse_second(name: str, account: GlAccount) -> None:
    others = db.session.scalars(
        owned(LedgerBankAccount).where(
            sa.or_(LedgerBankAccount.name == name, LedgerBankAccount.gl_account_id == account.id)
        )
    )
    for other in others:
        if other.gl_account_id == account.id:
            raise _invalid(
                "gl_account_id",
                f"{account.number} {account.name} stands for “{other.name}” already; a GL account "
                "stands for one bank account.",
            )
        raise _invalid("name", f"There is a bank account “{name}” already; choose another name.")


def _text(text: str, field: str, missing: str, characters_max: int) -> str:
    cleaned = " ".join(text.split())
    if not cleaned:
        raise _invalid(field, missing)
    if len(cleaned) > characters_max:
        raise _invalid(
            field, f"This has {len(cleaned)} characters; at most {characters_max} are kept."
        )
    if not cleaned.isprintable():
        raise _invalid(field, "This holds a character that cannot be printed.")
    return cleaned


def _invalid(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, {field: [sentence]})


def _number_taken(number: str, name: str) -> str:
    return f"The number {number} belongs to “{name}”; choose another."


def _flush_unique(field: str, sentence: str) -> None:
    """Flush; somebody else's row of the same moment is a refusal like one of yesterday."""
    try:
        db.session.flush()
    except IntegrityError as error:
        raise _invalid(field, sentence) from error


def _facts(account: GlAccount) -> dict[str, str]:
    return {
        "number": account.number,
        "name": account.name,
        "type": account.type,
        "currency": account.currency,
    }
