"""the house"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


APPEND_ONLY = ("audit_event", "certification")


def make_append_only(table):
    """Refuse UPDATE and DELETE in the database itself."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse()"
    )


def release_append_only(table):
    if op.get_bind().dialect.name == "sqlite":
        return  # triggers go with their table
    op.execute(f"DROP FUNCTION {table}_refuse() CASCADE")


def upgrade():
    op.create_table(
        "organization",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("time_zone", sa.String(length=200), nullable=False),
        sa.Column("auto_match_threshold", sa.Integer(), nullable=False),
        sa.Column("review_threshold", sa.Integer(), nullable=False),
        sa.Column("sync_interval_hours", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "1 <= review_threshold AND review_threshold <= auto_match_threshold AND auto_match_threshold <= 100",
            name=op.f("ck_organization_thresholds_ordered"),
        ),
        sa.CheckConstraint(
            "sync_interval_hours BETWEEN 1 AND 168",
            name=op.f("ck_organization_sync_interval_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
    )
    op.create_table(
        "person",
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
    )
    op.create_table(
        "webhook_receipt",
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("connection_id", sa.String(length=32), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_receipt")),
        sa.UniqueConstraint("provider", "digest", name=op.f("uq_webhook_receipt_provider_digest")),
    )
    op.create_table(
        "audit_event",
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_user_id", sa.String(length=32), nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("via", sa.String(length=20), nullable=False),
        sa.Column("ip_address", sa.String(length=45), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject_type", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column(
            "before", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column(
            "after", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_audit_event_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
        sa.UniqueConstraint(
            "organization_id", "sequence", name=op.f("uq_audit_event_organization_id_sequence")
        ),
    )
    with op.batch_alter_table("audit_event", schema=None) as batch_op:
        batch_op.create_index(
            "ix_audit_event_actor", ["organization_id", "actor_user_id", "sequence"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_audit_event_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(
            "ix_audit_event_subject",
            ["organization_id", "subject_type", "subject_id", "sequence"],
            unique=False,
        )

    op.create_table(
        "audit_head",
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_audit_head_organization_id")
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_audit_head")),
    )
    with op.batch_alter_table("audit_head", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_audit_head_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "connector_request",
        sa.Column("institution_name", sa.String(length=200), nullable=False),
        sa.Column("account_description", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=32), nullable=False),
        sa.Column("created_by_name", sa.String(length=200), nullable=False),
        sa.Column("answered_by_name", sa.String(length=200), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'configured', 'declined')",
            name=op.f("ck_connector_request_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_connector_request_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connector_request")),
    )
    with op.batch_alter_table("connector_request", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_connector_request_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "financial_connection",
        sa.Column("path", sa.String(length=20), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("institution_external_id", sa.String(length=200), nullable=False),
        sa.Column("institution_name", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("status_reason", sa.String(length=60), nullable=False),
        sa.Column("access_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("new_accounts_available", sa.Boolean(), nullable=False),
        sa.Column("status_changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("credentials", sa.LargeBinary(), nullable=True),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column(
            "settings", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("last_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("successfully_aggregated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refresh_available_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refresh_wanted", sa.Boolean(), nullable=False),
        sa.Column("next_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures_count", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(length=32), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("access_removed", sa.Boolean(), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "path IN ('standard', 'manual_upload', 'non_standard')",
            name=op.f("ck_financial_connection_path_known"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'in_progress', 'active', 'partially_active', 'reconnect_required', 'reconnect_available', 'degraded', 'expired', 'deleted')",
            name=op.f("ck_financial_connection_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_financial_connection_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_financial_connection")),
    )
    with op.batch_alter_table("financial_connection", schema=None) as batch_op:
        batch_op.create_index("ix_financial_connection_due", ["next_sync_at"], unique=False)
        batch_op.create_index(
            "ix_financial_connection_external", ["provider", "external_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_financial_connection_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "gl_account",
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "type IN ('asset', 'liability', 'equity', 'income', 'expense')",
            name=op.f("ck_gl_account_type_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_gl_account_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gl_account")),
        sa.UniqueConstraint(
            "organization_id", "number", name=op.f("uq_gl_account_organization_id_number")
        ),
    )
    with op.batch_alter_table("gl_account", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_gl_account_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "job_run",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("progress_percent", sa.Integer(), nullable=False),
        sa.Column("progress_text", sa.Text(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column(
            "result", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("actor_user_id", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'failed')",
            name=op.f("ck_job_run_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_job_run_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
    )
    with op.batch_alter_table("job_run", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_job_run_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(
            "ix_job_run_subject", ["organization_id", "kind", "subject_id", "id"], unique=False
        )
        batch_op.create_index("ix_job_run_waiting", ["status", "available_at"], unique=False)
        batch_op.create_index(
            "uq_job_run_active",
            ["organization_id", "kind", "subject_id"],
            unique=True,
            sqlite_where=sa.text("status IN ('queued', 'running')"),
            postgresql_where=sa.text("status IN ('queued', 'running')"),
        )

    op.create_table(
        "journal_entry",
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("reverses_id", sa.String(length=32), nullable=True),
        sa.Column("created_by", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "source IN ('manual', 'adjustment', 'import')",
            name=op.f("ck_journal_entry_source_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_journal_entry_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["journal_entry.id"], name=op.f("fk_journal_entry_reverses_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_entry")),
        sa.UniqueConstraint(
            "organization_id", "number", name=op.f("uq_journal_entry_organization_id_number")
        ),
        sa.UniqueConstraint(
            "organization_id",
            "reverses_id",
            name=op.f("uq_journal_entry_organization_id_reverses_id"),
        ),
    )
    with op.batch_alter_table("journal_entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_journal_entry_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(
            "ix_journal_entry_sequence", ["organization_id", "sequence"], unique=False
        )

    op.create_table(
        "ledger_import",
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("rows_count", sa.Integer(), nullable=False),
        sa.Column("created_count", sa.Integer(), nullable=False),
        sa.Column("updated_count", sa.Integer(), nullable=False),
        sa.Column("unchanged_count", sa.Integer(), nullable=False),
        sa.Column("first_date", sa.Date(), nullable=True),
        sa.Column("last_date", sa.Date(), nullable=True),
        sa.Column(
            "totals", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column(
            "warnings", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("created_by", sa.String(length=32), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "state IN ('previewed', 'importing', 'imported', 'discarded')",
            name=op.f("ck_ledger_import_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_ledger_import_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_import")),
    )
    with op.batch_alter_table("ledger_import", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_ledger_import_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "matching_rule",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column(
            "conditions", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_matching_rule_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matching_rule")),
    )
    with op.batch_alter_table("matching_rule", schema=None) as batch_op:
        batch_op.create_index(
            "ix_matching_rule_order", ["organization_id", "position"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_matching_rule_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "membership",
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=200), nullable=False),
        sa.Column("bank_connections", sa.Boolean(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "role IN ('admin', 'controller', 'accountant', 'viewer')",
            name=op.f("ck_membership_role_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_membership_organization_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_membership_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint(
            "organization_id", "user_id", name=op.f("uq_membership_organization_id_user_id")
        ),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_membership_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_membership_user_id"), ["user_id"], unique=False)

    op.create_table(
        "connection_event",
        sa.Column("connection_id", sa.String(length=32), nullable=False),
        sa.Column("from_status", sa.String(length=24), nullable=False),
        sa.Column("to_status", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["financial_connection.id"],
            name=op.f("fk_connection_event_connection_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_connection_event_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection_event")),
    )
    with op.batch_alter_table("connection_event", schema=None) as batch_op:
        batch_op.create_index(
            "ix_connection_event_history", ["organization_id", "connection_id", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_connection_event_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "gl_entry",
        sa.Column("gl_account_id", sa.String(length=32), nullable=False),
        sa.Column("journal_entry_id", sa.String(length=32), nullable=True),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("counterparty", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["gl_account_id"], ["gl_account.id"], name=op.f("fk_gl_entry_gl_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["journal_entry_id"], ["journal_entry.id"], name=op.f("fk_gl_entry_journal_entry_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_gl_entry_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gl_entry")),
        sa.UniqueConstraint(
            "organization_id", "external_id", name=op.f("uq_gl_entry_organization_id_external_id")
        ),
    )
    with op.batch_alter_table("gl_entry", schema=None) as batch_op:
        batch_op.create_index(
            "ix_gl_entry_account_date", ["organization_id", "gl_account_id", "date"], unique=False
        )
        batch_op.create_index("ix_gl_entry_date", ["organization_id", "date", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_gl_entry_journal_entry_id"), ["journal_entry_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_gl_entry_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "hosted_flow",
        sa.Column("connection_id", sa.String(length=32), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("add_accounts", sa.Boolean(), nullable=False),
        sa.Column("progress", sa.String(length=12), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened", sa.Boolean(), nullable=False),
        sa.Column("next_poll_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exit_code", sa.String(length=60), nullable=False),
        sa.Column("exchange_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint("mode IN ('create', 'update')", name=op.f("ck_hosted_flow_mode_known")),
        sa.CheckConstraint(
            "progress IN ('open', 'exchanging', 'finished', 'expired', 'replaced', 'refused')",
            name=op.f("ck_hosted_flow_progress_known"),
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["financial_connection.id"],
            name=op.f("fk_hosted_flow_connection_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_hosted_flow_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hosted_flow")),
    )
    with op.batch_alter_table("hosted_flow", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_hosted_flow_connection_id"), ["connection_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_hosted_flow_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index("ix_hosted_flow_poll", ["progress", "next_poll_at"], unique=False)
        batch_op.create_index("ix_hosted_flow_token", ["token_digest"], unique=False)

    op.create_table(
        "ledger_bank_account",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("gl_account_id", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("opening_balance_minor", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["gl_account_id"], ["gl_account.id"], name=op.f("fk_ledger_bank_account_gl_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_ledger_bank_account_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_bank_account")),
        sa.UniqueConstraint(
            "organization_id",
            "gl_account_id",
            name=op.f("uq_ledger_bank_account_organization_id_gl_account_id"),
        ),
        sa.UniqueConstraint(
            "organization_id", "name", name=op.f("uq_ledger_bank_account_organization_id_name")
        ),
    )
    with op.batch_alter_table("ledger_bank_account", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_ledger_bank_account_gl_account_id"), ["gl_account_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_ledger_bank_account_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "financial_account",
        sa.Column("connection_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("mask", sa.String(length=8), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("subtype", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("persistent_id", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("status_reason", sa.String(length=60), nullable=False),
        sa.Column("current_balance_minor", sa.BigInteger(), nullable=True),
        sa.Column("available_balance_minor", sa.BigInteger(), nullable=True),
        sa.Column("balance_date", sa.Date(), nullable=True),
        sa.Column("covered_until", sa.Date(), nullable=True),
        sa.Column("ledger_bank_account_id", sa.String(length=32), nullable=True),
        sa.Column(
            "csv_mapping", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True
        ),
        sa.Column("file_account", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "status IN ('active', 'failing', 'not_shared', 'closed', 'unsupported', 'duplicate')",
            name=op.f("ck_financial_account_status_known"),
        ),
        sa.CheckConstraint(
            "type IN ('checking', 'savings', 'card', 'line_of_credit', 'other')",
            name=op.f("ck_financial_account_type_known"),
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["financial_connection.id"],
            name=op.f("fk_financial_account_connection_id"),
        ),
        sa.ForeignKeyConstraint(
            ["ledger_bank_account_id"],
            ["ledger_bank_account.id"],
            name=op.f("fk_financial_account_ledger_bank_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_financial_account_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_financial_account")),
        sa.UniqueConstraint(
            "organization_id",
            "ledger_bank_account_id",
            name=op.f("uq_financial_account_organization_id_ledger_bank_account_id"),
        ),
    )
    with op.batch_alter_table("financial_account", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_financial_account_connection_id"), ["connection_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_financial_account_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(
            "uq_financial_account_external",
            ["organization_id", "connection_id", "external_id"],
            unique=True,
            sqlite_where=sa.text("external_id <> ''"),
            postgresql_where=sa.text("external_id <> ''"),
        )

    op.create_table(
        "reconciliation",
        sa.Column("ledger_bank_account_id", sa.String(length=32), nullable=False),
        sa.Column("ending_date", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("opening_balance_minor", sa.BigInteger(), nullable=False),
        sa.Column("ending_balance_minor", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("auto_match_threshold", sa.Integer(), nullable=False),
        sa.Column("review_threshold", sa.Integer(), nullable=False),
        sa.Column("model_version", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened_by", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "status IN ('open', 'certified')", name=op.f("ck_reconciliation_status_known")
        ),
        sa.ForeignKeyConstraint(
            ["ledger_bank_account_id"],
            ["ledger_bank_account.id"],
            name=op.f("fk_reconciliation_ledger_bank_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_reconciliation_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation")),
        sa.UniqueConstraint(
            "organization_id",
            "ledger_bank_account_id",
            "ending_date",
            name=op.f("uq_reconciliation_organization_id_ledger_bank_account_id_ending_date"),
        ),
    )
    with op.batch_alter_table("reconciliation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_reconciliation_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(
            "uq_reconciliation_open",
            ["organization_id", "ledger_bank_account_id"],
            unique=True,
            sqlite_where=sa.text("status = 'open'"),
            postgresql_where=sa.text("status = 'open'"),
        )

    op.create_table(
        "certification",
        sa.Column("reconciliation_id", sa.String(length=32), nullable=False),
        sa.Column("certified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("certified_by", sa.String(length=32), nullable=False),
        sa.Column("certified_by_name", sa.String(length=200), nullable=False),
        sa.Column(
            "document", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("remarks", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_certification_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"],
            ["reconciliation.id"],
            name=op.f("fk_certification_reconciliation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certification")),
        sa.UniqueConstraint(
            "organization_id",
            "reconciliation_id",
            name=op.f("uq_certification_organization_id_reconciliation_id"),
        ),
    )
    with op.batch_alter_table("certification", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_certification_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "match",
        sa.Column("reconciliation_id", sa.String(length=32), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column(
            "contributions",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            nullable=False,
        ),
        sa.Column("rivals_count", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.String(length=32), nullable=True),
        sa.Column("adjustment_id", sa.String(length=32), nullable=True),
        sa.Column("flag", sa.Text(), nullable=False),
        sa.Column("bank_total_minor", sa.BigInteger(), nullable=False),
        sa.Column("gl_total_minor", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "origin IN ('rule', 'ai', 'manual')", name=op.f("ck_match_origin_known")
        ),
        sa.CheckConstraint(
            "state IN ('suggested', 'matched', 'rejected', 'unmatched')",
            name=op.f("ck_match_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["adjustment_id"], ["journal_entry.id"], name=op.f("fk_match_adjustment_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_match_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"], ["reconciliation.id"], name=op.f("fk_match_reconciliation_id")
        ),
        sa.ForeignKeyConstraint(["rule_id"], ["matching_rule.id"], name=op.f("fk_match_rule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match")),
    )
    with op.batch_alter_table("match", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_match_adjustment_id"), ["adjustment_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_match_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(
            "ix_match_reconciliation_state",
            ["organization_id", "reconciliation_id", "state"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_match_rule_id"), ["rule_id"], unique=False)

    op.create_table(
        "upload",
        sa.Column("financial_account_id", sa.String(length=32), nullable=False),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("format", sa.String(length=20), nullable=False),
        sa.Column(
            "mapping", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True
        ),
        sa.Column("file_account", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("rows_count", sa.Integer(), nullable=False),
        sa.Column("new_count", sa.Integer(), nullable=False),
        sa.Column("duplicate_count", sa.Integer(), nullable=False),
        sa.Column("left_out_count", sa.Integer(), nullable=False),
        sa.Column("rejected_count", sa.Integer(), nullable=False),
        sa.Column("first_date", sa.Date(), nullable=True),
        sa.Column("last_date", sa.Date(), nullable=True),
        sa.Column("covers_until", sa.Date(), nullable=True),
        sa.Column(
            "preview", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("import_probable", sa.Boolean(), nullable=False),
        sa.Column(
            "findings", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("created_by", sa.String(length=32), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "state IN ('previewed', 'importing', 'imported', 'refused', 'discarded')",
            name=op.f("ck_upload_state_known"),
        ),
        sa.CheckConstraint(
            "rows_count = new_count + duplicate_count + left_out_count + rejected_count",
            name=op.f("ck_upload_rows_add_up"),
        ),
        sa.ForeignKeyConstraint(
            ["financial_account_id"],
            ["financial_account.id"],
            name=op.f("fk_upload_financial_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_upload_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    with op.batch_alter_table("upload", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_upload_financial_account_id"), ["financial_account_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_upload_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "financial_transaction",
        sa.Column("financial_account_id", sa.String(length=32), nullable=False),
        sa.Column("posted_date", sa.Date(), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("counterparty", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("source_key", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("former_external_id", sa.String(length=200), nullable=True),
        sa.Column("replaced_by_id", sa.String(length=32), nullable=True),
        sa.Column("upload_id", sa.String(length=32), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'posted', 'removed')",
            name=op.f("ck_financial_transaction_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["financial_account_id"],
            ["financial_account.id"],
            name=op.f("fk_financial_transaction_financial_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_financial_transaction_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["upload.id"], name=op.f("fk_financial_transaction_upload_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_financial_transaction")),
        sa.UniqueConstraint(
            "organization_id",
            "financial_account_id",
            "source_key",
            name=op.f("uq_financial_transaction_organization_id_financial_account_id_source_key"),
        ),
    )
    with op.batch_alter_table("financial_transaction", schema=None) as batch_op:
        batch_op.create_index(
            "ix_financial_transaction_account_date",
            ["organization_id", "financial_account_id", "posted_date"],
            unique=False,
        )
        batch_op.create_index(
            "ix_financial_transaction_date", ["organization_id", "posted_date", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_financial_transaction_organization_id"),
            ["organization_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_financial_transaction_upload_id"), ["upload_id"], unique=False
        )
        batch_op.create_index(
            "uq_financial_transaction_external",
            ["organization_id", "financial_account_id", "external_id"],
            unique=True,
            sqlite_where=sa.text("external_id IS NOT NULL"),
            postgresql_where=sa.text("external_id IS NOT NULL"),
        )

    op.create_table(
        "bank_change",
        sa.Column("financial_transaction_id", sa.String(length=32), nullable=False),
        sa.Column("reconciliation_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column(
            "before", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column(
            "after", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("carried_transaction_id", sa.String(length=32), nullable=True),
        sa.Column("settled_by_name", sa.String(length=200), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "kind IN ('modified', 'removed')", name=op.f("ck_bank_change_kind_known")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'acknowledged', 'carried', 'withdrawn')",
            name=op.f("ck_bank_change_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["financial_transaction_id"],
            ["financial_transaction.id"],
            name=op.f("fk_bank_change_financial_transaction_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_bank_change_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"],
            ["reconciliation.id"],
            name=op.f("fk_bank_change_reconciliation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_change")),
    )
    with op.batch_alter_table("bank_change", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_bank_change_financial_transaction_id"),
            ["financial_transaction_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_bank_change_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_bank_change_reconciliation_id"), ["reconciliation_id"], unique=False
        )
        batch_op.create_index("ix_bank_change_state", ["organization_id", "state"], unique=False)
        batch_op.create_index(
            "uq_bank_change_open",
            ["organization_id", "financial_transaction_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "match_item",
        sa.Column("match_id", sa.String(length=32), nullable=False),
        sa.Column("reconciliation_id", sa.String(length=32), nullable=False),
        sa.Column("financial_transaction_id", sa.String(length=32), nullable=True),
        sa.Column("gl_entry_id", sa.String(length=32), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column(
            "as_matched", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True
        ),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "(financial_transaction_id IS NULL) <> (gl_entry_id IS NULL)",
            name=op.f("ck_match_item_one_side"),
        ),
        sa.ForeignKeyConstraint(
            ["financial_transaction_id"],
            ["financial_transaction.id"],
            name=op.f("fk_match_item_financial_transaction_id"),
        ),
        sa.ForeignKeyConstraint(
            ["gl_entry_id"], ["gl_entry.id"], name=op.f("fk_match_item_gl_entry_id")
        ),
        sa.ForeignKeyConstraint(["match_id"], ["match.id"], name=op.f("fk_match_item_match_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_match_item_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"],
            ["reconciliation.id"],
            name=op.f("fk_match_item_reconciliation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_item")),
    )
    with op.batch_alter_table("match_item", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_match_item_financial_transaction_id"),
            ["financial_transaction_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_match_item_gl_entry_id"), ["gl_entry_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_match_item_match_id"), ["match_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_match_item_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_match_item_reconciliation_id"), ["reconciliation_id"], unique=False
        )
        batch_op.create_index(
            "uq_match_item_active_bank",
            ["organization_id", "financial_transaction_id"],
            unique=True,
            sqlite_where=sa.text("active"),
            postgresql_where=sa.text("active"),
        )
        batch_op.create_index(
            "uq_match_item_active_gl",
            ["organization_id", "gl_entry_id"],
            unique=True,
            sqlite_where=sa.text("active"),
            postgresql_where=sa.text("active"),
        )

    for table in APPEND_ONLY:
        make_append_only(table)


def downgrade():
    for table in APPEND_ONLY:
        release_append_only(table)
    with op.batch_alter_table("match_item", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_match_item_active_gl",
            sqlite_where=sa.text("active"),
            postgresql_where=sa.text("active"),
        )
        batch_op.drop_index(
            "uq_match_item_active_bank",
            sqlite_where=sa.text("active"),
            postgresql_where=sa.text("active"),
        )
        batch_op.drop_index(batch_op.f("ix_match_item_reconciliation_id"))
        batch_op.drop_index(batch_op.f("ix_match_item_organization_id"))
        batch_op.drop_index(batch_op.f("ix_match_item_match_id"))
        batch_op.drop_index(batch_op.f("ix_match_item_gl_entry_id"))
        batch_op.drop_index(batch_op.f("ix_match_item_financial_transaction_id"))

    op.drop_table("match_item")
    with op.batch_alter_table("bank_change", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_bank_change_open",
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
        batch_op.drop_index("ix_bank_change_state")
        batch_op.drop_index(batch_op.f("ix_bank_change_reconciliation_id"))
        batch_op.drop_index(batch_op.f("ix_bank_change_organization_id"))
        batch_op.drop_index(batch_op.f("ix_bank_change_financial_transaction_id"))

    op.drop_table("bank_change")
    with op.batch_alter_table("financial_transaction", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_financial_transaction_external",
            sqlite_where=sa.text("external_id IS NOT NULL"),
            postgresql_where=sa.text("external_id IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_financial_transaction_upload_id"))
        batch_op.drop_index(batch_op.f("ix_financial_transaction_organization_id"))
        batch_op.drop_index("ix_financial_transaction_date")
        batch_op.drop_index("ix_financial_transaction_account_date")

    op.drop_table("financial_transaction")
    with op.batch_alter_table("upload", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_upload_organization_id"))
        batch_op.drop_index(batch_op.f("ix_upload_financial_account_id"))

    op.drop_table("upload")
    with op.batch_alter_table("match", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_match_rule_id"))
        batch_op.drop_index("ix_match_reconciliation_state")
        batch_op.drop_index(batch_op.f("ix_match_organization_id"))
        batch_op.drop_index(batch_op.f("ix_match_adjustment_id"))

    op.drop_table("match")
    with op.batch_alter_table("certification", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_certification_organization_id"))

    op.drop_table("certification")
    with op.batch_alter_table("reconciliation", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_reconciliation_open",
            sqlite_where=sa.text("status = 'open'"),
            postgresql_where=sa.text("status = 'open'"),
        )
        batch_op.drop_index(batch_op.f("ix_reconciliation_organization_id"))

    op.drop_table("reconciliation")
    with op.batch_alter_table("financial_account", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_financial_account_external",
            sqlite_where=sa.text("external_id <> ''"),
            postgresql_where=sa.text("external_id <> ''"),
        )
        batch_op.drop_index(batch_op.f("ix_financial_account_organization_id"))
        batch_op.drop_index(batch_op.f("ix_financial_account_connection_id"))

    op.drop_table("financial_account")
    with op.batch_alter_table("ledger_bank_account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_bank_account_organization_id"))
        batch_op.drop_index(batch_op.f("ix_ledger_bank_account_gl_account_id"))

    op.drop_table("ledger_bank_account")
    with op.batch_alter_table("hosted_flow", schema=None) as batch_op:
        batch_op.drop_index("ix_hosted_flow_token")
        batch_op.drop_index("ix_hosted_flow_poll")
        batch_op.drop_index(batch_op.f("ix_hosted_flow_organization_id"))
        batch_op.drop_index(batch_op.f("ix_hosted_flow_connection_id"))

    op.drop_table("hosted_flow")
    with op.batch_alter_table("gl_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_gl_entry_organization_id"))
        batch_op.drop_index(batch_op.f("ix_gl_entry_journal_entry_id"))
        batch_op.drop_index("ix_gl_entry_date")
        batch_op.drop_index("ix_gl_entry_account_date")

    op.drop_table("gl_entry")
    with op.batch_alter_table("connection_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_connection_event_organization_id"))
        batch_op.drop_index("ix_connection_event_history")

    op.drop_table("connection_event")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_membership_user_id"))
        batch_op.drop_index(batch_op.f("ix_membership_organization_id"))

    op.drop_table("membership")
    with op.batch_alter_table("matching_rule", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_matching_rule_organization_id"))
        batch_op.drop_index("ix_matching_rule_order")

    op.drop_table("matching_rule")
    with op.batch_alter_table("ledger_import", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_import_organization_id"))

    op.drop_table("ledger_import")
    with op.batch_alter_table("journal_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_journal_entry_sequence")
        batch_op.drop_index(batch_op.f("ix_journal_entry_organization_id"))

    op.drop_table("journal_entry")
    with op.batch_alter_table("job_run", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_job_run_active",
            sqlite_where=sa.text("status IN ('queued', 'running')"),
            postgresql_where=sa.text("status IN ('queued', 'running')"),
        )
        batch_op.drop_index("ix_job_run_waiting")
        batch_op.drop_index("ix_job_run_subject")
        batch_op.drop_index(batch_op.f("ix_job_run_organization_id"))

    op.drop_table("job_run")
    with op.batch_alter_table("gl_account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_gl_account_organization_id"))

    op.drop_table("gl_account")
    with op.batch_alter_table("financial_connection", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_financial_connection_organization_id"))
        batch_op.drop_index("ix_financial_connection_external")
        batch_op.drop_index("ix_financial_connection_due")

    op.drop_table("financial_connection")
    with op.batch_alter_table("connector_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_connector_request_organization_id"))

    op.drop_table("connector_request")
    with op.batch_alter_table("audit_head", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_head_organization_id"))

    op.drop_table("audit_head")
    with op.batch_alter_table("audit_event", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_event_subject")
        batch_op.drop_index(batch_op.f("ix_audit_event_organization_id"))
        batch_op.drop_index("ix_audit_event_actor")

    op.drop_table("audit_event")
    op.drop_table("webhook_receipt")
    op.drop_table("person")
    op.drop_table("organization")
