"""Tell the workers that a run waits.  A lost ring costs two seconds, never a job."""

from __future__ import annotations

from typing import Final

import structlog
from flask import current_app
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

QUEUE_NAME: Final = "tieout"
_ENTRY_POINT: Final = "workers.jobs.perform"
_RESULT_SECONDS: Final = 3_600
REDIS_TIMEOUTS: Final = {"socket_timeout": 2.0, "socket_connect_timeout": 2.0}

_log = structlog.get_logger(__name__)


def connect(redis_url: str) -> Redis:
    """Return a client whose calls give up after two seconds."""
    return Redis.from_url(redis_url, **REDIS_TIMEOUTS)


def ring(run_id: str) -> None:
    """Put the id, and nothing else, on the queue; without Redis the ticker does it later."""
    queue = Queue(QUEUE_NAME, connection=current_app.extensions["redis"], serializer=JSONSerializer)
    try:
        queue.enqueue(
            _ENTRY_POINT,
            run_id,
            description=run_id,
            result_ttl=_RESULT_SECONDS,
            failure_ttl=_RESULT_SECONDS,
            job_timeout=-1,  # the lease is the bound
        )
    except RedisError as error:
        _log.warning("doorbell_silent", run_id=run_id, reason=type(error).__name__)
