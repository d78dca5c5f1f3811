"""What one start of the sandbox is told, read once from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PACE_SECONDS_DEFAULT: Final = 1.0
RETRY_SECONDS_DEFAULT: Final = 2.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Where it keeps its state, whom it serves, and how fast its banks are.

    `pace_seconds` passes between two stages of an item's first transactions; zero makes all of
    them ready at once.  `retry_seconds` passes before a webhook is sent a second time, four times
    longer before each further try.  `today` stands still where it is given, so that tests see the
    same transactions on every day of the calendar.  MX reports all it has to one URL, which holds
    the name and the password that its messages carry.
    """

    folder: Path
    client_id: str
    secret: str
    pace_seconds: float = PACE_SECONDS_DEFAULT
    retry_seconds: float = RETRY_SECONDS_DEFAULT
    today: date | None = None
    mx_client_id: str = ""
    mx_api_key: str = ""
    mx_webhook_url: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings.

        Raises:
            KeyError: SANDBOX_FOLDER, PLAID_CLIENT_ID or PLAID_SECRET is not set.
        """
        given = os.environ if environ is None else environ
        today = given.get("SANDBOX_TODAY", "")
        return cls(
            folder=Path(given["SANDBOX_FOLDER"]),
            client_id=given["PLAID_CLIENT_ID"],
            secret=given["PLAID_SECRET"],
            mx_client_id=given.get("MX_CLIENT_ID", ""),
            mx_api_key=given.get("MX_API_KEY", ""),
            mx_webhook_url=given.get("MX_WEBHOOK_URL", ""),
            pace_seconds=float(given.get("SANDBOX_PACE_SECONDS", PACE_SECONDS_DEFAULT)),
            retry_seconds=float(given.get("SANDBOX_RETRY_SECONDS", RETRY_SECONDS_DEFAULT)),
            today=date.fromisoformat(today) if today else None,
        )
