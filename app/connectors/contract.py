"""The protocol of non-standard sources.

A custom connector is one new module and its line in the registry.

There are two kinds.  A data connector speaks the language of aggregators (accounts and
transactions, `app.aggregators.contract.DataSource`); a file connector brings bank files,
which are read like a person's uploads.  Both raise `AggregatorError`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from app.aggregators.contract import Access, DataSource


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that a person says to set a connector up.

    Args:
        name: Key in the settings.
        label: What it is called on the page.
        secret: Typed hidden, kept sealed, never shown again.
        optional: May be left empty.
    """

    name: str
    label: str
    hint: str
    secret: bool = False
    optional: bool = False


class SettingsRefused(Exception):  # noqa: N818 - it says what happened
    """The settings cannot work; messages by setting name."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("; ".join(fields.values()))
        self.fields = dict(fields)


class Connector(Protocol):
    name: str
    title: str
    summary: str
    """What it is for, in one sentence."""
    settings: tuple[Setting, ...]

    def connect(self, settings: Mapping[str, str], organization_id: str) -> Access:
        """Try the settings out and return what opens the source from now on.

        Raises:
            SettingsRefused: They are wrong, or reach where this organization must not.
            AggregatorError: The source does not answer now.
        """
        ...


class DataConnector(Connector, DataSource, Protocol):
    """Brings accounts and transactions."""


class WaitingFile(Protocol):
    """A complete file that waits to be taken; it stays where it is until one of the last two."""

    name: str

    def read(self) -> bytes: ...

    def accept(self) -> None:
        """Put it with the processed ones; never deletes, and repeating it is harmless."""
        ...

    def refuse(self, reason: str) -> None:
        """Put it with the failed ones, the reason beside it; repeating it is harmless."""
        ...


class FileConnector(Connector, Protocol):
    """Brings bank files of one account."""

    def waiting_files(self, access: Access) -> Iterator[WaitingFile]:
        """Yield the files that are complete, oldest first; one that still grows is left alone."""
        ...
