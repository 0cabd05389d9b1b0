"""The copy of a store to another place, in a folder or in object storage."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from openbell.actions import ActionStore
from openbell.errors import ConfigError, DamagedFileError, UnknownNameError
from openbell.model.symbol import listed_symbols
from openbell.store.backing import CommitConflictError, EncodedFile
from openbell.store.built_mark import read_built
from openbell.store.day_zones import read_day_zones
from openbell.store.label import read_label, write_label
from openbell.store.layout import UNAVAILABLE, storable
from openbell.store.store import BarStore
from openbell.store.write_report import WriteReport
from openbell.vendors.unavailable_sessions import UnavailableSessions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from openbell.model.address import Place
    from openbell.store.layout import Partition
    from openbell.store.writer import StoreWriter

__all__ = ["CopyReport", "copy_store"]

_AT_ONCE = 8
_MOST_FILES, _MOST_BYTES = 200, 64 << 20
"""The most that is read and stored in one batch; a copy that was killed continues after the last whole batch."""


@dataclass
class CopyReport:
    """The outcome of a copy.

    Attributes:
        files: Number of data files of the source that the copy was to bring.
        copied: Number of files that the target did not have, copied byte for byte.
        merged: Number of files that the target had with other bars, into which the source's bars were merged.
        unchanged: Number of files that the target had already.
        bytes: Size of the files that were read.
        rows: Rows of the merged files that were added, revised and unchanged.
        actions: Corporate actions that were added, revised and unchanged.
    """

    files: int = 0
    copied: int = 0
    merged: int = 0
    unchanged: int = 0
    bytes: int = 0
    rows: WriteReport = field(default_factory=WriteReport)
    actions: WriteReport = field(default_factory=WriteReport)


def copy_store(
    source: Place,
    target: Place,
    *,
    symbols: Collection[str] = (),
    intervals: Collection[str] = (),
    advanced: Callable[[int, int], None] | None = None,
) -> CopyReport:
    """Copy the content of a store that another store does not have.

    Every file is compared with its checksum when it is read. Where both stores have bars of the same times, the
    source's replace the target's; bars that only the target has stay. Corporate actions are copied unless ``symbols``
    are given. May be killed and begun again.

    Args:
        source: The store to copy from.
        target: The store to copy to; made if missing.
        symbols: The symbols to copy; empty: all.
        intervals: The intervals to copy; empty: all.
        advanced: Called with (files done, files in all).

    Raises:
        ConfigError: Both are the same; or the source has no such symbol; or bars of an interval are not stored.
        DamagedFileError: A file of the source is not what was stored; what came before it is in the target.
        StoreError: There is no such store, or the target cannot be written.
    """
    if str(source) == str(target):
        raise ConfigError(f"{source} is the source and the target. Name two stores.")
    held = BarStore.open(source)
    names = frozenset(listed_symbols(symbols, "copy_store"))
    if strange := sorted(names - set(held.symbols())):
        raise UnknownNameError("symbol", strange[0], held.symbols(), str(source))
    chosen = {str(storable(interval)) for interval in intervals}
    into = BarStore.open_or_create(target)
    wanted = [
        partition
        for partition, _ in held.manifest.partitions()
        if (not names or partition.symbol in names) and (not chosen or partition.interval in chosen)
    ]
    report = CopyReport(files=len(wanted))
    copying = _Copy(held, into, report)
    done = 0
    for batch in copying.batches(wanted):
        copying.bring(batch)
        done += len(batch)
        if advanced is not None:
            advanced(done, len(wanted))
    report.actions = ActionStore(target).write(ActionStore(source).read()) if not symbols else report.actions
    if UNAVAILABLE in held.manifest.side_files:
        UnavailableSessions(target).merge(UnavailableSessions(source).read())
    if (label := read_label(source)) is not None and read_label(target) is None:
        write_label(target, f"{label}\n")
    return report


class _Copy:
    """One copy in progress, with its report."""

    def __init__(self, source: BarStore, target: BarStore, report: CopyReport) -> None:
        self._source = source
        self._target = target
        self._report = report
        self._days = read_day_zones(source.path, source.manifest)

    def batches(self, wanted: Sequence[Partition]) -> Iterator[list[Partition]]:
        """Yield the wanted partitions in batches that are stored together."""
        manifest, batch, size = self._source.manifest, [], 0
        for partition in wanted:
            entry = manifest.entry(partition)
            batch.append(partition)
            size += entry.bytes if entry else 0
            if len(batch) >= _MOST_FILES or size >= _MOST_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def bring(self, batch: Sequence[Partition]) -> None:
        """Copy or merge a batch of data files into the target, all of them or none."""
        there = self._target.manifest
        missing = []
        for partition in batch:
            entry, held = self._source.manifest.entry(partition), there.entry(partition)
            if entry is None or (held is not None and held.sha256 == entry.sha256):
                self._report.unchanged += 1
            else:
                missing.append(partition)
        if not missing:
            return
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            files = dict(zip(missing, pool.map(self._read, missing), strict=True))
        with self._target.writer() as writer:
            for partition, file in files.items():
                if file is not None:
                    self._store(writer, partition, file)

    def _read(self, partition: Partition) -> EncodedFile | None:
        """Return a data file of the source, or None if it was removed meanwhile."""
        entry = self._source.manifest.entry(partition)
        while entry is not None:
            try:
                content = self._source.backing.content(partition, entry, keep=False)
            except (DamagedFileError, CommitConflictError):
                # Another process may have replaced the file.
                before, entry = entry, self._source.reload().entry(partition)
                if before == entry:
                    raise
                continue
            return None if content is None else EncodedFile(content, entry._replace(object=""))
        return None

    def _store(self, writer: StoreWriter, partition: Partition, file: EncodedFile) -> None:
        """Put a data file into the target, or merge its bars with those there."""
        days = self._days.get(partition.symbol) if partition.interval == "1d" else None
        self._report.bytes += len(file.content)
        if writer.manifest.entry(partition) is None:
            writer.put(partition, file, days=days)
            self._report.copied += 1
            return
        bars = pl.read_parquet(io.BytesIO(file.content))
        built = read_built(file.content)
        self._report.rows += writer.write(
            partition.symbol, partition.interval, bars, built=built, allow_negative=True, days=days
        )
        self._report.merged += 1
