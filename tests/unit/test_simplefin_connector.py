"""SimpleFIN over HTTP: claimed once, read carefully, and nothing secret anywhere else."""

import base64
import json
import logging
import traceback
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_network
from urllib.parse import parse_qs, urlsplit

import pytest

from app.aggregators.contract import Access, AggregatorError, CursorRefused, History
from app.connectors.contract import DataConnector, OperatorSettings, SettingsRefused
from app.connectors.simplefin import client
from app.connectors.simplefin.client import AccessUrl
from app.connectors.simplefin.connector import SimpleFinConnector
from app.kernel.bank import ConnectionStatus
from app.kernel.outbound import OutboundRules
from tests.http_servers import certificate, http_server, reply

LOOPBACK = OutboundRules((ip_network("127.0.0.0/8"),))
ACME = "0" * 32
CANARY = "canary-4711"
AUTHORIZATION = "Basic " + base64.b64encode(f"user:{CANARY}".encode()).decode()


class Server:
    """Answers as the test says, and remembers what it was asked."""

    def __init__(self):
        self.asked = []
        self.status, self.body, self.headers = 200, b"", {}
        self.say([])

    def say(self, accounts, **changes):
        self.body = json.dumps({"errlist": [], "accounts": accounts} | changes).encode()

    def __call__(self, handler):
        self.asked.append((handler.command, handler.path, handler.headers.get("Authorization")))
        reply(handler, self.status, self.body, **self.headers)

    @property
    def parameters(self):
        query = parse_qs(urlsplit(self.asked[-1][1]).query)
        return {name: value for name, (value,) in query.items()}


@pytest.fixture
def server():
    answering = Server()
    with http_server(answering) as answering.port:
        yield answering


@pytest.fixture
def connector(tmp_path):
    return SimpleFinConnector(OperatorSettings(tmp_path, LOOPBACK))


def token(url):
    return base64.b64encode(url.encode()).decode()


def access_url(server, scheme="http"):
    return f"{scheme}://user:{CANARY}@127.0.0.1:{server.port}/simplefin"


@pytest.fixture
def access(server):
    return Access("127.0.0.1/x", {"access_url": access_url(server)})


def account(*rows, **changes):
    return {
        "id": "a1",
        "conn_id": "c1",
        "name": "Operating",
        "currency": "USD",
        "balance": "1.00",
        "balance-date": 1_795_262_400,
        "transactions": list(rows),
    } | changes


def row(external_id="t1", day=date(2026, 11, 20), **changes):
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return {
        "id": external_id,
        "posted": int(noon.timestamp()),
        "amount": "-1.00",
        "description": "X",
    } | changes


def refused_token(connector, given):
    with pytest.raises(SettingsRefused) as refused:
        connector.connect({"setup_token": given}, ACME)
    assert list(refused.value.fields) == ["setup_token"]
    return refused.value.fields["setup_token"]


def trouble(connector, access):
    with pytest.raises(AggregatorError) as refused:
        connector.sync_page(access, "")
    shown = "".join(traceback.format_exception(refused.value))
    assert CANARY not in shown
    assert AUTHORIZATION not in shown
    return refused.value


# claiming


def test_a_token_is_claimed_once_and_its_access_sealed(connector, server):
    assert isinstance(connector, DataConnector)
    server.body = f"{access_url(server)}\n".encode()
    given = token(f"http://127.0.0.1:{server.port}/simplefin/claim/abc")
    access = connector.connect({"setup_token": f" {given[:10]}\n{given[10:]} "}, ACME)
    assert server.asked == [("POST", "/simplefin/claim/abc", None)]
    assert access.secrets == {"access_url": access_url(server)}
    assert access.external_id.startswith("127.0.0.1/")
    assert CANARY not in access.external_id + repr(access)


def test_a_token_that_was_claimed_already_may_be_stolen(connector, server):
    server.status = 403
    message = refused_token(connector, token(f"http://127.0.0.1:{server.port}/claim/abc"))
    assert "claimed already" in message
    assert "stolen" in message


@pytest.mark.parametrize(
    "given",
    [
        "",
        "nonsense",
        "!!!!",
        token("not a url"),
        token("ftp://host/claim"),
        token("https://user:pw@host/claim"),
        base64.b64encode(b"\xff\xfe").decode(),
    ],
)
def test_what_is_no_token_calls_nobody(connector, given):
    assert "not a SimpleFIN setup token" in refused_token(connector, given)


def test_a_token_that_leads_into_a_private_network_is_refused(server, tmp_path):
    public_only = SimpleFinConnector(OperatorSettings(tmp_path))
    for host in ("127.0.0.1", "localhost", "0x7f.1"):
        message = refused_token(public_only, token(f"http://{host}:{server.port}/claim"))
        assert "private network" in message
    assert server.asked == []


