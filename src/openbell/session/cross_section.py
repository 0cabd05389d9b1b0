"""Cross-sections of a session, for strategies that compare symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import numpy as np

from openbell.errors import DataError
from openbell.indicators.registry import canonical_key
from openbell.model.frozen import Frozen
from openbell.model.opaque_columns import opaque
from openbell.session.block import values_of_today
from openbell.session.series import all_bars

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from openbell.session import BarIntervalData, SessionData

__all__ = ["CrossSection", "CrossSectionTable"]


class CrossSectionTable:
    """Today's bars of many series of one interval, ordered by time of close and symbol.

    Each `CrossSection` has the rows of one time. A column is put in order when it is first read.

    Args:
        session_data: Where indicators are looked up.
        series: The series, one per symbol, ordered by symbol.
        last_ns: The end of the session, nanoseconds since 1970 UTC; bars that close later are left out.
        after_ns: Bars that have closed by this time are left out; nanoseconds since 1970 UTC.
    """

    def __init__(
        self, session_data: SessionData, series: Sequence[BarIntervalData], last_ns: int, *, after_ns: int = 0
    ) -> None:
        self.interval = series[0].interval
        self._session_data = session_data
        self._series = series
        names = np.array([s.symbol for s in series], object)
        times, today_row = all_bars(series[0]).times, series[0].today_row
        rows = _rows_between(series[0], after_ns, last_ns)
        closes = times.end[rows]
        self.ends_ns: NDArray[np.int64]
        self.symbols: NDArray[np.object_]
        self._order: NDArray[np.intp] | None = None
        # When all series have the same times, and no two bars of a series close at once, columns need no sorting.
        if all(all_bars(s).times is times and s.today_row == today_row for s in series) and (np.diff(closes) > 0).all():
            self._rows = [rows] * len(series)
            self.ends_ns, self.symbols = np.repeat(closes, len(names)), np.tile(names, len(closes))
            self._per_time = len(names)
        else:
            self._rows = [_rows_between(s, after_ns, last_ns) for s in series]
            ends = np.concatenate([all_bars(s).end[rows] for s, rows in self._pairs()])
            rank = np.repeat(np.arange(len(series)), [rows.stop - rows.start for rows in self._rows])
            self._order = np.lexsort((rank, ends))
            self.ends_ns, self.symbols = ends[self._order], names[rank[self._order]]
            self._per_time = 0  # the number of bars differs from time to time
        self._columns: dict[str, NDArray[np.float64]] = {}
        self._values: dict[tuple[str, str], NDArray[np.float64]] = {}
        self._values_read_from = session_data.current

    def by_time(self, after_ns: int) -> Iterator[tuple[int, CrossSection]]:
        """Yield the times after ``after_ns`` at which bars close, each with its cross-section."""
        past = int(self.ends_ns.searchsorted(after_ns, side="right"))
        if self._per_time:
            firsts = np.arange(past, len(self.ends_ns), self._per_time)
        else:
            firsts = past + np.flatnonzero(np.diff(self.ends_ns[past:], prepend=-1))
        rows = map(slice, firsts.tolist(), [*firsts[1:].tolist(), len(self.symbols)])
        for time_ns, of_time in zip(self.ends_ns[firsts].tolist(), rows, strict=True):
            yield time_ns, CrossSection(self, time_ns, of_time)

    def still_there(self, end_ns: int, rows: slice | NDArray[np.int64], owner: str | None = None) -> CrossSection:
        """Return the cross-section of the rows whose series are still in the session.

        With ``owner``, only rows of series that it still needs.
        """
        data, interval = self._session_data, self.interval
        places = np.arange(len(self.symbols))[rows]
        present = [
            data.get_bars(symbol, interval) is not None if owner is None else data.is_owned(symbol, interval, owner)
            for symbol in self.symbols[places]
        ]
        return CrossSection(self, end_ns, places[np.array(present, bool)])

    def column(self, name: str) -> NDArray[np.float64]:
        """Return a field of all bars, in the order of the table."""
        known = self._columns.get(name)
        if known is None:
            columns = [getattr(all_bars(s), name)[rows] for s, rows in self._pairs()]
            known = self._columns[name] = self._ordered(columns)
        return known

    def indicator(self, key: str, output: str) -> NDArray[np.float64]:
        """Return one output of an indicator in the order of the table, NaN for symbols without it.

        Raises:
            DataError: No symbol has it, or it reads another interval.
            UnknownNameError: It has no such output.
        """
        if self._values_read_from is not self._session_data.current:  # additions or removals since
            self._values_read_from = self._session_data.current
            self._values.clear()
        known = self._values.get((key, output))
        if known is None:
            known = self._values[key, output] = self._ordered(self._indicator_columns(key, output))
        return known

    def _indicator_columns(self, key: str, output: str) -> list[NDArray[np.float64]]:
        found = [self._values_of_today(one.symbol, key, output) for one in self._series]
        if not any(found):
            refusals = (self._session_data.refusal_of(s.symbol, canonical_key(key)) for s in self._series)
            why = next(filter(None, refusals), "Add it first.")
            raise DataError(f"no symbol of this cross-section of {self.interval} bars has {key}. {why}")
        if any(one is not None and one[0] != self.interval for one in found):
            raise DataError(f"{key} does not read the {self.interval} bars of this cross-section")
        blank = np.full(max(rows.stop - rows.start for rows in self._rows), np.nan)
        return [
            # Counted from today's first row: the series may reach further back by now than when the rows were counted.
            (blank if one is None else one[1][rows.start - series.today_row :])[: rows.stop - rows.start]
            for one, (series, rows) in zip(found, self._pairs(), strict=True)
        ]

    def _values_of_today(self, symbol: str, key: str, output: str) -> tuple[str, NDArray[np.float64]] | None:
        data = self._session_data.current.get(symbol)
        if data is None:
            return None
        as_written = values_of_today(data.indicators, key, output)
        return values_of_today(data.indicators, canonical_key(key), output) if as_written is None else as_written

    def _pairs(self) -> zip[tuple[BarIntervalData, slice]]:
        return zip(self._series, self._rows, strict=True)

    def _ordered(self, columns: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        column = np.stack(columns, axis=1).ravel() if self._order is None else np.concatenate(columns)[self._order]
        column.setflags(write=False)
        return column


def _rows_between(series: BarIntervalData, after_ns: int, last_ns: int) -> slice:
    """Return the rows of today's bars that close after ``after_ns`` and not after ``last_ns``."""
    ends = all_bars(series).end
    first, after = ends.searchsorted((after_ns, last_ns), side="right").tolist()
    return slice(max(first, series.today_row), max(after, series.today_row))


