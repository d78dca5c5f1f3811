"""An inbox in memory, with a clock of its own and a crash on demand."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from app.connectors.inbox import Entry


class Crash(BaseException):
    """The process is gone: nothing after it happens, and nobody catches it."""


class MemoryStore:
    """A `FileStore` whose sender's side is a few plain methods."""

    def __init__(self) -> None:
        self.clock = 1_800_000_000.0
        self.inbox: dict[str, tuple[Entry, bytes]] = {}
        self.folders: dict[str, dict[str, bytes]] = {"processed": {}, "failed": {}}
        self.operations_left: int | None = None
        self._identity = 0

    # what senders do

    def put(self, name: str, content: bytes, *, modified_at: float | None = None) -> None:
        self._identity += 1
        stamped = self.clock if modified_at is None else modified_at
        self.inbox[name] = Entry(name, len(content), stamped, stamped, self._identity), content

    def append(self, name: str, content: bytes) -> None:
        entry, before = self.inbox[name]
        whole = before + content
        self.inbox[name] = (
            Entry(name, len(whole), self.clock, self.clock, entry.identity),
            whole,
        )

    def tick(self, seconds: float) -> None:
        self.clock += seconds

    # what the store does

    def now(self) -> float:
        return self.clock

    def files(self) -> Iterator[Entry]:
        self._step()
        yield from [entry for entry, _ in self.inbox.values()]

    def stat(self, name: str) -> Entry | None:
        self._step()
        return self.inbox[name][0] if name in self.inbox else None

    def read(self, name: str, bytes_max: int) -> bytes:
        self._step()
        if name not in self.inbox:
            raise FileNotFoundError(errno.ENOENT, "No such file")
        return self.inbox[name][1][:bytes_max]

    def holds(self, folder: str, name: str) -> bool:
        self._step()
        return name in self.folders[folder]

    def move(self, name: str, folder: str, target: str) -> None:
        self._step()
        if target in self.folders[folder]:
            raise FileExistsError(errno.EEXIST, "File exists")
        if name not in self.inbox:
            raise FileNotFoundError(errno.ENOENT, "No such file")
        self.folders[folder][target] = self.inbox.pop(name)[1]

    def write(self, folder: str, name: str, text: str) -> None:
        self._step()
        if name in self.folders[folder]:
            raise FileExistsError(errno.EEXIST, "File exists")
        self.folders[folder][name] = text.encode()

    def _step(self) -> None:
        if self.operations_left is not None:
            self.operations_left -= 1
            if self.operations_left < 0:
                raise Crash
        self.clock += 0.001  # no two things happen in the same moment
