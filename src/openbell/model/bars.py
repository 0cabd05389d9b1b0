"""Bars of one symbol and interval, as read-only columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from weakref import ref

import numpy as np

from openbell.model.frozen import Frozen
from openbell.model.opaque_columns import opaque

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    import pandas as pd
    import polars as pl
    from numpy.typing import NDArray

__all__ = ["Bar", "BarTimes", "Bars", "ClosedBars"]


class Bar(NamedTuple):
    """One closed bar, as a strategy's ``on_bar`` gets it.

    ``timestamp`` is the start and ``end`` the close of the bar, both int64 nanoseconds since 1970 UTC; `start_time` and
    `end_time` are the same as datetimes. ``count`` is the number of base bars that it was made of.
    """

    symbol: str
    interval: str
    timestamp: int
    end: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    count: int  # type: ignore[assignment]  # a bar has no use for tuple.count

    @property
    def start_time(self) -> datetime:
        """Start of the bar, as an aware datetime in UTC."""
        return _utc(self.timestamp)

    @property
    def end_time(self) -> datetime:
        """Close of the bar, when it became visible, as an aware datetime in UTC."""
        return _utc(self.end)


def _utc(ns: int) -> datetime:
    from datetime import UTC, datetime, timedelta

    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ns // 1000)


class BarTimes(Frozen):
    """Starts, closes and counts of consecutive bars.

    Bars of several symbols with equal times share one object, so that its identity can serve as the cache key of
    results that depend on the times alone.

    Attributes:
        timestamp: Start of each bar; int64, nanoseconds since 1970 UTC. Strictly ascending.
        end: Close of each bar, when it becomes visible; int64, nanoseconds since 1970 UTC.
        count: Base bars that each bar was made of (1 for a base bar, 0 for a synthetic one); int32.
    """

    __slots__ = ("__weakref__", "_windows", "count", "end", "timestamp")

    timestamp: NDArray[np.int64]
    end: NDArray[np.int64]
    count: NDArray[np.int32]
    _windows: dict[tuple[int, int], ref[BarTimes]]

    def __init__(self, timestamp: NDArray[np.int64], end: NDArray[np.int64], count: NDArray[np.int32]) -> None:
        for column in (timestamp, end, count):
            column.setflags(write=False)
        _set_timestamp(self, timestamp)
        _set_end(self, end)
        _set_count(self, count)
        _set_windows(self, {})

    def __reduce__(self) -> tuple[type[BarTimes], tuple[NDArray[np.generic], ...]]:
        """Return the parts that copying and pickling need."""
        return BarTimes, tuple(getattr(self, name) for name in TIME_COLUMNS)

    def __len__(self) -> int:
        return len(self.timestamp)

    @property
    def has_synthetic(self) -> bool:
        """Whether any of the bars is synthetic."""
        return bool(len(self.count)) and int(self.count.min()) == 0

    def window(self, first: int, after: int) -> BarTimes:
        """Return the times from row ``first`` up to but without ``after``.

        Calls for the same rows return the same object, as long as a reference to it is left.
        """
        if first == 0 and after >= len(self.timestamp):
            return self
        held = self._windows.get((first, after))
        known = None if held is None else held()
        if known is None:
            if len(self._windows) >= _MOST_WINDOWS:
                _set_windows(self, {key: window for key, window in list(self._windows.items()) if window() is not None})
            rows = slice(first, after)
            known = BarTimes(self.timestamp[rows], self.end[rows], self.count[rows])
            self._windows[first, after] = ref(known)
        return known

    @staticmethod
    def concat(parts: Iterable[BarTimes]) -> BarTimes:
        """Join times that follow one another."""
        return BarTimes(*map(np.concatenate, zip(*((p.timestamp, p.end, p.count) for p in parts), strict=True)))

    def equal(self, other: BarTimes) -> bool:
        """Return whether all times and counts are the same."""
        return self is other or all(np.array_equal(getattr(self, name), getattr(other, name)) for name in TIME_COLUMNS)


_MOST_WINDOWS = 64
"""The number of windows from which dead references are pruned, such as those to windows of past days."""


class Bars(Frozen):
    """Bars in ascending time, as read-only NumPy columns of one length.

    Attributes:
        times: When the bars begin and close.
        open: Opening prices (float64), as all prices in the currency of the instrument.
        high: Highest prices (float64).
        low: Lowest prices (float64).
        close: Closing prices (float64).
        volume: Units traded (float64).
    """

    __slots__ = ("close", "high", "low", "open", "times", "volume")

    times: BarTimes
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]

    def __init__(
        self,
        timestamp: NDArray[np.int64],
        end: NDArray[np.int64],
        open: NDArray[np.float64],  # noqa: A002 -- the field's name for it
        high: NDArray[np.float64],
        low: NDArray[np.float64],
        close: NDArray[np.float64],
        volume: NDArray[np.float64],
        count: NDArray[np.int32],
    ) -> None:
        for column in (open, high, low, close, volume):
            column.setflags(write=False)
        _filled(self, BarTimes(timestamp, end, count), open, high, low, close, volume)

    @staticmethod
    def of(times: BarTimes, *columns: NDArray[np.float64]) -> Bars:
        """Build bars at given times from open, high, low, close and volume."""
        for column in columns:
            column.setflags(write=False)
        return _filled(_new(Bars), times, *columns)

    def __reduce__(self) -> tuple[type[Bars], tuple[NDArray[np.generic], ...]]:
        """Return the parts that copying and pickling need."""
        return Bars, tuple(getattr(self, name) for name in COLUMNS)

    @property
    def timestamp(self) -> NDArray[np.int64]:
        """Start of each bar, strictly ascending (int64, nanoseconds since 1970 UTC)."""
        return self.times.timestamp

    @property
    def end(self) -> NDArray[np.int64]:
        """Close of each bar, when it becomes visible (int64, nanoseconds since 1970 UTC)."""
        return self.times.end

    @property
    def count(self) -> NDArray[np.int32]:
        """Number of base bars in each bar, 1 for a base bar (int32)."""
        return self.times.count

    def __len__(self) -> int:
        return len(self.times.timestamp)

    def __repr__(self) -> str:
        if not len(self):
            return "<Bars: none>"
        first, last = np.array([self.times.timestamp[0], self.times.end[-1]], "M8[ns]").astype("M8[s]")
        return f"<Bars: {len(self):,} from {first} to {last} UTC>"

    def __getitem__(self, rows: slice) -> Bars:
        """Return the bars of a slice of rows, as views."""
        times = self.times
        return self._view(BarTimes(times.timestamp[rows], times.end[rows], times.count[rows]), rows)

    def window(self, first: int, after: int) -> Bars:
        """Return the bars from row ``first`` up to but without ``after``, as views.

        Windows of equal times share their times.
        """
        return self._view(self.times.window(first, after), slice(first, after))

    def ends_with(self, others: Bars, first: int) -> bool:
        """Return whether the bars from row ``first`` on equal ``others``, bit for bit."""
        return len(self) - first == len(others) and all(
            _is_same(getattr(self, name)[first:], getattr(others, name)) for name in COLUMNS
        )

    def at(self, times: BarTimes) -> Bars:
        """Return the same prices and volumes with other times, one for each bar."""
        return _filled(_new(Bars), times, self.open, self.high, self.low, self.close, self.volume)

    def _view(self, times: BarTimes, rows: slice) -> Bars:
        # Views of read-only columns are read-only: setting their flags, as the constructor does, would cost more than
        # the rest.
        columns = self.open[rows], self.high[rows], self.low[rows], self.close[rows], self.volume[rows]
        return _filled(_new(Bars), times, *columns)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Bars:
        """Return the bars that a mask or indexes select, as copies."""
        return Bars(*(getattr(self, name)[rows] for name in COLUMNS))

    @staticmethod
    def empty() -> Bars:
        """Return bars of length 0."""
        return _EMPTY

    @staticmethod
    def concat(parts: Sequence[Bars], times: BarTimes | None = None) -> Bars:
        """Join bars that follow one another.

        Args:
            parts: The bars, in ascending time.
            times: The joined times of all parts, if the caller has them; joined here otherwise.
        """
        if len(parts) < 2:
            return parts[0] if parts else Bars.empty()
        if times is None:
            times = BarTimes.concat(part.times for part in parts)
        return Bars.of(times, *(np.concatenate([getattr(p, name) for p in parts]) for name in PRICE_COLUMNS))

    def to_polars(self) -> pl.DataFrame:
        """Convert to a polars frame with one row per bar, ``timestamp`` and ``end`` as UTC datetimes."""
        import polars as pl

        frame = pl.DataFrame({name: getattr(self, name) for name in COLUMNS})
        return frame.with_columns(pl.col("timestamp", "end").cast(pl.Datetime("ns")).dt.replace_time_zone("UTC"))

    def to_pandas(self) -> pd.DataFrame:
        """Convert to a pandas frame indexed by ``timestamp`` in UTC (needs the ``pandas`` extra)."""
        import pandas as pd

        frame = pd.DataFrame({name: getattr(self, name) for name in COLUMNS})
        for name in ("timestamp", "end"):
            frame[name] = pd.to_datetime(frame[name], unit="ns", utc=True)
        return frame.set_index("timestamp")


class ClosedBars(Bars):
    """Bars of a slice of rows, for user code.

    Their columns lead to no bar outside of the slice.

    Args:
        bars: The bars, later ones included.
        rows: The rows that user code may see.
    """

    __slots__ = ("_rows", "_source")

    _rows: slice
    _source: Bars

    def __init__(self, bars: Bars, rows: slice) -> None:
        _set_source(self, bars)
        _set_rows(self, rows)

    def __getattr__(self, name: str) -> object:
        # Called for an empty slot only: a column is made when it is first read, because few are ever read.
        if name == "times":
            times = self._source.times
            made = BarTimes(*(opaque(getattr(times, column)[self._rows]) for column in TIME_COLUMNS))
            _set_times(self, made)
            return made
        if name not in PRICE_COLUMNS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        column = opaque(getattr(self._source, name)[self._rows])
        vars(Bars)[name].__set__(self, column)
        return column

    def __len__(self) -> int:
        return len(range(*self._rows.indices(len(self._source))))


TIME_COLUMNS = ("timestamp", "end", "count")
"""The names of the columns of `BarTimes`, in order."""

PRICE_COLUMNS = ("open", "high", "low", "close", "volume")
"""The names of the columns that `Bars` adds to those of its times, in order."""

COLUMNS = ("timestamp", "end", *PRICE_COLUMNS, "count")
"""The names of all columns, in order."""


_new = object.__new__
_set_timestamp, _set_end = vars(BarTimes)["timestamp"].__set__, vars(BarTimes)["end"].__set__
_set_count, _set_windows = vars(BarTimes)["count"].__set__, vars(BarTimes)["_windows"].__set__
_set_times, _set_volume = vars(Bars)["times"].__set__, vars(Bars)["volume"].__set__
_set_open, _set_high = vars(Bars)["open"].__set__, vars(Bars)["high"].__set__
_set_low, _set_close = vars(Bars)["low"].__set__, vars(Bars)["close"].__set__
_set_source, _set_rows = vars(ClosedBars)["_source"].__set__, vars(ClosedBars)["_rows"].__set__


def _is_same(one: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    """Return whether two columns are equal bit for bit, or lie in the same memory."""
    return _memory_of(one) == _memory_of(other) or one.tobytes() == other.tobytes()


def _memory_of(column: NDArray[np.generic]) -> object:
    return column.__array_interface__["data"], column.strides


def _filled(
    bars: Bars,
    times: BarTimes,
    open_: NDArray[np.float64],
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    close: NDArray[np.float64],
    volume: NDArray[np.float64],
) -> Bars:
    """Set the fields of new, still empty bars, and return them."""
    # Through the slots' descriptors, because thousands of views are made.
    _set_times(bars, times)
    _set_open(bars, open_)
    _set_high(bars, high)
    _set_low(bars, low)
    _set_close(bars, close)
    _set_volume(bars, volume)
    return bars


_EMPTY = Bars(*(np.empty(0, np.int64),) * 2, *(np.empty(0, np.float64),) * 5, np.empty(0, np.int32))
