"""Which programs make up a running Tieout.  A new one is one more line in `background`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from ops.execution import Program

if TYPE_CHECKING:
    from ops.embedded_redis import EmbeddedRedis
    from ops.plaid_sandbox import PlaidSandbox

SANDBOX_THREADS_COUNT: Final = 8
JOB_WORKERS_COUNT: Final = 2
"""One long matching run must not keep a small upload waiting."""

PYTHON: Final = (sys.executable, "-m")
PREPARE: Final = Program("prepare", (*PYTHON, "ops.prepare"))
WEB: Final = Program("web", (*PYTHON, "gunicorn", "--config", "ops/gunicorn_conf.py", "wsgi:app"))


def embedded_redis(server: EmbeddedRedis) -> Program:
    return Program("redis", server.command)


def plaid_sandbox(sandbox: PlaidSandbox) -> Program:
    """Return the stand-in aggregator: one process, since it keeps its webhooks' queue."""
    options = {
        "--bind": f"127.0.0.1:{sandbox.port}",
        "--workers": "1",
        "--worker-class": "gthread",
        "--threads": str(SANDBOX_THREADS_COUNT),
        "--graceful-timeout": "2",
        "--log-level": "warning",
    }
    words = [word for option in options.items() for word in option]
    command = (*PYTHON, "gunicorn", *words, "--no-control-socket", "sandbox.wsgi:create_app()")
    return Program("sandbox", command)


def background() -> tuple[Program, ...]:
    """Return what works behind the web server."""
    workers = (
        Program(f"worker-{number}", (*PYTHON, "workers.run"))
        for number in range(1, JOB_WORKERS_COUNT + 1)
    )
    return (*workers, Program("ticker", (*PYTHON, "workers.schedule")))
