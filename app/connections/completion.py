"""The end of a hosted flow: exchange what it gave, or take note that it gave nothing.

A grant works once, so one conditional UPDATE says who may exchange it.  The person, the
aggregator's webhook and the clock may all come at the same moment; one of them completes, and
to the others it is done already.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import undefer

from app.aggregators.contract import (
    Access,
    Aggregator,
    AggregatorError,
    FlowResult,
    FlowState,
    Grant,
    Health,
    Institution,
)
from app.audit.trail import Change, record
from app.connections.hosted_flows import GrantRefused, ProviderRefused, secrets_of
from app.connections.source_accounts import share_again
from app.connections.sources import aggregator_named, seal_access
from app.connections.statuses import ABANDONED, Cause, move, tell
from app.connections.twins import live_twin_of_all
from app.jobs import runs
from app.jobs.runs import Claim, latest_run, request_run
from app.kernel import limits
from app.kernel.bank import ConnectionStatus
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict, NotFound, Refusal
from app.models import (
    FinancialConnection,
    FlowMode,
    FlowProgress,
    HostedFlow,
    JobKind,
    db,
)
from app.models.session import UnitOfWork, rows_changed, unit_of_work
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import ALL_ORGANIZATIONS, current_organization_id, get_owned, owned

_CODE_CHARACTERS_MAX: Final = 60


class NotFinished(Conflict):
    """The person has not finished at the bank."""

    code = "hosted_flow_not_finished"
    title = "Not finished at the bank"


class AlreadyConnected(Conflict):
    """The bank login's accounts come through another connection already."""

    code = "already_connected"
    title = "Connected already"


@dataclass(frozen=True, slots=True)
class Completed:
    connection_id: str
    run_id: str | None
    """The sync that follows."""


def complete(actor: Actor, connection_id: str, public_token: str | None = None) -> Completed:
    """Finish a connection whose person has been at the bank.  Repeating it is harmless.

    Args:
        public_token: The grant, where the caller has it; otherwise the aggregator is asked.

    Raises:
        Forbidden: The actor lacks `bank_connections`.
        NotFound: It does not exist here.
        NotFinished: The person has not finished, or the visit has ended without success.
        AlreadyConnected: The same accounts come through another connection.
        Conflict: It is deleted, or somebody completes it at this moment.
        ProviderRefused: The aggregator does not answer, or does not take the given grant.
        GrantRefused: It does not take the flow's own grant any more.
    """
    actor.require(Permission.BANK_CONNECTIONS)
    connection = get_owned(FinancialConnection, connection_id)
    if connection.status == ConnectionStatus.DELETED:
        raise Conflict("The connection was deleted; nothing was changed. Connect the bank anew.")
    flow = _current_flow(connection_id)
    if flow is None or (connection.external_id and flow.mode == FlowMode.CREATE):
        return _done_already(connection)
    aggregator = aggregator_named(connection.provider)
    try:
        result = aggregator.flow_result(secrets_of(flow)["token"])
    except AggregatorError as error:
        raise ProviderRefused(aggregator.title, error) from error
    if flow.mode == FlowMode.UPDATE:
        return _update_ended(actor, connection, flow, result)
    grant = _grant_of(aggregator, flow, result, public_token)
    is_own = grant in result.grants
    return _exchange(actor, aggregator, connection, flow, grant, is_own=is_own)


def finish_flow(actor: Actor, held: Claim) -> None:
    """Look how a hosted flow stands: the handler of `JobKind.FINISH_FLOW`."""
    actor.require(Permission.BANK_CONNECTIONS)
    flow = get_owned(HostedFlow, held.subject_id)
    if _is_waiting(flow) and flow.secrets is not None:
        _look(actor, flow)
    with unit_of_work():
        runs.succeed(held, "Looked at the bank")


def expire_flow(actor: Actor, flow_id: str) -> None:
    """End a flow whose time is over; a connection that it should have made expires with it."""
    with unit_of_work() as work:
        connection, flow = _locked(flow_id)
        if not _is_waiting(flow):
            return
        _end(flow, FlowProgress.EXPIRED)
        if flow.mode == FlowMode.CREATE and not connection.external_id:
            last = f" The last visit ended with {flow.exit_code}." if flow.exit_code else ""
            sentence = f"Nobody finished signing in at the bank in time.{last}"
            expired = Health(ConnectionStatus.EXPIRED, ABANDONED)
            move(actor, connection, expired, cause=Cause.CLOCK, sentence=sentence)
        elif connection.external_id:
            request_run(work, actor, JobKind.SYNC, connection.id, Cause.FLOW)


