"""Detection of the damages of a store, files that are not as they were stored."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from openbell.errors import DamagedFileError, UnreadableFileError
from openbell.store import layout
from openbell.store.checksum import has_own_checksum
from openbell.store.data_file import FileEntry, data_files, describe_file, is_data_file, reading_problem
from openbell.store.layout import ACTIONS, DAY_ZONES, LABEL, SIDE_FILES, UNAVAILABLE, Partition, data_path, partition_of
from openbell.store.manifest import Manifest
from openbell.store.side_files import side_file_problem
from openbell.store.store_marker import store_marker_problem
from openbell.store.verification import file_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openbell.model.address import Place

__all__ = ["NOT_KNOWN", "SIDE_KINDS", "Damage", "VerifyReport", "find_damages"]

NOT_KNOWN = "the manifest does not know it"

_THREADS = 4

Kind = Literal[
    "marker", "manifest", "note", "damaged", "missing", "unreadable", "unknown", "actions", "fetched", "label", "days"
]

SIDE_KINDS: dict[str, Kind] = {ACTIONS: "actions", UNAVAILABLE: "fetched", LABEL: "label", DAY_ZONES: "days"}


@dataclass(frozen=True, slots=True)
class Damage:
    """A file of a store that is not as it should be.

    Attributes:
        kind: "damaged" and "missing": a data file that is not what was stored, or not there; "unreadable": a file that
            the system does not let this user read; "unknown": a file among the data files that the manifest does not
            list; the others name the damaged file: "marker", the store marker; "manifest"; "note", the note of a killed
            write; "actions", the corporate actions; "fetched", the sessions that sources have no bars of; "label";
            "days", the time zones of daily bars.
        path: The file.
        reason: The damage, as text.
        partition: Symbol, interval and month of a data file, else None.
        entry: The manifest's entry of a data file, None if there is none.
    """

    kind: Kind
    path: Place
    reason: str
    partition: Partition | None = None
    entry: FileEntry | None = None

    @property
    def file(self) -> Path:
        """The file as a path, for a store in a folder."""
        return Path(str(self.path))


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The outcome of a verification.

    Attributes:
        files: Number of data files in the manifest; if it is damaged, in the store.
        bytes: Size of these files.
        damages: The damages; empty when every byte is as it was stored.
        unlisted: In object storage, the number of objects that the manifest does not list, left by killed writers or
            just being written.
    """

    files: int
    bytes: int
    damages: tuple[Damage, ...]
    unlisted: int = 0


def find_damages(store: Path, advanced: Callable[[int, int], None] | None) -> VerifyReport:
    """Check all files of a store once, without waiting for writers.

    Args:
        store: The store's folder.
        advanced: Called with (files done, files in all).
    """
    marker = store_marker_problem(store)
    found = [Damage("marker", store / layout.STORE_MARKER, marker)] if marker else []
    path, manifest = store / layout.MANIFEST, None
    try:
        manifest = Manifest.load(store)
    except FileNotFoundError:
        if data_files(store):
            found.append(Damage("manifest", path, "it is missing"))
    except DamagedFileError as error:
        lost = "its content is not what was stored" if error.path.exists() else "it is missing"
        found.append(Damage("manifest", error.path, lost))
    found += _side_damages(store, manifest)
    if manifest is None:
        paths = data_files(store)
        found += filter(None, (_undescribed(path) for path in paths))
        return VerifyReport(len(paths), sum(path.stat().st_size for path in paths), tuple(found))
    found += _data_damages(store, manifest, advanced)
    entries = [entry for _, entry in manifest.partitions()]
    return VerifyReport(len(entries), sum(entry.bytes for entry in entries), tuple(found))


def _side_damages(store: Path, manifest: Manifest | None) -> Iterator[Damage]:
    """Yield the damages of files beside the bars.

    Without a manifest, only files with a checksum of their own can be checked.
    """
    for name in SIDE_FILES:
        path, entry = store / name, manifest.side_files.get(name) if manifest else None
        problem = None
        if entry is not None:
            problem = side_file_problem(path, entry)
        elif path.exists() and manifest is not None:
            problem = NOT_KNOWN
        elif path.is_dir():
            problem = "it is a folder"
        elif path.exists() and name != LABEL and not has_own_checksum(path.read_bytes()):
            problem = "its content is not what was stored"
        if (why := reading_problem(path)) is not None:
            yield _unreadable(path, why)
        elif problem is not None:
            yield Damage(SIDE_KINDS[name], path, problem)


def _data_damages(store: Path, manifest: Manifest, advanced: Callable[[int, int], None] | None) -> Iterator[Damage]:
    """Yield the damages of data files, and files among them that the manifest does not list."""
    known = {data_path(store, partition): (partition, entry) for partition, entry in manifest.partitions()}
    with ThreadPoolExecutor(_THREADS) as pool:
        problems = pool.map(lambda path: file_problem(path, known[path][1]), known)
        for done, (path, problem) in enumerate(zip(known, problems, strict=True), start=1):
            if problem is not None and (why := reading_problem(path)) is not None:
                yield _unreadable(path, why, *known[path])
            elif problem is not None:
                yield Damage("damaged" if path.exists() else "missing", path, problem, *known[path])
            if advanced is not None:
                advanced(done, len(known))
    for path in sorted((store / layout.BARS).rglob("*")):
        # A folder with the name of a data file counts, too, because it keeps bars from being stored there.
        if path not in known and (not path.is_dir() or is_data_file(store, path)):
            why = reading_problem(path)
            yield Damage("unknown", path, NOT_KNOWN) if why is None else _unreadable(path, why)


def _unreadable(path: Path, why: str, partition: Partition | None = None, entry: FileEntry | None = None) -> Damage:
    return Damage("unreadable", path, f"it cannot be read ({why})", partition, entry)


def _undescribed(path: Path) -> Damage | None:
    """Return the damage of a data file that cannot be read, without a manifest, or None."""
    try:
        describe_file(path)
    except UnreadableFileError as exc:
        return _unreadable(path, exc.cause, partition_of(path))
    except DamagedFileError as exc:
        return Damage("damaged", path, f"it cannot be read: {exc.cause}", partition_of(path))
    return None
