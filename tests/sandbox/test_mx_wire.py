"""The sandbox keeps to MX's description, and refuses what MX would not understand."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from tests.mx_description import OBJECTS, faults_of
from tests.mx_support import FOUNDRY, connected, running


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with running(tmp_path_factory.mktemp("mx")) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def access(sandbox):
    return connected(sandbox, FOUNDRY)


@pytest.fixture(scope="module")
def member(access):
    return f"/mx/users/{access.secrets['user_guid']}/members/{access.external_id}"


def test_every_object_of_a_list_keeps_to_the_description(sandbox, access, member):
    user = f"/mx/users/{access.secrets['user_guid']}"
    for path, name in (
        ("/mx/users", "user"),
        ("/mx/institutions", "institution"),
        (f"{user}/members", "member"),
        (f"{member}/accounts", "account"),
        (f"{member}/transactions", "transaction"),
    ):
        answer = sandbox.ask("GET", path)
        assert answer[f"{name}s"], path
        assert [fault for one in answer[f"{name}s"] for fault in faults_of(name, one)] == []
        assert faults_of("pagination", answer["pagination"]) == []
        assert answer["pagination"].keys() == OBJECTS["pagination"].keys()


def test_every_single_object_keeps_to_the_description(sandbox, access, member):
    user = f"/mx/users/{access.secrets['user_guid']}"
    widget = {"widget_url": {"widget_type": "connect_widget"}}
    for method, path, body, name in (
        ("POST", "/mx/users", {"user": {"id": "described"}}, "user"),
        ("POST", f"{user}/widget_urls", widget, "widget_url"),
        ("GET", member, None, "member"),
        ("PUT", member, {"member": {"metadata": "x", "skip_aggregation": True}}, "member"),
        ("POST", f"{member}/aggregate", {}, "member"),
    ):
        assert faults_of(name, sandbox.ask(method, path, body)[name]) == []


def status_of(sandbox, path, **headers):
    request = urllib.request.Request(sandbox.url + path, headers=headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    with refused.value as answer:
        assert json.load(answer)["error"]["message"]
        return answer.status


@pytest.mark.parametrize("given", ["", "Basic", "Basic eDp5", "Bearer x"])
def test_without_the_key_nothing_is_answered(sandbox, given):
    assert status_of(sandbox, "/mx/users", Authorization=given) == 401


def test_without_the_version_nothing_is_answered(sandbox):
    assert sandbox.ask("GET", "/mx/users", None, Accept="application/json")["error"]["status"] == (
        "not_acceptable"
    )


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/mx/users?name=x", None),
        ("GET", "/mx/institutions?query=x", None),
        ("POST", "/mx/users", {}),
        ("POST", "/mx/users", {"user": {}}),
        ("POST", "/mx/users", {"user": {"name": "x"}}),
        ("POST", "/mx/users", {"user": "x"}),
    ],
)
def test_what_mx_does_not_know_is_refused(sandbox, method, path, body):
    assert sandbox.ask(method, path, body)["error"]["status"] == "bad_request"


def test_a_widget_is_asked_for_by_a_known_type_and_a_short_payload(sandbox, access):
    path = f"/mx/users/{access.secrets['user_guid']}/widget_urls"
    right = {"widget_url": {"widget_type": "connect_widget"}}
    for body, headers in (
        ({"widget_url": {"widget_type": "pulse_widget"}}, {}),
        ({"widget_url": {"widget_type": "connect_widget", "colour": "red"}}, {}),
        (right, {"X-CALLBACK-PAYLOAD": "x" * 1025}),
    ):
        assert sandbox.ask("POST", path, body, **headers)["error"]["status"] == "bad_request"
    assert "widget_url" in sandbox.ask("POST", path, right, **{"X-CALLBACK-PAYLOAD": "x" * 1024})


def test_a_user_is_made_once(sandbox):
    body = {"user": {"id": "only-one"}}
    guid = sandbox.ask("POST", "/mx/users", body)["user"]["guid"]
    assert sandbox.ask("POST", "/mx/users", body)["error"]["status"] == "conflict"
    (found,) = sandbox.ask("GET", "/mx/users?id=only-one")["users"]
    assert found["guid"] == guid


@pytest.mark.parametrize("rows", [9, 1001, 0, "many"])
def test_a_page_of_a_size_that_mx_does_not_give_has_twenty_five_rows(sandbox, member, rows):
    answer = sandbox.ask("GET", f"{member}/transactions?records_per_page={rows}")
    assert len(answer["transactions"]) == answer["pagination"]["per_page"] == 25


def test_the_last_day_of_a_window_ends_at_its_midnight(sandbox, member):
    rows = sandbox.ask("GET", f"{member}/transactions?records_per_page=1000")["transactions"]
    first, last = sorted({row["date"] for row in rows})[3:6:2]
    query = f"from_date={first}&to_date={last}&records_per_page=1000"
    inside = sandbox.ask("GET", f"{member}/transactions?{query}")["transactions"]
    days = {row["date"] for row in inside}
    assert first in days
    assert max(days) < last


def test_nobody_reads_what_is_not_there(sandbox, access):
    user = access.secrets["user_guid"]
    for path in (
        "/mx/users/USR-none/members",
        f"/mx/users/{user}/members/MBR-none",
        f"/mx/users/{user}/members/MBR-none/transactions",
    ):
        assert sandbox.ask("GET", path)["error"]["status"] == "not_found"
