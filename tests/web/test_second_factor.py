"""The second factor: setting up, signing in, losing it, and being asked for it by the rule."""

from __future__ import annotations

import re

import pyotp
import pytest
import sqlalchemy as sa

from app.connections.rotation import rotate_credentials
from app.kernel import limits
from app.kernel.errors import Invalid
from app.models import AuditEvent, Membership, RecoveryCode, Role, SecondFactor, db
from app.models.session import unit_of_work
from app.people import second_factor
from app.people.members import add_member
from app.people.sign_in import SignedIn
from app.tenancy.scope import organization_scope, owned
from app.tenancy.vault import VaultClosed
from tests.books import everything
from tests.conftest import PASSWORD, sign_in
from tests.html import checked
from tests.races import race
from tests.web_support import words

PAGE = "/account/second-factor/"
RULE = "/people/second-factor-rule"


class Telephone:
    """An authenticator that shows the code of its own clock, which is the test's."""

    def __init__(self, clock, secret: str) -> None:
        self.clock, self.secret = clock, secret.replace(" ", "")

    def code(self, steps: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(int(self.clock.at.timestamp()) + 30 * steps)

    def next_code(self) -> str:
        self.clock.pass_by(seconds=30)
        return self.code()


@pytest.fixture
def telephone(app, cast, clock):
    """Bob's, switched on, with his recovery codes."""
    second_factor.begin(cast.bob)
    made = Telephone(clock, second_factor.standing(cast.bob).secret)
    made.recovery_codes = second_factor.confirm(cast.bob, made.code()).recovery_codes
    return made


def half_signed_in(app, actor):
    """Return a client that gave the right password and owes the code."""
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    answer = client.post(
        "/sign-in", data={"email": actor.email, "password": PASSWORD, "next": "/rules/?x=1"}
    )
    assert (answer.status_code, answer.location) == (303, "/sign-in/code")
    return client


def give(client, code: str):
    return client.post("/sign-in/code", data={"code": code})


def is_in(client) -> bool:
    return client.get("/account").status_code == 200


def actions() -> list[str]:
    db.session.rollback()
    events = owned(AuditEvent).where(AuditEvent.action.contains("second_factor"))
    return [event.action for event in db.session.scalars(events.order_by(AuditEvent.sequence))]


def test_it_is_set_up_with_a_picture_or_a_key_and_confirmed_by_a_code(app, cast, clock):
    client, other = sign_in(app, cast.bob), sign_in(app, cast.bob)
    assert "Switched off" in words(client.get(PAGE).text)
    assert client.post(PAGE).location == PAGE
    page = client.get(PAGE)
    tree = checked(page.text)
    (figure,) = [each for each in tree.iter("figure") if each.get("class") == "qr"]
    assert len(list(figure.iter("{http://www.w3.org/2000/svg}path"))) == 2
    (key,) = [each for each in tree.iter("code") if each.get("class") == "key"]
    telephone = Telephone(clock, key.text)
    wrong = client.post(f"{PAGE}confirm", data={"code": "000000"})
    assert wrong.status_code == 422
    assert "does not fit" in words(wrong.text)
    assert key.text in wrong.text
    shown = client.post(f"{PAGE}confirm", data={"code": telephone.code()})
    codes = re.findall(r"<code>([^<]+)</code>", shown.text)
    checked(shown.text)
    assert len(set(codes)) == limits.RECOVERY_CODES
    assert is_in(client)
    assert not is_in(other)
    assert actions() == ["person.second_factor_switched_on"]
    assert codes[0] not in client.get(PAGE).text
    assert "10 recovery codes are unused" in words(client.get(PAGE).text)
    stored = repr(everything())
    for secret in (telephone.secret, codes[0], codes[0].replace("-", "")):
        assert secret not in stored


def test_signing_in_asks_for_a_code_which_counts_once(app, cast, telephone):
    client = half_signed_in(app, cast.bob)
    assert not is_in(client)
    checked(client.get("/sign-in/code").text)
    refused = give(client, telephone.code())  # it switched it on a moment ago
    assert refused.status_code == 422
    assert "used already" in words(refused.text)
    assert not is_in(client)
    code = telephone.next_code()
    assert give(client, f" {code[:3]} {code[3:]} ").location == "/rules/?x=1"
    assert is_in(client)
    with client.session_transaction() as session:
        assert "half_signed_in" not in session
    again = half_signed_in(app, cast.bob)
    assert give(again, code).status_code == 422
    assert give(again, telephone.code(-1)).status_code == 422
    assert not is_in(again)
    assert give(again, telephone.code(1)).status_code == 303  # a clock that is half a minute fast


def test_a_recovery_code_counts_once_however_it_is_typed(app, cast, telephone):
    first = telephone.recovery_codes[0]
    assert give(half_signed_in(app, cast.bob), first.upper().replace("-", " ")).status_code == 303
    assert give(half_signed_in(app, cast.bob), first).status_code == 422
    assert second_factor.standing(cast.bob).codes_left == limits.RECOVERY_CODES - 1


def test_a_wrong_password_reads_the_same_with_and_without_a_second_factor(app, cast, telephone):
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    answers = [
        client.post("/sign-in", data={"email": email, "password": "wrong"}).text.replace(email, "")
        for email in ("bob@acme.example", "viv@acme.example", "nobody@acme.example")
    ]
    assert len({re.sub(r'content="[^"]{40,}"|value="[^"]*"', "", text) for text in answers}) == 1


def test_the_right_password_is_forgotten_after_ten_minutes(app, cast, telephone):
    client = half_signed_in(app, cast.bob)
    telephone.clock.pass_by(seconds=limits.SECOND_FACTOR_SIGN_IN_SECONDS + 1)
    assert give(client, telephone.code()).location == "/sign-in"
    assert client.get("/sign-in/code").location == "/sign-in"
    assert give(app.test_client(), telephone.code()).location == "/sign-in"


def test_after_five_wrong_codes_even_the_right_one_waits(app, cast, telephone):
    for _ in range(limits.SECOND_FACTOR_FAILURES_MAX):
        assert give(half_signed_in(app, cast.bob), "123456").status_code == 422
    client = half_signed_in(app, cast.bob)
    put_off = give(client, telephone.next_code())
    assert "Wait 15 minutes" in words(put_off.text)
    assert give(client, telephone.recovery_codes[0]).status_code == 422
    telephone.clock.pass_by(seconds=limits.SECOND_FACTOR_PAUSE_SECONDS)
    assert give(half_signed_in(app, cast.bob), telephone.code()).status_code == 303


def test_one_code_sent_twice_at_once_lets_one_in(cast, telephone):
    who = SignedIn(cast.bob.user_id, 0)
    for number in range(3):
        code = telephone.next_code() if number else telephone.recovery_codes[0]

        def enter(code=code) -> str:
            second_factor.pass_at_sign_in(who, code)
            return "in"

        assert sorted(race(cast.acme_id, enter, enter, enter)) == ["Invalid", "Invalid", "in"]
        telephone.clock.pass_by(seconds=limits.SECOND_FACTOR_PAUSE_SECONDS)


def test_switching_off_and_new_recovery_codes_need_password_and_code(app, cast, telephone):
    client = half_signed_in(app, cast.bob)
    give(client, telephone.next_code())
    right = {"current_password": PASSWORD, "code": telephone.recovery_codes[1]}
    for changed, sentence in (
        ({"current_password": "wrong"}, "not your password"),
        ({"code": "000000"}, "wrong or was used already"),
        ({"code": ""}, "wrong or was used already"),
    ):
        for path in ("off", "recovery-codes"):
            answer = client.post(PAGE + path, data=right | changed)
            assert answer.status_code == 422
            assert sentence in words(answer.text)
        telephone.clock.pass_by(seconds=limits.SECOND_FACTOR_PAUSE_SECONDS)
    shown = client.post(f"{PAGE}recovery-codes", data=right)
    fresh = re.findall(r"<code>([^<]+)</code>", shown.text)
    assert set(fresh).isdisjoint(telephone.recovery_codes)
    assert client.post(f"{PAGE}off", data=right).status_code == 422
    assert client.post(f"{PAGE}off", data=right | {"code": fresh[0]}).status_code == 303
    assert is_in(client)
    assert is_in(sign_in(app, cast.bob))
    assert db.session.scalars(sa.select(RecoveryCode)).all() == []
    assert actions()[-1] == "person.second_factor_switched_off"


def bob_id(cast) -> str:
    return (
        db.session.scalars(owned(Membership).where(Membership.user_id == cast.bob.user_id)).one().id
    )


def test_an_admin_removes_a_members_and_only_a_members(app, cast, telephone):
    theirs = half_signed_in(app, cast.bob)
    give(theirs, telephone.next_code())
    admin = sign_in(app, cast.alice)
    path = f"/people/{bob_id(cast)}/second-factor"
    assert path in admin.get("/people/").text
    assert "signed out everywhere" in words(admin.get(path).text)
    assert admin.post(path).status_code == 303
    assert not is_in(theirs)
    assert is_in(sign_in(app, cast.bob))
    assert actions()[-1] == "person.second_factor_removed"
    assert admin.post(path).status_code == 409
    own = db.session.scalars(owned(Membership).where(Membership.user_id == cast.alice.user_id))
    assert admin.post(f"/people/{own.one().id}/second-factor").status_code == 403
    assert sign_in(app, cast.charlie).post(path).status_code == 404


def test_who_belongs_to_another_organization_is_helped_by_the_operator(app, cast, telephone):
    with organization_scope(cast.other_id):
        add_member(
            cast.charlie,
            email=cast.bob.email,
            name="Bob",
            password="",
            role=Role.VIEWER,
            bank_connections=False,
        )
    admin = sign_in(app, cast.alice)
    refused = admin.post(f"/people/{bob_id(cast)}/second-factor")
    assert refused.status_code == 403
    assert "the operator" in words(refused.text)
    run = app.test_cli_runner().invoke
    assert run(args=["remove-second-factor", "nobody@acme.example"]).exit_code == 2
    assert run(args=["remove-second-factor", cast.bob.email]).exit_code == 0
    for organization_id in (cast.acme_id, cast.other_id):
        with organization_scope(organization_id):
            assert actions()[-1] == "person.second_factor_removed"
    assert is_in(sign_in(app, cast.bob))
    assert run(args=["remove-second-factor", cast.bob.email]).exit_code == 2


def test_the_rule_leads_everybody_who_has_none_to_setting_it_up(app, cast, telephone, clock):
    admin, viewer = sign_in(app, cast.alice), sign_in(app, cast.viv)
    assert viewer.post(RULE, data={"required": "1"}).status_code == 403
    assert admin.post(RULE, data={"required": "1"}).status_code == 303
    for client in (admin, viewer):
        for path in ("/rules/", "/account", "/people/", "/ops/rq/"):
            assert client.get(path).location == PAGE
    fragment = viewer.get("/rules/", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment.headers["HX-Redirect"]) == (204, PAGE)
    assert "asks everybody for a second factor" in words(viewer.get(PAGE).text)
    viewer.post(PAGE)
    key = Telephone(clock, second_factor.standing(cast.viv).secret)
    assert viewer.post(f"{PAGE}confirm", data={"code": key.code()}).status_code == 200
    assert is_in(viewer)
    bob = half_signed_in(app, cast.bob)
    give(bob, telephone.next_code())
    assert is_in(bob)
    assert is_in(sign_in(app, cast.charlie))
    assert admin.post("/sign-out").status_code == 303
    assert actions()[1] == "organization.second_factor_rule_changed"


def test_anothers_secret_and_a_lost_key_open_nothing_and_rotation_keeps_it(app, cast, telephone):
    second_factor.begin(cast.viv)
    sealed = dict(db.session.execute(sa.select(SecondFactor.user_id, SecondFactor.secret)).all())
    assert rotate_credentials().resealed_count == 2
    second_factor.pass_at_sign_in(SignedIn(cast.bob.user_id, 0), telephone.next_code())
    with unit_of_work():
        copied = sa.update(SecondFactor).where(SecondFactor.user_id == cast.bob.user_id)
        db.session.execute(copied.values(secret=sealed[cast.viv.user_id]))
    with pytest.raises(VaultClosed, match="second factor cannot be checked"):
        second_factor.pass_at_sign_in(SignedIn(cast.bob.user_id, 0), telephone.next_code())
    answer = give(half_signed_in(app, cast.bob), telephone.next_code())
    assert answer.status_code == 503
    checked(answer.text)
    with pytest.raises(Invalid):
        second_factor.pass_at_sign_in(SignedIn(cast.carol.user_id, 0), "123456")
