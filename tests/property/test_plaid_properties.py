"""Whatever Plaid answers, it is read or refused; nothing is invented, lost or let through."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.aggregators.contract import AggregatorError, WebhookInvalid
from app.aggregators.plaid import flows, items
from app.aggregators.plaid.accounts import source_accounts
from app.aggregators.plaid.errors import error_of_answer, health_of_error
from app.aggregators.plaid.institutions import coverages, institution_of
from app.aggregators.plaid.reading import NotJson, parse
from app.aggregators.plaid.transactions import sync_page
from app.aggregators.plaid.webhook_keys import WebhookKeys
from app.aggregators.plaid.webhooks import read_webhook
from tests.plaid_answers import account, granted, item_get, link_token, row, session, sync
from tests.plaid_signatures import Signer, pretty

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
ENDED = "2026-11-21T09:10:00Z"
EXIT = {"error": {"error_code": "INVALID_MFA"}, "metadata": {"status": "requires_code"}}
ERROR = {"error_type": "ITEM_ERROR", "error_code": "ITEM_LOGIN_REQUIRED", "error_code_reason": "X"}
BANK = {"institution_id": "ins_1", "name": "Bank", "products": ["transactions"], "oauth": True}
READERS = [
    (
        lambda a: flows.flow_result(a, NOW),
        link_token(session(finished_at=ENDED, results=granted()), session(exit=EXIT)),
    ),
    (
        lambda a: flows.hosted_flow(a, "https://p.example", NOW),
        {"link_token": "l", "hosted_link_url": "https://h.example", "expiration": ENDED},
    ),
    (
        lambda a: (items.health(a, NOW), items.aggregated_at(a)),
        item_get(error=ERROR, consent_expiration_time=ENDED),
    ),
    (
        lambda a: (items.health(a, NOW), items.aggregated_at(a)),
        item_get(updates={"last_failed_update": ENDED}),
    ),
    (source_accounts, {"accounts": [account(), account(type="credit")]}),
    (
        sync_page,
        sync(
            added=[row()],
            modified=[row(pending=True)],
            removed=[{"transaction_id": "t", "account_id": "a"}],
        ),
    ),
    (coverages, {"institutions": [BANK, BANK]}),
    (institution_of, {"institution": BANK}),
    (lambda a: error_of_answer(400, {}, a), ERROR),
    (health_of_error, ERROR),
]


def places(value, at=()):
    """List every place in a value, as keys from the outside in."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, part in inner:
        yield (*at, key)
        yield from places(part, (*at, key))


@given(st.data())
@pytest.mark.parametrize(("reader", "sample"), READERS)
def test_an_answer_with_anything_anywhere_is_read_or_refused(reader, sample, data):
    answer = copy.deepcopy(sample)
    for _ in range(data.draw(st.integers(1, 3))):
        *outside, last = data.draw(st.sampled_from(list(places(answer)) or [("x",)]))
        holder = answer
        for key in outside:
            holder = holder[key]
        if isinstance(holder, dict) and data.draw(st.booleans()):
            holder.pop(last, None)
        else:
            holder[last] = data.draw(JSON)
    with suppress(AggregatorError):
        reader(parse(json.dumps(answer).encode()))


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_bytes_are_an_object_or_not_json(body):
    with suppress(NotJson):
        assert isinstance(parse(body), dict)


AMOUNTS = st.decimals(-9_999_999, 9_999_999, places=2, allow_nan=False, allow_infinity=False)


@given(st.lists(AMOUNTS, max_size=30))
def test_the_sum_of_a_page_is_plaids_turned_round(amounts):
    rows = [
        row(transaction_id=f"t{i}", amount="@" + str(amount)) for i, amount in enumerate(amounts)
    ]
    body = json.dumps(sync(added=rows))
    for amount in amounts:
        body = body.replace(f'"@{amount}"', str(amount), 1)
    page = sync_page(parse(body.encode()))
    assert sum(kept.amount_minor for kept in page.upserts) == -sum(amounts, Decimal(0)) * 100
    assert page.unreadable == ()


@given(st.lists(st.sampled_from([12.34, 12.345, None, "x", 1e20, 7]), max_size=30))
def test_each_row_is_kept_or_counted(amounts):
    rows = [row(transaction_id=f"t{i}", amount=amount) for i, amount in enumerate(amounts)]
    page = sync_page(parse(json.dumps(sync(added=rows)).encode()))
    assert len(page.upserts) + len(page.unreadable) == len(amounts)


@given(st.dates(date(1900, 1, 1), date(2999, 12, 31)), st.datetimes(timezones=st.timezones()))
def test_a_date_stays_where_it_is_whatever_the_clock_says(day, moment):
    answer = sync(added=[row(date=day.isoformat(), datetime=moment.isoformat())])
    assert sync_page(parse(json.dumps(answer).encode())).upserts[0].posted_date == day


SIGNER = Signer()
BODY = pretty({"webhook_type": "ITEM", "webhook_code": "ERROR", "item_id": "item-1"})
TOKEN = SIGNER.token(BODY, NOW)


def read(token, body, now=NOW):
    keys = WebhookKeys(lambda _key_id: {"key": SIGNER.jwk()})
    return read_webhook({"plaid-verification": token}, body, now, keys)


def test_the_message_itself_passes():
    assert read(TOKEN, BODY).name == "ITEM/ERROR"


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_no_other_byte_passes(at, change):
    altered = bytearray(BODY)
    altered[at] ^= change
    with pytest.raises(WebhookInvalid):
        read(TOKEN, bytes(altered))


@given(st.integers(0, TOKEN.rindex(".") - 1), st.characters(codec="utf-8"))
def test_no_other_token_passes(at, letter):
    altered = TOKEN[:at] + letter + TOKEN[at + 1 :]
    if altered != TOKEN:
        with pytest.raises(WebhookInvalid):
            read(altered, BODY)


@given(st.timedeltas(timedelta(days=-400), timedelta(days=400)))
def test_it_passes_for_five_minutes_only(later):
    if timedelta(seconds=-60) <= later < timedelta(seconds=301):
        assert read(TOKEN, BODY, NOW + later)
    else:
        with pytest.raises(WebhookInvalid):
            read(TOKEN, BODY, NOW + later)
