"""The client of MX: whom it tells the key, how often it asks, what its errors say."""

import json
import logging
import socket
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from app.aggregators.contract import AggregatorError
from app.aggregators.mx import client as client_module
from app.aggregators.mx.client import MxClient
from app.aggregators.mx.settings import MxSettings
from app.kernel.bank import ConnectionStatus

KEY = "key-that-nobody-may-see"


@contextmanager
def answering(*answers):
    """Serve these answers (status, headers, body) in turn, the last for ever; yield what came."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self):
            length = int(self.headers.get("content-length") or 0)
            headers = {**self.headers, "port": self.client_address[1]}
            seen.append((self.command, self.path, headers, self.rfile.read(length)))
            status, headers, body = answers[min(len(seen), len(answers)) - 1]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    settings = MxSettings(f"http://127.0.0.1:{server.server_port}/", "client", KEY, "")
    try:
        yield MxClient(settings), seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ok(**fields):
    return 200, {}, json.dumps(fields).encode()


def test_it_names_itself_and_the_version_that_it_speaks():
    with answering(ok(user={"guid": "USR-1"})) as (client, seen):
        client.post("users", body={"user": {"id": "ours"}})
    method, path, headers, body = seen[0]
    assert (method, path, json.loads(body)) == ("POST", "/users", {"user": {"id": "ours"}})
    given = {name.lower(): value for name, value in headers.items() if name != "port"}
    assert given["accept"] == "application/vnd.mx.api.v1+json"
    assert given["authorization"].startswith("Basic ")


def test_calls_one_after_the_other_share_a_connection():
    with answering(ok(), ok(), (404, {}, b"{}"), ok()) as (client, seen):
        client.get("x")
        client.post("x", body={})
        with pytest.raises(AggregatorError):
            client.get("x")
        client.get("x")
    assert len({headers["port"] for _, _, headers, _ in seen}) == 1


def test_numbers_stay_exact():
    with answering((200, {}, b'{"balance": 0.1000000000000000055511151231257827}')) as (client, _):
        assert client.get("x").body["balance"] == Decimal("0.1000000000000000055511151231257827")


def test_what_is_put_into_a_path_stays_one_part_of_it():
    with answering(ok()) as (client, seen):
        client.get("users", "a/../b?c", query={"id": "x&y=z"})
    assert seen[0][1] == "/users/a%2F..%2Fb%3Fc?id=x%26y%3Dz"


@pytest.mark.parametrize(
    ("status", "code", "permanent", "health"),
    [
        (400, "HTTP_400", True, None),
        (401, "CREDENTIALS_REFUSED", True, ConnectionStatus.DEGRADED),
        (403, "NOT_ENABLED", True, ConnectionStatus.DEGRADED),
        (404, "NOT_FOUND", True, ConnectionStatus.DELETED),
        (409, "CONFLICT", False, None),
        (422, "HTTP_422", True, None),
        (429, "RATE_LIMIT_EXCEEDED", False, None),
        (500, "HTTP_500", False, ConnectionStatus.DEGRADED),
        (503, "HTTP_503", False, ConnectionStatus.DEGRADED),
    ],
)
def test_each_status_has_a_meaning_and_shows_nothing_of_the_answer(status, code, permanent, health):
    body = json.dumps({"error": {"message": f"about {KEY}"}}).encode()
    with answering((status, {}, body)) as (client, _), pytest.raises(AggregatorError) as raised:
        client.post("users", "USR-secret", body={})
    error = raised.value
    assert (error.code, error.permanent) == (code, permanent)
    assert (error.health and error.health.status) == health
    assert KEY not in str(error)
    assert "USR-secret" not in str(error)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({}, 60),
        ({"Retry-After": "soon"}, 60),
        ({"Retry-After": "9" * 30}, 3600),
    ],
)
def test_it_tells_how_long_mx_wants_to_be_left_alone_and_does_not_wait_itself(header, seconds):
    with answering((429, header, b"")) as (client, seen), pytest.raises(AggregatorError) as raised:
        client.get("users")
    assert raised.value.retry_after_seconds == seconds
    assert len(seen) == 1


def test_reading_is_tried_again_and_succeeds():
    with answering((503, {}, b""), ok(member={})) as (client, seen):
        assert client.get("x").record("member") == {}
    assert len(seen) == 2


def test_reading_is_not_tried_for_ever():
    with answering((502, {}, b"")) as (client, seen), pytest.raises(AggregatorError):
        client.get("x")
    assert len(seen) == 1 + len(client_module.RETRY_PAUSES_SECONDS)


def test_making_something_is_never_tried_twice():
    with answering((503, {}, b"")) as (client, seen), pytest.raises(AggregatorError):
        client.post("users", body={})
    assert len(seen) == 1


def test_the_key_does_not_follow_to_another_host():
    with (
        answering(ok()) as (other, elsewhere),
        answering((302, {"Location": other._host}, b"")) as (client, seen),
        pytest.raises(AggregatorError, match="HTTP_302"),
    ):
        client.get("x")
    assert (len(seen), elsewhere) == (1, [])


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b'{"a": ', b"[" * 100_000])
def test_an_answer_of_another_form_is_a_passing_fault(body):
    with answering((200, {}, body)) as (client, _), pytest.raises(AggregatorError) as raised:
        client.get("x")
    assert (raised.value.code, raised.value.permanent) == ("ANSWER_UNREADABLE", False)


def test_an_answer_beyond_measure_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(client_module, "ANSWER_BYTES_MAX", 100)
    fitting = b'{"a": "' + b"x" * 91 + b'"}'
    with answering((200, {}, fitting), (200, {}, fitting + b" ")) as (client, _):
        assert client.get("x").body
        with pytest.raises(AggregatorError):
            client.get("x")


def test_nobody_there_is_a_passing_fault_that_names_no_one(caplog):
    client = MxClient(MxSettings("http://127.0.0.1:9", "client", KEY, ""))
    with caplog.at_level(logging.INFO), pytest.raises(AggregatorError) as raised:
        client.post("users", "USR-secret")
    assert (raised.value.code, raised.value.permanent) == ("UNREACHABLE", False)
    assert raised.value.__suppress_context__
    assert "USR-secret" not in caplog.text
    assert KEY not in caplog.text


def test_a_slow_answer_is_given_up(monkeypatch):
    monkeypatch.setattr(client_module, "READ_TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(AggregatorError, match="TIMEOUT"):
            MxClient(MxSettings(host, "client", KEY, "")).get("x")


def test_lists_are_read_to_their_last_page():
    def page(number):
        return ok(members=[{"guid": f"MBR-{number}"}, 3], pagination={"total_pages": 3})

    with answering(page(1), page(2), page(3)) as (client, seen):
        found = [row["guid"] for row in client.list_all("members", "users", "U", "members")]
    assert found == ["MBR-1", "MBR-2", "MBR-3"]
    assert [path.split("?")[1] for _, path, _, _ in seen] == [
        f"page={n}&records_per_page=1000" for n in (1, 2, 3)
    ]


def test_a_list_without_end_is_left_at_a_bound(monkeypatch):
    monkeypatch.setattr(client_module, "LIST_PAGES_MAX", 3)
    endless = ok(members=[{}], pagination={"total_pages": 10**9})
    with answering(endless) as (client, seen):
        assert len(list(client.list_all("members", "m"))) == 3
    assert len(seen) == 3


def test_a_list_that_hides_how_long_it_is_cannot_be_read():
    with answering(ok(members=[])) as (client, _), pytest.raises(AggregatorError):
        list(client.list_all("members", "m"))
