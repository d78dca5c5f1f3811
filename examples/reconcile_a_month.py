"""Connect a bank, push a ledger and reconcile one month, all through the REST API.

    export TIEOUT_URL=http://127.0.0.1:5000 TIEOUT_API_KEY=tieout_…
    python examples/reconcile_a_month.py

Without arguments it takes the demo company's savings account until the end of October: its bank
is Cascade Mutual Savings of the sandbox, its ledger is in `demo/ledger`.  It prints an address,
and goes on once a person has signed in there.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final

from tieout_client import Refused, Tieout, wait_for

BANK: Final = "financial_connections/v2"
LEDGER: Final = "ledger/v1"
RECONCILIATION: Final = "reconciliation/v1"
DEMO: Final = Path(__file__).resolve().parents[1] / "demo"
ENTRIES_PER_CALL: Final = 5_000
FOREVER: Final = "9999-12-31"
ZERO: Final = Decimal(0)
SIGN_IN_SECONDS: Final = 1_800.0
WORK_SECONDS: Final = 300.0


def main() -> None:
    given = _arguments()
    tieout = Tieout(os.environ["TIEOUT_URL"], os.environ["TIEOUT_API_KEY"])
    connection = connect(tieout)
    push_ledger(tieout, given.chart, given.ledgers)
    bank_account = next(a for a in connection["accounts"] if a["mask"] == given.mask)
    ledger_bank_account = map_to_books(tieout, bank_account, given.gl_account)
    lines = bank_lines(tieout, bank_account, given.ending_date)
    statement = {
        "ledger_bank_account_id": ledger_bank_account["id"],
        "ending_date": given.ending_date,
        **balances(tieout, bank_account, lines, given.ending_date),
    }
    reconciliation_id = reconcile(tieout, statement, approve_from=given.approve_from)
    explain_the_rest(tieout, reconciliation_id, lines, given.explain)
    finish(tieout, reconciliation_id)


def connect(tieout: Tieout) -> dict[str, Any]:
    """Let a person sign in at the bank, and return the connection once its data is there."""
    made = tieout.post(f"{BANK}/connections/connect/", {"path": "standard", "aggregator": "plaid"})
    path = f"{BANK}/connections/{made['connection']['id']}"
    print(f"Sign in at the bank: {made['hosted_flow']['url']}", flush=True)

    def completed() -> bool:
        try:
            tieout.post(f"{path}/complete/", {})
        except Refused as refused:
            if refused.code != "hosted_flow_not_finished":
                raise
            return False
        return True

    wait_for(completed, timeout_seconds=SIGN_IN_SECONDS)
    wait_for(
        lambda: tieout.get(f"{path}/status/")["status"] == "active", timeout_seconds=WORK_SECONDS
    )
    connection: dict[str, Any] = tieout.get(f"{path}/")
    names = ", ".join(f"{a['name']} ··{a['mask']}" for a in connection["accounts"])
    print(f"Connected {connection['institution']['name']}: {names}")
    return connection


def push_ledger(tieout: Tieout, chart: Path, ledgers: list[Path]) -> None:
    """Create the GL accounts that are missing and upsert the entries; repeating it is harmless."""
    known = {account["number"] for account in tieout.rows(f"{LEDGER}/accounts/")}
    for account in json.loads(chart.read_text(encoding="utf-8"))["gl_accounts"]:
        if account["number"] not in known:
            tieout.post(f"{LEDGER}/accounts/", account)
    counts = dict.fromkeys(("created", "updated", "unchanged"), 0)
    for entries in _entries(ledgers):
        pushed = tieout.post(f"{LEDGER}/entries/", {"entries": entries})
        counts = {outcome: count + pushed[outcome] for outcome, count in counts.items()}
    print("Pushed the ledger: " + ", ".join(f"{count} {name}" for name, count in counts.items()))


def map_to_books(tieout: Tieout, bank_account: dict[str, Any], number: str) -> dict[str, Any]:
    """Tie the bank's account to the GL account that stands for it."""
    accounts = {a["number"]: a for a in tieout.rows(f"{LEDGER}/accounts/")}
    gl_account_id = accounts[number]["id"]
    known = tieout.rows(f"{LEDGER}/bank-accounts/")
    ledger_bank_account: dict[str, Any] | None = next(
        (one for one in known if one["gl_account_id"] == gl_account_id), None
    )
    if ledger_bank_account is None:
        new = {"name": accounts[number]["name"], "gl_account_id": gl_account_id}
        ledger_bank_account = tieout.post(f"{LEDGER}/bank-accounts/", new)
    tieout.put(
        f"{BANK}/accounts/{bank_account['id']}/ledger-bank-account/",
        {"ledger_bank_account_id": ledger_bank_account["id"]},
    )
    return ledger_bank_account


def bank_lines(tieout: Tieout, bank_account: dict[str, Any], until: str) -> list[dict[str, Any]]:
    """Return what the bank booked until a day."""
    return list(
        tieout.rows(
            f"{BANK}/transactions/",
            account_id=bank_account["id"],
            posted_to=until,
            status="posted",
        )
    )


