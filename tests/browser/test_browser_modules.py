"""keyboard.js, selection.js and app.js in a real Chromium, under the strict Content-Security-Policy.

The pages are made of the real layout and macros; a few canned answers stand in for the server.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser_support import at_rest, axe_faults
from tests.templates_alone import STATIC, environment, pair_side, shell

pytestmark = pytest.mark.browser

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; object-src 'none'; base-uri 'none'"
)
TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

LINES = """
{% from "_macros/buttons.html" import action_form, needs_selection %}
{% from "_macros/figures.html" import date, money %}
{% from "_macros/forms.html" import csrf, select %}
{% from "_macros/matching.html" import dock, pair_cells, pair_head, score, why %}
{% from "_macros/tables.html" import tick, tick_all %}
<div id="lines" class="stack" hx-get="/lines" hx-trigger="lines-changed from:body" hx-target="this" hx-swap="{{ swap }}">
  <section class="sheet">
    <table class="rows pairs" data-rows="review">
      <thead><tr>{{ pair_head() }}<th scope="col">Score</th><th scope="col">Why</th><th scope="col">Decide</th></tr></thead>
      <tbody>
        {% for id in pairs %}
          {% set attrs = {"hx-target": "#lines", "hx-swap": swap} %}
          <tr class="pair" id="{{ id }}" data-row>
            {{ pair_cells(bank_side, gl_side, "USD") }}
            <td class="cell-score">{{ score(82) }}</td>
            <td class="cell-why">{{ why(parts) }}</td>
            <td class="decide">
              {{ action_form("/approve/" ~ id, "Approve", attrs=dict(attrs, **{"hx-post": "/approve/" ~ id}), button_attrs={"data-accept": true}) }}
              {{ action_form("/reject/" ~ id, "Reject", attrs=dict(attrs, **{"hx-post": "/reject/" ~ id}), button_attrs={"data-reject": true}) }}
            </td>
          </tr>
        {% endfor %}
      </tbody>
    </table>
  </section>
  <form class="panes" method="post" action="/match" hx-post="/match" hx-target="#lines" hx-swap="{{ swap }}" data-selection data-digits="2">
    {{ csrf() }}
    {% for side, lines in [("bank", bank), ("gl", gl)] %}
      <section class="sheet pane">
        <div class="scroll">
          <table class="rows" data-rows="{{ side }}">
            <thead><tr>{{ tick_all(side) }}<th scope="col">Line</th><th scope="col" class="money">Amount</th></tr></thead>
            <tbody>
              {% for id, minor in lines.items() %}
                <tr id="{{ id }}" data-row>{{ tick(side, id, "Line " ~ id, side, minor, "tick-" ~ id) }}<td class="text lead">{{ id }}</td><td class="money lead">{{ money(minor, "USD") }}</td></tr>
              {% endfor %}
            </tbody>
          </table>
        </div>
      </section>
    {% endfor %}
    {% call dock() %}
      <div class="rest" data-when-remainder>{{ select("rest_account", "Write the rest off to", [("6100", "Bank fees")]) }}</div>
      {{ needs_selection("Match", "both", "match", key="m") }}
    {% endcall %}
  </form>
