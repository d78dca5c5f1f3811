"""One RQ worker: forks a work-horse for each job.

The parent makes the application and imports what the jobs import, so that a fork costs
milliseconds; it never opens a database connection, and never runs numeric code, whose
threads would not survive the fork.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import structlog
from flask import Flask
from redis import Redis
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

import workers.jobs  # noqa: F401 - imported before the fork
from app.factory import create_app
from app.jobs.doorbell import QUEUE_NAME
from app.models import db


class TieoutWorker(Worker):
    """Runs each job inside an application context with connections of its own."""

    app: Flask

    def perform_job(self, job: Job, queue: Queue) -> bool:
        with self.app.app_context():
            db.engine.dispose(close=False)  # what the parent may hold belongs to the parent
            try:
                return super().perform_job(job, queue)
            finally:
                db.session.remove()


def main() -> None:
    app = create_app()
    # Made before the fork for what they import; they open no connection by themselves.
    tuple(app.extensions["aggregators"].values())
    # Not the application's client: its short timeouts would end a worker's long wait.
    connection = Redis.from_url(app.extensions["settings"].redis_url)
    queue = Queue(QUEUE_NAME, connection=connection, serializer=JSONSerializer)
    worker = TieoutWorker([queue], connection=connection, serializer=JSONSerializer)
    worker.app = app
    worker.log_job_description = False
    structlog.get_logger(__name__).info("worker_ready", queue=QUEUE_NAME)
    worker.work(logging_level="WARNING")


if __name__ == "__main__":
    main()
