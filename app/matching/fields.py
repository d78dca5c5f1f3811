"""Cut a bank's description into its labelled fields: who, what for, which numbers, what noise.

ACH, wire and SEPA lines name their parts (`ORIG CO NAME:`, `INDN:`, `/REMI/`, `SVWZ+`).  Without
them the account holder's own name and the words of the form itself would pass for the payee's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


class Role(Enum):
    """What a field is good for."""

    NAME = auto()
    MEMO = auto()
    """What the payer wrote: its numbers count, its words only where nothing else says who."""
    NUMBER = auto()
    DROPPED = auto()


@dataclass(frozen=True, slots=True)
class Fields:
    """One description in parts, each possibly empty.

    Attributes:
        head: What stands before the first label.
        name: Who, where a label says so.
        memo: The payer's words.
        numbered: Everything whose numbers are references.
        labelled: Whether there was any label.
    """

    head: str
    name: str
    memo: str
    numbered: str
    labelled: bool


_ROLES: Final = {
    Role.NAME: (
        "ORIG CO NAME",
        "CO NAME",
        "BNF",
        "ORIG",
        "ORG",
        "B/O",
        "A/C",
        "NAAM",
        "NAME",
        "BENEFICIARY",
        "PAYEE",
        "PAYER",
        "ABWA",
    ),
    Role.MEMO: (
        "SVWZ",
        "REMI",
        "PMT DET",
        "PMT INFO",
        "OBI",
        "OMSCHRIJVING",
        "CO ENTRY DESCR",
        "DES",
        "REFERENCE",
        "REF",
        "MEMO",
    ),
    Role.NUMBER: ("IND ID", "ID", "RFB", "EREF", "KREF", "KENMERK"),
    Role.DROPPED: (
        "IND NAME",
        "INDN",
        "ORIG ID",
        "CO ID",
        "DESC DATE",
        "DATE",
        "TIME",
        "SEC",
        "TRACE#",
        "TRACE",
        "EED",
        "TRN",
        "SEQ",
        "SRF",
        "TYPE",
        "WIRE TYPE",
        "SND BK",
        "BNF BK",
        "VIA",
        "IMAD",
        "OMAD",
        "MREF",
        "CRED",
        "IBAN",
        "BIC",
        "TRTP",
        "DESCR",
    ),
}
_ROLE_BY_LABEL: Final = {label: role for role, labels in _ROLES.items() for label in labels}
_WORDS: Final = "|".join(re.escape(w) for w in sorted(_ROLE_BY_LABEL, key=len, reverse=True))
_SEPA: Final = "SVWZ|EREF|KREF|MREF|CRED|ABWA"
_SLASHED: Final = "NAME|REMI|EREF|TRTP|IBAN|BIC|BNF|ORG|ORIG"
# The fixed width of a form may leave no space before the next label: "INVOICESEC:CCD".
_LABEL: Final = re.compile(
    rf"\b(?:{_WORDS}) ?[:=]|(?:SEC|IND ID|CO ID|TRACE#|EED):|\b(?:{_SEPA})\+|/(?:{_SLASHED})[/=]"
)


def fields(text: str) -> Fields:
    """Return the parts of a description in capitals."""
    found = list(_LABEL.finditer(text))
    if not found:
        return Fields(text, "", "", text, labelled=False)
    parts: dict[Role, list[str]] = {role: [] for role in Role}
    from_other_side = any(match.group().startswith("B/O") for match in found)
    ends = [match.start() for match in found[1:]] + [len(text)]
    for match, end in zip(found, ends, strict=True):
        label = match.group().strip("/:=+ ")
        role = _ROLE_BY_LABEL[label]
        if label == "BNF" and from_other_side:  # money that comes in names its payer elsewhere
            role = Role.DROPPED
        parts[role].append(text[match.end() : end])
    head = text[: found[0].start()]
    numbered = [head, *parts[Role.NAME], *parts[Role.MEMO], *parts[Role.NUMBER]]
    return Fields(
        head,
        " ".join(parts[Role.NAME]),
        " ".join(parts[Role.MEMO]),
        " ".join(numbered),
        labelled=True,
    )
