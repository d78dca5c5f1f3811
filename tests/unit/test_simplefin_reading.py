"""From SimpleFIN's JSON to our words; whatever the JSON is."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.aggregators.contract import Institution, SourceAccountStatus
from app.connectors.simplefin.problems import health_of, problems_of, shown
from app.connectors.simplefin.reading import AnswerUnreadable, read_account_set
from app.kernel.bank import ConnectionStatus
from app.kernel.money import AMOUNT_MINOR_MAX, decimal_text

TODAY = date(2026, 11, 21)
NOON = 1_795_262_400  # 2026-11-21 12:00 UTC
FAILING, ACTIVE = SourceAccountStatus.FAILING, SourceAccountStatus.ACTIVE


def row(**changes):
    return {"id": "t1", "posted": NOON, "amount": "-12.50", "description": "PARKING"} | changes


def account(*rows, **changes):
    return {
        "id": "a1",
        "name": "Operating",
        "conn_id": "c1",
        "currency": "USD",
        "balance": "100.23",
        "available-balance": "75.23",
        "balance-date": NOON,
        "transactions": list(rows),
    } | changes


def answer(*accounts, errlist=(), **changes):
    return {
        "errlist": list(errlist),
        "connections": [
            {"conn_id": "c1", "name": "Puget - Jill", "org_id": "o1", "org_name": "Puget Harbor"}
        ],
        "accounts": list(accounts),
    } | changes


def read(answered, *, with_rows=True):
    return read_account_set(answered, "sfin.example", TODAY, with_rows=with_rows)


def the_row(**changes):
    said = read(answer(account(row(**changes))))
    assert not said.rows.unreadable
    (one,) = said.rows.upserts
    return one


def the_reason(**changes):
    said = read(answer(account(row(**changes))))
    assert not said.rows.upserts
    (one,) = said.rows.unreadable
    assert one.account_external_id == "c1/a1"
    return one.reason


def the_account(*problems, **changes):
    (one,) = read(answer(account(**changes), errlist=problems)).accounts
    return one


def test_an_account_with_its_transactions():
    said = read(answer(account(row())))
    (one,) = said.accounts
    assert (one.external_id, one.name, one.currency) == ("c1/a1", "Operating", "USD")
    assert (one.current_minor, one.available_minor) == (10_023, 7_523)
    assert (one.status, one.reason) == (ACTIVE, "")
    assert said.health.status is ConnectionStatus.ACTIVE
    assert said.institution == Institution("", "Puget Harbor")
    assert said.aggregated_at == datetime(2026, 11, 21, 12, tzinfo=UTC)
    (only,) = said.rows.upserts
    assert (only.amount_minor, only.posted_date, only.pending) == (-1_250, TODAY, False)


def test_money_in_is_positive_as_it_came():
    assert the_row(amount="33293.43").amount_minor == 3_329_343
    assert the_row(amount="-0.01").amount_minor == -1
    assert the_row(amount=Decimal("7.1")).amount_minor == 710
    assert the_row(amount=7).amount_minor == 700


@given(st.integers(-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX), st.sampled_from(["USD", "JPY", "KWD"]))
def test_no_amount_is_ever_rounded(amount_minor, currency):
    text = decimal_text(amount_minor, currency)
    said = read(answer(account(row(amount=text), currency=currency)))
    assert [one.amount_minor for one in said.rows.upserts] == [amount_minor]


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        ("1.005", "decimals"),
        ("NaN", "not an amount"),
        ("Infinity", "not an amount"),
        ("1,00", "not an amount"),
        ("1_000", "not an amount"),
        ("١٢", "not an amount"),
        ("", "not an amount"),
        ("1e400", "larger"),
        (None, "no amount"),
        (True, "no amount"),
        ([], "no amount"),
    ],
)
def test_an_amount_that_cannot_be_kept_is_told_and_stops_no_other(amount, reason):
    assert reason in the_reason(amount=amount)
    said = read(answer(account(row(id="bad", amount=amount), row(id="good"))))
    assert [one.external_id for one in said.rows.upserts] == ["good"]
    assert [one.external_id for one in said.rows.unreadable] == ["bad"]


@pytest.mark.parametrize(
    ("clock", "day"),
    [
        (datetime(2026, 11, 20, 0, 0, 0, tzinfo=UTC), date(2026, 11, 20)),
        (datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC), date(2026, 11, 20)),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), date(2028, 2, 29)),
    ],
)
def test_the_posted_day_is_the_day_in_utc(clock, day):
    assert the_row(posted=int(clock.timestamp())).posted_date == day
    assert the_row(posted=str(int(clock.timestamp()))).posted_date == day


def test_a_pending_transaction_has_the_day_on_which_it_happened_or_today():
    yesterday = NOON - 86_400
    pending = the_row(posted=0, pending=True, transacted_at=yesterday)
    assert (pending.pending, pending.posted_date) == (True, TODAY - timedelta(days=1))
    assert the_row(posted=0, pending=True).posted_date == TODAY
    assert the_row(posted=0).pending
    assert the_row(posted="0").pending
    assert not the_row(posted=NOON, pending=False).pending
    assert the_row(posted=NOON, pending=True, transacted_at=0).pending


def test_the_day_on_which_a_posted_one_happened_is_its_value_date():
    assert the_row(transacted_at=NOON - 2 * 86_400).value_date == TODAY - timedelta(days=2)
    assert the_row().value_date is None


@pytest.mark.parametrize(
    "posted", [None, "soon", [], 10**30, -(10**30), Decimal("1e999999999"), True]
)
def test_a_posted_transaction_without_a_day_is_told(posted):
    assert "no date" in the_reason(posted=posted)


def test_a_transaction_without_an_id_is_told():
    said = read(answer(account(row(id=""), "nonsense")))
    assert [one.reason for one in said.rows.unreadable] == ["A transaction has no id."] * 2


def test_a_currency_of_their_own_is_an_account_that_is_not_supported():
    miles = account(row(), currency="https://air.example/miles", balance="1200", id="miles")
    said = read(answer(miles, account(row())))
    first, second = said.accounts
    assert (first.status, first.reason) == (SourceAccountStatus.UNSUPPORTED, "CUSTOM_CURRENCY")
    assert (first.currency, first.current_minor) == ("", None)
    assert second.status is ACTIVE
    assert [one.account_external_id for one in said.rows.upserts] == ["c1/a1"]
    assert said.is_whole


def test_ids_are_unique_only_within_what_they_are_of():
    other = account(row(), conn_id="c2")
    said = read(answer(account(row()), other))
    assert [one.external_id for one in said.accounts] == ["c1/a1", "c2/a1"]
    assert [one.account_external_id for one in said.rows.upserts] == ["c1/a1", "c2/a1"]


def test_an_account_is_itself_for_another_token_of_the_same_server_alone():
    (one,), (again,) = read(answer(account())).accounts, read(answer(account(row()))).accounts
    (other,) = read_account_set(answer(account()), "other.example", TODAY, with_rows=True).accounts
    assert one.persistent_id == again.persistent_id != other.persistent_id
    assert one.persistent_id != read(answer(account(conn_id="c2"))).accounts[0].persistent_id


def test_an_account_that_is_listed_twice_counts_once():
    said = read(answer(account(row()), account(row())))
    assert (len(said.accounts), len(said.rows.upserts)) == (1, 1)


def test_available_money_that_is_left_out_is_the_balance():
    raw = account()
    del raw["available-balance"]
    assert read(answer(raw)).accounts[0].available_minor == 10_023
    assert the_account(**{"available-balance": "?"}).available_minor is None


def test_transactions_that_are_not_there_are_no_sign_that_there_are_none():
    raw = account()
    del raw["transactions"]
    (one,) = read(answer(raw)).accounts
    assert (one.status, one.reason) == (FAILING, "TRANSACTIONS_MISSING")
    assert not read(answer(raw)).is_whole
    assert read(answer(raw), with_rows=False).accounts[0].status is ACTIVE
    assert read(answer(account())).is_whole


# what servers say is wrong


@pytest.mark.parametrize(
    ("problem", "status", "reason"),
    [
        ({"code": "gen.auth"}, "reconnect_required", "GEN_AUTH"),
        ({"code": "gen.api"}, "degraded", "GEN_API"),
        ({"code": "gen."}, "degraded", "GEN"),
        ({"code": "gen.new"}, "degraded", "GEN"),
        ({"code": "other.new"}, "degraded", "GEN"),
        ({"code": ""}, "degraded", "GEN"),
        ({}, "degraded", "GEN"),
        ({"code": "con.auth", "conn_id": "c1"}, "reconnect_required", "CON_AUTH"),
        ({"code": "con.", "conn_id": "c1"}, "degraded", "CON"),
        ({"code": "con.new", "conn_id": "c1"}, "degraded", "CON"),
        ({"code": "con.auth"}, "reconnect_required", "GEN_AUTH"),
        ({"code": "act.failed", "account_id": "a1"}, "degraded", "ACT_FAILED"),
        ({"code": "act.missingdata", "account_id": "a1"}, "active", ""),
        ({"code": "act.new", "account_id": "a1"}, "active", ""),
        ({"code": "act.failed"}, "degraded", "GEN"),
    ],
)
def test_what_a_problem_means_for_the_login(problem, status, reason):
    health = read(answer(account(), errlist=[problem])).health
    assert (health.status, health.reason) == (status, reason)


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        ({"code": "act.failed", "account_id": "a1"}, "ACT_FAILED"),
        ({"code": "act.missingdata", "account_id": "a1"}, "ACT_MISSINGDATA"),
        ({"code": "act.new", "account_id": "a1"}, "ACT"),
        ({"code": "act.failed", "account_id": "a1", "conn_id": "c1"}, "ACT_FAILED"),
        ({"code": "con.auth", "conn_id": "c1"}, "CON_AUTH"),
    ],
)
def test_the_accounts_that_a_problem_is_of_fail(problem, reason):
    one = the_account(problem)
    assert (one.status, one.reason) == (FAILING, reason)


@pytest.mark.parametrize(
    "problem",
    [
        {"code": "act.failed", "account_id": "a2"},
        {"code": "act.failed", "account_id": "a1", "conn_id": "c2"},
        {"code": "con.auth", "conn_id": "c2"},
        {"code": "gen.api"},
    ],
)
def test_other_accounts_go_on(problem):
    assert the_account(problem).status is ACTIVE


def test_one_bank_of_several_that_wants_a_sign_in_stops_its_own_accounts_alone():
    said = read(
        answer(
            account(row()),
            account(row(), conn_id="c2"),
            errlist=[{"code": "con.auth", "conn_id": "c2", "msg": "Sign in at Cascade"}],
        )
    )
    assert said.health.status is ConnectionStatus.ACTIVE
    assert [one.status for one in said.accounts] == [ACTIVE, FAILING]
    assert not said.is_whole


def test_the_gravest_problem_is_said_in_the_servers_words():
    said = read(
        answer(
            account(),
            errlist=[
                {"code": "gen.", "msg": "Something"},
                {"code": "con.auth", "conn_id": "c1", "msg": " Sign in\nat\u202e Puget "},
            ],
        )
    )
    assert (said.health.reason, said.health.sentence) == ("CON_AUTH", "Sign in at Puget")


def test_old_servers_say_sentences_and_name_the_bank_in_the_account():
    old = account(row(), org={"domain": "puget.example", "name": "Puget", "sfin-url": "x"})
    del old["conn_id"]
    said = read({"errors": ["You must reauthenticate.", 5], "accounts": [old]})
    assert said.accounts[0].external_id == "puget.example/a1"
    assert said.institution == Institution("", "Puget")
    assert (said.health.status, said.health.sentence) == (
        ConnectionStatus.DEGRADED,
        "You must reauthenticate.",
    )


def test_where_both_kinds_of_errors_stand_the_codes_count():
    said = answer(account(), errors=["Authentication required"])
    assert read(said).health.status is ConnectionStatus.ACTIVE


def test_several_banks_have_no_one_name():
    connections = [{"conn_id": c, "name": c, "org_id": c} for c in ("c1", "c2")]
    said = answer(account(), account(conn_id="c2"), connections=connections)
    assert read(said).institution is None
    only_one_shared = answer(account(), connections=connections)
    assert read(only_one_shared).institution == Institution("", "c1")


def test_no_words_of_a_server_are_longer_than_a_line():
    assert len(shown("x" * 10_000)) == 300
    assert "<" in shown("<b>")  # pages escape; here nothing is altered but what cannot be seen


# whatever the JSON is


@pytest.mark.parametrize("said", [None, [], "x", 5, {}, {"accounts": None}, {"accounts": {}}])
def test_what_is_no_account_set_is_said_to_be_none(said):
    with pytest.raises(AnswerUnreadable):
        read(said)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["c1", "a1", "USD", "con.auth", "act.failed", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "conn_id", "code", "account_id", "org", "transactions", "amount", "posted"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(
    accounts=st.lists(
        anything
        | st.fixed_dictionaries(
            {"id": anything, "currency": st.just("USD")},
            optional=dict.fromkeys(
                ("transactions", "balance", "balance-date", "org", "name", "conn_id"), anything
            ),
        ),
        max_size=4,
    ),
    errlist=anything,
    connections=anything,
)
def test_no_shape_of_json_breaks_the_reader(accounts, errlist, connections):
    said = read({"accounts": accounts, "errlist": errlist, "connections": connections})
    ids = [one.external_id for one in said.accounts]
    assert len(set(ids)) == len(ids)
    for text in [*ids, *(one.external_id for one in said.rows.upserts), said.health.sentence]:
        text.encode()  # can be stored
    assert {one.account_external_id for one in said.rows.upserts} <= set(ids)


def test_half_a_character_is_replaced():
    said = json.loads('{"accounts": [{"id": "\\ud800", "currency": "USD", "name": "\\udfff"}]}')
    (one,) = read(said).accounts
    assert (one.external_id, one.name) == ("/?", "?")


def test_health_without_any_account_is_of_the_login():
    problems = problems_of({"errlist": [{"code": "con.auth", "conn_id": "c9"}]})
    assert health_of(problems, frozenset()).status is ConnectionStatus.RECONNECT_REQUIRED
