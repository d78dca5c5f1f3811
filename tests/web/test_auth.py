from __future__ import annotations

from dataclasses import replace
from unittest.mock import Mock, patch
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from app.config import Environment
from app.extensions import limiter
from app.factory import create_app
from app.models import AuditEvent, Membership, Role, User, db
from app.people.members import add_member, remove_member
from app.tenancy import passwords
from app.tenancy.scope import organization_scope, owned
from tests.books import everything
from tests.conftest import PASSWORD, LonelyClient, sign_in
from tests.html import checked
from tests.web_support import csrf_checked, token_of, words

NEW_PASSWORD = "a longer and newer one"


def enter(client, email, password, **more):
    return client.post("/sign-in", data={"email": email, "password": password, **more})


@pytest.fixture
def client(app, cast):
    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()


def test_the_sign_in_page_stands_alone_and_is_sound(client):
    page = client.get("/sign-in")
    assert page.status_code == 200
    checked(page.text)
    assert "Bank reconciliation" not in page.text


def test_the_right_password_leads_to_the_first_page(client):
    answer = enter(client, " Alice@ACME.example ", PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("alice@acme.example", "wrong"),
        ("alice@acme.example", ""),
        ("alice@acme.example", f" {PASSWORD}"),
        ("nobody@acme.example", PASSWORD),
        ("", ""),
        ("x" * 5_000, "x" * 5_000),
        ("%", "%"),
    ],
)
def test_wrong_and_unknown_read_the_same_and_cost_the_same(client, email, password):
    with patch.object(passwords, "_hasher", Mock(wraps=passwords._hasher)) as hasher:
        answer = enter(client, email, password)
    assert answer.status_code == 422
    assert hasher.verify.call_count == 1
    alert = [node for node in checked(answer.text).iter() if node.get("role") == "alert"]
    assert "".join(alert[0].itertext()).split() == [
        "E-mail",
        "address",
        "or",
        "password",
        "is",
        "wrong.",
    ]
    assert client.get("/account").status_code == 302


def test_a_person_without_any_organization_reads_the_same(client, cast):
    (bob,) = db.session.scalars(owned(Membership).where(Membership.user_id == cast.bob.user_id))
    remove_member(cast.alice, bob.id)
    assert "password is wrong" in enter(client, "bob@acme.example", PASSWORD).text


def test_a_nul_character_is_an_ordinary_refusal(client):
    assert enter(client, "alice@acme.example\0", PASSWORD).status_code == 422
    assert client.get("/account?next=%00").status_code == 404


def test_the_password_never_comes_back(client):
    assert "topsecretword" not in enter(client, "alice@acme.example", "topsecretword").text


def test_what_stood_in_the_session_before_is_gone_after_signing_in(app, cast, client):
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
        session["organization_id"] = cast.other_id
    before = token_of(client)
    enter(client, "alice@acme.example", PASSWORD)
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session["organization_id"] == cast.acme_id
    with csrf_checked(app):
        refused = client.post("/sign-out", data={"csrf_token": before})
        assert refused.status_code == 400


@pytest.mark.parametrize("target", ["/rules/?x=1", "/audit/?from=2026-10-01&to=2026-10-31"])
def test_signing_in_goes_on_to_where_the_person_wanted(client, target):
    first = client.get(target)
    assert first.status_code == 302
    asked = parse_qs(urlsplit(first.location).query)["next"]
    assert asked == [target]
    assert enter(client, "alice@acme.example", PASSWORD, next=asked[0]).location == target


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/ /evil.example",
        "javascript:alert(1)",
        "evil.example",
        "http:evil.example",
        "",
    ],
)
def test_signing_in_never_leads_to_another_host(client, target):
    answer = enter(client, "alice@acme.example", PASSWORD, next=target)
    assert answer.location == "/"


def test_an_expired_sign_in_sends_htmx_to_the_sign_in_page_and_back(client):
    answer = client.get(
        "/rules/",
        headers={"HX-Request": "true", "HX-Current-URL": "https://tieout.example/rules/?sort=a"},
    )
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == "/sign-in?next=/rules/?sort%3Da"
    bare = client.post("/rules/", headers={"HX-Request": "true"})
    assert bare.headers["HX-Redirect"] == "/sign-in"


