"""BAI2: every trap that must be accepted, every wrong total that must be refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from app.kernel.limits import FILE_ROWS_MAX
from app.statements import Level, ParsedFile, ParsedTransaction, parse_statement


def transactions(parsed: ParsedFile) -> list[ParsedTransaction]:
    assert parsed.accepted, parsed.findings
    return [one for statement in parsed.statements for one in statement.transactions]


def codes(parsed: ParsedFile) -> list[str]:
    return [finding.code for finding in parsed.findings]


def errors(parsed: ParsedFile) -> list[str]:
    return [finding.code for finding in parsed.findings if finding.level is Level.ERROR]


def account_file(*records: str, total: int, count: int, head: str = "03,445566,USD,,,,/") -> bytes:
    """Wrap the records of one account; `count` is that of the 49."""
    lines = [
        "01,021000021,TIEOUT,260131,0600,1,80,,2/",
        "02,TIEOUT,021000021,1,260130,2359,USD,2/",
        head,
        *records,
        f"49,{total},{count}/",
        f"98,{total},1,{count + 2}/",
        f"99,{total},1,{count + 4}/",
    ]
    return "\n".join(lines).encode()


def test_a_plain_file_is_accepted_with_signs_from_the_type_codes():
    parsed = parse_statement(
        account_file(
            "16,165,150000,Z,BR1,CR1,ACME PAYMENT/",
            "16,475,25099,0,BR2,1042,CHECK/",
            head="03,445566,USD,010,100000,,,015,224901,,/",
            total=150000 + 25099 + 100000 + 224901,
            count=4,
        )
    )
    credit, debit = transactions(parsed)
    assert parsed.format == "bai2"
    assert parsed.mapping is None
    assert codes(parsed) == []
    assert (credit.amount, credit.bank_id, credit.reference) == (Decimal("1500.00"), "BR1", "CR1")
    assert (debit.amount, debit.line, debit.date) == (Decimal("-250.99"), 5, date(2026, 1, 30))
    statement = parsed.statements[0]
    assert (statement.account, statement.currency) == ("445566", "USD")
    assert (statement.opening_balance, statement.closing_balance) == (
        Decimal("1000.00"),
        Decimal("2249.01"),
    )
    assert statement.closing_date == date(2026, 1, 30)


GOOD = account_file("16,165,150000,Z,,,A/", "16,475,25099,Z,,,B/", total=175099, count=4).decode()


@pytest.mark.parametrize(
    ("right", "wrong", "code", "column"),
    [
        ("49,175099,4/", "49,175098,4/", "control_total_wrong", "account control total"),
        ("98,175099,1,6/", "98,175100,1,6/", "control_total_wrong", "group control total"),
        ("99,175099,1,8/", "99,175100,1,8/", "control_total_wrong", "file control total"),
        ("49,175099,4/", "49,175099,5/", "control_count_wrong", "record count"),
        ("98,175099,1,6/", "98,175099,2,6/", "control_count_wrong", "number of accounts"),
        ("98,175099,1,6/", "98,175099,1,7/", "control_count_wrong", "record count"),
        ("99,175099,1,8/", "99,175099,3,8/", "control_count_wrong", "number of groups"),
        ("99,175099,1,8/", "99,175099,1,9/", "control_count_wrong", "record count"),
    ],
)
def test_each_control_off_by_one_is_refused_with_its_line_and_field(right, wrong, code, column):
    parsed = parse_statement(GOOD.replace(right, wrong).encode())
    assert not parsed.accepted
    assert parsed.statements == ()
    found = next(one for one in parsed.findings if one.level is Level.ERROR)
    assert (found.code, found.column) == (code, column)
    assert found.line == GOOD[: GOOD.index(right)].count("\n") + 1
    assert found.message.startswith(f"Line {found.line}, field {column}:")


def test_a_file_without_its_end_is_refused():
    parsed = parse_statement("\n".join(GOOD.splitlines()[:-2]).encode())
    assert errors(parsed) == ["file_incomplete"]


def test_a_missing_continuation_is_noticed_by_the_count():
    data = account_file("16,174,25001,Z,,,A/", "88,MORE/", total=25001, count=4)
    assert parse_statement(data).accepted
    assert "control_count_wrong" in errors(parse_statement(data.replace(b"88,MORE/\n", b"")))


def test_a_summary_cut_in_two_by_a_continuation_is_joined():
    parsed = parse_statement(
        account_file(
            "88,040,5000,,,072,100,,/",
            "16,165,700,Z,,,A/",
            head="03,1,USD,010,30000,,,015/",
            total=0,
            count=4,
        )
        .replace(b"88,040,5000", b"88,30700,,,040,5000")
        .replace(b"49,0,", b"49,66500,")
        .replace(b"98,0,", b"98,66500,")
        .replace(b"99,0,", b"99,66500,")
    )
    assert errors(parsed) == []
    assert parsed.statements[0].closing_balance == Decimal("307.00")


def test_an_empty_field_before_a_continuation_is_no_type_code():
    data = account_file("88,015,200,,/", head="03,1,USD,010,100,,,/", total=300, count=3)
    parsed = parse_statement(data)
    assert errors(parsed) == []
    assert parsed.statements[0].closing_balance == Decimal("2.00")


@pytest.mark.parametrize(
    ("funds", "value_date"),
    [
        ("", None),
        ("Z", None),
        ("0", None),
        ("1", None),
        ("2", None),
        ("S,300,200,200", None),
        ("V,260201,", date(2026, 2, 1)),
        ("V,260201,1200", date(2026, 2, 1)),
        ("V,260201,12:00:00", date(2026, 2, 1)),
        ("V,,", None),
        ("D,2,0,500,1,200", None),
    ],
)
def test_every_funds_type_leaves_references_and_text_in_place(funds, value_date):
    parsed = parse_statement(
        account_file(f"16,165,700,{funds},BANKREF,CUSTREF,T, EXT/", total=700, count=3)
    )
    (one,) = transactions(parsed)
    assert (one.bank_id, one.reference, one.description) == ("BANKREF", "CUSTREF", "T, EXT")
    assert one.value_date == value_date
    assert one.amount == Decimal("7.00")


def test_funds_types_in_summaries_are_stepped_over():
    head = "03,1,USD,010,100,,,072,900,2,S,300,300,300,045,50,,V,260201,1200,015,300,,D,1,0,300/"
    parsed = parse_statement(account_file(head=head, total=1350, count=2))
    assert errors(parsed) == []
    assert parsed.statements[0].closing_balance == Decimal("3.00")


def test_an_unknown_funds_type_is_refused():
    parsed = parse_statement(account_file("16,165,700,Q,,,x/", total=700, count=3))
    assert "field_invalid" in errors(parsed)


def test_fields_cut_by_a_continuation_go_on_and_then_become_text():
    data = account_file(
        "16,115,900,S,100,200/", "88,600/REF9,CUST9,LOCKBOX", "88,DEPOSIT/", total=900, count=5
    )
    (one,) = transactions(parse_statement(data))
    assert (one.bank_id, one.reference, one.description) == ("REF9", "CUST9", "LOCKBOX DEPOSIT")


def test_slashes_inside_text_and_at_the_start_of_a_continuation_stay():
    data = account_file(
        "16,195,900,,,,FED NO: 1/2 A", "88,ADDRESS 2/AV MAIN 3/MX", "88,/MEXICO", total=900, count=5
    )
    (one,) = transactions(parse_statement(data))
    assert one.description == "FED NO: 1/2 A ADDRESS 2/AV MAIN 3/MX /MEXICO"


def test_text_that_looks_like_a_record_stays_text_when_the_totals_say_so():
    data = account_file("16,195,900,,,,PAID 50/16,475,100,Z,,,NO RECORD/", total=900, count=3)
    (one,) = transactions(parse_statement(data))
    assert one.description == "PAID 50/16,475,100,Z,,,NO RECORD"


def test_several_records_on_one_physical_line_are_told_apart():
    records = account_file(
        "16,165,700,Z,,,FIRST ONE/", "16,475,100,Z,,,SECOND/", "88,MORE/", total=800, count=5
    )
    parsed = parse_statement(records.replace(b"\n", b""))
    assert [str(one.amount) for one in transactions(parsed)] == ["7.00", "-1.00"]
    assert transactions(parsed)[1].description == "SECOND MORE"


def test_wrapped_text_belongs_to_the_record_above():
    data = account_file(
        "16,165,700,Z,,,LONG", "TEXT 12,50 WRAPPED/", "12,50 PAID/", total=700, count=3
    )
    data = data.replace(b"WRAPPED/\n12,50", b"WRAPPED\n12,50")
    (one,) = transactions(parse_statement(data))
    assert one.description == "LONG TEXT 12,50 WRAPPED 12,50 PAID"


def test_fields_wrapped_in_the_middle_of_an_amount_are_joined():
    data = account_file("16,165,15", "0000,Z,,,A/", total=150000, count=3)
    assert transactions(parse_statement(data))[0].amount == Decimal("1500.00")


def test_a_blank_account_total_is_zero():
    data = account_file(total=0, count=2).replace(b"49,0,", b"49,,")
    assert parse_statement(data).accepted


def test_a_blank_count_is_pointed_out():
    parsed = parse_statement(account_file(total=0, count=2).replace(b"49,0,2/", b"49,0,/"))
    assert codes(parsed) == ["control_count_blank"]


def test_signed_summaries_add_up_as_written():
    data = account_file(head="03,1,USD,010,-500,,,015,+200,,/", total=-300, count=2)
    parsed = parse_statement(data)
    assert parsed.accepted
    assert parsed.statements[0].opening_balance == Decimal("-5.00")


def test_currency_comes_from_the_account_then_the_group_then_the_caller():
    stated = parse_statement(
        account_file("16,165,700,Z,,,A/", head="03,1,JPY,/", total=700, count=3)
    )
    assert (stated.statements[0].currency, transactions(stated)[0].amount) == ("JPY", Decimal(700))
    group = parse_statement(
        account_file("16,165,700,Z,,,A/", head="03,1,,/", total=700, count=3).replace(
            b"USD", b"KWD"
        )
    )
    assert (group.statements[0].currency, transactions(group)[0].amount) == (
        "KWD",
        Decimal("0.700"),
    )
    nowhere = account_file("16,165,700,Z,,,A/", head="03,1,,/", total=700, count=3).replace(
        b"USD", b""
    )
    assert parse_statement(nowhere).statements[0].currency == "USD"
    assert parse_statement(nowhere, currency="EUR").statements[0].currency == "EUR"


def test_an_account_in_another_currency_is_refused():
    parsed = parse_statement(account_file(total=0, count=2), currency="EUR")
    assert errors(parsed) == ["currency_mismatch"]


@pytest.mark.parametrize(
    ("type_code", "amount", "warned"),
    [
        ("399", "7.00", False),
        ("400", "-7.00", False),
        ("699", "-7.00", False),
        ("721", "7.00", False),
        ("760", "-7.00", False),
        ("930", "7.00", True),
        ("970", "-7.00", True),
        ("905", "7.00", True),
        ("710", "7.00", True),
    ],
)
def test_unknown_type_codes_are_kept_with_a_warning(type_code, amount, warned):
    parsed = parse_statement(account_file(f"16,{type_code},700,Z,,,A/", total=700, count=3))
    assert str(transactions(parsed)[0].amount) == amount
    assert ("type_code_unknown" in codes(parsed)) is warned


def test_balances_tell_which_way_an_unknown_code_went():
    data = account_file(
        "16,905,700,Z,,,A/", head="03,1,USD,010,1000,,,015,300,,/", total=2000, count=3
    )
    assert str(transactions(parse_statement(data))[0].amount) == "-7.00"


def test_a_signed_debit_is_money_out_and_pointed_out():
    parsed = parse_statement(account_file("16,475,-700,Z,,,A/", total=-700, count=3))
    assert str(transactions(parsed)[0].amount) == "-7.00"
    assert codes(parsed) == ["amount_signed"]


def test_details_that_do_not_lead_to_the_closing_balance_are_pointed_out():
    data = account_file(
        "16,165,700,Z,,,A/", head="03,1,USD,010,100,,,015,900,,/", total=1700, count=3
    )
    assert codes(parse_statement(data)) == ["balance_not_proven"]


def test_a_transaction_without_text_is_named_by_its_reference_or_type():
    data = account_file("16,475,700,Z,,1042/", "16,698,100,Z/", total=800, count=4)
    assert [one.description for one in transactions(parse_statement(data))] == [
        "1042",
        "Miscellaneous fees",
    ]


def test_several_groups_and_accounts_are_several_statements():
    data = b"""\
