"""Computation of one indicator over many symbols whose bars have the same times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.indicators.inputs import IndicatorInputs
from openbell.model.bars import PRICE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from openbell.indicators.indicator import Indicator, Params
    from openbell.indicators.inputs import Column

__all__ = ["StackedInputs"]

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
        """Compute all values by output, a row per symbol, each as `Indicator.compute` has them.

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
        """Return whether no price is 0 or below, of an indicator to which that matters."""
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
    """Return whether a value is the same to the bit whatever comes before the rows of its lookback."""
    return indicator.is_own and not indicator.session_aware and indicator.settling(params) == 0


def _rows(columns: Sequence[Mapping[str, Column]]) -> dict[str, NDArray[np.float64]]:
    return {name: np.stack([one[name] for one in columns]) for name in columns[0]}
