from __future__ import annotations

import ast
import csv
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.audit import trail
from app.audit.trail import Change
from app.models import Organization, db
from app.models.session import unit_of_work
from app.reports import audit
from app.reports.audit import AuditFilter, audit_csv, audit_page
from app.tenancy.scope import organization_scope
from tests.books import everything
from tests.conftest import sign_in
from tests.html import checked
from tests.web_support import words


def record(actor, action="match.approved", subject=("match", "m1"), before=None, after=None):
    with unit_of_work():
        trail.record(actor, Change(action, *subject, before or {}, after or {}))


@pytest.fixture
def client(app, cast):
    return sign_in(app, cast.viv)


def sequences(page):
    return [event.sequence for event in page.events]


def table(text):
    return [
        " ".join("".join(row.itertext()).split())
        for row in checked(text).iter("tr")
        if row.find("td[@class='number']") is not None
    ]


def test_who_may_view_reads_the_trail_newest_first(client, cast):
    record(cast.bob, after={"amount_minor": -123456, "currency": "USD", "note": None})
    page = client.get("/audit/")
    assert page.status_code == 200
    assert [row.split()[0] for row in table(page.text)] == ["5", "4", "3", "2", "1"]
    newest = table(page.text)[0]
    assert "Bob" in newest
    assert "Match approved" in newest
    assert "Amount – −1,234.56 USD" in newest


def test_before_and_after_stand_side_by_side_also_inside_a_fact(cast):
    record(
        cast.bob,
        before={"enabled": True, "conditions": {"amount_from_minor": 5, "amount_currency": "JPY"}},
        after={"enabled": False, "lines": [1, 2], "total_minor": 7},
    )
    differences = {
        d.name: (d.before, d.after) for d in audit_page(AuditFilter()).events[0].differences
    }
    assert differences == {
        "Enabled": ("yes", "no"),
        "Amount from": ("5 JPY", ""),
        "Amount currency": ("JPY", ""),
        "Lines": ("", "[1, 2]"),
        "Total": ("", "7 minor units"),
    }


def test_pages_join_without_gap_or_overlap_in_both_directions(cast, monkeypatch):
    monkeypatch.setattr(audit, "PAGE_ROWS", 3)
    for n in range(4):
        record(cast.bob, subject=("match", f"m{n}"))
    first = audit_page(AuditFilter())
    assert (sequences(first), first.newer_after, first.older_before) == ([8, 7, 6], None, 6)
    second = audit_page(AuditFilter(), before=first.older_before)
    assert sequences(second) == [5, 4, 3]
    last = audit_page(AuditFilter(), before=second.older_before)
    assert (sequences(last), last.older_before) == ([2, 1], None)
    back = audit_page(AuditFilter(), after=last.newer_after)
    assert sequences(back) == [5, 4, 3]
    front = audit_page(AuditFilter(), after=back.newer_after)
    assert (sequences(front), front.newer_after) == ([8, 7, 6], None)


def test_the_page_links_to_its_neighbours_and_keeps_the_filters(client, cast, monkeypatch):
    monkeypatch.setattr(audit, "PAGE_ROWS", 2)
    page = checked(client.get("/audit/?area=people").text)
    (older,) = [n.get("href") for n in page.iter("a") if n.get("rel") == "next"]
    assert older == "/audit/?area=people&before=3"
    second = client.get(older)
    assert [row.split()[0] for row in table(second.text)] == ["2", "1"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"area": "reconciliation"}, [6, 5]),
        ({"area": "match"}, []),
        ({"area": "people"}, [4, 3, 2, 1]),
        ({"area": "%"}, []),
        ({"subject_type": "match", "subject_id": "m2"}, [6]),
        ({"user_id": "nobody"}, []),
        ({}, [6, 5, 4, 3, 2, 1]),
    ],
)
def test_filters_narrow(cast, wanted, expected):
    record(cast.bob)
    record(cast.bob, subject=("match", "m2"))
    assert sequences(audit_page(AuditFilter(**wanted))) == expected


def test_a_person_is_a_filter_also_after_they_were_removed(app, client, cast):
    record(cast.bob)
    choices = audit.filter_choices()
    assert [name for _, name in choices.people] == ["Alice", "Bob"]
    assert ("people", "People and keys") in choices.areas
    page = client.get(f"/audit/?person={cast.bob.user_id}")
    assert [row.split()[0] for row in table(page.text)] == ["5"]


def test_every_action_of_the_program_belongs_to_one_area():
    named = set()
    for path in Path(audit.__file__).parents[1].rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and CHANGE.search(ast.unparse(call.func)):
                texts = (n.value for n in ast.walk(call) if isinstance(n, ast.Constant))
                named |= {t for t in texts if isinstance(t, str) and ACTION.fullmatch(t)}
    prefixes = [prefix for _, each in audit.AREAS.values() for prefix in each]
    assert len(named) > 20
    assert len(prefixes) == len(set(prefixes))
    assert {action.partition(".")[0] for action in named} <= set(prefixes)


CHANGE = re.compile(r"\b(Change|_\w*(record|change|move)\w*)$")
ACTION = re.compile(r"[a-z_]+\.[a-z_]+")


