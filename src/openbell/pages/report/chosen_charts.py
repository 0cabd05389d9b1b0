"""Candles of the sessions that matter most, within a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openbell.errors import printable
from openbell.pages.report.candles import CandleSource
from openbell.pages.report.charts import chart_data, filled_inside
from openbell.pages.report.levels import resting_levels
from openbell.pages.report.windows import choose_windows, spans_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openbell.config import SessionConfig
    from openbell.model.address import Place
    from openbell.model.json_object import JsonObject
    from openbell.pages.report.windows import Window
    from openbell.results.folder.run_tables import RunTables
    from openbell.timing import TimeManager

__all__ = ["ChosenCharts", "chosen_charts"]

_MOST_BARS = 60_000
"""Largest number of bars in all charts together, which bounds the size of a report."""
_MOST_REASONS = 3
_MOST_NAMES = 6


class ChosenCharts(NamedTuple):
    """Charts of a report.

    Attributes:
        windows: The data of each chart.
        titles: The titles of the charts.
        shown_trades: The chart that shows a trade, by the number of the trade.
        notes: Texts on what is left out and why, and on the source of the bars.
    """

    windows: list[JsonObject]
    titles: list[str]
    shown_trades: dict[int, int]
    notes: list[str]


def chosen_charts(
    folder: Path,
    config: SessionConfig | None,
    time_manager: TimeManager | None,
    tables: RunTables,
    store: Place | None,
    most: int,
    wanted_of: Callable[[Window], bool] = lambda _: True,
) -> ChosenCharts:
    """Return charts of the sessions of a run in which most was won or lost.

    Args:
        folder: The folder of the run.
        config: Its config; None when it cannot be read.
        time_manager: The calendar; None when the config cannot be read.
        tables: The tables of the run.
        store: The store to read in place of the config's.
        most: The largest number of charts.
        wanted_of: Returns whether a trade, fill or signal is included, by its symbol and sessions.
    """
    if config is None or time_manager is None:
        return ChosenCharts([], [], {}, ["There are no candles, because the config of the run cannot be read."])
    source = CandleSource(folder, config, time_manager, store)
    spans = [span for span in spans_of(tables, time_manager.day_of) if wanted_of(span)]
    if not spans:
        return ChosenCharts([], [], {}, ["Nothing was traded and no signal was given, so that no candles are marked."])
    wanted, left = choose_windows(spans, most, daily=source.is_daily)
    levels, problem = resting_levels(folder, {window.symbol for window in wanted})
    found = ChosenCharts([], [], {}, [])
    without: dict[str, list[str]] = {}
    bars, inside = 0, filled_inside(tables)
    for window in wanted:
        candles = source.candles(window)
        if isinstance(candles, str):
            without.setdefault(candles, []).append(window.symbol)
            continue
        bars += len(candles.bars)
        if bars > _MOST_BARS:
            left += 1
            continue
        _add(found, window, chart_data(window, candles, tables, levels[window.symbol], inside).to_dict())
    found.notes.extend(_notes(found, left, without, problem))
    return found


def _add(found: ChosenCharts, window: Window, data: JsonObject) -> None:
    number = len(found.windows)
    found.windows.append(data)
    days = str(window.first) if window.first == window.last else f"{window.first} to {window.last}"
    trades = len(data["trades"])
    count = f", {trades:,} trade{'' if trades == 1 else 's'}" if trades else ""
    found.titles.append(f"{printable(window.symbol, 40)} {data['interval']}, {days}{count}")
    found.shown_trades.update({trade["number"]: number for trade in data["trades"]})


def _notes(found: ChosenCharts, left: int, without: dict[str, list[str]], problem: str | None) -> list[str]:
    notes = []
    if found.windows:
        kept = sum(bool(window["kept"]) for window in found.windows)
        if kept == len(found.windows):
            notes.append("Bars are those that the run kept.")
        else:
            which = "Bars" if not kept else "Bars that the run did not keep"
            notes.append(
                f"{which} are those of the store as it is now, as they were traded on their day. Run with --bars to "
                "keep the bars that the run saw."
            )
        if not any(window["lines"] for window in found.windows):
            notes.append("Indicators are drawn of a run that kept them: run with --indicators.")
        if any(window["daily"] for window in found.windows):
            notes.append("Daily bars are on the price basis of the last day that is shown.")
    if left:
        notes.append(
            f"{left:,} more chart{' is' if left == 1 else 's are'} left out, of trades that won or lost less; "
            "openbell report --charts N shows more."
        )
    for reason, symbols in list(without.items())[:_MOST_REASONS]:
        several = list(dict.fromkeys(printable(name, 40) for name in symbols))
        names = ", ".join(several[:_MOST_NAMES]) + (" ..." if len(several) > _MOST_NAMES else "")
        notes.append(f"No candles of {names}: {reason}")
    if problem:
        notes.append(f"Stops and targets may be missing: {problem}")
    return notes
