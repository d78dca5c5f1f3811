"""MX as the adapter's tests see it: a sandbox of its own, a person at the widget, a receiver."""

from __future__ import annotations

import itertools
import json
import logging
import re
import threading
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from werkzeug.serving import make_server

from app.aggregators.contract import Access, CursorRefused, FlowRequest, FlowState, SyncPage
from app.aggregators.mx import Mx, MxSettings
from app.aggregators.mx.webhooks import WEBHOOK_USER
from sandbox.settings import Settings
from sandbox.wsgi import create_app, stop
from tests.sandbox_support import Browser, Receiver

CLIENT_ID, API_KEY, WEBHOOK_PASSWORD = "client", "key-of-mx", "password-of-webhooks"
PUGET, CASCADE, FOUNDRY = "puget_harbor_bank", "cascade_mutual_savings", "foundry_commerce_bank"
INSTITUTION_IDS = {PUGET: "ins_900201", CASCADE: "ins_900202", FOUNDRY: "ins_900204"}
RESTARTS_MAX = 10
_numbers = itertools.count(1)


@dataclass(frozen=True)
class MxSandbox:
    """A running sandbox and the adapter that is set up for it."""

    url: str
    receiver: Receiver
    adapter: Mx

    def set_status(self, access: Access, status: str) -> None:
        """Let the login have a status; CONNECTED heals it."""
        path = f"/control/items/{access.external_id}/faults"
        if status == "CONNECTED":
            self.ask("DELETE", path)
        else:
            self.ask("POST", path, {"name": status})

    def set_fault(self, name: str, access: Access | None = None, **more: Any) -> None:
        """Let something go wrong for a login, or everywhere."""
        path = f"items/{access.external_id}/faults" if access else "faults"
        assert self.ask("POST", f"/control/{path}", {"name": name, **more}) == {}

    def change(self, access: Access, *changes: dict[str, Any]) -> list[str]:
        """Let the bank change transactions, and MX read it; return their ids."""
        guids = self.at_the_bank(access, *changes)
        self.adapter.refresh(access)
        return guids

    def at_the_bank(self, access: Access, *changes: dict[str, Any]) -> list[str]:
        path = f"/mx/sandbox/members/{access.external_id}/changes"
        done = self.ask("POST", path, {"changes": list(changes)})
        guids: list[str] = done["guids"]
        return guids

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Make a call without the adapter; an error's body is returned like any other."""
        key = b64encode(f"{CLIENT_ID}:{API_KEY}".encode()).decode()
        request = urllib.request.Request(
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Basic {key}",
                "Accept": "application/vnd.mx.api.v1+json",
                "Content-Type": "application/json",
                **headers,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                return json.load(error)


@contextmanager
def running(folder, *, pace_seconds: float = 0) -> Iterator[MxSandbox]:
    """Run a sandbox in this process."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with Receiver() as receiver:
        webhook_url = receiver.url.replace("http://", f"http://{WEBHOOK_USER}:{WEBHOOK_PASSWORD}@")
        app = create_app(
            Settings(
                folder,
                "plaid-client",
                "plaid-secret",
                mx_client_id=CLIENT_ID,
                mx_api_key=API_KEY,
                mx_webhook_url=webhook_url,
                pace_seconds=pace_seconds,
                retry_seconds=0.05,
            )
        )
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        settings = MxSettings(f"{url}/mx", CLIENT_ID, API_KEY, WEBHOOK_PASSWORD)
        try:
            yield MxSandbox(url, receiver, Mx(settings))
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            stop(app)


def request_for(**more: Any) -> FlowRequest:
    """Return what a new person starts a flow with, unless told otherwise."""
    number = next(_numbers)
    given = {
        "reference": f"flow-{number}",
        "user_reference": f"organization-{number}",
        "return_url": "http://127.0.0.1:5000/connections/returned",
        "webhook_url": None,
    }
    return FlowRequest(**{**given, **more})


class Person(Browser):
    """Somebody at the widget."""

    def submit(self, step: str, **form: str) -> Browser:
        """Submit the form of a step; the page must have it."""
        found = re.search(rf'action="([^"]*/{step})"', self.text)
        assert found, f"no form “{step}” in {self.text}"
        address = urlsplit(self.url)
        return self.open(f"{address.scheme}://{address.netloc}{found[1]}", form=form)


def sign_in(url: str, institution: str | None = PUGET, **who: str) -> Browser:
    """Walk through the widget to the sign-in and try it; None is at the bank already."""
    browser = Person().open(url)
    if institution is not None:
        browser.submit("bank", institution_id=INSTITUTION_IDS[institution])
    return browser.submit("sign-in", **{"username": "user_good", "password": "pass_good", **who})


def connected(sandbox: MxSandbox, institution: str = PUGET, **more: Any) -> Access:
    """Connect a login as a person does, and take it."""
    flow = sandbox.adapter.start_flow(request_for(**more))
    browser = sign_in(flow.url, institution)
    if institution != PUGET:
        browser.submit("code", code="1234")
    assert "is connected" in browser.text
    result = sandbox.adapter.flow_result(flow.token)
    assert result.state is FlowState.FINISHED
    (grant,) = result.grants
    return sandbox.adapter.exchange(grant.token)


def read(adapter: Mx, access: Access, cursor: str = "") -> list[SyncPage]:
    """Read to the end as the application does: all pages, or all of them again."""
    for _ in range(RESTARTS_MAX):
        try:
            return _read_once(adapter, access, cursor)
        except CursorRefused:
            continue
    raise AssertionError("The read never came to its end.")


def _read_once(adapter: Mx, access: Access, cursor: str) -> list[SyncPage]:
    pages = [adapter.sync_page(access, cursor)]
    while pages[-1].has_more:
        pages.append(adapter.sync_page(access, pages[-1].cursor))
    return pages


def apply(pages: list[SyncPage], kept: dict[str, Any]) -> dict[str, Any]:
    """Return what the application holds after these pages, by id."""
    seen = {row.external_id: row for page in pages for row in page.upserts}
    start = pages[-1].snapshot_from
    return {
        guid: row
        for guid, row in (kept | seen).items()
        if guid in seen or start is None or row.posted_date < start
    }
