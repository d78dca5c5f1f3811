"""The aggregators that this installation is set up for.

Each is made when it is first asked for: an SDK takes a third of a second and many megabytes,
and a web worker that only shows pages never needs one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from app.aggregators.contract import Aggregator
from app.aggregators.mx import Mx, MxSettings
from app.aggregators.plaid.settings import PlaidSettings


@dataclass(frozen=True, slots=True)
class Entry:
    """One aggregator before it is made."""

    title: str
    make: Callable[[], Aggregator]


class Aggregators(Mapping[str, Aggregator]):
    """Name → aggregator; names and titles are known without making any."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = dict(entries)
        self._made: dict[str, Aggregator] = {}

    def __getitem__(self, name: str) -> Aggregator:
        if name not in self._made:
            self._made[name] = self._entries[name].make()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def titles(self) -> dict[str, str]:
        """Return name → title, in the order of preference."""
        return {name: entry.title for name, entry in self._entries.items()}


def configured(plaid: PlaidSettings | None, mx: MxSettings | None) -> Aggregators:
    """Return what the settings name; without settings there is none."""
    entries: dict[str, Entry] = {}
    if plaid is not None:
        entries["plaid"] = Entry("Plaid", lambda: _plaid(plaid))
    if mx is not None:
        entries["mx"] = Entry("MX", lambda: Mx(mx))
    return Aggregators(entries)


def _plaid(settings: PlaidSettings) -> Aggregator:
    from app.aggregators.plaid.adapter import Plaid  # noqa: PLC0415 - imports the SDK

    return Plaid(settings)
