"""Bars as indicators see them, of one symbol or of many with the same times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from openbell.model.bars import PRICE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openbell.indicators.indicator import Indicator, Params
    from openbell.timing.grid import SessionGrid

__all__ = ["Column", "IndicatorInputs", "StackedInputs", "locate", "regular_rows"]

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
        bars_per_year: Bars of this interval in a year of the calendar (see `openbell.indicators.bars_per_year`), for
            annualised indicators; that of daily bars of a US exchange unless given.
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
        """Return the inputs with one more row, for the start of the session to come.

        Its prices and volume only repeat the last row.
        """

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


_EMPTY = np.empty(0)


class StackedInputs:
    """Inputs of many symbols, all of one length and of the same times.

    Args:
        symbols: The inputs of each symbol.
    """

    def __init__(self, symbols: Sequence[IndicatorInputs]) -> None:
        self.symbols = symbols
        self._end_to_end: dict[str, Column] = {}

    def compute(self, indicator: Indicator, params: Params) -> dict[str, NDArray[np.float64]]:
        """Compute an array per output, by name, with a row of `Indicator.compute` for each symbol.

        Args:
            indicator: The indicator.
            params: As `Indicator.resolve` returns them.
        """
        if len(self.symbols) == 1 or not indicator.is_own or not self._is_positive(indicator):
            return _rows([indicator.compute(inputs, params) for inputs in self.symbols])
        if _forgets_exactly(indicator, params) and len(self.symbols[0]):
            return self._over_all(indicator, params)
        return self._one_by_one(indicator, params)

    def _is_positive(self, indicator: Indicator) -> bool:
        """Return whether all prices are above 0, or the indicator does not need that."""
        if not indicator.positive_prices:
            return True
        prices = (self._column(name) for name in indicator.inputs if name != "volume")
        return all(not len(price) or price.item(price.argmin()) > 0 for price in prices)

    def _over_all(self, indicator: Indicator, params: Params) -> dict[str, NDArray[np.float64]]:
        """Compute with the symbols laid end to end, and blank the rows whose windows begin in the symbol before."""
        one, rows = self.symbols[0], len(self.symbols[0])
        opened, high, low, close, volume = (
            self._column(name) if name in indicator.inputs else _EMPTY for name in PRICE_COLUMNS
        )
        session, offset, end_offset = (
            np.tile(column, len(self.symbols)) for column in (one.session, one.offset_ns, one.end_offset_ns)
        )
        end_to_end = IndicatorInputs(opened, high, low, close, volume, session, offset, end_offset, one.bars_per_year)
        columns = indicator.compute(end_to_end, params)
        found = {name: column.reshape(-1, rows) for name, column in columns.items()}
        for values in found.values():
            values[:, : indicator.lookback(params).bars - 1] = np.nan
        return found

    def _one_by_one(self, indicator: Indicator, params: Params) -> dict[str, NDArray[np.float64]]:
        shape, kernel, names = (len(self.symbols), len(self.symbols[0])), indicator.kernel, indicator.output_names
        found = [np.empty(shape) for _ in names]
        for place, inputs in enumerate(self.symbols):
            result = kernel(inputs, params)
            columns = (result,) if isinstance(result, np.ndarray) else result
            for values, column in zip(found, columns, strict=True):
                values[place] = column
        return dict(zip(names, found, strict=True))

    def _column(self, name: str) -> Column:
        """Return a column of all symbols, end to end."""
        known = self._end_to_end.get(name)
        if known is None:
            known = self._end_to_end[name] = np.concatenate([getattr(inputs, name) for inputs in self.symbols])
        return known


def _forgets_exactly(indicator: Indicator, params: Params) -> bool:
    """Return whether a value depends on the rows of its lookback alone, bit for bit."""
    return indicator.is_own and not indicator.session_aware and indicator.settling(params) == 0


def _rows(columns: Sequence[Mapping[str, Column]]) -> dict[str, NDArray[np.float64]]:
    return {name: np.stack([one[name] for one in columns]) for name in columns[0]}
