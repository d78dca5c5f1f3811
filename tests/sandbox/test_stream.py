"""The stream of changes: whoever reads it, however, holds what the bank shows in the end."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
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
    """A careful client: it keeps nothing of a loop that was interrupted."""

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
        for page in self.loop:
            for entry in (*page.added, *page.modified):
                self.kept[entry.transaction_id] = visible(entry)
        for page in self.loop:
            for entry in page.removed:
                # Nobody is told of the end of what he was never told of.
                assert self.kept.pop(entry.transaction_id)
        self.loop = []


def visible(entry):
    return entry._replace(added_at=0, changed_at=0, removed_at=None)


STEPS = st.one_of(
    st.tuples(st.just("advance"), st.integers(1, 9)),
    st.tuples(st.just("stage"), st.just(0)),
    st.tuples(st.just("tell"), st.integers(0, 3)),
    st.tuples(st.just("settle"), st.just(0)),
    st.tuples(st.just("share"), st.sampled_from(["card", "savings", "sweep"])),
    st.tuples(st.just("begin"), st.just(0)),
    st.tuples(st.just("read"), st.tuples(st.integers(0, 5), st.sampled_from([1, 3, 40, 500]))),
)


def step(db, item, readers, name, value, number):
    match name:
        case "advance":
            return banking.roll_to(db, item, item.today + dt.timedelta(days=value))
        case "stage":
            return item if item.stage is Stage.HISTORICAL else banking.advance_stage(db, item)
        case "tell":
            account = items.shared_accounts(db, item)[0]
            day = item.today + dt.timedelta(days=value)
            event = Event(
                f"told {number}",
                day,
                -7_00,
                "INK",
                Kind.CARD,
                pending_from=item.today,
                pending_minor=-6_00,
            )
            return banking.tell_event(db, item, account, event)
        case "settle":
            return banking.settle_pending(db, item)
        case "share":
            keys = {account.key for account in items.shared_accounts(db, item)} | {value}
            return banking.share_accounts(db, item, frozenset(keys))
        case "begin":
            readers.append(Reader())
        case "read":
            place, count = value
            readers[place % len(readers)].read(db, item, count)
    return item


@settings(max_examples=60)
@given(days=st.integers(5, 60), steps=st.lists(STEPS, max_size=14))
def test_every_reader_ends_with_what_the_bank_shows(store, days, steps):
    with store.writing() as db:
        item = opened(db, days=days)
        readers = [Reader()]
        for number, (name, value) in enumerate(steps):
            item = step(db, item, readers, name, value, number)
        readers.append(Reader())
        for reader in readers:
            while not reader.read(db, item, 50):
                pass
        shared = [account.account_id for account in items.shared_accounts(db, item)]
        shown = {e.transaction_id: visible(e) for e in entries.living(db, item, shared)}
        for reader in readers:
            assert reader.kept == shown


@settings(max_examples=10)
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
