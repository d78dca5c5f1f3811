"""Hosted flows: what the sessions of a link token say, and where a person is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.aggregators.contract import AggregatorError, FlowState, Institution, OfferedAccount
from app.aggregators.plaid.flows import flow_result, hosted_flow
from app.aggregators.plaid.requests import FLOW_SECONDS
from app.kernel.bank import AccountType
from tests.plaid_answers import granted, link_token, session

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
LATER = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
ENDED = "2026-11-21T09:10:00Z"
EXIT = {"error": None, "metadata": {"status": "institution_not_found"}}
HOST = "https://plaid.example"


def started(**changes: object) -> dict[str, object]:
    return {
        "link_token": "link-1",
        "hosted_link_url": "https://hosted.example/1",
        "expiration": "2026-11-21T10:00:00Z",
        **changes,
    }


def test_nobody_opened_it_yet():
    assert flow_result(link_token(), NOW).state is FlowState.WAITING


def test_without_a_list_of_sessions_nobody_opened_it():
    answer = link_token()
    del answer["link_sessions"]
    assert flow_result(answer, NOW).state is FlowState.WAITING


def test_an_open_session_is_told():
    assert flow_result(link_token(session()), NOW).state is FlowState.OPENED


def test_a_session_with_results_is_the_end_and_gives_the_login():
    result = flow_result(link_token(session(finished_at=ENDED, results=granted())), NOW)
    assert result.state is FlowState.FINISHED
    (grant,) = result.grants
    assert grant.token == "public-1"
    assert grant.institution == Institution("ins_1", "Platypus Bank")
    assert grant.accounts == (OfferedAccount("Operating", "0000", AccountType.CHECKING),)


def test_the_older_twin_of_the_results_is_read_too():
    success = granted()["item_add_results"][0]
    older = {"public_token": success["public_token"], "metadata": success}
    with_older = flow_result(link_token(session(on_success=older, finished_at=ENDED)), NOW)
    with_results = flow_result(link_token(session(results=granted(), finished_at=ENDED)), NOW)
    assert with_older == with_results


def test_both_twins_together_are_one_grant():
    success = granted()["item_add_results"][0]
    older = {"public_token": success["public_token"], "metadata": success}
    both = session(finished_at=ENDED, on_success=older, results=granted())
    assert len(flow_result(link_token(both), NOW).grants) == 1


def test_several_logins_of_one_visit_are_several_grants():
    results = {
        "item_add_results": [
            *granted("p-1")["item_add_results"],
            *granted("p-2")["item_add_results"],
        ]
    }
    result = flow_result(link_token(session(finished_at=ENDED, results=results)), NOW)
    assert [grant.token for grant in result.grants] == ["p-1", "p-2"]


def test_one_success_counts_however_many_other_visits_there_were():
    visits = (
        session(started_at="2026-11-21T09:00:00Z", finished_at=ENDED, exit=EXIT),
        session(started_at="2026-11-21T09:11:00Z", finished_at=ENDED, results=granted()),
        session(started_at="2026-11-21T09:12:00Z"),
    )
    assert flow_result(link_token(*visits), NOW).state is FlowState.FINISHED


def test_a_success_counts_even_when_the_address_has_expired():
    done = link_token(session(finished_at=ENDED, results=granted()))
    assert flow_result(done, LATER).state is FlowState.FINISHED


@pytest.mark.parametrize("field", ["exit", "on_exit"])
def test_an_exit_is_told_with_its_reason(field):
    result = flow_result(link_token(session(finished_at=ENDED, **{field: EXIT})), NOW)
    assert (result.state, result.exit_code) == (FlowState.EXITED, "institution_not_found")


def test_the_error_of_an_exit_says_more_than_its_status():
    ended = {**EXIT, "error": {"error_code": "INVALID_CREDENTIALS"}}
    assert flow_result(link_token(session(exit=ended)), NOW).exit_code == "INVALID_CREDENTIALS"


def test_who_comes_back_after_an_exit_has_it_open_again():
    first = session(started_at="2026-11-21T09:00:00Z", finished_at=ENDED, exit=EXIT)
    second = session(started_at="2026-11-21T09:20:00Z")
    for visits in [(first, second), (second, first)]:  # the order of the list says nothing
        result = flow_result(link_token(*visits), NOW)
        assert result.state is FlowState.OPENED
        assert result.exit_code == "institution_not_found"


def test_an_expired_address_keeps_the_last_reason():
    result = flow_result(link_token(session(finished_at=ENDED, exit=EXIT)), LATER)
    assert (result.state, result.exit_code) == (FlowState.EXPIRED, "institution_not_found")


def test_it_expires_at_the_second():
    assert flow_result(link_token(), LATER - timedelta(seconds=1)).state is FlowState.WAITING
    assert flow_result(link_token(), LATER).state is FlowState.EXPIRED


def test_a_repair_ends_without_a_grant():
    repaired = link_token(session(finished_at=ENDED), products=())
    assert flow_result(repaired, NOW).state is FlowState.FINISHED
    assert flow_result(repaired, NOW).grants == ()


def test_a_repair_that_was_left_has_not_ended_well():
    left = link_token(session(finished_at=ENDED, exit=EXIT), products=())
    assert flow_result(left, NOW).state is FlowState.EXITED


def test_a_visit_to_add_a_login_that_ended_with_nothing_is_an_exit():
    nothing = {"item_add_results": [], "cra_item_add_results": []}
    result = flow_result(link_token(session(finished_at=ENDED, results=nothing)), NOW)
    assert (result.state, result.exit_code) == (FlowState.EXITED, "")


def test_a_grant_without_a_bank_is_a_grant():
    results = {"item_add_results": [{"public_token": "p", "accounts": None, "institution": None}]}
    (grant,) = flow_result(link_token(session(results=results)), NOW).grants
    assert (grant.institution, grant.accounts) == (None, ())


def test_a_person_is_sent_to_the_hosted_page():
    flow = hosted_flow(started(), HOST, NOW)
    assert (flow.token, flow.url) == ("link-1", "https://hosted.example/1")
    assert flow.expires_at == LATER


def test_neither_token_nor_address_is_shown():
    assert "link-1" not in repr(hosted_flow(started(), HOST, NOW))
    assert "hosted.example" not in repr(hosted_flow(started(), HOST, NOW))


@pytest.mark.parametrize("stated", [None, "soon", "2020-03-27T12:56:34Z", NOW.isoformat()])
def test_without_a_time_to_come_it_expires_when_that_was_asked_for(stated):
    flow = hosted_flow(started(expiration=stated), HOST, NOW)
    assert flow.expires_at == NOW + timedelta(seconds=FLOW_SECONDS)


def test_an_address_without_a_host_is_plaids():
    assert hosted_flow(started(hosted_link_url="/h/1"), HOST, NOW).url == f"{HOST}/h/1"


@pytest.mark.parametrize(
    "changes",
    [
        {"link_token": ""},
        {"link_token": None},
        {"hosted_link_url": "javascript:alert(1)"},
        {"hosted_link_url": "http://["},
    ],
)
def test_an_answer_that_leads_nowhere_is_a_failure(changes):
    with pytest.raises(AggregatorError, match="ANSWER_WITHOUT"):
        hosted_flow(started(**changes), HOST, NOW)


@pytest.mark.parametrize("nothing", [None, "", 5])
def test_a_flow_without_a_page_of_plaids_has_no_address(nothing):
    assert hosted_flow(started(hosted_link_url=nothing), HOST, NOW).url == ""
