"""Findings about undeclared splits.

The price level changes over a night, and the money traded does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from openbell.actions import ActionStore
from openbell.actions.securities import Security
from openbell.market_data.aggregate import aggregate
from openbell.model.interval import parse_interval
from openbell.quality.finding import Finding
from openbell.quality.series import true_range
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from collections.abc import Collection

    from openbell.actions.store import ActionBook
    from openbell.model.bars import Bars
    from openbell.quality.series import Series
    from openbell.store.store import BarStore
    from openbell.timing.grid import SessionGrid

__all__ = ["daily_sums", "declared_splits", "likely_splits", "undeclared_splits"]

_RATIOS = {
    "2-for-1": 2.0, "3-for-1": 3.0, "3-for-2": 1.5, "4-for-1": 4.0, "5-for-1": 5.0, "5-for-4": 1.25, "4-for-3": 4 / 3,
    "6-for-1": 6.0, "7-for-1": 7.0, "8-for-1": 8.0, "10-for-1": 10.0, "15-for-1": 15.0, "20-for-1": 20.0,
    "25-for-1": 25.0, "30-for-1": 30.0, "50-for-1": 50.0, "100-for-1": 100.0,
}  # fmt: skip
_NEAR = 0.025
"""The largest distance of the step over the night from the ratio, as a logarithm."""
_REACH = 10
"""The number of sessions that are compared on either side."""
_FEWEST = 3
_USUAL_RANGES = 6.0
_CALM = 4.0
_LEVEL = 0.14
_MONEY = 3.0
_SESSIONS_APART = 3
_SMALLEST = float(np.log(1.2))
_HUGE = float(np.log(4.0))
_NEAR_HUGE = 0.2
_LEVEL_HUGE = 0.6


def declared_splits(store: BarStore) -> dict[str, frozenset[int]]:
    """Return the ex-dates of known splits by symbol, in days since 1970-01-01.

    For a renamed symbol, splits under its other names count, too.

    Raises:
        DamagedFileError: The actions cannot be read.
    """
    book = ActionStore(store.path).book(store.manifest.side_files)
    declared: dict[str, set[int]] = {}
    for symbol in store.symbols():
        found = {day_number(action.ex_date) for action in book.of(symbol) if action.type == "split"}
        for day in _days_of_names(book, symbol):
            found.update(Security(book, store.manifest, symbol, day).applied_by("split").ex_days.tolist())
        if found:
            declared[symbol] = found
    return {symbol: frozenset(days) for symbol, days in declared.items()}


def _days_of_names(book: ActionBook, symbol: str) -> set[int]:
    """Return days on which a name belonged to each security that had it.

    There are none without a rename.
    """
    renames = [day_number(a.ex_date) for a in book.naming(symbol) if a.type == "rename"]
    return {at for day in renames for at in (day - 1, day)}


def daily_sums(series: Series) -> Bars:
    """Return the daily bars of a series, or daily bars aggregated from its intraday bars."""
    if not series.intraday or not len(series.bars):
        return series.bars
    return aggregate(series.bars, series.grid, parse_interval("1d"), base=series.interval)


def undeclared_splits(bars: Bars, grid: SessionGrid, declared: Collection[int] = ()) -> list[Finding]:
    """Return findings about nights over which the price seems to be split.

    All of these must hold:

    - The step from the last close to the open is within 2.5 % of a usual ratio (2-for-1, 3-for-2 ... or the reverse),
      and at least 6 times the usual daily range.
    - The median closes of the 10 sessions before and after differ by the step, give or take 15 % or two usual ranges.
    - The range of the session after is at most 4 usual ones, unlike that of a crash.
    - The median money traded (price times volume) of the 10 sessions after is between a third and three times that of
      the 10 before.

    News hardly ever moves a price for good to a quarter or to four times. So for such a step the ratio may be 20 % off
    and the level 0.6 in logarithms, and range and money do not matter.

    Args:
        bars: Daily bars; see `daily_sums`.
        grid: The sessions that the bars lie in.
        declared: The ex-dates of declared splits, in days since 1970-01-01.
    """
    if len(bars) < 2 * _REACH:
        return []
    session = np.searchsorted(grid.open_ns, bars.timestamp)
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.log(bars.close[:-1] / bars.open[1:])
    found = []
    for before in np.flatnonzero(np.abs(step) > _SMALLEST):
        night = _Night(bars, int(before) + 1, float(step[before]))
        # Over a longer gap in the bars, the price may have moved by any amount.
        apart = session[before + 1] - session[before]
        if apart <= _SESSIONS_APART and int(grid.days[session[before + 1]]) not in declared and night.is_split():
            found.append(_finding(night))
    return found


def likely_splits(bars: Bars, grid: SessionGrid) -> list[Finding]:
    """Return findings about undeclared splits and recent huge steps.

    A huge step is one to about a quarter or to four times.

    `undeclared_splits` needs several sessions on both sides. For a recent step of that size one session is enough, if
    no close since then lies nearer to the level before it.
    """
    found = undeclared_splits(bars, grid)
    known = {finding.start_ns for finding in found}
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.log(bars.close[:-1] / bars.open[1:])
    session = np.searchsorted(grid.open_ns, bars.timestamp)
    for before in np.flatnonzero(np.abs(step) >= _HUGE - _NEAR_HUGE):
        night = _Night(bars, int(before) + 1, float(step[before]))
        near = session[before + 1] - session[before] <= _SESSIONS_APART
        if near and int(bars.timestamp[before + 1]) not in known and night.is_recent and night.stays:
            found.append(_finding(night))
    return sorted(found, key=lambda finding: finding.start_ns)


@dataclass(frozen=True, slots=True)
class _Night:
    """A step of the price over a night.

    Attributes:
        bars: The daily bars.
        row: The row of the bar after the night.
        step: ln(close before / open after).
    """

    bars: Bars
    row: int
    step: float

    @property
    def is_huge(self) -> bool:
        return abs(self.step) >= _HUGE

    @property
    def name(self) -> str:
        """The name of the nearest usual split, such as "2-for-1", if it is near.

        Else it is an empty text.
        """
        off = abs(abs(self.step) - np.log(_RATIOS[self._usual]))
        return "" if off > (_NEAR_HUGE if self.is_huge else _NEAR) else self.nearest

    @property
    def nearest(self) -> str:
        """The name of the nearest usual split, however far off."""
        new, old = self._usual.split("-for-")
        return self._usual if self.step > 0 else f"{old}-for-{new}"

    @property
    def _usual(self) -> str:
        return min(_RATIOS, key=lambda name: abs(abs(self.step) - np.log(_RATIOS[name])))

    @property
    def is_recent(self) -> bool:
        """Whether there are too few sessions on either side to compare levels."""
        return len(self.bars) < 2 * _REACH or min(self.row, len(self.bars) - self.row) < _FEWEST

    @property
    def stays(self) -> bool:
        """Whether no close of the next sessions lies nearer to the level before the night."""
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = np.log(self.bars.close[self.row : self.row + _REACH] / self.bars.open[self.row])
        return bool((np.abs(moved) < abs(self.step) / 2).all())

    def is_split(self) -> bool:
        """Return whether the conditions of `undeclared_splits` hold."""
        earlier, later = self.bars[max(0, self.row - _REACH) : self.row], self.bars[self.row : self.row + _REACH]
        if not self.name or len(earlier) < _FEWEST or len(later) < _FEWEST:
            return False
        usual = float(np.median(np.concatenate([true_range(earlier)[1:], true_range(later)[1:]])))
        level = float(np.log(np.median(earlier.close) / np.median(later.close)))
        room = _LEVEL_HUGE if self.is_huge else max(_LEVEL, 2 * usual)
        stays = abs(self.step) >= _USUAL_RANGES * usual and abs(level - self.step) <= room
        own_range = float(np.log(later.high[0] / later.low[0]))
        return stays and (self.is_huge or (own_range <= _CALM * usual and _money_is_usual(earlier, later)))


def _money_is_usual(earlier: Bars, later: Bars) -> bool:
    """Return whether the median money traded has changed by at most a factor of three."""
    before, after = (float(np.median(part.close * part.volume)) for part in (earlier, later))
    return (not before and not after) or (before > 0 and 1 / _MONEY <= after / before <= _MONEY)


def _finding(night: _Night) -> Finding:
    bars, row = night.bars, night.row
    about = "about a " if night.is_huge or not night.name else ""
    text = (
        f"{about}{night.nearest} split? The price went from {bars.close[row - 1]:g} to {bars.open[row]:g} over the "
        "night and stayed, and no corporate action says so: bars before it are on another price basis"
    )
    return Finding("undeclared_split", "serious", int(bars.timestamp[row]), int(bars.end[row]), 1, text)
