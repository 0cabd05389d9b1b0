"""The verbs by which a store handles its files, in a folder or in object storage."""

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

__all__ = ["Backing", "ChangedMeanwhileError", "EncodedFile", "ManifestSource", "backing_of", "until_committed"]

_MOST_TRIES = 40
_LONGEST_PAUSE_S = 1.0

T = TypeVar("T")


class ChangedMeanwhileError(StoreError):
    """Another process has stored something else in the same place, on top of which it is to be done again."""


class EncodedFile(NamedTuple):
    """A data file as it is, to be stored without being decoded."""

    content: bytes
    entry: FileEntry


class ManifestSource(Protocol):
    """The manifest of a store as it is now, read again only when it has changed. May be used from any thread."""

    @property
    def stamp(self) -> tuple[int, ...]:
        """The stamp of the manifest when it was last read, or nothing."""
        ...

    def get(self) -> Manifest:
        """Return the manifest as it is now."""
        ...

    def reload(self) -> Manifest:
        """Read the manifest, whether it has changed or not."""
        ...

    def for_writer(self) -> Manifest:
        """Return the manifest for whoever holds the lock, after what a killed writer began is finished."""
        ...

    def wrote(self, manifest: Manifest) -> None:
        """Take up what whoever holds the lock has put in place."""
        ...

    def stamp_now(self) -> tuple[int, ...]:
        """Return a value that changes when the manifest does, or nothing when there is none."""
        ...

    def may_have_moved(self, stamp: tuple[int, ...], *, look: bool) -> bool:
        """Return whether files may be others than when the manifest had a stamp.

        Args:
            stamp: The stamp.
            look: Whether there is a reason to look, whatever that costs.
        """
        ...

    def settle(self, wait_s: float = 0) -> None:
        """Finish what a killed writer began, and wait for one that is alive."""
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
        """A folder of this machine for what is under way, and for rows that are set aside."""
        ...

    def exists(self) -> bool:
        """Return whether there is a store."""
        ...

    def require(self) -> None:
        """Refuse what is not a store that this openbell reads."""
        ...

    def require_free(self) -> None:
        """Refuse to make a store where something else is."""
        ...

    def lock(self, wait_s: float) -> AbstractContextManager[None]:
        """Hold off other writers of this machine for the length of a ``with`` block."""
        ...

    def make(self) -> bool:
        """Make it a store, and return whether it was none before."""
        ...

    def remove_if_empty(self) -> None:
        """Delete a store that was made for bars that did not come."""
        ...

    def current(self) -> ManifestSource:
        """Return what follows the manifest."""
        ...

    def heal(self) -> Manifest:
        """Return the manifest, after what a killed writer began is finished. Call it with the lock held."""
        ...

    def commit(
        self,
        manifest: Manifest,
        bars: Mapping[Partition, pl.DataFrame | EncodedFile | None],
        side_files: Mapping[str, bytes | None],
    ) -> Manifest:
        """Store files, all of them or none, and return the manifest then. Call it with the lock held.

        Raises:
            ChangedMeanwhileError: Another process has stored other files in the same places.
        """
        ...

    def stored_files(self, wanted: Iterable[tuple[Partition, FileEntry]]) -> list[StoredFile]:
        """Return where data files can be read, on this machine."""
        ...

    def mend(self, wanted: Sequence[tuple[Partition, FileEntry]], damage: DamagedFileError) -> None:
        """Mend a copy of a data file that is damaged, or raise the damage."""
        ...

    def content(self, partition: Partition, entry: FileEntry | None, *, keep: bool = True) -> bytes | None:
        """Return the proved content of a data file, or None when there is none and none is known.

        Args:
            partition: Its place.
            entry: What the manifest says of it.
            keep: Whether it is likely to be read again soon.

        Raises:
            DamagedFileError: It is not what was stored.
            ChangedMeanwhileError: It is gone, because another process has stored something else.
        """
        ...

    def is_lost(self, partition: Partition, entry: FileEntry) -> bool:
        """Return whether a data file is not there."""
        ...

    def side_files(self) -> Mapping[str, SideEntry]:
        """Return the files beside the bars that the manifest lists."""
        ...

    def side_content(self, name: str) -> bytes | None:
        """Return the content of a file beside the bars, or None when there is none."""
        ...

    def side_stamp(self, name: str) -> tuple[int, ...]:
        """Return what changes with a file beside the bars, or nothing when there is none."""
        ...


def backing_of(place: Place) -> Backing:
    """Return the backing of the store in a folder or at an address."""
    if isinstance(place, Path):
        from openbell.store.folder import FolderBacking

        return FolderBacking(place)
    from openbell.store.objects.backing import object_backing

    return object_backing(place)


def until_committed(attempt: Callable[[], T], before_again: Callable[[], None] | None = None) -> T:
    """Do something that ends with a commit, again while others commit to the same places meanwhile.

    Args:
        attempt: What is done.
        before_again: What is done first when it is done again; it may meet others, too.
    """

    def again() -> T:
        if before_again is not None:
            before_again()
        return attempt()

    step = attempt
    for number in range(1, _MOST_TRIES):
        try:
            return step()
        except ChangedMeanwhileError:
            step = again
            # Not all at once again.
            time.sleep(random.uniform(0, min(_LONGEST_PAUSE_S, 0.02 * 2**number)))  # noqa: S311 -- no secret
    return step()
