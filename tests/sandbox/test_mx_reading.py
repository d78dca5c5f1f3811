"""Reading MX over HTTP: whatever the bank does, the pages give what it has."""

from __future__ import annotations

import time
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.aggregators.contract import AggregatorError, CursorRefused, History
from app.aggregators.mx import reading
from app.aggregators.mx.cursor import FIRST_DAYS, OVERLAP_DAYS, POSTING_LAG_DAYS
from app.kernel.clock import utc_now
from tests.mx_support import FOUNDRY, apply, connected, read, running


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with running(tmp_path_factory.mktemp("mx")) as sandbox:
        yield sandbox


@pytest.fixture
def mx(sandbox):
    return sandbox.adapter


def day(days_ago):
    return str(utc_now().date() - timedelta(days=days_ago))


def truth(sandbox, access):
    """Return what MX shows, read plainly: id → (signed minor units, pending, posted date)."""
    rows, page, pages = {}, 1, 1
    path = f"/mx/users/{access.secrets['user_guid']}/members/{access.external_id}/transactions"
    while page <= pages:
        query = f"from_date=2000-01-01&to_date=2100-01-01&records_per_page=1000&page={page}"
        answer = sandbox.ask("GET", f"{path}?{query}")
        pages, page = answer["pagination"]["total_pages"], page + 1
        for row in answer["transactions"]:
            sign = 1 if row["type"] == "CREDIT" else -1
            rows[row["guid"]] = (
                sign * round(row["amount"] * 100),
                row["status"] == "PENDING",
                (row["posted_at"] or row["date"])[:10],
            )
    return rows


def held(kept):
    return {
        guid: (row.amount_minor, row.pending, str(row.posted_date)) for guid, row in kept.items()
    }


def test_the_first_read_has_all_that_mx_gathered(sandbox, mx):
    access = connected(sandbox, FOUNDRY)
    pages = read(mx, access)
    assert held(apply(pages, {})) == truth(sandbox, access)
    assert pages[0].accounts
    assert not any(page.unreadable for page in pages)


def test_pages_of_one_read_do_not_overlap(sandbox, mx):
    access = connected(sandbox, FOUNDRY)
    sandbox.set_fault("small_pages", access, value="50")
    pages = read(mx, access)
    assert len(pages) > 3
    guids = [row.external_id for page in pages for row in page.upserts]
    assert len(guids) == len(set(guids))
    assert [bool(page.accounts) for page in pages] == [True] + [False] * (len(pages) - 1)
    assert all(a.cursor != b.cursor for a, b in pairwise(pages))


def test_a_pending_row_is_replaced_by_its_posted_one(sandbox, mx):
    access = connected(sandbox)
    (pending,) = sandbox.change(
        access, {"do": "add", "day": day(2), "amount": "-40.00", "pending": True}
    )
    first = read(mx, access)
    kept = apply(first, {})
    assert kept[pending].pending
    (posted,) = sandbox.change(
        access, {"do": "post", "guid": pending, "posted": day(0), "amount": "-48.00"}
    )
    kept = apply(read(mx, access, first[-1].cursor), kept)
    assert pending not in kept
    assert (kept[posted].amount_minor, kept[posted].pending) == (-4800, False)
    assert str(kept[posted].value_date) == day(2)


def test_a_row_that_vanishes_is_gone(sandbox, mx):
    access = connected(sandbox)
    (guid,) = sandbox.change(access, {"do": "add", "day": day(5), "amount": "12.50"})
    first = read(mx, access)
    kept = apply(first, {})
    sandbox.change(access, {"do": "remove", "guid": guid})
    assert guid in kept
    assert guid not in apply(read(mx, access, first[-1].cursor), kept)


def test_what_posts_weeks_after_it_took_place_is_neither_lost_nor_taken_for_gone(sandbox, mx):
    access = connected(sandbox)
    (late,) = sandbox.change(
        access, {"do": "add", "day": day(55), "posted": day(29), "amount": "-7.00"}
    )
    first = read(mx, access)
    kept = apply(first, {})
    again = read(mx, access, first[-1].cursor)
    assert str(again[-1].snapshot_from) == day(OVERLAP_DAYS)
    assert late in apply(again, kept)


def test_a_later_read_asks_for_weeks_and_not_for_everything(sandbox, mx):
    access = connected(sandbox, FOUNDRY)
    first = read(mx, access)
    again = read(mx, access, first[-1].cursor)
    days = {row.value_date for page in again for row in page.upserts}
    assert min(days) >= utc_now().date() - timedelta(days=OVERLAP_DAYS + POSTING_LAG_DAYS)
    assert min(row.value_date for page in first for row in page.upserts) < min(days)
    assert str(first[-1].snapshot_from) == day(FIRST_DAYS)


