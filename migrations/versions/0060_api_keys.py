"""api keys and the calls that are answered once"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0060"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade():
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "api_key",
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("beginning", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("permissions", json, nullable=False),
        sa.Column("created_by_name", sa.String(length=200), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_api_key_organization_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_api_key_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_key_digest")),
    )
    op.create_index(op.f("ix_api_key_organization_id"), "api_key", ["organization_id"])
    op.create_index(op.f("ix_api_key_user_id"), "api_key", ["user_id"])
    op.create_table(
        "idempotent_call",
        sa.Column("api_key_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("headers", json, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_key.id"], name=op.f("fk_idempotent_call_api_key_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_idempotent_call_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotent_call")),
        sa.UniqueConstraint(
            "organization_id",
            "api_key_id",
            "key",
            name=op.f("uq_idempotent_call_organization_id_api_key_id_key"),
        ),
    )
    op.create_index(op.f("ix_idempotent_call_api_key_id"), "idempotent_call", ["api_key_id"])
    op.create_index(
        op.f("ix_idempotent_call_organization_id"), "idempotent_call", ["organization_id"]
    )
    op.create_index("ix_idempotent_call_created", "idempotent_call", ["created_at"])
    # A default, since SQLite would have to rebuild a table that others refer to.
    op.add_column(
        "gl_entry",
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default="1970-01-01 00:00:00",
        ),
    )
    op.execute("UPDATE gl_entry SET updated_at = created_at")
    op.create_index("ix_gl_entry_updated", "gl_entry", ["organization_id", "updated_at", "id"])
    op.create_index(
        "ix_financial_transaction_updated",
        "financial_transaction",
        ["organization_id", "updated_at", "id"],
    )


def downgrade():
    op.drop_index("ix_financial_transaction_updated", "financial_transaction")
    op.drop_index("ix_gl_entry_updated", "gl_entry")
    op.drop_column("gl_entry", "updated_at")
    op.drop_table("idempotent_call")
    op.drop_table("api_key")
