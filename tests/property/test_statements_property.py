"""Invariants of the bank file readers: no bytes raise, nothing is lost, totals are proven."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from decimal import Decimal

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from app.kernel.limits import CELL_CHARACTERS_MAX, FINDINGS_MAX
from app.statements import (
    CsvMapping,
    ParsedFile,
    parse_statement,
    preview_headings,
    preview_rows,
    to_document,
)

few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

FRAGMENTS = [
    b"01,A,B,260131,0600,1,,,2/",
    b"02,B,A,1,260130,,USD,2/",
    b"03,1,USD,010,100,,/",
    b"16,165,1,Z,,,x/",
    b"16,475",
    b"88,",
    b"49,1,2/",
    b"98,1,1,4/",
    b"99,1,1,6/",
    b"/",
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r",
    b'"',
    b"\x00",
    b"Date",
    b"Amount",
    b"Debit",
    b"Credit",
    b"Balance",
    b"Type",
    b"2026-01-31",
    b"31/01/2026",
    b"01/02/26",
    b"1.234,56",
    b"-12.50",
    b"(3.00)",
    b"5 CR",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xe9",
    b"sep=;",
    b"EUR",
    b"D",
    b"'",
    b"=",
]
any_bytes = st.one_of(
    st.binary(max_size=400), st.lists(st.sampled_from(FRAGMENTS), max_size=60).map(b"".join)
)


def within_bounds(parsed: ParsedFile) -> bool:
    texts = [
        text
        for statement in parsed.statements
        for one in statement.transactions
        for text in (one.description, one.reference, one.bank_id, one.counterparty)
    ]
    return len(parsed.findings) <= FINDINGS_MAX + 1 and all(
        len(text) <= CELL_CHARACTERS_MAX for text in texts
    )


@settings(max_examples=400, deadline=None)
@given(any_bytes, st.sampled_from([None, "csv", "bai2"]), st.sampled_from([None, "USD", "JPY"]))
def test_no_bytes_raise_and_what_is_refused_keeps_nothing(data, kind, currency):
    parsed = parse_statement(data, format=kind, currency=currency)
    assert within_bounds(parsed)
    assert parsed.accepted or parsed.statements == ()
    assert all(finding.message.endswith(".") for finding in parsed.findings)
    assert set(to_document(parsed)) == {"format", "mapping", "statements", "findings"}
    preview_rows(data)
    preview_headings(data)
    if parsed.mapping is not None:
        assert CsvMapping.from_json(parsed.mapping.to_json()) == parsed.mapping


@few
@given(any_bytes)
def test_an_accepted_csv_accounts_for_every_row(data):
    parsed = parse_statement(data, format="csv")
    if parsed.accepted:
        taken = sum(len(statement.transactions) for statement in parsed.statements)
        assert parsed.rows_read == taken + parsed.rows_skipped


text = st.text(
    st.sampled_from("abcdefghij KLMNOP ÄÖÜéñ 0123456789 -_'\"#*&;,|./\t"), min_size=3, max_size=30
).map(lambda value: f"Shop {value.strip()}".strip())
row = st.tuples(
    st.dates(date(2000, 1, 1), date(2068, 12, 31)),
    text,
    st.integers(-99_999_999, 99_999_999).filter(bool),
)
dialect = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from([",", ";", "\t", "|"]),
        "date_format": st.sampled_from(
            ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y%m%d", "%d %b %Y"]
        ),
        "decimal_sign": st.sampled_from([".", ","]),
        "thousands": st.sampled_from(["", "'", " ", "\u00a0"]),
        "encoding": st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
        "ending": st.sampled_from(["\n", "\r\n", "\r"]),
        "layout": st.sampled_from(["amount", "sides", "indicator"]),
        "balance": st.booleans(),
        "newest_first": st.booleans(),
        "preamble": st.integers(0, 3),
    }
)


def amount_text(minor: int, chosen: dict) -> str:
    whole, cents = divmod(abs(minor), 100)
    grouped = f"{whole:,}".replace(",", chosen["thousands"])
    return f"{'-' if minor < 0 else ''}{grouped}{chosen['decimal_sign']}{cents:02d}"


def money_cells(minor: int, chosen: dict) -> list[str]:
    if chosen["layout"] == "amount":
        return [amount_text(minor, chosen)]
    if chosen["layout"] == "indicator":
        return [amount_text(abs(minor), chosen), "D" if minor < 0 else "C"]
    return [amount_text(-minor, chosen), ""] if minor < 0 else ["", amount_text(minor, chosen)]


def written(rows: list, chosen: dict) -> bytes:
    headings = {"amount": ["Amount"], "indicator": ["Amount", "D/C"], "sides": ["Debit", "Credit"]}
    out = io.StringIO()
    writer = csv.writer(out, delimiter=chosen["delimiter"], lineterminator=chosen["ending"])
    for index in range(chosen["preamble"]):
        writer.writerow([f"Statement part {index}"])
    writer.writerow(
        [
            "Date",
            "Description",
            *headings[chosen["layout"]],
            *(["Balance"] if chosen["balance"] else []),
        ]
    )
    balance, lines = 0, []
    for day, description, minor in rows:
        balance += minor
        lines.append(
            [day.strftime(chosen["date_format"]), description, *money_cells(minor, chosen)]
            + ([amount_text(balance, chosen)] if chosen["balance"] else [])
        )
    writer.writerows(lines[::-1] if chosen["newest_first"] else lines)
    return out.getvalue().encode(chosen["encoding"])


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(row, min_size=1, max_size=12), dialect)
def test_rows_written_in_any_dialect_are_read_back(rows, chosen):
    rows = sorted(rows, key=lambda one: one[0])
    parsed = parse_statement(written(rows, chosen))
    if any(finding.code == "date_order_ambiguous" for finding in parsed.findings):
        assume(chosen["date_format"] in {"%d/%m/%Y", "%m/%d/%Y"})
        parsed = parse_statement(
            written(rows, chosen), mapping=CsvMapping(date_format=chosen["date_format"])
        )
    assert parsed.accepted, parsed.findings
    got = [
        (one.date, one.description, one.amount)
        for statement in parsed.statements
        for one in statement.transactions
    ]
    expected = [(day, " ".join(words.split()), Decimal(minor) / 100) for day, words, minor in rows]
    assert got == (expected[::-1] if chosen["newest_first"] else expected)
    assert parsed.rows_skipped == 0
    if chosen["balance"] and len(rows) > 1:
        assert (
            parsed.statements[0].closing_balance
            == Decimal(sum(minor for _, _, minor in rows)) / 100
        )


details = st.lists(
    st.tuples(
        st.sampled_from([100, 165, 195, 399, 400, 475, 699]),
        st.integers(0, 10**11),
        st.sampled_from(["", "Z", "0", "1", "V,260131,", "V,260131,0930", "S,1,2,3", "D,1,0,5"]),
        st.lists(st.sampled_from(["", "PAYMENT", "A, B", "2/AV", "/X", "INV 12,50"]), max_size=3),
    ),
    max_size=6,
)
accounts = st.lists(st.tuples(details, st.integers(-(10**9), 10**9)), min_size=1, max_size=3)


def bai2_file(groups: list) -> str:
    lines = ["01,BANK,TIEOUT,260131,0600,1,80,,2/"]
    file_total = file_count = 0
    for group in groups:
        group_lines = ["02,TIEOUT,BANK,1,260130,2359,USD,2/"]
        group_total = 0
        for number, (rows, closing) in enumerate(group):
            account_lines = [f"03,{1000 + number},USD,015,{closing},,/"]
            total = closing
            for type_code, amount, funds, texts in rows:
                first, *more = texts or [""]
                account_lines.append(
                    f"16,{type_code},{amount},{funds},BR,CR,{first}".rstrip()
                    + ("/" if not first else "")
                )
                account_lines += [f"88,{one}" for one in more]
                total += amount
            account_lines.append(f"49,{total},{len(account_lines) + 1}/")
            group_lines += account_lines
            group_total += total
        group_lines.append(f"98,{group_total},{len(group)},{len(group_lines) + 1}/")
        lines += group_lines
        file_total += group_total
    file_count = len(lines) + 1
    return "\n".join([*lines, f"99,{file_total},{len(groups)},{file_count}/"])


@few
@given(st.lists(accounts, min_size=1, max_size=3))
def test_a_bai2_file_with_right_totals_is_accepted_with_every_amount(groups):
    parsed = parse_statement(bai2_file(groups).encode())
    assert parsed.accepted, parsed.findings
    got = [one.amount for statement in parsed.statements for one in statement.transactions]
    expected = [
        Decimal(amount if type_code < 400 else -amount) / 100
        for group in groups
        for rows, _ in group
        for type_code, amount, _, _ in rows
    ]
    assert got == expected


@few
@given(st.lists(accounts, min_size=1, max_size=2), st.data())
def test_any_single_changed_digit_of_an_amount_is_refused(groups, data):
    whole = bai2_file(groups)
    spans = [
        position
        for match in re.finditer(
            r"^(?:16,\d{3}|03,\d+,USD,015|49|98|99),-?(\d+)", whole, re.MULTILINE
        )
        for position in range(*match.span(1))
    ]
    position = data.draw(st.sampled_from(spans))
    digit = data.draw(st.sampled_from("0123456789").filter(lambda one: one != whole[position]))
    changed = whole[:position] + digit + whole[position + 1 :]
    parsed = parse_statement(changed.encode())
    if re.search(r"-0+\b", changed) and not re.search(r"-0+\b", whole):
        assume(False)
    assert not parsed.accepted
    assert parsed.statements == ()


@few
@given(st.lists(accounts, min_size=1, max_size=2), st.data())
def test_a_bai2_file_cut_off_anywhere_is_refused(groups, data):
    whole = bai2_file(groups)
    end = data.draw(st.integers(0, whole.rindex("\n")))
    assert not parse_statement(whole[:end].encode(), format="bai2").accepted
