"""What every table shares: ids, instants, JSON, the owning organization."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from app.kernel.clock import utc_now
from app.kernel.ids import new_id

_NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware instant; SQLite keeps it without its zone, which is always UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "an instant without a zone is a bug"
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
AmountMinor = Annotated[int, mapped_column(sa.BigInteger)]
Currency = Annotated[str, mapped_column(sa.String(3))]
Text = Annotated[str, mapped_column(sa.Text, default="")]


class Base(DeclarativeBase):
    metadata = sa.MetaData(naming_convention=_NAMING_CONVENTION)
    type_annotation_map: ClassVar = {
        datetime: UtcDateTime(),
        date: sa.Date(),
        dict[str, Any]: Json,
        list[Any]: Json,
        str: sa.String(200),
    }


class Identified:
    """An opaque id that sorts by age, and the instant of creation."""

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class OrganizationOwned:
    """Belongs to exactly one organization; `app.tenancy` adds the criterion to every SELECT."""

    @declared_attr
    def organization_id(cls) -> Mapped[str]:  # noqa: N805 - SQLAlchemy passes the class
        return mapped_column(sa.String(32), sa.ForeignKey("organization.id"), index=True)


def references(target: str, *, index: bool = True, **options: Any) -> Any:
    """Return a foreign key column to `table.id`."""
    return mapped_column(sa.String(32), sa.ForeignKey(target), index=index, **options)


def one_of(column: str, values: type) -> sa.CheckConstraint:
    """Return the constraint that keeps a state column to its enumeration."""
    listed = ", ".join(f"'{value}'" for value in values)  # type: ignore[attr-defined]
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


db = SQLAlchemy(metadata=Base.metadata, session_options={"autoflush": False})