def test_without_tls_nobody_but_this_machine_is_called(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("93.184.216.34", 80))]
    )
    connector = SimpleFinConnector(OperatorSettings(tmp_path))
    assert "https" in refused_token(connector, token("http://bank.example/claim/abc"))


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"Forbidden",
        b"http://127.0.0.1/simplefin",
        b"ftp://user:pw@host/",
        b"https://user:pw@host/?a=b",
        b"https://user:pw@ho st/",
        b"\xff",
    ],
)
def test_an_answer_that_is_no_access_url_is_refused(connector, server, said):
    server.body = said
    message = refused_token(connector, token(f"http://127.0.0.1:{server.port}/claim"))
    assert "did not give an access URL" in message


@pytest.mark.parametrize("status", [500, 302, 429])
def test_a_server_in_trouble_leaves_the_token_for_later(connector, server, status):
    server.status = status
    with pytest.raises(AggregatorError) as refused:
        connector.connect({"setup_token": token(f"http://127.0.0.1:{server.port}/c")}, ACME)
    assert not refused.value.permanent
    assert len(server.asked) == 1


def test_credentials_in_an_access_url_are_decoded():
    url = AccessUrl.parse("https://us%40er:p%3Aw@host:8443/simplefin/")
    assert (url.base, url.user, url.password) == ("https://host:8443/simplefin", "us@er", "p:w")
    assert "us@er" not in repr(url)


# reading


def test_a_first_read_asks_for_ninety_days_with_what_is_pending(connector, server, access):
    server.say([account(row())])
    page = connector.sync_page(access, "")
    assert server.asked[-1][2] == AUTHORIZATION
    today = datetime.now(UTC).date()
    first = today - timedelta(days=89)
    midnight = datetime(first.year, first.month, first.day, tzinfo=UTC)
    assert server.parameters == {
        "version": "2",
        "start-date": str(int(midnight.timestamp())),
        "pending": "1",
    }
    assert (page.has_more, page.history, page.snapshot_from) == (False, History.COMPLETE, first)
    assert page.cursor == today.isoformat()
    assert [one.external_id for one in page.upserts] == ["t1"]


def test_after_a_long_pause_the_days_come_in_windows(connector, server, access):
    today = datetime.now(UTC).date()
    server.say([account(row())])
    cursor, pages, ends = (today - timedelta(days=200)).isoformat(), [], []
    while not pages or pages[-1].has_more:
        pages.append(connector.sync_page(access, cursor))
        cursor = pages[-1].cursor
        ends.append((server.parameters["start-date"], server.parameters.get("end-date")))
    assert len(pages) == 3
    assert [begin for begin, _ in ends[1:]] == [end for _, end in ends[:-1]]
    assert [page.snapshot_from for page in pages] == [None, None, today - timedelta(days=245)]


def test_what_one_window_lacks_takes_nothing_back(connector, server, access):
    cursor = (datetime.now(UTC).date() - timedelta(days=200)).isoformat()
    problem = {"code": "act.missingdata", "account_id": "a1"}
    server.say([account(row())], errlist=[problem])
    cursor = connector.sync_page(access, cursor).cursor
    server.say([account(row())])
    page = connector.sync_page(access, cursor)
    while page.has_more:
        page = connector.sync_page(access, page.cursor)
    assert page.snapshot_from is None
    assert connector.sync_page(access, page.cursor).snapshot_from is not None


def test_status_and_accounts_are_asked_without_transactions(connector, server, access):
    raw = account()
    del raw["transactions"]
    server.say([raw])
    status = connector.login_status(access)
    assert status.health.status is ConnectionStatus.ACTIVE
    assert server.parameters == {"version": "2", "balances-only": "1"}
    (one,) = connector.accounts(access)
    assert one.external_id == "c1/a1"


def test_a_cursor_of_somebody_else_begins_again(connector, access):
    with pytest.raises(CursorRefused):
        connector.sync_page(access, "plaid-cursor")


def test_a_login_that_needs_its_person_gives_no_page(connector, server, access):
    server.say([], errlist=[{"code": "gen.auth", "msg": "Sign in again"}])
    error = trouble(connector, access)
    assert (error.code, error.sentence, error.permanent) == ("GEN_AUTH", "Sign in again", True)
    assert error.health.status is ConnectionStatus.RECONNECT_REQUIRED
    assert connector.login_status(access).health == error.health


