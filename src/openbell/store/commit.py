"""Commit of a batch of files to a store, all or none, even if the process is killed.

The steps are: (1) the new files and the new manifest are written to the staging folder and synced; (2) a note of where
each file belongs and what it holds is written and synced: from here on the batch will be in the store, whatever
happens; (3) the files are moved to their places, and files that are removed are deleted; (4) the manifest is replaced,
or the file of what has changed since it was written; (5) the note is deleted. A kill before the end of (2) leaves files
that nobody looks at. A kill after it leaves the note, and the next process that opens the store does the remaining
steps. After (2) no space on the disk is needed, unless a folder is a link to another file system.
"""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from errno import EISDIR
from typing import TYPE_CHECKING

from openbell.errors import DamagedFileError, StoreError, command_on
from openbell.store.atomic_files import (
    delete_files,
    move_file,
    replace_file,
    sync_files,
    sync_folders,
    temporary_of,
)
from openbell.store.backing import EncodedFile
from openbell.store.batch import Batch, UnfinishedWriteError, encode_note, read_note
from openbell.store.checksum import own_checksum, sha256_of
from openbell.store.data_file import FileEntry, encode_bars
from openbell.store.layout import CHANGES, MANIFEST, PENDING, STAGING, STORE_MARKER, Partition, data_path
from openbell.store.manifest import Manifest
from openbell.store.manifest_changes import (
    FEWEST_FILES,
    MOST_CHANGES,
    NO_CHANGES,
    decode_changes,
    encode_changes,
    read_changes,
)
from openbell.store.side_files import SideEntry, side_entry
from openbell.store.store_marker import mark_changes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import polars as pl

__all__ = ["commit", "commit_manifest", "discard_unfinished_write", "encoded", "heal", "load_or_scan", "unfinished"]

_THREADS = 8
_LISTS = (MANIFEST, CHANGES)
"""The files that list what a store holds, in the order in which a write replaces them."""
_REPLACED = (PENDING, STORE_MARKER, *_LISTS)


def commit(
    store: Path,
    manifest: Manifest,
    bars: Mapping[Partition, pl.DataFrame | EncodedFile | None],
    side_files: Mapping[str, bytes | None] | None = None,
) -> Manifest:
    """Write files to disk, all of them or none.

    Call it with the lock held.

    Args:
        store: The store's folder.
        manifest: Its manifest before the commit.
        bars: New data files, as bars or encoded; None removes one.
        side_files: New content of files beside the bars, by their names in `SIDE_FILES`; None removes one.

    Returns:
        The manifest after the commit.

    Raises:
        StoreError: The disk is full or a folder cannot be written.
    """
    try:
        batch, after = _stage(store, manifest, bars, side_files or {})
    except OSError as exc:
        shutil.rmtree(store / STAGING, ignore_errors=True)
        raise _cannot_write(store, exc) from exc
    return _finish(store, batch, after)


def unfinished(store: Path) -> bool:
    """Return whether a write is under way, or was killed before its end."""
    left = (store / PENDING, store / STAGING, *(temporary_of(store / name) for name in _REPLACED))
    return any(path.exists() for path in left)


def load_or_scan(store: Path, known: Manifest | None = None) -> Manifest:
    """Return the manifest of a store, made from its files if there is no manifest.

    Args:
        store: The store's folder.
        known: As for `Manifest.load`.

    Raises:
        DamagedFileError: The manifest cannot be read.
    """
    try:
        return Manifest.load(store, known)
    except (FileNotFoundError, NotADirectoryError):
        return Manifest.scan(store)


def heal(store: Path) -> Manifest:
    """Finish or discard what a killed writer began.

    Call it with the lock held.

    Returns:
        The manifest after that.

    Raises:
        UnfinishedWriteError: The write can be neither finished nor discarded.
        DamagedFileError: The manifest cannot be read.
    """
    try:
        for left in (temporary_of(store / name) for name in _REPLACED):
            if left.exists():
                left.unlink(missing_ok=True)
    except OSError as exc:
        raise _cannot_write(store, exc) from exc
    batch = read_note(store)
    if batch is None:
        shutil.rmtree(store / STAGING, ignore_errors=True)
        return load_or_scan(store)
    return _finish(store, batch, _staged_manifest(store) or load_or_scan(store).with_changes(*batch))


