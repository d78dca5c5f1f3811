"""CSV files that are wrong, ambiguous or odd: each gets one clear sentence, or is understood."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from app.kernel.limits import CELL_CHARACTERS_MAX, FILE_ROWS_MAX, FINDINGS_MAX, UPLOAD_BYTES_MAX
from app.statements import (
    NO_COLUMN,
    CsvColumns,
    CsvMapping,
    Finding,
    Level,
    ParsedFile,
    ParsedTransaction,
    parse_statement,
    preview_headings,
    preview_rows,
    to_document,
)


def transactions(parsed: ParsedFile) -> list[ParsedTransaction]:
    assert parsed.accepted, parsed.findings
    return [one for statement in parsed.statements for one in statement.transactions]


def amounts(parsed: ParsedFile) -> list[str]:
    return [str(one.amount) for one in transactions(parsed)]


def only_error(parsed: ParsedFile) -> Finding:
    assert not parsed.accepted
    assert parsed.statements == ()
    errors = [finding for finding in parsed.findings if finding.level is Level.ERROR]
    assert len(errors) == 1, errors
    assert errors[0].message.endswith(".")
    return errors[0]


def finding(parsed: ParsedFile, code: str) -> Finding:
    found = [one for one in parsed.findings if one.code == code]
    assert len(found) == 1, parsed.findings
    return found[0]


# Files that are no statement


@pytest.mark.parametrize("data", [b"", b"   \n\n\t\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_an_empty_file_is_refused(data):
    assert only_error(parse_statement(data)).code == "file_empty"


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7\n1 0 obj",
        b"PK\x03\x04\x14\x00\x06\x00",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        bytes(range(256)) * 20,
        b"\x00" * 500,
    ],
)
def test_a_binary_file_is_refused(data):
    assert only_error(parse_statement(data)).code == "binary_file"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"OFXHEADER:100\nDATA:OFXSGML\n", "ofx"),
        (b"<?xml version='1.0'?>\n<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt'>", "camt"),
        (b":20:STARTUMSE\n:25:10020030/1234567\n", "mt940"),
        (b"!Type:Bank\nD01/02/2026\n", "qif"),
        (b"<!DOCTYPE html><html><body>Sign in", "html"),
        (b'{"transactions": []}', "json"),
    ],
)
def test_a_format_that_is_not_read_is_named(data, kind):
    parsed = parse_statement(data)
    assert parsed.format == kind
    assert only_error(parsed).code == "format_unsupported"


def test_a_file_over_the_size_limit_is_refused_and_one_at_it_is_looked_at():
    assert only_error(parse_statement(b"a" * (UPLOAD_BYTES_MAX + 1))).code == "file_too_large"
    at_the_limit = parse_statement(b"a" * UPLOAD_BYTES_MAX)
    assert "file_too_large" not in {one.code for one in at_the_limit.findings}


def test_plain_prose_is_refused_for_want_of_columns():
    parsed = parse_statement(b"Dear customer\nplease find attached\n")
    assert "not_a_table" in {one.code for one in parsed.findings}
    assert not parsed.accepted


def test_the_row_limit_holds_at_it_and_refuses_one_past_it():
    head, row = "Date,Description,Amount\n", "2026-01-31,Coffee,-4.50\n"
    assert len(transactions(parse_statement((head + row * FILE_ROWS_MAX).encode()))) == 100_000
    error = only_error(parse_statement((head + row * (FILE_ROWS_MAX + 1)).encode()))
    assert error.code == "too_many_rows"
    assert error.line == FILE_ROWS_MAX + 2


# Half rows and broken cells


def test_a_row_without_its_amount_is_refused_with_line_and_column():
    error = only_error(
        parse_statement(b"Date,Description,Amount\n2026-01-31,Coffee,-4.50\n2026-01-31,Te")
    )
    assert (error.code, error.line, error.column) == ("amount_missing", 3, "Amount")


def test_a_file_cut_off_in_its_last_row_is_refused():
    data = b"Date,Description,Amount,Balance\n2026-01-30,Tea,-1.50,8.50\n2026-01-31,Coffee,-4.5"
    error = only_error(parse_statement(data))
    assert (error.code, error.line) == ("row_incomplete", 3)


def test_a_quote_that_is_never_closed_is_refused():
    data = b'Date,Description,Amount\n2026-01-30,Tea,-1.50\n2026-01-31,"Coffee,-4.50\n'
    parsed = parse_statement(data)
    assert not parsed.accepted
    assert finding(parsed, "quote_not_closed").line == 3


@pytest.mark.parametrize("garbled", ["12..34", "abc", "1,2,3", "12-34", "1.2.3,4.5"])
def test_a_garbled_amount_is_refused_with_line_and_column(garbled):
    data = f'Date,Description,Amount\n2026-01-30,Tea,-1.50\n2026-01-31,Coffee,"{garbled}"\n'
    error = only_error(parse_statement(data.encode()))
    assert (error.code, error.line, error.column) == ("amount_invalid", 3, "Amount")


def test_a_day_that_is_not_in_the_calendar_is_refused():
    error = only_error(parse_statement(b"Date;Text;Betrag\n30.01.2026;a;1,50\n30.02.2026;b;1,50\n"))
    assert (error.code, error.line, error.column) == ("date_invalid", 3, "Date")


def test_an_amount_without_a_date_is_refused():
    error = only_error(
        parse_statement(b"Date,Description,Amount\n2026-01-30,Tea,-1.50\n,Coffee,-4.50\n")
    )
    assert (error.code, error.line, error.column) == ("date_missing", 3, "Date")


@pytest.mark.parametrize("currency", [None, "USD"])
def test_three_decimals_are_refused(currency):
    data = b"Date,Description,Amount\n2026-01-30,Tea,-1.50\n2026-01-31,Coffee,-4.505\n"
    error = only_error(parse_statement(data, currency=currency))
    assert (error.code, error.line, error.column) == ("amount_decimals", 3, "Amount")


def test_three_decimals_are_right_in_a_currency_that_has_them():
    data = b"Date,Description,Amount\n2026-01-30,Tea,-1.505\n2026-01-31,Coffee,-10.50\n"
    assert amounts(parse_statement(data, currency="KWD")) == ["-1.505", "-10.50"]


def test_decimals_in_a_currency_without_them_are_refused():
    data = b"Date,Description,Amount\n2026-01-30,Tea,-150\n2026-01-31,Coffee,-4.50\n"
    assert only_error(parse_statement(data, currency="JPY")).code == "amount_decimals"


def test_an_amount_larger_than_kept_is_refused():
    data = b"Date,Description,Amount\n2026-01-30,Tea,99999999999999.99\n"
    assert only_error(parse_statement(data)).code == "amount_too_large"


def test_a_row_with_debit_and_credit_is_refused():
    data = b"Date,Text,Debit,Credit\n2026-01-30,Tea,1.50,\n2026-01-31,Coffee,4.50,4.50\n"
    error = only_error(parse_statement(data))
    assert (error.code, error.line, error.column) == ("debit_and_credit", 3, "Debit")


def test_a_row_shifted_by_an_unquoted_delimiter_is_refused():
    data = b"Date,Text,Debit,Credit\n2026-01-30,Tea,1.50,\n2026-01-31,PAY, 5,,4.50\n2026-01-31,x,1.00,\n"
    error = only_error(parse_statement(data))
    assert (error.code, error.line) == ("row_too_wide", 3)


def test_an_unquoted_delimiter_in_a_last_text_column_is_part_of_the_text():
    data = b"Date,Amount,Text\n2026-01-30,1.50,Tea\n2026-01-31,2.50,PAY, 5\n2026-01-31,3.50,x\n"
    assert transactions(parse_statement(data))[1].description == "PAY 5"


def test_a_date_column_that_holds_no_dates_is_refused():
    data = b"Date,Text,Amount\n2026-01-30,Tea,1.50\n"
    given = CsvMapping(columns=CsvColumns(date="Text"))
    error = only_error(parse_statement(data, mapping=given))
    assert (error.code, error.line, error.column) == ("date_format_unknown", 2, "Text")


def test_another_currency_than_the_accounts_is_refused():
    data = b"Date,Text,Amount,Currency\n2026-01-30,Tea,1.50,EUR\n"
    error = only_error(parse_statement(data, currency="USD"))
    assert (error.code, error.line, error.column) == ("currency_mismatch", 2, "Currency")


def test_findings_are_listed_up_to_the_limit_and_the_rest_is_counted():
    data = (
        "Date,Text,Amount\n" + "2026-01-30,Tea,1.50\n" + "2026-01-30,Tea,x\n" * (FINDINGS_MAX + 7)
    )
    parsed = parse_statement(data.encode())
    assert len(parsed.findings) == FINDINGS_MAX + 1
    assert parsed.findings[-1].code == "more_findings"
    assert parsed.findings[-1].message.startswith("7 more findings")


# What cannot be told for sure


def test_day_or_month_first_is_asked_and_the_answer_settles_it():
    data = b"Date,Description,Amount\n05/03/2026,Tea,-1.50\n06/03/2026,Coffee,-4.50\n"
    parsed = parse_statement(data)
    error = only_error(parsed)
    assert (error.code, error.line, error.column) == ("date_order_ambiguous", 2, "Date")
    assert "5 March 2026 (%d/%m/%Y)" in error.message
    assert "3 May 2026 (%m/%d/%Y)" in error.message
    assert parsed.mapping is not None
    answered = replace(parsed.mapping, date_format="%d/%m/%Y")
    assert transactions(parse_statement(data, mapping=answered))[0].date == date(2026, 3, 5)


def test_one_day_over_twelve_settles_the_order_for_all_rows():
    data = b"Date,Description,Amount\n05/03/2026,Tea,-1.50\n05/13/2026,Coffee,-4.50\n"
    assert [one.date.month for one in transactions(parse_statement(data))] == [5, 5]


def test_the_value_dates_settle_the_order_of_the_booking_dates():
    data = b"Date,Value date,Description,Amount\n05/03/2026,13/03/2026,Tea,-1.50\n"
    assert transactions(parse_statement(data))[0].date == date(2026, 3, 5)


def test_dates_that_are_the_same_either_way_are_taken_without_settling_the_format():
    parsed = parse_statement(b"Date,Description,Amount\n05/05/2026,Tea,-1.50\n")
    assert transactions(parsed)[0].date == date(2026, 5, 5)
    assert parsed.mapping is not None
    assert parsed.mapping.date_format is None


def test_two_digit_years_that_may_stand_first_are_asked():
    data = b"Date,Description,Amount\n24/01/15,a,1.50\n24/02/16,b,2.50\n24/03/20,c,3.50\n"
    error = only_error(parse_statement(data))
    assert error.code == "date_order_ambiguous"
    assert "%y/%m/%d" in error.message


def test_thousands_or_decimals_is_asked():
    data = b"Date;Text;Amount\n2026-01-30;Tea;1,500\n2026-01-31;Tea;173,900\n"
    error = only_error(parse_statement(data))
    assert (error.code, error.line) == ("decimal_sign_ambiguous", 2)
    given = CsvMapping(decimal_sign=".")
    assert amounts(parse_statement(data, mapping=given)) == ["1500", "173900"]


def test_the_balance_tells_thousands_from_decimals():
    data = b"Date;Text;Amount;Balance\n2026-01-30;Tea;1,500;2,000\n2026-01-31;Tea;500;2,500\n"
    assert amounts(parse_statement(data)) == ["1500", "500"]


def test_missing_columns_are_named_by_code():
    parsed = parse_statement(b"Name;City\nAnn;Berlin\nJoe;Paris\n")
    assert {one.code for one in parsed.findings} == {"no_date_column", "no_amount_column"}
    assert parsed.mapping is not None


def test_two_unnamed_money_columns_that_prove_nothing_are_asked():
    data = b"2026-01-30,Tea,-1.50,7.00\n2026-01-31,Coffee,-4.50,9.00\n2026-02-01,Cake,-2.00,1.00\n"
    assert only_error(parse_statement(data)).code == "no_amount_column"


def test_unnamed_columns_are_told_by_the_running_balance():
    data = (
        b"2026-01-30,Tea,100.00,-1.50\n2026-01-31,Coffee,95.50,-4.50\n2026-02-01,Cake,93.50,-2.00\n"
    )
    parsed = parse_statement(data)
    assert amounts(parsed) == ["-1.50", "-4.50", "-2.00"]
    assert parsed.statements[0].opening_balance == Decimal("101.50")
    assert parsed.statements[0].closing_balance == Decimal("93.50")


# Signs


@pytest.mark.parametrize("newest_first", [False, True])
def test_the_running_balance_reverses_a_file_that_writes_payments_as_positive(newest_first):
    rows = [
        "2026-01-29,Tea,1.50,98.50",
        "2026-01-30,Sale,-20.00,118.50",
        "2026-01-31,Rent,50.00,68.50",
    ]
    body = "\n".join(rows[::-1] if newest_first else rows)
    parsed = parse_statement(f"Date,Text,Amount,Balance\n{body}\n".encode())
    expected = ["-1.50", "20.00", "-50.00"]
    assert amounts(parsed) == (expected[::-1] if newest_first else expected)
    assert parsed.mapping is not None
    assert parsed.mapping.sign == -1
    assert parsed.statements[0].opening_balance == Decimal("100.00")


def test_a_missing_row_shows_as_a_balance_that_does_not_follow():
    data = b"Date,Text,Amount,Balance\n2026-01-29,Tea,-1.50,98.50\n2026-01-30,Tea,-1.50,97.00\n2026-01-31,Tea,-1.50,90.00\n"
    parsed = parse_statement(data)
    assert parsed.accepted
    assert finding(parsed, "balance_not_proven").line == 4
    assert parsed.statements[0].closing_balance is None


def test_a_card_with_positive_charges_and_a_balance_owed_is_turned_round_with_its_balance():
    data = (
        b"Date,Description,Amount,Balance\n2026-01-10,STAPLES,20.00,120.00\n"
        b"2026-01-12,PAYMENT RECEIVED - THANK YOU,-100.00,20.00\n2026-01-15,UBER,5.00,25.00\n"
    )
    parsed = parse_statement(data)
    assert amounts(parsed) == ["-20.00", "100.00", "-5.00"]
    assert [str(one.balance) for one in transactions(parsed)] == ["-120.00", "-20.00", "-25.00"]
    assert parsed.statements[0].closing_balance == Decimal("-25.00")


def test_a_given_sign_wins_over_what_the_texts_suggest():
    data = b"Date,Description,Amount\n2026-01-10,STAPLES,20.00\n2026-01-12,PAYMENT - THANK YOU,-100.00\n"
    assert amounts(parse_statement(data)) == ["-20.00", "100.00"]
    assert amounts(parse_statement(data, mapping=CsvMapping(sign=1))) == ["20.00", "-100.00"]


def test_unsigned_amounts_all_alike_are_pointed_out():
    rows = "".join(f"2026-01-1{day},Fee,5.00\n" for day in range(6))
    parsed = parse_statement(b"Date,Description,Amount\n" + rows.encode())
    assert finding(parsed, "sign_not_proven").level is Level.WARNING


def test_only_credits_carrying_cr_makes_the_rest_debits():
    data = b"Date,Description,Amount\n2026-01-10,STAPLES,20.00\n2026-01-12,REFUND,5.00 CR\n"
    assert amounts(parse_statement(data)) == ["-20.00", "5.00"]


def test_an_indicator_value_nobody_knows_is_refused_and_can_be_named():
    data = (
        "Date;Text;Amount;Type\n"
        + "2026-01-10;a;20,00;D\n" * 15
        + "2026-01-12;b;5,00;C\n2026-01-13;c;5,00;X\n"
    )
    error = only_error(parse_statement(data.encode()))
    assert (error.code, error.line, error.column) == ("indicator_unknown", 18, "Type")
    named = CsvMapping(indicator_debit=("D", "X"), indicator_credit=("C",))
    assert amounts(parse_statement(data.encode(), mapping=named))[-2:] == [
        "5,00".replace(",", "."),
        "-5.00",
    ]


def test_a_minus_among_unsigned_amounts_is_a_reversal_and_the_letters_still_count():
    rows = "2026-01-10;a;20,00;D\n" * 15 + "2026-01-12;b;5,00;C\n2026-01-13;c;-5,00;D\n"
    parsed = parse_statement(b"Date;Text;Amount;D/C\n" + rows.encode())
    assert amounts(parsed)[-3:] == ["-20.00", "5.00", "5.00"]


def test_a_letter_column_beside_signed_amounts_is_ignored_even_where_it_disagrees():
    rows = (
        "2026-01-10;a;-20,00;D\n" * 5
        + "2026-01-12;b;5,00;C\n2026-01-13;c;-5,00;C\n2026-01-14;d;5,00;?\n"
    )
    parsed = parse_statement(b"Date;Text;Amount;D/C\n" + rows.encode())
    assert amounts(parsed)[-4:] == ["-20.00", "5.00", "-5.00", "5.00"]
    assert parsed.mapping is not None
    assert parsed.mapping.columns.indicator == NO_COLUMN


def test_two_unnamed_columns_filled_with_zero_on_the_other_side_are_told_by_their_number():
    data = b"2026-01-30,aaaa,1.50,0.00\n2026-01-30,bbbb,2.50,0.00\n2026-01-31,cccc,0.00,9.00\n2026-01-31,dddd,3.50,0.00\n"
    parsed = parse_statement(data)
    assert amounts(parsed) == ["-1.50", "-2.50", "9.00", "-3.50"]
    assert finding(parsed, "debit_credit_assumed").level is Level.WARNING


def test_a_negative_debit_among_positive_ones_is_a_reversal():
    data = b"Date,Text,Debit,Credit\n2026-01-30,a,1.50,\n2026-01-31,b,2.50,\n2026-01-31,a,-1.50,\n"
    assert amounts(parse_statement(data)) == ["-1.50", "-2.50", "1.50"]


# Rows that are no transactions


def test_rows_without_a_date_continue_the_row_above():
    data = b"Date,Value date,Description,Amount\n30/01/2026,30/01/2026,CARD,-6.66\n,,UBER EATS,\n31/01/2026,31/01/2026,FEE,-1.00\n"
    parsed = parse_statement(data)
    assert transactions(parsed)[0].description == "CARD UBER EATS"
    assert (parsed.rows_read, parsed.rows_skipped) == (3, 1)
    assert finding(parsed, "row_continues").line == 3


def test_totals_and_footers_are_left_out_with_a_finding():
    data = b"Date;Text;Betrag\n30.01.2026;a;1,50\nSumme;;1,50\n* all amounts without guarantee;;\n"
    parsed = parse_statement(data)
    assert amounts(parsed) == ["1.50"]
    assert finding(parsed, "total_row").line == 3
    assert finding(parsed, "row_ignored").line == 4
    assert parsed.rows_read == len(transactions(parsed)) + parsed.rows_skipped


def test_a_merchant_named_total_is_a_transaction():
    data = b"Date;Text;Betrag\n30.01.2026;TOTAL ENERGIES;-1,50\n30.01.2026;BALANCE TRANSFER;-2,50\n"
    assert amounts(parse_statement(data)) == ["-1.50", "-2.50"]


def test_an_opening_balance_row_gives_the_opening_balance():
    data = b"Date,Description,Amount,Balance\n01/13/2026,Opening balance,,100.00\n01/14/2026,Tea,-1.50,98.50\n"
    parsed = parse_statement(data)
    assert amounts(parsed) == ["-1.50"]
    assert parsed.statements[0].opening_balance == Decimal("100.00")


def test_an_opening_balance_printed_as_an_amount_is_no_transaction():
    data = b"Date,Description,Amount,Balance\n01/13/2026,Opening balance,100.00,100.00\n01/14/2026,Tea,-1.50,98.50\n01/15/2026,Tea,-1.50,97.00\n01/15/2026,Closing balance,97.00,97.00\n"
    parsed = parse_statement(data)
    assert amounts(parsed) == ["-1.50", "-1.50"]
    assert parsed.statements[0].opening_balance == Decimal("100.00")
    assert parsed.statements[0].closing_balance == Decimal("97.00")


def test_pending_rows_without_a_date_or_an_amount_are_left_out_too():
    data = b"Date,Description,Amount,Status\n01/13/2026,Tea,-1.50,Posted\n,Tea,-1.50,Pending\n01/14/2026,Hold,,Pending\n"
    parsed = parse_statement(data)
    assert (len(transactions(parsed)), parsed.rows_skipped) == (1, 2)


def test_headings_that_stand_again_between_rows_are_left_out():
    data = b"Date,Description,Amount\n01/13/2026,Tea,-1.50\nDate,Description,Amount\n01/14/2026,Tea,-2.50\n"
    parsed = parse_statement(data)
    assert amounts(parsed) == ["-1.50", "-2.50"]
    assert finding(parsed, "header_repeated").line == 3


def test_pending_rows_are_left_out_and_said():
    data = b"Date,Description,Amount,Status\n01/13/2026,Tea,-1.50,Posted\n01/14/2026,Tea,-1.50,Pending\n"
    parsed = parse_statement(data)
    assert len(transactions(parsed)) == 1
    assert finding(parsed, "not_booked").line == 3


def test_rows_under_a_pending_line_are_left_out_until_the_posted_line():
    data = (
        b'"Transactions for Checking account XX-12 as of 01/31/2026 15:43:08 ET"\n'
        b'"Date","Type","Check #","Description","Withdrawal (-)","Deposit (+)","RunningBalance"\n'
        b'"Pending Transactions"\n"01/31/2026","VISA","","SHOP","$9.00","",""\n'
        b'"Posted Transactions"\n"01/30/2026","ACH","","RENT","$90.00","","$10.00"\n'
        b'"01/29/2026","ACH","","PAY","","$50.00","$100.00"\n'
    )
    parsed = parse_statement(data)
    assert amounts(parsed) == ["-90.00", "50.00"]
    assert finding(parsed, "not_booked").line == 4


def test_the_other_side_may_be_filled_with_zero():
    data = b"Date,Payee,Outflow,Inflow\n2026-01-30,a,$1.50,$0.00\n2026-01-31,b,$0.00,$2.50\n"
    assert amounts(parse_statement(data)) == ["-1.50", "2.50"]


def test_a_credit_column_is_found_beside_a_given_debit_column():
    data = b"Date,Text,Weg,Credit\n2026-01-30,a,1.50,\n2026-01-31,b,,2.50\n"
    given = CsvMapping(columns=CsvColumns(debit="Weg"))
    assert amounts(parse_statement(data, mapping=given)) == ["-1.50", "2.50"]


def test_the_largest_account_settles_the_sign_of_all():
    rows = "".join(f"2026-01-1{day},Shop,5.00,USD\n" for day in range(4))
    data = f"Date,Text,Amount,Currency\n{rows}2026-01-15,PAYMENT - THANK YOU,-9.00,USD\n2026-01-16,Shop,3.00,EUR\n"
    parsed = parse_statement(data.encode())
    assert amounts(parsed) == ["-5.00"] * 4 + ["9.00", "-3.00"]


def test_headings_alone_are_a_statement_without_transactions():
    parsed = parse_statement(b'"Date","Description","Amount","Balance"\n')
    assert parsed.accepted
    assert finding(parsed, "no_rows").level is Level.WARNING


# Bytes


def test_equal_rows_are_all_kept():
    data = b"Date,Description,Amount\n2026-01-30,Tea,-1.50\n2026-01-30,Tea,-1.50\n"
    assert amounts(parse_statement(data)) == ["-1.50", "-1.50"]


SIMPLE = "Date;Text;Betrag\n30.01.2026;Überweisung Köln;-1,50\n31.01.2026;Café;2,50\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"]
)
def test_encodings_are_told_from_the_bytes(encoding):
    parsed = parse_statement(SIMPLE.encode(encoding))
    assert [one.description for one in transactions(parsed)] == ["Überweisung Köln", "Café"]


def test_a_central_european_code_page_is_told_from_its_letters():
    text = "Datum;Popis;Částka\n30.01.2026;Nákup Žďár nad Sázavou, příští;-1,50\n"
    parsed = parse_statement(text.encode("cp1250"))
    assert transactions(parsed)[0].description == "Nákup Žďár nad Sázavou, příští"
    assert finding(parsed, "encoding_guessed").line == 1


def test_a_remembered_encoding_is_used_where_the_bytes_are_not_utf8():
    text = "Дата;Описание;Amount\n30.01.2026;Кофе;-1,50\n"
    parsed = parse_statement(text.encode("cp1251"), mapping=CsvMapping(encoding="cp1251"))
    assert transactions(parsed)[0].description == "Кофе"


def test_bytes_that_are_not_of_the_given_encoding_are_refused():
    data = SIMPLE.encode("cp1252")
    error = only_error(parse_statement(data, mapping=CsvMapping(encoding="utf-8")))
    assert (error.code, error.line) == ("encoding_mismatch", 2)


def test_damaged_utf8_is_read_with_a_warning():
    data = SIMPLE.encode().replace("é".encode(), b"\xc3")
    parsed = parse_statement(data)
    assert finding(parsed, "encoding_damaged").line == 3
    assert len(transactions(parsed)) == 2


def test_nul_bytes_inside_text_are_left_out_with_a_warning():
    parsed = parse_statement(SIMPLE.encode().replace("Café".encode(), b"Ca\x00fe"))
    assert transactions(parsed)[1].description == "Cafe"
    assert finding(parsed, "nul_bytes").line == 3


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "\r\r\n"])
def test_line_ends_of_any_kind_are_one_line(ending):
    parsed = parse_statement(SIMPLE.replace("\n", ending).encode())
    assert [one.line for one in transactions(parsed)] == [2, 3]


def test_a_quoted_line_break_stays_in_its_cell():
    data = b'Date,Description,Amount\n2026-01-30,"Tea\nand ""cake""",-1.50\n2026-01-31,x,1.00\n'
    parsed = parse_statement(data)
    assert transactions(parsed)[0].description == 'Tea and "cake"'
    assert transactions(parsed)[1].line == 4


