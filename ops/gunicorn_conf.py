"""How the web server runs, under `make run` and in a container alike."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile

# Where the web processes count together (app/web/metrics.py).  Made before the application is
# imported, which looks for it once; only the process that made it takes it away.
_counts = tempfile.mkdtemp(prefix="tieout-metrics-")
_maker_pid = os.getpid()
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _counts


@atexit.register
def _forget_counts() -> None:
    if os.getpid() == _maker_pid:
        shutil.rmtree(_counts, ignore_errors=True)


# Imported once here, before the fork; each web process still makes an application of its own, so
# no connection is shared between them.
import app.factory  # noqa: E402, F401

bind = f"{os.environ.get('BIND') or '127.0.0.1'}:{os.environ.get('PORT') or '5000'}"
worker_class = "sync"
workers = (os.cpu_count() or 1) + 1
timeout = 60
graceful_timeout = 4  # shorter than the supervisor's patience, so requests end before the kill
loglevel = "warning"  # the application writes one JSON line per request by itself
control_socket_disable = True  # nothing here speaks to it


def post_worker_init(worker: object) -> None:  # noqa: ARG001  # gunicorn's signature
    """Keep the loaded application out of every garbage collection: a third of the slowest times."""
    gc.collect()
    gc.freeze()
