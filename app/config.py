"""Settings, read once from the environment; an unsafe production start is refused."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from dotenv import dotenv_values

from app.aggregators.mx.settings import MxSettings
from app.aggregators.plaid.settings import PlaidSettings
from app.connectors.contract import OperatorSettings
from app.connectors.registry import NAMES as CONNECTOR_NAMES
from app.kernel.instance import SECRETS_FILE_NAME
from app.kernel.outbound import Network, OutboundRules

SECRET_CHARACTERS_MIN: Final = 32
_DEVELOPMENT_SECRET: Final = "development only; `make run` writes a real one"  # noqa: S105


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class SettingsInvalid(SystemExit):
    """A setting is missing or unsafe; the process must not start."""


@dataclass(frozen=True, slots=True)
class Settings:
    environment: Environment
    database_url: str
    redis_url: str
    secret_key: str
    credential_keys: tuple[str, ...]
    public_url: str
    instance_path: Path
    operator_emails: tuple[str, ...]
    trusted_proxies_count: int
    log_level: str
    connectors: OperatorSettings
    metrics_networks: tuple[Network, ...] = ()
    """From where `/metrics` may be read."""
    metrics_token: str = field(default="", repr=False)
    """By which it may be read from anywhere; empty: by none."""
    plaid: PlaidSettings | None = None
    """None without `PLAID_*`: then banks are not connected through Plaid."""
    mx: MxSettings | None = None
    """None without `MX_*`: then banks are not connected through MX."""
    webhook_urls: Mapping[str, str] = field(default_factory=dict)
    """Where each aggregator shall report to, by its name; one that is missing cannot reach us."""

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings; `.env` in the working directory fills what the environment lacks.

        Raises:
            SettingsInvalid: Its message names the setting and what it must be.
        """
        if environ is None:
            environ = _with_files(os.environ)
        settings = _read(environ)
        if settings.is_production:
            _refuse_unsafe(settings, environ)
        return settings


def _with_files(environ: Mapping[str, str]) -> dict[str, str]:
    """Complete the environment from `.env`, and in development from the kept secrets.

    An empty variable counts as not set.
    """
    given = _filled(environ)
    complete = {**_filled(dotenv_values(".env")), **given}
    if complete.get("TIEOUT_ENV") == Environment.PRODUCTION:
        return complete
    secrets_file = Path(complete.get("INSTANCE_PATH", "instance")) / SECRETS_FILE_NAME
    return {**_filled(dotenv_values(secrets_file)), **complete}


