"""Plaid's client: what is repeated, what is not, and how every kind of trouble ends."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
import traceback
from dataclasses import replace

import pytest

from app.aggregators.contract import Access, AggregatorError
from app.aggregators.plaid import adapter
from app.aggregators.plaid import client as client_module
from app.aggregators.plaid.adapter import Plaid
from app.aggregators.plaid.client import Call, Client, Patience
from app.aggregators.plaid.settings import PlaidSettings
from app.kernel.bank import ConnectionStatus
from tests.plaid_server import CLIENT_ID, QUICK, SECRET, Reply, plaid_error, plaid_server

TOKEN = "access-sandbox-canary-90fe"
ACCESS = Access("item", {"access_token": TOKEN})
DONE = Reply({"request_id": "r"})
BUSY = Reply(raw=b"<html>busy</html>", status=503)
SAFE = Call("item_remove", read_seconds=20.0, total_seconds=60.0)
HASTY = replace(SAFE, read_seconds=0.5)  # where the answer is to come too late
REQUEST = {"access_token": TOKEN}


@pytest.fixture
def server():
    with plaid_server() as running:
        yield running


def make_client(url: str, **patience: float) -> Client:
    return Client(PlaidSettings(url, CLIENT_ID, SECRET), replace(QUICK, **patience))


def failure_of(server, call=SAFE, **patience) -> AggregatorError:
    with pytest.raises(AggregatorError) as raised:
        make_client(server.url, **patience).call(call, REQUEST)
    return raised.value


def calls_count(server) -> int:
    return len(server.seen)


def test_each_call_carries_the_keys_and_the_version(server):
    server.reply_to("/item/remove", DONE)
    assert make_client(server.url).call(SAFE, REQUEST) == {"request_id": "r"}
    headers = server.seen[0].headers
    assert headers["plaid-client-id"] == CLIENT_ID
    assert headers["plaid-secret"] == SECRET
    assert headers["plaid-version"] == "2020-09-14"
    assert headers["content-type"] == "application/json"
    assert server.seen[0].body == REQUEST


def test_the_host_may_have_a_path(server):
    server.reply_to("/prefix/item/remove", DONE)
    assert make_client(server.url + "/prefix").call(SAFE, REQUEST)


def test_a_harmless_call_is_repeated_until_it_succeeds(server):
    server.reply_to("/item/remove", BUSY, BUSY, DONE)
    assert make_client(server.url).call(SAFE, REQUEST)
    assert calls_count(server) == 3


def test_the_attempts_are_bounded(server):
    server.reply_to("/item/remove", BUSY)
    error = failure_of(server)
    assert calls_count(server) == QUICK.attempts_max
    assert (error.code, error.permanent) == ("HTTP_503", False)
    assert error.health is not None
    assert error.health.status is ConnectionStatus.DEGRADED


def test_an_internal_error_of_plaid_is_repeated(server):
    server.reply_to("/item/remove", plaid_error("INTERNAL_SERVER_ERROR", "API_ERROR", 500), DONE)
    assert make_client(server.url).call(SAFE, REQUEST)


@pytest.mark.parametrize("code", ["ITEM_LOGIN_REQUIRED", "INSTITUTION_DOWN", "PLANNED_MAINTENANCE"])
def test_an_answer_that_stays_the_same_is_not_asked_for_again(server, code):
    server.reply_to("/item/remove", plaid_error(code))
    assert failure_of(server).code == code
    assert calls_count(server) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        BUSY,
        Reply(drop=True),
        Reply(raw=b'{"request'),
        Reply(DONE.body, before=lambda _handler: time.sleep(1.0)),
        plaid_error("INTERNAL_SERVER_ERROR", "API_ERROR", 500),
    ],
    ids=["gateway", "dropped", "truncated", "slow", "internal"],
)
def test_what_may_happen_once_is_never_sent_twice(server, trouble):
    server.reply_to("/item/remove", trouble)
    failure_of(server, replace(HASTY, repeatable=False))
    assert calls_count(server) == 1


def test_a_refused_connection_is_tried_again_even_for_what_may_happen_once(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        pauses: list[float] = []
        monkeypatch.setattr(client_module.time, "sleep", pauses.append)
        client = make_client(f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(AggregatorError) as raised:
            client.call(replace(SAFE, repeatable=False), REQUEST)
    assert raised.value.code == "NOT_CONNECTED"
    assert len(pauses) == QUICK.attempts_max - 1
    assert not raised.value.permanent


def test_the_pauses_grow_and_are_not_all_the_same(monkeypatch):
    pauses: list[float] = []
    monkeypatch.setattr(client_module.time, "sleep", pauses.append)
    with plaid_server() as server:
        server.reply_to("/item/remove", BUSY)
        for _ in range(20):
            failure_of(server, attempts_max=2, pause_seconds=1.0)
    assert len(set(pauses)) > 10
    assert all(0.1 <= pause <= 1.0 for pause in pauses)


def test_no_attempt_begins_that_could_end_too_late(server):
    server.reply_to("/item/remove", BUSY)
    failure_of(server, replace(HASTY, total_seconds=0.9))  # connecting and reading may take 1.0
    assert calls_count(server) == 1


CALLS = [call for call in vars(adapter).values() if isinstance(call, Call)]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.operation)
def test_every_call_has_time_for_a_second_try_and_ends_before_the_web_server_does(call):
    patience = Patience()
    once = patience.connect_seconds + call.read_seconds
    assert once + 2 * patience.pause_seconds <= call.total_seconds <= 60


def test_all_calls_are_checked():
    assert len(CALLS) == 11


def test_a_slow_answer_is_given_up(server):
    given_up = threading.Event()
    server.reply_to("/item/remove", Reply(DONE.body, before=lambda _handler: given_up.wait()))
    assert failure_of(server, HASTY, attempts_max=1).code == "TIMED_OUT"
    given_up.set()


def test_an_answer_that_only_drips_is_given_up(server):
    given_up = threading.Event()

    def drip(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        try:
            while not given_up.wait(0.1):
                handler.wfile.write(b" ")
                handler.wfile.flush()
        except OSError:
            pass  # the client went away, as it should

    server.reply_to("/item/remove", Reply(before=drip, drop=True))
    assert failure_of(server, HASTY, attempts_max=1).code == "TIMED_OUT"
    given_up.set()


def test_an_answer_without_end_is_given_up(server, monkeypatch):
    monkeypatch.setattr(client_module, "ANSWER_BYTES_MAX", 1_000)
    server.reply_to("/item/remove", Reply(raw=b'"' + b"x" * 1_000 + b'"'))
    assert failure_of(server).code == "CONNECTION_BROKEN"


def test_an_answer_of_the_largest_size_is_read(server, monkeypatch):
    body = json.dumps({"padding": "x" * 500}).encode()
    monkeypatch.setattr(client_module, "ANSWER_BYTES_MAX", len(body))
    server.reply_to("/item/remove", Reply(raw=body))
    assert make_client(server.url).call(SAFE, REQUEST)


@pytest.mark.parametrize(
    "raw",
    [
        b"<html>hello</html>",
        b'{"request_id": "r"',
        b"",
        b"[]",
        b"\xff\xfe\x00",
        b'{"a": NaN}',
        b'{"a": 1e99999999999999999999}',
        b'{"a": ' + b"9" * 5_000 + b"}",
        b'{"a":' * 100_000,
    ],
    ids=["page", "cut", "empty", "list", "bytes", "nan", "exponent", "digits", "depth"],
)
def test_an_answer_that_is_no_json_object_is_a_passing_failure(server, raw):
    server.reply_to("/item/remove", Reply(raw=raw))
    error = failure_of(server)
    assert (error.code, error.permanent) == ("ANSWER_UNREADABLE", False)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 502])
def test_an_error_page_in_another_encoding_is_a_failure_like_any(server, status):
    server.reply_to("/item/remove", Reply(raw="gestört".encode("latin-1"), status=status))
    assert failure_of(server).code == f"HTTP_{status}"


def test_a_redirect_is_not_followed(server):
    with plaid_server() as elsewhere:
        elsewhere.reply_to("/item/remove", DONE)
        location = {"Location": f"{elsewhere.url}/item/remove"}
        server.reply_to("/item/remove", Reply(raw=b"", status=307, headers=location))
        assert failure_of(server).code == "HTTP_307"
        assert elsewhere.seen == []


def test_tls_that_cannot_be_trusted_is_a_failure(server):
    https = server.url.replace("http://", "https://")
    with pytest.raises(AggregatorError) as raised:
        make_client(https).call(SAFE, REQUEST)
    assert raised.value.code == "TLS_FAILED"
    assert not raised.value.permanent


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 60),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "999999999999999"}, 3_600),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 60),
        ({"Retry-After": "²"}, 60),
    ],
)
def test_too_many_calls_say_how_long_to_wait(server, headers, expected):
    limited = plaid_error("TRANSACTIONS_SYNC_LIMIT", "RATE_LIMIT_EXCEEDED", 429)
    server.reply_to("/item/remove", replace(limited, headers=headers))
    error = failure_of(server)
    assert error.retry_after_seconds == expected
    assert (error.permanent, error.health) == (False, None)
    assert calls_count(server) == 1


def test_plaids_id_of_a_failed_call_is_logged_for_its_support(server, capsys):
    server.reply_to("/item/remove", plaid_error("ITEM_LOCKED", request_id="Qx7"))
    failure_of(server)
    assert '"plaid_request": "Qx7"' in capsys.readouterr().out


def test_too_many_calls_are_known_by_the_status_alone(server):
    server.reply_to("/item/remove", Reply(raw=b"slow down", status=429))
    error = failure_of(server)
    assert (error.code, error.retry_after_seconds) == ("HTTP_429", 60)


def test_a_request_that_the_sdk_refuses_is_never_sent(server):
    with pytest.raises(AggregatorError) as raised:
        make_client(server.url).call(SAFE, {"access_token": 5})
    assert (raised.value.code, raised.value.permanent) == ("REQUEST_INVALID", True)
    assert server.seen == []


TROUBLE = {
    "echo": plaid_error("INVALID_FIELD", error_message=f"{TOKEN} {SECRET}", display_message=TOKEN),
    "echo as code": plaid_error(TOKEN, SECRET),
    "echo as id": plaid_error("ITEM_LOCKED", request_id=f"{TOKEN}"),
    "page": Reply(raw=f"<p>{TOKEN}</p>".encode(), status=502, headers={"X-Echo": SECRET}),
    "nonsense": Reply(raw=f'"{TOKEN}"'.encode()),
    "dropped": Reply(drop=True),
    "slow": Reply(DONE.body, before=lambda _handler: time.sleep(0.8)),
}


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE.keys())
def test_no_failure_tells_a_secret(server, trouble, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    server.reply_to("/item/remove", trouble)
    error = failure_of(server, HASTY, attempts_max=2)
    _assert_silent(error, caplog, capsys)


def test_a_refused_request_tells_no_secret(server, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(AggregatorError) as raised:
        make_client(server.url).call(SAFE, {"access_token": [TOKEN, SECRET]})
    _assert_silent(raised.value, caplog, capsys)


def test_nothing_that_is_kept_tells_a_secret():
    settings = PlaidSettings("http://127.0.0.1:1", CLIENT_ID, SECRET)
    shown = f"{settings!r} {Plaid(settings)!r} {ACCESS!r} {Client(settings)!r}"
    assert SECRET not in shown
    assert TOKEN not in shown


def _assert_silent(error, caplog, capsys):
    printed = capsys.readouterr()
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    told += caplog.text + printed.out + printed.err
    chained, seen = error, []
    while chained := chained.__cause__ or chained.__context__:
        seen.append(str(chained))
    told += " ".join(seen)
    # pytest's own traceback names the lines of this file, never the values.
    assert TOKEN not in told
    assert SECRET not in told
