"""Extension of a session's series and indicators by the bars that have come.

At each moment, a live session holds the same as a backtest over the same bars up to that moment: series are read and
derived by the same code, and indicators are computed by the same kernels from the same first bar.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from openbell.errors import OpenbellError
from openbell.market_data.bar_requests import gap_policy_of
from openbell.model.interval import parse_interval
from openbell.provisioning.indicator_values import TimesDifferError, computed_indicators
from openbell.session.block import IndicatorsOfBlock, SeriesBlock
from openbell.session.cursor import Cursor, Memo
from openbell.session.data import publish
from openbell.session.indicator import grow_values
from openbell.session.series import all_bars, grow
from openbell.session.symbol import SymbolDraft

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from openbell.model.bars import Bars, BarTimes
    from openbell.provisioning import ProvisioningContext
    from openbell.provisioning.needs import IndicatorNeed, Needs
    from openbell.session import BarIntervalData, IndicatorData, SymbolSessionData

__all__ = ["SessionGrowth"]

_MOST_TOGETHER = 256
"""The most symbols that are computed at once, so that their columns fit the processor's cache."""


class _Group(NamedTuple):
    """Common properties of the series whose indicators are computed at once."""

    interval: str
    base: str | None
    times: BarTimes
    today_row: int
    keys: tuple[str, ...]
    anchors: tuple[int, ...]