def _filled(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _read(environ: Mapping[str, str]) -> Settings:
    name = environ.get("TIEOUT_ENV", Environment.DEVELOPMENT)
    try:
        environment = Environment(name)
    except ValueError:
        choices = ", ".join(Environment)
        raise SettingsInvalid(f"TIEOUT_ENV is “{name}”; it must be one of: {choices}.") from None
    instance_path = Path(environ.get("INSTANCE_PATH", "instance")).resolve()
    is_production = environment is Environment.PRODUCTION
    return Settings(
        environment=environment,
        database_url=_database_url(environ.get("DATABASE_URL"), instance_path),
        redis_url=environ.get("REDIS_URL", f"unix://{instance_path}/redis/redis.sock"),
        secret_key=environ.get("SECRET_KEY", _DEVELOPMENT_SECRET),
        credential_keys=_list(environ.get("CREDENTIAL_KEYS", "")),
        public_url=environ.get("PUBLIC_URL", "").rstrip("/"),
        instance_path=instance_path,
        operator_emails=tuple(e.lower() for e in _list(environ.get("OPERATOR_EMAILS", ""))),
        trusted_proxies_count=_whole_number(environ, "TRUSTED_PROXIES", 0),
        log_level=environ.get("LOG_LEVEL", "INFO").upper(),
        connectors=_connectors(environ, instance_path, is_production=is_production),
        metrics_networks=_networks(environ, "METRICS_NETWORKS", is_production=is_production),
        metrics_token=environ.get("METRICS_TOKEN", ""),
        plaid=_plaid(environ, is_production=is_production),
        mx=_mx(environ, is_production=is_production),
        webhook_urls=_webhook_urls(environ, is_production=is_production),
    )


def _connectors(
    environ: Mapping[str, str], instance_path: Path, *, is_production: bool
) -> OperatorSettings:
    offered = _list(environ.get("CONNECTORS", ",".join(CONNECTOR_NAMES)))
    for name in offered:
        if name not in CONNECTOR_NAMES:
            choices = ", ".join(CONNECTOR_NAMES)
            raise SettingsInvalid(f"CONNECTORS names “{name}”; there are: {choices}.")
    # In development the sandbox is on this machine.
    networks = _networks(environ, "OUTBOUND_NETWORKS", is_production=is_production)
    return OperatorSettings(
        inbox_path=Path(environ.get("INBOX_PATH", instance_path / "inbox")).resolve(),
        outbound=OutboundRules(networks),
        offered=offered,
    )


def _networks(environ: Mapping[str, str], name: str, *, is_production: bool) -> tuple[Network, ...]:
    """Return the networks of a setting; by default this machine in development, else none."""
    opened = environ.get(name, "" if is_production else "127.0.0.0/8,::1/128")
    try:
        return tuple(ip_network(text) for text in _list(opened))
    except ValueError as error:
        raise SettingsInvalid(f"{name}: {error}.") from None


def _plaid(environ: Mapping[str, str], *, is_production: bool) -> PlaidSettings | None:
    if not is_production and _is_loopback(_hostname(environ.get("PLAID_HOST", ""))):
        # A stand-in on this machine lets anybody in.
        keys = {"PLAID_CLIENT_ID": "development", "PLAID_SECRET": "development"}
        environ = {**keys, **_filled(environ)}
    if not _all_or_none(environ, "PLAID_HOST", "PLAID_CLIENT_ID", "PLAID_SECRET"):
        return None
    return PlaidSettings(
        host=_outside_url(environ, "PLAID_HOST", is_production=is_production),
        client_id=environ["PLAID_CLIENT_ID"],
        secret=environ["PLAID_SECRET"],
    )


def _mx(environ: Mapping[str, str], *, is_production: bool) -> MxSettings | None:
    if not _all_or_none(environ, "MX_HOST", "MX_CLIENT_ID", "MX_API_KEY", "MX_WEBHOOK_PASSWORD"):
        return None
    return MxSettings(
        host=_outside_url(environ, "MX_HOST", is_production=is_production),
        client_id=environ["MX_CLIENT_ID"],
        api_key=environ["MX_API_KEY"],
        webhook_password=environ["MX_WEBHOOK_PASSWORD"],
    )


def _all_or_none(environ: Mapping[str, str], *names: str) -> bool:
    missing = [name for name in names if not environ.get(name)]
    if missing and len(missing) < len(names):
        raise SettingsInvalid(f"{missing[0]} is not set; {', '.join(names)} belong together.")
    return not missing


def _webhook_urls(environ: Mapping[str, str], *, is_production: bool) -> dict[str, str]:
    stated = _outside_url(environ, "PLAID_WEBHOOK_URL", is_production=is_production)
    public_url = environ.get("PUBLIC_URL", "").rstrip("/")
    if stated:
        return {"plaid": stated}
    if _reaches(environ.get("PLAID_HOST", ""), public_url):
        return {"plaid": f"{public_url}/webhooks/plaid"}
    return {}


def _reaches(host_url: str, public_url: str) -> bool:
    """Whether who lives at `host_url` can call us: from outside, or on the same machine."""
    try:
        ours, theirs = urlsplit(public_url), urlsplit(host_url)
        both_here = _is_loopback(ours.hostname or "") and _is_loopback(theirs.hostname or "")
        return both_here or (ours.scheme == "https" and not _is_loopback(ours.hostname or ""))
    except ValueError:
        return False


def _outside_url(environ: Mapping[str, str], name: str, *, is_production: bool) -> str:
    """Return the address without a slash at its end; empty when it is not set."""
    url = environ.get(name, "").rstrip("/")
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None or parts.query or parts.fragment:
        raise SettingsInvalid(f"{name} must be an address such as https://example.com.")
    plain = parts.scheme == "http" and not is_production and _is_loopback(parts.hostname or "")
    if parts.scheme != "https" and not plain:
        raise SettingsInvalid(
            f"{name} must begin with https://; plain http is for this machine, in development."
        )
    return url


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _whole_number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, str(default))
    if not text.isdigit():
        raise SettingsInvalid(f"{name} is “{text}”; it must be a whole number.")
    return int(text)


def _database_url(url: str | None, instance_path: Path) -> str:
    if not url:
        return f"sqlite:///{instance_path}/tieout.sqlite3"
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):  # the driver is ours to choose, the short forms are customary
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


def _refuse_unsafe(settings: Settings, environ: Mapping[str, str]) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "CREDENTIAL_KEYS", "PUBLIC_URL"):
        if not environ.get(name):
            raise SettingsInvalid(f"{name} is not set; production has no default for it.")
    if len(settings.secret_key) < SECRET_CHARACTERS_MIN or len(set(settings.secret_key)) < 8:  # noqa: PLR2004
        raise SettingsInvalid(
            f"SECRET_KEY is too weak; it needs at least {SECRET_CHARACTERS_MIN} random characters."
        )
    if 0 < len(settings.metrics_token) < SECRET_CHARACTERS_MIN:
        raise SettingsInvalid(
            f"METRICS_TOKEN is too weak; it needs at least {SECRET_CHARACTERS_MIN} random "
            "characters."
        )
    for key in settings.credential_keys:
        try:
            Fernet(key)
        except ValueError:
            raise SettingsInvalid(
                "CREDENTIAL_KEYS holds a key that is not a Fernet key "
                "(32 random bytes in URL-safe base64)."
            ) from None
    if not settings.public_url.startswith("https://"):
        raise SettingsInvalid("PUBLIC_URL must begin with https:// in production.")
    if settings.database_url.startswith("sqlite"):
        raise SettingsInvalid("DATABASE_URL must name a PostgreSQL server in production.")
    if settings.redis_url.startswith("unix://" + str(settings.instance_path)):
        raise SettingsInvalid(
            "REDIS_URL must name a Redis server in production, not the embedded one."
        )
