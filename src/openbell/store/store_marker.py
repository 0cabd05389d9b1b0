"""The store marker, a small file with the schema version that makes a folder a store."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from openbell.errors import DamagedFileError, NotAStoreError, StoreError, command_on, shortened
from openbell.store.atomic_files import replace_file, sync_folders
from openbell.store.data_file import damaged_file
from openbell.store.layout import BARS, CHANGES, LOCK, MANIFEST, OWN_NAMES, STORE_MARKER

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "has_store_marker",
    "make_store",
    "mark_changes",
    "remove_if_empty",
    "require_free",
    "require_store_marker",
    "require_traces",
    "store_marker_problem",
    "write_store_marker",
]

_PLAIN, _WITH_CHANGES = 1, 2
"""The schema versions of stores without, and with, a file of what has changed since the manifest was written."""
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError)


def _content(version: int) -> bytes:
    return (json.dumps({"format": "openbell-store", "schema_version": version}) + "\n").encode()


def has_store_marker(folder: Path) -> bool:
    """Return whether the folder has a store marker."""
    try:
        return (folder / STORE_MARKER).exists()
    except (OSError, ValueError):
        # The path is invalid, or may not be read, which is reported when the store is opened.
        return False


def require_store_marker(folder: Path) -> None:
    """Raise an error unless a folder is a store that this version of openbell reads.

    Raises:
        NotAStoreError: The folder is not a store.
        DamagedFileError: The folder is a store, and its marker is lost or cannot be read.
        StoreError: The folder is a store of a newer openbell.
    """
    remedy = f"Import bars into it first, for example with `{command_on('data import csv FILES', folder)}`."
    mend = f"Write it again with `{command_on('data repair', folder)}`."
    _require_folder(folder, remedy)
    try:
        version = _schema_version(folder)
    except FileNotFoundError:
        if (folder / MANIFEST).exists() or (folder / BARS).exists():
            raise DamagedFileError(folder / STORE_MARKER, "it is missing", mend) from None
        raise NotAStoreError(f"{folder} is not an openbell store (it has no {STORE_MARKER}). {remedy}") from None
    except _UNREADABLE as exc:
        raise damaged_file(folder / STORE_MARKER, f"it cannot be read: {exc}", mend) from exc
    _require_known(folder, version)


def require_traces(folder: Path) -> None:
    """Raise an error unless a folder has traces of a store, even if its marker is lost or unreadable.

    Raises:
        NotAStoreError: The folder has none.
        StoreError: The folder is a store of a newer openbell.
    """
    _require_folder(folder, "Name the folder of a store.")
    if not any((folder / name).exists() for name in (STORE_MARKER, MANIFEST, BARS)):
        raise NotAStoreError(f"{folder} is not an openbell store. Name the folder that holds {STORE_MARKER}.")
    with contextlib.suppress(*_UNREADABLE):
        _require_known(folder, _schema_version(folder))


def require_free(folder: Path) -> None:
    """Raise an error if a folder is used for something else than a store.

    Raises:
        NotAStoreError: The folder holds other files, is a file, cannot be read or cannot be made.
    """
    remedy = "Name an empty or a new folder."
    if not _is_there(folder, remedy):
        above = next((path for path in folder.parents if _is_there(path, remedy)), folder)
        if not above.is_dir():
            raise NotAStoreError(f"{above} is a file, and no folder can be in it. {remedy}")
        return
    if not folder.is_dir():
        raise NotAStoreError(f"{folder} is a file. {remedy}")
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as exc:
        raise NotAStoreError(f"{folder} cannot be read: {exc.strerror}. {remedy}") from exc
    # Hidden files may have been left by the killed creation of a store.
    others = [name for name in names if not name.startswith(".") and name not in OWN_NAMES]
    if others:
        raise NotAStoreError(
            f"{folder} is not an openbell store and not empty (it holds {', '.join(others[:3])}). "
            "Name an empty or a new folder."
        )


def make_store(folder: Path) -> bool:
    """Make the folder a store, and return whether it was made one just now.

    Call it with the lock held.

    Raises:
        NotAStoreError: The folder is used for something else.
        StoreError: The disk is full, or the folder may not be written to.
    """
    if has_store_marker(folder):
        return False
    require_free(folder)
    try:
        write_store_marker(folder)
    except OSError as exc:
        raise StoreError(f"cannot make a store in {folder}: {exc.strerror or exc}.") from exc
    return True


def write_store_marker(folder: Path) -> None:
    """Write the store marker, durably."""
    replace_file(folder / STORE_MARKER, _content(_WITH_CHANGES if (folder / CHANGES).exists() else _PLAIN))
    sync_folders([folder])


def mark_changes(folder: Path) -> None:
    """Raise the schema version in the store marker, for a store that may have a file of changes.

    Older versions of openbell, which would ignore that file, then refuse the store. Call it with the lock held, before
    there is such a file.
    """
    marker = folder / STORE_MARKER
    if not marker.exists() or marker.read_bytes() == _content(_PLAIN):
        replace_file(marker, _content(_WITH_CHANGES))
        sync_folders([folder])


def store_marker_problem(folder: Path) -> str | None:
    """Return what is wrong with the store marker, or None when it is as it was written."""
    try:
        known = map(_content, (_PLAIN, _WITH_CHANGES))
        return None if (folder / STORE_MARKER).read_bytes() in known else "its content is not what was stored"
    except FileNotFoundError:
        return "it is missing"
    except OSError as exc:
        return exc.strerror or str(exc)


def remove_if_empty(folder: Path) -> None:
    """Delete a store that was just made and to which nothing was written.

    Call it with the lock held.
    """
    if {path.name for path in folder.iterdir()} <= {STORE_MARKER, LOCK}:
        (folder / STORE_MARKER).unlink()
        # This fails where the system deletes no open files, and when other files were put there meanwhile.
        with contextlib.suppress(OSError):
            (folder / LOCK).unlink()
            folder.rmdir()


def _require_folder(folder: Path, remedy: str) -> None:
    if not _is_there(folder, remedy):
        raise NotAStoreError(f"there is no folder {folder}. {remedy}")
    if not folder.is_dir():
        raise NotAStoreError(f"{folder} is a file. Name the folder of a store.")


def _is_there(path: Path, remedy: str) -> bool:
    """Return whether there is a file or folder.

    Raises:
        NotAStoreError: The path is invalid, or may not be read.
    """
    try:
        # Not by exists(), which returns False for an invalid path.
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else exc
        raise NotAStoreError(f"{shortened(str(path))} cannot be a store: {reason}. {remedy}") from exc
    return True


def _schema_version(folder: Path) -> int:
    return int(json.loads((folder / STORE_MARKER).read_bytes())["schema_version"])


def _require_known(folder: Path, version: int) -> None:
    if version > _WITH_CHANGES:
        raise StoreError(
            f"{folder} was written by a newer openbell (schema {version}; this one knows {_WITH_CHANGES}). "
            "Upgrade openbell."
        )
