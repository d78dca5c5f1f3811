"""Back up while it is written to, restore elsewhere: the books agree and nothing is half done."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import tarfile
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.factory import create_app
from app.instance import restore as restoring
from app.instance.archive import MANIFEST
from app.kernel.instance import LOCK_FILE_NAME, lock
from app.ledger.accounts import create_gl_account
from app.models import AuditEvent, GlAccount, db
from app.tenancy.scope import organization_scope, owned
from tests.conftest import LonelyClient, make_settings

SECRETS = "SECRET_KEY=kept\nCREDENTIAL_KEYS=kept too\n"


@pytest.fixture
def embedded(app, cast):
    """The application on SQLite, where there is an instance to back up; a file in its inbox."""
    if db.engine.dialect.name != "sqlite":
        pytest.fail("use it in a test of SQLite alone")
    settings = app.extensions["settings"]
    settings.connectors.inbox_path.mkdir(exist_ok=True)
    (settings.connectors.inbox_path / "acme").mkdir()
    (settings.connectors.inbox_path / "acme" / "october.csv").write_text("Date,Amount\n")
    (settings.instance_path / "secrets.env").write_text(SECRETS)
    return app


def command(app, *words):
    if db.session().is_active:
        db.session.rollback()
    with app.app_context():  # else it would take the one that is pushed already
        return app.test_cli_runner().invoke(args=[str(word) for word in words])


@pytest.fixture
def elsewhere(app, redis_url, tmp_path, monkeypatch):
    """An application whose instance is in an empty folder."""
    monkeypatch.setattr("app.factory.configure_logs", lambda _level: None)
    folder = tmp_path / "elsewhere"
    settings = make_settings(f"sqlite:///{folder}/tieout.sqlite3", redis_url, folder)
    other = create_app(settings)
    other.test_client_class = LonelyClient
    yield other
    with other.app_context():
        db.session.remove()
        db.engine.dispose()


only_sqlite = pytest.mark.parametrize("prepared_app", ["sqlite"], indirect=True)


@only_sqlite
def test_a_backup_under_write_load_is_restored_elsewhere_and_the_books_agree(
    embedded, cast, elsewhere, tmp_path
):
    file = tmp_path / "backup.tieout"
    begun, enough = threading.Event(), threading.Event()

    def write_on():
        with embedded.app_context(), organization_scope(cast.acme_id):
            for number in range(1, 10_000):
                create_gl_account(
                    cast.carol, number=str(number), name="x", type="asset", currency="USD"
                )
                if number == 5:
                    begun.set()
                if enough.is_set():
                    return

    writer = threading.Thread(target=write_on)
    writer.start()
    assert begun.wait(30)
    answer = command(embedded, "backup", file)
    enough.set()
    writer.join()
    assert answer.exit_code == 0, answer.output
    assert file.stat().st_mode & 0o777 == 0o600
    assert not [each for each in tmp_path.iterdir() if each.name.startswith(".")]

    restored = command(elsewhere, "restore", file)
    assert restored.exit_code == 0, restored.output
    folder = elsewhere.extensions["settings"].instance_path
    assert (folder / "secrets.env").read_text() == SECRETS
    assert (folder / "inbox" / "acme" / "october.csv").read_text() == "Date,Amount\n"
    assert not list(folder.glob(".restore-*"))
    with elsewhere.app_context():
        verified = command(elsewhere, "verify-audit")
        assert verified.stdout.count("intact") == 2
        with organization_scope(cast.acme_id):
            accounts = len(db.session.scalars(owned(GlAccount)).all())
            told = owned(AuditEvent).where(AuditEvent.subject_type == "gl_account")
            assert accounts == len(db.session.scalars(told).all()) >= 5
        client = elsewhere.test_client()
        assert client.get("/readyz").json["checks"]["migrations"] == "ok"


@pytest.mark.parametrize("prepared_app", ["postgresql"], indirect=True)
def test_a_server_has_tools_of_its_own(app, tmp_path):
    for words in (("backup", tmp_path / "b"), ("restore", tmp_path / "b")):
        answer = command(app, *words)
        assert (answer.exit_code, answer.stdout) == (2, "")
        assert answer.stderr.count("\n") == 1
        for word in ("pg_dump", "SECRET_KEY", "CREDENTIAL_KEYS", "inbox"):
            assert word in answer.stderr
    assert not (tmp_path / "b").exists()


@only_sqlite
def test_restoring_refuses_a_taken_place_and_a_running_instance(embedded, cast, tmp_path):
    file = tmp_path / "backup"
    assert command(embedded, "backup", file).exit_code == 0
    again = command(embedded, "backup", file)
    assert (again.exit_code, "exists already" in again.stderr) == (2, True)
    settings = embedded.extensions["settings"]
    db.session.remove()
    db.engine.dispose()
    before = Path(settings.database_url.removeprefix("sqlite:///")).read_bytes()
    taken = command(embedded, "restore", file)
    assert (taken.exit_code, "--replace" in taken.stderr) == (2, True)
    db.session.execute(sa.text("SELECT 1"))  # somebody has it open
    running = embedded.test_cli_runner().invoke(args=["restore", str(file), "--replace"])
    assert (running.exit_code, "stop it" in running.stderr) == (2, True)
    db.session.remove()
    db.engine.dispose()
    descriptor = os.open(settings.instance_path / LOCK_FILE_NAME, os.O_RDWR | os.O_CREAT)
    assert lock(descriptor)
    started = command(embedded, "restore", file, "--replace")
    assert (started.exit_code, "stop it" in started.stderr) == (2, True)
    os.close(descriptor)
    assert Path(settings.database_url.removeprefix("sqlite:///")).read_bytes() == before


@only_sqlite
def test_replacing_keeps_what_was_there_and_a_failing_move_takes_all_back(
    embedded, cast, tmp_path, monkeypatch
):
    file = tmp_path / "backup"
    assert command(embedded, "backup", file).exit_code == 0
    create_gl_account(cast.carol, number="1", name="later", type="asset", currency="USD")
    settings = embedded.extensions["settings"]
    database = Path(settings.database_url.removeprefix("sqlite:///"))
    moves = 0
    for failing in range(1, 9):
        db.session.remove()
        db.engine.dispose()
        move, moves = restoring.shutil.move, 0

        def failing_move(source, target, failing=failing, move=move):
            nonlocal moves
            moves += 1
            if moves == failing:
                raise PermissionError(13, "Permission denied", str(source))
            move(source, target)

        with monkeypatch.context() as patched:
            patched.setattr(restoring.shutil, "move", failing_move)
            answer = command(embedded, "restore", file, "--replace")
        if answer.exit_code == 0:
            break
        assert "everything is as it was" in answer.stderr
        assert (settings.instance_path / "secrets.env").read_text() == SECRETS
        assert (settings.connectors.inbox_path / "acme" / "october.csv").exists()
        assert [a.name for a in db.session.scalars(owned(GlAccount))] == ["later"]
    assert failing > 4
    aside = Path(json.loads(answer.stdout)["moved_aside_to"])
    assert db.session.scalars(owned(GlAccount)).all() == []
    with sqlite3.connect(aside / database.name) as kept:
        assert kept.execute("SELECT name FROM gl_account").fetchall() == [("later",)]


def repacked(file: Path, change) -> Path:
    """Write the archive again, each member as `change` returns it."""
    altered = file.with_name("altered")
    with tarfile.open(file) as old, tarfile.open(altered, "w:gz") as new:
        for member in old:
            for name, content in change(member.name, old.extractfile(member).read()):
                fresh = tarfile.TarInfo(name)
                fresh.size = len(content)
                new.addfile(fresh, io.BytesIO(content))
    return altered


def newer(name, content):
    if name == MANIFEST:
        return [(name, content.replace(b'"schema_revision": "', b'"schema_revision": "9'))]
    return [(name, content)]


@only_sqlite
def test_an_unsound_file_replaces_nothing(embedded, cast, elsewhere, tmp_path):
    file = tmp_path / "backup"
    assert command(embedded, "backup", file).exit_code == 0
    whole = file.read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text").write_text("not an archive")
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    (tmp_path / "flipped").write_bytes(flipped)
    unsound = [tmp_path / name for name in ("cut", "text", "flipped", "missing")]
    changes = (
        newer,
        lambda n, c: [(n, c + b" " if n == "secrets.env" else c)],
        lambda n, c: [] if n == "secrets.env" else [(n, c)],
        lambda n, c: [(n, c), ("../evil", b"x")] if n == "secrets.env" else [(n, c)],
        lambda n, c: [] if n == MANIFEST else [(n, c)],
    )
    for number, change in enumerate(changes):
        altered = repacked(file, change)
        unsound.append(altered.rename(tmp_path / f"altered-{number}"))
    folder = elsewhere.extensions["settings"].instance_path
    for each in unsound:
        answer = command(elsewhere, "restore", each)
        assert (answer.exit_code, answer.stdout) == (2, ""), each
        assert answer.stderr.count("\n") == 1
        assert {path.name for path in folder.iterdir()} <= {LOCK_FILE_NAME, "inbox"}, each
    assert not (tmp_path / "evil").exists()
    sound = command(elsewhere, "restore", file)
    assert sound.exit_code == 0, sound.output


@only_sqlite
def test_secrets_that_the_environment_sets_are_named(app, cast, tmp_path):
    (app.extensions["settings"].instance_path / "secrets.env").unlink(missing_ok=True)
    answer = command(app, "backup", tmp_path / "b")
    assert answer.exit_code == 0
    assert answer.stderr.startswith("Keep SECRET_KEY and CREDENTIAL_KEYS beside it")
