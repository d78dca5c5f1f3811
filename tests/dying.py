"""A worker process that dies in the middle of its job."""

import os

import sqlalchemy as sa

from app.models import db
from workers.jobs import perform

KILLED = 9


def perform_and_die_at(run_id: str, statement_number: int) -> bool:
    """Run the job in a child process that dies before its n-th statement; tell whether it did."""
    db.session.remove()
    db.engine.dispose()
    child = os.fork()
    if child == 0:
        seen = 0

        def die(*_args) -> None:
            nonlocal seen
            seen += 1
            if seen == statement_number:
                os._exit(KILLED)

        sa.event.listen(db.engine, "before_cursor_execute", die)
        perform(run_id)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == KILLED
