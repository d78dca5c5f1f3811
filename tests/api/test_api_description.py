"""The description: valid, complete, and what schemathesis finds when it believes it."""

from __future__ import annotations

import contextvars
import re
from pathlib import Path

import hypothesis
import pytest
import schemathesis
from flask import Flask
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.tenancy.permissions import KEY_PERMISSIONS
from tests.api_support import program
from tests.books import set_up_books
from tests.web_support import words

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FEW = hypothesis.settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)
# Named in docs/api.md, which integrators read first.
DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.fixture
def description(app, cast):
    return app.test_client().get("/api/openapi.json").get_json()


def lonely(app: Flask):
    """Return the application as a server runs it: each request in a context of its own."""

    def serve(environ, start_response):
        def whole():
            answer = app.wsgi_app(environ, start_response)
            try:
                return list(answer)
            finally:
                if hasattr(answer, "close"):
                    answer.close()

        return contextvars.Context().run(whole)

    return serve


@pytest.fixture
def schema(app, cast, bank):
    books = set_up_books(cast.alice)
    books.bank(-10000, "CHECK 1043")
    books.open(0)
    found = schemathesis.openapi.from_wsgi("/api/openapi.json", lonely(app))
    caller = program(app, cast.alice)
    found.config.update(headers={"X-API-KEY": caller.key})
    return found


def test_it_is_valid_and_tells_every_call_with_its_errors(app, description):
    validate(description)
    assert description["openapi"].startswith("3.1")
    told = {
        (method.upper(), path)
        for path, operations in description["paths"].items()
        for method in operations
        if method != "parameters"
    }
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and not rule.endpoint.startswith("api_description.")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert told == served
    for operations in description["paths"].values():
        for method in set(operations) - {"parameters"}:
            operation = operations[method]
            assert operation["summary"]
            assert {"401", "403", "429", "500"} <= set(operation["responses"])
            for kind, body in operation.get("requestBody", {}).get("content", {}).items():
                assert "example" in body or kind == "multipart/form-data"


def test_its_page_shows_people_every_call(app, description):
    page = app.test_client().get("/api/docs")
    shown = words(page.text)
    for path in description["paths"]:
        assert path in shown
    assert "<script" not in page.text.partition("<body")[2]


def test_no_call_fails_or_answers_what_is_not_described(schema):
    for result in schema.get_all_operations():
        operation = result.ok()

        @FEW
        @hypothesis.given(case=operation.as_strategy())
        def call(case):
            case.call_and_validate(checks=CHECKS)

        call()


def test_calls_that_lead_to_each_other_keep_to_the_description(schema):
    class Machine(schema.as_state_machine()):
        def validate_response(self, response, case, **_others):
            case.validate_response(response, checks=CHECKS)

    Machine.run(settings=hypothesis.settings(FEW, max_examples=6, stateful_step_count=6))


@pytest.mark.parametrize("permission", KEY_PERMISSIONS)
def test_integrators_read_of_every_permission(permission):
    assert f"`{permission}`" in DOCUMENT.read_text()
