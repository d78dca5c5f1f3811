"""Webhooks: signed as a receiver must check them, tried again, and wrong in every way asked for."""

from __future__ import annotations

import hashlib
import json
import time
from base64 import urlsafe_b64decode

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from sandbox.webhooks import ATTEMPTS_MAX
from tests.sandbox_support import connect
from tests.waiting import comes_true

HEADER = "Plaid-Verification"


def decoded(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text):
    return int.from_bytes(decoded(text))


def verified(sandbox, webhook):
    """Check a webhook as Plaid's documentation tells; return its claims."""
    header_text, claims_text, signature_text = webhook.headers[HEADER].split(".")
    header = json.loads(decoded(header_text))
    assert header["alg"] == "ES256"
    key = sandbox.call("/webhook_verification_key/get", key_id=header["kid"])["key"]
    point = ec.EllipticCurvePublicNumbers(number(key["x"]), number(key["y"]), ec.SECP256R1())
    signature = decoded(signature_text)
    point.public_key().verify(
        encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:])),
        f"{header_text}.{claims_text}".encode(),
        ec.ECDSA(hashes.SHA256()),
    )
    claims = json.loads(decoded(claims_text))
    assert abs(claims["iat"] - time.time()) < 300
    assert claims["request_body_sha256"] == hashlib.sha256(webhook.body).hexdigest()
    return claims


@pytest.fixture
def made(sandbox, receiver):
    return connect(sandbox, webhook=receiver.url)


def flawed(sandbox, made, name, **more):
    sandbox.control("POST", f"/items/{made.item_id}/faults", name=name, times=1, **more)


def fire(sandbox, made, code="DEFAULT_UPDATE"):
    sandbox.call("/sandbox/item/fire_webhook", access_token=made.access_token, webhook_code=code)


def test_a_webhook_is_signed_over_its_raw_body(sandbox, receiver, made):
    fire(sandbox, made)
    webhook = receiver.wait_for("DEFAULT_UPDATE")
    verified(sandbox, webhook)
    assert webhook.body.startswith(b'{\n  "webhook_type"')
    assert webhook.content["environment"] == "sandbox"


def test_a_rotated_key_signs_and_the_old_one_is_still_served(sandbox, receiver, made):
    fire(sandbox, made)
    old = receiver.wait_for("DEFAULT_UPDATE")
    sandbox.control("POST", "/keys/rotate")
    fire(sandbox, made, "LOGIN_REPAIRED")
    verified(sandbox, receiver.wait_for("LOGIN_REPAIRED"))
    verified(sandbox, old)
    assert old.headers[HEADER].split(".")[0] != receiver.received[-1].headers[HEADER].split(".")[0]


def test_item_get_remembers_the_last_webhook(sandbox, receiver, made):
    fire(sandbox, made)
    status = sandbox.call("/item/get", access_token=made.access_token)["status"]
    assert status["last_webhook"]["code_sent"] == "DEFAULT_UPDATE"


def test_a_refused_webhook_comes_again_until_it_is_taken(sandbox, receiver, made):
    receiver.refuse_count = 2
    fire(sandbox, made)
    receiver.wait_for("DEFAULT_UPDATE", count=3)
    (delivery,) = sandbox.control("GET", f"/items/{made.item_id}")["webhooks"]
    assert comes_true(
        lambda: sandbox.control("GET", f"/items/{made.item_id}")["webhooks"][0]["due_at"] is None
    )
    assert delivery["attempts"] == 3


def test_a_webhook_that_nobody_takes_is_given_up(sandbox, world, receiver, made):
    receiver.refuse_count = 1_000
    fire(sandbox, made)

    def is_given_up():
        with world.store.writing() as db:  # so that the test need not wait out the delays
            db.execute("UPDATE delivery SET due_at = 0 WHERE due_at < 9e11 AND last_answer != ''")
        (delivery,) = sandbox.control("GET", f"/items/{made.item_id}")["webhooks"]
        return delivery["due_at"] is None and delivery["attempts"] == ATTEMPTS_MAX

    assert comes_true(is_given_up)


def test_nobody_at_the_address_is_written_down(sandbox):
    made = connect(sandbox, webhook="http://127.0.0.1:9/hooks")
    fire(sandbox, made)

    def answers():
        return {w["last_answer"] for w in sandbox.control("GET", "/webhooks")["webhooks"]}

    assert comes_true(lambda: "ConnectionRefusedError" in answers())


def test_a_lost_webhook_never_comes(sandbox, receiver, made):
    flawed(sandbox, made, "webhook_lost")
    fire(sandbox, made)
    fire(sandbox, made, "LOGIN_REPAIRED")
    receiver.wait_for("LOGIN_REPAIRED")
    assert "DEFAULT_UPDATE" not in receiver.codes()


def test_a_doubled_webhook_comes_twice(sandbox, receiver, made):
    flawed(sandbox, made, "webhook_doubled")
    fire(sandbox, made)
    receiver.wait_for("DEFAULT_UPDATE", count=2)
    first, second = receiver.received
    assert first.body == second.body


def test_a_late_webhook_is_overtaken(sandbox, receiver, made):
    flawed(sandbox, made, "webhook_late", value="0.8")
    fire(sandbox, made)
    fire(sandbox, made, "LOGIN_REPAIRED")
    receiver.wait_for("DEFAULT_UPDATE")
    assert receiver.codes() == ["LOGIN_REPAIRED", "DEFAULT_UPDATE"]


def test_an_unsigned_webhook_has_no_header(sandbox, receiver, made):
    flawed(sandbox, made, "webhook_unsigned")
    fire(sandbox, made)
    assert HEADER not in receiver.wait_for("DEFAULT_UPDATE").headers


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("webhook_bad_signature", InvalidSignature),
        ("webhook_wrong_algorithm", AssertionError),
        ("webhook_wrong_hash", AssertionError),
        ("webhook_old", AssertionError),
    ],
)
def test_a_wrongly_signed_webhook_does_not_verify(sandbox, receiver, made, name, expected):
    flawed(sandbox, made, name)
    fire(sandbox, made)
    webhook = receiver.wait_for("DEFAULT_UPDATE")
    with pytest.raises(expected):
        verified(sandbox, webhook)


def test_a_webhook_can_be_replayed(sandbox, receiver, made):
    fire(sandbox, made)
    receiver.wait_for("DEFAULT_UPDATE")
    (delivery,) = sandbox.control("GET", f"/items/{made.item_id}")["webhooks"]
    sandbox.control("POST", f"/webhooks/{delivery['delivery_id']}/send-again")
    receiver.wait_for("DEFAULT_UPDATE", count=2)


def test_who_never_read_the_stream_hears_only_the_old_codes(sandbox, receiver, made):
    sandbox.control("POST", f"/items/{made.item_id}/advance", days=7)
    receiver.wait_for("DEFAULT_UPDATE")
    assert "SYNC_UPDATES_AVAILABLE" not in receiver.codes()
    sandbox.call("/transactions/sync", access_token=made.access_token)
    sandbox.control("POST", f"/items/{made.item_id}/advance", days=7)
    told = receiver.wait_for("SYNC_UPDATES_AVAILABLE").content
    assert told["historical_update_complete"] is True
