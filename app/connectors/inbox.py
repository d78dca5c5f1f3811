"""A folder of bank files, wherever it lies: which are complete, and where they go.

Nothing is remembered between two looks but what lies in the folder.  A file is complete
when its companion `NAME.done` says so, or when it has not been touched for a while and is
the same at two looks.  A file that changes between reading and putting away stays, and is
read again; whoever imports knows what it has already.
"""

from __future__ import annotations

import errno
import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import PurePosixPath
from typing import Final, Protocol

from app.aggregators.contract import AggregatorError, Health
from app.kernel import limits
from app.kernel.bank import ConnectionStatus

QUIET_SECONDS: Final = 60
"""A file without a `.done` companion that was touched more recently may still grow."""
FILES_PER_LOOK_MAX: Final = 1_000
"""Files taken at one look, the oldest; the others wait for the next."""
ENTRIES_MAX: Final = 100_000
"""More things than this in one folder are somebody's mistake."""
FILENAME_BYTES_MAX: Final = 255
PROCESSED: Final = "processed"
FAILED: Final = "failed"
_DONE: Final = ".done"
_REASON: Final = ".reason.txt"
_TEMPORARY_ENDINGS: Final = (
    _DONE,
    ".part",
    ".partial",
    ".filepart",
    ".tmp",
    ".temp",
    ".crdownload",
    ".swp",
    "~",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A regular file as it is at this moment; two equal ones are the same, untouched file.

    Args:
        modified_at: When its content was last written, by which files are ordered.
        changed_at: When anything of it last changed, by the store's own clock if it has one.
        identity: Tells files apart that agree in all else, where the store can.
    """

    name: str
    size_bytes: int
    modified_at: float
    changed_at: float
    identity: int = 0


class FileStore(Protocol):
    """One folder and its two sub-folders; every method raises OSError.

    Folders are `PROCESSED` or `FAILED`, made when first needed.
    """

    def now(self) -> float:
        """Return the time by the clock that stamps the files, in seconds since 1970."""
        ...

    def files(self) -> Iterator[Entry]:
        """Yield the regular files; links, folders and devices are none of ours."""
        ...

    def stat(self, name: str) -> Entry | None:
        """Return the file as it is now; None where there is no regular file of this name."""
        ...

    def read(self, name: str, bytes_max: int) -> bytes:
        """Return the first so many bytes of a regular file."""
        ...

    def holds(self, folder: str, name: str) -> bool:
        """Say whether a sub-folder has anything of this name."""
        ...

    def move(self, name: str, folder: str, target: str) -> None:
        """Put a file into a sub-folder under a name that `holds` said is free."""
        ...

    def write(self, folder: str, name: str, text: str) -> None:
        """Write a new text file under a name that `holds` said is free."""
        ...


class InboxFile:
    """A complete file of an inbox: see `app.connectors.contract.WaitingFile`."""

    def __init__(self, store: FileStore, entry: Entry) -> None:
        self.name = printable(entry.name)
        self._store = store
        self._entry = entry
        self._put_away = False

    def read(self) -> bytes:
        size_bytes = self._entry.size_bytes
        if size_bytes > limits.UPLOAD_BYTES_MAX:
            raise AggregatorError(
                "FILE_TOO_LARGE",
                f"“{self.name}” is larger than the {limits.UPLOAD_BYTES_MAX // 2**20} MB that "
                "Tieout takes; nothing of it was imported. Have it sent in parts.",
                permanent=True,
            )
        try:
            data = self._store.read(self._entry.name, size_bytes + 1)
            unchanged = self._store.stat(self._entry.name) == self._entry
        except OSError as error:
            raise self._trouble("FILE_UNREADABLE", "cannot be read", error) from error
        if not unchanged or len(data) != size_bytes:
            raise AggregatorError(
                "FILE_CHANGING",
                f"“{self.name}” changed while it was read; it stays for the next look.",
                permanent=False,
            )
        return data

    def accept(self) -> None:
        self._leave_for(PROCESSED)

    def refuse(self, reason: str) -> None:
        self._leave_for(FAILED, reason)

    def _leave_for(self, folder: str, reason: str | None = None) -> None:
        if self._put_away:
            return  # what has this name now came later
        try:
            if self._store.stat(self._entry.name) == self._entry:
                # The mark goes first: left behind, it would vouch for the next file of this name.
                mark = self._store.stat(self._entry.name + _DONE)
                if mark is not None:
                    self._move(mark.name, folder)
                self._move(self._entry.name, folder, reason)
        except OSError as error:
            raise self._trouble("FILE_NOT_MOVED", f"cannot be moved to {folder}/", error) from error
        self._put_away = True

    def _move(self, name: str, folder: str, reason: str | None = None) -> None:
        for target in (name, _stamped(name, self._store.now())):
            beside = _fitting(target, _REASON)
            if not any(self._store.holds(folder, taken) for taken in (target, beside)):
                if reason is not None:
                    self._store.write(folder, beside, reason + "\n")
                self._store.move(name, folder, target)
                return
        raise FileExistsError(errno.EEXIST, "both names are taken")

    def _trouble(self, code: str, what: str, error: OSError) -> AggregatorError:
        why = printable(error.strerror or "no reason given")[:100].lower()
        return AggregatorError(
            code,
            f"“{self.name}” {what} ({why}); it stays where it is for the next look.",
            permanent=False,
            health=Health(ConnectionStatus.DEGRADED, code),
        )


def waiting_files(store: FileStore) -> Iterator[InboxFile]:
    """Yield the complete files of a store, oldest first, at most `FILES_PER_LOOK_MAX`.

    Raises:
        AggregatorError: The folder cannot be looked at.
    """
    try:
        complete = _complete(store)
    except OSError as error:
        raise AggregatorError(
            "FOLDER_UNREADABLE",
            f"The folder cannot be looked at ({printable(error.strerror or 'no answer')[:100]}); "
            "nothing in it was touched. Ask the operator to look at it.",
            permanent=False,
        ) from error
    for entry in complete:
        waiting = InboxFile(store, entry)
        try:
            same = store.stat(entry.name) == entry  # minutes may have passed since the first look
        except OSError:
            same = True  # reading it says what is wrong
        if same:
            yield waiting


def printable(name: str) -> str:
    """Return a file's name as it can be shown and stored: no control character, no half one."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name
    )


