"""What the sandbox's tests share: connecting, reading a stream, receiving webhooks, browsing."""

from __future__ import annotations

import http.client
import http.server
import json
import re
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import html5lib

from tests.html import ids_of
from tests.waiting import comes_true

PUGET, CASCADE, SUMMIT = "ins_900201", "ins_900202", "ins_900203"
FOUNDRY, MERIDIAN, NOORDERLICHT = "ins_900204", "ins_900205", "ins_900206"
TIDEWATER, GRANITE, CONTINENTAL = "ins_900207", "ins_900208", "ins_900209"


@dataclass(frozen=True)
class Connected:
    access_token: str
    item_id: str


def connect(sandbox, institution_id=PUGET, *, webhook=None, username=None, days=90):
    """Make an item without the hosted page."""
    options = {"transactions": {"days_requested": days}}
    if webhook:
        options["webhook"] = webhook
    if username:
        options["override_username"] = username
    made = sandbox.call(
        "/sandbox/public_token/create",
        institution_id=institution_id,
        initial_products=["transactions"],
        options=options,
    )
    given = sandbox.call("/item/public_token/exchange", public_token=made["public_token"])
    return Connected(given["access_token"], given["item_id"])


def read_stream(sandbox, access_token, *, cursor="", count=500, pages_max=1_000):
    """Read to the end as a careful client does; return the pages."""
    pages = []
    while True:
        page = sandbox.call(
            "/transactions/sync", access_token=access_token, cursor=cursor, count=count
        )
        assert "error_code" not in page, page
        pages.append(page)
        cursor = page["next_cursor"]
        if not page["has_more"]:
            return pages
        assert len(pages) < pages_max


def apply_pages(pages, kept=None):
    """Return what a client holds after these pages, by identifier."""
    kept = dict(kept or {})
    for page in pages:
        for row in (*page["added"], *page["modified"]):
            kept[row["transaction_id"]] = row
    for page in pages:
        for row in page["removed"]:
            kept.pop(row["transaction_id"], None)
    return kept


@dataclass
class Webhook:
    body: bytes
    headers: dict[str, str]

    @property
    def content(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.content["webhook_code"]


@dataclass
class Receiver:
    """A server that takes webhooks; it refuses the first `refuse_count` with 500."""

    refuse_count: int = 0
    received: list[Webhook] = field(default_factory=list)

    def __enter__(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append(Webhook(body, dict(self.headers)))
                refused = receiver.refuse_count > 0
                receiver.refuse_count -= refused
                self.send_response(500 if refused else 200)
                self.end_headers()

            def log_message(self, *args):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *args):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/hooks"

    def codes(self):
        return [webhook.code for webhook in self.received]

    def wait_for(self, code, *, count=1):
        """Return the first webhook of this code, once `count` of them are there."""
        arrived = comes_true(lambda: self.codes().count(code) >= count)
        assert arrived, f"{code} among {self.codes()}"
        return next(webhook for webhook in self.received if webhook.code == code)


@dataclass
class Browser:
    """A person's browser without JavaScript: pages, forms, redirects."""

    url: str = ""
    status: int = 0
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def open(self, url, *, form=None):
        address = urlsplit(url)
        target = address.path + (f"?{address.query}" if address.query else "")
        connection = http.client.HTTPConnection(address.netloc, timeout=30)
        body = None if form is None else urlencode(form, doseq=True)
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        connection.request("GET" if form is None else "POST", target, body, headers)
        answer = connection.getresponse()
        self.url, self.status = url, answer.status
        self.headers = dict(answer.headers)
        self.text = answer.read().decode()
        connection.close()
        location = self.headers.get("Location")
        if self.status == 303 and location is not None and location.startswith("/"):
            return self.open(f"http://{address.netloc}{location}")
        return self

    def submit(self, step, **form):
        """Submit a step's form of the page that is shown; the page must have it."""
        found = re.search(rf'action="([^"]*/{step})"', self.text)
        assert found, (step, self.text)
        return self.open(f"http://{urlsplit(self.url).netloc}{found[1]}", form=form)

    @property
    def heading(self):
        found = re.search(r"<h1>(.*?)</h1>", self.text, re.DOTALL)
        return found and found[1]


def hosted_link(sandbox, **more: Any):
    """Return what /link/token/create answers for a hosted page."""
    body = {
        "client_name": "Tieout",
        "language": "en",
        "country_codes": ["US"],
        "user": {"client_user_id": "person-1"},
        "hosted_link": {},
        **more,
    }
    if "access_token" not in more:
        body.setdefault("products", ["transactions"])
    return sandbox.call("/link/token/create", **body)


def sign_in(link, institution_id=PUGET, **who):
    """Open a hosted page, choose a bank, agree where it asks for that, and sign in."""
    browser = Browser().open(link["hosted_link_url"])
    if browser.heading == "Choose your bank":
        browser.submit("bank", institution_id=institution_id)
    if "/consent" in browser.text:
        browser.submit("consent")
    return browser.submit("sign-in", **{"username": "user_good", "password": "pass_good", **who})


def through_hosted_page(link, institution_id=PUGET, *, accounts=None, **who):
    """Go all the way and return the browser at its end."""
    browser = sign_in(link, institution_id, **who)
    if browser.heading == "Type the code":
        browser.submit("code", code="1234")
    if accounts is None:
        accounts = re.findall(r'name="account" value="(\w+)"', browser.text)
    return browser.submit("accounts", account=accounts)


def sound(html):
    """Parse a page of the sandbox's; fail where its markup is broken or an id stands twice."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    root = parser.parse(html)
    assert parser.errors == [], parser.errors
    assert (root.findtext(".//title") or "").strip()
    assert len(list(root.iter("main"))) == 1
    assert len(list(root.iter("h1"))) == 1
    ids_of(root)
    return root
