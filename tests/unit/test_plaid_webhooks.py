"""Webhooks: only Plaid's own, whole and fresh ones are read, and each says what it is for."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from app.aggregators.contract import AggregatorError, Health, WebhookInvalid, WebhookKind
from app.aggregators.plaid.webhook_keys import (
    FETCHES_PER_MINUTE_MAX,
    KEY_READ_AGAIN_AFTER,
    KEYS_KEPT_MAX,
    UNKNOWN_ASKED_AGAIN_AFTER,
    UNKNOWN_KEPT_MAX,
    WebhookKeys,
)
from app.aggregators.plaid.webhooks import read_webhook
from app.kernel.bank import ConnectionStatus
from tests.plaid_signatures import Signer, base64url, pretty

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
MESSAGE = {
    "webhook_type": "TRANSACTIONS",
    "webhook_code": "SYNC_UPDATES_AVAILABLE",
    "item_id": "item-1",
    "environment": "sandbox",
}
BODY = pretty(MESSAGE)
SIGNER = Signer()
STRANGER = Signer()


class Plaid:
    """Plaid's keys, and how often it was asked for them."""

    def __init__(self, *jwks):
        self.jwks = {jwk["kid"]: jwk for jwk in jwks}
        self.asked: list[str] = []
        self.away = False

    def fetch(self, key_id):
        self.asked.append(key_id)
        if self.away:
            raise AggregatorError("TIMED_OUT", "Away.", permanent=False)
        if key_id not in self.jwks:
            raise AggregatorError("INVALID_WEBHOOK_VERIFICATION_KEY_ID", "No.", permanent=True)
        return {"key": self.jwks[key_id], "request_id": "r"}


@pytest.fixture
def plaid():
    return Plaid(SIGNER.jwk())


@pytest.fixture
def keys(plaid):
    return WebhookKeys(plaid.fetch)


def read(keys, token, body=BODY, now=NOW):
    return read_webhook({"plaid-verification": token}, body, now, keys)


def read_message(keys, **message):
    body = pretty({**MESSAGE, **message})
    return read(keys, SIGNER.token(body, NOW), body)


def test_a_message_of_plaid_is_read(keys):
    webhook = read(keys, SIGNER.token(BODY, NOW))
    assert webhook.kind is WebhookKind.DATA
    assert webhook.name == "TRANSACTIONS/SYNC_UPDATES_AVAILABLE"
    assert webhook.login_external_id == "item-1"


@pytest.mark.parametrize("headers", [{}, {"plaid-verification": ""}])
def test_an_unsigned_message_is_refused_without_a_call(plaid, keys, headers):
    with pytest.raises(WebhookInvalid, match="not signed"):
        read_webhook(headers, BODY, NOW, keys)
    assert plaid.asked == []


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES384", "es256", None, 5, ["ES256"]])
def test_another_algorithm_is_refused_before_anything_else(plaid, keys, algorithm):
    token = SIGNER.token(BODY, NOW, header={"alg": algorithm}, claims={"iat": 0})
    with pytest.raises(WebhookInvalid, match="another way"):
        read(keys, token)
    assert plaid.asked == []


def test_a_public_key_is_no_shared_secret(keys):
    """The old trick: sign by HMAC with what everybody knows."""
    head, claims, _ = SIGNER.token(BODY, NOW, header={"alg": "HS256"}).split(".")
    known = repr(SIGNER.jwk()).encode()
    forged = hmac.new(known, f"{head}.{claims}".encode(), hashlib.sha256).digest()
    with pytest.raises(WebhookInvalid):
        read(keys, f"{head}.{claims}.{base64url(forged)}")


def test_a_strangers_signature_is_refused(keys):
    with pytest.raises(WebhookInvalid, match="signature is wrong"):
        read(keys, STRANGER.token(BODY, NOW))


def test_an_altered_body_is_refused_without_a_call(plaid, keys):
    with pytest.raises(WebhookInvalid, match="altered"):
        read(keys, SIGNER.token(BODY, NOW), BODY.replace(b"item-1", b"item-2"))
    assert plaid.asked == []


