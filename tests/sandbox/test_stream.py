"""The stream of changes: whoever reads it, however, holds what the bank shows in the end."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox import banking, entries, items
from sandbox.banking import Opening
from sandbox.banks import CONTINENTAL_LEDGER, FOUNDRY_COMMERCE, USER_GOOD
from sandbox.entries import Position
from sandbox.items import Stage
from sandbox.store import Store
from sandbox.story.events import Event, Kind
from tests.plaid_sandbox import TODAY
from tests.sandbox_support import CONTINENTAL, connect, read_stream


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("stream") / "sandbox.sqlite3")
    yield store
    store.close()


def opened(db, *, days, keys=("operating", "card"), bank=FOUNDRY_COMMERCE, bulk_rows=0):
    opening = Opening("plaid", bank, USER_GOOD, frozenset(keys), "", days)
    return banking.open_item(db, opening, now=0.0, today=TODAY, bulk_rows=bulk_rows)


@dataclass
class Reader:
    """A careful client: it keeps nothing of a loop that was interrupted.

    A strict one is told nothing that it knows, and no change of what it does not know: so it is
    as long as nobody shares other accounts.
    """

    is_strict: bool
    position: Position | None = None
    kept: dict = field(default_factory=dict)
    loop: list = field(default_factory=list)
    started_at: Position | None = None

    def read(self, db, item, count):
        """Read one page; return whether the loop is at its end."""
        shared = [account.account_id for account in items.shared_accounts(db, item)]
        if self.loop and self.loop[-1].next_position.head != item.head:
            self.loop = []  # the data changed: from the loop's start again
            self.position = self.started_at
        if not self.loop:
            self.started_at = self.position
        position = self.position or Position(0, 0, item.head)
        page = entries.read_page(db, item, position, count, account_ids=shared)
        self.loop.append(page)
        self.position = page.next_position
        if not page.has_more:
            self._apply()
        return not page.has_more

    def _apply(self):
        before = set(self.kept)
        for page in self.loop:
            for entry in (*page.added, *page.modified):
                self.kept[entry.transaction_id] = visible(entry)
        for page in self.loop:
            for entry in page.removed:
                self.kept.pop(entry.transaction_id, None)
            if self.is_strict:
                assert before.isdisjoint(entry.transaction_id for entry in page.added)
                assert before.issuperset(entry.transaction_id for entry in page.modified)
                assert before.issuperset(entry.transaction_id for entry in page.removed)
        self.loop = []


def visible(entry):
    return entry._replace(added_at=0, changed_at=0, removed_at=None)


SHARED = st.sets(st.sampled_from(["card", "savings"]))
STEPS = st.one_of(
    st.tuples(st.just("advance"), st.integers(1, 6)),
    st.tuples(st.just("stage"), st.just(0)),
    st.tuples(st.just("tell"), st.tuples(st.integers(0, 1), st.integers(0, 4), st.integers(0, 3))),
    st.tuples(st.just("settle"), st.just(0)),
    st.tuples(st.just("share"), SHARED),
    st.tuples(st.just("begin"), st.just(0)),
    st.tuples(st.just("read page"), st.tuples(st.integers(0, 2), st.integers(1, 4))),
    st.tuples(st.just("read all"), st.integers(0, 2)),
)


def told_event(key, today, days, fate):
    """Return a purchase that posts after some days and then stays, changes or disappears."""
    day = today + dt.timedelta(days=days)
    later = day + dt.timedelta(days=2)
    return Event(
        key,
        day,
        -7_00,
        "INK",
        Kind.CARD,
        pending_from=today,
        pending_minor=-6_00,
        corrected_on=later if fate == 1 else None,
        corrected_minor=-8_00,
        corrected_description="INK, BLACK",
        removed_on={2: later, 3: day}.get(fate),
    )


def step(db, item, readers, name, value, number):
    match name:
        case "advance":
            return banking.roll_to(db, item, item.today + dt.timedelta(days=value))
        case "stage":
            return item if item.stage is Stage.HISTORICAL else banking.advance_stage(db, item)
        case "tell":
            place, days, fate = value
            accounts = items.shared_accounts(db, item)
            event = told_event(f"told {number}", item.today, days, fate)
            return banking.tell_event(db, item, accounts[place % len(accounts)], event)
        case "settle":
            return banking.settle_pending(db, item)
        case "share":
            return banking.share_accounts(db, item, frozenset({"operating", *value}))
        case "begin":
            readers.append(Reader(readers[0].is_strict))
        case "read page":
            place, count = value
            readers[place % len(readers)].read(db, item, count)
        case "read all":
            reader = readers[value % len(readers)]
            while not reader.read(db, item, 50):
                pass
    return item


@settings(max_examples=60)
@given(days=st.integers(8, 20), stages_count=st.integers(0, 2), steps=st.lists(STEPS, max_size=20))
# Shared again: what ended meanwhile is told to who knew it, the rest to who began meanwhile.
@example(
    8,
    2,
    [
        ("tell", (1, 1, 0)),
        ("read all", 0),
        ("share", set()),
        ("advance", 2),
        ("begin", 0),
        ("read all", 1),
        ("share", {"card"}),
    ],
)
# Changed between two pages of a reader who never saw it before the change.
@example(8, 2, [("tell", (0, 0, 1)), ("advance", 3), ("read page", (0, 1))])
def test_every_reader_ends_with_what_the_bank_shows(store, days, stages_count, steps):
    with store.writing() as db:
        item = opened(db, days=days)
        for _ in range(stages_count):
            item = banking.advance_stage(db, item)
        is_strict = all(name != "share" for name, _ in steps)
        readers = [Reader(is_strict)]
        for number, (name, value) in enumerate(steps):
            item = step(db, item, readers, name, value, number)
        readers.append(Reader(is_strict))
        for reader in readers:
            while not reader.read(db, item, 50):
                pass
        accounts = items.shared_accounts(db, item)
        shared = [account.account_id for account in accounts]
        shown = {e.transaction_id: visible(e) for e in entries.living(db, item, shared)}
        for reader in readers:
            kept = {key: e for key, e in reader.kept.items() if e.account_id in shared}
            assert kept == shown
        if item.stage is Stage.HISTORICAL:  # told anew, the stories would change nothing
            keys = frozenset(account.key for account in accounts)
            assert banking.share_accounts(db, item, keys).head == item.head


@settings(max_examples=6)
@given(days=st.integers(1, 40), leaps=st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_it_does_not_matter_in_how_many_leaps_days_pass(store, days, leaps):
    with store.writing() as db:
        shown = []
        for parts in (leaps, [1] * sum(leaps)):
            item = opened(db, days=days)
            item = banking.advance_stage(db, banking.advance_stage(db, item))
            for part in parts:
                item = banking.roll_to(db, item, item.today + dt.timedelta(days=part))
            accounts = items.shared_accounts(db, item)
            keys = {account.account_id: account.key for account in accounts}
            living = entries.living(db, item, list(keys))
            shown.append(
                (
                    [(a.key, a.current_minor, a.pending_minor) for a in accounts],
                    sorted(
                        (keys[e.account_id], e.day, e.amount_minor, e.description, e.is_pending)
                        for e in living
                    ),
                )
            )
        assert shown[0] == shown[1]


@settings(max_examples=30)
@given(rows=st.integers(1, 400), counts=st.lists(st.integers(1, 90), min_size=1, max_size=4))
def test_the_large_account_is_read_whole_in_pages_of_any_size(store, rows, counts):
    with store.writing() as db:
        item = opened(db, days=90, keys=["bulk"], bank=CONTINENTAL_LEDGER, bulk_rows=rows)
        item = banking.advance_stage(db, item)
        (account,) = items.shared_accounts(db, item)
        position, read = Position(0, 0, item.head), []
        while True:
            page = entries.read_page(
                db,
                item,
                position,
                counts[len(read) % len(counts)],
                account_ids=[account.account_id],
            )
            read += page.added
            position = page.next_position
            if not page.has_more:
                break
        assert len({entry.transaction_id for entry in read}) == len(read) == rows
        assert read == entries.living(db, item, [account.account_id])
        opening_minor = CONTINENTAL_LEDGER.accounts[0].balance_minor
        assert account.current_minor == opening_minor + sum(e.amount_minor for e in read)


def test_the_large_bank_has_a_hundred_thousand_rows_or_as_many_as_its_user_says(sandbox):
    made = connect(sandbox, CONTINENTAL, username="user_rows_1200")
    pages = read_stream(sandbox, made.access_token)
    assert [len(page["added"]) for page in pages] == [500, 500, 200]
    made = connect(sandbox, CONTINENTAL)
    assert sandbox.control("GET", f"/items/{made.item_id}")["bulk_rows"] == 100_000
