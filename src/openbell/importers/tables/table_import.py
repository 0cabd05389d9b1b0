"""Import of tables of bars into a store.

Every row is read, checked against all other rows of its file, and stored or set aside.

A file is read in chunks, and its bars are buffered. After the whole file, they are read back in batches, each with all
bars of some symbols and times, so that repetitions and contradictions are noticed however far apart their rows are.
Nothing is written before that, so a file that the command does not fit leaves no trace. Rows that cannot be used are
read once more from the file and copied to the quarantine. The memory holds a few chunks and batches, never the file.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import polars as pl

from openbell.errors import BadBarsError, ConfigError, DamagedFileError
from openbell.importers.files.import_files import UNREADABLE, find_sources
from openbell.importers.import_report import ImportReport, Progress
from openbell.importers.lean.log import logged
from openbell.importers.negative_prices import refuse_negative
from openbell.importers.quarantine import write_quarantine
from openbell.importers.sniffing.interval import length_of, longer_than_days
from openbell.importers.spill_buffer import SpillBuffer
from openbell.model.interval import DAY_NS
from openbell.store.check_bars import check_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from openbell.importers.files.import_files import ImportSource
    from openbell.importers.tables.bar_rows import BarRows
    from openbell.importers.tables.table import Table
    from openbell.store.store import BarStore
    from openbell.store.writer import StoreWriter

__all__ = ["BATCH_ROWS", "BUCKET_NS", "import_files", "import_tables"]

BATCH_ROWS = 1_000_000
"""The approximate number of rows that are checked and stored at once."""

BUCKET_NS = 28 * DAY_NS
"""The length of the buckets of time by which buffered rows are counted, in nanoseconds."""

_IN_FLIGHT = 2
_ENOUGH_STEPS = 20
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def import_files(
    paths: Sequence[Path],
    endings: tuple[str, ...],
    store: BarStore,
    open_table: Callable[[ImportSource], tuple[Table, BarRows]],
    *,
    symbol: str | None,
    symbol_column: bool,
    file_name: str,
    progress: Progress | None = None,
) -> ImportReport:
    """Import the files that paths, folders, globs and patterns name, as `import_tables` does.

    Args:
        paths: Files, folders, globs and patterns.
        endings: The endings of files in folders.
        store: The store to import into.
        open_table: Returns the table of a source, and the converter of its rows to bars.
        symbol: The symbol of all files; None takes it from each file's name, in upper case.
        symbol_column: Whether a column has the symbols.
        file_name: The pattern of the names of the files, without the ending.
        progress: Called after each file.

    Raises:
        ConfigError: There are no such files, or as for `import_tables`.
        BadBarsError: No row can be used.
    """
    sources = find_sources(paths, endings, symbol=symbol, file_name=file_name, symbol_column=symbol_column)
    return import_tables(sources, store, open_table, progress=progress)


def import_tables(
    sources: Sequence[ImportSource],
    store: BarStore,
    open_table: Callable[[ImportSource], tuple[Table, BarRows]],
    *,
    progress: Progress | None = None,
) -> ImportReport:
    """Import tables of bars.

    Args:
        sources: The sources of the tables.
        store: The store to import into.
        open_table: Returns the table of a source, and the converter of its rows to bars.
        progress: Called after each file.

    Raises:
        ConfigError: The settings do not fit the first file; later files that they do not fit are in the report.
        BadBarsError: No row can be used.
    """
    report = ImportReport()
    with store.writer() as writer:
        SpillBuffer.clean(store.backing.scratch)
        for done, source in enumerate(sources, 1):
            with logged(report, source):
                try:
                    table, bars = open_table(source)
                    _import_table(table, bars, report, writer, store, is_first=done == 1)
                except ConfigError as exc:
                    if done == 1:
                        raise
                    report.failed.append((source.path, str(exc)))
                except (*UNREADABLE, DamagedFileError, BadBarsError) as exc:
                    report.failed.append((source.path, (str(exc) or type(exc).__name__).splitlines()[0]))
            if progress is not None:
                progress(done, len(sources))
    report.require_bars()
    report.failed += report.unusable
    return report


def _import_table(
    table: Table, bars: BarRows, report: ImportReport, writer: StoreWriter, store: BarStore, *, is_first: bool
) -> None:
    scratch = store.backing.scratch
    with SpillBuffer(scratch) as good, SpillBuffer(scratch) as bad:
        rows = _BufferedRows(good)
        for read, unreadable in _ahead(bars.read, table.chunks(bars.wanted, bars.numbers)):
            rows.add(read)
            if len(unreadable):
                bad.add(unreadable)
        _require_interval(_times_of_first_symbol(good), bars, is_first=is_first)
        if not bars.allow_negative:
            refuse_negative(good)
        wrong = _Wrong(report, bars, bad)
        for frame in bad:
            wrong.count(frame, bars.symbol)
        for symbol in rows.symbols or ([bars.symbol] if bars.symbol else []):
            report.of(symbol, bars.interval).files += 1
        stored = _store(rows, bars, report, writer, wrong)
        report.set_aside_in(write_quarantine(scratch, table, bad))
        if not stored and wrong.reasons:
            why, count = wrong.reasons.most_common(1)[0]
            report.unusable.append((table.source.path, f"not one of its rows can be used: {why} ({count:,} rows)"))


def _store(rows: _BufferedRows, bars: BarRows, report: ImportReport, writer: StoreWriter, wrong: _Wrong) -> int:
    """Check the buffered rows, write the good ones, and return their number."""
    stored = 0
    for batch in _ahead(rows.rows_of, rows.batches()):
        for symbol, of_symbol in _by_symbol(batch, bars.symbol):
            series = report.of(symbol, bars.interval)
            checked = check_bars(of_symbol, allow_negative=bars.allow_negative)
            if len(checked.good):
                stored += len(checked.good)
                negative, days = bars.allow_negative, bars.days
                series.written += writer.write(symbol, bars.interval, checked.good, allow_negative=negative, days=days)
            series.unsorted += checked.unsorted
            series.duplicates += checked.duplicates
            if len(checked.bad):
                wrong.buffer.add(checked.bad)
                wrong.count(checked.bad, symbol)
    return stored


@dataclass
class _Wrong:
    """The rows of a file that are set aside.

    Attributes:
        report: The report, whose counts are increased.
        bars: The converter of the file's rows.
        buffer: ``line`` and ``reason`` of the rows.
        reasons: Number of rows by reason.
    """

    report: ImportReport
    bars: BarRows
    buffer: SpillBuffer
    reasons: Counter[str] = field(default_factory=Counter)

    def count(self, bad: pl.DataFrame, symbol: str | None) -> None:
        self.reasons.update(dict(bad["reason"].value_counts().iter_rows()))
        self.report.count_reasons(bad)
        if symbol is None:
            self.report.unnamed += len(bad)
        else:
            self.report.of(symbol, self.bars.interval).set_aside += len(bad)


def _times_of_first_symbol(frames: SpillBuffer) -> NDArray[np.int64]:
    """Return the first times of a file's first symbol, in nanoseconds, ascending and unique."""
    times = np.empty(0, np.int64)
    for frame in frames:
        rows = frame.filter(pl.col("symbol") == frames[0]["symbol"][0]) if "symbol" in frame.columns else frame
        times = np.unique(np.concatenate([times, rows["timestamp"].to_physical().to_numpy()]))
        if len(times) > _ENOUGH_STEPS:
            break
    return times


