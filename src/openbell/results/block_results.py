"""Results of the symbols of a block, with shared values read once."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from openbell.results.symbol import IndicatorResult
from openbell.session.block import blocks_of, place_of
from openbell.session.indicator import has_settled

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from openbell.session.block import IndicatorsOfBlock, SeriesOfBlock

__all__ = ["Readings", "has_unsettled", "indicators_of_block", "readings_of_block"]


class _Reading(NamedTuple):
    """An indicator of all symbols of a block at the end of a session.

    Attributes:
        interval: The interval that it reads.
        values: Its last values by output, one per symbol; None before its first value of today.
        has_settled: Whether its starting point no longer shows in the values.
        lookback: Bars that its first value takes.
        warmup_bars: Bars of history that it was computed over.
        settles: Whether it ever settles.
    """

    interval: str
    values: Mapping[str, NDArray[np.float64]] | None
    has_settled: bool
    lookback: int
    warmup_bars: int
    settles: bool

    def result(self, value: float | dict[str, float] | None) -> IndicatorResult:
        """Return the result of a symbol whose last value is ``value``."""
        valid = value is not None
        return IndicatorResult(
            self.interval, valid, valid and self.has_settled, value, self.lookback, self.warmup_bars, self.settles
        )

    def is_valid(self, place: int) -> bool:
        """Return whether the symbol at index ``place`` of the block has a value."""
        return all(isfinite(column.item(place)) for column in (self.values or {}).values())

    def value_at(self, place: int) -> float | dict[str, float] | None:
        """Return the last value of the symbol at index ``place`` of the block."""
        numbers = {name: column.item(place) for name, column in (self.values or {}).items()}
        if not all(map(isfinite, numbers.values())):
            return None
        return numbers if len(numbers) > 1 else next(iter(numbers.values()))


Readings = Mapping[str, _Reading]
"""The indicators of a block by key."""


def readings_of_block(series: SeriesOfBlock, indicators: IndicatorsOfBlock) -> Readings:
    """Read the indicators of a block, by series and indicators of one of its symbols."""
    found = {}
    series_blocks = blocks_of(series)
    for key, block in blocks_of(indicators).items():
        one = indicators[key]
        values = block.values_now(series_blocks[block.interval])
        found[key] = _Reading(
            block.interval, values, has_settled(one), block.lookback, one.warmup_bars, block.settling is not None
        )
    return found


def indicators_of_block(readings: Readings, indicators: IndicatorsOfBlock) -> Mapping[str, IndicatorResult]:
    """Return the results of one symbol by key, most of which are made when they are read."""
    made = {key: reading.result(indicators[key].value) for key, reading in readings.items() if reading.values is None}
    return _IndicatorResults(readings, place_of(indicators), made)


def has_unsettled(indicators: Mapping[str, IndicatorResult]) -> bool:
    """Return whether one of the indicators of a symbol is not settled."""
    if isinstance(indicators, _IndicatorResults):
        return indicators.has_unsettled()
    return any(map(_is_unsettled, indicators.values()))


def _is_unsettled(result: IndicatorResult) -> bool:
    return not result.valid or (result.settles and not result.settled)


class _IndicatorResults(Mapping[str, IndicatorResult]):
    """The results of one symbol of a block by key, each made when it is first read."""

    __slots__ = ("_made", "_place", "_readings")

    def __init__(self, readings: Readings, place: int, made: dict[str, IndicatorResult]) -> None:
        self._readings = readings
        self._place = place
        self._made = made

    def __getitem__(self, key: str) -> IndicatorResult:
        known = self._made.get(key)
        if known is None:
            reading = self._readings[key]
            known = self._made[key] = reading.result(reading.value_at(self._place))
        return known

    def has_unsettled(self) -> bool:
        """Return whether an indicator is not settled, without making its result."""
        return any(self._is_unsettled(key, reading) for key, reading in self._readings.items())

    def _is_unsettled(self, key: str, reading: _Reading) -> bool:
        if reading.values is None:
            return _is_unsettled(self._made[key])
        return not reading.is_valid(self._place) or (reading.settles and not reading.has_settled)

    def __iter__(self) -> Iterator[str]:
        return iter(self._readings)

    def __len__(self) -> int:
        return len(self._readings)

    def __repr__(self) -> str:
        return repr(dict(self))
