"""The one file of a backup: a compressed tar whose first member lists and sums up the others."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from app.instance.places import DATABASE, INBOX, SECRETS, InstanceRefused

MANIFEST: Final = "manifest.json"
FORMAT: Final = "tieout-backup-1"
_MANIFEST_BYTES_MAX: Final = 64 * 1024 * 1024
_READ_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive holds.

    Args:
        created_at: RFC 3339, UTC.
        schema_revision: The migration that the database stands at.
        sums: SHA-256 by name; names are `tieout.sqlite3`, `secrets.env` and `inbox/…`.
    """

    created_at: str
    schema_revision: str
    sums: Mapping[str, str]


def write(file: Path, staged: Path, created_at: str, schema_revision: str) -> Manifest:
    """Pack everything below `staged` into a new file that only its owner can read.

    The file appears under its name once it is whole and on the disk.

    Raises:
        InstanceRefused: There is a file of this name, or it cannot be written.
    """
    names = sorted(each.relative_to(staged).as_posix() for each in _files(staged))
    sums = {name: sum_of(staged / name) for name in names}
    manifest = Manifest(created_at, schema_revision, sums)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = _create_private(unfinished)
        try:
            with os.fdopen(descriptor, "wb") as opened:
                _pack(opened, staged, manifest)
                os.fsync(opened.fileno())
            os.link(unfinished, file)  # unlike a rename, it never replaces anything
        finally:
            unfinished.unlink()
    except FileExistsError:
        raise InstanceRefused(f"{file} exists already; it was left as it is.") from None
    except OSError as error:
        raise InstanceRefused(f"{file} cannot be written: {error.strerror}.") from error
    return manifest


def unpack(file: Path, into: Path) -> Manifest:
    """Unpack an archive and return its manifest, after every file has been compared with it.

    Raises:
        InstanceRefused: It is no backup, or it is not as it was written.
    """
    try:
        with tarfile.open(file, "r:gz") as opened:
            manifest = _manifest(opened)
            found = {}
            while (member := opened.next()) is not None:
                name = _safe_name(member)
                content = opened.extractfile(member)
                if content is None or name not in manifest.sums or name in found:
                    raise _damaged(f"“{name}” does not belong into it")
                target = into / name
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with os.fdopen(_create_private(target), "wb") as written:
                    while block := content.read(_READ_BYTES):
                        written.write(block)
                    os.fsync(written.fileno())
                found[name] = sum_of(target)
    except FileNotFoundError:
        raise InstanceRefused(f"There is no file {file}.") from None
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise _damaged(f"{type(error).__name__}: {error}") from error
    if found != dict(manifest.sums):
        raise _damaged("a checksum differs or a file is missing")
    return manifest


def sum_of(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _files(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


def _create_private(file: Path) -> int:
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _pack(opened: io.BufferedWriter, staged: Path, manifest: Manifest) -> None:
    content = json.dumps(
        {
            "format": FORMAT,
            "created_at": manifest.created_at,
            "schema_revision": manifest.schema_revision,
            "sha256": dict(manifest.sums),
        },
        indent=1,
    ).encode()
    with tarfile.open(fileobj=opened, mode="w:gz", compresslevel=6) as packed:
        first = tarfile.TarInfo(MANIFEST)
        first.size, first.mode = len(content), 0o600
        packed.addfile(first, io.BytesIO(content))
        for name in manifest.sums:
            packed.add(staged / name, arcname=name, recursive=False)


def _manifest(opened: tarfile.TarFile) -> Manifest:
    first = opened.next()
    if first is None or first.name != MANIFEST or first.size > _MANIFEST_BYTES_MAX:
        raise _damaged("it does not begin with its list of contents")
    content = opened.extractfile(first)
    try:
        stated = json.loads(content.read()) if content else {}
        form = stated["format"]
        sums = {str(name): str(value) for name, value in stated["sha256"].items()}
        created_at, revision = str(stated["created_at"]), str(stated["schema_revision"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _damaged("its list of contents cannot be read") from None
    if form != FORMAT:
        raise InstanceRefused(
            f"The file is a backup of another kind ({form}); nothing was replaced."
        )
    if DATABASE not in sums:
        raise _damaged("it holds no database")
    return Manifest(created_at, revision, sums)


def _safe_name(member: tarfile.TarInfo) -> str:
    path = PurePosixPath(member.name)
    known = member.name in {DATABASE, SECRETS} or (path.parts[0] == INBOX and len(path.parts) > 1)
    if not member.isreg() or path.is_absolute() or ".." in path.parts or not known:
        raise _damaged(f"“{member.name}” does not belong into it")
    return path.as_posix()


def _damaged(why: str) -> InstanceRefused:
    return InstanceRefused(
        f"The file is no backup of Tieout, or it is damaged ({why}); nothing was replaced."
    )
