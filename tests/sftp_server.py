"""A real SFTP server on loopback, in the test's process, over a folder of the test's."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
from paramiko.sftp import SFTP_FAILURE, SFTP_OK, SFTP_PERMISSION_DENIED

PASSWORD = "canary-password-7421"
ED25519 = "ssh-ed25519"


@dataclass
class SftpServer:
    """What the test may turn while it runs.

    Args:
        root: What clients see as “/”.
        host_keys: One of each kind.
        wants: Ways to sign in, all of which are needed, in this order.
        clock_ahead_seconds: How wrong its clock is.
        read_only: Nothing can be made or moved.
        renames_replace: Renaming replaces what has the name, against the protocol.
    """

    root: Path
    host_keys: list[paramiko.PKey]
    port: int = 0
    user_key: paramiko.PKey | None = None
    wants: tuple[str, ...] = ("password",)
    clock_ahead_seconds: float = 0.0
    read_only: bool = False
    renames_replace: bool = False
    raw_names: bool = False
    calls: list[str] = field(default_factory=list)
    connections: int = 0

    def fingerprint(self, kind: str = "") -> str:
        return next(key.fingerprint for key in self.host_keys if kind in key.get_name())


@contextmanager
def sftp_server(root: Path, host_keys: list[paramiko.PKey]) -> Iterator[SftpServer]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = SftpServer(root, host_keys, listening.getsockname()[1])
    transports: list[paramiko.Transport] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                caller, _ = listening.accept()
                caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as real servers do
                server.connections += 1
                transport = paramiko.Transport(caller)
                for key in server.host_keys:
                    transport.add_server_key(key)
                transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, server)
                transports.append(transport)
                with suppress(paramiko.SSHException, EOFError):
                    transport.start_server(event=threading.Event(), server=_Doorman(server))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
        for transport in transports:
            transport.close()
            transport.join(5)


class _Doorman(paramiko.ServerInterface):
    def __init__(self, server: SftpServer) -> None:
        self._server = server
        self._shown: list[str] = []

    def get_allowed_auths(self, _username):
        return ",".join(way for way in self._server.wants if way not in self._shown)

    def check_auth_password(self, username, password):
        return self._after("password", username == "acme" and password == PASSWORD)

    def check_auth_publickey(self, username, key):
        return self._after("publickey", username == "acme" and key == self._server.user_key)

    def check_channel_request(self, _kind, _channel_id):
        return paramiko.OPEN_SUCCEEDED

    def _after(self, way: str, right: bool) -> int:
        if not right or way not in self._server.wants:
            return paramiko.AUTH_FAILED
        self._shown.append(way)
        complete = set(self._shown) == set(self._server.wants)
        return paramiko.AUTH_SUCCESSFUL if complete else paramiko.AUTH_PARTIALLY_SUCCESSFUL


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, server, settings: SftpServer, *args, **kwargs):
        super().__init__(server, *args, **kwargs)
        self._settings = settings

    def _real(self, path: str) -> Path:
        return Path(str(self._settings.root) + self.canonicalize(path))

    def _attributes(self, found: os.stat_result, name: str = "") -> paramiko.SFTPAttributes:
        attributes = paramiko.SFTPAttributes.from_stat(found, name)
        attributes.st_mtime = int(found.st_mtime + self._settings.clock_ahead_seconds)
        if self._settings.raw_names:
            attributes.filename = os.fsencode(name)
        return attributes

    def _do(self, call: str, action, *, writes: bool = False):
        if writes and self._settings.read_only:
            return SFTP_PERMISSION_DENIED
        self._settings.calls.append(call)
        try:
            return action()
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    def list_folder(self, path):
        real = self._real(path)
        return self._do(
            "list",
            lambda: [self._attributes(found.lstat(), found.name) for found in real.iterdir()],
        )

    def stat(self, path):
        return self._do("stat", lambda: self._attributes(self._real(path).stat()))

    def lstat(self, path):
        return self._do("lstat", lambda: self._attributes(self._real(path).lstat()))

    def open(self, path, flags, _attributes):
        def opened():
            number = os.open(self._real(path), flags, 0o644)
            handle = paramiko.SFTPHandle(flags)
            handle.readfile = handle.writefile = os.fdopen(
                number, "wb" if flags & os.O_WRONLY else "rb"
            )
            return handle

        return self._do("open", opened, writes=bool(flags & os.O_CREAT))

    def mkdir(self, path, _attributes):
        return self._do("mkdir", lambda: self._real(path).mkdir() or SFTP_OK, writes=True)

    def rename(self, oldpath, newpath):
        old, new = self._real(oldpath), self._real(newpath)
        if os.path.lexists(new) and not self._settings.renames_replace:
            return SFTP_FAILURE
        return self._do("rename", lambda: old.rename(new) and SFTP_OK, writes=True)
