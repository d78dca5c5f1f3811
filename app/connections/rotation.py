"""Encrypt everything sealed anew with the newest key, while the application goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from app.kernel import limits
from app.models import FinancialConnection, HostedFlow, SecondFactor, db
from app.models.session import rows_changed, unit_of_work
from app.tenancy.scope import ALL_ORGANIZATIONS
from app.tenancy.vault import VaultClosed, reseal

_Model = type[FinancialConnection] | type[HostedFlow] | type[SecondFactor]
_Column = InstrumentedAttribute[bytes | None] | InstrumentedAttribute[bytes]
_SEALED: Final[tuple[tuple[_Model, _Column], ...]] = (
    (FinancialConnection, FinancialConnection.credentials),
    (HostedFlow, HostedFlow.secrets),
    (SecondFactor, SecondFactor.secret),
)


@dataclass(frozen=True, slots=True)
class Rotated:
    """How many sealed values were encrypted anew, and how many no known key opens."""

    resealed_count: int
    unreadable_count: int


def rotate_credentials() -> Rotated:
    """Go through all organizations in short transactions.

    A value that is written by somebody else at the same moment is left to them: they seal
    with the newest key as well.
    """
    resealed = unreadable = 0
    for model, column in _SEALED:
        last_id = ""
        while batch := _batch(model, column, last_id):
            with unit_of_work():
                for row_id, sealed in batch:
                    done = _rotate_one(model, column, row_id, sealed)
                    resealed += done
                    unreadable += not done
            last_id = batch[-1][0]
    return Rotated(resealed, unreadable)


def _batch(
    model: _Model,
    column: _Column,
    after_id: str,
) -> list[tuple[str, bytes]]:
    rows = db.session.execute(
        sa.select(model.id, column)
        .where(model.id > after_id, column.is_not(None))
        .order_by(model.id)
        .limit(limits.RESEALED_PER_TRANSACTION),
        execution_options=ALL_ORGANIZATIONS,
    ).all()
    db.session.rollback()
    return [(row_id, sealed) for row_id, sealed in rows if sealed is not None]


def _rotate_one(
    model: _Model,
    column: _Column,
    row_id: str,
    sealed: bytes,
) -> bool:
    try:
        fresh = reseal(sealed)
    except VaultClosed:
        return False
    rows_changed(
        sa.update(model)
        .where(model.id == row_id, column == sealed)
        .values({column.key: fresh})
        .execution_options(**ALL_ORGANIZATIONS)
    )
    return True