def test_data_that_change_between_two_pages_are_read_again(sandbox, mx):
    access = connected(sandbox, FOUNDRY)
    sandbox.set_fault("small_pages", access, value="50")
    sandbox.set_fault("mutation", access, value="2", times=1)
    first = mx.sync_page(access, "")
    with pytest.raises(CursorRefused):
        mx.sync_page(access, first.cursor)
    assert held(apply(read(mx, access), {})) == truth(sandbox, access)


def test_rows_that_come_between_two_pages_are_noticed_by_their_number(sandbox, mx):
    access = connected(sandbox, FOUNDRY)
    sandbox.set_fault("small_pages", access, value="50")
    first = mx.sync_page(access, "")
    sandbox.at_the_bank(access, {"do": "add", "day": day(1), "amount": "1.00"})
    with pytest.raises(CursorRefused):
        mx.sync_page(access, first.cursor)


def test_while_mx_is_at_the_bank_nothing_is_taken_for_gone(sandbox, mx, monkeypatch):
    monkeypatch.setattr(reading, "REFRESH_SECONDS_MAX", 0.1)
    access = connected(sandbox)
    first = read(mx, access)
    sandbox.set_fault("slow_aggregation", access, value="1.5")
    mx.refresh(access)
    during = read(mx, access, first[-1].cursor)
    assert during[-1].snapshot_from is None
    assert during[-1].history is History.RECENT
    assert during[-1].cursor == first[-1].cursor
    assert read(mx, access)[-1].cursor == ""
    time.sleep(1.6)
    after = read(mx, access, first[-1].cursor)
    assert after[-1].snapshot_from is not None
    assert after[-1].history is History.COMPLETE


def test_endless_pages_do_not_stop_moving(sandbox, mx):
    access = connected(sandbox)
    sandbox.set_fault("endless_pages", access)
    first = mx.sync_page(access, "")
    second = mx.sync_page(access, first.cursor)
    assert first.has_more
    assert second.has_more
    assert first.cursor != second.cursor


def test_a_cursor_of_another_kind_begins_nothing(sandbox, mx):
    access = connected(sandbox)
    with pytest.raises(CursorRefused):
        mx.sync_page(access, "CAESJQ==")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("too_many_requests", "RATE_LIMIT_EXCEEDED"),
        ("html_error", "HTTP_502"),
        ("truncated_json", "ANSWER_UNREADABLE"),
    ],
)
def test_what_goes_wrong_on_the_wire_passes_and_changes_nothing(sandbox, mx, fault, code):
    access = connected(sandbox)
    before = read(mx, access)
    sandbox.set_fault(fault, access, path="transactions")
    with pytest.raises(AggregatorError) as raised:
        mx.sync_page(access, before[-1].cursor)
    assert (raised.value.code, raised.value.permanent) == (code, False)


def test_one_bad_answer_on_the_way_is_not_even_noticed(sandbox, mx):
    access = connected(sandbox)
    sandbox.set_fault("html_error", access, times=1)
    assert read(mx, access)[-1].upserts


def test_a_slow_answer_is_waited_for(sandbox, mx):
    access = connected(sandbox)
    sandbox.set_fault("slow", access, value="0.5", times=1)
    assert read(mx, access)[-1].history is History.COMPLETE


ADDED = st.builds(
    lambda ago, lag, minor, pending, account: {
        "do": "add",
        "day": day(ago),
        "posted": day(max(0, ago - lag)),
        "amount": f"{minor / 100:.2f}",
        "pending": pending,
        "account": account,
    },
    st.integers(0, OVERLAP_DAYS - 1),
    st.integers(0, 20),
    st.integers(-(10**7), 10**7),
    st.booleans(),
    st.integers(0, 3),
)
STEPS = st.lists(
    st.one_of(ADDED, st.sampled_from(["remove", "post", "amend", "read"])), max_size=14
)


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(STEPS)
def test_after_any_changes_at_the_bank_the_application_holds_what_the_bank_has(sandbox, mx, steps):
    access = connected(sandbox)
    sandbox.set_fault("small_pages", access, value="60")
    kept, cursor, ours = {}, "", []
    for number, step in enumerate([*steps, "read"]):
        if step == "read":
            mx.refresh(access)
            pages = read(mx, access, cursor)
            kept, cursor = apply(pages, kept), pages[-1].cursor
        elif isinstance(step, dict):
            ours += sandbox.at_the_bank(access, step)
        elif ours:
            change = {"do": step, "guid": ours.pop(number % len(ours))}
            done = sandbox.at_the_bank(
                access, {**change, "posted": day(0), "amount": f"{number}.25"}
            )
            ours += done if step != "remove" else []
    assert held(kept) == truth(sandbox, access)
