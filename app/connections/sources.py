"""From a connection's row to whoever brings its data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from flask import current_app

from app.aggregators.contract import Access, Aggregator, DataSource
from app.aggregators.registry import Aggregators
from app.connectors.contract import Connector, FileConnector
from app.kernel.errors import Conflict, Invalid
from app.models import ConnectionPath, FinancialConnection
from app.tenancy import vault


def aggregators() -> Aggregators:
    """Return the certified aggregators that this installation is set up for, by name."""
    known: Aggregators = current_app.extensions["aggregators"]
    return known


def aggregator_named(name: str) -> Aggregator:
    """Return one aggregator.

    Raises:
        Invalid: This installation is not set up for it.
    """
    known = aggregators()
    if name not in known:
        choices = ", ".join(sorted(known)) or "none"
        sentence = f"“{name[:40]}” is not an aggregator of this installation; it has: {choices}."
        raise Invalid(sentence, {"aggregator": [sentence]})
    return known[name]


def webhook_url_of(name: str) -> str | None:
    """Return where an aggregator shall report to; None when nobody outside can reach us."""
    urls: dict[str, str] = current_app.extensions["settings"].webhook_urls
    return urls.get(name) or None


def connectors() -> Mapping[str, Connector]:
    """Return the connectors that this installation offers, by name."""
    known: Mapping[str, Connector] = current_app.extensions["connectors"]
    return known


def title_of(connection: FinancialConnection) -> str:
    """Return whom the data come through, as people write it; empty where people upload files."""
    titles = {name: connector.title for name, connector in connectors().items()}
    if connection.path == ConnectionPath.STANDARD:
        titles = aggregators().titles()
    return titles.get(connection.provider, connection.provider.capitalize())


def source_of(connection: FinancialConnection) -> DataSource:
    """Return what reads the connection's accounts and transactions.

    Raises:
        Conflict: The operator took its aggregator or connector out of service.
    """
    standard = connection.path == ConnectionPath.STANDARD
    known: Mapping[str, object] = aggregators() if standard else connectors()
    if connection.provider not in known:
        raise Conflict(
            f"{connection.institution_name} comes through “{connection.provider}”, which this "
            "installation no longer offers; nothing was changed. Ask your operator."
        )
    return cast("DataSource", known[connection.provider])


def brings_files(connection: FinancialConnection) -> bool:
    """Tell whether the connection's source gives whole files instead of transactions."""
    return connection.path == ConnectionPath.NON_STANDARD and hasattr(
        source_of(connection), "waiting_files"
    )


def file_connector_of(connection: FinancialConnection) -> FileConnector:
    assert brings_files(connection)
    return cast("FileConnector", source_of(connection))


def seal_access(connection: FinancialConnection, access: Access) -> bytes:
    return vault.seal(
        access.secrets,
        purpose=vault.CREDENTIALS,
        organization_id=connection.organization_id,
        row_id=connection.id,
    )


def access_of(connection: FinancialConnection) -> Access | None:
    """Return what opens the login; None where there is nothing yet, or nothing any more."""
    if connection.credentials is None:
        return None
    secrets = vault.unseal(
        connection.credentials,
        purpose=vault.CREDENTIALS,
        organization_id=connection.organization_id,
        row_id=connection.id,
    )
    return Access(connection.external_id, secrets)