@pytest.mark.parametrize(
    ("status", "code", "permanent", "health"),
    [
        (403, "ACCESS_REVOKED", True, "reconnect_required"),
        (401, "ACCESS_REVOKED", True, "reconnect_required"),
        (402, "PAYMENT_REQUIRED", True, "degraded"),
        (429, "TOO_MANY_REQUESTS", False, None),
        (500, "HTTP_500", False, None),
        (404, "HTTP_404", False, None),
    ],
)
def test_each_refusal_has_its_meaning(connector, server, access, status, code, permanent, health):
    server.status = status
    error = trouble(connector, access)
    assert (error.code, error.permanent) == (code, permanent)
    assert (error.health.status if error.health else None) == health


@pytest.mark.parametrize(
    ("stated", "seconds"), [("60", 60), ("99999999", 86_400), ("soon", 3_600), (None, 3_600)]
)
def test_a_server_that_asks_to_be_left_alone_is_left_alone(
    connector, server, access, stated, seconds
):
    server.status = 429
    server.headers = {"Retry-After": stated} if stated else {}
    assert trouble(connector, access).retry_after_seconds == seconds


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"accounts": [',
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"accounts": 1e99999999999999999999}',
    ],
)
def test_an_answer_that_cannot_be_read_changes_nothing_and_passes(connector, server, access, body):
    server.body = body
    error = trouble(connector, access)
    assert (error.code, error.permanent) == ("ANSWER_UNREADABLE", False)


def test_an_answer_that_is_too_long_is_not_read(connector, server, access, monkeypatch):
    monkeypatch.setattr(client, "ANSWER_BYTES_MAX", len(server.body))
    connector.sync_page(access, "")
    monkeypatch.setattr(client, "ANSWER_BYTES_MAX", len(server.body) - 1)
    assert trouble(connector, access).code == "ANSWER_TOO_LARGE"


def test_a_server_that_is_gone_may_come_back(connector, server):
    gone = Access("x", {"access_url": f"http://user:{CANARY}@127.0.0.1:1/simplefin"})
    error = trouble(connector, gone)
    assert (error.code, error.permanent) == ("SIMPLEFIN_UNREACHABLE", False)


def test_an_address_that_becomes_private_is_not_called(server, access, tmp_path):
    error = trouble(SimpleFinConnector(OperatorSettings(tmp_path)), access)
    assert (error.code, error.permanent) == ("ADDRESS_REFUSED", True)
    assert server.asked == []


def test_ending_the_access_is_up_to_the_person(connector, access):
    with pytest.raises(AggregatorError, match="disable the token"):
        connector.remove(access)


# redirects


def moved(handler, location):
    reply(handler, 302, Location=location)


def test_a_redirect_on_the_same_server_is_followed_with_the_credentials(connector):
    asked = []

    def answer(handler):
        asked.append((handler.path.partition("?")[0], handler.headers.get("Authorization")))
        if handler.path.startswith("/simplefin"):
            moved(handler, "/v2/accounts")
        else:
            reply(handler, 200, b'{"accounts": []}')

    with http_server(answer) as port:
        url = f"http://user:{CANARY}@127.0.0.1:{port}/simplefin"
        connector.sync_page(Access("x", {"access_url": url}), "")
    assert asked == [("/simplefin/accounts", AUTHORIZATION), ("/v2/accounts", AUTHORIZATION)]


@pytest.mark.parametrize(
    "elsewhere", ["http://localhost:{port}/", "https://127.0.0.1:{port}/", "//evil.example/"]
)
def test_a_redirect_to_another_server_is_not_followed(connector, server, elsewhere):
    with http_server(lambda handler: moved(handler, elsewhere.format(port=server.port))) as port:
        url = f"http://user:{CANARY}@127.0.0.1:{port}/simplefin"
        error = trouble(connector, Access("x", {"access_url": url}))
    assert error.code == "REDIRECTED_AWAY"
    assert server.asked == []


def test_redirects_without_an_end_are_given_up(connector):
    calls = []

    def answer(handler):
        calls.append(1)
        moved(handler, handler.path)

    with http_server(answer) as port:
        url = f"http://user:{CANARY}@127.0.0.1:{port}/simplefin"
        error = trouble(connector, Access("x", {"access_url": url}))
    assert (error.code, len(calls)) == ("SIMPLEFIN_UNREACHABLE", 4)


# secrets


def test_over_tls_with_a_certificate_of_the_host(connector, tmp_path, monkeypatch):
    trusted, context = certificate(tmp_path, "127.0.0.1")
    answering = Server()
    with http_server(answering, context) as answering.port:
        access = Access("x", {"access_url": access_url(answering, "https")})
        assert "certificate" in trouble(connector, access).sentence
        assert answering.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        assert connector.sync_page(access, "").upserts == ()


def test_nothing_secret_is_logged(connector, server, access, caplog):
    caplog.set_level(logging.DEBUG)
    server.say([account(row())])
    connector.sync_page(access, "")
    server.status = 500
    trouble(connector, access)
    assert CANARY not in caplog.text
    assert AUTHORIZATION not in caplog.text
