"""Verification that every byte of a store is as it was stored."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from openbell.actions import ActionStore
from openbell.errors import DamagedFileError
from openbell.store import layout
from openbell.store.atomic_files import writer_lock
from openbell.store.layout import Partition, data_path, partition_of
from openbell.store.manifest import FileEntry, Manifest, data_files, describe_file, file_problem
from openbell.store.store_marker import require_traces, store_marker_problem
from openbell.store.writer import heal, unfinished
from openbell.vendors.unavailable import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Damage", "VerifyReport", "find_damages", "verify"]

LOCK_WAIT_S = 30.0
_THREADS = 4

Kind = Literal["marker", "manifest", "note", "damaged", "missing", "unknown", "actions", "fetched"]


@dataclass(frozen=True, slots=True)
class Damage:
    """A file of a store that is not as it should be.

    Attributes:
        kind: "damaged" and "missing": a data file that is not what was stored, or not there; "unknown": a file among
            the data files that the manifest does not know; the others name what is damaged: the store marker, the
            manifest, the note of a killed write, the corporate actions, what a fetch remembers.
        path: The file.
        reason: What is wrong with it.
        partition: Of a data file: whose bars, of which interval and month.
        entry: What the manifest says of that file, if it knows it.
    """

    kind: Kind
    path: Path
    reason: str
    partition: Partition | None = None
    entry: FileEntry | None = None


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The outcome of a verification.

    Attributes:
        files: Number of data files that the manifest knows; where it is damaged, of those that are there.
        bytes: Their size.
        damages: What is wrong; empty when every byte is as it was stored.
    """

    files: int
    bytes: int
    damages: tuple[Damage, ...]


def verify(store: Path, *, advanced: Callable[[int, int], None] | None = None) -> VerifyReport:
    """Compare every file of a store with its checksum.

    Nothing is changed, except that a killed write is finished.

    Args:
        store: The store's folder. Others may write to it meanwhile.
        advanced: Called with (files done, files in all).

    Raises:
        StoreError: The folder is not a store, or another process writes for longer than one waits.
    """
    require_traces(store)
    report = find_damages(store, advanced)
    if not report.damages and not unfinished(store):
        return report
    # A writer may have been at work, or was killed at it: what is still wrong without one is wrong.
    may_write = os.access(store, os.W_OK)
    with writer_lock(store / layout.LOCK, wait_s=LOCK_WAIT_S) if may_write else nullcontext():
        if may_write and not any(f.kind in ("manifest", "note") for f in report.damages):
            heal(store, Manifest.load(store / layout.MANIFEST))
        return find_damages(store, None)


def find_damages(store: Path, advanced: Callable[[int, int], None] | None) -> VerifyReport:
    """Look at all files of a store once, as they are now."""
    marker = store_marker_problem(store)
    found = [Damage("marker", store / layout.STORE_MARKER, marker)] if marker else []
    found += [*_note_problem(store), *_problems_of_other_tables(store)]
    path = store / layout.MANIFEST
    try:
        manifest = Manifest.load(path)
    except FileNotFoundError:
        manifest = None
        if data_files(store):
            found.append(Damage("manifest", path, "it is missing"))
    except DamagedFileError:
        manifest = None
        found.append(Damage("manifest", path, "its content is not what was stored"))
    if manifest is None:
        paths = data_files(store)
        found += filter(None, (_unreadable(path) for path in paths))
        return VerifyReport(len(paths), sum(path.stat().st_size for path in paths), tuple(found))
    found += _damaged_data_files(store, manifest, advanced)
    entries = [entry for _, entry in manifest.partitions()]
    return VerifyReport(len(entries), sum(entry.bytes for entry in entries), tuple(found))


def _damaged_data_files(
    store: Path, manifest: Manifest, advanced: Callable[[int, int], None] | None
) -> Iterator[Damage]:
    known = {data_path(store, partition): (partition, entry) for partition, entry in manifest.partitions()}
    with ThreadPoolExecutor(_THREADS) as pool:
        problems = pool.map(lambda path: file_problem(path, known[path][1]), known)
        for done, (path, problem) in enumerate(zip(known, problems, strict=True), start=1):
            if problem is not None:
                yield Damage("damaged" if path.exists() else "missing", path, problem, *known[path])
            if advanced is not None:
                advanced(done, len(known))
    for path in sorted((store / layout.BARS).rglob("*")):
        if path not in known and not path.is_dir():
            yield Damage("unknown", path, "the manifest does not know it")


def _note_problem(store: Path) -> Iterator[Damage]:
    try:
        json.loads((store / layout.PENDING).read_bytes())
    except FileNotFoundError:
        return
    except ValueError as exc:
        yield Damage("note", store / layout.PENDING, f"it cannot be read: {exc}")


def _problems_of_other_tables(store: Path) -> Iterator[Damage]:
    kind: Kind
    for kind, read in (("actions", ActionStore(store).read), ("fetched", Unavailable(store).read)):
        try:
            read()
        except DamagedFileError as exc:
            yield Damage(kind, exc.path, "its content is not what was stored")


def _unreadable(path: Path) -> Damage | None:
    try:
        describe_file(path)
    except DamagedFileError as exc:
        return Damage("damaged", path, f"it cannot be read: {exc.cause}", partition_of(path))
    except OSError as exc:
        return Damage("damaged", path, f"it cannot be read: {exc}", partition_of(path))
    return None
