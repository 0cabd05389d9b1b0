"""The files of a store in a folder, and its manifest as it is on disk now."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from openbell.errors import DamagedFileError, StoreError, command_on
from openbell.logs import get_logger
from openbell.store import layout
from openbell.store.atomic_files import writer_lock
from openbell.store.batch import UnfinishedWriteError
from openbell.store.checksum import sha256_of
from openbell.store.commit import commit, commit_manifest, heal, load_or_scan, unfinished
from openbell.store.data_file import damaged_file
from openbell.store.layout import data_location, data_path
from openbell.store.manifest import load_side_files
from openbell.store.store_marker import (
    has_store_marker,
    make_store,
    remove_if_empty,
    require_free,
    require_store_marker,
)
from openbell.store.verification import StoredFile, stamp_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import polars as pl

    from openbell.store.backing import EncodedFile
    from openbell.store.data_file import FileEntry
    from openbell.store.layout import Partition
    from openbell.store.manifest import Manifest
    from openbell.store.side_files import SideEntry

__all__ = ["CurrentManifest", "FolderBacking"]

_POLL_S = 0.05


class CurrentManifest:
    """Current manifest of a store in a folder, read again whenever its file changes.

    May be used from any thread.

    Args:
        store: The store's folder.

    Raises:
        DamagedFileError: The manifest cannot be read.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._paths = str(store / layout.MANIFEST), str(store / layout.CHANGES)
        self._pending = str(store / layout.PENDING)
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] = ()
        self._manifest: Manifest | None = None
        self.reload()

    @property
    def stamp(self) -> tuple[int, ...]:
        """The file's stamp when it was last read (empty when there was none)."""
        return self._stamp

    def get(self) -> Manifest:
        """Return the manifest as it is on disk now."""
        # Takes one look at the file's stamp when nothing has changed.
        stamp, known = self.stamp_now(), self._manifest
        return known if known is not None and stamp and stamp == self._stamp else self.reload()

    def stamp_now(self) -> tuple[int, ...]:
        """Return a value that changes when the manifest or its file of changes does (empty when there is none)."""
        manifest, changes = map(stamp_of, self._paths)
        return manifest + changes if manifest else ()

    def may_have_moved(self, stamp: tuple[int, ...], *, look: bool) -> bool:  # noqa: ARG002 -- a look costs little
        """Return whether files may have changed since the manifest had a stamp."""
        return os.path.exists(self._pending) or stamp != self.stamp_now()  # noqa: PTH110 -- Path takes twice as long

    def reload(self) -> Manifest:
        """Read the manifest, after healing what a killed writer left."""
        with self._lock:
            self.settle()
            # The stamp first: if the file changes in between, the next comparison of stamps shows that.
            stamp = self.stamp_now()
            self._manifest, self._stamp = self._read(), stamp
            return self._manifest

    def note_written(self, manifest: Manifest) -> None:
        """Note a manifest that was written, so that the next look reads only files that differ from it."""
        with self._lock:
            self._manifest = manifest

    def for_writer(self) -> Manifest:
        """Return the manifest for the holder of the lock, after healing what a killed writer left."""
        if unfinished(self._store):
            heal(self._store)
        manifest = self.get()
        if manifest.files and not (self._store / layout.MANIFEST).exists():
            commit_manifest(self._store, manifest)
        return manifest

    def settle(self, wait_s: float = 0) -> None:
        """Finish what a killed writer began.

        A writer that is alive has ``wait_s`` seconds to finish.
        """
        for _ in range(int(wait_s / _POLL_S) + 1):
            if not unfinished(self._store):
                return
            try:
                with writer_lock(self._store / layout.LOCK, wait_s=min(wait_s, _POLL_S)):
                    heal(self._store)
                    return
            except (UnfinishedWriteError, DamagedFileError) as exc:
                # What was stored before can be read; the next write is refused.
                get_logger().warning("a killed write cannot be finished", store=str(self._store), reason=str(exc))
                return
            except StoreError:
                # The writer is alive, or this process may only read: the manifest holds as it is.
                if not (self._store / layout.PENDING).exists() or not os.access(self._store, os.W_OK):
                    return

    def _read(self) -> Manifest:
        manifest = load_or_scan(self._store, self._manifest)
        if manifest.files and not (self._store / layout.MANIFEST).exists():
            remedy = command_on("data verify", self._store)
            get_logger().warning("the manifest is missing; the files that are there are taken as they are", look=remedy)
        return manifest


