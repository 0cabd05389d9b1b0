"""The stored bars of a series together with the bars that the calendar expects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from openbell.market_data.aggregate import rows_in_segments
from openbell.model.bars import PRICE_COLUMNS, Bars
from openbell.model.interval import DAY_NS
from openbell.store.check_bars import check_bars
from openbell.store.layout import BAR_SCHEMA
from openbell.timing.grid import ExpectedBars

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from openbell.model.interval import Interval
    from openbell.timing.grid import SessionGrid

__all__ = ["Series", "bars_of_sessions", "local_median", "make_series", "true_range"]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One series to be checked.

    Attributes:
        symbol: The symbol.
        interval: The stored interval.
        stored: The rows as they are in the files, with the columns of `BAR_SCHEMA`.
        bars: The valid and unique bars of regular hours, in ascending time. A daily bar runs from its session's open to
            its close.
        session: Per bar, the index of its session in ``grid`` (int64).
        grid: Sessions of regular hours, some before and after the series.
        around: The same sessions with extended hours; None where the exchange has none.
        expected: The bars that the calendar expects from the session of the first bar through that of the last, or in
            a window of a series in all of its sessions.
        present: Per expected bar, whether it is there.
        first_slot: The number of bars that ``grid`` expects before ``expected``.
        begins: Whether nothing is stored of the symbol before ``stored``.
    """

    symbol: str
    interval: Interval
    stored: pl.DataFrame
    bars: Bars
    session: NDArray[np.int64]
    grid: SessionGrid
    around: SessionGrid | None
    expected: ExpectedBars
    present: NDArray[np.bool_]
    first_slot: int
    begins: bool

    @property
    def intraday(self) -> bool:
        """Whether the bars are intraday bars."""
        return self.interval.is_intraday

    def nothing_expected(self) -> Series:
        """Return the series as one of which no bars are expected."""
        return replace(self, expected=self.expected.part(0, 0), present=self.present[:0])

    def starts_of_stored(self) -> NDArray[np.int64]:
        """Return the starts of the stored rows, nanoseconds since 1970 UTC.

        A daily bar starts at 00:00 UTC of its date.
        """
        return np.asarray(self.stored["timestamp"].to_physical().to_numpy(), np.int64)

    def distinct_starts(self) -> NDArray[np.int64]:
        """Return the starts of the stored rows, ascending and unique."""
        starts = self.starts_of_stored()
        return starts if (np.diff(starts) > 0).all() else np.unique(starts)

    def sessions(self) -> NDArray[np.int64]:
        """Return the indexes of the sessions with bars, ascending and unique."""
        return self.session[np.flatnonzero(np.diff(self.session, prepend=-1))]

    def times_of_days(self, day_ns: NDArray[np.int64]) -> tuple[int, int]:
        """Return the start and end of a run of daily bars, in nanoseconds.

        ``day_ns`` are 00:00 UTC of their dates. A session lasts from open to close, another day the whole UTC day.
        """
        place = np.searchsorted(self.grid.days, day_ns[[0, -1]] // DAY_NS)
        inside = (place < len(self.grid.days)) & (
            self.grid.days[np.minimum(place, len(self.grid.days) - 1)] == day_ns[[0, -1]] // DAY_NS
        )
        start = int(self.grid.open_ns[place[0]]) if inside[0] else int(day_ns[0])
        end = int(self.grid.close_ns[place[1]]) if inside[1] else int(day_ns[-1]) + DAY_NS
        return start, end


def make_series(
    symbol: str,
    interval: Interval,
    stored: pl.DataFrame,
    grid: SessionGrid,
    around: SessionGrid | None,
    span: tuple[int | None, int | None] = (None, None),
    *,
    begins: bool = False,
) -> Series:
    """Return a series of stored rows, compared with the calendar.

    Args:
        symbol: The symbol.
        interval: The interval of the rows.
        stored: The rows as they are in the files, in any order, with repetitions and contradictions.
        grid: Sessions of regular hours, some before and after the rows.
        around: The same sessions with extended hours; None where the exchange has none.
        span: The first session in which bars are expected, and the one after the last, as indexes of ``grid``; None
            stands for the session of the first bar, and for the one after that of the last bar.
        begins: Whether nothing is stored of the symbol before the rows.
    """
    stored = stored.cast(BAR_SCHEMA)  # files of other programs may have times in microseconds
    bars, session = bars_of_sessions(interval, stored, grid)
    expected = grid.expected_bars(interval)
    begin_session = span[0] if span[0] is not None else int(session[0]) if len(session) else 0
    after_session = span[1] if span[1] is not None else int(session[-1]) + 1 if len(session) else 0
    first, after = np.searchsorted(expected.session, [begin_session, max(begin_session, after_session)])
    in_span = ExpectedBars(
        *(c[first:after] for c in (expected.start_ns, expected.end_ns, expected.session, expected.sessions))
    )
    present = np.isin(in_span.start_ns, bars.timestamp, assume_unique=True)
    return Series(symbol, interval, stored, bars, session, grid, around, in_span, present, int(first), begins)


def bars_of_sessions(interval: Interval, stored: pl.DataFrame, grid: SessionGrid) -> tuple[Bars, NDArray[np.int64]]:
    """Return the valid bars within sessions, and each one's session by index."""
    good = check_bars(stored).good
    starts = good["timestamp"].to_physical().to_numpy()
    if interval.is_intraday:
        inside, segment = rows_in_segments(starts, grid)
        session = grid.segment_session[segment[inside]]
        begin, end = starts[inside], np.minimum(starts + interval.ns, grid.segment_close_ns[segment])[inside]
    else:
        place = np.minimum(np.searchsorted(grid.days, starts // DAY_NS), len(grid.days) - 1)
        inside = grid.days[place] == starts // DAY_NS
        session = place[inside].astype(np.int64)
        begin, end = grid.open_ns[session], grid.close_ns[session]
    values = {name: good[name].to_numpy()[inside] for name in PRICE_COLUMNS}
    bars = Bars(timestamp=begin, end=end, **values, count=np.ones(len(begin), np.int32))
    return bars, session


def true_range(bars: Bars) -> NDArray[np.float64]:
    """Return the logarithmic true range of each bar, which includes the close before it (float64)."""
    before = np.concatenate([bars.close[:1], bars.close[:-1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.log(np.maximum(bars.high, before) / np.minimum(bars.low, before))
    return np.asarray(np.nan_to_num(moved, nan=0.0, posinf=0.0, neginf=0.0), np.float64)


def local_median(values: NDArray[np.float64], at: NDArray[np.intp], reach: int = 20) -> NDArray[np.float64]:
    """Return the median of the values around each of the rows ``at``.

    It is of ``2 * reach + 1`` values, fewer at the ends.
    """
    return np.array([np.median(values[max(0, i - reach) : i + reach + 1]) for i in at], np.float64)
