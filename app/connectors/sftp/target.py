"""What a person says of an SFTP folder, checked as far as it can be without calling."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from app.connectors.contract import SettingsRefused
from app.kernel.bank import ConnectionStatus

PORT: Final = 22
PORT_MAX: Final = 65_535
EXTERNAL_ID_CHARACTERS_MAX: Final = 200
_HOST: Final = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_USER: Final = re.compile(r"[!-~]{1,64}")
_FINGERPRINT: Final = re.compile(r"SHA256:[A-Za-z0-9+/]{43}(?![A-Za-z0-9+/])")


class TargetRefused(Exception):  # noqa: N818 - it says what happened
    """Calling showed that a setting is wrong.

    Args:
        setting: Which one.
        code: Stable, in capitals.
        sentence: For a person; no secret.
        status: What it means for a connection that worked before.
    """

    def __init__(self, setting: str, code: str, sentence: str, status: ConnectionStatus) -> None:
        super().__init__(sentence)
        self.setting = setting
        self.code = code
        self.sentence = sentence
        self.status = status


@dataclass(frozen=True, slots=True)
class SftpTarget:
    """One folder on one server, and how to get in.

    Args:
        host_keys: Fingerprints (`SHA256:…`), one of which the server must show.
        directory: Empty for the one that the server begins in.
        private_key: In OpenSSH's or PEM form; empty when there is only a password.
    """

    host: str
    port: int
    user: str
    directory: str
    host_keys: tuple[str, ...]
    password: str = field(repr=False)
    private_key: str = field(repr=False)

    @property
    def external_id(self) -> str:
        return f"{self.user}@{self.host}:{self.port}/{self.directory}"

    def to_secrets(self) -> dict[str, str]:
        """Return what `from_settings` reads, for a connection's sealed credentials."""
        return {
            "host": self.host,
            "port": str(self.port),
            "user": self.user,
            "directory": self.directory,
            "host_key": " ".join(self.host_keys),
            "password": self.password,
            "private_key": self.private_key,
        }

    @classmethod
    def from_settings(cls, settings: Mapping[str, str]) -> SftpTarget:
        """Read what a person typed.

        Raises:
            SettingsRefused: A message for each setting that cannot be right.
        """
        given = {name: value.strip() for name, value in settings.items()}
        port = given.get("port") or str(PORT)
        target = cls(
            host=given.get("host", "").lower(),
            port=int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 0,  # noqa: PLR2004 - 65535
            user=given.get("user", ""),
            directory=given.get("directory", ""),
            host_keys=tuple(_FINGERPRINT.findall(given.get("host_key", ""))),
            password=given.get("password", ""),
            private_key=given.get("private_key", ""),
        )
        wrong = target.wrong_settings()
        if wrong:
            raise SettingsRefused(wrong)
        return target

    def wrong_settings(self) -> dict[str, str]:
        """Return a message by setting for what cannot be right."""
        checks = {
            "host": (_HOST.fullmatch(self.host), "Give the server's name, such as sftp.bank.com."),
            "port": (1 <= self.port <= PORT_MAX, "Give a number from 1 to 65535, or leave it out."),
            "user": (_USER.fullmatch(self.user), "Give the user's name, without blanks."),
            "directory": (
                self.directory.isprintable(),
                "Give the folder's path on the server, such as /outgoing.",
            ),
            "host_key": (
                self.host_keys,
                "Give the fingerprint of the host key as the bank tells it, SHA256: and all after.",
            ),
            "password": (self.password or self.private_key, "Give a password or a private key."),
        }
        wrong = {name: message for name, (right, message) in checks.items() if not right}
        if not wrong and len(self.external_id) > EXTERNAL_ID_CHARACTERS_MAX:
            wrong["directory"] = (
                f"Server, user and path are longer than {EXTERNAL_ID_CHARACTERS_MAX} characters."
            )
        return wrong