class FolderBacking:
    """The files of a store in a folder, of which one process at a time may write.

    Args:
        folder: The folder.
    """

    is_shared = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def place(self) -> Path:
        """The folder."""
        return self._folder

    @property
    def scratch(self) -> Path:
        """The folder of the store."""
        # Another file system may not have the space.
        return self._folder

    def exists(self) -> bool:
        """Return whether the folder has a store marker."""
        return has_store_marker(self._folder)

    def require(self) -> None:
        """Raise an error unless the folder is a store that this version of openbell reads."""
        require_store_marker(self._folder)

    def require_free(self) -> None:
        """Raise an error if the folder is used for something else than a store."""
        require_free(self._folder)

    def lock(self, wait_s: float) -> AbstractContextManager[None]:
        """Hold the lock of the folder for the length of a ``with`` block."""
        return writer_lock(self._folder / layout.LOCK, wait_s=wait_s)

    def make(self) -> bool:
        """Make the folder a store, and return whether it was made one just now."""
        return make_store(self._folder)

    def remove_if_empty(self) -> None:
        """Delete a store that was just made and to which nothing was written."""
        remove_if_empty(self._folder)

    def current(self) -> CurrentManifest:
        """Return the source of the current manifest."""
        return CurrentManifest(self._folder)

    def heal(self) -> Manifest:
        """Finish or discard what a killed writer began, and return the manifest after that."""
        return heal(self._folder)

    def commit(
        self,
        manifest: Manifest,
        bars: Mapping[Partition, pl.DataFrame | EncodedFile | None],
        side_files: Mapping[str, bytes | None],
    ) -> Manifest:
        """Write files to disk, all of them or none, and return the new manifest."""
        return commit(self._folder, manifest, bars, side_files)

    def stored_files(self, wanted: Iterable[tuple[Partition, FileEntry]]) -> list[StoredFile]:
        """Return the paths of data files, with their symbols and entries."""
        folder = self._folder
        return [StoredFile(data_location(folder, place), place.symbol, entry) for place, entry in wanted]

    def drop_damaged_copies(self, wanted: Sequence[tuple[Partition, FileEntry]], damage: DamagedFileError) -> None:  # noqa: ARG002
        """Raise the damage, since there is no other copy."""
        raise damage

    def content(self, partition: Partition, entry: FileEntry | None, *, keep: bool = True) -> bytes | None:  # noqa: ARG002
        """Return the verified content of a data file, or None when there is neither a file nor an entry."""
        path = data_path(self._folder, partition)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            if entry is None:
                return None
            raise DamagedFileError(path, "it is missing") from None
        except OSError as exc:
            raise damaged_file(path, exc.strerror or str(exc)) from exc
        # Merging into a damaged file would give its damage a new checksum.
        if entry is None:
            raise DamagedFileError(path, "the manifest does not know it")
        if sha256_of(content) != entry.sha256:
            raise DamagedFileError(path, "its content is not what was stored")
        return content

    def is_lost(self, partition: Partition, entry: FileEntry) -> bool:  # noqa: ARG002 -- its name is enough
        """Return whether a data file that the manifest lists is missing."""
        return not data_path(self._folder, partition).exists()

    def side_files(self) -> Mapping[str, SideEntry]:
        """Return the files beside the bars that the manifest lists."""
        return load_side_files(self._folder)

    def side_content(self, name: str) -> bytes | None:
        """Return the content of a file beside the bars, or None when there is none."""
        try:
            return (self._folder / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def side_stamp(self, name: str) -> tuple[int, ...]:
        """Return a value that changes when a file beside the bars does (empty when there is none)."""
        # Called several times a session; to make a Path takes longer than to look at the file.
        return stamp_of(f"{self._folder}/{name}")
