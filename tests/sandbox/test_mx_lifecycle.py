"""MX from the first visit to the last call, over HTTP: connect, read, refresh, repair, remove."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.aggregators.contract import (
    AggregatorError,
    FlowState,
    History,
    Institution,
    SourceAccountStatus,
)
from app.aggregators.mx import flows
from app.kernel.bank import AccountType, ConnectionStatus
from app.kernel.clock import utc_now
from tests.mx_support import (
    CASCADE,
    FOUNDRY,
    PUGET,
    Person,
    connected,
    read,
    request_for,
    running,
    sign_in,
)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with running(tmp_path_factory.mktemp("mx")) as sandbox:
        yield sandbox


@pytest.fixture
def mx(sandbox):
    return sandbox.adapter


def test_a_bank_is_found_by_a_part_of_its_name(mx):
    (found,) = mx.search_institutions("cascade")
    assert found.institution == Institution(CASCADE, "Cascade Mutual Savings")
    assert AccountType.SAVINGS in found.account_types
    assert mx.search_institutions("no such bank") == ()
    assert mx.search_institutions("  ") == ()


def test_banks_that_begin_with_the_words_come_first(mx):
    names = [found.institution.name for found in mx.search_institutions("c")]
    beginning = [name.startswith("C") for name in names]
    assert beginning == sorted(beginning, reverse=True)
    assert any(beginning)
    assert not all(beginning)


def test_a_login_is_connected_with_a_second_factor_read_refreshed_repaired_and_removed(sandbox, mx):
    flow = mx.start_flow(request_for())
    assert mx.flow_result(flow.token).state is FlowState.WAITING
    browser = sign_in(flow.url, FOUNDRY)
    assert browser.heading == "Type the code"
    assert mx.flow_result(flow.token).state is FlowState.OPENED
    browser.submit("code", code="1234")
    result = mx.flow_result(flow.token)
    assert result.state is FlowState.FINISHED
    (grant,) = result.grants
    assert grant.institution == Institution(FOUNDRY, "Foundry Commerce Bank")
    assert {(a.mask, a.type) for a in grant.accounts} >= {
        ("7310", AccountType.CHECKING),
        ("1188", AccountType.CARD),
    }
    access = mx.exchange(grant.token)

    status = mx.login_status(access)
    assert status.health.status is ConnectionStatus.ACTIVE
    assert status.institution == grant.institution
    assert status.aggregated_at is not None
    pages = read(mx, access)
    assert pages[-1].history is History.COMPLETE
    assert any(page.upserts for page in pages)
    assert {a.external_id for a in mx.accounts(access)} == {
        row.account_external_id for page in pages for row in page.upserts
    }

    before = status.aggregated_at
    mx.refresh(access)
    assert mx.login_status(access).aggregated_at > before

    sandbox.set_status(access, "DENIED")
    assert mx.login_status(access).health.status is ConnectionStatus.RECONNECT_REQUIRED
    repair = mx.start_flow(request_for(access=access))
    browser = sign_in(repair.url, None).submit("code", code="1234")
    assert "is connected" in browser.text
    assert mx.flow_result(repair.token).state is FlowState.FINISHED
    assert mx.flow_result(repair.token).grants == ()
    assert mx.login_status(access).health.status is ConnectionStatus.ACTIVE

    mx.remove(access)
    mx.remove(access)
    with pytest.raises(AggregatorError) as gone:
        mx.login_status(access)
    assert gone.value.health.status is ConnectionStatus.DELETED


def test_balances_are_those_of_the_bank_with_what_is_owed_negative(mx, sandbox):
    access = connected(sandbox, FOUNDRY)
    by_mask = {account.mask: account for account in mx.accounts(access)}
    assert by_mask["7310"].current_minor > 0
    assert by_mask["1188"].type is AccountType.CARD
    assert by_mask["1188"].current_minor < 0 < by_mask["1188"].available_minor
    assert by_mask["7336"].subtype == "money_market"
    assert {a.status for a in by_mask.values()} == {SourceAccountStatus.ACTIVE}


def test_a_flow_begins_at_the_bank_that_was_chosen(mx):
    flow = mx.start_flow(request_for(institution=Institution(PUGET, "Puget Harbor Bank")))
    assert Person().open(flow.url).heading == "Sign in to Puget Harbor Bank"


def test_the_address_opens_once(mx):
    flow = mx.start_flow(request_for())
    assert Person().open(flow.url).status == 200
    assert Person().open(flow.url).status == 410


def test_two_flows_of_one_person_share_a_user_and_never_a_login(mx):
    first = mx.start_flow(request_for(user_reference="shared"))
    second = mx.start_flow(request_for(user_reference="shared"))
    sign_in(first.url)
    (grant,) = mx.flow_result(first.token).grants
    mx.exchange(grant.token)
    assert mx.flow_result(second.token).grants == ()
    sign_in(second.url, CASCADE).submit("code", code="1234")
    (other,) = mx.flow_result(second.token).grants
    assert other.institution.external_id == CASCADE


def test_the_quicker_of_two_flows_has_a_login_and_the_other_is_told(mx):
    flows_ = [mx.start_flow(request_for(user_reference="racing")) for _ in range(2)]
    sign_in(flows_[0].url)
    grants = [mx.flow_result(flow.token).grants[0] for flow in flows_]
    mx.exchange(grants[0].token)
    with pytest.raises(AggregatorError) as refused:
        mx.exchange(grants[1].token)
    assert (refused.value.code, refused.value.permanent) == ("ALREADY_CONNECTED", True)


def test_an_interrupted_exchange_may_be_repeated(mx):
    flow = mx.start_flow(request_for())
    sign_in(flow.url)
    (grant,) = mx.flow_result(flow.token).grants
    assert mx.exchange(grant.token) == mx.exchange(grant.token)


def test_a_login_that_is_connected_already_is_recognised(sandbox, mx):
    connected(sandbox, user_reference="twice")
    again = mx.start_flow(request_for(user_reference="twice"))
    assert "is connected" in sign_in(again.url).text
    result = mx.flow_result(again.token)
    assert (result.state, result.exit_code) == (FlowState.EXITED, "ALREADY_CONNECTED")


def test_a_login_that_nobody_took_can_be_taken_by_a_later_flow(mx):
    left = mx.start_flow(request_for(user_reference="left"))
    sign_in(left.url)
    later = mx.start_flow(request_for(user_reference="left"))
    assert mx.flow_result(later.token).grants == ()
    sign_in(later.url)
    assert mx.flow_result(later.token).state is FlowState.FINISHED


def test_a_removed_login_can_be_connected_again(sandbox, mx):
    access = connected(sandbox, user_reference="back")
    mx.remove(access)
    again = connected(sandbox, user_reference="back")
    assert again.external_id != access.external_id


def test_a_flow_ends_with_its_time_and_says_what_came_of_it(mx, monkeypatch):
    flow = mx.start_flow(request_for())
    unopened = mx.start_flow(request_for())
    sign_in(flow.url, password="wrong")
    assert mx.flow_result(flow.token).state is FlowState.OPENED
    later = utc_now() + timedelta(seconds=flows.VISIT_SECONDS + 5)
    monkeypatch.setattr(flows, "utc_now", lambda: later)
    result = mx.flow_result(flow.token)
    assert (result.state, result.exit_code) == (FlowState.EXPIRED, "DENIED")
    assert mx.flow_result(unopened.token).state is FlowState.EXPIRED


def test_a_repair_that_is_left_leaves_the_login_as_it_was(sandbox, mx):
    access = connected(sandbox)
    sandbox.set_status(access, "IMPEDED")
    repair = mx.start_flow(request_for(access=access))
    Person().open(repair.url).submit("leave")
    assert mx.flow_result(repair.token).state is FlowState.WAITING
    assert mx.login_status(access).health.reason == "IMPEDED"


def test_a_question_of_the_bank_is_answered_without_the_password(sandbox, mx):
    access = connected(sandbox, CASCADE)
    sandbox.set_status(access, "CHALLENGED")
    repair = mx.start_flow(request_for(access=access))
    browser = Person().open(repair.url)
    assert browser.heading == "Type the code"
    browser.submit("code", code="1234")
    assert mx.flow_result(repair.token).state is FlowState.FINISHED


def test_a_healthy_login_can_be_given_another_password(sandbox, mx):
    access = connected(sandbox)
    repair = mx.start_flow(request_for(access=access, add_accounts=True))
    assert Person().open(repair.url).heading == "Sign in again to Puget Harbor Bank"


def test_a_login_of_somebody_else_is_not_there(sandbox, mx):
    ours, theirs = connected(sandbox), connected(sandbox)
    mixed = type(ours)(ours.external_id, theirs.secrets)
    with pytest.raises(AggregatorError, match="NOT_FOUND"):
        mx.accounts(mixed)
    mx.remove(mixed)
    assert mx.login_status(ours).health.status is ConnectionStatus.ACTIVE


def test_a_repair_of_a_login_that_is_gone_says_so(sandbox, mx):
    access = connected(sandbox)
    mx.remove(access)
    with pytest.raises(AggregatorError) as gone:
        mx.start_flow(request_for(access=access))
    assert gone.value.health.status is ConnectionStatus.DELETED
