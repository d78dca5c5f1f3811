"""Which programs make up a running Tieout.  A new one is one more line in `background`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from ops.execution import Program

if TYPE_CHECKING:
    from ops.embedded_redis import EmbeddedRedis

JOB_WORKERS_COUNT: Final = 2
"""One long matching run must not keep a small upload waiting."""

PYTHON: Final = (sys.executable, "-m")
PREPARE: Final = Program("prepare", (*PYTHON, "ops.prepare"))
WEB: Final = Program("web", (*PYTHON, "gunicorn", "--config", "ops/gunicorn_conf.py", "wsgi:app"))


def embedded_redis(server: EmbeddedRedis) -> Program:
    return Program("redis", server.command)


def background() -> tuple[Program, ...]:
    """Return what works behind the web server."""
    workers = (
        Program(f"worker-{number}", (*PYTHON, "workers.run"))
        for number in range(1, JOB_WORKERS_COUNT + 1)
    )
    return (*workers, Program("ticker", (*PYTHON, "workers.schedule")))
