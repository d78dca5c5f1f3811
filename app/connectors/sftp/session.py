"""A folder on an SFTP server, reached over a connection that was checked.

Only this module and `folder` import paramiko, which takes most of a second:
`connector` does so when a server is called.
"""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import paramiko
from paramiko.sftp import SFTPError
from paramiko.ssh_exception import (
    AuthenticationException,
    IncompatiblePeer,
    PasswordRequiredException,
    SSHException,
)

from app.connectors.sftp.folder import SftpClient, SftpFolder
from app.connectors.sftp.target import SftpTarget, TargetRefused
from app.kernel.bank import ConnectionStatus
from app.kernel.outbound import AddressRefused, NoAnswer, OutboundRules, open_connection

HANDSHAKE_SECONDS: Final = 15.0
ANSWER_SECONDS: Final = 30.0
"""For each answer of the server."""
SESSION_SECONDS_MAX: Final = 1_800.0
"""For one look at the folder, importing included."""
_ED25519: Final = ("ssh-ed25519",)
_RSA: Final = ("rsa-sha2-512", "rsa-sha2-256")
_ECDSA: Final = ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
_HOST_KEY_KINDS: Final = ((*_ED25519, *_RSA, *_ECDSA), _RSA, _ECDSA)
"""What is asked for, call by call, until the server shows the key that was agreed on."""
_PRIVATE_KEYS: Final = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)

# What goes wrong is told by exceptions; the library would print it besides, with tracebacks.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


def parse_private_key(text: str) -> paramiko.PKey:
    """Read a private key in OpenSSH's or PEM form.

    Raises:
        ValueError: With one sentence that never repeats the key.
    """
    for kind in _PRIVATE_KEYS:
        try:
            return kind.from_private_key(io.StringIO(text.strip() + "\n"))
        except PasswordRequiredException:
            raise ValueError("Give a private key without a passphrase.") from None
        except Exception:  # noqa: BLE001, S112 - each kind fails in its own way on another's key
            continue
    raise ValueError(
        "This is no private key of the kind Ed25519, ECDSA or RSA; give the whole file, from "
        "BEGIN to END."
    )


@contextmanager
def open_folder(target: SftpTarget, rules: OutboundRules) -> Iterator[SftpFolder]:
    """Sign in and yield the folder, which is good until the context ends.

    Raises:
        TargetRefused: One of the target's settings is wrong.
        NoAnswer: The server cannot be reached or breaks off; later it may be different.
    """
    transport = _with_the_right_key(target, rules)
    alarm = threading.Timer(SESSION_SECONDS_MAX, transport.close)
    alarm.daemon = True
    alarm.start()
    try:
        _sign_in(transport, target)
        yield _folder(transport, target)
    finally:
        alarm.cancel()
        transport.close()


def _with_the_right_key(target: SftpTarget, rules: OutboundRules) -> paramiko.Transport:
    """Return a connection to a server that owns the host key which was agreed on.

    A server can have one key of each kind and shows the one that we prefer, while the bank's
    letter may name another.
    """
    shown: list[str] = []
    for kinds in _HOST_KEY_KINDS:
        transport = _transport(target, rules)
        try:
            transport.get_security_options().key_types = kinds
            transport.start_client(timeout=HANDSHAKE_SECONDS)
            fingerprint = transport.get_remote_server_key().fingerprint
        except IncompatiblePeer:
            transport.close()
            continue  # it has no key of this kind
        except Exception:  # noqa: BLE001 - the other side decides what breaks in the library
            transport.close()
            raise NoAnswer(f"“{target.host}” did not answer as an SFTP server should.") from None
        if fingerprint in target.host_keys:
            return transport
        transport.close()
        shown.append(fingerprint)
    if not shown:
        raise NoAnswer(f"“{target.host}” has no host key of a kind that is safe today.")
    raise TargetRefused(
        "host_key",
        "HOST_KEY_CHANGED",
        f"“{target.host}” shows another host key ({', '.join(dict.fromkeys(shown))}) than was "
        "given, so we did not sign in. Ask the bank which one is right.",
        ConnectionStatus.RECONNECT_REQUIRED,
    )


def _transport(target: SftpTarget, rules: OutboundRules) -> paramiko.Transport:
    try:
        connected = open_connection(target.host, target.port, rules=rules)
    except AddressRefused as error:
        raise TargetRefused(
            "host", "ADDRESS_REFUSED", str(error), ConnectionStatus.DEGRADED
        ) from None
    transport = paramiko.Transport(connected)
    transport.banner_timeout = transport.auth_timeout = HANDSHAKE_SECONDS
    return transport


def _sign_in(transport: paramiko.Transport, target: SftpTarget) -> None:
    """Show the key, the password, or one after the other where the server wants both."""
    try:
        if target.private_key:
            transport.auth_publickey(target.user, parse_private_key(target.private_key))
        if target.password and not transport.is_authenticated():
            transport.auth_password(target.user, target.password)
    except AuthenticationException:
        pass  # said below, as it is of a server that wants more than we have
    except Exception:  # noqa: BLE001 - as above
        raise NoAnswer(f"“{target.host}” broke off while we signed in.") from None
    if not transport.is_authenticated():
        raise TargetRefused(
            "private_key" if target.private_key else "password",
            "CREDENTIALS_REFUSED",
            f"“{target.host}” does not let “{target.user}” in with these credentials.",
            ConnectionStatus.RECONNECT_REQUIRED,
        )


def _folder(transport: paramiko.Transport, target: SftpTarget) -> SftpFolder:
    try:
        channel = transport.open_session(timeout=HANDSHAKE_SECONDS)
        channel.settimeout(ANSWER_SECONDS)
        channel.invoke_subsystem("sftp")
        client = SftpClient(channel)
    except (SSHException, SFTPError, EOFError, OSError):
        raise NoAnswer(f"“{target.host}” lets us in but does not offer SFTP.") from None
    try:
        return SftpFolder.at(client, target.directory)
    except OSError:
        raise TargetRefused(
            "directory",
            "FOLDER_MISSING",
            f"There is no folder “{target.directory}” on “{target.host}” that “{target.user}” may "
            "look into.",
            ConnectionStatus.DEGRADED,
        ) from None
