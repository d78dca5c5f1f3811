"""What the tests of the API share: a program with a key, and what it sends."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.people.api_keys import create_api_key
from app.tenancy.actor import Actor
from app.tenancy.scope import organization_scope

CONNECTIONS = "/api/financial_connections/v2"
OK = HTTPStatus.OK
LEDGER = "/api/ledger/v1"
RECONCILIATION = "/api/reconciliation/v1"


@dataclass
class Program:
    """A client of the API that sends its key with every call."""

    client: FlaskClient
    key: str
    key_id: str

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        headers = {"X-API-KEY": self.key} | options.pop("headers", {})
        if body is not None:
            options["json"] = body
        return self.client.open(path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        return self.call("POST", path, body, **options)

    def put(self, path: str, body: Any, **options: Any) -> TestResponse:
        return self.call("PUT", path, body, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.call("DELETE", path, **options)

    def send_file(self, path: str, data: bytes, **form: str) -> TestResponse:
        sent = {"file": (BytesIO(data), "bank.csv"), **form}
        return self.call("POST", path, data=sent, content_type="multipart/form-data")


def program(app: Flask, actor: Actor, *permissions: str) -> Program:
    """Return a program with a key of the actor's organization; no permission means all.

    It has called once, so that its use is noted already.
    """
    with organization_scope(actor.organization_id):
        created = create_api_key(actor, "Close script", permissions)
    made = Program(app.test_client(), created.key, created.id)
    assert made.get(f"{LEDGER}/accounts/").status_code == OK
    return made


def problem_of(answer: TestResponse, status: int) -> dict[str, Any]:
    """Check that the answer is a problem document of this status, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    document: dict[str, Any] = answer.get_json()
    assert document["status"] == status
    assert {"type", "title", "detail", "code", "request_id"} <= document.keys()
    assert "Traceback" not in answer.text
    return document
