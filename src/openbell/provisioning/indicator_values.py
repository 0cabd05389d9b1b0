"""Computation of a symbol's indicators over its history and all of today."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from openbell.errors import ProvisioningError
from openbell.indicators import IndicatorInputs
from openbell.indicators.bars_per_year import bars_per_year
from openbell.indicators.indicator import locate, regular_rows
from openbell.indicators.inputs import StackedInputs
from openbell.market_data.column_memo import Origin
from openbell.model.bars import PRICE_COLUMNS, Bars
from openbell.model.interval import parse_interval
from openbell.provisioning.causality import require_causal
from openbell.session.block import IndicatorBlock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from openbell.model.bars import BarTimes
    from openbell.model.interval import Interval
    from openbell.provisioning.context import Market, ProvisioningContext, StoredDay
    from openbell.provisioning.needs import IndicatorNeed
    from openbell.session.block import SeriesBlock

__all__ = ["TimesDifferError", "computed_indicators", "times_of"]

_DAYS_PER_YEAR = 252.0


def computed_indicators(
    needs: Iterable[IndicatorNeed],
    symbols: Sequence[str],
    series: Mapping[str, SeriesBlock],
    context: ProvisioningContext,
) -> dict[str, IndicatorBlock]:
    """Compute indicators of the symbols of a block over the whole of their series, and return them by key.

    Raises:
        TimesDifferError: The bars of the sessions that the series begin in do not have the same times.
    """
    needs = tuple(needs)
    annualised = any(need.indicator.annualised for need in needs)
    readings: dict[tuple[Interval, bool], _Reading] = {}
    computed = {}
    for need in needs:
        reading = readings.get((need.interval, need.session_aware))
        if reading is None:
            own = series[str(need.interval)]
            reading = _reading(symbols, own, context, session_aware=need.session_aware, annualised=annualised)
            readings[need.interval, need.session_aware] = reading
        ahead_of_today, before_first = _before_first_bar(need, reading) if need.session_aware else (None, None)
        computed[need.key] = IndicatorBlock(
            need.key,
            str(need.interval),
            _shared_columns(need, reading, context),
            lookback=need.lookback_bars,
            settling=need.settling,
            skipped=reading.skipped,
            ahead_of_today=ahead_of_today,
            before_first=before_first,
        )
    return computed


class TimesDifferError(ProvisioningError):
    """Refusal of a block whose symbols have bars of different times."""


def times_of(bars: Sequence[Bars]) -> BarTimes:
    """Return the times that the bars of a block have in common.

    Raises:
        TimesDifferError: Their times differ.
    """
    times = bars[0].times
    if any(one.times is not times for one in bars):
        raise TimesDifferError("the bars of symbols of one block have different times")
    return times


@dataclass(frozen=True, eq=False)
class _Reading:
    """The bars of a block of series as indicators read them.

    Attributes:
        series: The series.
        bars: Per symbol all bars of the series; for session-aware indicators, also those before them of the session in
            which the series begins.
        located: Per bar its session, and where in the session the bar begins and ends.
        bars_per_year: Number of bars in a year.
        day: The store and the calendar.
        read: Which of the bars are read; None when all are.
        ahead: Number of bars before the first of the series.
        skipped: As in `IndicatorData`.
    """

    series: SeriesBlock
    bars: Sequence[Bars]
    located: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
    bars_per_year: float
    day: StoredDay
    read: NDArray[np.bool_] | None
    ahead: int
    skipped: NDArray[np.int64] | None

    @cached_property
    def inputs(self) -> list[IndicatorInputs]:
        """All bars of each symbol, as indicators take them."""
        bars, year = tuple(self.bars), self.bars_per_year
        if self.is_of_block:
            return self.day.data_manager.remembered(_inputs, self.located, bars, year, size=len(bars))
        return _inputs(self.located, bars, year)

    def origin(self, names: tuple[str, ...]) -> Origin:
        """Return the columns that an indicator reads, by which its values are cached."""
        bars = tuple(self.bars)
        if self.is_of_block:
            return self.day.data_manager.remembered(_origin, None, bars, names, size=len(bars))
        return _origin(None, bars, names)

    @property
    def is_of_block(self) -> bool:
        """Whether these are the bars of a block as they were loaded.

        Such bars are the same in each run over the day.
        """
        return len(self.bars) > 1 and not self.ahead

    @cached_property
    def stacked(self) -> StackedInputs:
        """The bars that are read, of all symbols together."""
        inputs, read = self.inputs, self.read
        return StackedInputs(inputs if read is None else [one[read] for one in inputs])


def _inputs(
    located: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]], bars: tuple[Bars, ...], year: float
) -> list[IndicatorInputs]:
    return [IndicatorInputs(b.open, b.high, b.low, b.close, b.volume, *located, year) for b in bars]


def _origin(_: None, bars: tuple[Bars, ...], names: tuple[str, ...]) -> Origin:
    times, prices = bars[0].times, [getattr(one, name) for one in bars for name in names]
    return Origin.of([times.timestamp, times.end, *prices])


def _reading(
    symbols: Sequence[str], series: SeriesBlock, context: ProvisioningContext, *, session_aware: bool, annualised: bool
) -> _Reading:
    """Return the bars that an indicator reads, those of whole sessions if it is session-aware."""
    own, market = series.bars, context.market(symbols[0])
    tm, rows = market.time_manager, len(own[0])
    first = tm.day_of(int(own[0].timestamp[0])) if rows else market.day
    bars = own
    if session_aware and rows:
        bars = [_from_whole_sessions(symbol, series, b, first, context) for symbol, b in zip(symbols, own, strict=True)]
    times = times_of(bars)
    sees_filled = context.config.session_data_config.indicators_see_filled
    # Results that follow from times are computed once for all symbols with the same times.
    day = context.stored_day(symbols[0])
    located = day.by_times(_located, times, first)
    read = day.by_times(_rows_to_read, times, first, session_aware, sees_filled)
    year = bars_per_year(tm.grid(first, market.day), parse_interval(series.interval)) if annualised else _DAYS_PER_YEAR
    ahead = len(times) - rows
    return _Reading(
        series,
        bars,
        located,
        year,
        day,
        read,
        ahead,
        None if read is None else np.concatenate(([0], np.cumsum(~read[ahead:], dtype=np.int64))),
    )


def _located(
    market: Market, times: BarTimes, first: date
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the session of each bar, and where in it the bar begins and ends."""
    return locate(times.timestamp, times.end, market.time_manager.grid(first, market.day))


