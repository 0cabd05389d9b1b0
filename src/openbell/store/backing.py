"""Interface to the files of a store, in a folder or in object storage."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from openbell.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    import polars as pl

    from openbell.errors import DamagedFileError
    from openbell.model.address import Place
    from openbell.store.data_file import FileEntry
    from openbell.store.layout import Partition
    from openbell.store.manifest import Manifest
    from openbell.store.side_files import SideEntry
    from openbell.store.verification import StoredFile

__all__ = ["Backing", "CommitConflictError", "EncodedFile", "ManifestSource", "backing_of", "until_committed"]

_MOST_TRIES = 40
_LONGEST_PAUSE_S = 1.0

T = TypeVar("T")


class CommitConflictError(StoreError):
    """Conflict with another process, which has stored other files in the same places.

    The work has to be repeated on top of these files.
    """


class EncodedFile(NamedTuple):
    """Data file in encoded form, to be stored without being decoded."""

    content: bytes
    entry: FileEntry


class ManifestSource(Protocol):
    """Source of a store's current manifest, which is read again only when it has changed.

    May be used from any thread.
    """

    @property
    def stamp(self) -> tuple[int, ...]:
        """The stamp of the manifest when it was last read (empty when there was none)."""
        ...

    def get(self) -> Manifest:
        """Return the manifest as it is now."""
        ...

    def reload(self) -> Manifest:
        """Read the manifest, whether it has changed or not."""
        ...

    def for_writer(self) -> Manifest:
        """Return the manifest for the holder of the lock, after finishing what a killed writer began."""
        ...

    def note_written(self, manifest: Manifest) -> None:
        """Note the manifest that the holder of the lock has written."""
        ...

    def stamp_now(self) -> tuple[int, ...]:
        """Return a value that changes when the manifest does (empty when there is none)."""
        ...

    def may_have_moved(self, stamp: tuple[int, ...], *, look: bool) -> bool:
        """Return whether files may have changed since the manifest had a stamp.

        Args:
            stamp: The stamp.
            look: Whether to check now, even if that takes a request over the network.
        """
        ...

    def settle(self, wait_s: float = 0) -> None:
        """Finish what a killed writer began, and wait up to ``wait_s`` seconds for one that is alive."""
        ...


class Backing(Protocol):
    """The files of a store, and the ways to read and to store them.

    Attributes:
        is_shared: Whether others may write while one holds the lock.
    """

    is_shared: bool

    @property
    def place(self) -> Place:
        """The folder or the address."""
        ...

    @property
    def scratch(self) -> Path:
        """A folder of this machine for temporary files, and for rows that are set aside."""
        ...

    def exists(self) -> bool:
        """Return whether there is a store."""
        ...

    def require(self) -> None:
        """Raise an error unless there is a store that this version of openbell reads."""
        ...

    def require_free(self) -> None:
        """Raise an error if the place is used for something else than a store."""
        ...

    def lock(self, wait_s: float) -> AbstractContextManager[None]:
        """Hold off other writers of this machine for the length of a ``with`` block."""
        ...

    def make(self) -> bool:
        """Make the place a store, and return whether it was made one just now."""
        ...

    def remove_if_empty(self) -> None:
        """Delete a store that was just made and to which nothing was written."""
        ...

    def current(self) -> ManifestSource:
        """Return the source of the current manifest."""
        ...

    def heal(self) -> Manifest:
        """Finish what a killed writer began, and return the manifest.

        Call it with the lock held.
        """
        ...

    def commit(
        self,
        manifest: Manifest,
        bars: Mapping[Partition, pl.DataFrame | EncodedFile | None],
        side_files: Mapping[str, bytes | None],
    ) -> Manifest:
        """Store files, all of them or none, and return the new manifest.

        Call it with the lock held.

        Raises:
            CommitConflictError: Another process has stored other files in the same places.
        """
        ...

    def stored_files(self, wanted: Iterable[tuple[Partition, FileEntry]]) -> list[StoredFile]:
        """Return data files as files of this machine, to which missing ones are fetched."""
        ...

    def drop_damaged_copies(self, wanted: Sequence[tuple[Partition, FileEntry]], damage: DamagedFileError) -> None:
        """Discard damaged copies of data files, or raise the damage if they are not copies."""
        ...

    def content(self, partition: Partition, entry: FileEntry | None, *, keep: bool = True) -> bytes | None:
        """Return the verified content of a data file, or None when there is neither a file nor an entry.

        Args:
            partition: Its place.
            entry: Its entry in the manifest, or None.
            keep: Whether a copy is cached, because it is likely to be read again soon.

        Raises:
            DamagedFileError: It is not what was stored.
            CommitConflictError: It is gone, because another process has stored something else.
        """
        ...

    def is_lost(self, partition: Partition, entry: FileEntry) -> bool:
        """Return whether a data file that the manifest lists is missing."""
        ...

    def side_files(self) -> Mapping[str, SideEntry]:
        """Return the files beside the bars that the manifest lists."""
        ...

    def side_content(self, name: str) -> bytes | None:
        """Return the content of a file beside the bars, or None when there is none."""
        ...

    def side_stamp(self, name: str) -> tuple[int, ...]:
        """Return a value that changes when a file beside the bars does (empty when there is none)."""
        ...


def backing_of(place: Place) -> Backing:
    """Return the backing of the store in a folder or at an address."""
    if isinstance(place, Path):
        from openbell.store.folder import FolderBacking

        return FolderBacking(place)
    from openbell.store.objects.backing import object_backing

    return object_backing(place)


def until_committed(attempt: Callable[[], T], before_again: Callable[[], None] | None = None) -> T:
    """Call a function that commits, and retry while others commit to the same places.

    Args:
        attempt: The function.
        before_again: Called before each retry; it may run into such a conflict itself.

    Returns:
        The result of ``attempt``.

    Raises:
        CommitConflictError: The last of many retries met a conflict, too.
    """

    def again() -> T:
        if before_again is not None:
            before_again()
        return attempt()

    step = attempt
    for number in range(1, _MOST_TRIES):
        try:
            return step()
        except CommitConflictError:
            step = again
            # Random pauses, so that competing writers do not retry at the same moment.
            time.sleep(random.uniform(0, min(_LONGEST_PAUSE_S, 0.02 * 2**number)))  # noqa: S311 -- no secret
    return step()
