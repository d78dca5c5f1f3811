"""The mapping a person sees, corrects and has remembered."""

from __future__ import annotations

import json

import pytest

from app.statements import NO_COLUMN, CsvColumns, CsvMapping, MappingInvalid

COMPLETE = CsvMapping(
    delimiter=";",
    encoding="cp1252",
    header_row=3,
    skip_rows=2,
    date_format="%d.%m.%Y",
    decimal_sign=",",
    sign=-1,
    indicator_debit=("S",),
    indicator_credit=("H",),
    header=("Datum", "Text", "Betrag", ""),
    columns=CsvColumns(date=0, description=(1, "Zweck"), amount=2, indicator=3, balance=NO_COLUMN),
)


def test_a_mapping_goes_through_json_and_back():
    assert CsvMapping.from_json(json.loads(json.dumps(COMPLETE.to_json()))) == COMPLETE
    assert CsvMapping.from_json(json.dumps(COMPLETE.to_json())) == COMPLETE


def test_what_is_not_said_is_left_out_and_what_is_not_there_is_null():
    document = COMPLETE.to_json()
    assert document["columns"] == {
        "date": 0,
        "description": [1, "Zweck"],
        "amount": 2,
        "indicator": 3,
        "balance": None,
    }
    assert CsvMapping().to_json() == {"header": [], "columns": {}}


def test_an_empty_object_leaves_everything_to_be_found():
    assert CsvMapping.from_json({}) == CsvMapping()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("DD/MM/YYYY", "%d/%m/%Y"),
        ("mm/dd/yy", "%m/%d/%y"),
        ("yyyy-MM-dd", "%Y-%m-%d"),
        ("d.M.yyyy", "%d.%m.%Y"),
        ("DD MMM YYYY", "%d %b %Y"),
    ],
)
def test_date_formats_may_be_written_in_words(written, read):
    assert CsvMapping.from_json({"date_format": written}).date_format == read


@pytest.mark.parametrize(("written", "read"), [("tab", "\t"), ("semicolon", ";"), ("|", "|")])
def test_delimiters_may_be_named(written, read):
    assert CsvMapping.from_json({"delimiter": written}).delimiter == read


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"delimiter": "x"}, "delimiter"),
        ({"delimiter": 5}, "delimiter"),
        ({"encoding": "klingon"}, "encoding"),
        ({"encoding": "rot13"}, "encoding"),
        ({"encoding": 8}, "encoding"),
        ({"header_row": -1}, "header_row"),
        ({"header_row": True}, "header_row"),
        ({"skip_rows": "2"}, "skip_rows"),
        ({"date_format": "%d/%m"}, "date_format"),
        ({"date_format": "%d/%m/%Y %Q"}, "date_format"),
        ({"date_format": "%d/%d/%m/%Y"}, "date_format"),
        ({"date_format": 3}, "date_format"),
        ({"decimal_sign": ";"}, "decimal_sign"),
        ({"sign": 0}, "sign"),
        ({"sign": True}, "sign"),
        ({"indicator_debit": [1]}, "indicator_debit"),
        ({"columns": []}, "columns"),
        ({"columns": {"data": 1}}, "columns"),
        ({"columns": {"date": 1.5}}, "columns"),
        ({"columns": {"date": 500}}, "columns"),
        ({"columns": {"date": -2}}, "columns"),
        ({"columns": {"date": 1, "amount": 1}}, "columns"),
        ({"columns": {"debit": 1, "credit": 1}}, "columns"),
        ({"columns": {"amount": 1, "credit": 2}}, "columns"),
        ({"colums": {}}, "colums"),
    ],
)
def test_a_bad_mapping_is_refused_and_names_the_field(document, field):
    with pytest.raises(MappingInvalid) as refusal:
        CsvMapping.from_json(document)
    assert list(refusal.value.fields) == [field]
    assert f"“{field}”" in refusal.value.detail


@pytest.mark.parametrize("document", ["{", "[]", b"\xff", 5, None])
def test_what_is_no_object_is_refused(document):
    with pytest.raises(MappingInvalid):
        CsvMapping.from_json(document)


def test_all_faults_are_named_at_once():
    with pytest.raises(MappingInvalid) as refusal:
        CsvMapping.from_json({"delimiter": "x", "sign": 7})
    assert set(refusal.value.fields) == {"delimiter", "sign"}


def test_another_heading_row_forgets_what_was_found_and_keeps_what_was_said():
    found = CsvMapping.from_json(COMPLETE.to_json())
    said = found.to_json() | {"header_row": 5, "decimal_sign": "."}
    corrected = found.corrected(said)
    assert (corrected.header_row, corrected.decimal_sign) == (5, ".")
    assert (corrected.delimiter, corrected.encoding) == (";", "cp1252")
    assert (corrected.header, corrected.date_format, corrected.sign) == ((), None, None)
    assert corrected.columns == CsvColumns()


def test_another_column_keeps_the_rest_of_what_was_found():
    said = COMPLETE.to_json()
    said["columns"] = {**said["columns"], "amount": 4}
    corrected = COMPLETE.corrected(said)
    assert corrected.columns.amount == 4
    assert corrected.header == COMPLETE.header
    assert corrected.date_format == COMPLETE.date_format
