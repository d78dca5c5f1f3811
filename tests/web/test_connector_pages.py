"""Connectors set up by a form, and requests for those that are missing."""

from __future__ import annotations

import pytest

from app.connections.nonstandard import AskForConnector, ask_for_connector
from app.models import ConnectorRequest, FinancialConnection, db
from app.tenancy.scope import enter_scope, owned
from tests.conftest import sign_in
from tests.html import checked, words


@pytest.fixture
def carol(app, cast):
    """Carol's browser: a controller with the permission `bank_connections`."""
    return sign_in(app, cast.carol)


def read(client, url, status=200):
    answer = client.get(url)
    assert answer.status_code == status, answer.text
    return words(checked(answer.text))


def post(client, url, status=303, headers=None, **data):
    answer = client.post(url, data=data, headers=headers)
    assert answer.status_code == status, answer.text
    return answer


def only(cast, model):
    enter_scope(cast.acme_id)
    db.session.rollback()
    return db.session.scalars(owned(model)).one()


def test_the_form_is_made_of_what_the_connector_asks_for(carol):
    root = checked(carol.get("/connections/new/connectors/sftp").text)
    kinds = {one.get("name"): one.get("type") for one in root.iter("input")}
    assert kinds["setting-password"] == "password"
    assert kinds["setting-host"] == "text"
    assert "account_name" in kinds
    assert "account_name" not in {
        one.get("name")
        for one in checked(carol.get("/connections/new/connectors/simplefin").text).iter("input")
    }


def test_a_secret_is_never_sent_back_and_the_fields_say_what_is_wrong(carol, cast):
    answer = post(
        carol,
        "/connections/new/connectors/sftp",
        422,
        institution_name="Sparkasse",
        account_name="Konto",
        type="checking",
        currency="EUR",
        **{"setting-host": "bank.example", "setting-password": "canary-secret"},
        **{"setting-private_key": "canary-key"},
    )
    root = checked(answer.text)
    assert "canary" not in answer.text
    assert root.find(".//input[@id='setting-host']").get("value") == "bank.example"
    assert root.find(".//*[@id='setting-user-error']") is not None
    enter_scope(cast.acme_id)
    assert db.session.scalars(owned(FinancialConnection)).all() == []


def test_a_watched_folder_is_set_up_and_shows_its_settings(carol, cast):
    answer = post(
        carol,
        "/connections/new/connectors/folder",
        institution_name="Sparkasse",
        account_name="Geschäftskonto",
        mask="7734",
        type="checking",
        currency="EUR",
        **{"setting-folder": "geschaeftskonto"},
    )
    connection = only(cast, FinancialConnection)
    assert answer.location == f"/connections/#connection-{connection.id}"
    text = read(carol, "/connections/")
    assert "Non-standard, through Watched folder" in text
    assert "Geschäftskonto ··7734" in text
    assert "Folder geschaeftskonto" in read(carol, f"/connections/{connection.id}")


def test_a_connector_that_is_not_offered_is_not_found(carol):
    read(carol, "/connections/new/connectors/nothing", 404)
    post(carol, "/connections/new/connectors/nothing", 404)


def test_a_request_is_sent_answered_by_the_operator_and_read(app, carol, cast):
    post(
        carol,
        "/connections/requests",
        institution_name="Sparkasse Lindau",
        account_description="Geschäftskonto, EUR",
        reason="They offer SFTP.",
    )
    request = only(cast, ConnectorRequest)
    assert "Waits for the operator" in read(carol, "/connections/requests")
    operator = sign_in(app, cast.alice)
    assert "They offer SFTP." in read(operator, "/operations/connector-requests/")
    url = f"/operations/connector-requests/{cast.acme_id}/{request.id}"
    missing = post(operator, url, 422, answer="")
    assert "Choose one of the two." in words(checked(missing.text))
    post(operator, url, outcome="configured", answer="Choose “SFTP folder”.")
    text = read(carol, "/connections/requests")
    assert "Ready to set up" in text
    assert "Choose “SFTP folder”." in text
    assert post(operator, url, 409, outcome="declined", answer="No.")


def test_a_request_with_nothing_in_it_is_refused_beside_the_fields(carol):
    root = checked(post(carol, "/connections/requests", 422).text)
    for field in ("institution_name", "account_description", "reason"):
        assert root.find(f".//*[@id='{field}-error']") is not None


def test_the_operator_sees_every_organization_and_nobody_else_any(app, cast, carol):
    enter_scope(cast.other_id)
    ask_for_connector(cast.charlie, AskForConnector("Elsewhere Bank", "Payroll", "No CSV"))
    assert "Elsewhere Bank" in read(sign_in(app, cast.alice), "/operations/connector-requests/")
    assert "Elsewhere Bank" not in read(carol, "/connections/requests")
    assert carol.get("/operations/connector-requests/").status_code == 403
