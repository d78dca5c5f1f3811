"""What the processes of one instance find in their environment.

A variable that is set but empty counts as not set, so a person can switch a line of `.env` off
for one start.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.fernet import Fernet
from dotenv import dotenv_values

from app.kernel.instance import SECRETS_FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRET_KEY_BYTES: Final = 48


def with_dotenv(environment: Mapping[str, str], dotenv_file: Path) -> dict[str, str]:
    """Return the environment, filled up from the file, if there is one, where it lacks a name."""
    from_file = {name: value for name, value in dotenv_values(dotenv_file).items() if value}
    return {**from_file, **environment}


def with_development_secrets(environment: Mapping[str, str], instance: Path) -> dict[str, str]:
    """Return the environment with SECRET_KEY and CREDENTIAL_KEYS, made once and kept in `instance`.

    What the environment sets wins and is not written down.
    """
    kept_file = instance / SECRETS_FILE_NAME
    kept = {name: value for name, value in dotenv_values(kept_file).items() if value}
    if not kept:
        kept = {
            "SECRET_KEY": secrets.token_urlsafe(SECRET_KEY_BYTES),
            "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
        }
        write_private(kept_file, "".join(f"{name}={value}\n" for name, value in kept.items()))
    given = {name: value for name, value in environment.items() if value or name not in kept}
    return {**kept, **given}


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner ever can read, whole or not at all."""
    unfinished = file.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)
    unfinished.replace(file)