class CrossSection(Frozen):
    """The subscribed bars of one interval that closed at one time, as columns.

    Columns are in the order of `symbols`.

    Attributes:
        interval: The interval of the bars.
        end: Their close, nanoseconds since 1970 UTC.
    """

    __slots__ = ("_rows", "_table", "end")

    end: int
    _table: CrossSectionTable
    _rows: slice | NDArray[np.int64]

    def __init__(self, table: CrossSectionTable, end_ns: int, rows: slice | NDArray[np.int64]) -> None:
        _set_table(self, table)
        _set_rows(self, rows)
        _set_end(self, end_ns)

    def __reduce__(self) -> NoReturn:
        # A copy would include the table of the whole day, bars after the session clock among them.
        raise TypeError(f"{type(self).__name__} cannot be pickled or copied; its columns can")

    @property
    def interval(self) -> str:
        """The interval of the bars."""
        return self._table.interval

    @property
    def symbols(self) -> list[str]:
        """The symbols that have a bar at this time, in alphabetical order."""
        names: list[str] = self._table.symbols[self._rows].tolist()
        return names

    @property
    def open(self) -> NDArray[np.float64]:
        """Opening prices, one per symbol (float64)."""
        return opaque(self._table.column("open")[self._rows])

    @property
    def high(self) -> NDArray[np.float64]:
        """Highest prices, one per symbol (float64)."""
        return opaque(self._table.column("high")[self._rows])

    @property
    def low(self) -> NDArray[np.float64]:
        """Lowest prices, one per symbol (float64)."""
        return opaque(self._table.column("low")[self._rows])

    @property
    def close(self) -> NDArray[np.float64]:
        """Closing prices, one per symbol (float64)."""
        return opaque(self._table.column("close")[self._rows])

    @property
    def volume(self) -> NDArray[np.float64]:
        """Volumes, one per symbol (float64)."""
        return opaque(self._table.column("volume")[self._rows])

    def indicator(self, key: str, output: str = "") -> NDArray[np.float64]:
        """Return the values of an indicator of these bars, one per symbol.

        They are float64, and NaN where the indicator is not valid.

        Args:
            key: The indicator's key, e.g. "sma_20_5m"; it must read bars of this interval.
            output: The output of an indicator with several; the first unless given.

        Raises:
            DataError: No symbol has it, or it reads another interval.
            UnknownNameError: It has no such output.
        """
        return opaque(self._table.indicator(key, output)[self._rows])

    def still_there(self, owner: str | None = None) -> CrossSection:
        """Return this cross-section without symbols whose series has been removed since.

        With ``owner``, also without those whose series it no longer needs.
        """
        return self._table.still_there(self.end, self._rows, owner)

    def __len__(self) -> int:
        return len(self.symbols)


_set_table, _set_rows, _set_end = (vars(CrossSection)[name].__set__ for name in ("_table", "_rows", "end"))
