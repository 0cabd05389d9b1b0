"""Choice of the symbols and sessions that a report draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    import polars as pl

    from openbell.results.folder.run_tables import RunTables

__all__ = ["Window", "choose_windows", "finest_fitting", "spans_of"]

_MOST_BARS = 1600


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Successive sessions of a symbol that one chart shows.

    Attributes:
        symbol: The symbol, as tables have it.
        first: The first session.
        last: The last session.
        weight: Importance by which windows are chosen: money won or lost, or the number of signals.
    """

    symbol: str
    first: date
    last: date
    weight: float = 0.0


def spans_of(tables: RunTables, session_of: Callable[[int], date]) -> list[Window]:
    """Return a window for each trade, each fill and, in a run without fills, each signal.

    Args:
        tables: The tables of the run.
        session_of: Returns the session of a time in nanoseconds since 1970 UTC.
    """
    days = {} if tables.fills is None else _days_of_fills(tables.fills)
    spans = [Window(symbol, day, day) for (symbol, _), day in days.items()]
    if tables.trades is not None:
        columns = [tables.trades[name] for name in ("symbol", "pnl", "fees")]
        times = [tables.trades[name].to_physical() for name in ("entry_time", "exit_time")]
        for symbol, pnl, fees, entered, left in zip(*columns, *times, strict=True):
            first, last = (days.get((symbol, t)) or session_of(t) for t in (entered, left))
            spans.append(Window(symbol, first, max(first, last), abs(pnl - fees)))
    if not spans:
        of_signals = tables.signals.group_by("symbol", "date", maintain_order=True).len()
        spans = [Window(symbol, day, day, float(n)) for symbol, day, n in of_signals.iter_rows()]
    return spans


def _days_of_fills(fills: pl.DataFrame) -> dict[tuple[str, int], date]:
    return dict(zip(zip(fills["symbol"], fills["time"].to_physical(), strict=True), fills["date"], strict=True))


def choose_windows(spans: Iterable[Window], most: int, *, daily: bool) -> tuple[list[Window], int]:
    """Merge overlapping spans into windows, and keep those with the largest weights.

    Args:
        spans: The spans of trades, fills or signals.
        most: How many windows are kept.
        daily: Whether bars are daily, so that one window shows all spans of a symbol.

    Returns:
        The windows in order of their first session, and the number of windows left out.
    """
    merged: list[Window] = []
    for span in sorted(spans):
        known = merged[-1] if merged else None
        if known is not None and known.symbol == span.symbol and (daily or span.first <= known.last):
            last = max(known.last, span.last)
            merged[-1] = Window(span.symbol, known.first, last, known.weight + span.weight)
        else:
            merged.append(span)
    best = sorted(merged, key=lambda window: -window.weight)[:most]
    return sorted(best, key=lambda window: (window.first, window.symbol)), max(len(merged) - most, 0)


def finest_fitting(intervals: Sequence[str], bars_of: Callable[[str], int]) -> str:
    """Return the finest interval whose bars fit a chart, or the coarsest if none does.

    Args:
        intervals: Intervals to choose from.
        bars_of: Returns how many bars of an interval the window's sessions have.
    """
    ordered = sorted(intervals, key=lambda name: parse_interval(name).ns)
    return next((name for name in ordered if bars_of(name) <= _MOST_BARS), ordered[-1])
