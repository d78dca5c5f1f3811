from dataclasses import replace
from datetime import date

from app.connections.fingerprints import (
    KnownRow,
    SourceRow,
    plain_text,
    source_keys,
)
from app.connections.fingerprints import plan_import as plan_with_keys

ROW = SourceRow(
    line=2,
    posted_date=date(2026, 10, 3),
    value_date=None,
    amount_minor=-450,
    description="COFFEE  House, 12",
    counterparty="",
    reference="",
    bank_id="",
)


def plan_import(rows, known):
    return plan_with_keys(rows, source_keys(rows), known)


def known(row, key=None, text=None):
    return KnownRow(
        key or source_keys([row])[0],
        row.posted_date,
        row.amount_minor,
        row.description if text is None else text,
    )


def stored(rows):
    keys = source_keys(rows)
    return [
        KnownRow(key, row.posted_date, row.amount_minor, row.description)
        for key, row in zip(keys, rows, strict=True)
    ]


def test_two_equal_rows_of_one_file_are_two():
    plan = plan_import([ROW, ROW], [])
    assert plan.new == (0, 1)
    assert len(set(plan.keys)) == 2


def test_the_same_file_again_is_present_altogether():
    rows = [ROW, ROW, replace(ROW, amount_minor=-451)]
    plan = plan_import(rows, stored(rows))
    assert (plan.new, plan.present, plan.probable) == ((), (0, 1, 2), ())


def test_the_second_twin_of_a_day_is_new_when_only_one_is_stored():
    plan = plan_import([ROW, ROW], stored([ROW]))
    assert (plan.new, plan.present, plan.probable) == ((1,), (0,), ())


def test_case_punctuation_and_spaces_do_not_make_a_row_another():
    other = replace(ROW, description=" coffee house 12 ", line=9)
    assert source_keys([other]) == source_keys([ROW])
    assert plain_text("Ｃafé-Bar", "№ 7") == "café bar no 7"


def test_words_reference_date_and_amount_make_a_row_another():
    changes = (
        {"description": "COFFEE HOUSE 13"},
        {"reference": "A1"},
        {"posted_date": date(2026, 10, 4)},
        {"amount_minor": 450},
    )
    keys = {source_keys([replace(ROW, **change)])[0] for change in changes}
    assert len(keys | set(source_keys([ROW]))) == 5


def test_a_bank_id_outweighs_the_text():
    first = replace(ROW, bank_id="9001")
    assert source_keys([replace(first, description="Renamed")]) == source_keys([first])
    assert source_keys([replace(first, bank_id="9002")]) != source_keys([first])


def test_a_bank_id_that_the_bank_repeats_counts_only_with_date_and_amount():
    fee = replace(ROW, bank_id="9998")
    rows = [fee, replace(fee, amount_minor=-1), replace(fee, posted_date=date(2026, 10, 4)), fee]
    assert len(set(source_keys(rows))) == 4


def test_a_blank_bank_id_is_none():
    assert source_keys([replace(ROW, bank_id="  ")]) == source_keys([ROW])


def test_another_text_for_an_equal_date_and_amount_is_for_a_person_to_decide():
    plan = plan_import([replace(ROW, description="POS COFFEE HSE")], [known(ROW)])
    assert (plan.new, plan.present) == ((), ())
    assert [(pair.row, pair.known) for pair in plan.probable] == [(0, 0)]


def test_a_stored_row_that_the_file_accounts_for_makes_no_other_row_doubtful():
    retainer = replace(ROW, amount_minor=150_000, description="RETAINER ALPHA")
    other = replace(retainer, description="RETAINER BETA")
    plan = plan_import([retainer, other], stored([retainer]))
    assert (plan.new, plan.present, plan.probable) == ((1,), (0,), ())


def test_the_more_similar_text_is_the_doubtful_one():
    rows = [replace(ROW, description="TEA ROOM"), replace(ROW, description="COFFEE HOUSE 12 SEA")]
    plan = plan_import(rows, [known(ROW)])
    assert plan.new == (0,)
    assert [(pair.row, pair.known) for pair in plan.probable] == [(1, 0)]


def test_no_more_rows_are_doubtful_than_are_stored():
    rows = [replace(ROW, description=f"OTHER {n}") for n in range(60)]
    plan = plan_import(rows, [known(replace(ROW, description=f"STORED {n}")) for n in range(50)])
    assert len(plan.probable) == 50
    assert len(plan.new) == 10
    assert len({pair.known for pair in plan.probable}) == 50


def test_the_digest_names_the_doubtful_rows_and_is_empty_without_any():
    assert plan_import([ROW], []).digest() == ""
    other = replace(ROW, description="OTHER")
    once = plan_import([other], [known(ROW)]).digest()
    assert once == plan_import([other, replace(ROW, amount_minor=7)], [known(ROW)]).digest()
    assert once != plan_import([replace(ROW, description="THIRD")], [known(ROW)]).digest()
