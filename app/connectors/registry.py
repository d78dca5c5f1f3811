"""The connectors that there are: a custom one is a new module and its line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from app.connectors.contract import AnyConnector, OperatorSettings
from app.connectors.folder import FolderConnector
from app.connectors.sftp.connector import SftpConnector
from app.connectors.simplefin.connector import SimpleFinConnector

_CONNECTORS: Final[Mapping[str, Callable[[OperatorSettings], AnyConnector]]] = {
    "folder": FolderConnector,
    "sftp": SftpConnector,
    "simplefin": SimpleFinConnector,
}
NAMES: Final = tuple(_CONNECTORS)
"""Of all connectors, in the order in which people are shown them."""


class UnknownConnector(LookupError):  # noqa: N818 - it says what is wrong
    """There is no connector of this name."""


def configured(operator: OperatorSettings) -> Mapping[str, AnyConnector]:
    """Return the connectors that the operator offers, by name and in the operator's order.

    Raises:
        UnknownConnector: The operator offers a name that does not exist.
    """
    for name in operator.offered:
        if name not in _CONNECTORS:
            raise UnknownConnector(name)
    return MappingProxyType({name: _CONNECTORS[name](operator) for name in operator.offered})
