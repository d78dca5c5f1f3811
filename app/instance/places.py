"""Where the parts of an embedded instance lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.config import Settings
from app.kernel.errors import Refusal
from app.kernel.instance import SECRETS_FILE_NAME

_SQLITE: Final = "sqlite:///"
DATABASE: Final = "tieout.sqlite3"
INBOX: Final = "inbox"
SECRETS: Final = SECRETS_FILE_NAME


class InstanceRefused(Refusal):
    """The instance was neither backed up nor replaced; the sentence says why."""

    code = "instance_refused"


@dataclass(frozen=True, slots=True)
class Places:
    """The parts of an instance, which may lie in different folders."""

    folder: Path
    database: Path
    secrets: Path
    inbox: Path

    def of(self, part: str) -> Path:
        """Return where a part of an archive belongs, by the first component of its name."""
        return {DATABASE: self.database, SECRETS: self.secrets, INBOX: self.inbox}[part]


def embedded_places(settings: Settings) -> Places:
    """Return where everything lies.

    Raises:
        InstanceRefused: The database is a server, which has tools of its own.
    """
    if not settings.database_url.startswith(_SQLITE):
        raise InstanceRefused(
            "The database is a PostgreSQL server: back it up with pg_dump --format=custom, restore "
            "it with pg_restore, and keep the files beside it: .env with SECRET_KEY and "
            f"CREDENTIAL_KEYS, and the watched folders in {settings.connectors.inbox_path}."
        )
    return Places(
        folder=settings.instance_path,
        database=Path(settings.database_url.removeprefix(_SQLITE)),
        secrets=settings.instance_path / SECRETS,
        inbox=settings.connectors.inbox_path,
    )
