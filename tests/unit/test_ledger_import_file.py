from datetime import date

import pytest

from app.kernel import limits
from app.ledger.import_file import LedgerFileRefused, read_ledger_file

HEADER = "external_id,account_number,date,amount,currency,description"
GOOD = "A1,1010,2026-03-31,-12.50,USD,Coffee"


def read(*lines: str, header: str = HEADER, encoding: str = "utf-8"):
    return read_ledger_file("\n".join([header, *lines]).encode(encoding))


def only_error(*lines: str, header: str = HEADER) -> str:
    file = read(*lines, header=header)
    assert len(file.errors) == 1, file.errors
    return file.errors[0].sentence


def refusal(data: bytes) -> str:
    with pytest.raises(LedgerFileRefused) as caught:
        read_ledger_file(data)
    assert caught.value.detail.endswith("Nothing was stored.")
    return caught.value.detail


def test_a_row_is_read_with_every_column():
    file = read(
        'A1,1010,2026-03-31,"1,234.56",usd,"Rent, March",Landlord,R-1,J-1',
        "A2,5000,2026-03-31,-1234.56,USD,,,,J-1",
        header=HEADER + ",counterparty,reference,journal",
    )
    assert file.errors == []
    row = file.rows[0]
    assert (row.line, row.external_id, row.account_number) == (2, "A1", "1010")
    assert (row.date, row.amount_minor, row.currency) == (date(2026, 3, 31), 123456, "USD")
    assert (row.description, row.counterparty, row.reference) == ("Rent, March", "Landlord", "R-1")
    assert row.journal == "J-1"
    assert file.rows[1].description == ""


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_columns_come_in_any_order_case_and_with_any_delimiter(mark):
    header = mark.join(
        ["Currency", "DESCRIPTION", "External ID", "amount", "Date", "Account Number"]
    )
    file = read(mark.join(["EUR", "x", "A1", "1.5", "2026-01-02", "1010"]), header=header)
    assert file.errors == []
    assert file.rows[0].amount_minor == 150
    assert file.rows[0].account_number == "1010"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf_8_is_read_with_and_without_a_mark(encoding):
    file = read("A1,1010,2026-01-02,1,USD,Café Zürich 日本", encoding=encoding)
    assert file.rows[0].description == "Café Zürich 日本"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_numbers_count_blank_lines_and_quoted_line_ends(end):
    text = end.join(
        [HEADER, "", f'A1,1010,2026-01-02,1,USD,"two{end}lines"', "", "A2,1010,x,1,USD,y"]
    )
    file = read_ledger_file(text.encode())
    assert file.rows[0].line == 3
    assert file.rows[0].description == f"two{end}lines"
    assert file.errors[0].line == 6


def test_unknown_columns_are_named_and_left_aside():
    file = read("A1,1010,2026-01-02,1,USD,x,blue", header=HEADER + ",Colour")
    assert file.warnings == ["Not used by Tieout and left aside: column “Colour”."]
    assert len(file.rows) == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("A1,1010,31/03/2026,1,USD,x", "Line 2, column date: “31/03/2026” is not a date"),
        ("A1,1010,03-04-2026,1,USD,x", "Line 2, column date: “03-04-2026” is not a date"),
        ("A1,1010,20260331,1,USD,x", "Line 2, column date: “20260331” is not a date"),
        ("A1,1010,2026-02-30,1,USD,x", "Line 2, column date: “2026-02-30” is not a day"),
        ("A1,1010,0026-02-28,1,USD,x", "Line 2, column date: the year 26 cannot be right"),
        ("A1,1010,,1,USD,x", "Line 2, column date: the cell is empty"),
        ("A1,1010,2026-01-02,1.234,USD,x", "column amount: “1.234” has more than the 2 decimals"),
        ("A1,1010,2026-01-02,1.5,JPY,x", "column amount: “1.5” has more than the 0 decimals"),
        ("A1,1010,2026-01-02,abc,USD,x", "column amount: “abc” is not an amount"),
        ('A1,1010,2026-01-02,"1,234",USD,x', "column amount: “1,234” could be thousands or"),
        ('A1,1010,2026-01-02,"1.234,56",USD,x', "column amount: “1.234,56” is not an amount"),
        (
            "A1,1010,2026-01-02,9999999999999999,USD,x",
            "column amount: “9999999999999999” is larger",
        ),
        ("A1,1010,2026-01-02,1e99999,USD,x", "column amount: “1e99999” is not an amount"),
        ("A1,1010,2026-01-02,NaN,USD,x", "column amount: “NaN” is not an amount"),
        ("A1,1010,2026-01-02,1,US,x", "column currency: “US” is not a currency code"),
        (",1010,2026-01-02,1,USD,x", "column external_id: the cell is empty"),
        ("A1,,2026-01-02,1,USD,x", "column account_number: the cell is empty"),
        ("A1,1010,2026-01-02", "Line 2, column amount: the line ends after 3 of 6 columns"),
        ("A1,1010,2026-01-02,1,USD,x,y", "Line 2: the line has 7 columns, the first line names 6"),
        (f"{'A' * 201},1010,2026-01-02,1,USD,x", "column external_id: 201 characters"),
    ],
)
def test_a_bad_row_is_named_by_line_column_and_reason(line, words):
    assert words in only_error(line)


