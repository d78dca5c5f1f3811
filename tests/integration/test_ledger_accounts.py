import pytest

from app.audit import trail
from app.kernel.errors import Forbidden, Invalid, NotFound
from app.ledger.accounts import create_gl_account, create_ledger_bank_account, rename_gl_account
from app.models import AuditEvent, GlAccount, LedgerBankAccount, db
from app.tenancy.scope import get_owned, organization_scope, owned
from tests.ledger_books import accounts


def create(actor, **changes):
    values = {"number": "1010", "name": "Cash", "type": "asset", "currency": "USD"}
    return create_gl_account(actor, **{**values, **changes})


def test_an_account_is_created_and_recorded(cast):
    account_id = create(cast.bob, name="  Operating   cash ", currency="usd")
    account = get_owned(GlAccount, account_id)
    assert (account.number, account.name, account.currency) == ("1010", "Operating cash", "USD")
    event = db.session.scalar(owned(AuditEvent).where(AuditEvent.subject_id == account_id))
    assert (event.action, event.actor_name) == ("gl_account.created", "Bob")
    assert event.after["number"] == "1010"
    assert trail.verify().intact


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("number", " ", "needs a number"),
        ("number", "1" * 41, "at most 40"),
        ("number", "10\x0010", "cannot be printed"),
        ("name", "", "needs a name"),
        ("name", "x" * 201, "at most 200"),
        ("type", "cash", "not one of: asset"),
        ("currency", "US", "not a currency code"),
    ],
)
def test_a_bad_value_is_refused_beside_its_field(cast, field, value, words):
    with pytest.raises(Invalid) as caught:
        create(cast.bob, **{field: value})
    assert words in caught.value.fields[field][0]
    assert db.session.scalars(owned(GlAccount)).all() == []


def test_a_number_is_taken_once_but_by_each_organization(cast):
    create(cast.bob)
    with pytest.raises(Invalid, match="belongs to “Cash”"):
        create(cast.bob, name="Another")
    with organization_scope(cast.other_id):
        create(cast.charlie)


def test_renaming_keeps_the_rest_and_is_recorded_once(cast):
    account_id = create(cast.bob)
    rename_gl_account(cast.bob, account_id, "Petty cash")
    rename_gl_account(cast.bob, account_id, "Petty cash")
    assert get_owned(GlAccount, account_id).name == "Petty cash"
    events = db.session.scalars(owned(AuditEvent).where(AuditEvent.action == "gl_account.renamed"))
    assert [(e.before, e.after) for e in events] == [({"name": "Cash"}, {"name": "Petty cash"})]
    with pytest.raises(Invalid):
        rename_gl_account(cast.bob, account_id, " ")


def test_a_bank_account_stands_on_an_asset_or_liability_and_takes_its_currency(cast):
    ids = accounts(cast.alice)
    for name, number, currency in (("Card", "2010", "USD"), ("Euro", "1020", "EUR")):
        bank_id = create_ledger_bank_account(cast.bob, name=name, gl_account_id=ids[number])
        assert get_owned(LedgerBankAccount, bank_id).currency == currency
    with pytest.raises(Invalid, match="of type expense"):
        create_ledger_bank_account(cast.bob, name="Rent", gl_account_id=ids["5000"])


def test_a_gl_account_stands_for_one_bank_account_and_a_name_is_given_once(cast):
    ids = accounts(cast.alice)
    create_ledger_bank_account(cast.bob, name="Operating", gl_account_id=ids["1010"])
    with pytest.raises(Invalid) as caught:
        create_ledger_bank_account(cast.bob, name="Second", gl_account_id=ids["1010"])
    assert "stands for “Operating” already" in caught.value.fields["gl_account_id"][0]
    with pytest.raises(Invalid) as caught:
        create_ledger_bank_account(cast.bob, name="Operating", gl_account_id=ids["2010"])
    assert "name" in caught.value.fields
    with pytest.raises(Invalid):
        create_ledger_bank_account(cast.bob, name="x", gl_account_id="unknown")


def test_a_viewer_may_not_write(cast):
    ids = accounts(cast.alice)
    with pytest.raises(Forbidden, match="ledger"):
        create(cast.viv)
    with pytest.raises(Forbidden):
        rename_gl_account(cast.viv, ids["1010"], "x")
    with pytest.raises(Forbidden):
        create_ledger_bank_account(cast.viv, name="x", gl_account_id=ids["1010"])


def test_a_stranger_finds_no_account(cast):
    ids = accounts(cast.alice)
    with organization_scope(cast.other_id):
        with pytest.raises(NotFound):
            rename_gl_account(cast.charlie, ids["1010"], "Mine")
        with pytest.raises(Invalid, match="Choose a GL account"):
            create_ledger_bank_account(cast.charlie, name="Mine", gl_account_id=ids["1010"])
