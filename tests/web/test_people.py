from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from app.kernel.errors import Conflict
from app.models import AuditEvent, Membership, Role, User, db
from app.people import members
from app.people.sign_in import actor_of
from app.tenancy.scope import enter_scope, owned
from tests.books import everything
from tests.conftest import PASSWORD, sign_in
from tests.html import checked
from tests.web_support import words

NEW = {
    "email": "dora@acme.example",
    "name": "Dora",
    "password": PASSWORD,
    "role": "accountant",
}


@pytest.fixture
def client(app, cast):
    return sign_in(app, cast.alice)


def membership_of(actor):
    return db.session.scalars(
        owned(Membership).where(Membership.user_id == actor.user_id)
    ).one_or_none()


def events(action):
    return db.session.scalars(owned(AuditEvent).where(AuditEvent.action == action)).all()


def test_the_page_lists_everybody_and_is_sound(client):
    page = client.get("/people/")
    assert page.status_code == 200
    read = words(page.text)
    for name in ("Alice", "Bob", "Carol", "Viv", "4 people", "the only admin"):
        assert name in read
    assert "charlie" not in page.text


def test_the_last_admin_can_be_neither_removed_nor_demoted_from_the_page(client, cast):
    page = checked(client.get("/people/").text)
    alice = membership_of(cast.alice).id
    remove = next(n for n in page.iter() if n.get("id") == f"remove-{alice}")
    assert remove.get("aria-disabled") == "true"
    assert remove.get("href") is None
    fields = [n for n in page.iter() if n.get("form") == f"person-{alice}"]
    assert [(n.tag, n.get("value")) for n in fields if n.get("name") == "role"] == [
        ("input", "admin")
    ]


@pytest.mark.parametrize(
    ("path", "data"), [("/people/{}/remove", {}), ("/people/{}", {"role": "viewer"})]
)
def test_the_server_keeps_the_last_admin_whatever_the_page_showed(client, cast, path, data):
    before = everything()
    answer = client.post(path.format(membership_of(cast.alice).id), data=data)
    assert answer.status_code == 409
    assert "at least one admin" in answer.text
    assert everything() == before


def test_a_person_is_added_and_signs_in(app, client):
    answer = client.post("/people/", data=NEW | {"bank_connections": "1"})
    assert (answer.status_code, answer.location) == (303, "/people/")
    assert "Dora was added." in client.get("/people/").text
    theirs = app.test_client()
    assert theirs.post("/sign-in", data=NEW).status_code == 303
    assert theirs.get("/people/").status_code == 403
    (event,) = [e for e in events("person.added") if e.after["email"] == NEW["email"]]
    assert event.after == {
        "email": NEW["email"],
        "role": "accountant",
        "bank_connections": True,
    }


def test_who_signs_in_elsewhere_already_keeps_name_and_password(app, client, cast):
    answer = client.post("/people/", data=NEW | {"email": cast.charlie.email, "password": "x"})
    assert answer.status_code == 303
    theirs = sign_in(app, cast.charlie)
    assert cast.other_id in theirs.get("/account").text  # the organization to switch to
    assert db.session.scalar(sa.select(User.name).where(User.id == cast.charlie.user_id)) == (
        "Charlie"
    )


@pytest.mark.parametrize(
    ("data", "status", "sentence"),
    [
        ({"email": "not an address"}, 422, "not an e-mail address"),
        ({"email": ""}, 422, "Enter an address."),
        ({"name": " "}, 422, "Enter a name."),
        ({"name": "n" * 201}, 422, "Enter a name."),
        ({"password": "short"}, 422, "12 to 200 characters"),
        ({"role": "owner"}, 422, "Must be one of"),
        ({"role": ""}, 422, "Must be one of"),
        ({"email": "bob@acme.example"}, 409, "belongs to the organization already"),
    ],
)
def test_bad_input_changes_nothing_and_says_why_beside_the_form(client, data, status, sentence):
    before = everything()
    answer = client.post("/people/", data=NEW | data)
    assert answer.status_code == status
    assert sentence in words(answer.text)
    assert PASSWORD not in answer.text
    assert everything() == before