def test_lines_quoted_as_a_whole_are_unwrapped():
    data = b'"Date,Description,Amount"\n"2026-01-30,""Tea, green"",-1.50"\n'
    assert transactions(parse_statement(data))[0].description == "Tea, green"


def test_excels_separator_line_is_understood():
    assert amounts(parse_statement(b"sep=;\nDate;Text;Amount\n2026-01-30;a,b;-1.50\n")) == ["-1.50"]


def test_a_very_long_text_is_clipped():
    data = f"Date,Description,Amount\n2026-01-30,{'x' * 9000},-1.50\n"
    assert len(transactions(parse_statement(data.encode()))[0].description) == CELL_CHARACTERS_MAX


# Mappings


def test_a_found_mapping_reads_the_same_file_the_same_way():
    data = b"Date,Description,Amount,Balance,Ref\n01/13/2026,Tea,-1.50,98.50,a1\n01/14/2026,Tea,-1.50,97.00,a2\n"
    first = parse_statement(data)
    assert first.mapping is not None
    again = parse_statement(data, mapping=CsvMapping.from_json(first.mapping.to_json()))
    assert again == first


def test_a_remembered_mapping_follows_its_headings_when_the_bank_moves_columns():
    old = parse_statement(b"Date,Description,Amount\n01/13/2026,Tea,-1.50\n").mapping
    assert old is not None
    moved = b"Bank of X\n\nDescription,Fee,Date,Amount\nTea,0.00,02/03/2026,-2.50\n"
    parsed = parse_statement(moved, mapping=old)
    assert [(one.date, str(one.amount)) for one in transactions(parsed)] == [
        (date(2026, 2, 3), "-2.50")
    ]


