"""The batch of files that a commit writes to a store, and the note of it on disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from openbell.errors import StoreError, command_on
from openbell.store.data_file import FileEntry, is_data_file
from openbell.store.layout import PENDING, SIDE_FILES, STAGING, Partition, data_path
from openbell.store.side_files import SideEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from openbell.model.json_object import JsonObject

__all__ = ["Batch", "UnfinishedWriteError", "batch_json", "batch_of", "encode_note", "listed", "read_note"]


class UnfinishedWriteError(StoreError):
    """Killed write that cannot be finished.

    What was stored before it can still be read.
    """


class Batch(NamedTuple):
    """The files of a commit, numbered in the order of both mappings.

    An entry of None removes a file.
    """

    bars: Mapping[Partition, FileEntry | None]
    side_files: Mapping[str, SideEntry | None]

    def targets(self, store: Path) -> Iterator[tuple[Path, Path | None]]:
        """Yield each file's path and the path where it is staged, or None when it is to be deleted."""
        places = [
            *(data_path(store, partition) for partition in self.bars),
            *(store / name for name in self.side_files),
        ]
        entries = [*self.bars.values(), *self.side_files.values()]
        for number, (place, entry) in enumerate(zip(places, entries, strict=True)):
            yield place, store / STAGING / str(number) if entry else None


def encode_note(batch: Batch) -> bytes:
    """Return the content of the note of a batch."""
    return json.dumps(batch_json(batch)).encode()


def batch_json(batch: Batch) -> JsonObject:
    """Return a batch as JSON."""
    bars = [[list(partition), entry and listed(entry)] for partition, entry in batch.bars.items()]
    side_files = [[name, entry and listed(entry)] for name, entry in batch.side_files.items()]
    return {"bars": bars, "side_files": side_files}


def listed(entry: FileEntry | SideEntry) -> list[Any]:
    """Return the values of an entry for JSON, without the mark of an object if it has none."""
    return list(entry if entry.object else entry[:-1])


def read_note(store: Path) -> Batch | None:
    """Return the batch that a writer noted, or None when there is no note.

    Raises:
        UnfinishedWriteError: The note cannot be read.
    """
    try:
        return batch_of(store, json.loads((store / PENDING).read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as exc:
        raise UnfinishedWriteError(
            f"{store / PENDING} cannot be read ({exc}). Abandon that write with "
            f"`{command_on('data repair', store)}`, then import its data again."
        ) from exc


def batch_of(store: Path, note: Any) -> Batch:
    """Return the batch that JSON describes.

    Raises:
        ValueError: The batch names files that a store cannot have.
        TypeError: The JSON is not a batch.
        KeyError: The JSON is not a batch.
    """
    # In older versions, whose manifest listed data files only, the note was a list of these.
    bars, side_files = (note["bars"], note["side_files"]) if isinstance(note, dict) else (note, [])
    batch = Batch(
        {Partition(*partition): FileEntry(*entry) if entry else None for partition, entry in bars},
        {name: SideEntry(*entry) if entry else None for name, entry in side_files},
    )
    # A note that somebody else wrote might name files outside of the store.
    inside = all(is_data_file(store, data_path(store, partition)) for partition in batch.bars)
    if not inside or not set(batch.side_files) <= set(SIDE_FILES):
        raise ValueError("it names files that no store has")
    return batch
