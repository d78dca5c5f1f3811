"""The second wall between organizations: every ORM SELECT, UPDATE and DELETE is narrowed.

The first wall is explicit: services query through `owned()`.  This one holds when somebody
forgets: the criterion is added by an event, and outside any scope nothing is found.  Only
a statement that carries `ALL_ORGANIZATIONS` is let through unnarrowed, and only sign-in,
the ticker and the commands do that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria

from app.kernel.errors import NotFound
from app.models import OrganizationOwned, db

ALL_ORGANIZATIONS: Final = {"all_organizations": True}

_NOBODY: Final = ""
_current: ContextVar[str] = ContextVar("organization_id", default=_NOBODY)

Owned = TypeVar("Owned", bound=OrganizationOwned)


@contextmanager
def organization_scope(organization_id: str) -> Iterator[None]:
    """See one organization's rows, and no other's, until the block ends."""
    token = _current.set(organization_id)
    try:
        yield
    finally:
        _current.reset(token)


def enter_scope(organization_id: str) -> None:
    """See one organization's rows for the rest of this request."""
    _current.set(organization_id)


def leave_scope() -> None:
    _current.set(_NOBODY)


def current_organization_id() -> str:
    organization_id = _current.get()
    assert organization_id != _NOBODY, "no organization in scope"
    return organization_id


def owned(model: type[Owned]) -> sa.Select[Owned]:
    """Return `SELECT model` narrowed to the organization in scope."""
    return sa.select(model).where(model.organization_id == current_organization_id())


def get_owned(model: type[Owned], entity_id: str, *, lock: bool = False) -> Owned:
    """Return one row by id.

    Raises:
        NotFound: It does not exist or is another organization's; the two look the same.
    """
    statement = owned(model).where(model.id == entity_id)  # type: ignore[attr-defined]
    if lock:
        statement = statement.with_for_update()
    row = db.session.scalar(statement)
    if row is None:
        raise NotFound
    return row


def insert_owned(model: type[OrganizationOwned], rows: list[Mapping[str, Any]]) -> None:
    """Insert many rows in one statement, each stamped with the organization in scope."""
    if not rows:
        return
    organization_id = current_organization_id()
    table = sa.inspect(model).local_table  # Core: the ORM's bookkeeping doubles the time
    db.session.execute(
        sa.insert(table), [{**row, "organization_id": organization_id} for row in rows]
    )


def _narrow(state: ORMExecuteState) -> None:
    if state.execution_options.get("all_organizations") or not (
        state.is_select or state.is_update or state.is_delete
    ):
        return
    organization_id = _current.get()
    state.statement = state.statement.options(
        with_loader_criteria(
            OrganizationOwned,
            lambda model: model.organization_id == organization_id,
            include_aliases=True,
        )
    )


def _stamp(session: Session, _context: UOWTransaction, _instances: object) -> None:
    for row in session.new:
        if isinstance(row, OrganizationOwned):
            scope = _current.get()
            stamped: str | None = row.organization_id  # None until somebody says it
            if stamped is None:
                row.organization_id = current_organization_id()
            else:
                assert scope in (_NOBODY, stamped), "a row of another organization"


def install_tenant_wall() -> None:
    """Attach both listeners to every session of the process; repeating it is harmless."""
    if not event.contains(Session, "do_orm_execute", _narrow):
        event.listen(Session, "do_orm_execute", _narrow)
        event.listen(Session, "before_flush", _stamp)
