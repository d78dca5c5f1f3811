"""Bank connections in a browser, and what only machines call."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from app.aggregators.contract import AggregatorError
from app.connections.hosted_flows import UNNAMED_BANK, connect
from app.kernel.clock import utc_now
from app.models import (
    AccountStatus,
    ConnectionStatus,
    FinancialAccount,
    FinancialConnection,
    FinancialTransaction,
    HostedFlow,
    db,
)
from app.models.session import unit_of_work
from app.tenancy.scope import enter_scope, get_owned, owned
from tests.bank_world import add_account, add_ledger_account
from tests.books import nothing_changes, run_waiting_jobs
from tests.conftest import sign_in
from tests.connection_world import a_connection, a_sync
from tests.html import checked, checked_fragment, words
from tests.scripted_bank import Login, checking, row
from tests.web_support import csrf_checked, token_of

FRAGMENT = {"HX-Request": "true"}
S = ConnectionStatus


@pytest.fixture
def carol(app, cast):
    """Carol's browser: a controller with the permission `bank_connections`."""
    return sign_in(app, cast.carol)


@pytest.fixture
def viv(app, cast):
    return sign_in(app, cast.viv)


def read(client, url, status=200):
    answer = client.get(url)
    assert answer.status_code == status, answer.text
    return words(checked(answer.text))


def fragment(client, url="/connections/"):
    answer = client.get(url, headers=FRAGMENT)
    assert answer.status_code == 200
    checked_fragment(answer.text)
    return answer.text


def post(client, url, status=303, headers=None, **data):
    answer = client.post(url, data=data, headers=headers)
    assert answer.status_code == status, answer.text
    return answer


def toast_of(answer) -> dict:
    return json.loads(answer.headers["HX-Trigger"])["toast"]


def only(cast, model):
    enter_scope(cast.acme_id)
    db.session.rollback()
    return db.session.scalars(owned(model)).one()


def begun(client, cast) -> tuple[str, str]:
    """Connect the bank by its name and return the ids of connection and flow."""
    post(
        client,
        "/connections/connect",
        aggregator="plaid",
        institution_id="ins_1",
        institution_name="First Platypus Bank",
    )
    flow = only(cast, HostedFlow)
    return flow.connection_id, flow.id


def test_from_add_bank_connection_to_transactions_without_reloading(carol, cast, bank):
    found = carol.get("/connections/new?q=platypus", headers=FRAGMENT)
    assert "First Platypus Bank" in found.text
    assert "Checking, savings" in words(checked_fragment(found.text))
    connection_id, flow_id = begun(carol, cast)
    assert bank.requests[-1].institution.external_id == "ins_1"
    assert bank.requests[-1].return_url == "http://localhost/connections/flows/ended"

    pending = carol.get("/connections/")
    root = checked(pending.text)
    link = root.find(f".//a[@id='visit-{flow_id}']")
    assert (link.get("target"), link.get("rel")) == ("_blank", "noopener noreferrer")
    assert "bank.example" not in pending.text
    assert 'hx-trigger="every 1s"' in fragment(carol)
    opened = carol.get(link.get("href"))
    assert (opened.status_code, opened.location) == (302, f"https://bank.example/link-{flow_id}")
    assert opened.headers["Cache-Control"] == "no-store"

    bank.add_login("item-1").log.extend([row("t1"), row("t2")])
    bank.finish(f"link-{flow_id}", "item-1")
    post(carol, f"/connections/{connection_id}/complete")
    reading = fragment(carol)
    assert "Reading" in reading
    assert "Waiting for a worker" in reading
    assert 'hx-trigger="every 1s"' in reading
    enter_scope(cast.acme_id)
    run_waiting_jobs()

    done = fragment(carol)
    assert "hx-trigger" not in done
    for said in ("Active", "Operating checking", "··4821", "2 new", "1,000.00", "Refresh"):
        assert said in done, said
    assert "PAYMENT t1" in read(carol, "/transactions/")


def test_a_person_without_javascript_is_told_kindly_that_they_are_not_done(carol, cast, bank):
    connection_id, _ = begun(carol, cast)
    early = post(carol, f"/connections/{connection_id}/complete")
    assert early.location == f"/connections/#connection-{connection_id}"
    assert "Nobody has opened the bank" in carol.get("/connections/").text
    answer = post(carol, f"/connections/{connection_id}/complete", 200, FRAGMENT)
    assert toast_of(answer)["tone"] == "info"
    assert only(cast, FinancialConnection).status == S.PENDING


