"""A server on this machine that answers Plaid's calls as a test says, byte by byte."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from app.aggregators.plaid.adapter import Plaid
from app.aggregators.plaid.client import Patience
from app.aggregators.plaid.settings import PlaidSettings

CLIENT_ID = "client-of-the-tests"
SECRET = "secret-canary-51d7"
QUICK = Patience(connect_seconds=0.5, attempts_max=3, pause_seconds=0.01)


@dataclass(frozen=True)
class Reply:
    """One answer; `raw` goes out instead of `body` as it stands, `drop` ends the connection."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    drop: bool = False
    before: Callable[[Any], None] | None = None

    def content(self) -> bytes:
        return json.dumps(self.body).encode() if self.raw is None else self.raw


def plaid_error(code: str, error_type: str = "ITEM_ERROR", status: int = 400, **more: Any) -> Reply:
    body = {
        "error_type": error_type,
        "error_code": code,
        "error_message": "words of the provider",
        "display_message": None,
        "request_id": "r1",
        **more,
    }
    return Reply(body, status)


@dataclass
class Seen:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Server:
    url: str
    script: dict[str, list[Reply]]
    seen: list[Seen] = field(default_factory=list)

    def reply_to(self, path: str, *replies: Reply | dict[str, Any]) -> None:
        """Answer so, one after the other; the last one again and again."""
        self.script[path] = [r if isinstance(r, Reply) else Reply(r) for r in replies]

    def bodies(self, path: str) -> list[dict[str, Any]]:
        return [seen.body for seen in self.seen if seen.path == path]

    def plaid(self, patience: Patience = QUICK) -> Plaid:
        return Plaid(PlaidSettings(self.url, CLIENT_ID, SECRET), patience)


@contextmanager
def plaid_server() -> Iterator[Server]:
    script: dict[str, list[Reply]] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.seen.append(Seen(self.path, headers, json.loads(sent)))
            replies = script.get(self.path) or [plaid_error("NOT_FOUND", "INVALID_REQUEST", 404)]
            reply = replies.pop(0) if len(replies) > 1 else replies[0]
            if reply.before:
                reply.before(self)
            if reply.drop:
                self.close_connection = True
                return
            with suppress(OSError):  # who has given up is not there any more
                self.write(reply)

        def write(self, reply: Reply) -> None:
            content = reply.content()
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(content)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_words: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Server(f"http://127.0.0.1:{http.server_port}", script)
    thread = threading.Thread(
        target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
