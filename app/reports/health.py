"""Is everything there that a request needs, and what waits?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.jobs.doorbell import QUEUE_NAME
from app.kernel.clock import utc_now
from app.models import (
    ConnectionPath,
    ConnectionStatus,
    FinancialConnection,
    JobRun,
    JobStatus,
    db,
)
from app.tenancy.scope import ALL_ORGANIZATIONS

METRICS_CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_SYNCED: Final = frozenset(
    {
        ConnectionStatus.ACTIVE,
        ConnectionStatus.PARTIALLY_ACTIVE,
        ConnectionStatus.RECONNECT_AVAILABLE,
        ConnectionStatus.DEGRADED,
    }
)
"""Those that nobody has to sign in for, so that an old read is ours to explain."""


@dataclass(frozen=True, slots=True)
class Readiness:
    checks: dict[str, str]
    """`ok` or what is wrong, by part."""

    @property
    def ready(self) -> bool:
        return all(state == "ok" for state in self.checks.values())


def readiness(redis: Redis) -> Readiness:
    """Try the database, Redis and the migrations."""
    return Readiness({"database": _database(), "redis": _redis(redis), "migrations": _migrations()})


def _database() -> str:
    try:
        db.session.execute(sa.text("SELECT 1"))
    except SQLAlchemyError as error:
        return f"does not answer ({type(error).__name__})"
    return "ok"


def _redis(redis: Redis) -> str:
    try:
        redis.ping()
    except RedisError as error:
        return f"does not answer ({type(error).__name__})"
    return "ok"


def _migrations() -> str:
    try:
        current = MigrationContext.configure(db.session.connection()).get_current_revision()
    except SQLAlchemyError as error:
        return f"cannot be read ({type(error).__name__})"
    newest = _newest_revision(current_app.extensions["migrate"].directory)
    if current is None:
        return "none applied; run: flask --app wsgi db upgrade"
    return "ok" if current == newest else f"at {current}, the newest is {newest}"


@cache
def _newest_revision(directory: str) -> str | None:
    return ScriptDirectory(directory).get_current_head()


def figures(redis: Redis) -> bytes:
    """Return Prometheus text: job runs, the queue, and how old the bank data is."""
    registry = CollectorRegistry()
    _figures_of_runs(registry)
    _figure_of_the_queue(registry, redis)
    _figures_of_connections(registry)
    return generate_latest(registry)


def _figures_of_runs(registry: CollectorRegistry) -> None:
    runs = Gauge("tieout_job_runs", "Job runs", ["kind", "status"], registry=registry)
    wait = Gauge("tieout_job_wait_seconds", "Longest wait of a queued run", registry=registry)
    counts = sa.select(JobRun.kind, JobRun.status, sa.func.count()).group_by(
        JobRun.kind, JobRun.status
    )
    for kind, status, count in db.session.execute(counts, execution_options=ALL_ORGANIZATIONS):
        runs.labels(kind, status).set(count)
    oldest = db.session.scalar(
        sa.select(sa.func.min(JobRun.available_at)).where(JobRun.status == JobStatus.QUEUED),
        execution_options=ALL_ORGANIZATIONS,
    )
    wait.set(max(0.0, (utc_now() - oldest).total_seconds()) if oldest else 0.0)


def _figure_of_the_queue(registry: CollectorRegistry, redis: Redis) -> None:
    try:
        waiting = redis.llen(f"rq:queue:{QUEUE_NAME}")
    except RedisError:
        return  # no figure is truer than a zero; /readyz names the reason
    depth = Gauge("tieout_queue_depth", "Rings that no worker has heard yet", registry=registry)
    depth.set(float(waiting))


def _figures_of_connections(registry: CollectorRegistry) -> None:
    connections = Gauge(
        "tieout_connections", "Bank connections", ["provider", "status"], registry=registry
    )
    age = Gauge(
        "tieout_sync_age_seconds",
        "Time since the connection that waits longest was read whole",
        ["provider"],
        registry=registry,
    )
    columns = (FinancialConnection.provider, FinancialConnection.status)
    rows = db.session.execute(
        sa.select(*columns, sa.func.count(), sa.func.min(FinancialConnection.last_read_at))
        .where(
            FinancialConnection.path != ConnectionPath.MANUAL_UPLOAD,
            FinancialConnection.status != ConnectionStatus.DELETED,
        )
        .group_by(*columns),
        execution_options=ALL_ORGANIZATIONS,
    )
    oldest: dict[str, float] = {}
    for provider, status, count, last_read_at in rows:
        connections.labels(provider, status).set(count)
        if last_read_at is not None and status in _SYNCED:
            seconds = max(0.0, (utc_now() - last_read_at).total_seconds())
            oldest[provider] = max(seconds, oldest.get(provider, 0.0))
    for provider, seconds in oldest.items():
        age.labels(provider).set(seconds)
