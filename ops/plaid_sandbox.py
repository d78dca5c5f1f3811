"""The stand-in aggregator that `make run` brings along in development: its port and its keys.

Both are chosen once and kept, so that a connection made yesterday still finds its bank today.
"""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dotenv import dotenv_values

from ops.environment import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HOST: Final = "127.0.0.1"
STATE_FILE_NAME: Final = "sandbox.env"
SECRET_BYTES: Final = 16
WEBHOOK_PATH: Final = "/webhooks/plaid"
MX_WEBHOOK_PATH: Final = "/webhooks/mx"
MX_WEBHOOK_USER: Final = "tieout"


@dataclass(frozen=True, slots=True)
class PlaidSandbox:
    """Where one sandbox answers, whom, and in which folder it keeps its state."""

    folder: Path
    port: int
    client_id: str
    secret: str

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def environment(self, *, app_port: int) -> dict[str, str]:
        """Return what the sandbox and those who call it find in their environment."""
        return {
            "SANDBOX_FOLDER": str(self.folder),
            "PLAID_HOST": self.url,
            "PLAID_CLIENT_ID": self.client_id,
            "PLAID_SECRET": self.secret,
            "PLAID_WEBHOOK_URL": f"http://{HOST}:{app_port}{WEBHOOK_PATH}",
        }

    def mx_environment(self, *, app_port: int) -> dict[str, str]:
        """Return the same for the sandbox's other half, which speaks as MX."""
        login = f"{MX_WEBHOOK_USER}:{self.secret}"
        return {
            "MX_HOST": f"{self.url}/mx",
            "MX_CLIENT_ID": self.client_id,
            "MX_API_KEY": self.secret,
            "MX_WEBHOOK_PASSWORD": self.secret,
            "MX_WEBHOOK_URL": f"http://{login}@{HOST}:{app_port}{MX_WEBHOOK_PATH}",
        }


def prepare(folder: Path) -> PlaidSandbox:
    """Return the sandbox of this folder; it changes its port only when that is taken."""
    folder = folder.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state_file = folder / STATE_FILE_NAME
    kept = dotenv_values(state_file)
    sandbox = PlaidSandbox(
        folder,
        _free_port(kept.get("PORT") or "0"),
        kept.get("CLIENT_ID") or secrets.token_hex(SECRET_BYTES),
        kept.get("SECRET") or secrets.token_hex(SECRET_BYTES),
    )
    values = {"PORT": sandbox.port, "CLIENT_ID": sandbox.client_id, "SECRET": sandbox.secret}
    write_private(state_file, "".join(f"{name}={value}\n" for name, value in values.items()))
    return sandbox


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Return whether nobody named an aggregator of his own."""
    return not environment.get("PLAID_HOST")


def _free_port(wanted: str) -> int:
    for port in (int(wanted), 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            number: int = probe.getsockname()[1]
            return number
    raise OSError("No port is free.")