def _require_interval(times: NDArray[np.int64], bars: BarRows, *, is_first: bool) -> None:
    """Refuse a file of shorter bars than its interval, or of longer ones than the first file.

    Raises:
        ConfigError: Most bars of its first symbol begin before the bar ahead of them ends; or all are several intervals
            apart, in a file that is not the first, or weeks or months.
    """
    interval = bars.times.interval
    if not interval.is_intraday:
        if period := longer_than_days(times):
            raise ConfigError(f"its bars are {period}, and such bars are not stored: import daily ones.")
        return
    steps = np.diff(times)
    if len(steps) < _ENOUGH_STEPS:
        return
    usual, apart = int(np.median(steps)), int(np.gcd.reduce(steps))
    if usual < interval.ns:
        raise ConfigError(
            f"its bars are {length_of(usual)} apart, so that they overlap as bars of {interval}. Say their --interval."
        )
    if apart >= 2 * interval.ns and not is_first:
        raise ConfigError(
            f"its bars are {length_of(apart)} apart, not {interval} as those of the first file. "
            "Import it by itself, with its own --interval."
        )


@dataclass
class _BufferedRows:
    """The buffered bars of a file, with the counts of each chunk.

    Attributes:
        buffer: The bars, a frame for each chunk.
        keys: Per chunk, the number of rows of each (symbol, bucket of time).
    """

    buffer: SpillBuffer
    keys: list[dict[tuple[str, int], int]] = field(default_factory=list)

    def add(self, rows: pl.DataFrame) -> None:
        if rows.is_empty():
            return
        by = [*(["symbol"] if "symbol" in rows.columns else []), _bucket()]
        counts = rows.group_by(by).len()
        symbols = counts["symbol"] if "symbol" in rows.columns else [""] * len(counts)
        self.keys.append(dict(zip(zip(symbols, counts["bucket"], strict=True), counts["len"], strict=True)))
        self.buffer.add(rows)

    @property
    def symbols(self) -> list[str]:
        return sorted({symbol for keys in self.keys for symbol, _ in keys} - {""})

    def batches(self) -> Iterator[set[tuple[str, int]]]:
        """Yield sets of keys, each with at most `BATCH_ROWS` rows or a single key."""
        totals: Counter[tuple[str, int]] = Counter()
        for keys in self.keys:
            totals.update(keys)
        batch: set[tuple[str, int]] = set()
        rows = 0
        for key in sorted(totals):
            if batch and rows + totals[key] > BATCH_ROWS:
                yield batch
                batch, rows = set(), 0
            batch.add(key)
            rows += totals[key]
        if batch:
            yield batch

    def rows_of(self, batch: set[tuple[str, int]]) -> pl.DataFrame:
        """Return all rows with some keys, in the order of the file."""
        parts = []
        for place, keys in enumerate(self.keys):
            mine = keys.keys() & batch
            if not mine:
                continue
            frame = self.buffer[place]
            if len(mine) < len(keys):
                frame = _rows_with(frame, mine)
            parts.append(frame)
        return pl.concat(parts)