def test_a_nul_character_is_an_ordinary_refusal(client):
    before = everything()
    answer = client.post("/people/", data=NEW | {"name": "Do\0ra"})
    assert answer.status_code == 422
    assert "a character that no text has" in answer.text
    assert everything() == before


def test_role_and_grant_are_changed_with_before_and_after(client, cast):
    bob = membership_of(cast.bob).id
    client.post(f"/people/{bob}", data={"role": "controller", "bank_connections": "1"})
    client.post(f"/people/{bob}", data={"role": "controller", "bank_connections": "1"})
    (event,) = events("person.changed")
    assert event.before["role"] == "accountant"
    assert event.after == {
        "email": "bob@acme.example",
        "role": "controller",
        "bank_connections": True,
    }
    client.post(f"/people/{bob}", data={"role": "controller"})
    assert membership_of(cast.bob).bank_connections is False


def test_removing_asks_first_and_ends_access(app, client, cast):
    bob = membership_of(cast.bob).id
    theirs = sign_in(app, cast.bob)
    question = client.get(f"/people/{bob}/remove")
    assert "loses access" in words(question.text)
    assert membership_of(cast.bob) is not None
    assert client.post(f"/people/{bob}/remove").status_code == 303
    assert membership_of(cast.bob) is None
    assert theirs.get("/account").status_code == 302
    assert events("person.removed")[0].before["email"] == "bob@acme.example"


def test_a_second_admin_frees_the_first(client, cast):
    client.post(f"/people/{membership_of(cast.carol).id}", data={"role": "admin"})
    assert "the only admin" not in client.get("/people/").text
    answer = client.post(f"/people/{membership_of(cast.alice).id}/remove")
    assert answer.status_code == 303
    assert client.get("/people/").status_code == 302


def test_a_membership_of_another_organization_is_not_found(app, client, cast):
    charlie = sign_in(app, cast.charlie)
    bob = membership_of(cast.bob).id
    for path in (f"/people/{bob}", f"/people/{bob}/remove"):
        assert charlie.post(path, data={"role": "admin"}).status_code == 404
    assert charlie.get(f"/people/{bob}/remove").status_code == 404
    assert membership_of(cast.bob).role == Role.ACCOUNTANT


def test_two_admins_who_demote_each_other_at_once_leave_one(app, cast):
    members.change_member(
        cast.alice, membership_of(cast.carol).id, role=Role.ADMIN, bank_connections=False
    )
    carol = actor_of(cast.carol.user_id, cast.acme_id, via="web")
    targets = ((cast.alice, membership_of(cast.carol).id), (carol, membership_of(cast.alice).id))
    for _ in range(5):
        outcomes = at_once(app, [lambda a=a, m=m: demote(a, m) for a, m in targets])
        assert sorted(outcomes) == ["demoted", "refused"]
        admins = owned(Membership).where(Membership.role == Role.ADMIN)
        assert len(db.session.scalars(admins).all()) == 1
        db.session.execute(
            sa.update(Membership)
            .where(Membership.id.in_([m for _, m in targets]))
            .values(role=Role.ADMIN)
        )
        db.session.commit()


def demote(actor, membership_id):
    try:
        members.change_member(actor, membership_id, role=Role.VIEWER, bank_connections=False)
    except Conflict:
        return "refused"
    return "demoted"


def test_one_address_added_twice_at_once_becomes_one_member(app, cast):
    def add():
        try:
            members.add_member(cast.alice, **NEW | {"role": Role.VIEWER}, bank_connections=False)
        except Conflict:
            return "refused"
        return "added"

    assert sorted(at_once(app, [add, add])) == ["added", "refused"]


def at_once(app, calls):
    """Run the calls in threads of their own, as two workers would, and return what they say."""
    outcomes = []
    ready = threading.Barrier(len(calls))
    organization_id = db.session.scalars(sa.select(AuditEvent.organization_id)).first()
    db.session.rollback()

    def run(call):
        with app.app_context():
            enter_scope(organization_id)
            ready.wait()
            outcomes.append(call())

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes
