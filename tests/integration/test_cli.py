"""The commands, as programs call them: exit status, standard output, standard error."""

import csv
import json
from decimal import Decimal

import pytest
import sqlalchemy as sa

from app.kernel.money import decimal_text
from app.models import FinancialTransaction, GlEntry, MatchState, Organization, db
from app.people.sign_in import sign_in
from app.tenancy.scope import owned
from tests.books import lines_of, matches, run_waiting_jobs, set_up_books

BANK = "id,date,amount,description\nb1,2026-10-10,-120.50,HARBOR FOODS 0042 SEATTLE WA\n"
LEDGER = "id,date,amount,description,counterparty\ng1,2026-10-09,-120.50,Groceries,Harbor Foods\n"


@pytest.fixture
def run(app):
    runner = app.test_cli_runner()

    def invoke(*words):
        db.session.rollback()  # a command begins with a session of its own
        return runner.invoke(args=[str(word) for word in words])

    return invoke


def test_an_organization_is_created_and_its_admin_can_sign_in(run):
    answer = run(
        "create-organization",
        "Acme",
        "--admin-email",
        "Ann@Acme.example",
        "--admin-password",
        "a good long password",
    )
    assert answer.exit_code == 0
    ids = json.loads(answer.stdout)
    assert set(ids) == {"organization_id", "user_id"}
    assert sign_in("ann@acme.example", "a good long password").user_id == ids["user_id"]


@pytest.mark.parametrize(
    ("email", "password", "sentence"),
    [
        ("nobody", "a good long password", "This is not an e-mail address."),
        ("ann@acme.example", "short", "A password has 12 to 200 characters."),
        ("ann@acme.example", "aaaaaaaaaaaaaaa", "This password is too easy to guess"),
    ],
)
def test_bad_input_is_one_line_on_standard_error_and_creates_nothing(
    run, email, password, sentence
):
    answer = run(
        "create-organization", "Acme", "--admin-email", email, "--admin-password", password
    )
    assert answer.exit_code == 2
    assert answer.stdout == ""
    assert answer.stderr.startswith(sentence)
    assert answer.stderr.count("\n") == 1
    assert db.session.scalars(sa.select(Organization)).all() == []


def test_the_audit_chain_is_verified_and_a_broken_one_fails(run, cast):
    answer = run("verify-audit")
    assert answer.exit_code == 0
    assert answer.stdout.count("intact") == 2
    one = run("verify-audit", cast.acme_id)
    assert one.stdout.startswith(cast.acme_id)
    unknown = run("verify-audit", "0" * 32)
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert "There is no organization" in unknown.stderr
    switch_off = {
        "sqlite": "DROP TRIGGER audit_event_no_update",
        "postgresql": "ALTER TABLE audit_event DISABLE TRIGGER USER",
    }
    with db.engine.begin() as connection:
        connection.execute(sa.text(switch_off[connection.dialect.name]))
        connection.execute(
            sa.text(
                "UPDATE audit_event SET action = 'x' WHERE sequence = 1 AND organization_id = :o"
            ),
            {"o": cast.acme_id},
        )
    broken = run("verify-audit")
    if db.engine.dialect.name == "postgresql":
        with db.engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE audit_event ENABLE TRIGGER USER"))
    assert broken.exit_code == 2
    assert f"{cast.acme_id}: 0 events, broken at event 1" in broken.stdout


def test_two_files_are_matched_without_a_database(run, tmp_path):
    (tmp_path / "bank.csv").write_text(BANK)
    (tmp_path / "ledger.csv").write_text(LEDGER)
    answer = run(
        "match", tmp_path / "bank.csv", tmp_path / "ledger.csv", "--output", tmp_path / "pairs.csv"
    )
    assert answer.exit_code == 0, answer.stderr
    with (tmp_path / "pairs.csv").open() as file:
        (pair,) = csv.DictReader(file)
    assert (pair["bank_id"], pair["gl_id"], pair["tier"]) == ("b1", "g1", "auto")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("2026-10-10", "2026-13-10"), ["bank.csv", "line 2", "date"]),
        (("-120.50", "-120.505"), ["bank.csv", "line 2", "amount"]),
        (("id,date,amount", "id,date,total"), ["bank.csv", "amount"]),
    ],
)
def test_a_bad_file_is_refused_with_file_line_column_and_reason(run, tmp_path, change, words):
    (tmp_path / "bank.csv").write_text(BANK.replace(*change))
    (tmp_path / "ledger.csv").write_text(LEDGER)
    answer = run(
        "match", tmp_path / "bank.csv", tmp_path / "ledger.csv", "--output", tmp_path / "pairs.csv"
    )
    assert answer.exit_code == 2
    assert answer.stderr.count("\n") == 1
    assert all(word in answer.stderr for word in words), answer.stderr
    assert not (tmp_path / "pairs.csv").exists()


