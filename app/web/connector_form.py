"""A connector's settings as a form: made from what the connector asks for.

A setting's field is called `setting-<name>`, so that no connector's names can meet ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from marshmallow import fields, validate

from app.connections.accounts import AddManualAccount
from app.connections.nonstandard import ConnectThrough
from app.connections.sources import connectors
from app.connectors.contract import Connector, FileConnector
from app.kernel.bank import AccountType
from app.kernel.errors import NotFound
from app.web.forms import Form, load_form

SETTING_CHARACTERS_MAX: Final = 20_000
_PREFIX: Final = "setting-"
_LENGTH: Final = validate.Length(
    max=SETTING_CHARACTERS_MAX, error=f"Give at most {SETTING_CHARACTERS_MAX:,} characters."
)


class ConnectorForm(Form):
    institution_name = fields.Str(load_default="")


class AccountForm(Form):
    account_name = fields.Str(load_default="")
    mask = fields.Str(load_default="")
    type = fields.Enum(AccountType, by_value=True, required=True)
    currency = fields.Str(load_default="")


def connector_named(name: str) -> Connector:
    """Return a connector of this installation.

    Raises:
        NotFound: There is none of this name.
    """
    known = connectors().get(name)
    if known is None:
        raise NotFound
    return known


def brings_files(connector: Connector) -> bool:
    """Tell whether the form has to ask which account the files are of."""
    return isinstance(connector, FileConnector)


def sent_connector(connector: Connector) -> ConnectThrough:
    """Return what the form says.

    Raises:
        Invalid: With the messages by the names of the form's fields.
    """
    institution_name = load_form(ConnectorForm())["institution_name"]
    account = None
    if brings_files(connector):
        account = AddManualAccount(institution_name, **load_form(AccountForm()))
    return ConnectThrough(
        connector=connector.name,
        institution_name=institution_name,
        settings=_sent_settings(connector),
        account=account,
    )


def as_fields(connector: Connector, errors: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return messages by setting as messages by the form's fields."""
    names = {setting.name for setting in connector.settings}
    return {_PREFIX + name if name in names else name: said for name, said in errors.items()}


def _sent_settings(connector: Connector) -> dict[str, str]:
    """Return what was typed; the blanks around a secret may belong to it."""
    asked: dict[str, fields.Field[Any]] = {
        _PREFIX + each.name: fields.Str(load_default="", validate=_LENGTH)
        for each in connector.settings
    }
    schema = cast("type[Form]", Form.from_dict(asked))
    secret = tuple(_PREFIX + each.name for each in connector.settings if each.secret)
    sent = load_form(schema(), verbatim=secret)
    return {name.removeprefix(_PREFIX): value for name, value in sent.items() if value}