def test_connecting_leads_to_the_card_with_the_link_focused(carol, cast, bank):
    answer = post(carol, "/connections/connect", aggregator="plaid")
    flow = only(cast, HostedFlow)
    assert answer.location == f"/connections/?visit={flow.id}"
    root = checked(carol.get(answer.location).text)
    assert root.find(f".//a[@id='visit-{flow.id}']").get("autofocus") is not None
    root = checked(carol.get("/connections/").text)
    assert root.find(f".//a[@id='visit-{flow.id}']").get("autofocus") is None
    assert UNNAMED_BANK in words(root)


def test_an_aggregator_that_does_not_answer_is_said_and_makes_nothing(carol, cast, bank):
    def fail(_call):
        raise AggregatorError("X", "Plaid could not be reached.", permanent=False)

    bank.before = fail
    with nothing_changes():
        answer = post(carol, "/connections/connect", 503, aggregator="plaid")
        assert "Plaid could not be reached." in words(checked(answer.text))
        assert "Plaid does not answer at the moment" in read(carol, "/connections/new?q=platypus")
    post(carol, "/connections/connect", 422, aggregator="nobody")


def test_the_search_says_when_nothing_is_found_and_when_too_little_was_typed(carol, bank):
    assert "No aggregator reaches a bank named “gringotts”" in read(
        carol, "/connections/new?q=gringotts"
    )
    answer = carol.get("/connections/new?q=x")
    assert answer.status_code == 422
    assert "Give 2 to 80 characters" in words(checked(answer.text))
    assert "Give 2 to 80" in carol.get("/connections/new?q=x", headers=FRAGMENT).text


def test_without_any_aggregator_the_other_ways_are_offered(carol):
    text = read(carol, "/connections/new")
    assert "This installation has no aggregator" in text
    for way in ("Upload files instead", "Set up a connector", "Ask for a connector"):
        assert way in text


def test_a_visit_that_is_over_or_somebody_elses_leads_nowhere(app, carol, cast, bank):
    _, flow_id = begun(carol, cast)
    charlie = sign_in(app, cast.charlie)
    read(charlie, f"/connections/flows/{flow_id}/open", 404)
    with unit_of_work():
        get_owned(HostedFlow, flow_id).expires_at = utc_now() - timedelta(seconds=1)
        db.session.flush()
    assert "This visit to the bank has ended" in read(
        carol, f"/connections/flows/{flow_id}/open", 409
    )


def test_the_page_that_the_bank_leads_back_to_needs_no_sign_in_and_promises_nothing(app, cast):
    text = read(app.test_client(), "/connections/flows/ended")
    assert "You can close this window" in text
    assert "success" not in text.casefold()


def connected(carol, cast, bank, login: Login | None = None, **facts) -> str:
    connection_id, flow_id = begun(carol, cast)
    bank.add_login("item-1", login)
    bank.finish(f"link-{flow_id}", "item-1")
    post(carol, f"/connections/{connection_id}/complete")
    enter_scope(cast.acme_id)
    run_waiting_jobs()
    return connection_id


def test_a_refresh_is_possible_once_an_hour_and_the_button_says_when(carol, cast, bank):
    connection_id = connected(carol, cast, bank)
    url = f"/connections/{connection_id}/refresh"
    answer = post(carol, url, 200, FRAGMENT)
    assert "asked for fresh data" in toast_of(answer)["text"]
    assert "Refresh in 60 min" in answer.text
    root = checked(carol.get("/connections/").text)
    (button,) = [one for one in root.iter("button") if (one.text or "").startswith("Refresh in")]
    assert button.get("aria-disabled") == "true"
    reason = root.find(f".//*[@id='{button.get('aria-describedby')}']")
    assert "once an hour" in "".join(reason.itertext())
    too_soon = post(carol, url, 429, FRAGMENT)
    assert "60 minutes" in toast_of(too_soon)["text"]
    assert too_soon.headers["HX-Reswap"] == "none"
    assert "60 minutes" in words(checked(post(carol, url, 429).text))


