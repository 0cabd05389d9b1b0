"""The raw close before an ex-date, from the store's bars: what a dividend is set against when its source tells none."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from openbell.data.aggregate import aggregate
from openbell.data.cache import SessionRange
from openbell.data.session_reader import read_sessions
from openbell.interval import parse_interval
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from datetime import date

    from openbell.data.actions.instrument import Instrument, Piece
    from openbell.data.store import BarStore
    from openbell.timing.manager import TimeManager

__all__ = ["close_before"]

_SOURCES = ("1d", "1m", "1s")
_NEAR_DAYS = 15


def close_before(instrument: Instrument, ex_date: date, store: BarStore, time_manager: TimeManager) -> float | None:
    """The close of regular hours of the last session with bars before ``ex_date``: by daily bars, else by finer ones.

    Returns:
        The price; None when the store has no earlier bar.

    Raises:
        DamagedFileError: A file cannot be read.
    """
    before = day_number(ex_date) - 1
    pieces = {i: [p for p in instrument.pieces(i) if p.first_day <= before] for i in _SOURCES}
    for interval, held in pieces.items():
        for piece in held[-1:]:
            last = min(piece.last_day, before)
            if (close := _last_close(piece.stored, interval, last - _NEAR_DAYS, last, store, time_manager)) is not None:
                return close
    for interval, held in pieces.items():
        for piece in reversed(held):
            first, last = _held_days(piece, interval, before, store)
            if (close := _last_close(piece.stored, interval, first, last, store, time_manager)) is not None:
                return close
    return None


def _held_days(piece: Piece, interval: str, before: int, store: BarStore) -> tuple[int, int]:
    """The days of a piece on which the store may have bars, up to ``before``."""
    coverage = store.coverage_of(piece.stored, interval)
    earliest = day_number((coverage.first - timedelta(days=1)).date()) if coverage else before + 1
    return max(piece.first_day, earliest), min(piece.last_day, before)


def _last_close(
    symbol: str, interval: str, first_day: int, last_day: int, store: BarStore, time_manager: TimeManager
) -> float | None:
    if last_day < first_day:
        return None
    stored = parse_interval(interval)
    grid = time_manager.grid(date_of(first_day), date_of(last_day))
    if not len(grid):
        return None
    _, bars = next(read_sessions(store, [symbol], stored, grid, SessionRange.of(first_day, last_day, grid)))
    if stored.is_intraday:
        bars = aggregate(bars, grid, parse_interval("1d"), base=stored)
    return float(bars.close[-1]) if len(bars) else None
