import pytest

from app.kernel.errors import Invalid
from app.statements.mapping import NO_COLUMN, CsvColumns, CsvMapping
from app.web.csv_reading import corrected_mapping, date_format_words, encoding_words

CURRENT = CsvMapping(
    delimiter=",",
    encoding="utf-8",
    header_row=1,
    skip_rows=0,
    date_format="%m/%d/%Y",
    decimal_sign=".",
    sign=1,
    header=("Date", "Text", "Memo", "Amount"),
    columns=CsvColumns(date=0, description=(1,), amount=3),
)
FORM = {
    "date_format": "%d/%m/%Y",
    "decimal_sign": ".",
    "sign": "-1",
    "delimiter": ",",
    "header_row": "1",
    "encoding": "utf-8",
    "indicator_debit": "",
    "indicator_credit": "",
    "column-0": "date",
    "column-1": "description",
    "column-2": "description",
    "column-3": "amount",
}


def test_a_person_corrects_dates_sign_and_columns():
    mapping = corrected_mapping(CURRENT, FORM)
    assert (mapping.date_format, mapping.sign, mapping.header) == ("%d/%m/%Y", -1, CURRENT.header)
    assert (mapping.columns.date, mapping.columns.amount) == (0, 3)
    assert mapping.columns.description == (1, 2)
    assert mapping.columns.balance == NO_COLUMN


def test_what_is_left_empty_stays_as_it_was():
    mapping = corrected_mapping(CURRENT, {"date_format": "", "decimal_sign": ","})
    assert (mapping.date_format, mapping.decimal_sign) == ("%m/%d/%Y", ",")
    assert mapping.columns == CURRENT.columns


@pytest.mark.parametrize(
    "change", [{"delimiter": ";"}, {"header_row": "4"}, {"encoding": "cp1252"}]
)
def test_when_the_cut_changes_the_columns_are_found_again(change):
    mapping = corrected_mapping(CURRENT, FORM | change)
    assert mapping.columns == CsvColumns()
    assert (mapping.header, mapping.skip_rows) == ((), None)
    assert mapping.date_format == "%d/%m/%Y"


def test_a_tab_is_no_change_when_it_was_a_tab():
    tabbed = corrected_mapping(CURRENT, FORM | {"delimiter": "tab"})
    assert tabbed.delimiter == "\t"
    assert corrected_mapping(tabbed, FORM | {"delimiter": "tab"}).columns.date == 0


def test_words_for_in_and_out_are_divided_by_commas():
    form = FORM | {"indicator_debit": "DR, Debit ,", "column-2": "indicator"}
    mapping = corrected_mapping(CURRENT, form)
    assert mapping.indicator_debit == ("DR", "Debit")
    assert mapping.columns.indicator == 2


def test_two_columns_cannot_be_the_amount():
    with pytest.raises(Invalid) as refusal:
        corrected_mapping(CURRENT, FORM | {"column-2": "amount"})
    assert list(refusal.value.fields) == ["column-3"]


@pytest.mark.parametrize(
    ("field", "text"), [("header_row", "first"), ("sign", "plus"), ("date_format", "%H")]
)
def test_a_value_that_is_none_names_its_field(field, text):
    with pytest.raises(Invalid) as refusal:
        corrected_mapping(CURRENT, FORM | {field: text})
    assert list(refusal.value.fields) == [field]


def test_choices_hold_what_the_file_has_even_if_it_is_rare():
    assert date_format_words("%d.%B %y")[0] == ("%d.%B %y", "31.October 26")
    assert ("%m/%d/%Y", "10/31/2026") in date_format_words(None)
    assert encoding_words("koi8-r")[0] == ("koi8-r", "KOI8-R")
    assert len(encoding_words("utf-8")) == len(encoding_words(None))
