"""The names of objects in a store."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from openbell.store.layout import data_name

if TYPE_CHECKING:
    from openbell.store.batch import Batch
    from openbell.store.data_file import FileEntry
    from openbell.store.layout import Partition
    from openbell.store.manifest import Manifest
    from openbell.store.side_files import SideEntry

__all__ = ["OWN_OBJECT", "data_object", "listed_objects", "new_mark", "objects_of", "replaced_objects", "side_object"]

OWN_OBJECT = re.compile(
    r"(bars/interval=[^/]+/symbol=[^/]+|actions|fetched|days)/[^/]+-[0-9a-f]{16}\.parquet|LABEL-[0-9a-f]{16}\.txt"
)
"""Pattern of the names of objects that a manifest may list; those of another store below the address do not match."""


def new_mark() -> str:
    """Return a mark that no other object has."""
    return secrets.token_hex(8)


def data_object(partition: Partition, entry: FileEntry) -> str:
    """Return the name of the object of a data file."""
    return data_name(partition, f"-{entry.object}")


def side_object(name: str, entry: SideEntry) -> str:
    """Return the name of the object of a file beside the bars."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem}-{entry.object}{dot}{ending}"


def listed_objects(manifest: Manifest) -> set[str]:
    """Return the names of all objects that a manifest lists."""
    found = {data_object(*pair) for pair in manifest.partitions()}
    return found | {side_object(*pair) for pair in manifest.side_files.items()}


def objects_of(batch: Batch) -> set[str]:
    """Return the names of the objects of a batch's new files."""
    bars = {data_object(p, e) for p, e in batch.bars.items() if e is not None}
    return bars | {side_object(n, e) for n, e in batch.side_files.items() if e is not None}


def replaced_objects(before: Manifest, batch: Batch) -> set[str]:
    """Return the names of a manifest's objects that a batch replaces or removes."""
    bars = {data_object(p, e) for p in batch.bars if (e := before.entry(p)) is not None}
    return bars | {side_object(n, side) for n in batch.side_files if (side := before.side_files.get(n)) is not None}
