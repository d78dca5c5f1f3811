"""What the macros write: closed tags, labels, unique ids, nothing that the Content-Security-Policy refuses."""

from __future__ import annotations

import datetime as dt
import re
from types import SimpleNamespace

import html5lib
import pytest

from tests.templates_alone import TEMPLATES, environment, pair_side, shell

EVERY_MACRO = """
{% extends "layout.html" %}
{% block title %}All & everything{% endblock %}
{% block above %}{% from "_macros/navigation.html" import breadcrumb %}{{ breadcrumb([("Bank reconciliation", "/r")]) }}{% endblock %}
{% block subtitle %}October{% endblock %}
{% block actions %}
  {% from "_macros/buttons.html" import button, link_button %}
  {{ button("Certify", "primary", reason="12.50 is still to explain") }}
  {{ button("Adjust", key="a", type="button") }}
  {{ link_button("Report", "/report", "quiet", key="g p") }}
  {{ link_button("Reopen", "/reopen", reason="Only the latest one") }}
{% endblock %}
{% block bar %}
  {% from "_macros/figures.html" import balance_bar, difference, done_of, stat %}
  {% call balance_bar(oob=true) %}
    {{ stat("Opening", 8421055, "USD") }}{{ stat("Cleared in", 5, "USD", "+", strong=true) }}
    {{ done_of(0, 0) }}{{ difference(0, "USD", "matched bank − ledger 0.00") }}
  {% endcall %}
{% endblock %}
{% block main %}
  {% from "_macros/badges.html" import badge, origin_badge %}
  {% from "_macros/buttons.html" import action_form, link_button, needs_selection %}
  {% from "_macros/dialogs.html" import confirm %}
  {% from "_macros/feedback.html" import empty_state, notice, progress, toast, toasts_oob %}
  {% from "_macros/figures.html" import date, money %}
  {% from "_macros/forms.html" import checkbox, csrf, date_input, error_summary, file, money_input, radios, select, text, textarea %}
  {% from "_macros/matching.html" import pair_cells, pair_head, score, why %}
  {% from "_macros/navigation.html" import tabs %}
  {% from "_macros/tables.html" import pagination, sort_header, tick, tick_all %}
  {{ tabs("Lines", [{"label": "Unmatched", "url": "?", "current": true, "count": 58, "attrs": {"hx-get": "/x"}}, {"label": "Matched", "url": "?m", "current": false}]) }}
  {{ notice("It stopped.", "warn", title="Sign in again.", action=link_button("Sign in", "/s")) }}
  {{ empty_state("Nothing yet", "Upload a file.", link_button("Upload", "/u")) }}
  {{ progress("job", "/job", 40, "Reading") }}{{ progress("done", "/job", 100, "Read", done=true) }}
  {{ badge("Paused", "warn") }}{{ origin_badge("ai", 97.4) }}{{ origin_badge("rule") }}{{ origin_badge("manual") }}
  <table class="rows pairs">
    <thead><tr>{{ pair_head() }}<th scope="col">Score</th><th scope="col">Why</th><th scope="col">Decide</th></tr></thead>
    <tbody>
      <tr class="pair" id="p1" data-row>
        {{ pair_cells(bank, gl, "USD") }}<td class="cell-score">{{ score(82.4) }}</td><td class="cell-why">{{ why(parts) }}</td>
        <td class="decide">{{ action_form("/approve", "Approve", key="Enter", fields={"version": 3}, attrs={"hx-post": "/approve"}, button_attrs={"data-accept": true}) }}</td>
      </tr>
    </tbody>
  </table>
  <form method="post" data-selection data-digits="2">
    {{ csrf() }}
    <table class="rows">
      <thead><tr>{{ tick_all("bank") }}{{ sort_header("Date", "date", "-date", sort_url) }}{{ sort_header("Amount", "amount", "-date", sort_url, "money") }}</tr></thead>
      <tbody><tr>{{ tick("bank", 7, "Uber", "bank", -3588, "tick-7", checked=true) }}<td>{{ date(day) }}{{ date(none) }}</td><td class="money">{{ money(-3588, "USD", show_currency=true) }}{{ money(5, "USD", plus=true) }}{{ money(none, "USD") }}</td></tr></tbody>
    </table>
    {{ needs_selection("Match", "both", "match", key="m") }}
  </form>
  {{ pagination("?b", "?a", "1–100 of 300") }}
  {% call confirm("/delete", "Delete this connection", "/c") %}
    {{ error_summary({"": ["Too late."], "ending": ["Not a date."]}) }}
    {{ text("email", "E-mail", "email", required=true, attrs={"autocomplete": "username"}) }}
    {{ date_input("ending", "Statement date", day, errors=["Not a date."], hint="As printed.") }}{{ date_input("other", "Other date", "") }}
    {{ money_input("balance", "Ending balance", "USD", "1.2345", errors=["Too many decimals."]) }}
    {{ select("account", "Account", [("1", "1010 Cash"), ("Assets", [(2, "1015 Sweep")])], empty="Choose", value=2) }}
    {{ checkbox("keep", "Remember", checked=true, hint="For the next file.") }}
    {{ radios("path", "Path", [("a", "File", "Monthly."), ("b", "Bank")], value="b", errors=["Choose one."]) }}
    {{ textarea("reason", "Reason", value="<b>") }}
    {{ file("statement", "Bank file", accept=".csv", hint="CSV or BAI2.", required=true) }}
  {% endcall %}
  {% call toasts_oob() %}{{ toast("Matched.", undo_url="/undo") }}{% endcall %}
{% endblock %}
"""


