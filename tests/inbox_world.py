"""What tests of file connectors do: put files, look, and see what the account holds."""

from app.connections.accounts import AddManualAccount
from app.connections.nonstandard import ConnectThrough, connect_through
from app.connections.source_accounts import accounts_of
from app.jobs import runs
from app.models import FinancialConnection, JobKind, db
from app.models.session import unit_of_work
from app.tenancy.scope import get_owned
from tests.bank_world import stored_lines
from tests.books import run_waiting_jobs

OPERATING = AddManualAccount("Puget Harbor Bank", "Operating", "4417", "checking", "USD")


def connected(actor, connector="folder", **settings):
    """Set a connector up, look once, and return the connection's id."""
    command = ConnectThrough(connector, "Puget Harbor Bank", settings, OPERATING)
    connection_id = connect_through(actor, command)
    run_waiting_jobs()
    return connection_id


def connection(connection_id):
    db.session.rollback()
    return get_owned(FinancialConnection, connection_id)


def put(folder, name, content):
    (folder / name).write_bytes(content)
    (folder / f"{name}.done").touch()


def look(actor, connection_id):
    """Run one sync and return the run."""
    with unit_of_work() as work:
        runs.request_run(work, actor, JobKind.SYNC, connection_id)
    (run,) = (run for run in run_waiting_jobs() if run.kind == JobKind.SYNC)
    return run


def lines(connection_id):
    return stored_lines(accounts_of(connection_id)[0].id)


def names_in(folder):
    return {path.name for path in folder.iterdir()} - {".clock"}