</div>
"""

PAGE = """
{% extends "layout.html" %}
{% block title %}Operating account{% endblock %}
{% block subtitle %}October{% endblock %}
{% block actions %}{% from "_macros/buttons.html" import button %}{{ button("Certify", "primary", reason="12.50 is still to explain") }}{% endblock %}
{% block bar %}
  {% from "_macros/figures.html" import balance_bar, difference, done_of, stat %}
  {% call balance_bar() %}{{ stat("Opening", 100, "USD") }}{{ stat("Cleared in", 5, "USD", "+") }}{{ done_of(2, 4) }}{{ difference(1250, "USD", "bank − ledger 0.00") }}{% endcall %}
{% endblock %}
{% block main %}
  {% from "_macros/feedback.html" import notice, progress %}
  {% from "_macros/badges.html" import badge, origin_badge %}
  <input type="search" aria-label="Search" data-search>
  <p>{{ badge("Sign in again", "bad") }} {{ badge("Paused", "warn") }} {{ badge("Active", "ok") }} {{ origin_badge("ai", 97) }} {{ origin_badge("rule") }} {{ origin_badge("manual") }}</p>
  {{ notice("Stopped on 17 November.", "warn") }}{{ notice("Refused.", "bad") }}{{ notice("Covered.", "ok") }}{{ notice("Due.", "info") }}
  {{ progress("job", "/job", 10, "Matching: 10 of 100") }}
  <button type="button" class="button" hx-post="/fails" hx-swap="none">Fail</button>
  <button type="button" class="button" hx-post="/refuses" hx-swap="none">Ask too much</button>
  {% include "lines.html" %}
{% endblock %}
"""


@dataclass
class Server:
    """Canned answers, and what was asked."""

    swap: str = "outerHTML"
    pairs: list[str] = field(default_factory=lambda: ["p1", "p2", "p3"])
    bank: dict[str, int] = field(default_factory=lambda: {"b1": -1250, "b2": -3588, "b3": 290411})
    gl: dict[str, int] = field(default_factory=lambda: {"g1": -3588, "g2": 10**15 - 1, "g3": -100})
    job_percent: int = 10
    asked: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    forms: list[dict[str, list[str]]] = field(default_factory=list)

    def render(self, template: str) -> str:
        env = environment({"lines.html": LINES, "page.html": PAGE})
        part = {"signal": "amount", "points": 41.0, "words": "amount equal"}
        against = {"signal": "date", "points": -3.0, "words": "10 days later"}
        return env.get_template(template).render(
            **shell(),
            swap=self.swap,
            pairs=self.pairs,
            bank=self.bank,
            gl=self.gl,
            parts=[part, against],
            bank_side=pair_side("GUSTO PAYROLL", -1844217),
            gl_side=pair_side("Payroll", -1844200, "Gusto, Inc."),
        )

    def answer(self, route: Route) -> None:
        request = route.request
        path = urlsplit(request.url).path
        if path.startswith("/static/"):
            file = STATIC / path.removeprefix("/static/")
            route.fulfill(body=file.read_bytes(), content_type=TYPES[file.name.rsplit(".", 1)[1]])
            return
        self.asked.append(f"{request.method} {path}")
        if request.method == "POST":
            self.tokens.append(request.headers.get("x-csrftoken"))
            self.forms.append(parse_qs(request.post_data or ""))
        status, body, headers = self.handle(path)
        headers["Content-Security-Policy"] = POLICY
        route.fulfill(status=status, body=body, content_type="text/html", headers=headers)

    def handle(self, path: str) -> tuple[int, str, dict[str, str]]:
        if path.startswith(("/approve/", "/reject/")):
            self.pairs.remove(path.rsplit("/", 1)[1])
            message = {"text": "Matched.", "undo_url": "/undo"}
            return 200, self.render("lines.html"), {"HX-Trigger": json.dumps({"toast": message})}
        if path == "/match":
            sent = self.forms[-1]
            for lines, name in ((self.bank, "bank"), (self.gl, "gl")):
                for key in sent.get(name, []):
                    lines.pop(key)
            return 200, self.render("lines.html"), {}
        if path == "/undo":
            self.pairs.insert(0, "p1")
            return 200, "", {"HX-Trigger": '{"lines-changed": true}'}
        if path in {"/job", "/fails", "/refuses"}:
            return self.handle_alone(path)
        return 200, self.render("lines.html" if path == "/lines" else "page.html"), {}

    def handle_alone(self, path: str) -> tuple[int, str, dict[str, str]]:
        env = environment()
        if path == "/fails":
            page = env.get_template("errors/unexpected.html").render(request_id="req-7")
            return 500, page, {"X-Request-Id": "req-7"}
        if path == "/refuses":
            page = env.get_template("errors/refusal.html")
            words = {"title": "No", "detail": "Ask Alice.", "request_id": "r", "retry_url": None}
            return 403, page.render(words), {}
        self.job_percent = min(100, self.job_percent + 60)
        done = self.job_percent == 100
        progress = env.get_template("_macros/feedback.html").module.progress
        words = "Matching finished" if done else "Matching: 70 of 100"
        return 200, progress("job", "/job", self.job_percent, words, done), {}


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Server:
    return Server(swap=getattr(request, "param", "morph"))


both_swaps = pytest.mark.parametrize("server", ["outerHTML", "morph"], indirect=True)


@dataclass(frozen=True)
class Eyes:
    """What is looked through: a window, and what its reader has asked of the system."""

    width: int = 1280
    height: int = 900
    scheme: str = "light"
    motion: str = "no-preference"


@pytest.fixture
def page(request: pytest.FixtureRequest, browser: Browser, server: Server) -> Iterator[Page]:
    eyes = getattr(request, "param", Eyes())
    context = browser.new_context(
        viewport={"width": eyes.width, "height": eyes.height},
        color_scheme=eyes.scheme,
        reduced_motion=eyes.motion,
    )
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "console",
        lambda said: (
            complaints.append(said.text) if "Content Security Policy" in said.text else None
        ),
    )
    opened.route("**/*", server.answer)
    opened.goto("http://tieout.test/")
    opened.wait_for_function("window.htmx !== undefined")
    yield opened
    context.close()
    assert complaints == []


def focused(page: Page) -> Any:
    at_rest(page)
    return page.evaluate(
        "document.activeElement.closest('tr')?.id || document.activeElement.dataset.tickAll || document.activeElement.tagName"
    )


def keys(page: Page, *pressed: str) -> None:
    for key in pressed:
        page.keyboard.press(key)


def test_j_and_k_walk_through_the_lines_and_into_the_next_list(page: Page) -> None:
    walked = []
    for _ in range(5):
        keys(page, "j")
        walked.append(focused(page))
    keys(page, "k")

    assert walked == ["p1", "p2", "p3", "b1", "b2"]
    assert focused(page) == "b1"
    assert page.locator("[aria-current=true]:is(tr)").count() == 1


def test_h_and_l_go_between_lists_and_come_back_to_the_line_left(page: Page) -> None:
    keys(page, "j", "j", "l", "j", "l")
    assert focused(page) == "g1"

    keys(page, "h")
    assert focused(page) == "b2"
    keys(page, "h")
    assert focused(page) == "p2"


def test_arrow_keys_move_only_from_a_line(page: Page) -> None:
    keys(page, "ArrowDown")
    assert focused(page) == "BODY"

    keys(page, "j", "ArrowDown")
    assert focused(page) == "p2"


def test_one_line_of_each_list_is_a_stop_of_tab(page: Page) -> None:
    page.locator("#p1").focus()
    stops = []
    for _ in range(6):
        keys(page, "Tab")
        stops.append(focused(page))

    assert stops == [
        "p1",
        "p1",
        "p1",
        "bank",
        "b1",
        "b1",
    ]  # why, approve, reject; tick all; the line, its tick


def test_letters_typed_into_a_field_are_text(page: Page) -> None:
    keys(page, "/")
    page.keyboard.type("jxm?")

    assert page.input_value("[data-search]") == "jxm?"
    keys(page, "Escape")
    assert page.evaluate("document.activeElement.matches('[data-search]')") is False


def test_keys_with_control_are_the_browsers(page: Page) -> None:
    keys(page, "Control+j")

    assert focused(page) == "BODY"


@both_swaps
def test_enter_accepts_and_the_next_line_takes_the_place(page: Page, server: Server) -> None:
    keys(page, "j", "j", "Enter")
    expect(page.locator("#p2")).to_have_count(0)

    assert "POST /approve/p2" in server.asked
    assert focused(page) == "p3"
    assert server.tokens == ["token-of-the-session"]


@both_swaps
def test_r_rejects_and_after_the_last_line_comes_the_one_before(page: Page, server: Server) -> None:
    keys(page, "j", "j", "j", "r")
    expect(page.locator("#p3")).to_have_count(0)

    assert "POST /reject/p3" in server.asked
    assert focused(page) == "p2"


@both_swaps
def test_the_page_does_not_jump_when_a_line_goes(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 1280, "height": 420})
    keys(page, "j", "j")
    start = page.evaluate("scrollY")
    page.mouse.wheel(0, 60)
    page.wait_for_function("start => scrollY === start + 60", arg=start)
    before = page.evaluate("scrollY")
    keys(page, "Enter")
    expect(page.locator("#p2")).to_have_count(0)
    at_rest(page)

    assert before > 0
    assert page.evaluate("scrollY") == before


@both_swaps
def test_when_a_list_is_done_the_next_list_is_taken(page: Page, server: Server) -> None:
    keys(page, "j")
    for pair in ("p1", "p2", "p3"):
        keys(page, "Enter")
        expect(page.locator(f"#{pair}")).to_have_count(0)

    assert focused(page) == "b1"


@both_swaps
def test_a_mouse_click_on_approve_leaves_the_focus_on_the_next_line(page: Page) -> None:
    page.click("#p1 [data-accept]")
    expect(page.locator("#p1")).to_have_count(0)

    assert focused(page) == "p2"


def test_the_current_line_is_never_under_the_bar_or_the_dock(page: Page, server: Server) -> None:
    server.bank = {f"b{i}": -i for i in range(40)}
    page.evaluate("htmx.trigger(document.body, 'lines-changed')")
    expect(page.locator("#b39")).to_have_count(1)
    page.set_viewport_size({"width": 1280, "height": 560})
    keys(page, "j", "l", *["j"] * 39)
    assert focused(page) == "b39"
    on_top = """() => {
        const box = document.activeElement.getBoundingClientRect();
        return document.elementFromPoint(box.x + 200, box.y + box.height / 2).closest("tr")?.id;
    }"""
    assert page.evaluate(on_top) == "b39"

    keys(page, *["k"] * 42)
    assert focused(page) == "p1"
    assert page.evaluate(on_top) == "p1"


def test_the_newest_undo_is_pressed_by_u_and_its_message_goes(page: Page, server: Server) -> None:
    keys(page, "j", "Enter")
    expect(page.locator("[data-undo]")).to_have_count(1)
    keys(page, "u")
    expect(page.locator("#p1")).to_have_count(1)

    assert "POST /undo" in server.asked
    expect(page.locator("[data-toast]")).to_have_count(0)


def test_sequences_press_links_and_question_mark_opens_the_keys(page: Page, server: Server) -> None:
    keys(page, "?")
    expect(page.locator("dialog#keys")).to_be_visible()
    keys(page, "j")
    assert page.locator("tr[data-current]").count() == 0
    keys(page, "Escape")
    expect(page.locator("dialog#keys")).to_be_hidden()

    page.clock.set_fixed_time(0)  # a sequence is over after a while
    keys(page, "g", "b")
    page.wait_for_url("**/c")
    assert "GET /c" in server.asked


def test_ticks_are_summed_and_the_rest_asks_for_an_account(page: Page) -> None:
    assert page.get_attribute("#match", "aria-disabled") == "true"
    expect(page.locator("#match-reason")).to_have_text(
        "Tick a bank transaction and a ledger entry first."
    )
    page.check("#tick-b1")
    page.check("#tick-b2")
    page.check("#tick-g1")

    expect(page.locator("[data-count=bank]")).to_have_text("2")
    expect(page.locator("[data-total=bank]")).to_have_text("−48.38")
    expect(page.locator("[data-total=gl]")).to_have_text("−35.88")
    expect(page.locator("[data-remainder]")).to_have_text("−12.50")
    expect(page.locator("#rest_account")).to_be_visible()
    page.uncheck("#tick-b1")
    expect(page.locator("[data-remainder]")).to_have_text("0.00")
    expect(page.locator(".remainder")).to_have_attribute("data-state", "zero")
    expect(page.locator("#rest_account")).to_be_hidden()
    expect(page.locator("#rest_account")).to_be_disabled()
    assert page.get_attribute("#match", "aria-disabled") == "false"


def test_sums_beyond_the_precision_of_doubles_are_exact(page: Page) -> None:
    texts = page.evaluate(
        """async () => {
            const { formatMinor } = await import("/static/js/selection.js");
            return [
                formatMinor(9007199254740993n, 2), formatMinor(-5n, 2), formatMinor(-1234567n, 0),
                formatMinor(0n, 3), formatMinor(100000n, 2),
            ];
        }"""
    )

    assert texts == ["90,071,992,547,409.93", "−0.05", "−1,234,567", "0.000", "1,000.00"]


@both_swaps
def test_x_ticks_and_m_matches_what_is_ticked(page: Page, server: Server) -> None:
    keys(page, "j", "l", "j", "x", "l", "x", "m")
    expect(page.locator("#b2")).to_have_count(0)

    assert server.forms[-1]["bank"] == ["b2"]
    assert server.forms[-1]["gl"] == ["g1"]
    assert "rest_account" not in server.forms[-1]
    expect(page.locator("[data-count=bank]")).to_have_text("0")
    assert focused(page) == "g2"


def test_m_without_ticks_sends_nothing_and_says_why(page: Page, server: Server) -> None:
    keys(page, "m")

    expect(page.locator("[data-toast-text]")).to_have_text(
        "Tick a bank transaction and a ledger entry first."
    )
    assert "POST /match" not in server.asked


def test_enter_on_a_tick_does_not_send_the_form(page: Page, server: Server) -> None:
    page.check("#tick-b1")
    page.check("#tick-g1")
    page.locator("#tick-g1").focus()
    keys(page, "Enter")
    at_rest(page)

    assert "POST /match" not in server.asked


@both_swaps
def test_ticks_survive_another_page_of_lines_and_are_sent_from_out_of_sight(
    page: Page, server: Server
) -> None:
    page.check("#tick-b1")
    page.check("#tick-g1")
    kept = server.bank
    server.bank = {"b9": -5}
    page.mouse.click(2, 2)
    page.evaluate("htmx.trigger(document.body, 'lines-changed')")
    expect(page.locator("#b9")).to_have_count(1)
    expect(page.locator("#tick-g1")).to_be_checked()
    expect(page.locator("[data-total=bank]")).to_have_text("−12.50")

    server.bank = {**kept, "b9": -5}
    page.click("#match")
    expect(page.locator("#g1")).to_have_count(0)
    assert server.forms[-1]["bank"] == ["b1"]
    expect(page.locator("[data-count=bank]")).to_have_text("0")
    assert page.locator("[data-carried]").count() == 0


def test_every_line_of_a_side_is_ticked_at_once(page: Page) -> None:
    page.check("[data-tick-all=bank]")
    expect(page.locator("[data-count=bank]")).to_have_text("3")

    page.uncheck("#tick-b2")
    assert page.evaluate("document.querySelector('[data-tick-all=bank]').indeterminate") is True


def test_a_job_asks_each_second_until_its_last_answer(page: Page, server: Server) -> None:
    expect(page.locator("#job [role=status]")).to_have_text("Matching finished")
    asked = server.asked.count("GET /job")
    page.wait_for_timeout(2200)

    assert asked == 2
    assert server.asked.count("GET /job") == asked


def test_a_failure_is_said_with_its_request_and_stays(page: Page) -> None:
    page.get_by_role("button", name="Fail").click()

    expect(page.locator(".toast.bad")).to_contain_text("Something failed on our side")
    expect(page.locator(".toast.bad")).to_contain_text("Request req-7")


def test_a_refusal_is_said_in_its_own_words(page: Page) -> None:
    page.get_by_role("button", name="Ask too much").click()

    expect(page.locator("[data-toast-text]")).to_have_text("Ask Alice.")


def test_a_lost_network_is_said(page: Page) -> None:
    page.route("**/fails", lambda route: route.abort())
    page.get_by_role("button", name="Fail").click()

    expect(page.locator("[data-toast-text]")).to_contain_text("could not be reached")


def test_what_cannot_be_pressed_says_why(page: Page) -> None:
    page.get_by_role("button", name="Certify").click(force=True)

    expect(page.locator("[data-toast-text]")).to_have_text("12.50 is still to explain")


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(Eyes(width, 844, scheme, "reduce"), id=f"{width}-{scheme}")
        for width in (1280, 820, 390)
        for scheme in ("light", "dark")
    ],
    indirect=True,
)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(page: Page) -> None:
    page.check("#tick-b1")
    page.check("#tick-g1")
    keys(page, "j")
    page.evaluate("document.querySelector('details.why').open = true")

    assert axe_faults(page) == []
    assert page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


@pytest.mark.parametrize("page", [Eyes(motion="reduce")], indirect=True)
def test_with_reduced_motion_other_colours_are_there_at_once(page: Page) -> None:
    page.emulate_media(color_scheme="dark")

    assert page.evaluate("document.getAnimations().length") == 0
