"""The report of an import, and the storing of parsed rows."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from openbell.errors import BadBarsError
from openbell.importers.files.disk_errors import writing_to
from openbell.store import layout
from openbell.store.atomic_files import replace_file
from openbell.store.check_bars import check_bars
from openbell.store.write_report import WriteReport

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.store.writer import StoreWriter

__all__ = ["ImportReport", "ImportedSeries", "Progress", "store_checked"]

_SHOWN_REASONS = 3

Progress = Callable[[int, int], None]
"""Called with (files done, files in all)."""


_NO_VOLUME = "the volume is missing or not a number"


@dataclass
class ImportedSeries:
    """The counts of an import for one symbol and interval.

    Attributes:
        symbol: The symbol.
        interval: The stored interval.
        files: Number of source files read.
        written: Rows added, revised and unchanged in the store.
        unsorted: Number of rows with an earlier time than the row before; they are stored in order.
        duplicates: Number of rows that repeated another one exactly, and were left out.
        set_aside: Number of rows in quarantine.
    """

    symbol: str
    interval: str
    files: int = 0
    written: WriteReport = field(default_factory=WriteReport)
    unsorted: int = 0
    duplicates: int = 0
    set_aside: int = 0


@dataclass
class ImportReport:
    """The result of an import.

    Attributes:
        series: The counts by symbol and interval, in the order of import.
        failed: Source files that could not be read or stored at all, with the reason; all others were imported.
        unusable: Source files of which all rows were set aside, with the most frequent reason.
        quarantine: Files that hold the rows set aside.
        unnamed: Number of rows set aside whose symbol is unknown.
        reasons: Number of rows set aside, by reason.
        actions: Corporate actions added, revised and unchanged; None when the source has none.
    """

    series: dict[tuple[str, str], ImportedSeries] = field(default_factory=dict)
    failed: list[tuple[Path, str]] = field(default_factory=list)
    unusable: list[tuple[Path, str]] = field(default_factory=list)
    quarantine: list[Path] = field(default_factory=list)
    unnamed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    actions: WriteReport | None = None

    def of(self, symbol: str, interval: str) -> ImportedSeries:
        """Return the entry of a symbol and interval, made if missing."""
        return self.series.setdefault((symbol, interval), ImportedSeries(symbol, interval))

    @property
    def written(self) -> WriteReport:
        """Rows added, revised and unchanged over all series."""
        return sum((series.written for series in self.series.values()), WriteReport())

    @property
    def set_aside(self) -> int:
        """Number of rows set aside, over all series and of unknown symbols."""
        return sum(series.set_aside for series in self.series.values()) + self.unnamed

    def count_reasons(self, bad: pl.DataFrame) -> None:
        """Count the reasons why rows are set aside."""
        self.reasons.update(dict(bad["reason"].value_counts().iter_rows()))

    @property
    def why(self) -> str:
        """The most frequent reasons with their counts, as text for users."""
        texts = [f"{reason} ({_counted(count, 'row')})" for reason, count in self.reasons.most_common(_SHOWN_REASONS)]
        return "; ".join([*texts, *(["..."] if len(self.reasons) > _SHOWN_REASONS else [])])

    def set_aside_in(self, quarantine: Path | None) -> None:
        """Record a file that holds rows set aside, if there is one."""
        if quarantine is not None and quarantine not in self.quarantine:
            self.quarantine.append(quarantine)

    def require_bars(self) -> None:
        """Refuse an import of which no row could be used.

        Raises:
            BadBarsError: No row was stored; the message names the first file that failed, or the quarantine.
        """
        written = self.written
        if written.added or written.revised or written.unchanged:
            return
        if self.failed:
            path, reason = self.failed[0]
            raise BadBarsError(
                f"nothing was imported: {_counted(len(self.failed), 'file')} failed; the first is {path}: {reason}"
            )
        if not self.set_aside:
            raise BadBarsError("nothing was imported: there are no rows of bars.")
        where = f"; {self.quarantine[0]} holds them with the reasons" if self.quarantine else ""
        why = f": {self.why}" if self.reasons else ""
        hint = " Where no volumes are known, --volume-column none stores 0." if _NO_VOLUME in self.reasons else ""
        raise BadBarsError(f"nothing was imported: {_counted(self.set_aside, 'row')} cannot be used{why}{where}.{hint}")


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def store_checked(
    writer: StoreWriter,
    store: Path,
    series: ImportedSeries,
    parsed: pl.DataFrame,
    raw: pl.DataFrame,
    source: str,
    *,
    days: str | None = None,
) -> Path | None:
    """Write the good rows of ``parsed``, and put the bad ones into the quarantine.

    Args:
        writer: The writer that good rows are written with.
        store: Folder of the store, which has the quarantine.
        series: The entry of the report whose counts are increased.
        parsed: Columns of `BAR_SCHEMA`, ``line``, and optionally ``reason``: why a row cannot be used (else null).
        raw: The rows as they are in the source, with the same ``line``, to be written to the quarantine. Where several
            files make one source, ``file_line`` is the line within the file.
        source: Name of the source, for the quarantine's file name.
        days: As for `StoreWriter.write`.

    Returns:
        The quarantine file, or None when all rows were good.

    Raises:
        StoreError: The quarantine cannot be written.
    """
    known = parsed.filter(pl.col("reason").is_not_null()) if "reason" in parsed.columns else None
    usable = parsed if known is None else parsed.filter(pl.col("reason").is_null()).drop("reason")
    checked = check_bars(usable)
    bad = checked.bad if known is None else pl.concat([checked.bad, known.select("line", "reason")])
    if len(checked.good):
        series.written += writer.write(series.symbol, series.interval, checked.good, days=days)
    series.unsorted += checked.unsorted
    series.duplicates += checked.duplicates
    series.set_aside += len(bad)
    if not len(bad):
        return None
    return _set_aside(store / layout.QUARANTINE, source, raw.join(bad, on="line", how="inner").sort("line"))


def _set_aside(folder: Path, source: str, rows: pl.DataFrame) -> Path:
    """Write rows to ``<source>-<n>.csv``, unless such a file holds the same rows, and return the file."""
    if "file_line" in rows.columns:
        rows = rows.drop("line").rename({"file_line": "line"})
    buffer = io.BytesIO()
    rows.select("line", "reason", pl.all().exclude("line", "reason")).write_csv(buffer)
    name = re.sub(r"[^\w.-]+", "_", source)
    n = 1
    with writing_to(folder):
        folder.mkdir(exist_ok=True)
        while (path := folder / f"{name}-{n}.csv").exists():
            if path.read_bytes() == buffer.getvalue():
                return path
            n += 1
        replace_file(path, buffer.getvalue())
    return path