def test_a_remembered_column_that_is_gone_is_refused_by_name():
    old = parse_statement(b"Date,Description,Amount\n01/13/2026,Tea,-1.50\n").mapping
    parsed = parse_statement(b"Date,Description,Betrag\n02/13/2026,Tea,-2.50\n", mapping=old)
    assert finding(parsed, "column_missing").column == "Amount"


def test_columns_may_be_given_by_heading_and_the_rest_is_found():
    data = b"Date,Charged,Amount,Text\n2026-01-30,2026-02-01,-1.50,Tea\n"
    given = CsvMapping(columns=CsvColumns(date="charged"))
    parsed = parse_statement(data, mapping=given)
    assert transactions(parsed)[0].date == date(2026, 2, 1)
    assert amounts(parsed) == ["-1.50"]


def test_a_column_said_not_to_be_there_is_not_looked_for():
    data = b"Date,Text,Amount,Balance\n2026-01-30,Tea,-1.50,98.50\n2026-01-31,Tea,-1.50,97.00\n"
    given = CsvMapping(columns=CsvColumns(balance=NO_COLUMN))
    assert transactions(parse_statement(data, mapping=given))[0].balance is None


def test_a_header_row_given_by_line_wins():
    data = b"Date,Amount,x\nnotes,,\nWhen,How much,Why\n2026-01-30,-1.50,Tea\n"
    parsed = parse_statement(data, mapping=CsvMapping(header_row=3))
    assert parsed.mapping is not None
    assert parsed.mapping.header == ("When", "How much", "Why")
    assert amounts(parsed) == ["-1.50"]