def test_the_raw_bytes_count_and_not_what_they_mean(keys):
    with pytest.raises(WebhookInvalid, match="altered"):
        read(keys, SIGNER.token(BODY, NOW), BODY.replace(b"\n", b""))


def test_altered_claims_are_refused(keys):
    head, _, signature = SIGNER.token(BODY, NOW).split(".")
    _, claims, _ = SIGNER.token(BODY, NOW + timedelta(seconds=1)).split(".")
    with pytest.raises(WebhookInvalid, match="signature is wrong"):
        read(keys, f"{head}.{claims}.{signature}")


@pytest.mark.parametrize(
    ("age_seconds", "accepted"), [(0, True), (300, True), (301, False), (-60, True), (-61, False)]
)
def test_a_message_is_fresh_for_five_minutes(keys, age_seconds, accepted):
    token = SIGNER.token(BODY, NOW - timedelta(seconds=age_seconds))
    if accepted:
        assert read(keys, token)
    else:
        with pytest.raises(WebhookInvalid, match="too long ago"):
            read(keys, token)


@pytest.mark.parametrize("issued_at", [None, "now", True, 1.5, 10**400, -(10**400)])
def test_a_time_that_is_none_is_refused(keys, issued_at):
    with pytest.raises(WebhookInvalid):
        read(keys, SIGNER.token(BODY, NOW, claims={"iat": issued_at}))


@pytest.mark.parametrize("digest", [None, "", 5, hashlib.sha256(b"").hexdigest()])
def test_a_digest_that_does_not_fit_is_refused(keys, digest):
    with pytest.raises(WebhookInvalid, match="altered"):
        read(keys, SIGNER.token(BODY, NOW, claims={"request_body_sha256": digest}))


GOOD = SIGNER.token(BODY, NOW)


@pytest.mark.parametrize(
    "token",
    [
        "a.b",
        "a.b.c.d",
        "...",
        "!.!.!",
        "é.é.é",
        "x" * 5_000,
        GOOD + "AA",
        GOOD[:-4],
        GOOD.rsplit(".", 1)[0] + ".",
        GOOD.rsplit(".", 1)[0] + "." + base64url(bytes(64)),
        "W10." + GOOD.split(".", 1)[1],
        GOOD.split(".")[0] + ".bnVsbA." + GOOD.split(".")[2],
    ],
)
def test_a_token_out_of_shape_is_refused(keys, token):
    with pytest.raises(WebhookInvalid):
        read(keys, token)


@pytest.mark.parametrize("key_id", ["", None, 7, "../../keys", "k" * 101, "a b"])
def test_an_id_that_is_none_costs_no_call(plaid, keys, key_id):
    with pytest.raises(WebhookInvalid):
        read(keys, SIGNER.token(BODY, NOW, header={"kid": key_id}))
    assert plaid.asked == []


def test_a_key_is_fetched_once(plaid, keys):
    for _ in range(5):
        read(keys, SIGNER.token(BODY, NOW))
    assert plaid.asked == ["key-1"]


def test_each_key_has_its_own_place(plaid, keys):
    newer = Signer("key-2")
    plaid.jwks["key-2"] = newer.jwk()
    for signer in (SIGNER, newer, SIGNER, newer):
        read(keys, signer.token(BODY, NOW))
    assert plaid.asked == ["key-1", "key-2"]


def test_a_kept_key_is_read_again_after_hours(plaid, keys):
    read(keys, SIGNER.token(BODY, NOW))
    plaid.jwks["key-1"] = SIGNER.jwk(expired_at=int(NOW.timestamp()))
    later = NOW + KEY_READ_AGAIN_AFTER
    assert read(keys, SIGNER.token(BODY, later), now=later)
    later += timedelta(seconds=1)
    with pytest.raises(WebhookInvalid, match="expired"):
        read(keys, SIGNER.token(BODY, later), now=later)


@pytest.mark.parametrize(("seconds", "accepted"), [(-1, False), (0, False), (1, True)])
def test_a_key_works_until_it_expires(plaid, keys, seconds, accepted):
    plaid.jwks["key-1"] = SIGNER.jwk(expired_at=int(NOW.timestamp()) + seconds)
    if accepted:
        assert read(keys, SIGNER.token(BODY, NOW))
    else:
        with pytest.raises(WebhookInvalid, match="expired"):
            read(keys, SIGNER.token(BODY, NOW))


