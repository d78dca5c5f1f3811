"""What is known of a connection, and the status that it amounts to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.aggregators.contract import Health
from app.connections.statuses import ENDING_SOON_TIME, MOVES, SYNCABLE, Facts, decide
from app.kernel.bank import ConnectionStatus
from app.models import AccountStatus

S = ConnectionStatus
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
SAYABLE = [
    S.ACTIVE,
    S.DEGRADED,
    S.RECONNECT_REQUIRED,
    S.RECONNECT_AVAILABLE,
    S.EXPIRED,
    S.DELETED,
    S.IN_PROGRESS,
]
ENDS = st.none() | st.integers(-20, 20).map(lambda days: NOW + timedelta(days=days))
FACTS = st.builds(
    Facts,
    health=st.builds(Health, st.sampled_from(SAYABLE), st.sampled_from(["", "WHY"])),
    read_once=st.booleans(),
    accounts=st.lists(st.sampled_from(AccountStatus), max_size=4),
    new_accounts=st.booleans(),
    access_ends_at=ENDS,
)
NEEDS_SOMEBODY = {S.DELETED, S.EXPIRED, S.RECONNECT_REQUIRED}
FAILING = {AccountStatus.FAILING, AccountStatus.UNSUPPORTED, AccountStatus.DUPLICATE}


@given(FACTS)
def test_what_only_a_person_can_mend_is_never_hidden(facts):
    decided = decide(facts, NOW)
    if facts.health.status in NEEDS_SOMEBODY:
        assert decided == facts.health
    elif facts.access_ends_at is not None and facts.access_ends_at <= NOW:
        assert decided.status is S.RECONNECT_REQUIRED


@given(FACTS)
def test_active_means_that_all_is_well(facts):
    if decide(facts, NOW).status is not S.ACTIVE:
        return
    assert facts.health.status is S.ACTIVE
    assert facts.read_once
    assert not FAILING & set(facts.accounts)
    assert not facts.new_accounts
    assert facts.access_ends_at is None or facts.access_ends_at - NOW > ENDING_SOON_TIME


@given(FACTS)
def test_partly_active_needs_one_that_syncs_and_one_that_does_not(facts):
    if decide(facts, NOW).status is S.PARTIALLY_ACTIVE:
        assert AccountStatus.ACTIVE in facts.accounts
        assert FAILING & set(facts.accounts)


@given(FACTS)
def test_a_decision_never_goes_back_to_before_the_first_visit(facts):
    decided = decide(facts, NOW)
    assert decided.status is not S.PENDING
    assert decide(facts, NOW) == decided
    if not facts.read_once:
        assert decided.status in NEEDS_SOMEBODY | {S.DEGRADED, S.IN_PROGRESS}


def test_every_status_is_in_the_table_and_can_be_left_but_for_deleted():
    assert set(MOVES) == set(S)
    assert MOVES[S.DELETED] == frozenset()
    for status, targets in MOVES.items():
        assert status not in targets
        if status is not S.DELETED:
            assert S.DELETED in targets
    reached = set().union(*MOVES.values())
    assert reached == set(S)


def test_only_an_ended_attempt_becomes_pending_again():
    assert [status for status in S if S.PENDING in MOVES[status]] == [S.EXPIRED]


def test_what_the_clock_and_a_first_sync_may_decide_is_always_allowed():
    decidable = set(SAYABLE) | {S.PARTIALLY_ACTIVE}
    for status in (S.ACTIVE, S.PARTIALLY_ACTIVE, S.RECONNECT_AVAILABLE):
        assert decidable - MOVES[status] <= {status, S.IN_PROGRESS}
    for status in (S.RECONNECT_REQUIRED, S.DEGRADED, S.IN_PROGRESS, S.EXPIRED):
        assert decidable - MOVES[status] <= {status}


def test_only_what_was_never_opened_or_is_deleted_is_not_asked_for_data():
    assert set(S) - SYNCABLE == {S.PENDING, S.DELETED}
