"""The file beside the manifest of a large store, with what has changed since the manifest was written.

It is one line of JSON and a line with the checksum of that. It names its manifest by the checksum that the manifest
carries. A write replaces this file and leaves the manifest as it is, until there are so many changes that a new
manifest with all of them is written. The manifest says that there is such a file, so that its loss is noticed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from openbell.errors import DamagedFileError, DamagedObjectError, StoreError, command_on
from openbell.model.address import StoreAddress
from openbell.store.batch import Batch, batch_json, batch_of
from openbell.store.checksum import sha256_of
from openbell.store.layout import CHANGES

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.model.address import Place

__all__ = [
    "FEWEST_FILES",
    "MOST_CHANGES",
    "NO_CHANGES",
    "Changes",
    "damaged_manifest",
    "decode_changes",
    "encode_changes",
    "read_changes",
]

FEWEST_FILES = 256
"""The number of data files below which the manifest is written whole each time, which takes no longer."""
MOST_CHANGES = 512
"""The number of changed data files above which a new manifest is written."""

NO_CHANGES = Batch({}, {})


class Changes(NamedTuple):
    """Changes of a store since its manifest was written.

    Attributes:
        base: The checksum that the manifest carries.
        batch: The files that were added, changed and removed.
    """

    base: str
    batch: Batch


def read_changes(store: Path) -> bytes | None:
    """Return the content of the file of changes, or None when there is none.

    Raises:
        DamagedFileError: It is a folder.
        StoreError: The system does not let it be read.
    """
    path = store / CHANGES
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError as exc:
        raise damaged_manifest(store, path, exc.strerror or str(exc)) from exc
    except OSError as exc:
        raise StoreError(f"{path} cannot be read: {exc.strerror or exc}.") from exc


def encode_changes(base: str, batch: Batch) -> bytes:
    """Return the content of a file of changes."""
    text = json.dumps({"manifest": base, **batch_json(batch)}).encode()
    return b"%s\n%s\n" % (text, sha256_of(text).encode())


def decode_changes(store: Path, content: bytes) -> Changes:
    """Decode the content of a file of changes.

    Raises:
        DamagedFileError: It is not what was written.
    """
    text, _, rest = content.partition(b"\n")
    if rest != b"%s\n" % sha256_of(text).encode():
        raise damaged_manifest(store, store / CHANGES, "its checksum does not fit")
    try:
        found = json.loads(text)
        return Changes(str(found["manifest"]), batch_of(store, found))
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise damaged_manifest(store, store / CHANGES, str(exc)) from exc


def damaged_manifest(store: Place, path: Place, cause: str) -> DamagedFileError:
    """Return the error for a manifest or a file of changes that cannot be read."""
    if isinstance(path, StoreAddress):
        remedy = "Put an earlier version of it in its place, if the bucket has versions; or import into a new prefix."
        return DamagedObjectError(str(path), cause, remedy)
    remedy = f"Make it again from the data files with `{command_on('data repair', store)}`."
    return DamagedFileError(path, cause, remedy)
