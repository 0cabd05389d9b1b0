"""The files of a store in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.errors import DamagedFileError
from openbell.store import layout
from openbell.store.atomic_files import stamp_of, writer_lock
from openbell.store.checksum import sha256_of
from openbell.store.commit import commit, heal
from openbell.store.current_manifest import CurrentManifest
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
from openbell.store.verification import StoredFile

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

__all__ = ["FolderBacking"]


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
        """The folder, too."""
        # No other file system may have the room.
        return self._folder

    def exists(self) -> bool:
        """Return whether the folder says that it is a store."""
        return has_store_marker(self._folder)

    def require(self) -> None:
        """Refuse a folder that is not a store that this openbell reads."""
        require_store_marker(self._folder)

    def require_free(self) -> None:
        """Refuse a folder that is used for something else."""
        require_free(self._folder)

    def lock(self, wait_s: float) -> AbstractContextManager[None]:
        """Hold the lock of the folder for the length of a ``with`` block."""
        return writer_lock(self._folder / layout.LOCK, wait_s=wait_s)

    def make(self) -> bool:
        """Make the folder a store, and return whether it was none before."""
        return make_store(self._folder)

    def remove_if_empty(self) -> None:
        """Delete a store that was made for bars that did not come."""
        remove_if_empty(self._folder)

    def current(self) -> CurrentManifest:
        """Return what follows the manifest."""
        return CurrentManifest(self._folder)

    def heal(self) -> Manifest:
        """Finish or forget what a killed writer began, and return the manifest then."""
        return heal(self._folder)

    def commit(
        self,
        manifest: Manifest,
        bars: Mapping[Partition, pl.DataFrame | EncodedFile | None],
        side_files: Mapping[str, bytes | None],
    ) -> Manifest:
        """Bring files to disk, all of them or none, and return the manifest then."""
        return commit(self._folder, manifest, bars, side_files)

    def stored_files(self, wanted: Iterable[tuple[Partition, FileEntry]]) -> list[StoredFile]:
        """Return where data files are."""
        folder = self._folder
        return [StoredFile(data_location(folder, place), place.symbol, entry) for place, entry in wanted]

    def mend(self, wanted: Sequence[tuple[Partition, FileEntry]], damage: DamagedFileError) -> None:  # noqa: ARG002
        """Raise the damage, since there is no other copy."""
        raise damage

    def content(self, partition: Partition, entry: FileEntry | None, *, keep: bool = True) -> bytes | None:  # noqa: ARG002
        """Return the proved content of a data file, or None when there is none and none is known."""
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

    def is_lost(self, partition: Partition, entry: FileEntry) -> bool:  # noqa: ARG002 -- it is told by its name
        """Return whether a data file is not there."""
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
        """Return what changes with a file beside the bars, or nothing when there is none."""
        return stamp_of(self._folder / name)