def _bucket() -> pl.Expr:
    return (pl.col("timestamp").to_physical() // BUCKET_NS).alias("bucket")


def _rows_with(frame: pl.DataFrame, keys: set[tuple[str, int]]) -> pl.DataFrame:
    symbols, buckets = zip(*keys, strict=True)
    wanted = pl.DataFrame({"symbol": symbols, "bucket": pl.Series(buckets, dtype=pl.Int64)})
    on = ["symbol", "bucket"] if "symbol" in frame.columns else ["bucket"]
    return frame.with_columns(_bucket()).join(wanted, on=on, how="semi", maintain_order="left").drop("bucket")


def _by_symbol(batch: pl.DataFrame, symbol: str | None) -> Iterator[tuple[str, pl.DataFrame]]:
    if symbol is not None:
        yield symbol, batch
        return
    for part in batch.partition_by("symbol", maintain_order=True):
        yield part["symbol"][0], part.drop("symbol")


def _ahead(work: Callable[[_Item], _Result], items: Iterator[_Item]) -> Iterator[_Result]:
    """Yield the result of ``work`` for each item in order.

    Results are computed a few items ahead, in other threads.
    """
    first = list(islice(items, 2))
    if len(first) < 2:  # for a small file, starting threads would take longer
        yield from map(work, first)
        return
    with ThreadPoolExecutor(_IN_FLIGHT) as pool:
        pending = []
        for item in chain(first, items):
            pending.append(pool.submit(work, item))
            if len(pending) > _IN_FLIGHT:
                yield pending.pop(0).result()
        while pending:
            yield pending.pop(0).result()
