import pytest
import sqlalchemy as sa

from app.connections.accounts import (
    AddManualAccount,
    add_manual_account,
    map_account,
)
from app.connections.deletion import delete_connection
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.models import (
    AccountType,
    AuditEvent,
    FinancialAccount,
    FinancialConnection,
    FinancialTransaction,
    db,
)
from app.tenancy.scope import get_owned, organization_scope, owned
from tests.bank_files import csv_file
from tests.bank_world import (
    add_account,
    add_ledger_account,
    import_now,
    open_reconciliation_with_a_match,
)


def mapped_to(account_id):
    db.session.rollback()
    return get_owned(FinancialAccount, account_id).ledger_bank_account_id


def actions():
    db.session.rollback()
    return [
        event.action
        for event in db.session.scalars(owned(AuditEvent).order_by(AuditEvent.sequence))
    ]


def test_an_account_is_added_with_its_connection_and_the_trail_says_so(cast):
    ledger_id = add_ledger_account()
    added = add_manual_account(
        cast.carol,
        AddManualAccount(
            " Puget Harbor Bank ", "Operating", "4417", AccountType.CHECKING, "usd", ledger_id
        ),
    )
    account = get_owned(FinancialAccount, added.account_id)
    assert (account.name, account.mask, account.currency) == ("Operating", "4417", "USD")
    assert account.ledger_bank_account_id == ledger_id
    connection = get_owned(FinancialConnection, added.connection_id)
    assert (connection.institution_name, connection.status) == ("Puget Harbor Bank", "active")
    assert actions()[-2:] == ["connection.created", "account.mapped"]


@pytest.mark.parametrize(
    ("field", "command"),
    [
        ("institution_name", AddManualAccount(" ", "A", "", AccountType.OTHER, "USD")),
        ("account_name", AddManualAccount("B", "x" * 121, "", AccountType.OTHER, "USD")),
        ("mask", AddManualAccount("B", "A", "123456789", AccountType.OTHER, "USD")),
        ("mask", AddManualAccount("B", "A", "12-3", AccountType.OTHER, "USD")),
        ("currency", AddManualAccount("B", "A", "", AccountType.OTHER, "dollar")),
    ],
)
def test_bad_input_names_its_field_and_stores_nothing(cast, field, command):
    with pytest.raises(Invalid) as refusal:
        add_manual_account(cast.alice, command)
    assert list(refusal.value.fields) == [field]
    assert db.session.scalars(owned(FinancialConnection)).all() == []


def test_mapping_is_one_to_one(cast):
    ledger_id = add_ledger_account()
    first, second = add_account(cast.alice), add_account(cast.alice, name="Second")
    map_account(cast.alice, first, ledger_id)
    map_account(cast.alice, first, ledger_id)
    with pytest.raises(Conflict, match="is mapped to the bank account “Operating” already"):
        map_account(cast.alice, second, ledger_id)
    assert mapped_to(second) is None
    map_account(cast.alice, first, None)
    map_account(cast.alice, second, ledger_id)
    assert (mapped_to(first), mapped_to(second)) == (None, ledger_id)


def test_mapping_needs_one_currency(cast):
    ledger_id = add_ledger_account(currency="EUR")
    account_id = add_account(cast.alice)
    with pytest.raises(Invalid, match="kept in EUR and “Operating” in USD"):
        map_account(cast.alice, account_id, ledger_id)
    assert mapped_to(account_id) is None


def test_a_mapping_with_matches_in_an_open_reconciliation_stays(cast):
    account_id = add_account(cast.alice)
    ledger_id = add_ledger_account()
    map_account(cast.alice, account_id, ledger_id)
    import_now(cast.alice, account_id, csv_file())
    open_reconciliation_with_a_match(account_id, ledger_id)
    with pytest.raises(Conflict, match="open reconciliation to 31 October 2026 holds matches"):
        map_account(cast.alice, account_id, None)
    assert mapped_to(account_id) == ledger_id


def test_a_deleted_connection_is_unmapped_and_what_it_imported_stays(cast):
    ledger_id = add_ledger_account()
    account_id = add_account(cast.alice)
    map_account(cast.alice, account_id, ledger_id)
    import_now(cast.alice, account_id, csv_file())
    connection_id = get_owned(FinancialAccount, account_id).connection_id
    delete_connection(cast.alice, connection_id)
    delete_connection(cast.alice, connection_id)
    assert mapped_to(account_id) is None
    assert get_owned(FinancialConnection, connection_id).status == "deleted"
    assert len(db.session.scalars(owned(FinancialTransaction)).all()) == 5
    assert actions()[-3:] == [
        "account.unmapped",
        "connection.status_changed",
        "connection.deleted",
    ]
    with pytest.raises(Conflict, match="was deleted; nothing was changed"):
        map_account(cast.alice, account_id, ledger_id)
    with pytest.raises(Conflict, match="was deleted"):
        import_now(cast.alice, account_id, csv_file())


def test_without_the_permission_nothing_of_it_is_possible(cast):
    account_id = add_account(cast.alice)
    connection_id = get_owned(FinancialAccount, account_id).connection_id
    for actor in (cast.bob, cast.viv):
        for call in (
            add_account,
            lambda who: map_account(who, account_id, None),
            lambda who: delete_connection(who, connection_id),
            lambda who: import_now(who, account_id, csv_file()),
        ):
            with pytest.raises(Forbidden, match="an admin of your organization can grant it"):
                call(actor)
    assert db.session.scalar(sa.select(sa.func.count(FinancialAccount.id))) == 1


def test_a_stranger_finds_nothing(cast):
    account_id = add_account(cast.alice)
    ledger_id = add_ledger_account()
    connection_id = get_owned(FinancialAccount, account_id).connection_id
    with organization_scope(cast.other_id):
        own = add_account(cast.charlie)
        for call in (
            lambda: map_account(cast.charlie, account_id, None),
            lambda: map_account(cast.charlie, own, ledger_id),
            lambda: delete_connection(cast.charlie, connection_id),
            lambda: import_now(cast.charlie, account_id, csv_file()),
        ):
            with pytest.raises(NotFound):
                call()