def _render(name: str, *, trim: bool = True, **variables: object) -> str:
    return (
        environment({"all.html": EVERY_MACRO}, trim=trim)
        .get_template(name)
        .render(**shell(), **variables)
    )


def _everything(*, trim: bool = True) -> str:
    return _render(
        "all.html",
        trim=trim,
        bank=pair_side("GUSTO <script>", -1844217),
        gl=pair_side("Payroll", -1844200, "Gusto, Inc."),
        parts=[
            SimpleNamespace(signal="amount", points=41.2, words="amount equal"),
            SimpleNamespace(signal="date", points=-3.4, words="10 days later"),
        ],
        day=dt.date(2026, 10, 29),
        sort_url=lambda sort: f"?sort={sort}",
    )


PAGES = {
    "every macro": _everything,
    "every macro, not trimmed": lambda: _everything(trim=False),
    "refusal": lambda: _render(
        "errors/refusal.html", title="No", detail="Ask.", request_id="7", retry_url="/r"
    ),
    "refusal before signing in": lambda: (
        environment()
        .get_template("errors/refusal.html")
        .render(actor=None, title="No", detail="Ask.", request_id="7", retry_url=None)
    ),
    "failure": lambda: environment().get_template("errors/unexpected.html").render(request_id="7"),
}


@pytest.fixture(params=PAGES)
def html(request: pytest.FixtureRequest) -> str:
    return PAGES[request.param]()


def _page(html: str):
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)


def test_every_tag_is_closed(html: str) -> None:
    _page(html)


def test_ids_are_unique_and_references_lead_somewhere(html: str) -> None:
    page = _page(html)
    ids = [node.get("id") for node in page.iter() if node.get("id")]
    wanted = {
        word
        for node in page.iter()
        for name in ("for", "aria-describedby", "aria-labelledby")
        for word in (node.get(name) or "").split()
    }

    assert len(ids) == len(set(ids))
    assert wanted <= set(ids)


def test_every_control_has_a_name(html: str) -> None:
    page = _page(html)
    labelled = {node.get("for") for node in page.iter("label")}
    for control in [node for tag in ("input", "select", "textarea") for node in page.iter(tag)]:
        if control.get("type") != "hidden":
            assert control.get("aria-label") or control.get("id") in labelled


def test_every_form_that_writes_carries_the_token(html: str) -> None:
    for form in _page(html).iter("form"):
        if form.get("method") == "post":
            assert [i.get("value") for i in form.iter("input") if i.get("name") == "csrf_token"]


def test_nothing_is_inline(html: str) -> None:
    page = _page(html)

    assert not [node.tag for node in page.iter() if node.get("style") is not None]
    assert not [name for node in page.iter() for name in node.attrib if name.startswith("on")]
    assert not list(page.iter("style"))
    assert all(script.get("src") for script in page.iter("script"))


@pytest.mark.parametrize("template", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_no_template_asks_htmx_for_eval(template) -> None:
    source = template.read_text()

    assert not re.search(
        r"""hx-(on|vars)|hx-trigger="[^"]*\[|js:|morph:\{|\sstyle=|<style""", source
    )


def test_what_people_wrote_is_escaped() -> None:
    html = _everything()

    assert "GUSTO &lt;script&gt;" in html
    assert "&lt;b&gt;</textarea>" in html


def test_a_reason_disables_a_button_and_stands_beside_it() -> None:
    certify = next(
        n for n in _page(_everything()).iter("button") if (n.text or "").startswith("Certify")
    )

    assert (certify.get("type"), certify.get("aria-disabled")) == ("button", "true")
    assert 'id="certify-reason">12.50 is still to explain<' in _everything()


def test_the_last_answer_of_a_job_asks_no_more() -> None:
    jobs = {n.get("id"): n for n in _page(_everything()).iter("div") if n.get("class") == "job"}

    assert jobs["job"].get("hx-trigger") == "every 1s"
    assert jobs["done"].get("hx-trigger") is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (95, "near certain"),
        (94.9, "strong"),
        (85, "strong"),
        (84.9, "likely"),
        (70, "likely"),
        (50, "possible"),
        (49.9, "weak"),
    ],
)
def test_a_score_is_said_in_words(value: float, words: str) -> None:
    macro = environment().get_template("_macros/matching.html").module.score(value)

    assert f'<span class="band">{words}</span>' in re.sub(
        r">\s+|\s+<", lambda m: m[0].strip(), macro
    )


def test_money_shows_plus_only_when_asked_and_a_dash_for_nothing() -> None:
    money = environment().get_template("_macros/figures.html").module.money

    assert "1,250.00<" in money(125000, "USD")
    assert ">+1,250.00<" in money(125000, "USD", plus=True)
    assert ">−12.50<" in money(-1250, "USD", plus=True)
    assert ">0.00<" in money(0, "USD", plus=True)
    assert ">–<" in money(None, "USD")
    assert "USD" in money(1, "USD", show_currency=True)
