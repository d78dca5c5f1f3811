"""Bank files from a watched folder, through the same services as everything else."""

import os

import pytest

from app.connections.deletion import delete_connection
from app.connectors.inbox import InboxFile
from app.jobs import runs
from app.kernel import limits
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.models import ConnectionEvent, JobKind, Upload, db
from app.models.session import unit_of_work
from app.tenancy.scope import organization_scope, owned
from tests.bank_files import STATEMENT, bai2_file, csv_file, october
from tests.inbox_world import connected, connection, lines, look, names_in, put
from workers.jobs import perform


@pytest.fixture
def connection_id(cast):
    return connected(cast.alice, folder="operating")


@pytest.fixture
def folder(app, cast, connection_id):
    return app.extensions["settings"].connectors.inbox_path / cast.acme_id / "operating"


def test_a_new_folder_is_an_active_connection_that_waits_for_files(cast, connection_id, folder):
    held = connection(connection_id)
    assert (held.status, held.path, held.provider) == ("active", "non_standard", "folder")
    assert held.settings == {"folder": "operating"}
    assert names_in(folder) == {"processed", "failed"}


def test_a_file_becomes_transactions_and_is_put_with_the_processed_ones(
    cast, connection_id, folder
):
    put(folder, "october.csv", csv_file())
    run = look(cast.alice, connection_id)
    assert run.progress_text == "1 file taken, 5 new transactions."
    assert len(lines(connection_id)) == len(STATEMENT)
    assert names_in(folder / "processed") == {"october.csv", "october.csv.done"}
    assert look(cast.alice, connection_id).progress_text == "0 files taken, 0 new transactions."


def test_one_bad_file_stops_no_other(cast, connection_id, folder, monkeypatch):
    monkeypatch.setattr(limits, "UPLOAD_BYTES_MAX", 10_000)
    first, *rest = STATEMENT
    put(folder, "1-huge.csv", b"x" * 10_001)
    put(folder, "2-bad.bai", bai2_file({"4417": STATEMENT}, off_by=5))
    put(folder, "3-good.csv", csv_file([first]))
    put(folder, "4-empty.csv", b"")
    os.mkfifo(folder / "5-pipe.csv")
    put(folder, "6-good.csv", csv_file(rest))
    run = look(cast.alice, connection_id)
    assert run.progress_text == "2 files taken, 5 new transactions, 3 refused."
    assert len(lines(connection_id)) == len(STATEMENT)
    failed = {name for name in names_in(folder / "failed") if not name.endswith(".done")}
    assert failed == {
        f"{name}{ending}"
        for name in ("1-huge.csv", "2-bad.bai", "4-empty.csv")
        for ending in ("", ".reason.txt")
    }
    reason = (folder / "failed" / "2-bad.bai.reason.txt").read_text()
    assert "total" in reason
    told = [event.sentence for event in db.session.scalars(owned(ConnectionEvent))]
    assert sum("was put aside as failed" in sentence for sentence in told) == 3


def test_a_file_that_cannot_be_moved_degrades_and_is_imported_once_all_the_same(
    cast, connection_id, folder
):
    (folder / "processed").rmdir()
    (folder / "processed").write_text("a file in the place of the folder")
    put(folder, "1.csv", csv_file(STATEMENT[:3]))
    put(folder, "2.csv", csv_file(STATEMENT[3:]))
    for _ in range(2):
        run = look(cast.alice, connection_id)
        assert "2 left for the next look: “1.csv” cannot be moved" in run.progress_text
        held = connection(connection_id)
        assert (held.status, held.status_reason) == ("degraded", "FILE_NOT_MOVED")
        assert len(lines(connection_id)) == len(STATEMENT)
    (folder / "processed").unlink()
    look(cast.alice, connection_id)
    assert connection(connection_id).status == "active"
    assert {"1.csv", "2.csv"} <= names_in(folder / "processed")
    assert len(lines(connection_id)) == len(STATEMENT)


def test_a_worker_that_dies_between_import_and_move_imports_once(
    cast, connection_id, folder, monkeypatch
):
    put(folder, "october.csv", csv_file())

    def die(_file):
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(InboxFile, "accept", die)
        with pytest.raises(KeyboardInterrupt):
            look(cast.alice, connection_id)
    assert len(lines(connection_id)) == len(STATEMENT)
    assert "october.csv" in names_in(folder)
    db.session.rollback()
    with unit_of_work():
        run = runs.latest_run(JobKind.SYNC, connection_id)
        run.lease_until = run.created_at  # nobody renews it any more
    perform(run.id)
    db.session.rollback()
    assert names_in(folder) == {"processed", "failed"}
    assert len(lines(connection_id)) == len(STATEMENT)
    assert len(db.session.scalars(owned(Upload)).all()) == 1


def test_the_same_content_under_another_name_adds_nothing(cast, connection_id, folder):
    put(folder, "october.csv", csv_file())
    put(folder, "october-again.csv", csv_file())
    assert look(cast.alice, connection_id).progress_text == "2 files taken, 5 new transactions."
    put(folder, "october.csv", csv_file([*STATEMENT, october(31, "INTEREST", 12)]))
    assert look(cast.alice, connection_id).progress_text == "1 file taken, 1 new transactions."
    assert len(names_in(folder / "processed")) == 6


def test_a_folder_that_is_gone_degrades_and_says_whom_to_ask(cast, connection_id, folder):
    for path in (folder / "processed", folder / "failed", folder):
        path.rmdir()
    run = look(cast.alice, connection_id)
    assert "not there any more" in run.failure
    assert connection(connection_id).status == "degraded"


def test_another_organization_with_the_same_name_has_its_own_folder(
    app, cast, connection_id, folder
):
    put(folder, "october.csv", csv_file())
    with organization_scope(cast.other_id):
        theirs = connected(cast.charlie, folder="operating")
        assert look(cast.charlie, theirs).progress_text.startswith("0 files")
    assert "october.csv" in names_in(folder)


def test_one_folder_is_not_connected_twice(cast, connection_id):
    with pytest.raises(Conflict, match="connected with these settings already"):
        connected(cast.alice, folder="operating")
    delete_connection(cast.alice, connection_id)
    assert connected(cast.alice, folder="operating") != connection_id


@pytest.mark.parametrize("name", ["../other", "a/b", ".."])
def test_a_path_is_refused_at_its_field(cast, name):
    with pytest.raises(Invalid) as refused:
        connected(cast.alice, folder=name)
    assert list(refused.value.fields) == ["folder"]


def test_who_lacks_the_permission_makes_no_folder(app, cast):
    with pytest.raises(Forbidden):
        connected(cast.bob, folder="bobs")
    inbox = app.extensions["settings"].connectors.inbox_path
    assert not (inbox / cast.acme_id / "bobs").exists()


def test_deleting_leaves_the_files_and_has_no_access_to_end(cast, connection_id, folder):
    put(folder, "october.csv", csv_file())
    assert delete_connection(cast.alice, connection_id).access_removed
    assert "october.csv" in names_in(folder)
