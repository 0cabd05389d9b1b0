"""The question about symbols whose bars lie mostly outside the hours of the exchange."""

from __future__ import annotations

from datetime import timedelta
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.errors import ConfigError, DamagedFileError, command_on
from openbell.market_data.aggregate import rows_in_segments
from openbell.market_data.stored_history import rows_between
from openbell.model.interval import DAY_NS, parse_interval
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from openbell.store.store import BarStore
    from openbell.timing.grid import SessionGrid
    from openbell.timing.time_manager import TimeManager

__all__ = ["symbols_of_other_hours"]

_SAMPLE_DAYS = 7
_MOST_ROWS = 100_000
_MOST_EXAMINED = 20
_MOST_NAMES = 3
_FEW = 0.75
"""Bars in regular hours are few below this share of the number if bars were spread evenly over all hours."""


class _Strange(NamedTuple):
    """A symbol whose bars lie mostly outside the hours of the exchange.

    Attributes:
        symbol: The symbol.
        interval: The interval of the bars that were read.
        first: The first day that was read.
        last: The last day that was read, inclusive.
        bars: Number of bars that were read.
        regular: Number of these bars in regular hours.
    """

    symbol: str
    interval: str
    first: date
    last: date
    bars: int
    regular: int

    def __str__(self) -> str:
        share = 100 * self.regular / self.bars
        days = f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"
        return f"{self.symbol} ({share:.1f} % of its {self.interval} bars of {days} lie in regular hours)"


def symbols_of_other_hours(
    store: BarStore, time_manager: TimeManager, symbols: Sequence[str], first: date, last: date
) -> list[str]:
    """Return a question about symbols whose bars lie mostly outside the exchange's hours, or none.

    For such a symbol, more than half of the bars lie outside all hours, or fewer bars lie in regular hours than if they
    were spread evenly over regular and extended hours: bars of London, for example, lie in New York's pre-market. Bars
    are read only of a few days, and only of symbols that have a file whose first or last bar lies outside all hours.

    Args:
        store: The store.
        time_manager: The calendar.
        symbols: The symbols to look at.
        first: The first day to look at.
        last: The last day, inclusive.
    """
    first, last = max(first, time_manager.first_day), min(last, time_manager.last_day)
    if last < first:
        return []
    # Most symbols lie within regular hours, so the calendar with extended hours is made only for the others.
    outside = [symbol for symbol, *_ in _suspects(store, time_manager, symbols, first, last)]
    if not outside:
        return []
    around = _with_extended_hours(time_manager)
    suspects = list(_suspects(store, around, outside, first, last))
    found = [s for s in (_examined(store, around, *suspect, last) for suspect in suspects[:_MOST_EXAMINED]) if s]
    if not found:
        return []
    more = len(found) - _MOST_NAMES
    named = ", ".join(map(str, found[:_MOST_NAMES])) + (f" and {more} other symbols" if more > 0 else "")
    unseen = len(suspects) - _MOST_EXAMINED
    rest = f" {unseen:,} more symbols were not looked at." if unseen > 0 else ""
    check = command_on(f"data check {quote(found[0].symbol)}", store.path)
    text = (
        f"most bars lie outside the hours of {time_manager.exchange}, of {named}. Is that another exchange, or are the "
        f"times of another time zone? One config has one exchange.{rest} See: {check}"
    )
    return [text]


def _with_extended_hours(time_manager: TimeManager) -> TimeManager:
    try:
        return time_manager.with_session_hours("extended")
    except ConfigError:  # the exchange has no extended hours
        return time_manager


def _suspects(
    store: BarStore, around: TimeManager, symbols: Sequence[str], first: date, last: date
) -> Iterator[tuple[str, str, date]]:
    """Yield symbols with a file that begins or ends outside all hours.

    Each comes with the interval and the first day of the file.

    Only the first file in the range is looked at.
    """
    begin, end = day_number(first) * DAY_NS, (day_number(last) + 1) * DAY_NS
    edges: list[tuple[str, str, int, int]] = []
    for symbol in symbols:
        name = next((name for name in store.intervals(symbol) if parse_interval(name).is_intraday), None)
        files = store.manifest.files.get((symbol, name), ()) if name else ()
        file = next((f for f in files if f.last_ns >= begin and f.first_ns < end), None)
        if name and file:
            edges.append((symbol, name, file.first_ns, file.last_ns))
    if not edges:
        return
    times = np.array([edge[2:] for edge in edges], np.int64)
    grid = _grid_around(around, date_of(int(times.min()) // DAY_NS), date_of(int(times.max()) // DAY_NS))
    inside, _ = rows_in_segments(times.ravel(), grid)
    for (symbol, name, first_ns, _), (starts_inside, ends_inside) in zip(edges, inside.reshape(-1, 2), strict=True):
        if not (starts_inside and ends_inside):
            yield symbol, name, max(first, date_of(first_ns // DAY_NS))


def _examined(store: BarStore, around: TimeManager, symbol: str, name: str, first: date, last: date) -> _Strange | None:
    """Count the bars of a few days of a symbol within hours.

    The result is None unless they lie mostly outside, as `symbols_of_other_hours` says.
    """
    days = _SAMPLE_DAYS
    while (
        days > 1
        and rows_between(store.manifest, [symbol], name, day_number(first), day_number(first) + days) > _MOST_ROWS
    ):
        days //= 2
    until = min(last, first + timedelta(days=days - 1))
    try:
        rows = store.read_rows(
            [symbol], name, day_number(first) * DAY_NS, (day_number(until) + 1) * DAY_NS, columns=("timestamp",)
        )
    except DamagedFileError:
        return None  # the damage is reported where the bars are used
    times: NDArray[np.int64] = rows.columns["timestamp"]
    grid = _grid_around(around, first, until)
    inside, regular = (int(rows_in_segments(times, grid, regular_only=only)[0].sum()) for only in (False, True))
    lengths = grid.segment_close_ns - grid.segment_open_ns
    usual = lengths[grid.segment_is_regular].sum() / lengths.sum()
    if 2 * inside >= len(times) and (usual == 1 or regular >= _FEW * usual * len(times)):
        return None
    return _Strange(symbol, name, first, until, len(times), regular)


def _grid_around(time_manager: TimeManager, first: date, last: date) -> SessionGrid:
    """Return the sessions of some days with a margin.

    It has those that begin on the evening of the last day.
    """
    begin = max(first - timedelta(days=1), time_manager.first_day)
    end = min(last + timedelta(days=_SAMPLE_DAYS), time_manager.last_day)
    return time_manager.grid(min(begin, end), end)