def test_days_are_the_organizations_and_both_count(cast, monkeypatch):
    for moment in ("2026-10-31T03:59", "2026-10-31T04:00", "2026-11-01T03:59", "2026-11-01T04:00"):
        at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        monkeypatch.setattr(trail, "utc_now", lambda at=at: at)
        record(cast.bob, subject=("match", moment))
    day = datetime(2026, 10, 31, tzinfo=UTC).date()
    wanted = AuditFilter(first_day=day, last_day=day, time_zone="America/New_York")
    assert [e.subject_id for e in audit_page(wanted).events] == [
        "2026-11-01T03:59",
        "2026-10-31T04:00",
    ]


@pytest.mark.parametrize(
    "query",
    [
        "before=99999999999999999999",
        "before=-1",
        "after=x",
        "from=yesterday",
        "from=0001-01-01&to=9999-12-31",
        "to=0001-01-01",
        "person=%27%3B--",
        "area=%25",
        "subject_id=" + "x" * 3_000,
        "before=1",
    ],
)
def test_any_query_gets_a_sound_page(client, query):
    page = client.get(f"/audit/?{query}")
    assert page.status_code == 200
    checked(page.text)


def test_the_export_holds_the_filtered_trail_and_enough_to_check_it(client, cast):
    record(cast.bob, after={"n": 1})
    answer = client.get("/audit/export.csv?area=reconciliation")
    assert answer.mimetype == "text/csv"
    assert 'filename="audit-trail-' in answer.headers["Content-Disposition"]
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["sequence"] == "5"
    assert row["actor_name"] == "Bob"
    assert json.loads(row["after"]) == {"n": 1}
    assert len(row["hash"]) == len(row["previous_hash"]) == 64
    everything = list(csv.DictReader(io.StringIO(client.get("/audit/export.csv").text)))
    assert [r["sequence"] for r in everything] == ["1", "2", "3", "4", "5"]
    assert [r["previous_hash"] for r in everything[1:]] == [r["hash"] for r in everything[:-1]]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_nothing_in_the_export_runs_as_a_formula(cast, start):
    record(cast.bob, subject=("match", f"{start}HYPERLINK(1)"))
    last = list(csv.reader(io.StringIO("".join(audit_csv(AuditFilter())), newline="")))[-1]
    assert f"'{start}HYPERLINK(1)" in last
    assert not [cell for cell in last if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]


def test_a_long_export_comes_in_pieces_and_leaves_nothing_out(cast, monkeypatch):
    monkeypatch.setattr(audit, "_EXPORT_BATCH_ROWS", 2)
    monkeypatch.setattr("app.reports.csv_text._LINES_PER_PIECE", 2)
    for n in range(4):
        record(cast.bob, subject=("match", f"m{n}"))
    pieces = list(audit_csv(AuditFilter()))
    assert len(pieces) == 5
    assert [r[0] for r in csv.reader(io.StringIO("".join(pieces)))][1:] == list("12345678")


def test_the_export_through_the_web_reads_in_batches_too(client, cast, monkeypatch):
    monkeypatch.setattr(audit, "_EXPORT_BATCH_ROWS", 2)
    rows = list(csv.reader(io.StringIO(client.get("/audit/export.csv").text)))
    assert [r[0] for r in rows[1:]] == ["1", "2", "3", "4"]


def test_verification_says_intact_in_words_and_changes_nothing(client):
    before = everything()
    page = client.get("/audit/verification")
    assert "The trail is intact. All 4 events are there" in words(page.text)
    fragment = client.get("/audit/verification", headers={"HX-Request": "true"})
    assert "The trail is intact." in fragment.text
    assert "<html" not in fragment.text
    assert everything() == before


def test_verification_says_from_which_event_on_the_trail_is_broken(app, client):
    off, on = (
        ("DROP TRIGGER audit_event_no_update", None)
        if db.engine.dialect.name == "sqlite"
        else (
            "ALTER TABLE audit_event DISABLE TRIGGER USER",
            "ALTER TABLE audit_event ENABLE TRIGGER USER",
        )
    )
    db.session.execute(sa.text(off))
    db.session.execute(sa.text("UPDATE audit_event SET actor_name = 'Mallory' WHERE sequence = 3"))
    if on:
        db.session.execute(sa.text(on))
    db.session.commit()
    read = words(client.get("/audit/verification").text)
    assert "The trail is broken. Event 3 is missing or was altered; the 2 events before" in read


def test_another_organizations_events_are_nowhere(app, cast):
    record(cast.bob, subject=("match", "secret-of-acme"))
    charlie = sign_in(app, cast.charlie)
    query = "subject_type=match&subject_id=secret-of-acme"
    for path in (f"/audit/?{query}", f"/audit/export.csv?{query}", "/audit/", "/audit/export.csv"):
        assert "Bob" not in charlie.get(path).text
    with organization_scope(cast.other_id):
        assert sequences(audit_page(AuditFilter())) == [1]
        assert [name for _, name in audit.filter_choices().people] == ["Charlie"]


def test_instants_stand_in_the_organizations_zone(app, cast, monkeypatch):
    at = datetime(2026, 10, 31, 3, 30, tzinfo=UTC)
    monkeypatch.setattr(trail, "utc_now", lambda: at)
    db.session.execute(
        sa.update(Organization)
        .where(Organization.id == cast.acme_id)
        .values(time_zone="America/New_York")
    )
    db.session.commit()
    record(cast.bob)
    assert "30 Oct 2026, 23:30" in table(sign_in(app, cast.viv).get("/audit/").text)[0]
