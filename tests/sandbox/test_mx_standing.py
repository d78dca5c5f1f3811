"""Every status of MX is reached by what happens at the bank, and left again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.aggregators.contract import FlowState, History
from app.kernel.bank import ConnectionStatus
from app.kernel.clock import utc_now
from tests.mx_support import (
    CASCADE,
    PUGET,
    Person,
    connected,
    read,
    request_for,
    running,
    sign_in,
)
from tests.waiting import comes_true

WANT_A_PERSON = (
    "PREVENTED",
    "DENIED",
    "CHALLENGED",
    "REJECTED",
    "LOCKED",
    "IMPEDED",
    "EXPIRED",
    "IMPAIRED",
    "IMPORTED",
    "DISCONTINUED",
)
PASS_BY_THEMSELVES = ("DEGRADED", "DISCONNECTED", "DELAYED", "FAILED", "DISABLED")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with running(tmp_path_factory.mktemp("mx")) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A sandbox whose first visit to a bank takes a while."""
    with running(tmp_path_factory.mktemp("slow"), pace_seconds=0.6) as sandbox:
        yield sandbox


def standing(sandbox, access):
    return sandbox.adapter.login_status(access).health


@pytest.mark.parametrize("status", WANT_A_PERSON)
def test_what_wants_a_person_is_left_by_signing_in_again(sandbox, status):
    access = connected(sandbox)
    sandbox.set_status(access, status)
    found = standing(sandbox, access)
    assert found.status is ConnectionStatus.RECONNECT_REQUIRED
    assert found.reason == ("UNRECOVERABLE" if status == "DISCONTINUED" else status)
    repair = sandbox.adapter.start_flow(request_for(access=access))
    person = Person().open(repair.url)
    if status == "CHALLENGED":
        person.submit("code", code="1234")
    else:
        person.submit("sign-in", username="user_good", password="pass_good")
    assert sandbox.adapter.flow_result(repair.token).state is FlowState.FINISHED
    assert standing(sandbox, access).status is ConnectionStatus.ACTIVE


@pytest.mark.parametrize("status", PASS_BY_THEMSELVES)
def test_what_passes_by_itself_is_degraded_until_the_bank_answers(sandbox, status):
    access = connected(sandbox)
    before = sandbox.adapter.login_status(access).aggregated_at
    sandbox.set_status(access, status)
    sandbox.adapter.refresh(access)
    found = sandbox.adapter.login_status(access)
    assert (found.health.status, found.health.reason) == (ConnectionStatus.DEGRADED, status)
    assert found.aggregated_at == before
    sandbox.set_status(access, "CONNECTED")
    assert standing(sandbox, access).status is ConnectionStatus.ACTIVE


def test_a_login_that_was_closed_is_gone_for_good(sandbox):
    access = connected(sandbox)
    sandbox.set_status(access, "CLOSED")
    assert standing(sandbox, access).status is ConnectionStatus.DELETED


def test_a_wrong_password_three_times_is_prevented_and_the_right_one_helps(sandbox):
    flow = sandbox.adapter.start_flow(request_for())
    person = sign_in(flow.url, password="wrong")
    for _ in range(2):
        assert person.status == 422
        person.submit("sign-in", username="user_good", password="wrong")
    assert "last three sign-ins failed" in person.text
    assert sandbox.adapter.flow_result(flow.token).state is FlowState.OPENED
    person.submit("sign-in", username="user_good", password="pass_good")
    assert sandbox.adapter.flow_result(flow.token).state is FlowState.FINISHED


def test_a_wrong_code_is_rejected_and_the_right_one_resumes(sandbox):
    flow = sandbox.adapter.start_flow(request_for())
    person = sign_in(flow.url, CASCADE).submit("code", code="0000")
    assert person.status == 422
    assert sandbox.adapter.flow_result(flow.token).state is FlowState.OPENED
    person.submit("code", code="1234")
    assert sandbox.adapter.flow_result(flow.token).state is FlowState.FINISHED


def test_a_code_that_nobody_types_expires(sandbox):
    access = connected(sandbox, CASCADE)
    sandbox.set_status(access, "CHALLENGED")
    repair = sandbox.adapter.start_flow(request_for(access=access))
    Person().open(repair.url).submit("leave")
    assert standing(sandbox, access).reason == "EXPIRED"


@pytest.mark.parametrize("status", ["LOCKED", "IMPEDED", "FAILED"])
def test_a_first_sign_in_that_the_bank_does_not_take_gives_nothing(sandbox, status):
    flow = sandbox.adapter.start_flow(request_for())
    assert sign_in(flow.url, password=f"error_{status}").status == 422
    result = sandbox.adapter.flow_result(flow.token)
    assert (result.state, result.grants) == (FlowState.OPENED, ())


@pytest.mark.parametrize("status", ["CREATED", "PENDING"])
def test_a_login_that_is_not_tried_yet_is_in_progress(sandbox, status):
    access = connected(sandbox)
    sandbox.set_status(access, status)
    assert standing(sandbox, access).status is ConnectionStatus.IN_PROGRESS


def test_while_mx_is_at_the_bank_for_the_first_time_there_is_nothing_to_take(slow):
    flow = slow.adapter.start_flow(request_for())
    sign_in(flow.url)
    assert slow.adapter.flow_result(flow.token).state is FlowState.OPENED
    assert comes_true(lambda: slow.adapter.flow_result(flow.token).state is FlowState.FINISHED)


def test_a_first_visit_that_is_delayed_is_taken_and_its_data_come_later(slow):
    slow.set_fault("slow_aggregation", value="2", times=1)
    flow = slow.adapter.start_flow(request_for())
    sign_in(flow.url)
    (grant,) = slow.adapter.flow_result(flow.token).grants
    access = slow.adapter.exchange(grant.token)
    assert slow.adapter.login_status(access).health.reason == "DELAYED"
    (page,) = read(slow.adapter, access)
    assert (page.history, page.upserts, page.cursor) == (History.NOT_READY, (), "")
    assert comes_true(
        lambda: slow.adapter.login_status(access).health.status is ConnectionStatus.ACTIVE
    )
    assert read(slow.adapter, access)[-1].history is History.COMPLETE


def test_new_credentials_count_only_when_the_bank_has_taken_them(slow):
    access = connected_slowly(slow)
    slow.set_status(access, "DENIED")
    repair = slow.adapter.start_flow(request_for(access=access))
    sign_in(repair.url, None)
    assert slow.adapter.flow_result(repair.token).state is FlowState.OPENED
    assert comes_true(lambda: slow.adapter.flow_result(repair.token).state is FlowState.FINISHED)


def test_a_refresh_waits_for_mx_to_come_back_from_the_bank(slow):
    access = connected_slowly(slow)
    began = utc_now()
    slow.adapter.refresh(access)
    found = slow.adapter.login_status(access)
    assert found.aggregated_at >= began
    assert utc_now() - began < timedelta(seconds=5)


def connected_slowly(sandbox):
    flow = sandbox.adapter.start_flow(request_for())
    sign_in(flow.url, PUGET)
    assert comes_true(lambda: sandbox.adapter.flow_result(flow.token).state is FlowState.FINISHED)
    (grant,) = sandbox.adapter.flow_result(flow.token).grants
    return sandbox.adapter.exchange(grant.token)
