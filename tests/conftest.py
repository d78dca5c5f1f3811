"""Real servers, real migrations: every integration test runs on SQLite and on PostgreSQL.

The cast is always the same: Alice is admin of Acme, Carol its controller, Bob its
accountant, Viv only reads, and Charlie is admin of Other and a stranger to Acme.
"""

from __future__ import annotations

import contextvars
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from ipaddress import ip_network
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa
import structlog
from argon2 import PasswordHasher
from cryptography.fernet import Fernet
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from flask_migrate import upgrade
from xdist.remote import Producer

from app.aggregators.registry import Aggregators, Entry
from app.config import Environment, Settings
from app.connectors.contract import OperatorSettings
from app.connectors.registry import NAMES as CONNECTOR_NAMES
from app.factory import create_app
from app.kernel.clock import utc_now
from app.kernel.outbound import OutboundRules
from app.models import Role, db
from app.people.members import add_member
from app.people.organizations import create_organization
from app.people.sign_in import actor_of
from app.tenancy import passwords
from app.tenancy.actor import Actor
from app.tenancy.scope import enter_scope, leave_scope
from tests.beginnings import Beginnings, PostgresBeginnings, SqliteBeginnings
from tests.plaid_sandbox import PlaidSandbox
from tests.scheduling import ByFile
from tests.scripted_bank import ScriptedBank
from tests.servers import plaid_sandbox as run_plaid_sandbox
from tests.servers import postgres, redis

passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
# Without this a traceback would print the values of variables, and so would call for them.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
)
PASSWORD = "correct horse battery"
CREDENTIAL_KEY = Fernet.generate_key().decode()
# The same examples each time and no look at the clock: whoever changes nothing breaks nothing.
# `pytest --hypothesis-profile=search` looks for new ones.
hypothesis.settings.register_profile(
    "search", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile(
    "any_machine", hypothesis.settings.get_profile("search"), derandomize=True, database=None
)
hypothesis.settings.load_profile("any_machine")
MIGRATIONS = Path(__file__).parent.parent / "migrations"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


class LonelyClient(FlaskClient):
    """Makes each request as a server does: it shares no context with the test or another."""

    def open(self, *args, **kwargs):
        kwargs["buffered"] = True
        answer = contextvars.Context().run(super().open, *args, **kwargs)
        if has_app_context():
            db.session.rollback()  # what the test reads next is what the request left
        return answer


class Clock:
    """Takes the place of `datetime` in app.kernel.clock: time stands still until it is told."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self, zone: tzinfo) -> datetime:
        return self.at.astimezone(zone)

    def pass_by(self, **duration: float) -> None:
        self.at += timedelta(**duration)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(utc_now())
    monkeypatch.setattr("app.kernel.clock.datetime", clock)
    return clock


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with redis() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(scope="session")
def plaid_sandbox() -> Iterator[PlaidSandbox]:
    """A stand-in aggregator of its own process, spoken to as if it were the real one."""
    with run_plaid_sandbox() as running:
        yield running


@pytest.fixture(scope="session")
def sqlite_app(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("sqlite")
    file = folder / "tieout.sqlite3"
    settings = make_settings(f"sqlite:///{file}", redis_url, folder)
    yield from migrated(settings, lambda: SqliteBeginnings(file))


@pytest.fixture(scope="session")
def postgresql_app(
    tmp_path_factory: pytest.TempPathFactory, redis_url: str, postgres_url: str
) -> Iterator[Flask]:
    settings = make_settings(postgres_url, redis_url, tmp_path_factory.mktemp("postgresql"))
    yield from migrated(settings, lambda: PostgresBeginnings(postgres_url))


def migrated(settings: Settings, beginnings_of: Callable[[], Beginnings]) -> Iterator[Flask]:
    """Make an application whose database was built by the migrations."""
    app = create_app(settings)
    app.test_client_class = LonelyClient
    with app.app_context():
        upgrade(str(MIGRATIONS))
        let_go()
        beginnings = beginnings_of()
        beginnings.keep("empty")
        app.extensions |= {"beginnings": beginnings, "cast": make_cast()}
        let_go()
        beginnings.keep("cast")
    yield app
    with app.app_context():
        let_go()
    beginnings.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def prepared_app(request: pytest.FixtureRequest) -> Flask:
    """An application on each kind of database; both stay up, in whatever order tests ask."""
    return request.getfixturevalue(f"{request.param}_app")


def make_settings(database_url: str, redis_url: str, folder: Path) -> Settings:
    return Settings(
        environment=Environment.TEST,
        database_url=database_url,
        redis_url=redis_url,
        secret_key="only for tests, and long enough for that",
        credential_keys=(CREDENTIAL_KEY,),
        public_url="",
        instance_path=folder,
        operator_emails=("alice@acme.example",),
        trusted_proxies_count=0,
        log_level="WARNING",
        metrics_networks=(ip_network("127.0.0.0/8"),),
        connectors=OperatorSettings(
            inbox_path=folder / "inbox",
            outbound=OutboundRules((ip_network("127.0.0.0/8"),)),
            offered=CONNECTOR_NAMES,
        ),
    )


def let_go() -> None:
    """Leave the database alone: nothing open, nobody connected."""
    db.session.remove()
    db.engine.dispose()


@pytest.fixture
def app(prepared_app: Flask, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The application with its context pushed and a database that holds the cast or nothing."""
    with prepared_app.app_context():
        let_go()
        beginning = "cast" if "cast" in request.fixturenames else "empty"
        prepared_app.extensions["beginnings"].bring_back(beginning)
    prepared_app.extensions["redis"].flushall()
    inbox = prepared_app.extensions["settings"].connectors.inbox_path
    shutil.rmtree(inbox, ignore_errors=True)
    settings = dict(prepared_app.config)
    with prepared_app.app_context():
        yield prepared_app
        db.session.remove()
    prepared_app.config.update(settings)


@dataclass(frozen=True)
class Cast:
    """Who plays in the tests; actors of Acme, except Charlie."""

    acme_id: str
    other_id: str
    alice: Actor
    carol: Actor
    bob: Actor
    viv: Actor
    charlie: Actor


@pytest.fixture
def bank(app: Flask) -> Iterator[ScriptedBank]:
    """An aggregator in the test's own hands, in the place of the configured ones."""
    configured = app.extensions["aggregators"]
    scripted = ScriptedBank()
    entry = Entry(scripted.title, lambda: scripted)
    app.extensions["aggregators"] = Aggregators({scripted.name: entry})
    yield scripted
    app.extensions["aggregators"] = configured


@pytest.fixture
def cast(app: Flask) -> Iterator[Cast]:
    enter_scope(app.extensions["cast"].acme_id)
    yield app.extensions["cast"]
    leave_scope()


def make_cast() -> Cast:
    acme = create_organization(
        "Acme", admin_email="alice@acme.example", admin_password=PASSWORD, admin_name="Alice"
    )
    other = create_organization(
        "Other", admin_email="charlie@other.example", admin_password=PASSWORD, admin_name="Charlie"
    )
    alice = _actor(acme.user_id, acme.organization_id)
    enter_scope(acme.organization_id)
    for name, role in (
        ("Carol", Role.CONTROLLER),
        ("Bob", Role.ACCOUNTANT),
        ("Viv", Role.VIEWER),
    ):
        add_member(
            alice,
            email=f"{name.lower()}@acme.example",
            name=name,
            password=PASSWORD,
            role=role,
            bank_connections=role is Role.CONTROLLER,
        )
    users = dict(db.session.execute(sa.text("SELECT name, id FROM person")).all())
    made = Cast(
        acme.organization_id,
        other.organization_id,
        alice,
        *(_actor(users[name], acme.organization_id) for name in ("Carol", "Bob", "Viv")),
        _actor(other.user_id, other.organization_id),
    )
    leave_scope()
    return made


def _actor(user_id: str, organization_id: str) -> Actor:
    actor = actor_of(user_id, organization_id, via="web")
    assert actor is not None
    return actor


def sign_in(app: Flask, actor: Actor) -> FlaskClient:
    """Return a client signed in as this person (CSRF is tested by itself)."""
    client = app.test_client()
    app.config["WTF_CSRF_ENABLED"] = False
    answer = client.post("/sign-in", data={"email": actor.email, "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return client
