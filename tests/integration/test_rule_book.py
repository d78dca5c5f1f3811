from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from app.audit import trail
from app.kernel.errors import Forbidden, Invalid, NotFound, TooLarge
from app.models import (
    AuditEvent,
    FinancialAccount,
    FinancialConnection,
    FinancialTransaction,
    GlAccount,
    GlEntry,
    LedgerBankAccount,
    MatchingRule,
    db,
)
from app.models.session import unit_of_work
from app.reconciliation import rule_book
from app.reconciliation.conditions import Conditions, TextTest
from app.reconciliation.rule_book import Step
from app.reconciliation.rule_trial import try_rule
from app.tenancy.scope import organization_scope, owned

MONDAY = date(2026, 9, 7)
PAYROLL = Conditions(TextTest.CONTAINS, "payroll")
FEES = Conditions(TextTest.CONTAINS, "fee")


def names():
    return [rule.name for rule in rule_book.listed_rules()]


def actions():
    return [
        e.action
        for e in db.session.scalars(owned(AuditEvent).order_by(AuditEvent.sequence))
        if e.subject_type == "matching_rule"
    ]


def an_account(name="Operating", number="1010"):
    with unit_of_work():
        gl = GlAccount(number=number, name=name, type="asset", currency="USD")
        connection = FinancialConnection(
            path="manual_upload", institution_name="First", status="active"
        )
        db.session.add_all([gl, connection])
        db.session.flush()
        ledger = LedgerBankAccount(name=name, gl_account_id=gl.id, currency="USD")
        db.session.add(ledger)
        db.session.flush()
        bank = FinancialAccount(
            connection_id=connection.id,
            name=name,
            type="checking",
            currency="USD",
            ledger_bank_account_id=ledger.id,
        )
        db.session.add(bank)
        db.session.flush()
        return gl.id, bank.id


def lines(gl_id, bank_id, bank=(), gl=()):
    with unit_of_work():
        for n, (amount, text, days) in enumerate(bank):
            db.session.add(
                FinancialTransaction(
                    financial_account_id=bank_id,
                    posted_date=MONDAY + timedelta(days=days),
                    amount_minor=amount,
                    currency="USD",
                    description=text,
                    source_key=f"{bank_id}{n}",
                )
            )
        for n, (amount, text, days) in enumerate(gl):
            db.session.add(
                GlEntry(
                    gl_account_id=gl_id,
                    external_id=f"{gl_id}{n}",
                    date=MONDAY + timedelta(days=days),
                    amount_minor=amount,
                    currency="USD",
                    description=text,
                )
            )


def test_rules_are_written_switched_moved_and_every_step_is_in_the_trail(cast):
    first = rule_book.create_rule(cast.carol, " Payroll ", PAYROLL)
    second = rule_book.create_rule(cast.carol, "Fees", FEES)
    assert names() == ["Payroll", "Fees"]
    rule_book.move_rule(cast.carol, second, Step.UP)
    assert names() == ["Fees", "Payroll"]
    rule_book.move_rule(cast.carol, second, Step.UP)  # it is the first already
    rule_book.move_rule(cast.carol, second, Step.DOWN)
    assert names() == ["Payroll", "Fees"]
    rule_book.switch_rule(cast.carol, first, enabled=False)
    assert [rule.id for rule in rule_book.enabled_rules()] == [second]
    rule_book.change_rule(cast.carol, second, name="Bank fees", conditions=FEES)
    rule_book.delete_rule(cast.carol, second)
    assert names() == ["Payroll"]
    rule_book.restore_rule(cast.carol, second)
    rule_book.restore_rule(cast.carol, second)
    assert names() == ["Payroll", "Bank fees"]
    assert actions() == [
        "rule.created",
        "rule.created",
        "rule.moved",
        "rule.moved",
        "rule.switched_off",
        "rule.changed",
        "rule.deleted",
        "rule.restored",
    ]
    assert trail.verify().intact


def test_saving_without_a_change_writes_no_event(cast):
    rule = rule_book.create_rule(cast.carol, "Payroll", PAYROLL)
    rule_book.change_rule(cast.carol, rule, name="Payroll", conditions=PAYROLL)
    rule_book.switch_rule(cast.carol, rule, enabled=True)
    assert actions() == ["rule.created"]


def test_conditions_come_back_as_they_were_saved(cast):
    rule = rule_book.create_rule(cast.carol, "Payroll", PAYROLL)
    db.session.rollback()
    assert rule_book.listed_rule(rule).conditions == PAYROLL
    assert rule_book.enabled_rules()[0].conditions == PAYROLL


@pytest.mark.parametrize("who", ["bob", "viv"])
def test_who_lacks_the_settings_permission_changes_nothing(cast, who):
    rule = rule_book.create_rule(cast.carol, "Payroll", PAYROLL)
    actor = getattr(cast, who)
    for call in (
        lambda: rule_book.create_rule(actor, "Mine", PAYROLL),
        lambda: rule_book.change_rule(actor, rule, name="Mine", conditions=PAYROLL),
        lambda: rule_book.switch_rule(actor, rule, enabled=False),
        lambda: rule_book.move_rule(actor, rule, Step.UP),
        lambda: rule_book.delete_rule(actor, rule),
        lambda: rule_book.restore_rule(actor, rule),
    ):
        with pytest.raises(Forbidden):
            call()
    assert actions() == ["rule.created"]


