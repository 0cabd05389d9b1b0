"""Writes of bars, merged with those that are there and collected to batches."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import polars as pl

from openbell.errors import BadBarsError, DamagedFileError
from openbell.store.built import BUILT, marked_as, read_built, with_built_column
from openbell.store.check_bars import require_good_bars
from openbell.store.checksum import sha256_of
from openbell.store.commit import commit
from openbell.store.data_file import damaged_file
from openbell.store.day_zones import noted_day_zones
from openbell.store.layout import Partition, as_stored, data_path, partitions, require_symbol
from openbell.store.write_report import WriteReport

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from openbell.store.manifest import Manifest

__all__ = ["StoreWriter"]

_FLUSH_ROWS = 2_000_000
_FLUSH_FILES = 1000


class StoreWriter:
    """Collects writes and brings them to disk in batches.

    `BarStore.writer` makes it, and holds the lock meanwhile.

    Attributes:
        manifest: What the store holds by the last flush.
    """

    def __init__(self, store: Path, manifest: Manifest) -> None:
        self._store = store
        self.manifest = manifest
        # None takes the file out.
        self._staged: dict[Partition, pl.DataFrame | None] = {}
        self._staged_rows = 0
        self._day_zones: dict[str, str | None] = {}

    def forget_days(self, symbol: str) -> None:
        """Take out what is noted of the days of a symbol whose daily bars all go, with the next flush."""
        self._day_zones[symbol] = None

    def write(
        self,
        symbol: str,
        interval: str,
        frame: pl.DataFrame,
        *,
        built: pl.DataFrame | None = None,
        allow_negative: bool = False,
        days: str | None = None,
    ) -> WriteReport:
        """Add bars to a (symbol, interval).

        Bars of times that are there take their place.

        Args:
            symbol: Any text; taken as it is.
            interval: One for which `is_stored` holds.
            frame: The columns of `BAR_SCHEMA`, timestamps with a time zone, in any order; others are left out.
            built: Which of them openbell built itself, as rows of `BUILT_SCHEMA`; a bar that is not among them is a
                vendor's, also where it takes the place of one that was built.
            allow_negative: Whether prices may be 0 and below.
            days: Of daily bars, what days they are: the time zone from midnight to midnight of which they span, or
                `SESSION` or `UNKNOWN`, the last of which takes no other's place. It is noted with the bars, in one
                commit, so that neither is ever without the other. None leaves what is noted.

        Returns:
            The rows added, revised and unchanged. They are on disk after the next flush, at the latest at the end of
            the ``with`` block; those of one call all at once.

        Raises:
            BadBarsError: Bars contradict themselves; nothing of ``frame`` is written.
            StoreError: No folder can be named after the symbol.
            DamagedFileError: A file that is there is not what was stored, so the bars cannot be merged into it;
                nothing of ``frame`` is written.
        """
        require_symbol(symbol)
        bars = require_good_bars(as_stored(interval, frame), f"{symbol} {interval}", allow_negative=allow_negative)
        if built is not None:
            bars = marked_as(bars, built)
        report = WriteReport()
        changed: dict[Partition, pl.DataFrame] = {}
        for month, rows in partitions(interval, bars):
            partition = Partition(interval, symbol, month)
            merged, outcome = _merged(rows, None if self._replaces_lost(partition, rows) else self.current(partition))
            report += outcome
            if merged is not None:
                changed[partition] = merged
        if days is not None:
            self._day_zones[symbol] = days
        self._staged |= changed
        self._staged_rows += sum(rows.height for rows in changed.values())
        if self._staged_rows >= _FLUSH_ROWS or len(self._staged) >= _FLUSH_FILES:
            self.flush()
        return report

    def current(self, partition: Partition) -> pl.DataFrame | None:
        """Return the bars of a data file, with what is not yet flushed, or None.

        With the column `BUILT`, if openbell built any of them.

        Raises:
            DamagedFileError: The file is not what was stored.
        """
        if partition in self._staged:
            return self._staged[partition]
        path, entry = data_path(self._store, partition), self.manifest.entry(partition)
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
        try:
            return marked_as(pl.read_parquet(io.BytesIO(content)), read_built(content))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, BadBarsError) as exc:
            raise DamagedFileError(path, str(exc)) from exc

    def _replaces_lost(self, partition: Partition, rows: pl.DataFrame) -> bool:
        """Return whether the data file is lost, and ``rows`` bring all that it had."""
        lost = self.manifest.entry(partition)
        if lost is None or partition in self._staged or data_path(self._store, partition).exists():
            return False
        times = rows["timestamp"].to_physical()
        return rows.height >= lost.rows and bool(times[0] <= lost.first_ns and times[-1] >= lost.last_ns)

    def replace(self, changes: Mapping[Partition, pl.DataFrame | None]) -> None:
        """Stage whole data files for the next flush.

        None takes one out.

        Args:
            changes: Frames of `BAR_SCHEMA` as `current` returns them, with rows left out.
        """
        self._staged |= changes

    def flush(self) -> None:
        """Bring everything that was written so far to disk, all of it or nothing.

        Raises:
            StoreError: The disk is full or the folder cannot be written; what was not stored yet is given up.
        """
        staged, self._staged, self._staged_rows = self._staged, {}, 0
        notes = noted_day_zones(self._store, self._day_zones)
        if staged or notes:
            self.manifest = commit(self._store, self.manifest, staged, notes)


def _merged(rows: pl.DataFrame, current: pl.DataFrame | None) -> tuple[pl.DataFrame | None, WriteReport]:
    """Return the bars of a partition with ``rows`` put in, or None when it stays, and the outcome."""
    if current is None:
        return rows, WriteReport(added=rows.height)
    if rows.equals(current):
        return None, WriteReport(unchanged=rows.height)
    if BUILT in rows.columns or BUILT in current.columns:
        rows, current = with_built_column(rows), with_built_column(current)
    both = rows.join(current, on="timestamp", how="inner", suffix="_before")
    values = [name for name in rows.columns if name != "timestamp"]
    revised = both.filter(
        pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in values)
    ).height
    report = WriteReport(rows.height - both.height, revised, both.height - revised)
    if not (report.added or report.revised):
        return None, report
    others = current.join(rows, on="timestamp", how="anti")
    return pl.concat([others, rows]).sort("timestamp"), report