def test_a_key_that_plaid_takes_back_stops_working(plaid, keys):
    read(keys, SIGNER.token(BODY, NOW))
    plaid.jwks.clear()
    later = NOW + KEY_READ_AGAIN_AFTER + timedelta(seconds=1)
    with pytest.raises(WebhookInvalid, match="unknown"):
        read(keys, SIGNER.token(BODY, later), now=later)


def test_an_unknown_id_is_asked_for_once_in_a_while(plaid, keys):
    unknown = Signer("key-9")
    for _ in range(5):
        with pytest.raises(WebhookInvalid, match="unknown"):
            read(keys, unknown.token(BODY, NOW))
    assert plaid.asked == ["key-9"]
    plaid.jwks["key-9"] = unknown.jwk()
    later = NOW + UNKNOWN_ASKED_AGAIN_AFTER
    assert read(keys, unknown.token(BODY, later), now=later)


def test_invented_ids_cannot_make_us_call_plaid_without_end(plaid, keys):
    read(keys, SIGNER.token(BODY, NOW))
    for number in range(100):
        with pytest.raises((WebhookInvalid, AggregatorError)):
            read(keys, Signer(f"made-up-{number}", STRANGER.key).token(BODY, NOW))
    assert len(plaid.asked) == FETCHES_PER_MINUTE_MAX
    assert read(keys, SIGNER.token(BODY, NOW))  # who is known gets through


def test_a_rationed_key_is_asked_for_later(plaid, keys):
    for number in range(FETCHES_PER_MINUTE_MAX):
        with pytest.raises(WebhookInvalid):
            read(keys, Signer(f"made-up-{number}", STRANGER.key).token(BODY, NOW))
    with pytest.raises(AggregatorError) as raised:
        read(keys, SIGNER.token(BODY, NOW))
    assert not raised.value.permanent
    later = NOW + timedelta(minutes=1)
    assert read(keys, SIGNER.token(BODY, later), now=later)


def test_what_is_kept_is_bounded(plaid, keys):
    at = NOW
    for number in range(UNKNOWN_KEPT_MAX + 20):
        at += timedelta(seconds=10)
        signer = Signer(f"key-{number}", STRANGER.key)
        if number < KEYS_KEPT_MAX + 5:
            plaid.jwks[signer.key_id] = signer.jwk()
            read(keys, signer.token(BODY, at), now=at)
        with pytest.raises(WebhookInvalid):
            read(keys, Signer(f"unknown-{number}", STRANGER.key).token(BODY, at), now=at)
    assert len(keys._kept) == KEYS_KEPT_MAX
    assert len(keys._unknown) == UNKNOWN_KEPT_MAX


def test_a_key_that_cannot_be_fetched_is_no_verdict(plaid, keys):
    plaid.away = True
    with pytest.raises(AggregatorError):
        read(keys, SIGNER.token(BODY, NOW))
    plaid.away = False
    assert read(keys, SIGNER.token(BODY, NOW))