01,B,T,260131,0600,1,,,2/
02,T,B,1,260130,,USD,2/
03,111,,/
16,165,100,Z,,,A/
49,100,3/
03,222,EUR,/
16,475,300,Z,,,B/
49,300,3/
98,400,2,8/
02,T,B,1,260131,2400,GBP,2/
03,111,,/
49,0,2/
98,0,1,4/
99,400,2,14/
"""
    parsed = parse_statement(data)
    assert errors(parsed) == []
    assert [(one.account, one.currency) for one in parsed.statements] == [
        ("111", "USD"),
        ("222", "EUR"),
        ("111", "GBP"),
    ]
    assert [one.date.day for one in transactions(parsed)] == [30, 30]


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [
        ("02,TIEOUT,021000021,1,260130", "02,TIEOUT,021000021,1,20260130", "as-of date"),
        ("02,TIEOUT,021000021,1,260130", "02,TIEOUT,021000021,1,260230", "as-of date"),
        ("01,021000021,TIEOUT,260131", "01,021000021,TIEOUT,20260131", "creation date"),
        ("16,165,150000", "16,165,1500.00", "amount"),
        ("16,165,150000", "16,165,1500000000000000000", "amount"),
        ("16,165,150000", "16,ABC,150000", "type code"),
        ("03,445566,USD", "03,,USD", "account number"),
        ("03,445566,USD", "03,445566,DOLLAR", "currency"),
        ("03,445566,USD,,", "03,445566,USD,01,100,,", "type code"),
        ("16,165,150000,Z", "16,165,150000,V,bad,", "value date"),
    ],
)
def test_a_field_that_cannot_be_read_is_refused_by_name(old, new, column):
    parsed = parse_statement(GOOD.replace(old, new).encode())
    assert column in [one.column for one in parsed.findings if one.level is Level.ERROR]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("00,1/2/3,,/\n", "record_code_unknown"),
        ("01,A,B,260131,,1,,,2/\n16,165,1,Z,,,A/\n99,0,0,2/\n", "record_out_of_place"),
        ("01,A,B,260131,,1,,,2/\n03,1,,/\n49,0,2/\n99,0,0,2/\n", "record_out_of_place"),
        ("01,A,B,260131,,1,,,2/\n01,A,B,260131,,1,,,2/\n99,0,0,2/\n", "record_out_of_place"),
        (
            "01,A,B,260131,,1,,,2/\n02,A,B,1,260131,,,/\n98,0,0,2/\n98,0,0,2/\n99,0,0,2/\n",
            "record_out_of_place",
        ),
        ("99,0,0,2/\n", "file_incomplete"),
    ],
)
def test_records_that_are_unknown_or_out_of_place_are_refused(data, code):
    assert code in errors(parse_statement(data.encode(), format="bai2"))


def test_an_unknown_record_between_closed_records_is_refused():
    data = account_file("16,165,700,Z,,,A/", "77,WHAT/", total=700, count=3)
    assert errors(parse_statement(data)) == ["record_code_unknown"]


def test_deletions_are_refused_and_test_data_is_pointed_out():
    assert "group_deletes" in errors(
        parse_statement(GOOD.replace("021000021,1,26", "021000021,2,26").encode())
    )
    assert codes(parse_statement(GOOD.replace("021000021,1,26", "021000021,4,26").encode())) == [
        "group_is_test"
    ]


def test_another_version_is_pointed_out():
    assert codes(parse_statement(GOOD.replace("80,,2/", "80,,1/").encode())) == ["version_not_2"]


def test_windows_line_ends_padding_and_an_end_of_file_mark_are_understood():
    padded = "\r\n".join(line.ljust(80) for line in GOOD.splitlines()) + "\r\n\x1a"
    assert len(transactions(parse_statement(padded.encode()))) == 2


def test_the_row_limit_holds_for_transactions():
    def file_of(count: int) -> bytes:
        return account_file(*["16,165,1,Z,,,A/"] * count, total=count, count=count + 2)

    assert parse_statement(file_of(FILE_ROWS_MAX)).rows_read == FILE_ROWS_MAX
    assert "too_many_rows" in errors(parse_statement(file_of(FILE_ROWS_MAX + 1)))
