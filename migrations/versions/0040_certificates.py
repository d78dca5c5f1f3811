"""certificates in versions, reopenings, a second person's review, the period lock"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0070"
branch_labels = None
depends_on = None

APPEND_ONLY = ("reopening", "period_lock")


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


def on_sqlite():
    return op.get_bind().dialect.name == "sqlite"


def release_append_only(table):
    if not on_sqlite():  # there triggers go with their table
        op.execute(f"DROP FUNCTION {table}_refuse() CASCADE")


def owned(name):
    """Return the columns and constraints that every table of an organization begins with."""
    return (
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f(f"fk_{name}_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )


def tied(name, column, target):
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{name}_{column}"))


def upgrade():
    with op.batch_alter_table("certification") as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("prepared_by", sa.String(length=32), nullable=True))
        batch_op.add_column(
            sa.Column("prepared_by_name", sa.String(length=200), nullable=False, server_default="")
        )
        batch_op.drop_constraint(
            "uq_certification_organization_id_reconciliation_id", type_="unique"
        )
        batch_op.create_unique_constraint(
            op.f("uq_certification_organization_id_reconciliation_id_version"),
            ["organization_id", "reconciliation_id", "version"],
        )
    if on_sqlite():  # the table was made anew, without its triggers
        make_append_only("certification")
    op.add_column("reconciliation", sa.Column("review_id", sa.String(length=32), nullable=True))
    op.add_column(
        "organization",
        sa.Column("second_review", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "certification_review",
        sa.Column("reconciliation_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prepared_by", sa.String(length=32), nullable=False),
        sa.Column("prepared_by_name", sa.String(length=200), nullable=False),
        sa.Column("remarks", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_name", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        *owned("certification_review"),
        tied("certification_review", "reconciliation_id", "reconciliation"),
        sa.CheckConstraint(
            "state IN ('waiting', 'approved', 'returned', 'withdrawn')",
            name=op.f("ck_certification_review_state_known"),
        ),
    )
    op.create_table(
        "reopening",
        sa.Column("reconciliation_id", sa.String(length=32), nullable=False),
        sa.Column("certification_id", sa.String(length=32), nullable=False),
        sa.Column("reopened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reopened_by", sa.String(length=32), nullable=False),
        sa.Column("reopened_by_name", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        *owned("reopening"),
        tied("reopening", "reconciliation_id", "reconciliation"),
        tied("reopening", "certification_id", "certification"),
        sa.UniqueConstraint(
            "organization_id",
            "certification_id",
            name=op.f("uq_reopening_organization_id_certification_id"),
        ),
    )
    op.create_table(
        "period_lock",
        sa.Column("locked_until", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.String(length=32), nullable=False),
        sa.Column("set_by_name", sa.String(length=200), nullable=False),
        *owned("period_lock"),
    )
    for table, columns in (
        ("certification_review", ("organization_id", "reconciliation_id")),
        ("reopening", ("organization_id", "reconciliation_id")),
        ("period_lock", ("organization_id",)),
    ):
        for column in columns:
            op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    op.create_index(
        "uq_certification_review_waiting",
        "certification_review",
        ["organization_id", "reconciliation_id"],
        unique=True,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    for table in APPEND_ONLY:
        make_append_only(table)


def downgrade():
    for table in APPEND_ONLY:
        release_append_only(table)
    for table in ("period_lock", "reopening", "certification_review"):
        op.drop_table(table)
    op.drop_column("organization", "second_review")
    op.drop_column("reconciliation", "review_id")
    with op.batch_alter_table("certification") as batch_op:
        batch_op.drop_constraint(
            "uq_certification_organization_id_reconciliation_id_version", type_="unique"
        )
        for column in ("version", "prepared_at", "prepared_by", "prepared_by_name"):
            batch_op.drop_column(column)
        batch_op.create_unique_constraint(
            "uq_certification_organization_id_reconciliation_id",
            ["organization_id", "reconciliation_id"],
        )
    if on_sqlite():
        make_append_only("certification")