def test_a_header_row_that_is_not_there_is_refused():
    parsed = parse_statement(b"Date,Amount\n2026-01-30,-1.50\n", mapping=CsvMapping(header_row=9))
    assert finding(parsed, "header_row_missing").line == 9


def test_rows_to_skip_are_skipped():
    data = b"2025-01-01,9.99,old\n2026-01-30,-1.50,Tea\n"
    given = CsvMapping(header_row=0, skip_rows=1)
    assert amounts(parse_statement(data, mapping=given)) == ["-1.50"]


def test_headings_in_an_unknown_language_leave_the_cells_to_tell():
    data = "Päiv;Asia;Rahat\n30.01.2026;kahvi;-1,50\n31.01.2026;palkka;2,50\n"
    parsed = parse_statement(data.encode())
    assert amounts(parsed) == ["-1.50", "2.50"]
    assert parsed.mapping is not None
    assert parsed.mapping.header_row == 1


# Several accounts and currencies


def test_two_currencies_are_two_statements():
    data = b"Date,Text,Amount,Currency\n2026-01-30,a,1.50,EUR\n2026-01-30,b,2.50,USD\n2026-01-31,c,3.50,EUR\n"
    parsed = parse_statement(data)
    assert [(one.currency, len(one.transactions)) for one in parsed.statements] == [
        ("EUR", 2),
        ("USD", 1),
    ]


