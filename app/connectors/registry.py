"""The connectors that there are: a custom one is a new module and its line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from app.connectors.contract import AnyConnector, OperatorSettings
from app.connectors.folder import FolderConnector

_CONNECTORS: Final[Mapping[str, Callable[[OperatorSettings], AnyConnector]]] = {
    "folder": FolderConnector,
}
NAMES: Final = tuple(_CONNECTORS)
"""Of all connectors, in the order in which people are shown them."""


class UnknownConnector(LookupError):  # noqa: N818 - it says what is wrong
    """There is no connector of this name."""


class ConnectorRegistry:
    """All connectors, made with the operator's settings.

    What the operator does not offer cannot be chosen any more, but what was set up with it
    goes on.

    Raises:
        UnknownConnector: The operator offers a name that does not exist.
    """

    def __init__(self, operator: OperatorSettings) -> None:
        self._connectors = {name: make(operator) for name, make in _CONNECTORS.items()}
        self._offered = tuple(self.named(name) for name in operator.offered)

    def named(self, name: str) -> AnyConnector:
        """Return the connector of this name, offered or not.

        Raises:
            UnknownConnector: There is none.
        """
        if name not in self._connectors:
            raise UnknownConnector(f"There is no connector named “{name}”.")
        return self._connectors[name]

    def offered(self) -> tuple[AnyConnector, ...]:
        """Return those that people can choose, in the operator's order."""
        return self._offered
