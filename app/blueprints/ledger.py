"""Cash Management → Ledger: entries, chart of accounts, bank accounts, journal entries, files."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields

from app.kernel.errors import Invalid
from app.ledger import accounts, imports, journals
from app.ledger.import_file import COLUMNS, LedgerFileRefused
from app.models import GlAccountType
from app.reports import ledger as report
from app.reports import ledger_imports as import_report
from app.tenancy.permissions import Permission
from app.web import journal_form
from app.web.access import current_actor, needs
from app.web.filters import local_today
from app.web.forms import Form, load_form, query_date
from app.web.pages import UNPROCESSABLE, go, render

bp = Blueprint("ledger", __name__, url_prefix="/ledger")

TYPE_WORDS = {
    GlAccountType.ASSET: "Asset",
    GlAccountType.LIABILITY: "Liability",
    GlAccountType.EQUITY: "Equity",
    GlAccountType.INCOME: "Income",
    GlAccountType.EXPENSE: "Expense",
}

_OLDEST_FIRST = "date"


class AccountForm(Form):
    number = fields.Str(required=True)
    name = fields.Str(required=True)
    type = fields.Str(required=True)
    currency = fields.Str(required=True)


class NameForm(Form):
    name = fields.Str(required=True)


class BankAccountForm(Form):
    name = fields.Str(required=True)
    gl_account_id = fields.Str(load_default="")


class ReversalForm(Form):
    on = fields.Date(required=True, error_messages={"invalid": "Give the date of the reversal."})


@bp.get("/")
@needs(Permission.VIEW)
def entries() -> ResponseReturnValue:
    choices = report.account_choices()
    wanted = report.EntryFilter(
        account_id=request.args.get("account", ""),
        date_from=query_date("from"),
        date_to=query_date("to"),
        search=request.args.get("q", ""),
        newest_first=request.args.get("sort") != _OLDEST_FIRST,
    )
    page = report.entry_page(wanted, choices, after=_cursor("after"), before=_cursor("before"))
    return render(
        "ledger/entries.html",
        "list",
        page=page,
        accounts=_options(choices),
        wanted=wanted,
        sort="-date" if wanted.newest_first else _OLDEST_FIRST,
        list_url=_list_url,
        sort_url=lambda order: _list_url(sort=order),
    )


@bp.get("/accounts")
@needs(Permission.VIEW)
def chart() -> ResponseReturnValue:
    return _chart({"currency": "USD"}, {})


@bp.post("/accounts")
@needs(Permission.LEDGER)
def add_account() -> ResponseReturnValue:
    try:
        values = load_form(AccountForm())
        accounts.create_gl_account(current_actor(), **values)
    except Invalid as refusal:
        return _chart(request.form, _errors(refusal), status=UNPROCESSABLE)
    return go(url_for(".chart"), f"{values['number']} {values['name']} was added.")


@bp.get("/accounts/<account_id>/name")
@needs(Permission.LEDGER)
def ask_name(account_id: str) -> ResponseReturnValue:
    return render("ledger/rename.html", account=report.account(account_id), name=None, errors={})


@bp.post("/accounts/<account_id>/name")
@needs(Permission.LEDGER)
def rename(account_id: str) -> ResponseReturnValue:
    try:
        accounts.rename_gl_account(current_actor(), account_id, load_form(NameForm())["name"])
    except Invalid as refusal:
        return render(
            "ledger/rename.html",
            status=UNPROCESSABLE,
            account=report.account(account_id),
            name=request.form.get("name", ""),
            errors=_errors(refusal),
        )
    return go(url_for(".chart"), "The account has its new name.")


@bp.get("/bank-accounts")
@needs(Permission.VIEW)
def bank_accounts() -> ResponseReturnValue:
    return _bank_accounts({}, {})


@bp.post("/bank-accounts")
@needs(Permission.LEDGER)
def add_bank_account() -> ResponseReturnValue:
    try:
        values = load_form(BankAccountForm())
        accounts.create_ledger_bank_account(current_actor(), **values)
    except Invalid as refusal:
        return _bank_accounts(request.form, _errors(refusal), status=UNPROCESSABLE)
    return go(url_for(".bank_accounts"), f"{values['name']} was added.")


@bp.get("/journals/new")
@needs(Permission.LEDGER)
def new_journal() -> ResponseReturnValue:
    return _journal_form(journal_form.JournalInput(date=local_today().isoformat()), {})


@bp.post("/journals")
@needs(Permission.LEDGER)
def post_journal() -> ResponseReturnValue:
    typed = journal_form.read_input(request.form)
    step = request.form.get("step")
    if step is not None:
        return _journal_form(journal_form.take_step(typed, step), {}, step=step)
    try:
        draft = journal_form.to_draft(typed, _currencies(report.account_choices()))
        written = journals.post_journal(current_actor(), draft)
    except Invalid as refusal:
        return _journal_form(typed, _errors(refusal), status=UNPROCESSABLE)
    url = url_for(".journal", journal_id=written.journal_id)
    return go(url, f"{written.number} was posted.")


@bp.get("/journals/<journal_id>")
@needs(Permission.VIEW)
def journal(journal_id: str) -> ResponseReturnValue:
    return _journal(journal_id, {})


@bp.post("/journals/<journal_id>/reverse")
@needs(Permission.LEDGER)
def reverse(journal_id: str) -> ResponseReturnValue:
    try:
        on = load_form(ReversalForm())["on"]
        written = journals.reverse_journal(current_actor(), journal_id, on)
    except Invalid as refusal:
        return _journal(journal_id, _errors(refusal), status=UNPROCESSABLE)
    url = url_for(".journal", journal_id=written.journal_id)
    return go(url, f"Reversed by {written.number}.")


@bp.get("/imports")
@needs(Permission.VIEW)
def import_files() -> ResponseReturnValue:
    return _imports({})


@bp.post("/imports")
@needs(Permission.LEDGER)
def upload() -> ResponseReturnValue:
    file = request.files.get("file")
    if file is None or not file.filename:
        errors = {"file": ["Choose the CSV file that your accounting program exports."]}
        return _imports(errors, status=UNPROCESSABLE)
    try:
        preview = imports.preview_import(current_actor(), file.filename, file.read())
    except LedgerFileRefused as refusal:
        return _imports({"file": [refusal.detail]}, status=UNPROCESSABLE)
    if preview.import_id is None:
        return _imports({}, status=UNPROCESSABLE, refused=preview, filename=file.filename)
    return go(url_for(".import_file", import_id=preview.import_id))


@bp.get("/imports/<import_id>")
@needs(Permission.VIEW)
def import_file(import_id: str) -> ResponseReturnValue:
    return render("ledger/import.html", "outcome", view=import_report.import_view(import_id))


@bp.get("/imports/<import_id>/progress")
@needs(Permission.VIEW)
def import_progress(import_id: str) -> ResponseReturnValue:
    """Answer the bar that asks every second; at the end with the result in its place."""
    view = import_report.import_view(import_id)
    running = view.progress is not None and not view.progress.done
    response = render("ledger/import.html", "progress" if running else "outcome", view=view)
    if not running:
        response.headers["HX-Retarget"] = "#outcome"
        response.headers["HX-Reswap"] = "outerHTML"
    return response


@bp.post("/imports/<import_id>/confirm")
@needs(Permission.LEDGER)
def confirm_import(import_id: str) -> ResponseReturnValue:
    imports.confirm_import(current_actor(), import_id)
    return go(url_for(".import_file", import_id=import_id))


@bp.post("/imports/<import_id>/discard")
@needs(Permission.LEDGER)
def discard_import(import_id: str) -> ResponseReturnValue:
    imports.discard_import(current_actor(), import_id)
    return go(url_for(".import_files"), "The file was discarded; the books are as they were.")


def _cursor(name: str) -> report.Cursor | None:
    text = request.args.get(name)
    return report.Cursor.parse(text) if text else None


def _list_url(**changes: object) -> str:
    """Return the list's address with its filters, from the top unless a cursor is given."""
    kept = {
        name: request.args[name]
        for name in ("account", "from", "to", "q", "sort")
        if request.args.get(name)
    }
    parts: dict[str, Any] = {**kept, **changes}
    return url_for(".entries", **parts)


