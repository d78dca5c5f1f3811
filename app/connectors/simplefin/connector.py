"""The connector: what SimpleFIN says, as `app.connectors.contract.DataConnector` wants it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Final

from app.aggregators.contract import (
    Access,
    AggregatorError,
    CursorRefused,
    History,
    LoginStatus,
    SourceAccount,
    SyncPage,
)
from app.connectors.contract import OperatorSettings, Setting, SettingsRefused
from app.connectors.simplefin.client import AccessUrl, TokenRefused, account_set, claim
from app.connectors.simplefin.reading import AccountSet, AnswerUnreadable, read_account_set
from app.connectors.simplefin.windows import window_at
from app.kernel.bank import ConnectionStatus
from app.kernel.clock import utc_now

_BALANCES: Final = {"balances-only": "1"}


class SimpleFinConnector:
    """Reads the accounts that a person shares through a SimpleFIN server."""

    name = "simplefin"
    title = "SimpleFIN"
    summary = "Reads accounts that you share at a SimpleFIN server, such as the SimpleFIN Bridge."
    settings: tuple[Setting, ...] = (
        Setting(
            "setup_token",
            "Setup token",
            "From the page of your SimpleFIN server; it works once.",
            secret=True,
        ),
    )

    def __init__(self, operator: OperatorSettings) -> None:
        self._rules = operator.outbound

    def connect(self, settings: Mapping[str, str], organization_id: str) -> Access:  # noqa: ARG002 - the token says whose it is
        try:
            access_url = claim(settings.get("setup_token", ""), self._rules)
        except TokenRefused as refused:
            raise SettingsRefused({"setup_token": str(refused)}) from None
        # Nothing may fail from here on: the token is spent, and this is all that is left of it.
        digest = hashlib.sha256(access_url.encode()).hexdigest()[:24]
        host = AccessUrl.parse(access_url).host
        return Access(f"{host[:100]}/{digest}", {"access_url": access_url})

    def login_status(self, access: Access) -> LoginStatus:
        said = self._read(access, _BALANCES, utc_now().date(), with_rows=False)
        return LoginStatus(said.health, said.institution, said.aggregated_at)

    def accounts(self, access: Access) -> tuple[SourceAccount, ...]:
        return self._read(access, _BALANCES, utc_now().date(), with_rows=False).accounts

    def sync_page(self, access: Access, cursor: str) -> SyncPage:
        try:
            window = window_at(cursor, utc_now().date())
        except ValueError:
            raise CursorRefused("CURSOR_UNREADABLE") from None
        parameters = {"start-date": _epoch(window.begin)}
        if window.end is None:
            parameters["pending"] = "1"
        else:
            parameters["end-date"] = _epoch(window.end)
        said = self._read(access, parameters, window.today, with_rows=True)
        if said.health.status is ConnectionStatus.RECONNECT_REQUIRED:
            sentence = said.health.sentence or "SimpleFIN wants you to sign in at the bank again."
            raise AggregatorError(said.health.reason, sentence, permanent=True, health=said.health)
        is_last = window.end is None
        return SyncPage(
            cursor=window.next_cursor(is_whole=said.is_whole),
            has_more=not is_last,
            history=History.COMPLETE,
            accounts=said.accounts,
            upserts=said.rows.upserts,
            unreadable=said.rows.unreadable,
            # An account that fails now is left out by who applies this; one that failed in an
            # earlier window and does not say so any more would not be.
            snapshot_from=window.first if is_last and window.is_whole else None,
        )

    def remove(self, access: Access) -> None:  # noqa: ARG002 - there is nothing to call
        """Say that only the person can end it.

        Raises:
            AggregatorError: Always.
        """
        raise AggregatorError(
            "NOT_OURS_TO_END",
            "SimpleFIN has no call for it; disable the token on the page of your server.",
            permanent=True,
        )

    def _read(
        self, access: Access, parameters: Mapping[str, str], today: date, *, with_rows: bool
    ) -> AccountSet:
        access_url = AccessUrl.parse(access.secrets["access_url"])
        answer = account_set(access_url, parameters, self._rules)
        try:
            return read_account_set(answer, access_url.host, today, with_rows=with_rows)
        except AnswerUnreadable:
            raise AggregatorError(
                "ANSWER_UNREADABLE",
                "SimpleFIN's answer is not a list of accounts.",
                permanent=False,
            ) from None


def _epoch(day: date) -> str:
    return str(int(datetime.combine(day, time.min, UTC).timestamp()))