def test_a_rule_of_another_organization_is_not_found(cast):
    rule = rule_book.create_rule(cast.carol, "Payroll", PAYROLL)
    with organization_scope(cast.other_id):
        assert rule_book.listed_rules() == []
        for call in (
            lambda: rule_book.listed_rule(rule),
            lambda: rule_book.change_rule(cast.charlie, rule, name="x", conditions=PAYROLL),
            lambda: rule_book.switch_rule(cast.charlie, rule, enabled=False),
            lambda: rule_book.move_rule(cast.charlie, rule, Step.UP),
            lambda: rule_book.delete_rule(cast.charlie, rule),
            lambda: rule_book.restore_rule(cast.charlie, rule),
        ):
            with pytest.raises(NotFound):
                call()


def test_a_deleted_rule_is_not_found(cast):
    rule = rule_book.create_rule(cast.carol, "Payroll", PAYROLL)
    rule_book.delete_rule(cast.carol, rule)
    for call in (
        lambda: rule_book.listed_rule(rule),
        lambda: rule_book.delete_rule(cast.carol, rule),
        lambda: rule_book.move_rule(cast.carol, rule, Step.UP),
    ):
        with pytest.raises(NotFound):
            call()


def test_a_gl_account_of_another_organization_is_not_found(cast):
    with organization_scope(cast.other_id):
        foreign, _ = an_account()
    with pytest.raises(NotFound):
        rule_book.create_rule(
            cast.carol, "x", Conditions(gl_reference_contains="a", gl_account_id=foreign)
        )
    assert names() == []


@pytest.mark.parametrize(
    ("name", "conditions", "field"),
    [
        (" ", PAYROLL, "name"),
        ("n" * 201, PAYROLL, "name"),
        ("Slow", Conditions(TextTest.EXPRESSION, "(a|aa)+$"), "bank_description"),
    ],
)
def test_a_bad_rule_is_refused_at_its_field_and_nothing_is_saved(cast, name, conditions, field):
    with pytest.raises(Invalid) as refused:
        rule_book.create_rule(cast.carol, name, conditions)
    assert list(refused.value.fields) == [field]
    assert names() == []


def test_the_list_has_an_end(cast, monkeypatch):
    monkeypatch.setattr(rule_book, "RULES_MAX", 2)
    rule_book.create_rule(cast.carol, "1", PAYROLL)
    rule_book.create_rule(cast.carol, "2", PAYROLL)
    with pytest.raises(TooLarge):
        rule_book.create_rule(cast.carol, "3", PAYROLL)
    assert names() == ["1", "2"]


def test_a_trial_says_what_would_be_matched_and_what_is_ambiguous_and_writes_nothing(cast):
    lines(
        *an_account(),
        bank=[(-100, "GUSTO PAYROLL", 0), (-200, "PAYROLL", 0), (-200, "PAYROLL", 1), (-9, "X", 0)],
        gl=[(-100, "Payroll September", 2), (-200, "Payroll August", 1), (-9, "Y", 0)],
    )
    before = db.session.scalar(sa.select(sa.func.count()).select_from(AuditEvent))
    trial = try_rule(PAYROLL)
    assert (trial.bank_lines_count, trial.matched_count, trial.ambiguous_count) == (4, 1, 2)
    ((bank, gl),) = trial.matched
    assert (bank.description, gl.description) == ("GUSTO PAYROLL", "Payroll September")
    assert [line.amount_minor for line in trial.ambiguous] == [-200, -200]
    assert not trial.is_limited
    assert not trial.too_slow
    db.session.rollback()
    assert db.session.scalars(owned(MatchingRule)).all() == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditEvent)) == before


def test_a_trial_pairs_lines_of_the_same_account_only(cast):
    gl_id, bank_id = an_account()
    other_gl, _ = an_account("Savings", "1020")
    lines(gl_id, bank_id, bank=[(-100, "PAYROLL", 0)])
    lines(other_gl, bank_id, gl=[(-100, "Payroll", 0)])
    assert try_rule(PAYROLL).matched_count == 0
    lines(gl_id, bank_id, gl=[(-100, "Payroll", 0)])
    assert try_rule(PAYROLL).matched_count == 1
    elsewhere = Conditions(TextTest.CONTAINS, "payroll", gl_account_id=other_gl)
    assert try_rule(elsewhere).matched_count == 0


def test_a_trial_lets_the_rules_before_it_take_their_pairs_first(cast):
    lines(*an_account(), bank=[(-100, "PAYROLL", 0)], gl=[(-100, "Payroll", 0)])
    first = rule_book.create_rule(cast.carol, "Payroll", PAYROLL)
    assert try_rule(PAYROLL).matched_count == 0
    assert try_rule(PAYROLL, first).matched_count == 1
    rule_book.switch_rule(cast.carol, first, enabled=False)
    assert try_rule(PAYROLL).matched_count == 1


def test_a_trial_takes_the_newest_lines_and_says_that_there_are_more(cast, monkeypatch):
    monkeypatch.setattr("app.reconciliation.rule_trial.RULE_TEST_LINES_MAX", 2)
    lines(*an_account(), bank=[(-n, "PAYROLL", n) for n in (1, 2, 3)], gl=[(-1, "x", 0)])
    trial = try_rule(PAYROLL)
    assert trial.is_limited
    assert (trial.bank_lines_count, trial.matched_count) == (2, 0)


def test_a_trial_does_not_see_other_organizations(cast):
    with organization_scope(cast.other_id):
        lines(*an_account(), bank=[(-100, "PAYROLL", 0)], gl=[(-100, "Payroll", 0)])
    assert try_rule(PAYROLL).bank_lines_count == 0


def test_a_trial_refuses_a_slow_expression(cast):
    with pytest.raises(Invalid, match="very long"):
        try_rule(Conditions(TextTest.EXPRESSION, "(a|aa)+$"))
