"""Charts of sessions and runs for notebooks."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import polars as pl

from openbell.errors import DataError, printable
from openbell.model.html_page import HtmlPage
from openbell.model.interval import parse_interval
from openbell.pages.page import CANDLES, EQUITY, html_page
from openbell.pages.report.candles import Candles, known_at_ends
from openbell.pages.report.chart_key import chart_key
from openbell.pages.report.charts import chart_data
from openbell.pages.report.chosen_charts import chosen_charts
from openbell.pages.report.curves import equity_points
from openbell.pages.report.report_page import read_parts, run_report
from openbell.pages.report.windows import Window
from openbell.results.folder.run_tables import NO_SIGNALS, RunTables
from openbell.results.measures.equity import equity_frame
from openbell.session.frame import series_frame, series_of, zone_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from openbell.model.address import Place
    from openbell.model.json_object import JsonObject
    from openbell.results.result import RunResult
    from openbell.session import BarIntervalData, SessionData

__all__ = ["report_page", "result_chart", "run_chart", "session_candles", "session_chart"]

_NO_TABLES = RunTables(NO_SIGNALS, None, None, None, None, ())
_ONE_CHART, _TWO_CHARTS = 780, 1240
"""Heights of pages, in pixels."""


def session_chart(session: SessionData, symbol: str, interval: str, *, sessions: int, indicators: bool) -> HtmlPage:
    """Draw the closed bars of a series, with the indicators that were known at the end of each.

    Raises:
        ConfigError: The symbol is no text, or the interval cannot be read.
        DataError: There is no such series, none of its bars has closed, or its history is too short.
    """
    candles = session_candles(session, symbol, interval, sessions=sessions, indicators=indicators)
    day = session.session_date
    window = chart_data(Window(symbol, day, day), candles, _NO_TABLES, (), frozenset()).to_dict()
    title = f"{printable(symbol)} {candles.interval}, {day}"
    return _page(title, "As the session saw it.", str(candles.zone), [window], [title], (), None)


def session_candles(session: SessionData, symbol: str, interval: str, *, sessions: int, indicators: bool) -> Candles:
    """Return the closed bars of a series, with the indicators that were known at the end of each.

    Args:
        session: The session.
        symbol: The symbol.
        interval: The interval.
        sessions: How many sessions before this one are included.
        indicators: Whether indicators are included.

    Raises:
        ConfigError: The symbol is no text, or the interval cannot be read.
        DataError: There is no such series, none of its bars has closed, or its history is too short.
    """
    series, data = series_of(session, symbol, interval), session.current[symbol]
    bars = _shown_bars(series, sessions)
    if not len(bars):
        raise DataError(f"no {interval} bar of {symbol} has closed in the session of {session.session_date} yet.")
    frames = {
        over.interval: [series_frame(over, data.indicators.values()).drop(_PRICES)]
        for over in (data.bars.values() if indicators else ())
        if any(indicator.series is over for indicator in data.indicators.values())
    }
    return Candles(series.interval, bars, known_at_ends(bars, series.interval, frames), True, zone_of(series))


_PRICES = ("open", "high", "low", "close", "volume", "count")


def _shown_bars(series: BarIntervalData, sessions: int) -> pl.DataFrame:
    if not parse_interval(series.interval).is_intraday:
        return series.to_polars()
    before = [series.last(sessions=sessions).to_polars()] if sessions else []
    return pl.concat([*before, series.today.to_polars()])


def result_chart(result: RunResult) -> HtmlPage:
    """Draw equity and drawdown of a run.

    Raises:
        DataError: The run does not trade, or no session came to its end.
    """
    traded = [(day.date, day.trading) for day in result.days if day.trading is not None]
    if not traded:
        raise DataError(
            f"the run {result.session_name!r} has no equity to draw: its config has no section execution, or no "
            "session came to its end. session_data.plot(symbol, interval) draws candles."
        )
    start = traded[0][1].start_equity
    equity = equity_frame(start, [day for day, _ in traded], [trading.equity for _, trading in traded])
    span = f"{traded[0][0]} to {traded[-1][0]}, {len(traded):,} sessions."
    zone = str(result.days[0].zone)
    return _page(result.session_name, span, zone, [], [], (), equity_points(equity, start))


def run_chart(folder: Path, *, store: Place | None, symbol: str, day: date | None, most: int) -> HtmlPage:
    """Draw equity and drawdown of a run, and its trades or signals on their candles.

    Args:
        folder: The folder of the run.
        store: The store of candles that the run did not keep; that of the config unless given.
        symbol: The only symbol, or an empty text for all.
        day: The only session, or None for all.
        most: The largest number of charts of candles.

    Raises:
        ConfigError: The folder is none of a run.
    """
    run = read_parts(folder)

    def is_wanted(span: Window) -> bool:
        return symbol in ("", span.symbol) and (day is None or span.first <= day <= span.last)

    charts = chosen_charts(folder, run.config, run.time_manager, run.tables, store, most, is_wanted)
    start = (run.stored.performance or {}).get("start_equity")
    equity = run.tables.equity
    points = None
    if equity is not None and len(equity) and start is not None and not symbol and day is None:
        points = equity_points(equity, start)
    name = run.stored.session_name or folder.name
    words = f"{len(run.stored.days):,} sessions, {run.stored.state}."
    return _page(name, words, str(run.zone), charts.windows, charts.titles, charts.notes, points)


def report_page(folder: Path, *, store: Place | None, most: int) -> HtmlPage:
    """Return the report of a run as a page that a notebook shows.

    Raises:
        ConfigError: The folder is none of a run.
    """
    return HtmlPage(run_report(folder, store=store, most_charts=most), _TWO_CHARTS)


def _page(
    name: str,
    subtitle: str,
    zone: str,
    windows: Sequence[JsonObject],
    titles: Sequence[str],
    notes: Sequence[str],
    equity: JsonObject | None,
) -> HtmlPage:
    values: dict[str, Any] = {
        "name": name,
        "subtitle": f"{subtitle} Times are those of {zone}.",
        "version": version("openbell"),
        "zone": zone,
        "has_equity": equity is not None,
        "equity_label": name,
        "thinned": equity is not None and equity["thinned"],
        "charts": titles,
        "chart_key": chart_key(windows),
        "chart_notes": notes,
    }
    html = html_page(
        "charts.html",
        values,
        charts=CANDLES if windows else EQUITY if equity else (),
        data={"zone": zone, "equity": equity, "windows": windows},
    )
    return HtmlPage(html, _TWO_CHARTS if windows and equity else _ONE_CHART)
