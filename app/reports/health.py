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

from app.kernel.clock import utc_now
from app.models import JobRun, JobStatus, db
from app.tenancy.scope import ALL_ORGANIZATIONS

METRICS_CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


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


def metrics() -> bytes:
    """Return Prometheus text: job runs by kind and status, and the longest wait."""
    registry = CollectorRegistry()
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
    return generate_latest(registry)