def _shared_columns(
    need: IndicatorNeed, reading: _Reading, context: ProvisioningContext
) -> Mapping[str, NDArray[np.float64]]:
    """Return the values of `_columns`, cached across runs over the same bars where all of them are read."""
    if reading.read is not None or reading.ahead or not context.data_manager.comes_again:
        return _columns(need, reading)
    times = reading.series.bars[0].times
    names = tuple(name for name in PRICE_COLUMNS if name in need.indicator.inputs)
    first = int(times.timestamp[0]) if len(times) else 0
    key = need.key, id(need.indicator), first, reading.bars_per_year
    return context.data_manager.computed(key, need.indicator, reading.origin(names), lambda: _columns(need, reading))


def _columns(need: IndicatorNeed, reading: _Reading) -> dict[str, NDArray[np.float64]]:
    """Compute the values by output, a row per symbol and a column per bar of the series."""
    columns = _computed(need, reading.stacked)
    if (read := reading.read) is not None:
        within = reading.located[0] if _begins_anew(need) else None
        columns = {name: _carried_forward(rows, read, within) for name, rows in columns.items()}
    if reading.ahead:
        columns = {name: rows[:, reading.ahead :] for name, rows in columns.items()}
    for rows in columns.values():
        rows.setflags(write=False)
    return columns