def test_every_bad_row_is_found_and_good_ones_are_still_counted():
    file = read("A1,1010,x,1,USD,x", GOOD, "A2,1010,2026-01-02,1,U,x")
    assert [finding.line for finding in file.errors] == [2, 4]
    assert (file.rows_count, len(file.rows)) == (3, 1)


def test_an_external_id_stands_once():
    assert only_error(GOOD, GOOD) == "Line 3, column external_id: “A1” stands on line 2 already."


def test_the_lines_of_a_journal_sum_to_zero():
    sentence = only_error(
        "A1,1010,2026-01-02,10,USD,x,J-1",
        "A2,5000,2026-01-02,-9.99,USD,x,J-1",
        "A3,5000,2026-01-02,-9.99,USD,x,",
        header=HEADER + ",journal",
    )
    assert sentence == (
        "Line 3, column amount: the 2 lines of journal “J-1” sum to 0.01 USD, not to zero."
    )


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ("A2,5000,2026-01-03,-10,USD,x,J-1", "column date: journal “J-1” is dated 2026-01-02"),
        ("A2,5000,2026-01-02,-10,EUR,x,J-1", "column currency: journal “J-1” is in USD"),
    ],
)
def test_the_lines_of_a_journal_share_date_and_currency(second, words):
    first = "A1,1010,2026-01-02,10,USD,x,J-1"
    assert words in only_error(first, second, header=HEADER + ",journal")


def test_a_journal_is_not_accused_while_one_of_its_lines_cannot_be_read():
    sentence = only_error(
        "A1,1010,2026-01-02,10,USD,x,J-1",
        "A2,5000,2026-01-02,-ten,USD,x,J-1",
        header=HEADER + ",journal",
    )
    assert sentence.startswith("Line 3, column amount: “-ten”")


def test_texts_are_kept_to_a_limit_and_it_is_said():
    file = read(f"A1,1010,2026-01-02,1,USD,{'x' * 10_000}")
    assert len(file.rows[0].description) == limits.CELL_CHARACTERS_MAX
    assert file.warnings == ["Texts of more than 4,000 characters, kept shortened: 1."]


@pytest.mark.parametrize("data", [b"", b"   \n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(data):
    assert "The file is empty." in refusal(data)


def test_a_header_alone_is_refused():
    assert "no line follows" in refusal(HEADER.encode())


@pytest.mark.parametrize("data", [b"PK\x03\x04\x00\x00", b"\x89PNG\r\n\x1a\n\x00", b"%PDF\x00"])
def test_a_binary_file_is_refused(data):
    assert "this is not a text file" in refusal(data)


def test_another_encoding_is_refused_with_its_place():
    data = f"{HEADER}\n{GOOD}\nA2,1010,2026-01-02,1,USD,Café".encode("latin-1")
    assert refusal(data).startswith("Line 3, character 29: the file is not in UTF-8")


def test_utf_16_is_refused_by_name():
    assert "UTF-16" in refusal(HEADER.encode("utf-16"))


def test_a_quotation_mark_that_is_never_closed_is_refused_with_its_line():
    data = f'{HEADER}\n{GOOD}\nA2,1010,2026-01-02,1,USD,"never\nclosed'.encode()
    assert refusal(data).startswith("Line 3: a quotation mark")


def test_missing_columns_are_named():
    assert "lacks “amount”, “currency”" in refusal(
        b"external_id,account_number,date,description\nA,1,2026-01-01,x"
    )


def test_a_column_named_twice_is_refused():
    assert "names the column “date” twice" in refusal(f"{HEADER},Date\n{GOOD},x".encode())


def rows(count: int) -> bytes:
    lines = (f"A{i},1010,2026-01-02,1,USD,x" for i in range(count))
    return "\n".join([HEADER, *lines]).encode()


def test_a_file_of_the_most_rows_is_read_and_one_more_is_refused(monkeypatch):
    assert limits.FILE_ROWS_MAX == 100_000
    monkeypatch.setattr(limits, "FILE_ROWS_MAX", 1_000)
    assert read_ledger_file(rows(1_000)).rows_count == 1_000
    assert "Line 1002: the file has more than 1,000 rows" in refusal(rows(1_001))


def test_100_001_rows_are_refused():
    assert "more than 100,000 rows" in refusal(rows(100_001))


def test_a_file_over_the_size_limit_is_refused():
    assert "larger than 20 MB" in refusal(b"x" * (limits.UPLOAD_BYTES_MAX + 1))
