"""Writes of bars, merged with stored bars and collected in batches."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from openbell.errors import BadBarsError, StoreError
from openbell.model.interval import parse_interval
from openbell.store.backing import EncodedFile, until_committed
from openbell.store.built_mark import BUILT, marked_as, read_built, with_built_column
from openbell.store.check_bars import require_good_bars
from openbell.store.data_file import damaged_file
from openbell.store.day_zones import noted_day_zones
from openbell.store.layout import Partition, as_stored, data_name, data_path, partitions, require_symbol
from openbell.store.write_report import WriteReport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openbell.store.backing import Backing
    from openbell.store.manifest import Manifest

__all__ = ["StoreWriter"]

_FLUSH_ROWS = 2_000_000
_FLUSH_FILES = 1000


class StoreWriter:
    """Writer that collects bars and writes them to disk in batches.

    `BarStore.writer` makes it, and holds the lock meanwhile.

    Attributes:
        manifest: The manifest as of the last flush.
    """

    def __init__(self, backing: Backing, manifest: Manifest) -> None:
        self._backing = backing
        self.manifest = manifest
        # None removes the file.
        self._staged: dict[Partition, pl.DataFrame | EncodedFile | None] = {}
        # If others may write meanwhile: the rows that were merged into each staged file, to be merged again.
        self._rows: dict[Partition, pl.DataFrame] = {}
        self._staged_rows = 0
        self._day_zones: dict[str, str | None] = {}

    def forget_days(self, symbol: str) -> None:
        """Remove the note of a symbol's days with the next flush, since all its daily bars are removed."""
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

        A bar replaces a stored bar of the same time.

        Args:
            symbol: Any text; taken as it is.
            interval: One for which `is_stored` holds.
            frame: The columns of `BAR_SCHEMA`, timestamps with a time zone, in any order; others are left out.
            built: Which of them openbell built itself, as rows of `BUILT_SCHEMA`; a bar that is not among them is a
                vendor's, also if it replaces a built one.
            allow_negative: Whether prices may be 0 and below.
            days: The days that daily bars span: a time zone, whose days are meant from midnight to midnight, or
                `SESSION` or `UNKNOWN`. `UNKNOWN` does not replace another note. The note is written in the same commit
                as the bars. None leaves the note as it is.

        Returns:
            The rows added, revised and unchanged. They are on disk after the next flush, at the latest at the end of
            the ``with`` block; those of one call all at once.

        Raises:
            BadBarsError: Bars contradict themselves; nothing of ``frame`` is written.
            StoreError: No folder can be named after the symbol.
            DamagedFileError: An existing file is not what was stored, so the bars cannot be merged into it; nothing of
                ``frame`` is written.
        """
        require_symbol(symbol)
        bars = require_good_bars(
            as_stored(interval, frame), symbol, parse_interval(interval), allow_negative=allow_negative
        )
        if built is not None:
            bars = marked_as(bars, built)
        report, changed, parts = until_committed(lambda: self._merge(symbol, interval, bars), self._rebase)
        if days is not None:
            self._day_zones[symbol] = days
        self._staged |= changed
        if self._backing.is_shared:
            self._rows |= {p: _over(rows, self._rows.get(p)) for p, rows in parts.items() if p in changed}
        self._staged_rows += sum(rows.height for rows in changed.values())
        if self._staged_rows >= _FLUSH_ROWS or len(self._staged) >= _FLUSH_FILES:
            self.flush()
        return report

    def _merge(
        self, symbol: str, interval: str, bars: pl.DataFrame
    ) -> tuple[WriteReport, dict[Partition, pl.DataFrame], dict[Partition, pl.DataFrame]]:
        """Return the outcome of a write, the data files that change, and the rows that go into each."""
        report = WriteReport()
        changed: dict[Partition, pl.DataFrame] = {}
        parts = {Partition(interval, symbol, month): rows for month, rows in partitions(interval, bars)}
        for partition, rows in parts.items():
            merged, outcome = _merged(rows, None if self._replaces_lost(partition, rows) else self.current(partition))
            report += outcome
            if merged is not None:
                changed[partition] = merged
        return report, changed, parts

    def _rebase(self) -> None:
        """Merge what is staged into what other processes have stored meanwhile.

        Raises:
            StoreError: Another process has changed bars that are to be removed.
        """
        before, now = self.manifest, self._backing.heal()
        for partition in [p for p in self._staged if before.entry(p) != now.entry(p)]:
            staged = self._staged[partition]
            if isinstance(staged, EncodedFile):
                rows: pl.DataFrame | None = self._decoded(partition, staged.content)
            else:
                rows = self._rows.get(partition)
            if rows is None:
                raise StoreError(
                    f"another process has changed the bars of {partition.symbol} {partition.interval} "
                    f"({partition.month}) meanwhile, and nothing was removed. Try again."
                )
            content = self._backing.content(partition, now.entry(partition))
            merged, _ = _merged(rows, None if content is None else self._decoded(partition, content))
            if merged is None:
                del self._staged[partition]
            else:
                self._staged[partition] = merged
        self.manifest = now

    def current(self, partition: Partition) -> pl.DataFrame | None:
        """Return the bars of a data file, those not yet flushed included, or None without any.

        They have the column `BUILT` if openbell built any of them.

        Raises:
            DamagedFileError: The file is not what was stored.
        """
        if partition in self._staged:
            staged = self._staged[partition]
            return self._decoded(partition, staged.content) if isinstance(staged, EncodedFile) else staged
        content = self._backing.content(partition, self.manifest.entry(partition))
        return None if content is None else self._decoded(partition, content)

    def _decoded(self, partition: Partition, content: bytes) -> pl.DataFrame:
        try:
            return marked_as(pl.read_parquet(io.BytesIO(content)), read_built(content))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, BadBarsError) as exc:
            place = self._backing.place
            path = data_path(place, partition) if isinstance(place, Path) else place / data_name(partition)
            raise damaged_file(path, str(exc)) from exc

    def _replaces_lost(self, partition: Partition, rows: pl.DataFrame) -> bool:
        """Return whether the data file is lost, and ``rows`` are as many and span as much as it had."""
        lost = self.manifest.entry(partition)
        if lost is None or partition in self._staged or not self._backing.is_lost(partition, lost):
            return False
        times = rows["timestamp"].to_physical()
        return rows.height >= lost.rows and bool(times[0] <= lost.first_ns and times[-1] >= lost.last_ns)

    def put(self, partition: Partition, file: EncodedFile, *, days: str | None = None) -> None:
        """Stage an encoded data file for the next flush, in a place that has none.

        Args:
            partition: Its place.
            file: Its verified content, and its entry.
            days: As for `write`.
        """
        self._staged[partition] = file
        if days is not None:
            self._day_zones[partition.symbol] = days

    def replace(self, changes: Mapping[Partition, pl.DataFrame | None]) -> None:
        """Stage whole data files for the next flush.

        None removes a file.

        Args:
            changes: Frames of `BAR_SCHEMA` as `current` returns them, with rows left out.
        """
        self._staged |= changes

    def flush(self) -> None:
        """Write everything that is staged to disk, all of it or nothing.

        Raises:
            StoreError: The disk is full or the folder cannot be written; what is staged is then discarded.
        """
        try:
            until_committed(self._commit, self._rebase)
        finally:
            self._staged, self._rows, self._staged_rows = {}, {}, 0

    def _commit(self) -> None:
        notes = noted_day_zones(self._backing.place, self._day_zones)
        if self._staged or notes:
            self.manifest = self._backing.commit(self.manifest, self._staged, notes)


def _over(rows: pl.DataFrame, before: pl.DataFrame | None) -> pl.DataFrame:
    """Return earlier rows with ``rows`` merged into them."""
    if before is None:
        return rows
    merged, _ = _merged(rows, before)
    return before if merged is None else merged


def _merged(rows: pl.DataFrame, current: pl.DataFrame | None) -> tuple[pl.DataFrame | None, WriteReport]:
    """Merge ``rows`` into the bars of a partition, and return them (None if unchanged) with the outcome."""
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
