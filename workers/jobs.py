"""What a worker does with an id: claim, act as the person who asked, call one service, end."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Final

import structlog
from flask import Flask, current_app
from sqlalchemy.exc import OperationalError

from app.connections.completion import finish_flow
from app.connections.deletion import remove_access
from app.connections.imports import import_upload
from app.connections.syncing import sync_connection
from app.jobs import runs
from app.jobs.runs import Claim, LeaseLost
from app.kernel import limits
from app.kernel.errors import Refusal
from app.ledger.imports import run_import
from app.models import JobKind, db
from app.people.sign_in import actor_of
from app.reconciliation.matching_run import run_matching
from app.tenancy.actor import Actor
from app.tenancy.scope import organization_scope

_log = structlog.get_logger(__name__)

_EXIT_LEASE_LOST: Final = 75


_HANDLERS: Final[dict[JobKind, Callable[[Actor, Claim], object]]] = {
    JobKind.IMPORT_BANK_FILE: import_upload,
    JobKind.IMPORT_LEDGER_FILE: run_import,
    JobKind.MATCH: run_matching,
    JobKind.SYNC: sync_connection,
    JobKind.FINISH_FLOW: finish_flow,
    JobKind.REMOVE_ACCESS: remove_access,
}

_CRASHED: Final = (
    "Something went wrong on our side. Nothing was changed; try again, and if it fails again "
    "tell your operator the run {run_id}."
)


def perform(run_id: str) -> None:
    """Run one job; called by RQ with an application context pushed by `workers.run`."""
    held = runs.claim(run_id)
    if held is None:
        return  # somebody else has it, or it is done: rings may be doubled
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(
        job_id=run_id,
        job_kind=held.kind.value,
        organization_id=held.organization_id,
        request_id=held.request_id,
    )
    with _lease_kept(held), organization_scope(held.organization_id):
        _attempt(held)


def _attempt(held: Claim) -> None:
    _log.info("job_started", attempt=held.attempt)
    try:
        _HANDLERS[held.kind](_acting_person(held), held)
    except LeaseLost:
        _log.warning("job_taken_over")
    except Refusal as refusal:
        _log.info("job_refused", code=refusal.code)
        runs.fail(held, refusal.detail)
    except OperationalError as error:  # the database went away or was locked: that passes
        db.session.rollback()
        _log.warning("job_interrupted", reason=type(error).__name__)
        if not runs.try_again(held):
            runs.fail(held, _CRASHED.format(run_id=held.run_id))
    except Exception as error:  # noqa: BLE001 - a bug ends this job, never the worker
        _log.error("job_crashed", error=type(error).__name__, exc_info=error)
        runs.fail(held, _CRASHED.format(run_id=held.run_id))
    else:
        _log.info("job_finished")


def _acting_person(held: Claim) -> Actor:
    """Return the person who asked, with the permissions that they have now."""
    actor = actor_of(
        held.actor_user_id, held.organization_id, via="job", request_id=held.request_id
    )
    if actor is None:
        raise Refusal(
            "The person who asked for this no longer belongs to the organization; "
            "nothing was changed."
        )
    return actor


class _lease_kept:  # noqa: N801 - reads as a phrase in `with`
    """Renew the lease from a thread of its own; end the process once it is lost.

    Ending the process is the point: whatever the job is in the middle of, its open
    transaction dies with it, and the worker that holds the lease now goes on alone.
    """

    def __init__(self, held: Claim) -> None:
        self._held = held
        self._done = threading.Event()
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_exc: object) -> None:
        self._done.set()
        self._thread.join()

    def _renew(self) -> None:
        while not self._done.wait(limits.JOB_RENEW_SECONDS):
            with self._app.app_context():
                try:
                    kept = runs.renew(self._held)
                except OperationalError:
                    continue  # the lease still runs; the next round tries again
            if not kept and not self._done.is_set():
                os._exit(_EXIT_LEASE_LOST)
