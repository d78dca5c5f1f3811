"""The protocol of non-standard sources; docs/connectors.md shows how to write one.

There are two kinds.  A data connector speaks the language of aggregators (accounts and
transactions, `app.aggregators.contract.DataSource`); a file connector brings bank files,
which are read like a person's uploads.  Both raise `AggregatorError`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

from app.aggregators.contract import Access, DataSource
from app.kernel.outbound import OutboundRules


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """What the operator of this installation says about connectors.

    Args:
        inbox_path: The folder below which all watched folders lie.
        outbound: Which addresses may be called.
        offered: Names of the connectors that people can choose.
    """

    inbox_path: Path
    outbound: OutboundRules = field(default_factory=OutboundRules)
    offered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that a person says to set a connector up.

    Args:
        name: Key in the settings.
        label: What it is called on the page.
        secret: Typed hidden, kept sealed, never shown again.
        optional: May be left empty.
        multiline: Has line breaks that count, as a private key has.
    """

    name: str
    label: str
    hint: str
    secret: bool = False
    optional: bool = False
    multiline: bool = False


class SettingsRefused(Exception):  # noqa: N818 - it says what happened
    """The settings cannot work; messages by setting name."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("; ".join(fields.values()))
        self.fields = dict(fields)


class Connector(Protocol):
    """A source; the registry makes it with the operator's settings as its only argument."""

    name: str
    """As in settings, the database and the API; never changed."""
    title: str
    summary: str
    """What it is for, in one sentence."""
    settings: tuple[Setting, ...]

    def connect(self, settings: Mapping[str, str], organization_id: str) -> Access:
        """Try the settings out and return what opens the source from now on.

        Args:
            settings: By name; an optional one may be missing.
            organization_id: Whose source it is; nothing of another's may be reached.

        Raises:
            SettingsRefused: They are wrong, or reach where this organization must not.
            AggregatorError: The source does not answer now.
        """
        ...

    def remove(self, access: Access) -> None:
        """End the access at the source; one that is gone already is a success.

        Raises:
            AggregatorError: It stands, because the source cannot be told or does not answer;
                the sentence says what a person can do instead.
        """
        ...


@runtime_checkable
class DataConnector(Connector, DataSource, Protocol):
    """Brings accounts and transactions."""


class WaitingFile(Protocol):
    """A complete file that waits to be taken; it stays where it is until one of the last two.

    It is good until the next one is asked for.  Each method raises `AggregatorError`, which
    says nothing of the other files: a permanent one asks for `refuse`, any other leaves
    this file for the next look.
    """

    name: str

    def read(self) -> bytes: ...

    def accept(self) -> None:
        """Put it with the processed ones; never deletes, and repeating it is harmless.

        A file that is not the one that was read any more stays for the next look.
        """
        ...

    def refuse(self, reason: str) -> None:
        """Put it with the failed ones, the reason beside it; repeating it is harmless."""
        ...


@runtime_checkable
class FileConnector(Connector, Protocol):
    """Brings bank files of one account."""

    def waiting_files(self, access: Access) -> Iterator[WaitingFile]:
        """Yield the files that are complete, oldest first; one that still grows is left alone.

        A file whose import was interrupted before it was put away is yielded again, so the
        reader must know content that it has imported already.
        """
        ...


AnyConnector: TypeAlias = DataConnector | FileConnector