def test_a_sync_fetches_what_there_is_and_shows_that_it_runs(carol, cast, bank):
    connection_id = connected(carol, cast, bank)
    bank.logins["item-1"].log.append(row("later"))
    answer = post(carol, f"/connections/{connection_id}/sync", 200, FRAGMENT)
    assert "Waiting for a worker" in answer.text
    enter_scope(cast.acme_id)
    run_waiting_jobs()
    assert "last sync today" in read(carol, "/connections/")
    assert only(cast, FinancialTransaction).external_id == "later"
    assert post(carol, f"/connections/{connection_id}/sync").location.endswith(connection_id)


def test_a_broken_login_is_repaired_from_its_own_card(carol, cast, bank):
    connection_id = connected(carol, cast, bank)
    with unit_of_work():
        held = get_owned(FinancialConnection, connection_id)
        held.status, held.status_reason = S.RECONNECT_REQUIRED, "ITEM_LOGIN_REQUIRED"
        db.session.flush()
    text = read(carol, "/connections/")
    assert "Needs you to sign in at the bank again. New transactions stopped on" in text
    assert "Paused" in text
    answer = post(carol, f"/connections/{connection_id}/repair", 200, FRAGMENT)
    root = checked_fragment(answer.text)
    (link,) = [one for one in root.iter("a") if one.get("autofocus") is not None]
    assert link.get("href").startswith("/connections/flows/")
    assert bank.requests[-1].access is not None
    assert not bank.requests[-1].add_accounts
    plain = post(carol, f"/connections/{connection_id}/repair", add_accounts="1")
    assert plain.location.startswith("/connections/?visit=")
    assert bank.requests[-1].add_accounts


def test_deleting_says_before_what_happens_and_after_whether_access_was_removed(carol, cast, bank):
    connection_id = connected(carol, cast, bank)
    before = read(carol, f"/connections/{connection_id}/delete")
    assert "Plaid is told to end its access" in before

    def fail(call):
        if call == "remove":
            raise AggregatorError("X", "Plaid could not be reached.", permanent=False)

    bank.before = fail
    post(carol, f"/connections/{connection_id}/delete")
    assert "Plaid did not confirm that its access has ended" in carol.get("/connections/").text
    again = post(carol, f"/connections/{connection_id}/delete")
    assert again.location == "/connections/"
    assert "1 deleted connection" in read(carol, "/connections/")


def test_a_card_says_what_is_not_in_the_books_and_maps_it(carol, cast):
    connection_id = a_connection("Platypus", accounts=("Checking",))
    assert "Not in the books: add it there" in read(carol, "/connections/")
    enter_scope(cast.acme_id)
    ledger_id = add_ledger_account()
    text = read(carol, "/connections/")
    assert "No bank data arrives No path" in text
    account = only(cast, FinancialAccount)
    url = f"/connections/accounts/{account.id}/ledger-bank-account"
    post(carol, url, ledger_bank_account_id=ledger_id)
    text = read(carol, "/connections/")
    assert "No bank data arrives" not in text
    assert "Nothing needs you." in text
    assert read(carol, f"/connections/{connection_id}")


def test_an_account_kept_by_file_goes_on_through_a_connection_after_a_question(carol, cast):
    kept_id = add_account(cast.alice)
    connection_id = a_connection("Platypus", accounts=("Checking",))
    new_id = next(
        one.id for one in db.session.scalars(owned(FinancialAccount)) if one.id != kept_id
    )
    assert "Operating ··4417, kept by file" in carol.get("/connections/").text
    url = f"/connections/accounts/{new_id}/ledger-bank-account"
    asked = post(carol, url, ledger_bank_account_id=f"from-{kept_id}").location
    assert "The two become one account" in read(carol, asked)
    post(carol, asked)
    enter_scope(cast.acme_id)
    db.session.rollback()
    assert get_owned(FinancialAccount, kept_id).connection_id == connection_id


def test_any_account_takes_older_history_by_file(carol, cast):
    a_connection("Platypus", accounts=("Checking",))
    account = only(cast, FinancialAccount)
    text = read(carol, f"/connections/accounts/{account.id}")
    assert "older history than the connection gives" in text
    assert "due by" not in text


