"""The form that corrects how a CSV file is read: choices in words, values for a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from app.kernel.errors import Invalid
from app.statements.dates import DATE_FORMATS, RARE_DATE_FORMATS
from app.statements.mapping import CsvMapping

ROLE_WORDS: Final = (
    ("date", "Date"),
    ("value_date", "Value date"),
    ("description", "Description"),
    ("amount", "Amount, in and out"),
    ("debit", "Money out"),
    ("credit", "Money in"),
    ("indicator", "Says in or out"),
    ("balance", "Balance"),
    ("reference", "Reference"),
    ("bank_id", "The bank's own id"),
    ("counterparty", "Counterparty"),
    ("currency", "Currency"),
    ("account", "Account number"),
    ("status", "Pending or posted"),
)
DELIMITER_WORDS: Final = (
    (",", "Comma"),
    (";", "Semicolon"),
    ("tab", "Tab"),
    ("|", "Vertical bar"),
    ("~", "Tilde"),
    ("^", "Caret"),
)
ENCODING_WORDS: Final = (
    ("utf-8", "UTF-8"),
    ("utf-16", "UTF-16"),
    ("cp1252", "Windows, Western European"),
    ("cp1250", "Windows, Central European"),
    ("cp1251", "Windows, Cyrillic"),
    ("iso8859-15", "ISO 8859-15"),
    ("mac-roman", "Mac Roman"),
    ("shift_jis", "Shift JIS"),
    ("gb18030", "GB 18030"),
    ("euc_kr", "EUC-KR"),
)
DECIMAL_WORDS: Final = ((".", "1,234.56"), (",", "1.234,56"))
SIGN_WORDS: Final = (
    ("1", "Positive is money in"),
    ("-1", "Positive is money out, as on many card statements"),
)

_EXAMPLE_DAY: Final = date(2026, 10, 31)
_FOUND_AFRESH: Final = ("delimiter", "header_row", "encoding")
"""Where one of them changes, the columns are others and are found again."""


def date_format_words(current: str | None) -> list[tuple[str, str]]:
    """Return the date formats, each as the last day of October 2026 would be written."""
    formats = [*DATE_FORMATS, *RARE_DATE_FORMATS]
    if current and current not in formats:
        formats.insert(0, current)
    return [(text, _EXAMPLE_DAY.strftime(text)) for text in formats]


def encoding_words(current: str | None) -> list[tuple[str, str]]:
    """Return the character encodings to choose from, the file's own among them."""
    choices = list(ENCODING_WORDS)
    if current and current not in dict(ENCODING_WORDS):
        choices.insert(0, (current, current.upper()))
    return choices


def corrected_mapping(current: CsvMapping, form: Mapping[str, str]) -> CsvMapping:
    """Return the mapping that the person asks for.

    Args:
        current: How the file was read last; what the form does not hold stays.
        form: The submitted fields; `column-3` holds the role of the fourth column.

    Raises:
        Invalid: Two columns are the same thing, or a value is none.
    """
    document = current.to_json()
    sent = _sent(form)
    afresh = any(name in sent and sent[name] != _shown(document, name) for name in _FOUND_AFRESH)
    document.update({name: value for name, value in sent.items() if value != ""})
    if afresh:
        for name in ("columns", "header", "skip_rows", "indicator_debit", "indicator_credit"):
            document.pop(name, None)
    elif roles := _roles(form):
        document["columns"] = roles
    return CsvMapping.from_json(document)


def _sent(form: Mapping[str, str]) -> dict[str, Any]:
    sent: dict[str, Any] = {
        name: form[name].strip()
        for name in ("delimiter", "encoding", "date_format", "decimal_sign")
        if name in form
    }
    for name in ("header_row", "sign"):
        text = form.get(name, "").strip()
        if text:
            sent[name] = _whole_number(name, text)
    for name in ("indicator_debit", "indicator_credit"):
        if name in form:
            sent[name] = [part.strip() for part in form[name].split(",") if part.strip()]
    return sent


def _shown(document: Mapping[str, Any], name: str) -> Any:
    value = document.get(name, "")
    return "tab" if value == "\t" else value


def _whole_number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        sentence = "Give a whole number."
        raise Invalid("Please correct the marked fields.", {name: [sentence]}) from error


def _roles(form: Mapping[str, str]) -> dict[str, Any]:
    """Return every role with its position, null where no column has it."""
    chosen = {
        int(name.removeprefix("column-")): role
        for name, role in form.items()
        if name.startswith("column-") and name.removeprefix("column-").isdigit()
    }
    if not chosen:
        return {}
    roles: dict[str, Any] = {role: None for role, _ in ROLE_WORDS}
    roles["description"] = []
    for position, role in sorted(chosen.items()):
        if role == "description":
            roles["description"].append(position)
        elif role in roles:
            _refuse_twice(roles, role, position)
            roles[role] = position
    return roles


def _refuse_twice(roles: Mapping[str, Any], role: str, position: int) -> None:
    if roles[role] is not None:
        words = dict(ROLE_WORDS)[role]
        sentence = f"Another column is “{words}” already; only descriptions can be several."
        raise Invalid("Please correct the marked columns.", {f"column-{position}": [sentence]})