class SessionGrowth:
    """Extends the series and indicators of a session.

    Args:
        context: The session, and the bars that have come.
    """

    def __init__(self, context: ProvisioningContext) -> None:
        self._context = context
        self._needs: dict[str, IndicatorNeed] = {}
        self._behind: set[tuple[str, str]] = set()
        policies = context.config.session_data_config.gap_policy
        self._may_fill = policies != "none"
        self._policies = policies
        self._ends: dict[str, NDArray[np.int64]] = {}

    def note(self, needs: Needs) -> None:
        """Remember the indicators that an addition needs, by which they are computed."""
        for need in needs.indicators:
            self._needs.setdefault(need.key, need)

    def grow(self, came: Mapping[str, Iterable[str]], time_ns: int, *, late: bool = False) -> list[str]:
        """Extend the session to a time.

        Args:
            came: The symbols of which bars have come, by the interval of the bars.
            time_ns: The time that is played next, nanoseconds since 1970 UTC.
            late: Whether some of the bars belong to times that have been played.

        Returns:
            The symbols of which a series has grown.
        """
        data = self._context.session_data
        with data.operation_lock:
            self._leave_blocks()
            for base, symbols in came.items():
                fresh = [symbol for symbol in symbols if symbol in data.current]
                self._context.data_manager.grow(fresh, base)
                for symbol in fresh:
                    self._behind.update(
                        (symbol, name) for name, s in data.current[symbol].bars.items() if base == (s.base or name)
                    )
            due = self._due(time_ns, late=late)
            self._behind -= due
            grown = self._grow_series(due)
            self._grow_indicators(grown)
        return list(dict.fromkeys(series.symbol for series in grown))

    def _leave_blocks(self) -> None:
        """Take symbols out of their blocks, since each has its own times from now on."""
        data = self._context.session_data
        changed: dict[str, SymbolSessionData] = {
            symbol: SymbolDraft.of(one).finished()
            for symbol, one in data.current.items()
            if isinstance(one.indicators, IndicatorsOfBlock)
        }
        if changed:
            publish(data, changed)

    def _due(self, time_ns: int, *, late: bool) -> set[tuple[str, str]]:
        """Return the series to read anew, of which a bar closes now or a visible bar has changed.

        A derived bar that has not closed is left as it is.
        """
        data = self._context.session_data
        closing: dict[str, bool] = {}
        due = set()
        for symbol, name in self._behind:
            one = data.current.get(symbol)
            if one is None or name not in one.bars:
                due.add((symbol, name))
                continue
            if late or one.bars[name].base is None:
                due.add((symbol, name))
                continue
            if name not in closing:
                closing[name] = self._closes(name, time_ns)
            if closing[name]:
                due.add((symbol, name))
        return due | self._filled_now(time_ns) if self._may_fill else due

    def _filled_now(self, time_ns: int) -> set[tuple[str, str]]:
        """Return the series that may get a synthetic bar at a time."""
        return {
            (symbol, name)
            for symbol, one in self._context.session_data.current.items()
            for name in one.bars
            if gap_policy_of(self._policies, symbol, name) == "forward" and self._closes(name, time_ns)
        }

    def _closes(self, name: str, time_ns: int) -> bool:
        """Return whether a bar of an interval closes at a time by the calendar."""
        market = self._context.market("")
        interval = parse_interval(name)
        if not interval.is_intraday:
            return time_ns >= market.last_ns or time_ns >= market.time_manager.session(market.day).close_ns
        ends = self._ends.get(name)
        if ends is None:
            ends = market.time_manager.grid(market.day, market.day).possible_bars(interval).end_ns
            self._ends[name] = ends
        place = int(ends.searchsorted(time_ns))
        return place < len(ends) and int(ends[place]) == time_ns

    def _grow_series(self, due: Iterable[tuple[str, str]]) -> list[BarIntervalData]:
        """Read the due series anew from their first bar on, and return them."""
        data, tm = self._context.session_data, self._context.time_manager
        together: dict[tuple[str, str, int], list[BarIntervalData]] = defaultdict(list)
        # In the order of the session, since that of a set may differ from run to run.
        wanted = set(due)
        for symbol, one in data.current.items():
            for name, series in one.bars.items():
                if (symbol, name) in wanted:
                    rows = all_bars(series).timestamp
                    together[name, series.base or name, int(rows[0]) if len(rows) else 0].append(series)
        cursors: dict[BarTimes, Cursor] = {}
        grown = []
        for (name, base, first_ns), alike in together.items():
            day = tm.day_of(first_ns) if first_ns else data.session_date
            read = self._context.data_manager.load_bars_of(
                [series.symbol for series in alike], name, day, data.session_date, base=base
            )
            for series, bars in zip(alike, read, strict=True):
                if isinstance(bars, OpenbellError):
                    raise bars
                own = bars.window(int(bars.timestamp.searchsorted(first_ns)), len(bars))
                cursor = cursors.get(own.times)
                if cursor is None:
                    cursor = cursors[own.times] = Cursor(own.times, tm.clock)
                grow(series, own, cursor)
                grown.append(series)
        return grown

    def _grow_indicators(self, grown: Iterable[BarIntervalData]) -> None:
        """Compute the indicators of series that have grown, those of equal times at once."""
        data = self._context.session_data
        together: dict[_Group, list[tuple[BarIntervalData, list[IndicatorData]]]] = defaultdict(list)
        for series in grown:
            found = [one for one in data.current[series.symbol].indicators.values() if one.series is series]
            if found:
                keys, anchors = tuple(one.key for one in found), tuple(one.anchor_row for one in found)
                group = _Group(series.interval, series.base, all_bars(series).times, series.today_row, keys, anchors)
                together[group].append((series, found))
        # A memo of its own, since results by the times of shorter series would otherwise stay until the day is over.
        context = replace(self._context, memo=Memo())
        for group, all_of in together.items():
            for first in range(0, len(all_of), _MOST_TOGETHER):
                self._compute(group, all_of[first : first + _MOST_TOGETHER], context)

    def _compute(
        self, group: _Group, some: Sequence[tuple[BarIntervalData, list[IndicatorData]]], context: ProvisioningContext
    ) -> None:
        symbols = [series.symbol for series, _ in some]
        for anchor in dict.fromkeys(group.anchors):
            keys = [key for key, at in zip(group.keys, group.anchors, strict=True) if at == anchor]
            needs = [self._needs[key] for key in keys]
            bars = [_from(all_bars(series), anchor) for series, _ in some]
            cursor = Cursor(bars[0].times, context.time_manager.clock)
            block = SeriesBlock(group.interval, group.base, bars, group.today_row - anchor, cursor, None)
            try:
                computed = computed_indicators(needs, symbols, {group.interval: block}, context)
            except TimesDifferError:
                if len(some) == 1:
                    raise
                for one in some:
                    self._compute(group, [one], context)
                return
            for place, (_, found) in enumerate(some):
                for indicator in found:
                    if indicator.anchor_row == anchor and (made := computed.get(indicator.key)) is not None:
                        values = {name: rows[place] for name, rows in made.columns.items()}
                        before = None if made.before_first is None else made.before_first[place]
                        grow_values(indicator, values, made.skipped, made.ahead_of_today, before)


def _from(bars: Bars, row: int) -> Bars:
    return bars.window(row, len(bars)) if row else bars