def _complete(store: FileStore) -> list[Entry]:
    found = list(islice(store.files(), ENTRIES_MAX + 1))
    if len(found) > ENTRIES_MAX:
        raise AggregatorError(
            "FOLDER_OVERFULL",
            f"The folder holds more than {ENTRIES_MAX:,} files; nothing in it was touched. "
            "Move away what is no bank file.",
            permanent=False,
        )
    marks = {entry.name: entry for entry in found if entry.name.endswith(_DONE)}
    candidates = [entry for entry in found if not _is_temporary(entry.name)]
    if not candidates:
        return []
    now = store.now()
    complete = (
        entry
        for entry in candidates
        if _is_marked(entry, marks.get(entry.name + _DONE)) or _is_quiet(entry, now)
    )
    return heapq.nsmallest(
        FILES_PER_LOOK_MAX, complete, key=lambda entry: (entry.modified_at, entry.name)
    )


def _is_temporary(name: str) -> bool:
    return name.startswith((".", "~")) or name.lower().endswith(_TEMPORARY_ENDINGS)


def _is_marked(entry: Entry, mark: Entry | None) -> bool:
    """Say whether the companion vouches for this file, not for an earlier one of its name."""
    return mark is not None and mark.changed_at >= entry.changed_at


def _is_quiet(entry: Entry, now: float) -> bool:
    # A time to come was set by whoever put the file there, after writing it.
    return not now - QUIET_SECONDS < entry.changed_at < now + QUIET_SECONDS


def _stamped(name: str, now: float) -> str:
    """Return another name for a file whose name is taken: the moment goes before the ending."""
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S%fZ")
    path = PurePosixPath(name)
    return _fitting(path.stem, f".{moment}{path.suffix}")


def _fitting(stem: str, ending: str) -> str:
    """Return both together, the stem shortened where file systems would refuse the length."""
    room = FILENAME_BYTES_MAX - len(ending.encode(errors="surrogateescape"))
    kept = stem.encode(errors="surrogateescape")[:room]
    return kept.decode(errors="surrogateescape") + ending