def test_who_is_signed_in_is_not_asked_again(app, cast):
    assert sign_in(app, cast.viv).get("/sign-in").location == "/"


def test_signing_out_is_a_post_and_ends_the_session(app, cast):
    client = sign_in(app, cast.viv)
    assert client.get("/sign-out").status_code == 405
    assert client.get("/account").status_code == 200
    assert client.post("/sign-out").location == "/sign-in"
    assert client.get("/account").status_code == 302


def test_a_missing_or_foreign_token_is_refused_and_nothing_is_changed(app, cast):
    mine, other = sign_in(app, cast.alice), sign_in(app, cast.viv)
    with csrf_checked(app):
        before = everything()
        data = {
            "current_password": PASSWORD,
            "password": NEW_PASSWORD,
            "password_again": NEW_PASSWORD,
        }
        for token in ({}, {"csrf_token": token_of(other)}, {"csrf_token": "made up"}):
            answer = mine.post("/account/password", data=data | token)
            assert answer.status_code == 400
            assert "Nothing was changed" in answer.text
        assert everything() == before
        token = token_of(mine, "/account")
        assert mine.post("/account/password", data=data | {"csrf_token": token}).status_code == 303


def test_changing_the_password_ends_the_other_sessions_and_keeps_this_one(app, cast):
    here, elsewhere = sign_in(app, cast.bob), sign_in(app, cast.bob)
    answer = here.post(
        "/account/password",
        data={
            "current_password": PASSWORD,
            "password": NEW_PASSWORD,
            "password_again": NEW_PASSWORD,
        },
    )
    assert answer.status_code == 303
    assert "other sessions were signed out" in here.get("/account").text
    assert elsewhere.get("/account").status_code == 302
    assert enter(app.test_client(), "bob@acme.example", PASSWORD).status_code == 422
    assert enter(app.test_client(), "bob@acme.example", NEW_PASSWORD).status_code == 303
    events = db.session.scalars(
        owned(AuditEvent).where(AuditEvent.action == "person.password_changed")
    ).all()
    assert [(e.actor_name, e.before, e.after) for e in events] == [("Bob", {}, {})]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"current_password": "wrong"}, "This is not your current password."),
        ({"password": "short", "password_again": "short"}, "12 to 200 characters"),
        ({"password": "bob@acme.example", "password_again": "bob@acme.example"}, "too easy"),
        ({"password_again": "something else"}, "not the same as above"),
    ],
)
def test_a_refused_password_changes_nothing_and_says_why(app, cast, data, sentence):
    client = sign_in(app, cast.bob)
    filled = {
        "current_password": PASSWORD,
        "password": NEW_PASSWORD,
        "password_again": NEW_PASSWORD,
    }
    answer = client.post("/account/password", data=filled | data)
    assert answer.status_code == 422
    assert sentence in words(answer.text)
    assert NEW_PASSWORD not in answer.text
    assert client.get("/account").status_code == 200
    assert enter(app.test_client(), "bob@acme.example", PASSWORD).status_code == 303


def test_blanks_at_the_ends_of_a_password_count(app, cast):
    client = sign_in(app, cast.bob)
    spaced = f"  {NEW_PASSWORD} "
    data = {"current_password": PASSWORD, "password": spaced, "password_again": spaced}
    assert client.post("/account/password", data=data).status_code == 303
    assert enter(app.test_client(), "bob@acme.example", NEW_PASSWORD).status_code == 422
    assert enter(app.test_client(), "bob@acme.example", spaced).status_code == 303


def test_who_was_removed_loses_access_with_the_next_request(app, cast):
    client = sign_in(app, cast.bob)
    assert client.get("/account").status_code == 200
    (bob,) = db.session.scalars(owned(Membership).where(Membership.user_id == cast.bob.user_id))
    remove_member(cast.alice, bob.id)
    assert client.get("/account").status_code == 302