def discard_unfinished_write(store: Path) -> int:
    """Discard a write that cannot be finished.

    Call it with the lock held.

    Files that are already in their places stay there, and the manifest lists them.

    Returns:
        How many files of the write are not in the store; 0 also when its note cannot be read.

    Raises:
        DamagedFileError: The manifest cannot be read.
    """
    manifest, missing = load_or_scan(store), 0
    with suppress(UnfinishedWriteError):
        batch = read_note(store) or Batch({}, {})
        bars = {p: entry for p, entry in batch.bars.items() if _is_in_place(data_path(store, p), entry)}
        side_files = {name: entry for name, entry in batch.side_files.items() if _is_in_place(store / name, entry)}
        manifest = manifest.with_changes(bars, side_files)
        missing = len(batch.bars) + len(batch.side_files) - len(bars) - len(side_files)
    commit_manifest(store, manifest)
    (store / PENDING).unlink(missing_ok=True)
    shutil.rmtree(store / STAGING, ignore_errors=True)
    return missing


def commit_manifest(store: Path, manifest: Manifest) -> Manifest:
    """Write the manifest file, and return the manifest as it is then.

    It is on disk when this returns.
    """
    # No file of changes is begun here: without a note, a kill between the two files would go unnoticed. The next commit
    # adds it.
    alone = read_changes(store) is None
    for name, content in ({MANIFEST: manifest.encode()} if alone else _lists(store, manifest)).items():
        _write_durably(store / name, content)
    return load_or_scan(store)


def _lists(store: Path, manifest: Manifest) -> dict[str, bytes]:
    """Return the new content of the manifest, of the file of changes, or of both, by name.

    Call it with the lock held.
    """
    before, base = read_changes(store), manifest.base
    if base is not None and base.has_changes and before is not None and len(manifest.changes.bars) <= MOST_CHANGES:
        return {CHANGES: encode_changes(base.checksum, manifest.changes)}
    if before is None and sum(map(len, manifest.files.values())) < FEWEST_FILES:
        return {MANIFEST: manifest.encode()}
    mark_changes(store)
    content = manifest.encode(has_changes=True, folded="" if before is None else sha256_of(before))
    return {MANIFEST: content, CHANGES: encode_changes(own_checksum(content), NO_CHANGES)}


def _stage(
    store: Path,
    manifest: Manifest,
    bars: Mapping[Partition, pl.DataFrame | EncodedFile | None],
    side_files: Mapping[str, bytes | None],
) -> tuple[Batch, Manifest]:
    """Write the new files to the staging folder, make the folders they go to, and write the note.

    Whatever is likely to fail in a commit fails here, before the note.
    """
    folder = store / STAGING
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()

    def write(item: tuple[int, tuple[Partition, pl.DataFrame | EncodedFile | None]]) -> FileEntry | None:
        number, (partition, frame) = item
        if frame is None:
            return None
        content, entry = encoded(partition, frame)
        (folder / str(number)).write_bytes(content)
        return entry

    if len(bars) == 1:  # as for an addition to a live session, which waits for it
        entries = {partition: write((0, (partition, frame))) for partition, frame in bars.items()}
    else:
        with ThreadPoolExecutor(_THREADS) as pool:
            entries = dict(zip(bars, pool.map(write, enumerate(bars.items())), strict=True))
    for number, content in enumerate(side_files.values(), start=len(bars)):
        if content is not None:
            (folder / str(number)).write_bytes(content)
    sides = {n: None if content is None else side_entry(n, content) for n, content in side_files.items()}
    batch = Batch(entries, sides)
    after = manifest.with_changes(*batch)
    for name, content in _lists(store, after).items():
        (folder / name).write_bytes(content)
    sync_files(list(folder.iterdir()))
    sync_folders([folder, store])
    _make_folders(store, batch)
    _write_durably(store / PENDING, encode_note(batch))
    return batch, after


