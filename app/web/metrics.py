"""Figures of the web server for Prometheus: requests by endpoint, and who may read them.

Each web process counts for itself.  Under gunicorn the counts lie in files of a folder that
all processes share (`ops/gunicorn_conf.py`), so whichever of them is asked answers for all.
Labels are endpoints and statuses, never paths: those have ids.
"""

from __future__ import annotations

import hmac
import os
from ipaddress import ip_address
from typing import Final

from flask import Request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from app.config import Settings

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER: Final = "other"
"""Stands for what callers make up, lest each invention becomes a series of its own."""
_BUCKETS_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_own = CollectorRegistry()
_requests: Final = Counter(
    "tieout_http_requests",
    "Answered requests",
    ["method", "endpoint", "status"],
    registry=_own,
)
_latency: Final = Histogram(
    "tieout_http_request_seconds",
    "Time from a request's arrival to its answer",
    ["endpoint"],
    buckets=_BUCKETS_SECONDS,
    registry=_own,
)


def count_request(method: str, endpoint: str | None, status: int, seconds: float) -> None:
    """Count one answered request.

    Args:
        endpoint: The route's name; None where no route fits the address.
    """
    known = endpoint or _OTHER
    _requests.labels(method if method in _METHODS else _OTHER, known, status).inc()
    _latency.labels(known).observe(seconds)


def request_figures() -> bytes:
    """Return Prometheus text of all web processes' counts."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(_own)
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return generate_latest(shared)


def may_read(settings: Settings, request: Request) -> bool:
    """Tell whether the caller has the operator's token, or calls from one of his networks."""
    sent = request.headers.get("Authorization", "")
    if settings.metrics_token and hmac.compare_digest(
        sent.encode(), f"Bearer {settings.metrics_token}".encode()
    ):
        return True
    try:
        caller = ip_address(request.remote_addr or "")
    except ValueError:  # a Unix socket has no address
        return False
    return any(caller in network for network in settings.metrics_networks)
