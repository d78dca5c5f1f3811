"""The demo organization: a small print shop, loaded by the services that a person uses.

Every step looks first whether it is done, so a load that was interrupted goes on where it
stopped, and a second load changes nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from app.connections.accounts import AddManualAccount, add_manual_account
from app.connections.imports import import_bank_file_now
from app.jobs import runs
from app.kernel.money import parse_amount
from app.ledger.accounts import create_gl_account, create_ledger_bank_account
from app.ledger.imports import import_ledger_now
from app.models import (
    AccountType,
    FinancialAccount,
    FinancialTransaction,
    GlAccount,
    GlEntry,
    JobKind,
    LedgerBankAccount,
    LedgerImport,
    Match,
    MatchItem,
    MatchState,
    Reconciliation,
    ReconciliationStatus,
    Role,
    Upload,
    UploadState,
    db,
)
from app.people.accounts import find_user
from app.people.members import add_member, members
from app.people.organizations import create_organization
from app.people.sign_in import actor_of, organizations_of
from app.reconciliation import certification, decisions, opening
from app.reconciliation.adjustments import Adjustment
from app.reconciliation.conditions import Conditions, Direction, TextTest
from app.reconciliation.matching_run import run_matching
from app.reconciliation.rule_book import create_rule, listed_rules
from app.tenancy.actor import Actor
from app.tenancy.scope import get_owned, organization_scope, owned

FOLDER: Final = Path(__file__).parent.parent / "demo"
PASSWORD: Final = "tie-out-the-books"  # noqa: S105 - printed at every start, for demo data only
REMARKS: Final = "Agreed with the bank's statement."


@dataclass(frozen=True, slots=True)
class Cast:
    """Who does what in the demo: the accountant matches, the controller certifies."""

    admin: Actor
    controller: Actor
    accountant: Actor


def load_demo() -> str:
    """Load the demo organization and return the sign-in lines."""
    company: dict[str, Any] = json.loads((FOLDER / "company.json").read_text(encoding="utf-8"))
    admin = _founding_admin(company)
    with organization_scope(admin.organization_id):
        cast = _people(company, admin)
        _accounts(cast, company)
        _files(cast, company)
        _rules(cast, company)
        for month in company["months"]:
            is_last = month is company["months"][-1]
            _month(cast, company, month, certify=not is_last)
    emails = "\n".join(f"  {person['email']:<34} {person['role']}" for person in company["people"])
    return f"Sign in to the demo with the password {PASSWORD} as\n{emails}\n"


def _founding_admin(company: dict[str, Any]) -> Actor:
    founder = company["people"][0]
    user = find_user(founder["email"])
    if user is None:
        created = create_organization(
            company["organization"]["name"],
            admin_email=founder["email"],
            admin_password=PASSWORD,
            admin_name=founder["name"],
            time_zone=company["organization"]["time_zone"],
        )
        return _actor(created.user_id, created.organization_id)
    return _actor(user.id, organizations_of(user.id)[0].organization_id)


def _actor(user_id: str, organization_id: str) -> Actor:
    actor = actor_of(user_id, organization_id, via="command")
    assert actor is not None
    return actor


def _people(company: dict[str, Any], admin: Actor) -> Cast:
    present = {member.email for member in members()}
    for person in company["people"]:
        if person["email"] not in present:
            add_member(
                admin,
                email=person["email"],
                name=person["name"],
                password=PASSWORD,
                role=Role(person["role"]),
                bank_connections=person["bank_connections"],
            )
    by_role = {member.role: member.user_id for member in members()}
    organization_id = admin.organization_id
    return Cast(
        admin,
        _actor(by_role[Role.CONTROLLER], organization_id),
        _actor(by_role[Role.ACCOUNTANT], organization_id),
    )


def _accounts(cast: Cast, company: dict[str, Any]) -> None:
    numbers = set(db.session.scalars(owned(GlAccount).with_only_columns(GlAccount.number)))
    for account in company["gl_accounts"]:
        if account["number"] not in numbers:
            create_gl_account(cast.controller, **account)
    for account in company["ledger_bank_accounts"]:
        if _ledger_bank_account(account["name"]) is None:
            gl_account_id = _gl_account_id(account["gl_account_number"])
            create_ledger_bank_account(
                cast.controller, name=account["name"], gl_account_id=gl_account_id
            )
        if _financial_account(account["mask"]) is None:
            _add_bank_account(cast, account)


def _add_bank_account(cast: Cast, account: dict[str, Any]) -> None:
    ledger = _ledger_bank_account(account["name"])
    assert ledger is not None
    add_manual_account(
        cast.controller,
        AddManualAccount(
            institution_name=account["institution"],
            account_name=account["name"],
            mask=account["mask"],
            type=AccountType(account["type"]),
            currency=account["currency"],
            ledger_bank_account_id=ledger.id,
        ),
    )


def _files(cast: Cast, company: dict[str, Any]) -> None:
    for month in company["months"]:
        path = FOLDER / month["ledger_file"]
        done = owned(LedgerImport).where(LedgerImport.filename == path.name)
        if db.session.scalar(done.limit(1)) is None:
            import_ledger_now(cast.accountant, path.name, path.read_bytes())
    for account in company["ledger_bank_accounts"]:
        for statement in account["statements"]:
            path = FOLDER / statement["file"]
            imported = owned(Upload).where(
                Upload.filename == path.name, Upload.state == UploadState.IMPORTED
            )
            if db.session.scalar(imported.limit(1)) is None:
                bank_account = _financial_account(account["mask"])
                assert bank_account is not None
                import_bank_file_now(
                    cast.controller,
                    bank_account.id,
                    path.name,
                    path.read_bytes(),
                    covers_until=date.fromisoformat(statement["ending_date"]),
                )


def _rules(cast: Cast, company: dict[str, Any]) -> None:
    present = {rule.name for rule in listed_rules()}
    for rule in company["matching_rules"]:
        if rule["name"] not in present:
            conditions = Conditions(
                bank_description_test=TextTest.CONTAINS,
                bank_description=rule["bank_description_contains"],
                direction=Direction(rule["direction"]),
                gl_counterparty_contains=rule["gl_counterparty_contains"],
                days_apart_max=rule["days_apart_max"],
            )
            create_rule(cast.controller, rule["name"], conditions)


def _month(cast: Cast, company: dict[str, Any], month: dict[str, Any], *, certify: bool) -> None:
    """Certify a past month on both accounts; leave the last one open on the first account."""
    answers = json.loads((FOLDER / month["answers_file"]).read_text(encoding="utf-8"))
    by_number = {entry["gl_account_number"]: entry for entry in answers["accounts"]}
    accounts = company["ledger_bank_accounts"]
    for account in accounts if certify else accounts[:1]:
        answer = by_number[account["gl_account_number"]]
        reconciliation = _opened(cast, account, answer)
        if certify and reconciliation.status == ReconciliationStatus.OPEN:
            reconciliation_id = reconciliation.id
            _settle(cast, reconciliation_id, account, answer["matches"])
            certification.certify(cast.controller, reconciliation_id, REMARKS)


def _opened(cast: Cast, account: dict[str, Any], answer: dict[str, Any]) -> Reconciliation:
    """Return the month's reconciliation, opened and matched now if there is none."""
    ledger = _ledger_bank_account(account["name"])
    assert ledger is not None
    ending_date = date.fromisoformat(answer["ending_date"])
    found = db.session.scalar(
        owned(Reconciliation).where(
            Reconciliation.ledger_bank_account_id == ledger.id,
            Reconciliation.ending_date == ending_date,
        )
    )
    if found is not None:
        return found
    is_first = opening.last_reconciliation(ledger.id) is None
    opening_minor = parse_amount(answer["opening_balance"], ledger.currency)
    reconciliation_id = opening.open_reconciliation(
        cast.accountant,
        opening.OpenReconciliation(
            ledger.id,
            ending_date,
            parse_amount(answer["ending_balance"], ledger.currency),
            opening_minor if is_first else None,
        ),
    )
    run = runs.latest_run(JobKind.MATCH, reconciliation_id)
    held = runs.claim(run.id) if run else None
    if held is not None:  # else a worker has taken it already
        run_matching(cast.accountant, held)
    return get_owned(Reconciliation, reconciliation_id)


