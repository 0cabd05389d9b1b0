"""Sessions, series and indicators as HTML for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.model.html_parts import MOST_ROWS, counted, in_div, more, table, title

if TYPE_CHECKING:
    from openbell.session.data import SessionData
    from openbell.session.indicator import IndicatorData
    from openbell.session.series import BarIntervalData

__all__ = ["indicator_html", "series_html", "session_html"]

_LAST = 5
_PRICES = ("open", "high", "low", "close", "volume")


def session_html(session: SessionData) -> str:
    """Return a session with its symbols, their intervals and indicators, and why each is in it."""
    rows = [
        [name, ", ".join(data.bars), ", ".join(data.indicators), data.reason or data.added_by]
        for name, data in list(session.current.items())[:MOST_ROWS]
    ]
    state = "over" if session.is_over else "not over"
    return in_div(
        [
            title(f"Session of {session.session_date}", f"{counted(len(session.current), 'symbol')}, {state}"),
            table(["symbol", "intervals", "indicators", "why it is here"], rows),
            more(len(session.current) - MOST_ROWS, "symbols"),
        ]
    )


def series_html(series: BarIntervalData) -> str:
    """Return a series with its quality and its last bars."""
    today = len(series.today)
    made = f", made of {series.base}" if series.base else ""
    quality = "" if series.quality is None else f", {series.quality:.2f} % of today's are there"
    head = f"{series.interval}{made}: {counted(len(series), 'closed bar')}, {today:,} of them today's{quality}"
    last = series.data[max(len(series) - _LAST, 0) : len(series)]
    rows = [
        [_time(start), *(f"{price:.10g}" for price in prices)]
        for start, *prices in zip(last.timestamp, *(getattr(last, name) for name in _PRICES), strict=True)
    ]
    return in_div([title(series.symbol, head), table(["begin, UTC", *_PRICES], rows)])


def indicator_html(indicator: IndicatorData) -> str:
    """Return an indicator with its value, and what it was computed over."""
    value = indicator.value
    outputs = value if isinstance(value, dict) else dict.fromkeys(indicator.outputs[:1], value)
    shown = [[name, "not ready" if number is None else f"{number:.10g}"] for name, number in outputs.items()]
    settled = "settled" if indicator.settled else "not settled"
    head = (
        f"{indicator.key}: looks back over {counted(indicator.lookback, 'bar')}, warmed up with "
        f"{indicator.warmup_bars:,}, {settled}"
    )
    return in_div([title(indicator.series.symbol, head), table(["output", "value"], shown)])


def _time(time_ns: np.int64) -> str:
    return str(np.datetime64(int(time_ns), "ns").astype("datetime64[s]")).replace("T", " ")
