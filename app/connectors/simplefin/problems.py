"""What a server says is wrong, and what that means for the login and for each account.

Codes are `prefix.subcode`; a subcode that nobody knows means what its prefix means.  Older
servers say sentences without a code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.aggregators.contract import Health
from app.kernel.bank import ConnectionStatus

SENTENCE_CHARACTERS_MAX: Final = 300
_KNOWN: Final = frozenset({"gen.api", "gen.auth", "con.auth", "act.failed", "act.missingdata"})
_HEALTH: Final = {
    "gen.auth": ConnectionStatus.RECONNECT_REQUIRED,
    "con.auth": ConnectionStatus.RECONNECT_REQUIRED,
    "gen.api": ConnectionStatus.DEGRADED,
    "gen.": ConnectionStatus.DEGRADED,
    "con.": ConnectionStatus.DEGRADED,
    "act.failed": ConnectionStatus.DEGRADED,
}
"""What a problem of everything that the login has means; the others are of accounts alone."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of `errlist`.

    Args:
        code: One of the known ones, or a prefix with its dot.
        sentence: What the server says to people, made fit to be shown.
    """

    code: str
    sentence: str
    connection_id: str = ""
    account_id: str = ""

    @property
    def reason(self) -> str:
        """The code as statuses carry it: `CON_AUTH`, `ACT`."""
        return self.code.rstrip(".").replace(".", "_").upper()

    def is_of(self, connection_id: str, account_id: str) -> bool:
        """Say whether it is about this account, or about the connection that it belongs to."""
        if self.code.startswith("act."):
            same_connection = self.connection_id in {"", connection_id}
            return self.account_id == account_id and same_connection
        return self.code.startswith("con.") and self.connection_id == connection_id


def problems_of(answer: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Read `errlist`, or the sentences of a server that has none."""
    coded = answer.get("errlist")
    if isinstance(coded, list):
        return tuple(_problem(entry) for entry in coded if isinstance(entry, dict))
    sentences = answer.get("errors")
    if not isinstance(sentences, list):
        return ()
    return tuple(Problem("gen.", shown(text)) for text in sentences if isinstance(text, str))


def health_of(problems: Iterable[Problem], connection_ids: frozenset[str]) -> Health:
    """Return what the problems mean for the whole login, the gravest first.

    A login can span several banks.  Where only some of them fail, the login is healthy and
    their accounts fail, so that the others go on.
    """
    said = tuple(problems)
    failing = {problem.connection_id for problem in said if problem.code.startswith("con.")}
    all_fail = connection_ids <= failing
    grave = [
        problem
        for problem in said
        if problem.code in _HEALTH and (all_fail or not problem.code.startswith("con."))
    ]
    for status in (ConnectionStatus.RECONNECT_REQUIRED, ConnectionStatus.DEGRADED):
        for problem in grave:
            if _HEALTH[problem.code] is status:
                return Health(status, problem.reason, sentence=problem.sentence)
    return Health(ConnectionStatus.ACTIVE)


def shown(text: str) -> str:
    """Return a server's words as one short line of printable characters."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(plain.split())[:SENTENCE_CHARACTERS_MAX]


def _problem(entry: Mapping[str, Any]) -> Problem:
    code, sentence, connection_id, account_id = (
        value if isinstance(value, str) else ""
        for value in map(entry.get, ("code", "msg", "conn_id", "account_id"))
    )
    if code not in _KNOWN:
        prefix = code.partition(".")[0]
        code = f"{prefix}." if prefix in {"gen", "con", "act"} else "gen."
    if (code.startswith("act.") and not account_id) or (
        code.startswith("con.") and not connection_id
    ):
        code = {"con.auth": "gen.auth"}.get(code, "gen.")  # of nobody in particular: of all
    return Problem(code, shown(sentence), connection_id, account_id)
