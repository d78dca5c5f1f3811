"""A sandbox in this process, so that its tests can look inside and turn its clock."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from sandbox.settings import Settings
from sandbox.wsgi import create_app, stop
from tests.plaid_sandbox import TODAY, PlaidSandbox
from tests.sandbox_support import Receiver


@pytest.fixture(scope="session")
def sandbox_app(tmp_path_factory):
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    settings = Settings(
        tmp_path_factory.mktemp("sandbox"),
        "client",
        "secret",
        pace_seconds=0,
        retry_seconds=0.05,
        today=TODAY,
    )
    app = create_app(settings)
    yield app
    stop(app)


@pytest.fixture(scope="session")
def sandbox(sandbox_app) -> Iterator[PlaidSandbox]:
    server = make_server("127.0.0.1", 0, sandbox_app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield PlaidSandbox(f"http://127.0.0.1:{server.server_port}", "client", "secret")
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def world(sandbox_app):
    return sandbox_app.extensions["world"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running
