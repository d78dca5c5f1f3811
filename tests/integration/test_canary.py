"""A secret planted wherever secrets are kept is found nowhere else."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
import structlog

from app.aggregators.contract import AggregatorError
from app.connections.completion import complete
from app.connections.deletion import delete_connection
from app.connections.hosted_flows import ProviderRefused, repair
from app.connections.refresh import refresh
from app.models import Base, FinancialConnection, HostedFlow, db
from app.tenancy.scope import owned
from tests.bank_logins import RETURN_URL, change_connection, connected, open_flow, token_of
from tests.books import run_waiting_jobs
from tests.conftest import sign_in
from tests.scripted_bank import row

TOKENS = ("canary-access", "public-link-", "link-01")
"""Of the scripted bank: access tokens, grants, and the tokens and addresses of its flows."""


@pytest.fixture
def logged(app):
    """Everything that is logged, at every level, as it would be written."""
    lines: list[str] = []

    def keep(_logger, _name, event):
        lines.append(repr(event))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.format_exc_info,
            keep,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        cache_logger_on_first_use=False,
    )
    yield lines
    structlog.configure(**before)


def everything_stored() -> str:
    db.session.rollback()
    with db.engine.connect() as connection:
        tables = Base.metadata.sorted_tables
        return "\n".join(
            repr(tuple(bytes(value) if isinstance(value, memoryview) else value for value in one))
            for table in tables
            for one in connection.execute(sa.text(f'SELECT * FROM "{table.name}"'))
        )


def in_redis(app) -> str:
    redis = app.extensions["redis"]
    return "\n".join(f"{key!r} {redis.dump(key)!r}" for key in redis.keys("*"))


def pages(app, actor, connection_id: str) -> str:
    client = sign_in(app, actor)
    paths = ("/connections", f"/connections/{connection_id}", "/audit")
    answers = [client.get(path, follow_redirects=True) for path in paths]
    assert {answer.status_code for answer in answers} == {200}
    return "\n".join(answer.text for answer in answers)


def assert_no_canary(*texts: str) -> None:
    for text in texts:
        for token in TOKENS:
            at = text.find(token)
            assert at < 0, text[max(0, at - 200) : at + 200]


def test_a_secret_is_found_nowhere_but_in_the_vault(app, cast, bank, logged):
    held_id = connected(cast.alice, bank, row("t1")).id
    refresh(cast.alice, held_id)
    run_waiting_jobs()
    visit = repair(cast.alice, held_id, RETURN_URL)
    waiting = open_flow(cast.alice)
    flows = db.session.scalars(owned(HostedFlow)).all()
    logins = db.session.scalars(owned(FinancialConnection)).all()
    assert_no_canary(repr([visit, waiting, bank.requests, flows, logins]))

    bank.before = crash
    with pytest.raises(ProviderRefused) as refused:
        complete(cast.alice, waiting.connection_id)
    refresh_again(cast, held_id)
    run_waiting_jobs()
    bank.before = lambda _call: None

    assert any("a bug in the adapter" in line for line in logged)
    assert_no_canary(
        everything_stored(),
        in_redis(app),
        "\n".join(logged),
        pages(app, cast.alice, held_id),
        repr(refused.value) + str(refused.value) + repr(refused.value.extra),
    )
    assert token_of(visit).startswith(TOKENS[-1])  # what is looked for would be recognized
    assert TOKENS[-1] in visit.url

    delete_connection(cast.alice, held_id)
    run_waiting_jobs()
    assert_no_canary(everything_stored(), in_redis(app), "\n".join(logged))


def refresh_again(cast, held_id: str) -> None:
    change_connection(held_id, refresh_available_at=None)
    refresh(cast.alice, held_id)


def crash(call: str) -> None:
    if call == "flow_result":
        raise AggregatorError("DOWN", "The aggregator is down.", permanent=False)
    if call == "sync_page":
        raise KeyError("a bug in the adapter")


def test_an_error_of_the_database_is_logged_without_what_was_to_be_written(
    cast, bank, logged, monkeypatch
):
    held_id = connected(cast.alice, bank, row("t1")).id
    bank.logins["item-1"].log.append(row("t1", description="canary-access of a bank line"))
    monkeypatch.setattr("app.connections.applying._known", lambda _keys: {})
    refresh(cast.alice, held_id)
    (run,) = run_waiting_jobs()
    assert run.status == "failed"
    assert any("IntegrityError" in line for line in logged)
    assert_no_canary("\n".join(logged), run.failure)
