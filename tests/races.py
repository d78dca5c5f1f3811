"""Several processes do something at the same moment, each with its own connection."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Any

from flask import current_app

from app.models import db
from app.tenancy.scope import organization_scope
from tests.waiting import WAIT_SECONDS_MAX

_FORK = multiprocessing.get_context("fork")


def race(organization_id: str, *contestants: Callable[[], Any]) -> list[Any]:
    """Run all at once in processes of their own; return each one's value or exception's name."""
    db.session.remove()
    db.engine.dispose()
    barrier, outcomes = _FORK.Barrier(len(contestants)), _FORK.Queue()
    processes = [
        _FORK.Process(target=_run, args=(organization_id, number, contestant, barrier, outcomes))
        for number, contestant in enumerate(contestants)
    ]
    for process in processes:
        process.start()
    found = dict(outcomes.get(timeout=WAIT_SECONDS_MAX) for _ in processes)
    for process in processes:
        process.join(WAIT_SECONDS_MAX)
        assert process.exitcode == 0
    outcomes.close()
    outcomes.join_thread()
    return [found[number] for number in range(len(contestants))]


def _run(
    organization_id: str,
    number: int,
    contestant: Callable[[], Any],
    barrier: Barrier,
    outcomes: Queue[tuple[int, Any]],
) -> None:
    app = current_app._get_current_object()
    with app.app_context(), organization_scope(organization_id):
        barrier.wait(WAIT_SECONDS_MAX)
        try:
            outcome = contestant()
        except Exception as error:  # noqa: BLE001 - the loser's refusal is what we look at
            outcome = type(error).__name__
        finally:
            db.session.remove()
            db.engine.dispose()
        outcomes.put((number, outcome))
