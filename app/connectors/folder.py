"""A watched folder on this machine: banks and people put files there, Tieout takes them.

Every folder lies below the operator's inbox, each organization's below its own.  Nothing
is reached by a path that somebody else could bend: folders are opened one by one, none of
them through a link, and files are named relative to the opened folder.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from app.aggregators.contract import Access, AggregatorError, Health
from app.connectors import inbox
from app.connectors.contract import OperatorSettings, Setting, SettingsRefused, WaitingFile
from app.kernel.bank import ConnectionStatus

_FOLDER_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}")
_ORGANIZATION_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_OPEN_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without waiting, or a pipe of a file's name would hold the worker for ever.
_OPEN_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OPEN_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER_MODE: Final = 0o770
_FILE_MODE: Final = 0o660


class FolderConnector:
    """Brings the bank files that are put into a folder of this machine."""

    name = "folder"
    title = "Watched folder"
    summary = "Takes bank files that a bank or a program puts into a folder on this server."
    settings: tuple[Setting, ...] = (
        Setting(
            "folder",
            "Folder",
            "A name of your choice for this account's folder, such as operating-account; it is "
            "made in your organization's part of the inbox.",
        ),
    )

    def __init__(self, operator: OperatorSettings) -> None:
        self._inbox_path = operator.inbox_path

    def connect(self, settings: Mapping[str, str], organization_id: str) -> Access:
        folder = settings.get("folder", "").strip()
        if not _FOLDER_NAME.fullmatch(folder):
            raise SettingsRefused(
                {
                    "folder": "Give the folder a name of at most 60 letters, digits, blanks, dots "
                    "and hyphens that begins with a letter or digit."
                }
            )
        assert _ORGANIZATION_ID.fullmatch(organization_id)
        try:
            LocalFolder(self._inbox_path, (organization_id, folder)).create()
        except OSError as error:
            raise AggregatorError(
                "FOLDER_NOT_MADE",
                f"The folder cannot be made ({(error.strerror or 'no reason given').lower()}); "
                "nothing was set up. Ask the operator to look at the inbox.",
                permanent=True,
            ) from error
        return Access(external_id=f"{organization_id}/{folder}", secrets={})

    def remove(self, access: Access) -> None:
        """There is nothing to end: what lies in the folder stays with the operator."""

    def waiting_files(self, access: Access) -> Iterator[WaitingFile]:
        organization_id, _, folder = access.external_id.partition("/")
        assert _ORGANIZATION_ID.fullmatch(organization_id)
        assert _FOLDER_NAME.fullmatch(folder)
        store = LocalFolder(self._inbox_path, (organization_id, folder))
        if not store.exists():
            raise AggregatorError(
                "FOLDER_MISSING",
                f"The folder “{folder}” is not there any more. Ask the operator to bring it back.",
                permanent=False,
                health=Health(ConnectionStatus.DEGRADED, "FOLDER_MISSING"),
            )
        yield from inbox.waiting_files(store)


class LocalFolder:
    """A folder of this machine as a file store: see `app.connectors.inbox.FileStore`.

    Args:
        root: The operator's own path; links in it are the operator's business.
        parts: Names of folders below it, each in the one before.
    """

    def __init__(self, root: Path, parts: tuple[str, ...]) -> None:
        self._root = root
        self._parts = parts

    def create(self) -> None:
        """Make the folder, the ones above it, and the two in it."""
        self._root.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        for folder in (inbox.PROCESSED, inbox.FAILED):
            with self._opened(folder, make=True):
                pass

    def exists(self) -> bool:
        try:
            with self._opened():
                return True
        except OSError:
            return False

    def now(self) -> float:
        return time.time()

    def files(self) -> Iterator[inbox.Entry]:
        with self._opened() as folder, os.scandir(folder) as found:
            for item in found:
                entry = _entry(item.name, folder)
                if entry is not None:
                    yield entry

    def stat(self, name: str) -> inbox.Entry | None:
        with self._opened() as folder:
            return _entry(name, folder)

    def read(self, name: str, bytes_max: int) -> bytes:
        with self._opened() as folder:
            file = os.open(name, _OPEN_FILE, dir_fd=folder)
            with os.fdopen(file, "rb") as opened:
                if not stat.S_ISREG(os.fstat(file).st_mode):
                    raise OSError(0, "not a file")
                return opened.read(bytes_max)

    def holds(self, folder: str, name: str) -> bool:
        with self._opened(folder, make=True) as inner:
            try:
                os.stat(name, dir_fd=inner, follow_symlinks=False)
            except FileNotFoundError:
                return False
        return True

    def move(self, name: str, folder: str, target: str) -> None:
        with self._opened() as source, self._opened(folder, make=True) as destination:
            # An empty file takes the name first: renaming alone would replace what has it.
            os.close(os.open(target, _OPEN_NEW, _FILE_MODE, dir_fd=destination))
            try:
                os.rename(name, target, src_dir_fd=source, dst_dir_fd=destination)
            except OSError:
                os.unlink(target, dir_fd=destination)  # the empty one
                raise

    def write(self, folder: str, name: str, text: str) -> None:
        with self._opened(folder, make=True) as destination:
            file = os.open(name, _OPEN_NEW, _FILE_MODE, dir_fd=destination)
            with os.fdopen(file, "w", encoding="utf-8", errors="replace") as opened:
                opened.write(text)

    @contextmanager
    def _opened(self, *below: str, make: bool = False) -> Iterator[int]:
        """Open the folder, or one in it, step by step and never through a link."""
        folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in (*self._parts, *below):
                inner = _open_inner(folder, part, make=make)
                os.close(folder)
                folder = inner
            yield folder
        finally:
            os.close(folder)


def _open_inner(folder: int, name: str, *, make: bool) -> int:
    try:
        return os.open(name, _OPEN_FOLDER, dir_fd=folder)
    except FileNotFoundError:
        if not make:
            raise
    with suppress(FileExistsError):  # somebody else may make it in this moment
        os.mkdir(name, _FOLDER_MODE, dir_fd=folder)
    return os.open(name, _OPEN_FOLDER, dir_fd=folder)


def _entry(name: str, folder: int) -> inbox.Entry | None:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    # The time of the last change cannot be set by a program, unlike that of the last writing.
    return inbox.Entry(name, found.st_size, found.st_mtime, found.st_ctime, found.st_ino)