def _settle(
    cast: Cast, reconciliation_id: str, account: dict[str, Any], answers: Sequence[dict[str, Any]]
) -> None:
    """Finish what matching left, as the answers say; take apart what it got wrong."""
    wanted = _wanted(account, answers)
    made = _lines_by_match(reconciliation_id, MatchState.MATCHED)
    right = {lines for _, lines in wanted}
    for match_id, lines in made.items():
        if lines not in right:
            decisions.unmatch(cast.accountant, match_id)
    kept = {lines for lines in made.values() if lines in right}
    suggested = _lines_by_match(reconciliation_id, MatchState.SUGGESTED)
    by_lines = {lines: match_id for match_id, lines in suggested.items()}
    for answer, lines in wanted:
        if lines in kept:
            continue
        adjustment = _adjustment(answer["adjustment"])
        if lines in by_lines:
            decisions.approve(cast.accountant, by_lines[lines], adjustment)
        else:
            _match_by_hand(cast, reconciliation_id, lines, adjustment)


def _match_by_hand(
    cast: Cast, reconciliation_id: str, lines: frozenset[str], adjustment: Adjustment | None
) -> None:
    bank = set(
        db.session.scalars(
            owned(FinancialTransaction)
            .where(FinancialTransaction.id.in_(lines))
            .with_only_columns(FinancialTransaction.id)
        )
    )
    command = decisions.MatchByHand(
        reconciliation_id, tuple(sorted(bank)), tuple(sorted(lines - bank)), adjustment
    )
    decisions.match_by_hand(cast.accountant, command)