@pytest.mark.parametrize(
    "changes",
    [
        {"kid": "key-2"},
        {"kty": "oct"},
        {"crv": "P-384"},
        {"alg": "HS256"},
        {"x": None},
        {"x": "AAAA"},
        {"x": "é"},
        {"y": base64url(bytes(32))},
    ],
)
def test_a_key_that_is_not_one_for_this_is_refused(plaid, keys, changes):
    plaid.jwks["key-1"] = SIGNER.jwk(**changes)
    with pytest.raises(WebhookInvalid):
        read(keys, SIGNER.token(BODY, NOW))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("LINK/SESSION_FINISHED", WebhookKind.FLOW_ENDED),
        ("LINK/ITEM_ADD_RESULT", WebhookKind.FLOW_ENDED),
        ("LINK/EVENTS", WebhookKind.IGNORED),
        ("TRANSACTIONS/SYNC_UPDATES_AVAILABLE", WebhookKind.DATA),
        ("TRANSACTIONS/INITIAL_UPDATE", WebhookKind.IGNORED),
        ("TRANSACTIONS/HISTORICAL_UPDATE", WebhookKind.IGNORED),
        ("TRANSACTIONS/DEFAULT_UPDATE", WebhookKind.IGNORED),
        ("TRANSACTIONS/TRANSACTIONS_REMOVED", WebhookKind.IGNORED),
        ("ITEM/ERROR", WebhookKind.DATA),
        ("ITEM/LOGIN_REPAIRED", WebhookKind.HINT),
        ("ITEM/PENDING_DISCONNECT", WebhookKind.HINT),
        ("ITEM/PENDING_EXPIRATION", WebhookKind.HINT),
        ("ITEM/NEW_ACCOUNTS_AVAILABLE", WebhookKind.HINT),
        ("ITEM/USER_PERMISSION_REVOKED", WebhookKind.HINT),
        ("ITEM/USER_ACCOUNT_REVOKED", WebhookKind.ACCOUNT_GONE),
        ("ITEM/WEBHOOK_UPDATE_ACKNOWLEDGED", WebhookKind.IGNORED),
        ("ITEM/OF_TOMORROW", WebhookKind.IGNORED),
        ("HOLDINGS/DEFAULT_UPDATE", WebhookKind.IGNORED),
    ],
)
def test_every_message_has_its_kind(keys, name, kind):
    webhook_type, webhook_code = name.split("/")
    webhook = read_message(keys, webhook_type=webhook_type, webhook_code=webhook_code)
    assert (webhook.kind, webhook.name) == (kind, name)


def test_a_finished_visit_names_its_flow_and_does_not_show_it(keys):
    webhook = read_message(
        keys,
        webhook_type="LINK",
        webhook_code="SESSION_FINISHED",
        link_token="link-1",
        item_id=None,
    )
    assert (webhook.flow_token, webhook.login_external_id) == ("link-1", "")
    assert "link-1" not in repr(webhook)


def test_a_revoked_account_is_named(keys):
    webhook = read_message(
        keys, webhook_type="ITEM", webhook_code="USER_ACCOUNT_REVOKED", account_id="account-1"
    )
    assert webhook.account_external_id == "account-1"


DEADLINE = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "more", "health"),
    [
        (
            "PENDING_DISCONNECT",
            {"reason": "INSTITUTION_MIGRATION", "disconnect_time": "2026-11-28T09:30:00Z"},
            Health(ConnectionStatus.RECONNECT_AVAILABLE, "ACCESS_EXPIRING_SOON", DEADLINE),
        ),
        (
            "PENDING_EXPIRATION",
            {"consent_expiration_time": "2026-11-28T09:30:00Z"},
            Health(ConnectionStatus.RECONNECT_AVAILABLE, "ACCESS_EXPIRING_SOON", DEADLINE),
        ),
        (
            "NEW_ACCOUNTS_AVAILABLE",
            {},
            Health(ConnectionStatus.RECONNECT_AVAILABLE, "NEW_ACCOUNTS_AVAILABLE"),
        ),
        (
            "USER_PERMISSION_REVOKED",
            {},
            Health(ConnectionStatus.RECONNECT_REQUIRED, "USER_PERMISSION_REVOKED"),
        ),
        (
            "ERROR",
            {"error": {"error_type": "ITEM_ERROR", "error_code": "ITEM_LOCKED", "status": 400}},
            Health(ConnectionStatus.RECONNECT_REQUIRED, "ITEM_LOCKED"),
        ),
        ("LOGIN_REPAIRED", {}, Health(ConnectionStatus.ACTIVE)),
    ],
)
def test_what_reading_alone_does_not_tell_comes_along(keys, code, more, health):
    assert read_message(keys, webhook_type="ITEM", webhook_code=code, **more).health == health


def test_names_that_are_none_are_not_passed_on(keys):
    webhook = read_message(keys, webhook_type="<script>", webhook_code=["x"])
    assert (webhook.kind, webhook.name) == (WebhookKind.IGNORED, "/")


def test_a_signed_message_that_is_no_object_is_refused(keys):
    with pytest.raises(WebhookInvalid, match="not a JSON object"):
        read(keys, SIGNER.token(b"[]", NOW), b"[]")
