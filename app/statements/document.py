"""The JSON form of a parsed file, as `flask parse-statement` prints it."""

from __future__ import annotations

from decimal import Decimal

from app.statements.parsed import Finding, ParsedFile, ParsedStatement, ParsedTransaction


def to_document(parsed: ParsedFile) -> dict[str, object]:
    """Return a JSON-ready dictionary: amounts as plain decimal strings, dates in ISO form."""
    return {
        "format": parsed.format,
        "mapping": parsed.mapping.to_json() if parsed.mapping else None,
        "statements": [_statement(statement) for statement in parsed.statements],
        "findings": [_finding(finding) for finding in parsed.findings],
    }


def _statement(statement: ParsedStatement) -> dict[str, object]:
    return {
        "account": statement.account,
        "currency": statement.currency,
        "opening_balance": _decimal_text(statement.opening_balance),
        "closing_balance": _decimal_text(statement.closing_balance),
        "transactions": [_transaction(one) for one in statement.transactions],
    }


def _transaction(transaction: ParsedTransaction) -> dict[str, object]:
    return {
        "date": transaction.date.isoformat(),
        "amount": _decimal_text(transaction.amount),
        "description": transaction.description,
        "reference": transaction.reference,
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "level": finding.level.value,
        "line": finding.line,
        "code": finding.code,
        "message": finding.message,
    }


def _decimal_text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"
