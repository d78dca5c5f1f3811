"""Bank files from an SFTP server, through the services: sealed, fetched, refused."""

import paramiko
import pytest

from app.connections.deletion import delete_connection
from app.connections.sources import access_of
from app.kernel.errors import Conflict, Invalid
from app.models import ConnectionEvent, db
from app.tenancy.scope import owned
from tests.bank_files import STATEMENT, bai2_file, csv_file
from tests.inbox_world import connected, connection, lines, look, names_in, put
from tests.sftp_server import PASSWORD, sftp_server


@pytest.fixture
def server(tmp_path):
    (tmp_path / "outgoing").mkdir()
    with sftp_server(tmp_path, [paramiko.ECDSAKey.generate()]) as running:
        yield running


@pytest.fixture
def folder(server):
    return server.root / "outgoing"


def settings(server, **changes):
    return {
        "host": "127.0.0.1",
        "port": str(server.port),
        "user": "acme",
        "directory": "/outgoing",
        "host_key": server.fingerprint(),
        "password": PASSWORD,
    } | changes


@pytest.fixture
def connection_id(cast, server):
    return connected(cast.alice, "sftp", **settings(server))


def test_what_opens_the_server_is_sealed_and_shown_nowhere(server, connection_id):
    held = connection(connection_id)
    assert held.status == "active"
    assert "password" not in held.settings
    assert PASSWORD not in f"{held.settings} {held.external_id}"
    assert PASSWORD.encode() not in held.credentials
    assert access_of(held).secrets["password"] == PASSWORD


def test_files_are_fetched_imported_and_moved_on_the_server(cast, connection_id, folder):
    put(folder, "1-bad.bai", bai2_file({"4417": STATEMENT}, off_by=5))
    put(folder, "2-good.csv", csv_file())
    run = look(cast.alice, connection_id)
    assert run.progress_text == "1 file taken, 5 new transactions, 1 refused."
    assert len(lines(connection_id)) == len(STATEMENT)
    assert names_in(folder) == {"processed", "failed"}
    assert "1-bad.bai.reason.txt" in names_in(folder / "failed")
    assert look(cast.alice, connection_id).progress_text == "0 files taken, 0 new transactions."


def test_a_server_that_shows_another_key_gets_no_password(cast, server, connection_id, folder):
    put(folder, "october.csv", csv_file())
    server.host_keys[:] = [paramiko.ECDSAKey.generate()]
    server.calls.clear()
    run = look(cast.alice, connection_id)
    assert "another host key" in run.failure
    held = connection(connection_id)
    assert (held.status, held.status_reason) == ("reconnect_required", "HOST_KEY_CHANGED")
    assert server.calls == []
    assert lines(connection_id) == []


def test_a_server_that_is_away_for_a_while_is_found_again(cast, server, connection_id, folder):
    put(folder, "october.csv", csv_file())
    right, server.wants = server.wants, ("publickey",)
    look(cast.alice, connection_id)
    assert connection(connection_id).status == "reconnect_required"
    server.wants = right
    look(cast.alice, connection_id)
    assert connection(connection_id).status == "active"
    assert len(lines(connection_id)) == len(STATEMENT)


def test_a_refused_setting_is_said_at_its_field_and_saves_nothing(cast, server):
    with pytest.raises(Invalid) as refused:
        connected(cast.alice, "sftp", **settings(server, password="wrong"))
    assert list(refused.value.fields) == ["password"]
    assert db.session.scalars(owned(ConnectionEvent)).all() == []


def test_one_folder_of_a_server_is_connected_once(cast, server, connection_id):
    with pytest.raises(Conflict):
        connected(cast.alice, "sftp", **settings(server))


def test_deleting_erases_the_password_and_says_that_the_user_stays(cast, connection_id):
    assert not delete_connection(cast.alice, connection_id).access_removed
    assert connection(connection_id).credentials is None
    told = [event.sentence for event in db.session.scalars(owned(ConnectionEvent))]
    assert any("still exists on the SFTP server" in sentence for sentence in told)
