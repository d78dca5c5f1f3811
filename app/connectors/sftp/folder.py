"""A folder of an SFTP server as a file store: see `app.connectors.inbox.FileStore`."""

from __future__ import annotations

import errno
import os
import stat
import struct
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Final

import paramiko
from paramiko.sftp import CMD_CLOSE, CMD_OPENDIR, CMD_READDIR, SFTPError
from paramiko.ssh_exception import SSHException

from app.connectors import inbox

TRANSFER_SECONDS_MAX: Final = 300.0
"""For one file, however slowly its bytes keep coming."""
LISTED_MAX: Final = 2 * inbox.ENTRIES_MAX
"""Names that a server may list, whatever they are of."""
_CHUNK_BYTES: Final = 32 * 1024
_CLOCK: Final = ".clock"


class SftpClient(paramiko.SFTPClient):  # type: ignore[misc]  # the library has no types
    def listed(self, path: bytes) -> Generator[tuple[bytes, paramiko.SFTPAttributes]]:
        """Yield names as they are: the library's own lists fail where one is not UTF-8."""
        _, answer = self._request(CMD_OPENDIR, path)
        handle = answer.get_string()
        try:
            while True:
                try:
                    _, answer = self._request(CMD_READDIR, handle)
                except EOFError:
                    return
                for _ in range(answer.get_int()):
                    name, _long_name = answer.get_string(), answer.get_string()
                    yield name, paramiko.SFTPAttributes._from_msg(answer)  # noqa: SLF001 - the same
        finally:
            self._request(CMD_CLOSE, handle)


class SftpFolder:
    """One folder, as long as the session lasts.

    Args:
        base: The folder's absolute path, as the server writes it.
    """

    def __init__(self, client: SftpClient, base: bytes) -> None:
        self._client = client
        self._base = base
        self._ahead_seconds: float | None = None

    @classmethod
    def at(cls, client: SftpClient, directory: str) -> SftpFolder:
        """Return the folder of this path; OSError where there is none that may be listed."""
        with _told_as_os_error():
            base = os.fsencode(client.normalize(os.fsencode(directory) or b"."))
            folder = cls(client, base.rstrip(b"/"))
            with closing(client.listed(base)) as names:
                next(names, None)
        return folder

    def create(self) -> None:
        """Make the two folders in it, and put something there; OSError where one may not."""
        for folder in (inbox.PROCESSED, inbox.FAILED):
            self._make(folder)
        self.now()

    def now(self) -> float:
        if self._ahead_seconds is None:
            self._ahead_seconds = self._clock() - time.time()
        return time.time() + self._ahead_seconds

    def files(self) -> Iterator[inbox.Entry]:
        with _told_as_os_error():
            for count, (raw, attributes) in enumerate(self._client.listed(self._base or b"/")):
                if count >= LISTED_MAX:
                    raise OSError(errno.EFBIG, "the server's list has no end")
                entry = _entry(os.fsdecode(raw), attributes)
                if entry is not None and b"/" not in raw:
                    yield entry

    def stat(self, name: str) -> inbox.Entry | None:
        with _told_as_os_error(), suppress(FileNotFoundError):
            return _entry(name, self._client.lstat(self._path(name)))
        return None

    def read(self, name: str, bytes_max: int) -> bytes:
        deadline = time.monotonic() + TRANSFER_SECONDS_MAX
        parts: list[bytes] = []
        missing = bytes_max
        with _told_as_os_error(), self._client.open(self._path(name), "rb") as opened:
            while missing > 0:
                part = opened.read(min(_CHUNK_BYTES, missing))
                if not part:
                    break
                if time.monotonic() > deadline:
                    raise OSError(errno.EIO, "the server is too slow")
                parts.append(part)
                missing -= len(part)
        return b"".join(parts)

    def holds(self, folder: str, name: str) -> bool:
        with _told_as_os_error(), suppress(FileNotFoundError):
            self._client.lstat(self._path(folder, name))
            return True
        return False

    def move(self, name: str, folder: str, target: str) -> None:
        self._make(folder)
        with _told_as_os_error():
            self._client.rename(self._path(name), self._path(folder, target))

    def write(self, folder: str, name: str, text: str) -> None:
        self._make(folder)
        with _told_as_os_error(), self._client.open(self._path(folder, name), "wx") as opened:
            opened.write(text.encode(errors="replace"))

    def _clock(self) -> float:
        """Ask what time it is there: a server's clock may be minutes off."""
        path = self._path(inbox.PROCESSED, _CLOCK)
        self._make(inbox.PROCESSED)
        with _told_as_os_error():
            with self._client.open(path, "wb") as opened:
                opened.write(b"\n")
            return float(self._client.stat(path).st_mtime)

    def _make(self, folder: str) -> None:
        with _told_as_os_error():
            try:
                found = self._client.lstat(self._path(folder))
            except FileNotFoundError:
                self._client.mkdir(self._path(folder))
                return
            if not stat.S_ISDIR(found.st_mode or 0):
                raise NotADirectoryError(errno.ENOTDIR, f"{folder} is not a folder")

    def _path(self, *names: str) -> bytes:
        return b"/".join((self._base, *(os.fsencode(name) for name in names)))


def _entry(name: str, found: paramiko.SFTPAttributes) -> inbox.Entry | None:
    """Return a regular file; what a server says nothing of is none."""
    known = None not in (found.st_mode, found.st_size, found.st_mtime)
    if not known or not stat.S_ISREG(found.st_mode):
        return None
    return inbox.Entry(name, found.st_size, float(found.st_mtime), float(found.st_mtime))


@contextmanager
def _told_as_os_error() -> Iterator[None]:
    """Turn what the library raises into an OSError whose text is ours."""
    try:
        yield
    except TimeoutError:
        raise OSError(errno.ETIMEDOUT, "the server does not answer") from None
    except OSError as error:
        if error.errno is None:  # the protocol's general failure, with the server's own words
            raise OSError(errno.EIO, "the server refused") from None
        raise
    except (SSHException, SFTPError, EOFError, ValueError, struct.error):
        raise OSError(errno.EIO, "the connection broke off") from None