def _look(actor: Actor, flow: HostedFlow) -> None:
    connection = get_owned(FinancialConnection, flow.connection_id)
    aggregator = aggregator_named(connection.provider)
    try:
        result = aggregator.flow_result(secrets_of(flow)["token"])
        if result.grants and flow.mode == FlowMode.CREATE and not connection.external_id:
            _exchange(actor, aggregator, connection, flow, result.grants[0], is_own=True)
        elif flow.mode == FlowMode.UPDATE and _has_news(flow, result):
            _update_ended(actor, connection, flow, result)
        else:
            _note(flow.id, result)
    except (AggregatorError, Refusal):
        # What it was is in the connection's history, or it passes: the clock looks again.
        return


def _has_news(flow: HostedFlow, result: FlowResult) -> bool:
    """Tell whether a visit of an existing login ended since the last look."""
    if result.state is FlowState.EXITED:
        return not flow.opened or flow.exit_code != (result.exit_code or "")
    return result.state in _ENDED


_ENDED = (FlowState.FINISHED, FlowState.EXITED, FlowState.EXPIRED)


def _grant_of(
    aggregator: Aggregator, flow: HostedFlow, result: FlowResult, public_token: str | None
) -> Grant:
    """Return what is to be exchanged.

    Raises:
        NotFinished: There is nothing, or the given token comes from somebody else's visit.
    """
    own = {grant.token: grant for grant in result.grants}
    if public_token is None:
        if not own:
            raise NotFinished(_UNFINISHED[result.state])
        return result.grants[0]
    if public_token not in own and _is_of_another_flow(aggregator, flow, public_token):
        raise NotFinished(
            "This public_token does not come from this connection's hosted flow; nothing was "
            "changed. Leave it out, and the aggregator is asked for the right one."
        )
    return own.get(public_token) or Grant(public_token, None, ())


def _is_of_another_flow(aggregator: Aggregator, flow: HostedFlow, public_token: str) -> bool:
    """Ask the aggregator whether another open visit, of whatever organization, gave the token."""
    others = db.session.scalars(
        sa.select(HostedFlow)
        .join(FinancialConnection, FinancialConnection.id == HostedFlow.connection_id)
        .options(undefer(HostedFlow.secrets))
        .where(
            HostedFlow.id != flow.id,
            HostedFlow.progress == FlowProgress.OPEN,
            HostedFlow.expires_at > utc_now(),
            FinancialConnection.provider == aggregator.name,
        )
        .order_by(HostedFlow.id.desc())
        .limit(limits.FLOWS_ASKED_FOR_A_TOKEN),
        execution_options=ALL_ORGANIZATIONS,
    ).all()
    for other in others:
        try:
            grants = aggregator.flow_result(secrets_of(other)["token"]).grants
        except AggregatorError:
            continue
        if any(grant.token == public_token for grant in grants):
            return True
    return False


_UNFINISHED = {
    FlowState.WAITING: "Nobody has opened the bank's sign-in yet; nothing was changed. Open the "
    "hosted flow and finish it there.",
    FlowState.OPENED: "The sign-in at the bank is open but not finished; nothing was changed. "
    "Finish it there, then complete the connection.",
    FlowState.FINISHED: "The sign-in at the bank ended without any account; nothing was changed. "
    "Begin again with “repair”.",
    FlowState.EXITED: "The sign-in at the bank was left before its end; nothing was changed. Open "
    "the hosted flow again.",
    FlowState.EXPIRED: "The time for the sign-in at the bank is over; nothing was changed. Begin "
    "again with “repair”.",
}


def _exchange(
    actor: Actor,
    aggregator: Aggregator,
    connection: FinancialConnection,
    flow: HostedFlow,
    grant: Grant,
    *,
    is_own: bool,
) -> Completed:
    """Turn a grant into access, once.

    Args:
        is_own: The aggregator gave the grant for this flow; otherwise somebody handed it in,
            and that it is of no use says nothing about the flow.
    """
    twin = live_twin_of_all(connection.id, grant)
    if twin is not None:
        _refuse_twin(actor, flow.id, twin)
    if not _take(flow.id):
        current = get_owned(FinancialConnection, connection.id)
        if current.external_id:
            return _done_already(current)
        raise Conflict(
            "The connection is being completed at this moment; nothing was changed. Look again "
            "in a moment."
        )
    try:
        access = aggregator.exchange(grant.token)
    except AggregatorError as error:
        if _exchange_failed(actor, flow.id, error, is_own=is_own):
            raise GrantRefused(aggregator.title, error) from error
        raise ProviderRefused(aggregator.title, error) from error
    return _attach(actor, flow.id, access, grant.institution)


