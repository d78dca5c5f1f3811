"""Credentials at rest: bound to their row, rotated while the application goes on."""

import json

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from app.connections import rotation
from app.connections.completion import complete
from app.connections.hosted_flows import address_of
from app.connections.refresh import sync
from app.connections.rotation import Rotated, rotate_credentials
from app.connections.sources import access_of
from app.kernel import limits
from app.models import FinancialConnection, HostedFlow, db
from app.models.session import unit_of_work
from app.tenancy.scope import ALL_ORGANIZATIONS, enter_scope, get_owned
from app.tenancy.vault import VaultClosed
from tests.bank_logins import (
    change_connection,
    connected,
    connection,
    open_flow,
    stored_ids,
    token_of,
)
from tests.books import run_waiting_jobs
from tests.conftest import CREDENTIAL_KEY
from tests.scripted_bank import Login, checking, row

NEW_KEY = Fernet.generate_key().decode()


@pytest.fixture
def keys(app, monkeypatch):
    def use(*those: str) -> None:
        settings = app.extensions["settings"]
        fields = {name: getattr(settings, name) for name in settings.__dataclass_fields__}
        changed = type(settings)(**fields | {"credential_keys": those})
        monkeypatch.setitem(app.extensions, "settings", changed)

    return use


def sealed(model, column) -> dict[str, bytes]:
    db.session.rollback()
    rows = db.session.execute(sa.select(model.id, column), execution_options=ALL_ORGANIZATIONS)
    return {row_id: bytes(value) for row_id, value in rows if value is not None}


def credentials() -> dict[str, bytes]:
    return sealed(FinancialConnection, FinancialConnection.credentials)


def test_a_ciphertext_copied_into_another_row_does_not_open(cast, bank):
    ours = connected(cast.alice, bank, login_id="item-1").id
    other_login = connected_elsewhere(cast.alice, bank, "item-2")
    enter_scope(cast.other_id)
    theirs = connected_elsewhere(cast.charlie, bank, "item-3")
    enter_scope(cast.acme_id)
    kept = credentials()
    for stranger in (other_login, theirs):
        change_connection(ours, credentials=kept[stranger])
        with pytest.raises(VaultClosed, match="another row"):
            access_of(connection(ours))
        sync(cast.alice, ours)
        (run,) = run_waiting_jobs()
        assert run.status == "failed"
        assert connection(ours).status_reason == "CREDENTIALS_UNREADABLE"
    change_connection(ours, credentials=kept[ours][:-2] + b"AA")
    with pytest.raises(VaultClosed, match="no key"):
        access_of(connection(ours))
    change_connection(ours, credentials=kept[ours])
    assert access_of(connection(ours)).external_id == "item-1"


def connected_elsewhere(actor, bank, login_id: str) -> str:
    """Connect a login whose account is no other's."""
    flow = open_flow(actor)
    bank.add_login(login_id, Login(accounts=[checking(f"acc-{login_id}", name=login_id)]))
    bank.finish(token_of(flow), login_id)
    complete(actor, flow.connection_id)
    run_waiting_jobs()
    return flow.connection_id


def test_a_flows_address_does_not_open_in_another_flow(cast, bank):
    one, other = open_flow(cast.alice), open_flow(cast.alice)
    kept = sealed(HostedFlow, HostedFlow.secrets)
    with unit_of_work():
        moved = sa.update(HostedFlow).where(HostedFlow.id == one.flow_id)
        db.session.execute(moved.values(secrets=kept[other.flow_id]))
    with pytest.raises(VaultClosed):
        address_of(cast.alice, one.flow_id)
    assert address_of(cast.alice, other.flow_id) == other.url


def test_rotation_reseals_everything_and_the_old_key_may_go(cast, bank, keys, monkeypatch):
    monkeypatch.setattr(limits, "RESEALED_PER_TRANSACTION", 1)
    held = connected(cast.alice, bank).id
    flow = open_flow(cast.alice)
    enter_scope(cast.other_id)
    theirs = connected_elsewhere(cast.charlie, bank, "item-2")
    enter_scope(cast.acme_id)
    keys(NEW_KEY, CREDENTIAL_KEY)
    assert rotate_credentials() == Rotated(3, 0)
    keys(NEW_KEY)
    assert access_of(connection(held)).external_id == "item-1"
    assert address_of(cast.alice, flow.flow_id) == flow.url
    enter_scope(cast.other_id)
    assert access_of(get_owned(FinancialConnection, theirs)).external_id == "item-2"
    enter_scope(cast.acme_id)


def test_the_command_counts_what_a_lost_key_keeps_shut(app, cast, bank, keys):
    held = connected(cast.alice, bank).id
    lost = Fernet(Fernet.generate_key()).encrypt(b"{}")
    other = connected_elsewhere(cast.alice, bank, "item-2")
    change_connection(other, credentials=lost)
    keys(NEW_KEY, CREDENTIAL_KEY)
    result = app.test_cli_runner().invoke(args=["rotate-credentials"])
    assert result.exit_code != 0
    assert json.loads(result.stdout.splitlines()[0]) == {"resealed": 1, "unreadable": 1}
    assert credentials()[other] == lost
    keys(NEW_KEY)
    assert access_of(connection(held)).external_id == "item-1"


def test_rotation_while_a_sync_runs_disturbs_neither(cast, bank, keys):
    held = connected(cast.alice, bank).id
    bank.logins["item-1"].log.append(row("t1"))
    sync(cast.alice, held)
    keys(NEW_KEY, CREDENTIAL_KEY)

    def rotate_meanwhile(call):
        if call == "sync_page":
            rotate_credentials()

    bank.before = rotate_meanwhile
    (run,) = run_waiting_jobs()
    assert (run.status, stored_ids()) == ("succeeded", ["t1"])
    keys(NEW_KEY)
    assert access_of(connection(held)).external_id == "item-1"


def test_what_is_written_during_the_rotation_is_not_overwritten(cast, bank, keys, monkeypatch):
    held = connected(cast.alice, bank).id
    keys(NEW_KEY, CREDENTIAL_KEY)
    found = rotation._batch
    monkeypatch.setattr(rotation, "_batch", lambda *args: erased(found(*args), held))
    rotate_credentials()
    assert connection(held).credentials is None


def erased(batch, held):
    change_connection(held, credentials=None)
    return batch