def test_the_cards_keep_their_order_while_somebody_looks(carol, cast):
    ids = [a_connection(name, S.IN_PROGRESS) for name in ("A", "B")]
    shown = ".".join(reversed(ids))
    root = checked_fragment(fragment(carol, f"/connections/?shown={shown}"))
    sections = [one.get("id") for one in root.iter("section") if one.get("id")]
    assert sections == [f"connection-{one}" for one in reversed(ids)]
    assert f"shown={shown}" in root.find(".//*[@id='connections']").get("hx-get")


def test_looking_again_changes_nothing_in_the_database(carol, cast, bank):
    connection_id, _ = begun(carol, cast)
    a_sync(connection_id, "running", "Reading")
    with nothing_changes():
        fragment(carol)
        fragment(carol, f"/connections/{connection_id}")


def test_an_answer_brings_the_summary_and_the_count_of_the_menu_along(carol, cast):
    a_connection("Broken", S.RECONNECT_REQUIRED)
    text = fragment(carol)
    assert 'id="connections-summary"' in text
    assert "One needs somebody." in text
    assert '<span hx-swap-oob="innerHTML:.connections-count">1 !</span>' in text
    menu = checked(carol.get("/rules/").text)
    assert "1 !" in "".join(menu.find(".//nav").itertext())


def test_who_may_only_view_sees_why_each_button_is_disabled(viv, cast, bank):
    a_connection("Broken", S.RECONNECT_REQUIRED, accounts=("Checking",))
    a_connection("Active", accounts=("Checking",))
    flow = connect(cast.alice, "plaid", "https://tieout.example/")
    root = checked(viv.get("/connections/").text)
    assert "an admin of your organization can grant it to you" in words(root)
    main = root.find(".//main")
    assert [one for one in main.iter("form") if one.get("method") == "post"] == []
    disabled = [one for one in main.iter("button") if one.get("aria-disabled") == "true"]
    assert {one.text for one in disabled} >= {
        "Refresh",
        "Sync now",
        "Delete",
        "Sign in at the bank",
        "Continue at the bank",
        "Upload a file",
    }
    assert flow.flow_id not in viv.get("/connections/").text


def test_the_page_of_one_connection_tells_its_history_and_watches_while_it_syncs(carol, cast):
    connection_id = a_connection("Platypus", accounts=("Checking",), settings={"folder": "ops"})
    a_sync(connection_id, text="14 new.", result={"added": 14})
    url = f"/connections/{connection_id}"
    text = read(carol, url)
    for said in ("How it stands", "14 new.", "On schedule", "Folder ops", "Choose accounts"):
        assert said in text, said
    assert "hx-trigger" not in fragment(carol, url)
    a_sync(connection_id, "running", "120 transactions read")
    assert 'hx-trigger="every 1s"' in fragment(carol, url)
    assert "hx-trigger" not in fragment(carol, f"{url}?before={'0' * 32}")


def test_a_deleted_connection_keeps_its_page(carol, cast):
    connection_id = a_connection("Old", S.DELETED, accounts=("Checking",))
    text = read(carol, f"/connections/{connection_id}")
    assert "What was imported stays readable." in text
    assert "Delete" not in text.replace("Deleted", "")
    assert "Sign in at the bank" not in text


def test_every_write_needs_the_token_of_its_session(app, carol, cast, bank):
    connection_id = a_connection("Platypus", accounts=("Checking",))
    with csrf_checked(app):
        token = token_of(carol, "/connections/")
        for verb in ("refresh", "sync", "repair", "complete", "delete"):
            with nothing_changes():
                assert carol.post(f"/connections/{connection_id}/{verb}").status_code == 400
        data = {"csrf_token": token}
        assert carol.post(f"/connections/{connection_id}/sync", data=data).status_code == 303


def test_an_account_that_brings_nothing_says_why(carol, cast):
    a_connection(
        "Platypus",
        S.PARTIALLY_ACTIVE,
        "PARTIAL_AGGREGATION",
        accounts=("Checking",),
        account_status=AccountStatus.UNSUPPORTED,
    )
    text = read(carol, "/connections/")
    assert "Not supported" in text
    assert "accounts of its kind cannot be read" in text
    assert "Choose accounts" in text


def test_a_bank_may_bring_several_accounts_and_each_is_listed(carol, cast, bank):
    login = Login(accounts=[checking(), checking("acc_2", "9003", name="Business card")])
    connected(carol, cast, bank, login)
    text = read(carol, "/connections/")
    assert "1 connection, 2 accounts. One needs somebody." in text
    assert "Business card ··9003" in text