def encoded(partition: Partition, bars: pl.DataFrame | EncodedFile) -> EncodedFile:
    """Return the content of a data file, and its entry."""
    return bars if isinstance(bars, EncodedFile) else EncodedFile(*encode_bars(partition.month, bars))


def _make_folders(store: Path, batch: Batch) -> None:
    """Make the folders of new files, and check that no folder is in the place of a file.

    Raises:
        OSError: A folder cannot be made, or one is where a file belongs.
    """
    made: list[Path] = []
    try:
        for target, staged in batch.targets(store):
            if staged is None:
                continue
            if not target.parent.is_dir():
                target.parent.mkdir(parents=True)
                made.append(target.parent)
            if target.is_dir():
                raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(target))
    except OSError:
        for folder in made:
            folder.rmdir()
        raise


def _finish(store: Path, batch: Batch, after: Manifest) -> Manifest:
    """Do the steps of a commit that follow its note.

    After a kill it may be called again, any number of times.

    Raises:
        UnfinishedWriteError: A file cannot be moved to its place.
    """
    try:
        _move_all(store, batch)
        staged = [name for name in _LISTS if (store / STAGING / name).exists()]
        for name in staged:
            move_file(store / STAGING / name, store / name)
            sync_folders([store])
        if not (store / MANIFEST).exists() or (not staged and after != load_or_scan(store)):
            commit_manifest(store, after)
        (store / PENDING).unlink(missing_ok=True)
    except OSError as exc:
        raise UnfinishedWriteError(
            f"a write to the store {store} cannot be finished: {exc.strerror or exc} ({exc.filename}). Correct that, "
            f"or abandon the write with `{command_on('data repair', store)}`."
        ) from exc
    shutil.rmtree(store / STAGING, ignore_errors=True)
    # A new manifest file includes the changes, so it is read without them.
    return after if staged == [CHANGES] else load_or_scan(store)


def _move_all(store: Path, batch: Batch) -> None:
    """Move the files of a commit to their places, and delete the files that it removes."""
    targets = list(batch.targets(store))
    folders = list(dict.fromkeys(target.parent for target, staged in targets if staged))
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    for target, staged in targets:
        # A file that is no longer in the staging folder was moved before a kill.
        if staged and staged.exists():
            move_file(staged, target)
    folders += delete_files(target for target, staged in targets if staged is None)
    parents = {folder.parent for folder in folders}
    sync_folders(list(dict.fromkeys([*folders, *parents, *(parent.parent for parent in parents), store])))


def _staged_manifest(store: Path) -> Manifest | None:
    """Return the manifest that a killed writer staged, or None when it is already in place or damaged."""
    manifest, changes = (store / STAGING / name for name in _LISTS)
    try:
        if manifest.exists():
            return Manifest.load_file(store, manifest)
        staged = decode_changes(store, changes.read_bytes())
        base = Manifest.load_file(store, store / MANIFEST)
        if base.base is not None and base.base.checksum == staged.base:
            return base.with_changes(*staged.batch)
    except FileNotFoundError:
        return None
    except DamagedFileError:
        manifest.unlink(missing_ok=True)
    changes.unlink(missing_ok=True)
    return None


def _is_in_place(path: Path, entry: FileEntry | SideEntry | None) -> bool:
    try:
        return sha256_of(path.read_bytes()) == entry.sha256 if entry else not path.exists()
    except OSError:
        return False


def _write_durably(path: Path, content: bytes) -> None:
    replace_file(path, content)
    sync_folders([path.parent])


def _cannot_write(store: Path, exc: OSError) -> StoreError:
    return StoreError(f"cannot write to the store {store}: {exc.strerror or exc} ({exc.filename}).")
