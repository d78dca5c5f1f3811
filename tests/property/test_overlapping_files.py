"""Any cut of a statement into files of whole days, in any order, any number of times."""

from collections import Counter
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.connections.fingerprints import KnownRow, SourceRow, plain_text, plan_import, source_keys

FIRST_DAY = date(2026, 10, 1)
DAYS = 8

rows_of_a_statement = st.lists(
    st.builds(
        SourceRow,
        line=st.just(1),
        posted_date=st.integers(0, DAYS - 1).map(lambda n: FIRST_DAY + timedelta(days=n)),
        value_date=st.none(),
        # Few values on purpose: twins, and equal amounts with another text, abound.
        amount_minor=st.sampled_from([-1400, -1400, 150_000, 0]),
        description=st.sampled_from(["PARKING", "Parking!", "RETAINER", ""]),
        counterparty=st.just(""),
        reference=st.sampled_from(["", "1036"]),
        bank_id=st.sampled_from(["", " ", "9998", "7"]),
    ),
    max_size=40,
)
files = st.lists(st.tuples(st.integers(0, DAYS - 1), st.integers(0, DAYS - 1)), max_size=12)


def uploaded(statement, known, first, last):
    rows = [row for row in statement if first <= row.posted_date <= last]
    plan = plan_import(rows, source_keys(rows), known)
    assert len(plan.new) + len(plan.present) + len(plan.probable) == len(rows)
    assert len(set(plan.keys)) == len(rows)  # or the database would refuse the file
    assert not plan.probable  # one text per transaction: there is nothing to doubt
    return [
        (
            rows[at],
            KnownRow(plan.keys[at], rows[at].posted_date, rows[at].amount_minor, "any"),
        )
        for at in plan.new
    ]


def facts(row):
    """What makes two rows one transaction: the bank's id, else the words."""
    identity = row.bank_id.strip() or (plain_text(row.description), row.reference)
    return row.posted_date, row.amount_minor, identity


@given(rows_of_a_statement, files, st.randoms())
def test_overlapping_files_in_any_order_yield_the_statement(statement, spans, random):
    spans = [tuple(sorted(span)) for span in spans]
    covered = {day for first, last in spans for day in range(first, last + 1)}
    rest = sorted(set(range(DAYS)) - covered)
    spans = [*spans, *((day, day) for day in rest)]
    random.shuffle(spans)
    spans = [span for span in spans for _ in range(random.choice([1, 1, 2]))]

    stored, known = [], []
    for first, last in spans:
        added = uploaded(
            statement, known, FIRST_DAY + timedelta(days=first), FIRST_DAY + timedelta(days=last)
        )
        stored += [row for row, _ in added]
        known += [row for _, row in added]

    assert Counter(map(facts, stored)) == Counter(map(facts, statement))
