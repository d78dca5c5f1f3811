"""Tokens of flows and grants: only ours are read, and none for the other's purpose."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.aggregators.contract import AggregatorError
from app.aggregators.mx.tokens import Flow, Gift, Signer

OURS = Signer("key-of-ours")
GUID = "MBR-7c6f361b-e582-15b6-60c0-358f12466b4b"
NOW = datetime(2026, 11, 21, 8, 15, 30, 123456, tzinfo=UTC)
FLOW = Flow(GUID, "0193a1b2c3d47e5f8a9b0c1d2e3f4a5b", NOW, NOW, GUID)
GIFT = Gift("USR-1", "MBR-1", "ref-1")


def test_a_token_brings_back_what_it_was_made_of():
    assert OURS.read_flow(OURS.flow_token(FLOW)) == FLOW
    first = replace(FLOW, last_try_at=None, repaired_guid="")
    assert OURS.read_flow(OURS.flow_token(first)) == first
    assert OURS.read_grant(OURS.grant_token(GIFT)) == GIFT


def test_the_token_fits_what_mx_carries_back():
    assert len(OURS.flow_token(FLOW)) * 4 / 3 < 1024


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "ä" * 100,
        Signer("key-of-a-stranger").grant_token(GIFT),
        OURS.flow_token(FLOW),
        "A" + OURS.grant_token(GIFT),
        OURS.grant_token(GIFT)[:-1] + "0",
    ],
)
def test_a_grant_that_is_not_ours_is_refused(token):
    with pytest.raises(AggregatorError) as refused:
        OURS.read_grant(token)
    assert refused.value.permanent