def _take(flow_id: str) -> bool:
    """Become the one who exchanges the flow's grant; an interrupted exchange may be repeated."""
    now = utc_now()
    free = sa.or_(
        HostedFlow.progress == FlowProgress.OPEN,
        sa.and_(HostedFlow.progress == FlowProgress.EXCHANGING, HostedFlow.exchange_until <= now),
    )
    with unit_of_work():
        taken = (
            sa.update(HostedFlow)
            .where(
                HostedFlow.organization_id == current_organization_id(),
                HostedFlow.id == flow_id,
                free,
            )
            .values(
                progress=FlowProgress.EXCHANGING,
                exchange_until=now + timedelta(seconds=limits.EXCHANGE_SECONDS_MAX),
            )
        )
        return rows_changed(taken) == 1


def _attach(
    actor: Actor, flow_id: str, access: Access, institution: Institution | None
) -> Completed:
    """Keep the access that the exchange gave; where it is another connection's, end the flow.

    The institution may be unknown still: the first sync asks for it.
    """
    with unit_of_work() as work:
        connection, flow = _locked(flow_id)
        connection_id, run_id = connection.id, None
        if _known_elsewhere(connection, access.external_id):
            _end(flow, FlowProgress.REFUSED)
            foreign = Health(ConnectionStatus.EXPIRED, "DUPLICATE")
            move(actor, connection, foreign, cause=Cause.FLOW, sentence=_FOREIGN_LOGIN)
        elif connection.status == ConnectionStatus.DELETED:
            _end(flow, FlowProgress.REFUSED)
            connection.external_id = access.external_id
            connection.credentials = seal_access(connection, access)
            request_run(work, actor, JobKind.REMOVE_ACCESS, connection.id, Cause.FLOW)
            return Completed(connection.id, None)
        else:
            run_id = _attached(work, actor, connection, flow, access, institution)
    if run_id is None:
        raise NotFinished(_FOREIGN_LOGIN)
    return Completed(connection_id, run_id)


_FOREIGN_LOGIN = (
    "This sign-in opens a bank login that another connection reads already, so this connection "
    "was not made; the other is unchanged."
)


def _attached(
    work: UnitOfWork,
    actor: Actor,
    connection: FinancialConnection,
    flow: HostedFlow,
    access: Access,
    institution: Institution | None,
) -> str:
    _end(flow, FlowProgress.FINISHED)
    connection.external_id = access.external_id
    connection.credentials = seal_access(connection, access)
    if institution is not None:
        connection.institution_external_id = institution.external_id
        connection.institution_name = institution.name
    progress = Health(ConnectionStatus.IN_PROGRESS)
    sentence = "Signing in at the bank was finished."
    move(actor, connection, progress, cause=Cause.FLOW, sentence=sentence)
    after = {"institution": connection.institution_name}
    record(actor, Change("connection.completed", "financial_connection", connection.id, {}, after))
    return request_run(work, actor, JobKind.SYNC, connection.id, Cause.FLOW)


def _known_elsewhere(connection: FinancialConnection, external_id: str) -> bool:
    """Tell whether any connection, of whatever organization, holds this login already."""
    holder = db.session.scalar(
        sa.select(FinancialConnection.id).where(
            FinancialConnection.provider == connection.provider,
            FinancialConnection.external_id == external_id,
            FinancialConnection.id != connection.id,
            FinancialConnection.status != ConnectionStatus.DELETED,
        ),
        execution_options=ALL_ORGANIZATIONS,
    )
    return holder is not None


def _update_ended(
    actor: Actor, connection: FinancialConnection, flow: HostedFlow, result: FlowResult
) -> Completed:
    """Read the login anew, whatever the visit came to: only that tells how it stands."""
    if result.state not in _ENDED:
        _note(flow.id, result)
        raise NotFinished(_UNFINISHED[result.state])
    connection_id = connection.id
    with unit_of_work() as work:
        connection, flow = _locked(flow.id)
        if flow.progress == FlowProgress.OPEN:
            finished = result.state is FlowState.FINISHED
            if finished or flow.expires_at <= utc_now():
                _end(flow, FlowProgress.FINISHED if finished else FlowProgress.EXPIRED)
            flow.exit_code, flow.opened = result.exit_code[:_CODE_CHARACTERS_MAX], True
            if finished:
                connection.access_ends_at = None
                connection.new_accounts_available = False
                share_again(connection_id)
                sentence = "Somebody signed in at the bank again."
                tell(actor, connection, cause=Cause.FLOW, sentence=sentence)
            _poll_later(flow)
            db.session.flush()
        run_id = request_run(work, actor, JobKind.SYNC, connection_id, Cause.FLOW)
    return Completed(connection_id, run_id)


def _note(flow_id: str, result: FlowResult) -> None:
    with unit_of_work():
        connection, flow = _locked(flow_id)
        if flow.progress == FlowProgress.OPEN:
            flow.opened = flow.opened or result.state is not FlowState.WAITING
            flow.exit_code = result.exit_code[:_CODE_CHARACTERS_MAX] or flow.exit_code
            if connection.status == ConnectionStatus.PENDING:
                connection.status_reason = _pending_reason(flow, result)
            _poll_later(flow)
            db.session.flush()


