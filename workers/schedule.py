"""The ticker: rings again for runs that the queue lost; two of them do no harm."""

from __future__ import annotations

import signal
import threading
from itertools import count
from types import FrameType
from typing import Final

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.connections.schedule import do_what_is_due
from app.factory import create_app
from app.jobs import doorbell, runs
from app.jobs.pruning import prune_quiet_runs
from app.kernel.clock import utc_now
from app.models import db
from app.people.idempotency import prune_calls

TICK_SECONDS: Final = 1.0
TICKS_BETWEEN_PRUNINGS: Final = 3_600

_log = structlog.get_logger(__name__)


def tick() -> int:
    """Ask for what is due, ring for every waiting run, and return how many there were."""
    do_what_is_due(utc_now())
    waiting = runs.waiting_run_ids(utc_now())
    db.session.rollback()
    for run_id in waiting:
        doorbell.ring(run_id)
    return len(waiting)


def _tick_and_survive(app: Flask, number: int) -> None:
    with app.app_context():
        try:
            rung = tick()
            if number % TICKS_BETWEEN_PRUNINGS == 0:
                calls = prune_calls(utc_now())
                _log.info("pruned", runs=prune_quiet_runs(utc_now()), calls=calls)
        except SQLAlchemyError as error:
            _log.warning("tick_failed", reason=type(error).__name__)
        else:
            if rung:
                _log.info("rang_again", runs=rung)


def main() -> None:
    app = create_app()
    stop = threading.Event()

    def _stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    _log.info("ticker_ready")
    for number in count():
        if stop.wait(TICK_SECONDS):
            return
        _tick_and_survive(app, number)


if __name__ == "__main__":
    main()
