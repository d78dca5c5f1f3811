"""Whatever is imported, posted and reversed: journals balance, and repeating changes nothing."""

from collections import defaultdict
from datetime import date, timedelta

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.audit import trail
from app.kernel.errors import Refusal
from app.kernel.ids import new_id
from app.kernel.money import decimal_text
from app.ledger.import_file import LedgerFileRefused, read_ledger_file
from app.ledger.imports import import_ledger_now
from app.ledger.journals import JournalDraft, JournalLine, post_journal, reverse_journal
from app.models import GlEntry, JournalEntry, JournalSource, db
from app.people.organizations import create_organization
from app.people.sign_in import actor_of
from app.tenancy.scope import organization_scope, owned
from tests.conftest import PASSWORD
from tests.ledger_books import accounts, books_snapshot, entries, journal_sums

FIRST_DAY = date(2026, 1, 1)
REUSED = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

days = st.integers(0, 40).map(lambda offset: FIRST_DAY + timedelta(days=offset))
amounts = st.integers(-99_999, 99_999).filter(bool)
numbers = st.sampled_from(["1010", "2010", "5000"])
texts = st.sampled_from(["Rent", 'a "quoted" word', "semi;colon, comma", "café 日本", ""])


@st.composite
def plain_rows(draw):
    ids = draw(st.lists(st.integers(0, 15), min_size=1, max_size=8, unique=True))
    return [
        (f"E{i}", draw(numbers), draw(days), draw(amounts), draw(texts), "") for i in sorted(ids)
    ]


@st.composite
def journal_rows(draw):
    """One journal of two or three lines that sum to zero; its names overlap with other files'."""
    name = draw(st.sampled_from(["J-1", "J-2", "JE-0003"]))
    day, parts = draw(days), draw(st.lists(amounts, min_size=1, max_size=2))
    signed = [*parts, -sum(parts)]
    return [
        (f"{name}/{i}", draw(numbers), day, minor, "line", name) for i, minor in enumerate(signed)
    ]


both = st.tuples(plain_rows(), journal_rows()).map(lambda two: two[0] + two[1])
files = st.one_of(plain_rows(), journal_rows(), both)


def as_csv(rows) -> bytes:
    def quoted(text):
        return '"' + text.replace('"', '""') + '"'

    lines = ["external_id,account_number,date,amount,currency,description,journal"]
    lines += [
        f"{external_id},{number},{day},{decimal_text(minor, 'USD')},USD,{quoted(text)},{journal}"
        for external_id, number, day, minor, text, journal in rows
    ]
    return "\n".join(lines).encode()


class Company:
    """A new organization for each example, so that examples do not meet."""

    def __enter__(self):
        made = create_organization(
            "Example", admin_email=f"{new_id()}@x.example", admin_password=PASSWORD
        )
        self.scope = organization_scope(made.organization_id)
        self.scope.__enter__()
        self.actor = actor_of(made.user_id, made.organization_id, via="command")
        self.ids = accounts(self.actor)
        return self

    def __exit__(self, *exc):
        db.session.rollback()
        self.scope.__exit__(*exc)


def try_import(actor, rows) -> bool:
    before = books_snapshot()
    try:
        import_ledger_now(actor, "l.csv", as_csv(rows))
    except Refusal:
        assert books_snapshot() == before
        return False
    return True


@given(st.lists(files, min_size=1, max_size=4))
@REUSED
def test_a_file_repeated_changes_nothing_and_the_last_word_stands(app, sequence):
    with Company() as company:
        for rows in sequence:
            if not try_import(company.actor, rows):
                continue
            after = books_snapshot()
            again = import_ledger_now(company.actor, "l.csv", as_csv(rows))
            assert (again.created_count, again.updated_count) == (0, 0)
            assert again.unchanged_count == len(rows)
            assert books_snapshot() == after
            stored = entries()
            for external_id, _number, day, minor, text, _journal in rows:
                entry = stored[external_id]
                assert (entry.date, entry.amount_minor, entry.description) == (day, minor, text)