def balances(
    tieout: Tieout, bank_account: dict[str, Any], lines: list[dict[str, Any]], until: str
) -> dict[str, str]:
    """Return the statement's two balances, counted back from the balance of this moment.

    An account's first reconciliation begins before its first line; each later one begins where
    the last one ended, and would be given its ending balance alone.
    """
    all_lines = bank_lines(tieout, bank_account, FOREVER)
    later = sum(
        (Decimal(line["amount"]) for line in all_lines if line["posted_date"] > until), ZERO
    )
    ending = Decimal(bank_account["current_balance"]) - later
    opening = ending - sum((Decimal(line["amount"]) for line in lines), ZERO)
    return {"ending_balance": str(ending), "opening_balance": str(opening)}


def reconcile(tieout: Tieout, statement: dict[str, Any], *, approve_from: float) -> str:
    """Open the month, let Bank Match AI work, approve what it is sure enough of; return the id."""
    reconciliation = tieout.post(f"{RECONCILIATION}/reconciliations/", statement)
    path = f"{RECONCILIATION}/reconciliations/{reconciliation['id']}"
    wait_for(lambda: _has_matched(tieout.get(f"{path}/")), timeout_seconds=WORK_SECONDS)
    for match in list(tieout.rows(f"{path}/matches/", state="suggested")):
        is_sure = match["score"] >= approve_from and match["bank_total"] == match["gl_total"]
        if is_sure:
            tieout.post(f"{RECONCILIATION}/matches/{match['id']}/approve/", {})
        verb = "Approved" if is_sure else "Left to a person"
        print(f"{verb}: {match['bank_total']} {match['currency']}, score {match['score']:.0f}")
    return str(reconciliation["id"])


def _has_matched(reconciliation: dict[str, Any]) -> bool:
    """Tell whether the matching run is over.

    Raises:
        RuntimeError: It failed.
    """
    progress = reconciliation["progress"]
    if progress["state"] == "failed":
        raise RuntimeError(progress["failure"])
    return bool(progress["state"] == "succeeded")


def explain_the_rest(
    tieout: Tieout,
    reconciliation_id: str,
    lines: list[dict[str, Any]],
    explanations: dict[str, str],
) -> None:
    """Book what the bank did by itself, such as interest, to the account that it belongs to."""
    path = f"{RECONCILIATION}/reconciliations/{reconciliation_id}"
    matched = {
        line_id
        for match in tieout.rows(f"{path}/matches/", state="matched")
        for line_id in match["bank_transaction_ids"]
    }
    account_ids = {a["number"]: a["id"] for a in tieout.rows(f"{LEDGER}/accounts/")}
    for line in lines:
        words = line["description"].upper()
        number = next((n for text, n in explanations.items() if text in words), None)
        if number is None or line["id"] in matched:
            continue
        body = {
            "bank_transaction_ids": [line["id"]],
            "contra_account_id": account_ids[number],
            "memo": line["description"].capitalize(),
        }
        tieout.post(f"{path}/adjustments/", body)
        print(f"Booked to {number}: {line['amount']} {line['currency']}, {line['description']}")


def finish(tieout: Tieout, reconciliation_id: str) -> None:
    """Complete the month, or say why it cannot be completed yet."""
    path = f"{RECONCILIATION}/reconciliations/{reconciliation_id}"
    found = tieout.get(f"{path}/")
    print(f"Difference: {found['difference']} {found['currency']}")
    try:
        done = tieout.post(f"{path}/complete/", {})
    except Refused as refused:
        print(f"Not completed. {refused}")
    else:
        print(f"Status: {done['status']}")


def _entries(ledgers: list[Path]) -> Iterator[list[dict[str, str]]]:
    """Yield the rows of the files, as many at once as one call takes, without what is empty."""
    columns = ("external_id", "account_number", "date", "amount", "currency", "description")
    optional = ("counterparty", "reference", "journal")
    for ledger in ledgers:
        with ledger.open(encoding="utf-8", newline="") as file:
            rows = (
                {name: row[name] for name in columns} | {n: row[n] for n in optional if row.get(n)}
                for row in csv.DictReader(file)
            )
            while part := list(islice(rows, ENTRIES_PER_CALL)):
                yield part


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Connect a bank, push a ledger, reconcile.")
    files = [DEMO / "ledger" / "2026-09.csv", DEMO / "ledger" / "2026-10.csv"]
    add = parser.add_argument
    add("ledgers", type=Path, nargs="*", default=files, help="CSV, see README.md")
    add("--chart", type=Path, default=DEMO / "company.json", help="JSON with “gl_accounts”")
    add("--mask", default="0926", help="last digits of the bank account")
    add("--gl-account", default="1010", help="number of the GL account that stands for it")
    add("--ending-date", default="2026-10-31")
    add("--approve-from", type=float, default=60.0, help="score from which suggestions are taken")
    add(
        "--explain",
        type=json.loads,
        default={"INTEREST PAYMENT": "4900", "STATEMENT FEE": "6800"},
        help="JSON: words of the bank's text and the number of the account that they belong to",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