def _wanted(
    account: dict[str, Any], answers: Sequence[dict[str, Any]]
) -> list[tuple[dict[str, Any], frozenset[str]]]:
    bank_account = _financial_account(account["mask"])
    assert bank_account is not None
    seen: Counter[tuple[str, int, str]] = Counter()
    bank: dict[tuple[str, int, str, int], str] = {}
    lines = db.session.scalars(
        owned(FinancialTransaction)
        .where(FinancialTransaction.financial_account_id == bank_account.id)
        .order_by(FinancialTransaction.id)
    )
    for line in lines:
        key = (line.posted_date.isoformat(), line.amount_minor, line.description)
        seen[key] += 1
        bank[*key, seen[key]] = line.id
    entries = owned(GlEntry).with_only_columns(GlEntry.external_id, GlEntry.id)
    gl = {row.external_id: row.id for row in db.session.execute(entries)}
    return [
        (
            answer,
            frozenset(
                [
                    *(bank[_bank_key(line, account["currency"])] for line in answer["bank"]),
                    *(gl[external_id] for external_id in answer["ledger"]),
                ]
            ),
        )
        for answer in answers
    ]


def _bank_key(line: dict[str, Any], currency: str) -> tuple[str, int, str, int]:
    amount_minor = parse_amount(line["amount"], currency)
    return line["date"], amount_minor, line["description"], line["occurrence"]


def _lines_by_match(reconciliation_id: str, state: MatchState) -> dict[str, frozenset[str]]:
    rows = db.session.execute(
        owned(MatchItem)
        .join(Match, Match.id == MatchItem.match_id)
        .where(Match.reconciliation_id == reconciliation_id, Match.state == state)
        .with_only_columns(Match.id, MatchItem.financial_transaction_id, MatchItem.gl_entry_id)
    )
    lines: dict[str, set[str]] = {}
    for match_id, bank_id, gl_id in rows:
        lines.setdefault(match_id, set()).add(str(bank_id or gl_id))
    return {match_id: frozenset(ids) for match_id, ids in lines.items()}


def _adjustment(answer: dict[str, Any] | None) -> Adjustment | None:
    if answer is None:
        return None
    return Adjustment(_gl_account_id(answer["account_number"]), answer["memo"])


def _gl_account_id(number: str) -> str:
    account = db.session.scalar(owned(GlAccount).where(GlAccount.number == number))
    assert account is not None
    return account.id


def _ledger_bank_account(name: str) -> LedgerBankAccount | None:
    return db.session.scalar(owned(LedgerBankAccount).where(LedgerBankAccount.name == name))


def _financial_account(mask: str) -> FinancialAccount | None:
    return db.session.scalar(owned(FinancialAccount).where(FinancialAccount.mask == mask))
