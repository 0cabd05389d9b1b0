"""Bars of one symbol and interval, seen up to the session clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.market_data.completeness import Completeness, Gap, measure_completeness

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import polars as pl
    from numpy.typing import NDArray

    from openbell.model.bars import Bars
    from openbell.session.cursor import Cursor
    from openbell.timing.expected import ExpectedBars

__all__ = ["BarIntervalData", "all_bars", "cursor_of"]


class BarIntervalData:
    """Series of a session, history and today together, revealed as bars close.

    All columns and views end at the cursor: the number of bars that have closed by the session clock. Bars behind it
    cannot be reached by the methods. The arrays are read-only views, not copies.

    Attributes:
        symbol: The symbol.
        interval: The canonical interval, e.g. "5m".
        base: The interval that this one is derived from; None when it is stored itself.
        today_row: The row of the first bar that closes after the session's start; rows before it are history.
        historical_quality: Completeness of the history; None when it was not scored (ad-hoc symbols).

    Args:
        cursor: The number of closed bars; one object for all series of a session with the same times.
    """

    __slots__ = (
        "_bars",
        "_cursor",
        "_expected_today",
        "base",
        "historical_quality",
        "interval",
        "symbol",
        "today_row",
    )

    def __init__(
        self, symbol: str, interval: str, *, base: str | None, bars: Bars, today_row: int, cursor: Cursor
    ) -> None:
        self.symbol = symbol
        self.interval = interval
        self.base = base
        self._bars = bars
        self.today_row = today_row
        self._cursor = cursor
        self.historical_quality: Completeness | None = None
        self._expected_today: ExpectedBars | None = None

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
        return self._bars[: self.cursor]

    @property
    def history(self) -> Bars:
        """The bars from before today's session."""
        return self._bars.window(0, self.today_row)

    @property
    def today(self) -> Bars:
        """Today's bars that have closed."""
        return self._bars[self.today_row : max(self.cursor, self.today_row)]

    @property
    def timestamp(self) -> NDArray[np.int64]:
        """Starts of the closed bars, nanoseconds since 1970 UTC."""
        return self._bars.timestamp[: self.cursor]

    @property
    def end(self) -> NDArray[np.int64]:
        """Closes of the closed bars, nanoseconds since 1970 UTC."""
        return self._bars.end[: self.cursor]

    @property
    def open(self) -> NDArray[np.float64]:
        """Opening prices of the closed bars."""
        return self._bars.open[: self.cursor]

    @property
    def high(self) -> NDArray[np.float64]:
        """Highest prices of the closed bars."""
        return self._bars.high[: self.cursor]

    @property
    def low(self) -> NDArray[np.float64]:
        """Lowest prices of the closed bars."""
        return self._bars.low[: self.cursor]

    @property
    def close(self) -> NDArray[np.float64]:
        """Closing prices of the closed bars."""
        return self._bars.close[: self.cursor]

    @property
    def volume(self) -> NDArray[np.float64]:
        """Volumes of the closed bars."""
        return self._bars.volume[: self.cursor]

    @property
    def count(self) -> NDArray[np.int32]:
        """Number of base bars that each closed bar was made of."""
        return self._bars.count[: self.cursor]

    def to_polars(self) -> pl.DataFrame:
        """The closed bars as a polars frame."""
        return self.data.to_polars()

    def to_pandas(self) -> pd.DataFrame:
        """The closed bars as a pandas frame indexed by time."""
        return self.data.to_pandas()

    def score(self, history: Completeness, expected_today: ExpectedBars) -> None:
        """Note the measured quality of the history, and what the calendar expects today, for `quality`."""
        self.historical_quality = history
        self._expected_today = expected_today

    def unscored(self) -> BarIntervalData:
        """The same bars without a measure of quality."""
        return BarIntervalData(
            self.symbol, self.interval, base=self.base, bars=self._bars, today_row=self.today_row, cursor=self._cursor
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
    def quality(self) -> float | None:
        """Completeness of today so far in percent (None when not scored or when no bar is due)."""
        measured = self.session_quality
        return None if measured is None else measured.percent

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Runs of missing bars, those of the history first."""
        today = self.session_quality
        if today is None or self.historical_quality is None:
            return ()
        return (*self.historical_quality.gaps, *today.gaps)

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


def all_bars(series: BarIntervalData) -> Bars:
    """Return all bars of a series, today's future included, for the engine only."""
    return series._bars  # noqa: SLF001 -- the one door to it


def cursor_of(series: BarIntervalData) -> Cursor:
    """Return the cursor of a series, with all its times, for the engine only."""
    return series._cursor  # noqa: SLF001 -- the one door to it
