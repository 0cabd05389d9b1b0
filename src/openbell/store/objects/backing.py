"""The files of a store in object storage, which is one manifest and the objects that it lists.

The steps of a commit are: (1) the new files are stored as objects with unique names; (2) the manifest is replaced by
one that lists them, on the condition that it is still the one that was read; (3) the objects that the manifest lists no
more are deleted. A kill at any time leaves at most objects that nobody looks at. A writer that finds another manifest
at (2) reads it and continues from there, and merges its bars again where both have written to the same file.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from openbell.errors import DamagedObjectError, NotAStoreError, StoreError, UnansweredError
from openbell.logs import get_logger
from openbell.store.atomic_files import writer_lock
from openbell.store.backing import CommitConflictError, EncodedFile
from openbell.store.batch import Batch
from openbell.store.commit import encoded
from openbell.store.layout import LOCK
from openbell.store.objects.cache import FileCache, cache_folder, most_bytes
from openbell.store.objects.copies import CopiedObjects
from openbell.store.objects.current import CurrentObjectManifest
from openbell.store.objects.naming import (
    OWN_OBJECT,
    data_object,
    listed_objects,
    new_mark,
    objects_of,
    replaced_objects,
    side_object,
)
from openbell.store.objects.object_client import Objects
from openbell.store.side_files import SideEntry, side_entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import polars as pl

    from openbell.errors import DamagedFileError
    from openbell.model.address import StoreAddress
    from openbell.store.data_file import FileEntry
    from openbell.store.layout import Partition
    from openbell.store.manifest import Manifest
    from openbell.store.verification import StoredFile

__all__ = ["ObjectBacking", "object_backing"]

_AT_ONCE = 16
_MOST_EXCHANGES = 12
_MOST_UNANSWERED = 2


def object_backing(address: StoreAddress) -> ObjectBacking:
    """Return the backing of the store at an address, shared within the process."""
    # A change of server, credentials or cache in the environment makes another backing.
    known = ("AWS_", "GOOGLE_", "AZURE_", "OPENBELL_CACHE", "XDG_CACHE_HOME")
    environment = tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith(known)))
    return _made(address, environment)


@lru_cache(maxsize=16)
def _made(address: StoreAddress, environment: tuple[tuple[str, str], ...]) -> ObjectBacking:  # noqa: ARG001 -- a key
    return ObjectBacking(address)


class ObjectBacking:
    """The files of a store in object storage, to which several processes may write.

    `object_backing` makes it. May be used from any thread.

    Attributes:
        objects: Its objects.
    """

    is_shared = True

    def __init__(self, address: StoreAddress) -> None:
        self._address = address
        self.objects = Objects(address)
        folder = cache_folder()
        self._scratch = folder / "stores" / hashlib.sha256(str(address).encode()).hexdigest()[:16]
        self._cache = FileCache(folder / "files", most_bytes())
        self._copies = CopiedObjects(self.objects, self._cache)
        self._manifest = CurrentObjectManifest(self.objects, self._scratch / "manifest")

    @property
    def place(self) -> StoreAddress:
        """The address."""
        return self._address

    @property
    def scratch(self) -> Path:
        """A folder of this machine, within the cache's folder."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        return self._scratch

    def exists(self) -> bool:
        """Return whether there is a manifest."""
        return self._manifest.exists_now()

    def require(self) -> None:
        """Raise an error unless there is a store at the address."""
        self._manifest.require()

    def require_free(self) -> None:
        """Raise an error if there are objects below the address that are not those of a store.

        Raises:
            NotAStoreError: There are.
        """
        # Objects that a killed first write has left do not count.
        foreign = (name for name, _ in self.objects.sizes() if not OWN_OBJECT.fullmatch(name))
        if (name := next(foreign, None)) is not None:
            raise NotAStoreError(
                f"{self._address} is not an openbell store and not empty (it holds {name}). Name an empty prefix."
            )

    def lock(self, wait_s: float) -> AbstractContextManager[None]:
        """Hold off other writers of this machine, which would only get in each other's way."""
        return writer_lock(self._scratch / LOCK, wait_s=wait_s, of=self._address)

    def make(self) -> bool:
        """Check that the address can hold a store, and return False.

        The first commit makes the store.
        """
        if not self._manifest.is_there and not self.exists():
            self.require_free()
        return False

    def remove_if_empty(self) -> None:
        """Do nothing, since there is no store before the first commit."""

    def current(self) -> CurrentObjectManifest:
        """Return the source of the current manifest."""
        return self._manifest

    def heal(self) -> Manifest:
        """Return the manifest as it is now."""
        return self._manifest.reload()

    def commit(
        self,
        manifest: Manifest,
        bars: Mapping[Partition, pl.DataFrame | EncodedFile | None],
        side_files: Mapping[str, bytes | None],
    ) -> Manifest:
        """Store files, all of them or none, and return the new manifest.

        Raises:
            CommitConflictError: Another process has stored other files in the same places.
            StoreError: The store cannot be written.
        """
        swept = self._manifest.swept
        batch = Batch(self._upload(bars), self._upload_side_files(side_files))
        mark, unanswered = new_mark(), 0
        for _ in range(_MOST_EXCHANGES):
            base = self._manifest.get()
            if self._manifest.swept != swept or _both_changed(manifest, base, batch):
                self._delete(objects_of(batch))
                raise CommitConflictError(
                    f"another process writes to {self._address} again and again. Try again when it is done."
                )
            try:
                is_stored = self._manifest.exchange(base, base.with_changes(*batch), mark)
            except UnansweredError:
                if (unanswered := unanswered + 1) > _MOST_UNANSWERED:
                    raise
                continue
            if is_stored:
                after = self._manifest.get()
                self._delete(replaced_objects(base, batch) - listed_objects(after))
                self._cache.shrink(())
                return after
        raise CommitConflictError(f"many processes write to {self._address} at once. Try again when they are done.")

    def _upload(self, bars: Mapping[Partition, pl.DataFrame | EncodedFile | None]) -> dict[Partition, FileEntry | None]:
        def put(item: tuple[Partition, pl.DataFrame | EncodedFile | None]) -> FileEntry | None:
            partition, frame = item
            if frame is None:
                return None
            content, entry = encoded(partition, frame)
            entry = entry._replace(object=new_mark())
            self.objects.put(data_object(partition, entry), content)
            if not isinstance(frame, EncodedFile):  # a copied file is unlikely to be read here soon
                self._cache.add(entry.sha256, content)
            return entry

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return dict(zip(bars, pool.map(put, bars.items()), strict=True))

    def _upload_side_files(self, side_files: Mapping[str, bytes | None]) -> dict[str, SideEntry | None]:
        found: dict[str, SideEntry | None] = {}
        for name, content in side_files.items():
            found[name] = None
            if content is not None:
                found[name] = entry = side_entry(name, content)._replace(object=new_mark())
                self.objects.put(side_object(name, entry), content)
                self._cache.add(entry.sha256, content)
        return found

    def _delete(self, names: set[str]) -> None:
        try:
            self.objects.delete(names)
        except StoreError as exc:
            # They do no harm, and a repair deletes them.
            get_logger().debug("replaced objects are left", store=str(self._address), reason=str(exc))

    def stored_files(self, wanted: Iterable[tuple[Partition, FileEntry]]) -> list[StoredFile]:
        """Return the copies of data files on this machine, to which missing ones are fetched.

        Raises:
            DamagedObjectError: An object is missing, or is not what was stored.
        """
        return self._copies.stored_files(wanted)

    def drop_damaged_copies(self, wanted: Sequence[tuple[Partition, FileEntry]], damage: DamagedFileError) -> None:
        """Drop copies that are damaged or missing, to be fetched again, or raise the damage of the object."""
        self._copies.drop_damaged_copies(wanted, damage)

    def content(self, partition: Partition, entry: FileEntry | None, *, keep: bool = True) -> bytes | None:
        """Return the verified content of a data file, or None when the manifest has no entry for it.

        Raises:
            CommitConflictError: It is gone, because another process has stored something else.
            DamagedObjectError: It is not what was stored.
        """
        if entry is None:
            return None
        try:
            return self._copies.content(data_object(partition, entry), entry.sha256, keep=keep)
        except DamagedObjectError:
            if self._manifest.reload().entry(partition) == entry:
                raise
            raise CommitConflictError(f"another process writes to {self._address}. Try again.") from None

    def is_lost(self, partition: Partition, entry: FileEntry) -> bool:
        """Return whether the object of a data file is missing or damaged."""
        with suppress(DamagedObjectError):
            self.stored_files([(partition, entry)])
            return False
        return True

    def side_files(self) -> Mapping[str, SideEntry]:
        """Return the files beside the bars that the manifest lists."""
        return self._manifest.get().side_files

    def side_content(self, name: str) -> bytes | None:
        """Return the content of a file beside the bars, or None when there is none.

        Raises:
            DamagedObjectError: It is missing, or is not what was stored.
        """
        entry = self.side_files().get(name)
        while entry is not None:
            try:
                return self._copies.content(side_object(name, entry), entry.sha256)
            except DamagedObjectError:
                before, entry = entry, self._manifest.reload().side_files.get(name)
                if entry == before:
                    raise
        return None

    def side_stamp(self, name: str) -> tuple[int, ...]:
        """Return a value that changes when a file beside the bars does (empty when there is none)."""
        entry = self.side_files().get(name)
        return (int(entry.sha256[:15], 16),) if entry else ()


def _both_changed(before: Manifest, now: Manifest, batch: Batch) -> bool:
    """Return whether another writer has changed a file of a batch between two manifests."""
    if now is before:
        return False
    return any(before.entry(partition) != now.entry(partition) for partition in batch.bars) or any(
        before.side_files.get(name) != now.side_files.get(name) for name in batch.side_files
    )
