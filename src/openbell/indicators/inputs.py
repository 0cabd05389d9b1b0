"""Bars as an indicator sees them, and where in a session each lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from openbell.timing.grid import SessionGrid

__all__ = ["Column", "IndicatorInputs", "locate", "regular_rows"]

Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class IndicatorInputs:
    """Bars in ascending time as an indicator sees them.

    All columns have one length; those that the indicator does not name as inputs may be empty.

    Attributes:
        open: float64, as are high, low, close and volume; no NaN.
        session: int64, the number of the trading session that each row lies in; ascending, equal within a session.
        offset_ns: int64, start of the bar minus the regular open of its session, nanoseconds; negative before the open.
        end_offset_ns: int64, close of the bar minus the regular open of its session, nanoseconds.
        bars_per_year: Bars of this interval in a year of the calendar (`annual.bars_per_year`), for what is given per
            year; of days of a US exchange unless given.
    """

    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    session: NDArray[np.int64]
    offset_ns: NDArray[np.int64]
    end_offset_ns: NDArray[np.int64]
    bars_per_year: float = 252.0

    def __len__(self) -> int:
        return len(self.session)

    def __getitem__(self, rows: slice | NDArray[np.bool_] | NDArray[np.intp]) -> IndicatorInputs:
        """Return the inputs of a slice as views, or at a mask or indexes as copies."""
        return IndicatorInputs(
            self.open[rows],
            self.high[rows],
            self.low[rows],
            self.close[rows],
            self.volume[rows],
            self.session[rows],
            self.offset_ns[rows],
            self.end_offset_ns[rows],
            self.bars_per_year,
        )

    def with_next_session(self) -> IndicatorInputs:
        """Return the inputs with one row of the session to come, of which nothing is known but that it begins."""

        def longer(column: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.append(column, column[-1] if len(column) else 1.0)

        return IndicatorInputs(
            longer(self.open),
            longer(self.high),
            longer(self.low),
            longer(self.close),
            longer(self.volume),
            np.append(self.session, self.session[-1] + 1 if len(self) else 0),
            np.append(self.offset_ns, 0),
            np.append(self.end_offset_ns, 0),
            self.bars_per_year,
        )


def locate(
    start_ns: NDArray[np.int64], end_ns: NDArray[np.int64], grid: SessionGrid
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return each bar's session number and the offsets of its start and end.

    The columns are int64 and read-only, the offsets in nanoseconds from the session's regular open. A bar belongs to
    the last segment of trading that opened at or before its start.
    """
    whole = grid.whole or grid
    segment = np.searchsorted(whole.segment_open_ns, start_ns, side="right") - 1
    session = whole.segment_session[np.maximum(segment, 0)]
    opened = whole.open_ns[session]
    found = session + whole.first_ordinal, start_ns - opened, end_ns - opened
    for column in found:  # the bars of many symbols share them
        column.setflags(write=False)
    return found


def regular_rows(start_ns: NDArray[np.int64], grid: SessionGrid) -> NDArray[np.bool_]:
    """Return a mask of the bars that start in regular hours.

    A session's open, close and range are those of these bars.
    """
    whole = grid.whole or grid
    segment = np.maximum(np.searchsorted(whole.segment_open_ns, start_ns, side="right") - 1, 0)
    within = (whole.segment_open_ns[segment] <= start_ns) & (start_ns < whole.segment_close_ns[segment])
    return within & whole.segment_is_regular[segment]
