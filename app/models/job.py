"""A piece of background work: the row is the truth, the queue only rings."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.clock import utc_now
from app.models.base import Base, Identified, OrganizationOwned, Text, one_of


class JobKind(StrEnum):
    IMPORT_BANK_FILE = "import_bank_file"
    IMPORT_LEDGER_FILE = "import_ledger_file"
    MATCH = "match"
    SYNC = "sync"
    FINISH_FLOW = "finish_flow"
    REMOVE_ACCESS = "remove_access"


class JobStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


_ACTIVE = sa.text("status IN ('queued', 'running')")


class JobRun(Identified, OrganizationOwned, Base):
    __tablename__ = "job_run"
    __table_args__ = (
        one_of("status", JobStatus),
        sa.Index(
            "uq_job_run_active",
            "organization_id",
            "kind",
            "subject_id",
            unique=True,
            sqlite_where=_ACTIVE,
            postgresql_where=_ACTIVE,
        ),
        sa.Index("ix_job_run_waiting", "status", "available_at"),
        sa.Index("ix_job_run_subject", "organization_id", "kind", "subject_id", "id"),
    )

    kind: Mapped[str] = mapped_column(sa.String(40))
    subject_id: Mapped[str] = mapped_column(sa.String(32))
    status: Mapped[str] = mapped_column(sa.String(20), default=JobStatus.QUEUED)
    fence: Mapped[int] = mapped_column(default=0)
    """Rises with every claim; a worker that lost its lease can no longer write."""
    lease_until: Mapped[datetime | None]
    available_at: Mapped[datetime] = mapped_column(default=utc_now)
    attempt: Mapped[int] = mapped_column(default=0)
    again: Mapped[bool] = mapped_column(default=False)
    """Asked for once more while it ran; another run follows when it ends."""
    progress_percent: Mapped[int] = mapped_column(default=0)
    progress_text: Mapped[Text]
    failure: Mapped[Text]
    """What happened, what was kept and what to do; empty unless the run failed."""
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What came of it, in counts; its shape is the kind's."""
    cause: Mapped[str] = mapped_column(sa.String(40), default="")
    actor_user_id: Mapped[str] = mapped_column(sa.String(32))
    """`SYSTEM_USER_ID` where nobody asked."""
    request_id: Mapped[str | None] = mapped_column(sa.String(64))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
