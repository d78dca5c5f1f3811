"""The non-standard path: set a connector up, or ask the operator for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.aggregators.contract import Access, AggregatorError
from app.audit.trail import Change, record
from app.connections.accounts import AddManualAccount, checked_account
from app.connections.hosted_flows import ProviderRefused
from app.connections.sources import connectors, seal_access
from app.connections.statuses import Cause, tell
from app.connectors.contract import Connector, SettingsRefused
from app.jobs.runs import request_run
from app.kernel.bank import AccountType, ConnectionStatus
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict, Invalid
from app.models import (
    ConnectionPath,
    ConnectorRequest,
    FinancialAccount,
    FinancialConnection,
    JobKind,
    RequestState,
    db,
)
from app.models.session import unit_of_work
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import get_owned, organization_scope, owned

TEXT_CHARACTERS_MAX = 200
REASON_CHARACTERS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class ConnectThrough:
    """A connector to be set up.

    Args:
        connector: Its name in the registry.
        settings: What a person said, by the names of the connector's settings.
        account: For a connector that brings files: the account that they are of.
    """

    connector: str
    institution_name: str
    settings: Mapping[str, str]
    account: AddManualAccount | None = None


def connect_through(actor: Actor, command: ConnectThrough) -> str:
    """Try the connector out, make its connection, ask for the first sync; return its id.

    Raises:
        Forbidden: The actor lacks `bank_connections`.
        Invalid: There is no such connector, or its settings cannot work.
        ProviderRefused: The source does not answer now.
        Conflict: The source is connected already.
    """
    actor.require(Permission.BANK_CONNECTIONS)
    connector = _connector_named(command.connector)
    brings_files = hasattr(connector, "waiting_files")
    account = checked_account(command.account) if command.account and brings_files else None
    if brings_files and account is None:
        raise Invalid("Say which account the files are of; nothing was saved.")
    name = " ".join(command.institution_name.split())[:TEXT_CHARACTERS_MAX]
    if not name:
        sentence = "Give the bank's name."
        raise Invalid(sentence, {"institution_name": [sentence]})
    access = _try_out(actor, connector, command.settings)
    with unit_of_work() as work:
        _refuse_connected(command.connector, access)
        connection = FinancialConnection(
            path=ConnectionPath.NON_STANDARD,
            provider=command.connector,
            external_id=access.external_id,
            institution_name=name,
            status=ConnectionStatus.IN_PROGRESS,
            settings=_shown(connector, command.settings),
            created_by=actor.user_id,
        )
        db.session.add(connection)
        db.session.flush()
        connection.credentials = seal_access(connection, access)
        if account is not None:
            _add_account(connection, account)
        after = {"path": connection.path, "connector": command.connector, "institution": name}
        created = Change("connection.created", "financial_connection", connection.id, {}, after)
        record(actor, created)
        sentence = f"Connected through {connector.title}."
        tell(actor, connection, cause=Cause.PERSON, sentence=sentence)
        request_run(work, actor, JobKind.SYNC, connection.id, Cause.PERSON)
        return connection.id


@dataclass(frozen=True, slots=True)
class AskForConnector:
    institution_name: str
    account_description: str
    reason: str


def ask_for_connector(actor: Actor, command: AskForConnector) -> str:
    """Tell the operator which account has no way in, and return the request's id.

    Raises:
        Forbidden: The actor lacks `bank_connections`.
        Invalid: Something is missing or too long.
    """
    actor.require(Permission.BANK_CONNECTIONS)
    fields: dict[str, list[str]] = {}
    texts = {
        "institution_name": (command.institution_name.strip(), TEXT_CHARACTERS_MAX),
        "account_description": (command.account_description.strip(), TEXT_CHARACTERS_MAX),
        "reason": (command.reason.strip(), REASON_CHARACTERS_MAX),
    }
    for field, (text, characters_max) in texts.items():
        if not 1 <= len(text) <= characters_max:
            fields[field] = [f"Give 1 to {characters_max:,} characters."]
    if fields:
        raise Invalid("Please correct the marked fields; nothing was sent.", fields)
    with unit_of_work():
        request = ConnectorRequest(
            **{field: text for field, (text, _) in texts.items()},
            created_by=actor.user_id,
            created_by_name=actor.name,
        )
        db.session.add(request)
        db.session.flush()
        after = {"institution_name": request.institution_name}
        change = Change("connector_request.sent", "connector_request", request.id, {}, after)
        record(actor, change)
        return request.id


def answer_request(
    actor: Actor, organization_id: str, request_id: str, *, configured: bool, answer: str
) -> None:
    """Answer a request of any organization, as the operator.

    Args:
        configured: The connector can be chosen now; otherwise the request is declined.
        answer: What to do, or why not.

    Raises:
        Forbidden: The actor lacks `operations`.
        NotFound: There is no such request.
        Invalid: The answer is missing or too long.
        Conflict: It was answered before.
    """
    actor.require(Permission.OPERATIONS)
    answer = answer.strip()
    if not 1 <= len(answer) <= REASON_CHARACTERS_MAX:
        sentence = "Say what to do now, or why not."
        raise Invalid(sentence, {"answer": [sentence]})
    with organization_scope(organization_id), unit_of_work():
        request = get_owned(ConnectorRequest, request_id, lock=True)
        if request.state != RequestState.OPEN:
            raise Conflict("The request was answered already; nothing was changed.")
        request.state = RequestState.CONFIGURED if configured else RequestState.DECLINED
        request.answer = answer
        request.answered_by_name, request.answered_at = actor.name, utc_now()
        db.session.flush()
        after = {"state": request.state, "answer": answer}
        change = Change("connector_request.answered", "connector_request", request_id, {}, after)
        record(actor, change)


def _connector_named(name: str) -> Connector:
    known = connectors()
    if name not in known:
        choices = ", ".join(sorted(known)) or "none"
        sentence = f"“{name[:40]}” is not a connector of this installation; it has: {choices}."
        raise Invalid(sentence, {"connector": [sentence]})
    return known[name]


def _try_out(actor: Actor, connector: Connector, settings: Mapping[str, str]) -> Access:
    missing = {
        setting.name: [f"Give {setting.label}."]
        for setting in connector.settings
        if not setting.optional and not settings.get(setting.name, "").strip()
    }
    unknown = settings.keys() - {setting.name for setting in connector.settings}
    missing |= {name: ["This connector has no such setting."] for name in unknown}
    if missing:
        raise Invalid("Please correct the marked fields; nothing was saved.", missing)
    try:
        return connector.connect(settings, actor.organization_id)
    except SettingsRefused as refused:
        fields = {name: [message] for name, message in refused.fields.items()}
        raise Invalid("Please correct the marked fields; nothing was saved.", fields) from None
    except AggregatorError as error:
        raise ProviderRefused(connector.title, error) from error


def _refuse_connected(connector: str, access: Access) -> None:
    """Two connections of one source would take each other's files."""
    live = owned(FinancialConnection).where(
        FinancialConnection.provider == connector,
        FinancialConnection.external_id == access.external_id,
        FinancialConnection.status != ConnectionStatus.DELETED,
    )
    taken = db.session.scalar(live.limit(1))
    if taken is not None:
        raise Conflict(
            f"{taken.institution_name} is connected with these settings already; nothing was "
            "saved. Look at that connection, or choose another place."
        )


def _shown(connector: Connector, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that may be shown again."""
    secret = {setting.name for setting in connector.settings if setting.secret}
    return {name: value for name, value in settings.items() if name not in secret}


def _add_account(connection: FinancialConnection, account: AddManualAccount) -> None:
    db.session.add(
        FinancialAccount(
            connection_id=connection.id,
            name=account.account_name,
            mask=account.mask,
            type=AccountType(account.type),
            currency=account.currency,
        )
    )
    db.session.flush()