def _computed(need: IndicatorNeed, stacked: StackedInputs) -> dict[str, NDArray[np.float64]]:
    """Compute the values by output, and check that a kernel of a user reads no later bars.

    Raises:
        DataError: Its values change with later bars.
    """
    columns = stacked.compute(need.indicator, need.params)
    if need.indicator.is_own:  # the project's tests check these
        return columns
    for place, inputs in enumerate(stacked.symbols):
        values = {name: rows[place] for name, rows in columns.items()}
        require_causal(need, inputs, values, thorough=place == 0)
    return columns


def _from_whole_sessions(
    symbol: str, series: SeriesBlock, own: Bars, first: date, context: ProvisioningContext
) -> Bars:
    """Return the bars of a series, with those before them of the session in which it begins."""
    base, last = series.base or series.interval, context.market(symbol).day
    sessions = context.data_manager.load_historical_bars(symbol, series.interval, first, last, base=base)
    ahead = int(sessions.timestamp.searchsorted(own.timestamp[0]))
    if not ahead:
        return own
    joined = Bars.concat([sessions.window(0, ahead), own])
    # With one object for equal times, the memo serves all symbols that have them.
    return joined.at(sessions.times) if joined.times.equal(sessions.times) else joined


def _rows_to_read(
    market: Market, times: BarTimes, first: date, session_aware: bool, sees_filled: bool
) -> NDArray[np.bool_] | None:
    """Return which bars an indicator reads, or None for all.

    With extended hours, a session-aware indicator reads bars of the regular hours only, which define open, close and
    range of a session. Synthetic bars are skipped unless indicators see them.
    """
    grid = market.time_manager.grid(first, market.day)
    extended = session_aware and not grid.segment_is_regular.all()
    regular = regular_rows(times.timestamp, grid) if extended else None
    if sees_filled or not times.has_synthetic:
        return regular
    return times.count > 0 if regular is None else regular & (times.count > 0)


def _carried_forward(
    columns: NDArray[np.float64], read: NDArray[np.bool_], session: NDArray[np.int64] | None
) -> NDArray[np.float64]:
    """Return the values of each symbol for all rows, each that of the last row read up to it.

    With ``session``, the session of each row, no value is carried into the next session.
    """
    if not read.any():
        return np.full((len(columns), len(read)), np.nan)
    last = np.cumsum(read) - 1
    known = last >= 0
    if session is not None:
        known &= session[read][last] == session
    return np.where(known, columns[:, last], np.nan)


def _begins_anew(need: IndicatorNeed) -> bool:
    """Return whether no value is carried into the next session."""
    return need.session_aware and need.indicator.before_first_bar != "stands"


def _before_first_bar(
    need: IndicatorNeed, reading: _Reading
) -> tuple[int, list[Callable[[], dict[str, float]]] | None]:
    """Return the number of today's rows before the first value of today, and the values until then.

    The values are functions, one per symbol; None in their place when there are none.
    """
    begin = reading.ahead + reading.series.today_row
    ahead = 0 if reading.read is None else _first_true(reading.read[begin:])
    if need.indicator.before_first_bar == "unknown":
        return ahead, None
    past = slice(0, begin) if reading.read is None else np.flatnonzero(reading.read[:begin])
    return ahead, [_value_before_today(need, inputs, past) for inputs in reading.inputs]


def _value_before_today(
    need: IndicatorNeed, inputs: IndicatorInputs, past: slice | NDArray[np.intp]
) -> Callable[[], dict[str, float]]:
    """Return a function that computes the last value over the rows of history."""

    def before_first() -> dict[str, float]:
        history = inputs[past]
        known = history.with_next_session() if need.indicator.before_first_bar == "known" else history
        columns = need.indicator.compute(known, need.params)
        return {name: float(column[-1]) if len(column) else np.nan for name, column in columns.items()}

    return cache(before_first)


def _first_true(rows: NDArray[np.bool_]) -> int:
    return int(np.argmax(rows)) if rows.any() else len(rows)
