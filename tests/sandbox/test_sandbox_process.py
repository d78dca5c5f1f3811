"""The sandbox as its own process: its settings, its memory over a restart, its background."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from plaid.model.country_code import CountryCode
from plaid.model.institutions_get_by_id_request import InstitutionsGetByIdRequest
from werkzeug.serving import make_server

from sandbox import clockwork, items, operations
from sandbox.settings import Settings
from sandbox.store import Store
from sandbox.wsgi import create_app, stop
from tests.plaid_sandbox import TODAY, PlaidSandbox
from tests.sandbox_support import FOUNDRY, connect, read_stream


@contextmanager
def running(folder, *, pace_seconds=0.0, today=TODAY):
    """Run a sandbox of this folder; yield it with its application."""
    settings = Settings(folder, "client", "secret", pace_seconds, 0.05, today)
    app = create_app(settings)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield PlaidSandbox(f"http://127.0.0.1:{server.server_port}", "client", "secret"), app
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        stop(app)


def test_the_official_sdk_finds_it_on_its_own_port(plaid_sandbox):
    request = InstitutionsGetByIdRequest(
        institution_id="ins_900201", country_codes=[CountryCode("US")]
    )
    with plaid_sandbox.sdk() as api:
        assert api.institutions_get_by_id(request).institution.name == "Puget Harbor Bank"


def test_settings_come_from_the_environment():
    environment = {
        "SANDBOX_FOLDER": "kept",
        "PLAID_CLIENT_ID": "a",
        "PLAID_SECRET": "b",
        "SANDBOX_PACE_SECONDS": "0.5",
        "SANDBOX_TODAY": "2026-11-20",
    }
    assert Settings.from_environment(environment) == Settings(
        Path("kept"), "a", "b", pace_seconds=0.5, today=dt.date(2026, 11, 20)
    )
    with pytest.raises(KeyError):
        Settings.from_environment({})


def test_items_cursors_and_keys_survive_a_restart(tmp_path):
    with running(tmp_path) as (sandbox, _):
        made = connect(sandbox, FOUNDRY)
        cursor = read_stream(sandbox, made.access_token)[-1]["next_cursor"]
        key_id = sandbox.control("POST", "/keys/rotate")["key_id"]
    with running(tmp_path) as (sandbox, _):
        (page,) = read_stream(sandbox, made.access_token, cursor=cursor)
        assert page["added"] == []
        key = sandbox.call("/webhook_verification_key/get", key_id=key_id)["key"]
        assert key["expired_at"] is None


def test_an_older_version_s_file_is_begun_anew(tmp_path):
    file = tmp_path / "sandbox.sqlite3"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE item (strange)")
    connection.close()
    store = Store(file)
    with store.reading() as db:
        assert items.everything(db) == []
    store.close()


def test_a_failed_write_leaves_nothing(tmp_path):
    store = Store(tmp_path / "sandbox.sqlite3")

    def write_and_fail():
        with store.writing() as db:
            db.execute("INSERT INTO signing_key VALUES ('a', 'b', 1, NULL)")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM signing_key").fetchone()[0] == 0
    store.close()


def test_first_transactions_come_stage_by_stage_and_are_announced(tmp_path, receiver):
    with running(tmp_path, pace_seconds=3_600) as (sandbox, app):
        made = connect(sandbox, FOUNDRY, webhook=receiver.url)

        def let_an_hour_pass():
            with app.extensions["world"].store.writing() as db:
                items.change(db, items.find(db, made.item_id), stage_due_at=0)

        page = sandbox.call("/transactions/sync", access_token=made.access_token)
        assert page["transactions_update_status"] == "NOT_READY"
        let_an_hour_pass()
        receiver.wait_for("INITIAL_UPDATE")
        assert receiver.wait_for("SYNC_UPDATES_AVAILABLE").content["initial_update_complete"]
        page = sandbox.call("/transactions/sync", access_token=made.access_token)
        assert page["transactions_update_status"] == "INITIAL_UPDATE_COMPLETE"
        let_an_hour_pass()
        receiver.wait_for("HISTORICAL_UPDATE")
        receiver.wait_for("SYNC_UPDATES_AVAILABLE", count=2)
        told = [w.content for w in receiver.received if w.code == "SYNC_UPDATES_AVAILABLE"]
        assert [t["historical_update_complete"] for t in told] == [False, True]
        assert len(read_stream(sandbox, made.access_token)[0]["added"]) > 100


def test_days_that_pass_on_the_calendar_are_told_without_being_asked(tmp_path, receiver):
    with running(tmp_path) as (sandbox, _):
        made = connect(sandbox, FOUNDRY, webhook=receiver.url)
    with running(tmp_path, today=TODAY + dt.timedelta(days=7)) as (sandbox, _):
        receiver.wait_for("DEFAULT_UPDATE")
        report = sandbox.control("GET", f"/items/{made.item_id}")
        assert report["bank_day"] == str(TODAY + dt.timedelta(days=7))


def test_a_bank_is_asked_again_some_hours_after_the_last_time(tmp_path):
    with running(tmp_path) as (sandbox, app):
        world = app.extensions["world"]
        made = connect(sandbox, FOUNDRY)
        long_ago = world.now() - operations.CONTACT_SECONDS - 60
        with world.store.writing() as db:
            items.change(db, items.find(db, made.item_id), last_success_at=long_ago)
        clockwork.catch_up_all(world)
        report = sandbox.control("GET", f"/items/{made.item_id}")
        assert report["last_success_at"] > long_ago + 60


def test_many_threads_share_the_memory(tmp_path):
    with running(tmp_path) as (sandbox, _):
        made = connect(sandbox, FOUNDRY, username="user_transactions_dynamic")
        answers = []

        def refresh_and_read():
            for _ in range(5):
                sandbox.call("/transactions/refresh", access_token=made.access_token)
                answers.append(sandbox.call("/item/get", access_token=made.access_token))

        threads = [threading.Thread(target=refresh_and_read) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 30
        assert all("error_code" not in answer for answer in answers)
        known = sandbox.control("GET", f"/items/{made.item_id}/transactions")["transactions"]
        posted = [row for row in known if row["date"] == str(TODAY) and not row["is_pending"]]
        assert len(posted) >= 29 * 3