def test_a_role_that_was_taken_counts_with_the_next_request(app, cast):
    client = sign_in(app, cast.carol)
    assert client.get("/rules/new").status_code == 200
    db.session.execute(
        sa.update(Membership)
        .where(Membership.user_id == cast.carol.user_id)
        .values(role=Role.VIEWER)
    )
    db.session.commit()
    assert client.get("/rules/new").status_code == 403


def in_two_organizations(cast):
    with organization_scope(cast.other_id):
        add_member(
            cast.charlie,
            email="bob@acme.example",
            name="Bob",
            password="ignored, since he signs in already",
            role=Role.VIEWER,
            bank_connections=False,
        )


def test_a_person_in_two_organizations_switches_and_has_the_role_of_each(app, cast):
    in_two_organizations(cast)
    client = sign_in(app, cast.bob)
    page = client.get("/account").text
    assert cast.other_id in page
    assert client.post("/organization", data={"organization_id": cast.other_id}).location == "/"
    page = client.get("/account").text
    assert cast.acme_id in page
    assert cast.other_id not in page
    assert client.get("/people/").status_code == 403
    client.post("/organization", data={"organization_id": cast.acme_id})
    assert cast.other_id in client.get("/account").text


def test_nobody_switches_into_an_organization_that_is_not_theirs(app, cast):
    client = sign_in(app, cast.bob)
    for chosen in (cast.other_id, "", "nonsense"):
        answer = client.post("/organization", data={"organization_id": chosen})
        assert answer.status_code == 404
    with client.session_transaction() as session:
        assert session["organization_id"] == cast.acme_id


def test_a_session_that_names_a_strangers_organization_opens_nothing(app, cast):
    client = sign_in(app, cast.bob)
    with client.session_transaction() as session:
        session["organization_id"] = cast.other_id
    assert client.get("/account").status_code == 302


@pytest.mark.parametrize("session_id", ["", "x", "x.y", ".0", "{}.-1", "{}.99", "{}"])
def test_a_made_up_session_is_nobody(app, cast, client, session_id):
    with client.session_transaction() as session:
        session["_user_id"] = session_id.format(cast.bob.user_id)
    assert client.get("/account").status_code == 302


@pytest.fixture
def limited(app, cast, monkeypatch, request):
    """An application that counts attempts, as outside of tests, on the same database."""
    monkeypatch.setattr("app.factory.configure_logs", lambda _level: None)
    settings = replace(app.extensions["settings"], environment=Environment.DEVELOPMENT)
    if request.param == "without Redis":
        settings = replace(settings, redis_url="unix:///nowhere/redis.sock")
    counting = create_app(settings)
    counting.test_client_class = LonelyClient
    counting.config["WTF_CSRF_ENABLED"] = False
    yield counting
    limiter.enabled = False
    limiter._storage_dead = False  # it is one for all applications of this process
    with counting.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("limited", ["with Redis", "without Redis"], indirect=True)
@pytest.mark.filterwarnings("ignore:Rate limit storage")
def test_the_eleventh_attempt_within_a_minute_is_put_off(app, limited):
    client = limited.test_client()
    answers = [enter(client, "alice@acme.example", "wrong").status_code for _ in range(10)]
    assert answers == [422] * 10
    late = enter(client, "alice@acme.example", PASSWORD)
    assert late.status_code == 429
    assert "Wait a minute" in late.text
    assert client.get("/sign-in").status_code == 200
    redis_is_there = limited.extensions["settings"] == replace(
        app.extensions["settings"], environment=Environment.DEVELOPMENT
    )
    assert bool(app.extensions["redis"].keys("LIMIT*")) is redis_is_there


def test_the_account_page_is_sound(app, cast):
    checked(sign_in(app, cast.viv).get("/account").text)


def test_the_stored_password_is_an_argon2id_hash(cast):
    hashes = db.session.scalars(sa.select(User.password_hash)).all()
    assert all(text.startswith("$argon2id$") for text in hashes)