def _options(choices: list[report.AccountChoice]) -> list[tuple[str, str]]:
    return [(account.id, account.label) for account in choices]


def _chart(values: Any, errors: dict[str, list[str]], status: int = 200) -> Response:
    return render(
        "ledger/chart.html",
        status=status,
        rows=report.account_rows(),
        types=[(kind.value, words) for kind, words in TYPE_WORDS.items()],
        type_words=TYPE_WORDS,
        values=values,
        errors=errors,
    )


def _bank_accounts(values: Any, errors: dict[str, list[str]], status: int = 200) -> Response:
    choices = [
        account
        for account in report.account_choices()
        if account.type in report.BANK_TYPES and account.bank_account is None
    ]
    return render(
        "ledger/bank_accounts.html",
        status=status,
        rows=report.bank_account_rows(),
        choices=_options(choices),
        values=values,
        errors=errors,
    )


def _journal_form(
    typed: journal_form.JournalInput,
    errors: dict[str, list[str]],
    *,
    status: int = 200,
    step: str = "",
) -> Response:
    choices = report.account_choices()
    return render(
        "ledger/journal_form.html",
        *(("totals",) if step == "sum" else ("lines", "totals") if step else ()),
        status=status,
        typed=typed,
        accounts=choices,
        totals=journal_form.totals_of(typed, _currencies(choices)),
        oob=step not in {"", "sum"},
        focused=journal_form.focused_line(typed, step),
        errors=errors,
    )


def _currencies(choices: list[report.AccountChoice]) -> dict[str, str]:
    return {account.id: account.currency for account in choices}


def _journal(journal_id: str, errors: dict[str, list[str]], status: int = 200) -> Response:
    view = report.journal(journal_id)
    on = request.form.get("on") or max(local_today(), view.date).isoformat()
    return render("ledger/journal.html", status=status, journal=view, on=on, errors=errors)


def _imports(
    errors: dict[str, list[str]],
    status: int = 200,
    refused: imports.Preview | None = None,
    filename: str = "",
) -> Response:
    return render(
        "ledger/imports.html",
        status=status,
        rows=import_report.import_rows(),
        columns=COLUMNS,
        refused=refused,
        filename=filename,
        errors=errors,
    )


def _errors(refusal: Invalid) -> dict[str, list[str]]:
    return refusal.fields or {"": [refusal.detail]}