@pytest.mark.parametrize(("review", "auto"), [("-5", "85"), ("50", "101"), ("90", "85")])
def test_thresholds_that_make_no_sense_are_refused(run, tmp_path, review, auto):
    (tmp_path / "bank.csv").write_text(BANK)
    (tmp_path / "ledger.csv").write_text(LEDGER)
    answer = run(
        "match",
        tmp_path / "bank.csv",
        tmp_path / "ledger.csv",
        "--output",
        tmp_path / "pairs.csv",
        "--review-threshold",
        review,
        "--auto-threshold",
        auto,
    )
    assert answer.exit_code == 2
    assert answer.stderr.startswith("Thresholds are percentages")


def test_a_statement_is_read_to_json(run, tmp_path):
    path = tmp_path / "statement.csv"
    path.write_text("Date,Description,Amount\n2026-10-13,Rent,-1200.00\n2026-10-14,Sale,99.95\n")
    answer = run("parse-statement", path)
    assert answer.exit_code == 0, answer.stderr
    document = json.loads(answer.stdout)
    assert set(document) == {"format", "mapping", "statements", "findings"}
    rows = document["statements"][0]["transactions"]
    assert [(row["date"], Decimal(row["amount"])) for row in rows] == [
        ("2026-10-13", Decimal("-1200.00")),
        ("2026-10-14", Decimal("99.95")),
    ]


def test_a_refused_statement_says_why_in_json_and_in_its_exit_status(run, tmp_path):
    path = tmp_path / "statement.csv"
    path.write_text("Date,Description,Amount\n03/04/2026,Rent,-1200.00\n")
    answer = run("parse-statement", path)
    assert answer.exit_code == 2
    findings = json.loads(answer.stdout)["findings"]
    assert [finding["code"] for finding in findings if finding["level"] == "error"] == [
        "date_order_ambiguous"
    ]


def test_a_mapping_settles_what_the_file_leaves_open(run, tmp_path):
    path, mapping = tmp_path / "statement.csv", tmp_path / "mapping.json"
    path.write_text("Date,Description,Amount\n03/04/2026,Rent,-1200.00\n")
    mapping.write_text(json.dumps({"date_format": "%d/%m/%Y"}))
    answer = run("parse-statement", path, "--mapping", mapping)
    assert answer.exit_code == 0, answer.stdout
    row = json.loads(answer.stdout)["statements"][0]["transactions"][0]
    assert row["date"] == "2026-04-03"
    mapping.write_text("{broken")
    assert run("parse-statement", path, "--mapping", mapping).exit_code == 2


def test_web_and_command_line_find_the_same_pairs(run, cast, tmp_path):
    books = set_up_books(cast.carol)
    names = ["Harbor Foods", "Quartz Media", "Vista Roofing", "Delta Air", "Ironwood Staffing"]
    for n in range(40):
        name = names[n % 5]
        amount = -(1_000 + 137 * (n % 17))
        books.bank(amount, f"{name.upper()} {n:04} SEATTLE WA", 3 + n % 25)
        if n % 9:
            books.gl(amount, "Purchase", 2 + n % 24, counterparty=name)
    (tmp_path / "bank.csv").write_text(as_csv(FinancialTransaction, "posted_date"))
    (tmp_path / "ledger.csv").write_text(as_csv(GlEntry, "date"))
    output = tmp_path / "pairs.csv"
    answer = run("match", tmp_path / "bank.csv", tmp_path / "ledger.csv", "--output", output)
    assert answer.exit_code == 0, answer.stderr
    books.open(0)
    run_waiting_jobs()
    with output.open() as file:
        pairs = list(csv.DictReader(file))
    for tier, state in (("auto", MatchState.MATCHED), ("review", MatchState.SUGGESTED)):
        by_command = {
            (frozenset((pair["bank_id"], pair["gl_id"])), pair["score"])
            for pair in pairs
            if pair["tier"] == tier and not pair["group"]
        }
        by_web = {(frozenset(lines_of(match)), f"{match.score:.2f}") for match in matches(state)}
        assert by_command <= by_web, tier
        assert by_command or tier == "review"


def as_csv(model, date_column: str) -> str:
    lines = ["id,date,amount,currency,description,counterparty,reference"]
    for row in db.session.scalars(owned(model)):
        day = getattr(row, date_column)
        amount = decimal_text(row.amount_minor, row.currency)
        lines.append(
            f"{row.id},{day},{amount},USD,{row.description},{row.counterparty},{row.reference}"
        )
    return "\n".join(lines) + "\n"