def _pending_reason(flow: HostedFlow, result: FlowResult) -> str:
    if result.state is FlowState.EXITED:
        return f"LAST_EXIT:{flow.exit_code or 'UNKNOWN'}"[:_CODE_CHARACTERS_MAX]
    return "HOSTED_FLOW_OPEN" if flow.opened else ""


def _poll_later(flow: HostedFlow) -> None:
    """Look often while somebody is likely to be at it, then ever more rarely."""
    if flow.progress != FlowProgress.OPEN:
        return
    now = utc_now()
    age_seconds = (now - flow.created_at).total_seconds()
    wait = min(max(age_seconds / 20, limits.FLOW_POLL_SECONDS_MIN), limits.FLOW_POLL_SECONDS_MAX)
    flow.next_poll_at = now + timedelta(seconds=wait)


def _end(flow: HostedFlow, progress: FlowProgress) -> None:
    flow.progress, flow.secrets, flow.next_poll_at = progress, None, None
    flow.exchange_until = None
    db.session.flush()


def _exchange_failed(actor: Actor, flow_id: str, error: AggregatorError, *, is_own: bool) -> bool:
    """Give the flow back when the failure passes; end it when its grant is of no use any more.

    Returns:
        Whether the flow has ended.
    """
    with unit_of_work():
        connection, flow = _locked(flow_id)
        if not (error.permanent and is_own):
            flow.progress, flow.exchange_until = FlowProgress.OPEN, None
            _poll_later(flow)
            db.session.flush()
            return False
        _end(flow, FlowProgress.REFUSED)
        refused = Health(ConnectionStatus.EXPIRED, error.code[:_CODE_CHARACTERS_MAX])
        move(actor, connection, refused, cause=Cause.FLOW, sentence=error.sentence)
        return True


def _refuse_twin(actor: Actor, flow_id: str, twin: FinancialConnection) -> None:
    """Do not exchange: at some banks a second login ends the first one."""
    sentence = (
        f"All accounts chosen at {twin.institution_name} come through another connection already, "
        "so this one was not made; the other is unchanged. Repair that one if it does not sync."
    )
    with unit_of_work():
        connection, flow = _locked(flow_id)
        if _is_waiting(flow):
            _end(flow, FlowProgress.REFUSED)
            duplicate = Health(ConnectionStatus.EXPIRED, "DUPLICATE")
            move(actor, connection, duplicate, cause=Cause.FLOW, sentence=sentence)
    raise AlreadyConnected(sentence)


def _current_flow(connection_id: str) -> HostedFlow | None:
    return db.session.scalar(
        owned(HostedFlow)
        .where(
            HostedFlow.connection_id == connection_id,
            HostedFlow.progress.in_([FlowProgress.OPEN, FlowProgress.EXCHANGING]),
        )
        .options(undefer(HostedFlow.secrets))
        .order_by(HostedFlow.id.desc())
        .limit(1)
    )


def _locked(flow_id: str) -> tuple[FinancialConnection, HostedFlow]:
    """Return a flow and its connection as they are now, locked, the connection first."""
    found = owned(HostedFlow).where(HostedFlow.id == flow_id)
    connection_id = db.session.scalar(found.with_only_columns(HostedFlow.connection_id))
    if connection_id is None:
        raise NotFound
    connection = get_owned(FinancialConnection, connection_id, lock=True)
    return connection, get_owned(HostedFlow, flow_id, lock=True)


def _is_waiting(flow: HostedFlow) -> bool:
    """Tell whether nobody has ended the flow or is exchanging its grant at this moment."""
    if flow.progress == FlowProgress.EXCHANGING:
        return flow.exchange_until is None or flow.exchange_until <= utc_now()
    return flow.progress == FlowProgress.OPEN


def _done_already(connection: FinancialConnection) -> Completed:
    if not connection.external_id:
        raise NotFinished(_UNFINISHED[FlowState.EXPIRED])
    run = latest_run(JobKind.SYNC, connection.id)
    return Completed(connection.id, run.id if run else None)


def look_at_once(work: UnitOfWork, actor: Actor, flow: HostedFlow) -> None:
    """Look at a flow now, because its provider says that the visit has ended.

    It is looked at in the name of the person who began it: whoever lost the right meanwhile
    connects nothing any more.
    """
    flow.next_poll_at = utc_now() + timedelta(seconds=limits.FLOW_POLL_SECONDS_MIN)
    db.session.flush()
    asking = replace(actor, user_id=flow.created_by)
    request_run(work, asking, JobKind.FINISH_FLOW, flow.id, Cause.WEBHOOK)
