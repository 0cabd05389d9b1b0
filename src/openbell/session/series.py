"""Bars of one symbol and interval, seen up to the session clock by a cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import numpy as np

from openbell.market_data.completeness import Completeness, Gap, measure_completeness
from openbell.model.bars import ClosedBars
from openbell.model.frozen import Frozen
from openbell.model.opaque_columns import opaque
from openbell.session.last_rows import last_rows

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    from numpy.typing import NDArray

    from openbell.model.bars import Bars
    from openbell.session.cursor import Cursor
    from openbell.session.last_rows import Reach
    from openbell.timing.grid import ExpectedBars

__all__ = ["BarIntervalData", "all_bars", "cursor_of", "grow", "score", "whole_from"]


class BarIntervalData(Frozen):
    """Series of a session, history and today together, revealed as bars close.

    All columns and views end at the cursor: the number of bars that have closed by the session clock. Later bars cannot
    be reached through anything public, nor through the ``base`` of an array. The arrays are views, not copies, and
    cannot be made writable. Attributes of a series cannot be set.

    Attributes:
        symbol: The symbol.
        interval: The canonical interval, e.g. "5m".
        base: The interval that this one is derived from; None when it is stored.
        today_row: The row of the first bar that closes after the session's start; rows before it are history.
        historical_quality: Completeness of the history; None when it was not scored (ad-hoc symbols).

    Args:
        cursor: The number of closed bars; one object for all series of a session with the same times.
        reach: Its calendar, and the time from which it has all stored bars; None for a series made by hand.
    """

    __slots__ = (
        "_bars",
        "_cursor",
        "_expected_today",
        "_reach",
        "base",
        "historical_quality",
        "interval",
        "symbol",
        "today_row",
    )

    symbol: str
    interval: str
    base: str | None
    today_row: int
    historical_quality: Completeness | None
    _bars: Bars
    _cursor: Cursor
    _expected_today: ExpectedBars | None
    _reach: Reach | None

    def __init__(
        self,
        symbol: str,
        interval: str,
        *,
        base: str | None,
        bars: Bars,
        today_row: int,
        cursor: Cursor,
        reach: Reach | None = None,
    ) -> None:
        _set_symbol(self, symbol)
        _set_interval(self, interval)
        _set_base(self, base)
        _set_bars(self, bars)
        _set_today_row(self, today_row)
        _set_cursor(self, cursor)
        _set_historical_quality(self, None)
        _set_expected_today(self, None)
        _set_reach(self, reach)

    def __reduce__(self) -> NoReturn:
        # A copy would include the bars after the session clock.
        raise TypeError(f"{self!r} cannot be pickled or copied; its closed bars can: series.data")

    @property
    def derived(self) -> bool:
        """Whether the bars are built from those of `base`."""
        return self.base is not None

    @property
    def cursor(self) -> int:
        """Number of closed bars."""
        return self._cursor.position

    def __len__(self) -> int:
        return self.cursor

    @property
    def data(self) -> Bars:
        """All bars that have closed, history first."""
        return ClosedBars(self._bars, slice(0, self._cursor.position))

    @property
    def history(self) -> Bars:
        """The bars from before today's session."""
        return ClosedBars(self._bars, slice(0, self.today_row))

    @property
    def today(self) -> Bars:
        """Today's bars that have closed."""
        return ClosedBars(self._bars, slice(self.today_row, max(self._cursor.position, self.today_row)))

    def last(self, *, sessions: int | None = None, bars: int | None = None) -> Bars:
        """Return the bars of the last sessions before today, or the last bars that have closed.

        A series may reach further back than its reader asked for, because others need more; this returns exactly the
        given number.

        Args:
            sessions: Number of whole sessions; today's is not among them (its bars are ``today``).
            bars: Number of bars, today's among them; synthetic ones count.

        Raises:
            TypeError: Neither or both are given.
            ConfigError: The number is not a whole one of 1 or more, or sessions are asked of bars that span several.
            DataError: The series does not reach back far enough; the message says how to ask for more.
        """
        return ClosedBars(self._bars, last_rows(self, self._reach, sessions, bars))

    @property
    def timestamp(self) -> NDArray[np.int64]:
        """Starts of the closed bars, nanoseconds since 1970 UTC."""
        return opaque(self._bars.timestamp[: self._cursor.position])

    @property
    def end(self) -> NDArray[np.int64]:
        """Closes of the closed bars, nanoseconds since 1970 UTC."""
        return opaque(self._bars.end[: self._cursor.position])

    @property
    def open(self) -> NDArray[np.float64]:
        """Opening prices of the closed bars."""
        return opaque(self._bars.open[: self._cursor.position])

    @property
    def high(self) -> NDArray[np.float64]:
        """Highest prices of the closed bars."""
        return opaque(self._bars.high[: self._cursor.position])

    @property
    def low(self) -> NDArray[np.float64]:
        """Lowest prices of the closed bars."""
        return opaque(self._bars.low[: self._cursor.position])

    @property
    def close(self) -> NDArray[np.float64]:
        """Closing prices of the closed bars."""
        return opaque(self._bars.close[: self._cursor.position])

    @property
    def volume(self) -> NDArray[np.float64]:
        """Volumes of the closed bars."""
        return opaque(self._bars.volume[: self._cursor.position])

    @property
    def count(self) -> NDArray[np.int32]:
        """Number of base bars that each closed bar was made of."""
        return opaque(self._bars.count[: self._cursor.position])

    def _repr_html_(self) -> str:
        from openbell.session.session_html import series_html

        return series_html(self)

    def to_polars(self) -> pl.DataFrame:
        """Return the closed bars as a polars frame."""
        return self.data.to_polars()

    def to_pandas(self) -> pd.DataFrame:
        """Return the closed bars as a pandas frame indexed by time."""
        return self.data.to_pandas()

    def unscored(self) -> BarIntervalData:
        """Return a series of the same bars whose quality is not measured."""
        return BarIntervalData(
            self.symbol,
            self.interval,
            base=self.base,
            bars=self._bars,
            today_row=self.today_row,
            cursor=self._cursor,
            reach=self._reach,
        )

    @property
    def is_scored(self) -> bool:
        """Whether quality is measured, as it is for full symbols."""
        return self._expected_today is not None

    @property
    def session_quality(self) -> Completeness | None:
        """Completeness of today's bars that are due by now (None when not scored)."""
        if self._expected_today is None:
            return None
        cursor = self._cursor
        return cursor.memo(_quality_of_today, cursor, self.today_row, self._expected_today)

    @property
    def synthetic(self) -> int:
        """Number of closed bars that are synthetic."""
        return self._cursor.memo(_synthetic_bars, self._cursor)

    @property
    def partial(self) -> int:
        """Number of closed bars that were made of fewer bars than the calendar expects (0 when they are stored)."""
        if self.base is None or self._reach is None:
            return 0
        return self._cursor.memo(_partial_bars, self._cursor, self._reach.expected_of_base())

    @property
    def not_positive(self) -> int:
        """Number of closed bars with a price of 0 or below, where indicators of positive prices have no value."""
        return int(np.count_nonzero(self._bars.low[: self._cursor.position] <= 0))

    @property
    def quality(self) -> float | None:
        """Completeness of today so far in percent (None when not scored or when no bar is due)."""
        measured = self.session_quality
        return None if measured is None else measured.percent

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Runs of missing bars, those of the history first, whether or not quality is measured."""
        history, expected = self.historical_quality, self._expected_today
        if history is None or expected is None:
            if self._reach is None:
                return ()
            history, expected = self._reach.quality()
        today = self._cursor.memo(_quality_of_today, self._cursor, self.today_row, expected)
        return (*history.gaps, *today.gaps)

    def __repr__(self) -> str:
        origin = f" from {self.base}" if self.base else ""
        return f"<BarIntervalData {self.symbol} {self.interval}{origin}: {self.cursor} bars, {self.today_row} past>"


def _quality_of_today(cursor: Cursor, today_row: int, expected: ExpectedBars) -> Completeness:
    closed = slice(today_row, max(cursor.position, today_row))
    real = cursor.times.timestamp[closed][cursor.times.count[closed] > 0]
    due = int(expected.end_ns.searchsorted(cursor.clock.now_ns, side="right"))
    return measure_completeness(real, expected.start_ns[:due], expected.end_ns[:due])


def _synthetic_bars(cursor: Cursor) -> int:
    return int((cursor.times.count[: cursor.position] == 0).sum())


def _partial_bars(cursor: Cursor, expected: ExpectedBars) -> int:
    start, end, count = (
        column[: cursor.position] for column in (cursor.times.timestamp, cursor.times.end, cursor.times.count)
    )
    due = expected.start_ns.searchsorted(end) - expected.start_ns.searchsorted(start)
    return int(((count > 0) & (count < due)).sum())


def all_bars(series: BarIntervalData) -> Bars:
    """Return all bars of a series, those after the session clock included, for the engine only."""
    return series._bars  # noqa: SLF001 -- the only access


def cursor_of(series: BarIntervalData) -> Cursor:
    """Return the cursor of a series, with all its times, for the engine only."""
    return series._cursor  # noqa: SLF001 -- the only access


def whole_from(series: BarIntervalData) -> int:
    """Return the time from which a series has all stored bars, for the engine only.

    In nanoseconds since 1970 UTC; of a series made by hand, the start of its first bar.
    """
    reach = series._reach  # noqa: SLF001 -- the only access
    if reach is not None:
        return reach.whole_from_ns
    rows = all_bars(series).timestamp
    return int(rows[0]) if len(rows) else cursor_of(series).clock.now_ns


def score(series: BarIntervalData, history: Completeness, expected_today: ExpectedBars) -> None:
    """Set the quality of the history and the bars expected today, before the series is published."""
    _set_historical_quality(series, history)
    _set_expected_today(series, expected_today)


def grow(series: BarIntervalData, bars: Bars, cursor: Cursor) -> None:
    """Extend a series of a running session in place, for the engine only.

    Columns that were read before stay as they were.

    Args:
        series: The series.
        bars: The bars that it has, followed by the new ones.
        cursor: The cursor over their times.
    """
    reach = series._reach  # noqa: SLF001 -- the only access
    if reach is not None:
        _set_reach(series, reach.at(bars.times))
    # The bars before the cursor, so that every position that a reader can see has one.
    _set_bars(series, bars)
    _set_cursor(series, cursor)


# Slot descriptors set attributes of a frozen object quickest, and a series is made per symbol, interval and day.
_slots = vars(BarIntervalData)
_set_symbol, _set_interval, _set_base = (_slots[name].__set__ for name in ("symbol", "interval", "base"))
_set_bars, _set_cursor, _set_today_row = (_slots[name].__set__ for name in ("_bars", "_cursor", "today_row"))
_set_historical_quality, _set_expected_today, _set_reach = (
    _slots[name].__set__ for name in ("historical_quality", "_expected_today", "_reach")
)
