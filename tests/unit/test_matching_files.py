from __future__ import annotations

import csv

import pytest

from app.kernel.limits import FILE_ROWS_MAX
from app.matching import MatchOptions, Outcome
from app.matching.files import FileRefused, match_files, read_history, read_items

BANK = "id,date,amount,description\n1,2026-03-05,-1200.34,GUSTO PAYROLL\n2,2026-03-09,717.34,DEPOSIT ID NUMBER 884120\n"
LEDGER = (
    "counterparty,id,amount,date,description,extra,reference\n"
    '"Gusto, Inc.",g1,-1200.34,2026-03-04,Payroll,x,\n'
    "Ann,g2,125.00,2026-03-08,Receipt,x,DEP 884120\n"
    "Bob,g3,592.34,2026-03-08,Receipt,x,DEP 884120\n"
)


@pytest.fixture
def write(tmp_path):
    def written(name, text):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_pairs_are_written_with_scores_signals_and_groups(write, tmp_path):
    out = tmp_path / "pairs.csv"
    result = match_files(write("b.csv", BANK), write("l.csv", LEDGER), out)
    rows = rows_of(out)
    assert [(r["bank_id"], r["gl_id"], r["tier"]) for r in rows] == [
        ("1", "g1", "auto"),
        ("2", "g2", "auto"),
        ("2", "g3", "auto"),
    ]
    assert rows[0]["group"] == ""
    assert rows[1]["group"] == rows[2]["group"] != ""
    assert float(rows[0]["score"]) >= 85
    assert len(rows[0]["score"].split(".")[1]) == 2
    assert list(rows[0])[:9] == [
        "bank_id",
        "gl_id",
        "score",
        "tier",
        "amount",
        "date",
        "description",
        "history",
        "group",
    ]
    assert result.pairs_considered == 6


def test_exhaustive_writes_the_same_pairs(write, tmp_path):
    paths = write("b.csv", BANK), write("l.csv", LEDGER)
    match_files(*paths, tmp_path / "one.csv")
    match_files(*paths, tmp_path / "two.csv", options=MatchOptions(exhaustive=True))
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_history_is_read_with_both_sides(write):
    path = write(
        "h.csv",
        "outcome,bank_date,bank_amount,bank_description,gl_date,gl_amount,gl_description,gl_counterparty\n"
        "confirmed,2026-01-05,-10.00,GUSTO,2026-01-04,-10.00,Payroll,Gusto\n"
        "Rejected,2026-01-05,-10.00,GUSTO,2026-01-04,-10.00,Rent,Acme\n",
    )
    first, second = read_history(path)
    assert (first.outcome, first.gl.counterparty) == (Outcome.CONFIRMED, "Gusto")
    assert second.outcome is Outcome.REJECTED


def test_the_currency_is_usd_unless_a_column_says_otherwise(write):
    (item, *_) = read_items(write("b.csv", BANK))
    assert (item.currency, item.amount_minor) == ("USD", -120_034)
    (yen,) = read_items(
        write("y.csv", "id,date,amount,description,currency\n1,2026-03-05,1200,X,jpy\n")
    )
    assert (yen.currency, yen.amount_minor) == ("JPY", 1200)


def test_a_byte_order_mark_and_blank_lines_are_no_trouble(write):
    assert len(read_items(write("b.csv", "\ufeff" + BANK + "\n,,,\n"))) == 2


HEADER = "id,date,amount,description\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "bad.csv, line 1: the file is empty"),
        ("id,date,amount\n", "bad.csv, line 1, column description: is missing"),
        ("id,id,date,amount,description\n", "bad.csv, line 1, column id: stands twice"),
        (HEADER + "1,2026-03-05,1.00\n", "bad.csv, line 2, column amount: the row has 3 cells"),
        (
            HEADER + "1,2026-03-05,1.00,a,b\n",
            "bad.csv, line 2, column description: the row has 5 cells",
        ),
        (
            HEADER + "1,03/05/2026,1.00,a\n",
            "bad.csv, line 2, column date: “03/05/2026” is not a date",
        ),
        (HEADER + "1,2026-02-30,1.00,a\n", "column date: “2026-02-30” is no day"),
        (
            HEADER + "1,2026-03-05,1.234,a\n",
            "bad.csv, line 2, column amount: “1.234” has more than",
        ),
        (HEADER + "1,2026-03-05,abc,a\n", "bad.csv, line 2, column amount: “abc” is not an amount"),
        (HEADER + ",2026-03-05,1.00,a\n", "bad.csv, line 2, column id: is empty"),
        (
            HEADER + "1,2026-03-05,1.00,a\n1,2026-03-05,1.00,a\n",
            "line 3, column id: “1” stands already in line 2",
        ),
        (HEADER + '1,2026-03-05,1.00,"a\nb"\n1,x,1.00,a\n', "bad.csv, line 4, column date"),
        (HEADER.encode() + b"1,2026-03-05,1.00,\xff\xfe\n", "bad.csv, line 2: is not UTF-8 text"),
        (HEADER + '1,2026-03-05,1.00,"open\n', "bad.csv is not a CSV file"),
        (HEADER + "1,2026-03-05,1.00," + "a" * 200_000 + "\n", "bad.csv is not a CSV file"),
        (b"\x00\x01\x02\x03", "bad.csv"),
        (
            "id,date,amount,description,currency\n1,2026-03-05,1.00,a,dollars\n",
            "column currency: “dollars” is not",
        ),
    ],
)
def test_a_bad_file_is_refused_in_one_line_and_nothing_is_written(write, tmp_path, text, said):
    out = tmp_path / "pairs.csv"
    with pytest.raises(FileRefused) as refusal:
        match_files(write("bad.csv", text), write("l.csv", LEDGER), out)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.csv", "l.csv"]


def test_one_row_too_many_is_refused(write, tmp_path):
    row = ",2026-03-05,1.00,a\n"
    path = write("b.csv", HEADER + "".join(f"{n}{row}" for n in range(FILE_ROWS_MAX + 1)))
    with pytest.raises(FileRefused, match=r"b\.csv, line 100002: more than 100,000 rows"):
        read_items(path)


def test_a_missing_file_and_a_missing_folder_are_refused(write, tmp_path):
    with pytest.raises(FileRefused, match=r"nowhere\.csv cannot be read"):
        read_items(tmp_path / "nowhere.csv")
    with pytest.raises(FileRefused, match=r"pairs\.csv cannot be written"):
        match_files(write("b.csv", BANK), write("l.csv", LEDGER), tmp_path / "no" / "pairs.csv")


def test_a_history_with_an_unknown_outcome_is_refused(write):
    header = "outcome,bank_date,bank_amount,bank_description,gl_date,gl_amount,gl_description\n"
    path = write("h.csv", header + "maybe,2026-01-05,1.00,a,2026-01-05,1.00,b\n")
    with pytest.raises(FileRefused, match=r"h\.csv, line 2, column outcome: “maybe” is neither"):
        read_history(path)
