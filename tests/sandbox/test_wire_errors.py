"""What the wire refuses, in Plaid's words and in Plaid's order."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from tests.sandbox_support import PUGET, TIDEWATER, connect

LINK = {
    "client_name": "Tieout",
    "language": "en",
    "country_codes": ["US"],
    "user": {"client_user_id": "person-1"},
    "products": ["transactions"],
}
ERROR_KEYS = {
    "error_type",
    "error_code",
    "error_message",
    "display_message",
    "documentation_url",
    "suggested_action",
    "request_id",
}


def post(sandbox, path, content, **headers):
    """Return status and body of a POST of any bytes."""
    request = urllib.request.Request(
        sandbox.url + path,
        data=content,
        headers={"Content-Type": "application/json", **headers},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_an_error_has_all_its_keys(sandbox):
    status, body = post(sandbox, "/item/get", b"{}")
    assert status == 400
    assert body.keys() == ERROR_KEYS


def test_credentials_are_taken_from_headers_as_the_sdk_sends_them(sandbox):
    keys = {"PLAID-CLIENT-ID": sandbox.client_id, "PLAID-SECRET": sandbox.secret}
    body = json.dumps({"query": "puget", "country_codes": ["US"]}).encode()
    status, answer = post(sandbox, "/institutions/search", body, **keys)
    assert (status, len(answer["institutions"])) == (200, 1)


def test_missing_and_wrong_credentials_are_told_apart(sandbox):
    _, missing = post(sandbox, "/item/get", b'{"access_token": "x"}')
    assert missing["error_code"] == "MISSING_FIELDS"
    assert "client_id, secret" in missing["error_message"]
    body = json.dumps({"client_id": "client", "secret": "wrong", "access_token": "x"}).encode()
    status, wrong = post(sandbox, "/item/get", body)
    assert (status, wrong["error_type"], wrong["error_code"]) == (
        400,
        "INVALID_INPUT",
        "INVALID_API_KEYS",
    )


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'"text"', b"\xff"])
def test_a_body_that_is_no_object_is_invalid(sandbox, content):
    assert post(sandbox, "/item/get", content)[1]["error_code"] == "INVALID_BODY"


def test_a_body_of_another_type_is_refused_by_its_header(sandbox):
    _, body = post(sandbox, "/item/get", b"a=b", **{"Content-Type": "text/plain"})
    assert body["error_code"] == "INVALID_HEADERS"


def test_an_unknown_path_is_not_found(sandbox):
    status, body = post(sandbox, "/item/strange", b"{}")
    assert (status, body["error_code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "body", "code", "named"),
    [
        ("/item/get", {}, "MISSING_FIELDS", "access_token"),
        ("/item/get", {"access_token": None}, "MISSING_FIELDS", "access_token"),
        ("/item/get", {"access_token": ""}, "INVALID_FIELD", "access_token"),
        ("/item/get", {"access_token": 7}, "INVALID_FIELD", "access_token"),
        ("/item/get", {"access_token": "x", "strange": 1}, "UNKNOWN_FIELDS", "strange"),
        ("/item/get", {"strange": 1}, "MISSING_FIELDS", "access_token"),
        ("/item/get", {"access_token": "x"}, "INVALID_ACCESS_TOKEN", ""),
        ("/item/remove", {"access_token": "x", "reason_code": "BORED"}, "INVALID_FIELD", "reason"),
        ("/transactions/sync", {"access_token": "x", "count": 0}, "INVALID_FIELD", "count"),
        ("/transactions/sync", {"access_token": "x", "count": 501}, "INVALID_FIELD", "count"),
        ("/transactions/sync", {"access_token": "x", "count": "9"}, "INVALID_FIELD", "count"),
        (
            "/transactions/sync",
            {"access_token": "x", "options": {"strange": 1}},
            "UNKNOWN_FIELDS",
            "options.strange",
        ),
        ("/institutions/search", {"query": "x", "country_codes": []}, "INVALID_FIELD", "country"),
        ("/institutions/get_by_id", {"institution_id": "x"}, "MISSING_FIELDS", "country_codes"),
        ("/link/token/get", {"link_token": "x"}, "INVALID_LINK_TOKEN", ""),
        ("/item/public_token/exchange", {"public_token": "x"}, "INVALID_PUBLIC_TOKEN", ""),
        ("/link/token/create", {}, "MISSING_FIELDS", "client_name, country_codes, language"),
        ("/link/token/create", {**LINK, "user": {}}, "MISSING_FIELDS", "user.client_user_id"),
        ("/link/token/create", {**LINK, "user": None}, "MISSING_FIELDS", "client_user_id"),
        ("/link/token/create", {**LINK, "products": []}, "MISSING_FIELDS", "products"),
        ("/link/token/create", {**LINK, "products": ["gold"]}, "INVALID_PRODUCT", ""),
        ("/link/token/create", {**LINK, "client_name": "x" * 31}, "INVALID_FIELD", "client_name"),
        ("/link/token/create", {**LINK, "language": "xx"}, "INVALID_FIELD", "language"),
        ("/link/token/create", {**LINK, "country_codes": ["XX"]}, "INVALID_FIELD", "country"),
        ("/link/token/create", {**LINK, "webhook": "ftp://x"}, "INVALID_FIELD", "webhook"),
        ("/link/token/create", {**LINK, "strange": 1}, "UNKNOWN_FIELDS", "strange"),
        (
            "/link/token/create",
            {**LINK, "transactions": {"days_requested": 731}},
            "INVALID_FIELD",
            "days_requested",
        ),
        (
            "/link/token/create",
            {**LINK, "hosted_link": {"url_lifetime_seconds": 21 * 86_400 + 1}},
            "INVALID_FIELD",
            "url_lifetime_seconds",
        ),
        ("/link/token/create", {**LINK, "access_token": "x"}, "INVALID_FIELD", "products"),
        (
            "/sandbox/public_token/create",
            {"institution_id": TIDEWATER, "initial_products": ["transactions"]},
            "INVALID_INSTITUTION",
            "",
        ),
        (
            "/sandbox/public_token/create",
            {"institution_id": "ins_900208", "initial_products": ["transactions"]},
            "PRODUCTS_NOT_SUPPORTED",
            "",
        ),
        (
            "/sandbox/public_token/create",
            {
                "institution_id": PUGET,
                "initial_products": ["transactions"],
                "options": {"override_username": "nobody"},
            },
            "INVALID_CREDENTIALS",
            "",
        ),
    ],
)
def test_a_call_is_refused_and_the_field_named(sandbox, path, body, code, named):
    answer = sandbox.call(path, **body)
    assert answer["error_code"] == code, answer
    assert named in answer["error_message"]


@pytest.mark.parametrize("cursor", ["x", "////", "MXwyfDM=", "é"])
def test_a_cursor_that_is_none_is_refused(sandbox, cursor):
    made = connect(sandbox)
    answer = sandbox.call("/transactions/sync", access_token=made.access_token, cursor=cursor)
    assert answer["error_code"] == "INVALID_FIELD"


def test_a_cursor_of_another_item_is_refused(sandbox):
    one, other = connect(sandbox), connect(sandbox)
    cursor = sandbox.call("/transactions/sync", access_token=one.access_token)["next_cursor"]
    answer = sandbox.call("/transactions/sync", access_token=other.access_token, cursor=cursor)
    assert "not associated" in answer["error_message"]


def test_a_public_token_that_has_run_out_is_refused(sandbox):
    made = sandbox.call(
        "/sandbox/public_token/create", institution_id=PUGET, initial_products=["transactions"]
    )
    sandbox.control("POST", "/expire", token=made["public_token"])
    answer = sandbox.call("/item/public_token/exchange", public_token=made["public_token"])
    assert "expired" in answer["error_message"]
