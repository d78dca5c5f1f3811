import pytest
import sqlalchemy as sa

from app.audit import trail
from app.kernel.errors import NotFound
from app.models import AuditEvent, GlAccount, Membership, db
from app.models.session import unit_of_work
from app.tenancy.scope import (
    ALL_ORGANIZATIONS,
    get_owned,
    leave_scope,
    organization_scope,
    owned,
)


def an_account(number: str) -> GlAccount:
    with unit_of_work():
        account = GlAccount(number=number, name="Cash", type="asset", currency="USD")
        db.session.add(account)
    return account


def test_a_forgotten_filter_finds_only_the_own_rows(cast):
    an_account("1010")
    with organization_scope(cast.other_id):
        an_account("2020")
        assert [a.number for a in db.session.scalars(sa.select(GlAccount))] == ["2020"]
        assert db.session.scalar(sa.select(sa.func.count()).select_from(GlAccount)) == 1
        assert db.session.scalar(sa.select(sa.func.count(GlAccount.id))) == 1
        assert db.session.scalar(sa.select(sa.func.max(GlAccount.number))) == "2020"


def test_outside_any_scope_nothing_is_found(cast):
    an_account("1010")
    leave_scope()
    assert db.session.scalars(sa.select(GlAccount)).all() == []
    rows = db.session.scalars(sa.select(Membership), execution_options=ALL_ORGANIZATIONS).all()
    assert len(rows) == 5


def test_a_forgotten_filter_cannot_update_or_delete_strangers(cast):
    account_id = an_account("1010").id
    with organization_scope(cast.other_id), unit_of_work():
        db.session.execute(sa.update(GlAccount).values(name="Stolen"))
        db.session.execute(sa.delete(GlAccount))
    assert get_owned(GlAccount, account_id).name == "Cash"


def test_an_id_of_another_organization_is_not_found_even_in_the_identity_map(cast):
    account = an_account("1010")
    assert get_owned(GlAccount, account.id) is account
    with organization_scope(cast.other_id):
        with pytest.raises(NotFound):
            get_owned(GlAccount, account.id)
        assert db.session.scalars(owned(GlAccount)).all() == []


def test_a_row_of_another_organization_cannot_be_written(cast):
    with pytest.raises(AssertionError), unit_of_work():
        db.session.add(
            GlAccount(
                organization_id=cast.other_id, number="1", name="x", type="asset", currency="USD"
            )
        )


def test_the_audit_chain_is_intact_and_says_so_when_somebody_alters_it(cast):
    assert trail.verify().intact
    table = "audit_event"
    connection = db.session.connection()
    if connection.dialect.name == "sqlite":
        db.session.execute(sa.text(f"DROP TRIGGER {table}_no_update"))
    else:
        db.session.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    db.session.execute(
        sa.text(f"UPDATE {table} SET actor_name = 'Mallory' WHERE sequence = 2"),
    )
    outcome = trail.verify()
    db.session.rollback()
    assert outcome.first_broken_sequence == 2


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_event SET actor_name = 'Mallory'", "DELETE FROM audit_event"],
)
def test_the_database_itself_refuses_to_alter_the_trail(cast, statement):
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        db.session.execute(sa.text(statement))
    db.session.rollback()


def test_a_cut_tail_is_noticed(cast):
    count = trail.verify().events_count
    last = db.session.scalar(owned(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(1))
    connection = db.session.connection()
    if connection.dialect.name == "sqlite":
        db.session.execute(sa.text("DROP TRIGGER audit_event_no_delete"))
    else:
        db.session.execute(sa.text("ALTER TABLE audit_event DISABLE TRIGGER USER"))
    db.session.execute(sa.text("DELETE FROM audit_event WHERE id = :id"), {"id": last.id})
    outcome = trail.verify()
    db.session.rollback()
    assert outcome.first_broken_sequence == count