def test_the_currency_of_a_heading_is_the_statements():
    parsed = parse_statement(b"Date,Text,Amount (CHF)\n2026-01-30,a,1.50\n")
    assert parsed.statements[0].currency == "CHF"


# The screen and the command line


def test_the_preview_shows_raw_rows_and_a_name_for_every_column():
    data = b"My bank\n\nDate,Text,Amount\n" + b"2026-01-30,Tea,-1.50,extra\n" * 40
    assert preview_headings(data) == ["Date", "Text", "Amount", "column 4"]
    rows = preview_rows(data)
    assert len(rows) == 20
    assert rows[:2] == [["My bank"], ["Date", "Text", "Amount"]]


def test_the_preview_of_a_binary_file_is_empty():
    assert preview_rows(b"%PDF-1.4") == []
    assert preview_headings(b"%PDF-1.4") == []


def test_the_document_has_the_shape_of_the_command_line():
    document = to_document(parse_statement(b"Date,Text,Amount,Ref\n2026-01-30,Tea,-1.50,r1\n"))
    assert document["format"] == "csv"
    assert document["statements"] == [
        {
            "account": "",
            "currency": None,
            "opening_balance": None,
            "closing_balance": None,
            "transactions": [
                {"date": "2026-01-30", "amount": "-1.50", "description": "Tea", "reference": "r1"}
            ],
        }
    ]
    refused = to_document(parse_statement(b""))
    assert refused["mapping"] is None
    assert refused["findings"] == [
        {
            "level": "error",
            "line": None,
            "code": "file_empty",
            "message": "The file is empty; export the statement again.",
        }
    ]