@given(st.lists(files, min_size=1, max_size=4), st.randoms(use_true_random=False))
@REUSED
def test_the_order_of_rows_in_a_file_does_not_matter(app, sequence, random):
    contents = []
    for shuffle in (False, True):
        with Company() as company:
            for rows in sequence:
                ordered = list(rows)
                if shuffle:
                    random.shuffle(ordered)
                try_import(company.actor, ordered)
            contents.append(
                {
                    external_id: (e.date, e.amount_minor, e.description, e.journal_entry_id is None)
                    for external_id, e in entries().items()
                }
            )
    assert contents[0] == contents[1]


post = st.tuples(st.just("post"), days, st.lists(amounts, min_size=1, max_size=4))
reverse = st.tuples(st.just("reverse"), st.integers(0, 20), days)
bring = st.tuples(st.just("import"), files, st.none())


@given(st.lists(st.one_of(post, reverse, bring), min_size=1, max_size=10))
@REUSED
def test_journals_balance_after_any_sequence_of_work(app, steps):
    with Company() as company:
        for kind, first, second in steps:
            if kind == "post":
                _post(company, first, second)
            elif kind == "reverse":
                _reverse(company, first, second)
            else:
                try_import(company.actor, first)
            assert set(journal_sums().values()) <= {0}
        drawn = [j.number for j in db.session.scalars(owned(JournalEntry))]
        assert len(drawn) == len(set(drawn))
        total = db.session.scalar(
            sa.select(sa.func.sum(GlEntry.amount_minor)).where(
                GlEntry.journal_entry_id.is_not(None)
            )
        )
        assert not total
        assert _reversals_are_opposites()
        assert trail.verify().intact


def _post(company, day, parts):
    signed = [*parts, -sum(parts)] if sum(parts) else [*parts, 1, -1 - sum(parts)]
    lines = tuple(JournalLine(company.ids["1010"], minor) for minor in signed)
    post_journal(company.actor, JournalDraft(day, "x", "USD", JournalSource.MANUAL, lines))


def _reverse(company, position, day):
    journals = db.session.scalars(owned(JournalEntry).order_by(JournalEntry.id)).all()
    if not journals:
        return
    before = books_snapshot()
    try:
        reverse_journal(company.actor, journals[position % len(journals)].id, day)
    except Refusal:
        assert books_snapshot() == before


def _reversals_are_opposites() -> bool:
    """Tell whether each reversal is, account by account, the opposite of what it reverses."""
    sums = defaultdict(lambda: defaultdict(int))
    for entry in db.session.scalars(owned(GlEntry)):
        sums[entry.journal_entry_id][entry.gl_account_id] += entry.amount_minor
    pairs = [
        (sums[journal.id], sums[journal.reverses_id])
        for journal in db.session.scalars(owned(JournalEntry))
        if journal.reverses_id
    ]
    return all(
        own[account] == -other[account] for own, other in pairs for account in {*own, *other}
    )


def read(data: bytes):
    """Return what was read, or the sentence of the refusal."""
    try:
        return read_ledger_file(data)
    except LedgerFileRefused as refusal:
        return refusal.detail


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused_with_a_sentence(data):
    outcome = read(data)
    if isinstance(outcome, str):
        assert outcome.endswith("Nothing was stored.")
    else:
        assert outcome.rows_count >= 1


@given(st.text(alphabet='ab1,;\t"\n\r-. é', max_size=120))
@settings(deadline=None)
def test_any_text_under_a_header_is_read_row_by_row(text):
    header = "external_id,account_number,date,amount,currency,description\n"
    outcome = read((header + text).encode())
    if isinstance(outcome, str):
        assert outcome.endswith("Nothing was stored.")
    else:
        bad_lines = {finding.line for finding in outcome.errors}
        assert outcome.rows_count == len(outcome.rows) + len(bad_lines)
        assert all(line >= 2 for line in bad_lines)
