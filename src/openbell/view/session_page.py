"""Page of a session, and the charts that it asks for."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from openbell.errors import ConfigError, OpenbellError, printable
from openbell.model.interval import parse_interval
from openbell.pages.notebook import session_candles
from openbell.pages.report.candles import CandleSource
from openbell.pages.report.charts import chart_data, filled_inside
from openbell.pages.report.levels import resting_levels
from openbell.pages.report.windows import Window
from openbell.results.number_text import money, price, units
from openbell.view.addresses import day_of, query
from openbell.view.answers import page
from openbell.view.day_events import day_events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from starlette.responses import Response

    from openbell.config import SessionConfig
    from openbell.model.address import Place
    from openbell.model.json_object import JsonObject
    from openbell.pages.report.candles import Candles
    from openbell.pages.report.levels import Level
    from openbell.pages.report.report import ReadRun
    from openbell.timing import TimeManager
    from openbell.view.catalogue import Catalogue, KnownRun
    from openbell.view.day_events import DayEvent
    from openbell.view.playing import PlayedSessions

__all__ = ["calendar_of", "session_chart_data", "session_page"]

_SPANS = (1, 2, 5, 20, 60, 250)
_MOST_BARS = 120_000
_MOST_SYMBOLS = 2000
_MOST_OF_EVENT = 60


def calendar_of(read: ReadRun) -> tuple[SessionConfig, TimeManager]:
    """Return the config and the calendar of a run.

    Raises:
        ConfigError: Its config cannot be read.
    """
    if read.config is None or read.time_manager is None:
        raise ConfigError(f"the config of this run cannot be read: {read.config_problem}")
    return read.config, read.time_manager


def session_page(
    catalogue: Catalogue, run: KnownRun, day: date, asked: Mapping[str, str], played: PlayedSessions, token: str
) -> Response:
    """Return the page of a session.

    Raises:
        ConfigError: The config of the run cannot be read, or it has no such session.
    """
    read = catalogue.read(run)
    config, time_manager = calendar_of(read)
    if not time_manager.is_session(day):
        raise ConfigError(f"{day} is no session of {config.exchange}.")
    events, problems = day_events(run.folder, time_manager, read.tables, day)
    symbols = _symbols(events, config)
    symbol = asked.get("symbol") or (symbols[0] if symbols else "")
    window, session = Window(symbol, day, day), time_manager.session(day)
    source = CandleSource(run.folder, config, time_manager, None)
    intervals = source.intervals(window)
    state = played.state(run.folder, day)
    address = f"/run/{run.id}/session/{day}"
    values: JsonObject = {
        "name": read.stored.session_name or run.name,
        "day": day.isoformat(),
        "weekday": f"{day:%A}",
        "address": address,
        "run": f"/run/{run.id}",
        "neighbours": _neighbours(read.stored.days, day, f"/run/{run.id}/session/"),
        "symbols": symbols[:_MOST_SYMBOLS],
        "symbol": symbol,
        "intervals": intervals,
        "interval": asked.get("interval", ""),
        "spans": _SPANS,
        "why": f"/run/{run.id}/why?{query(symbol=symbol, day=day)}",
        "zone": str(read.zone),
        "problems": problems,
        "counts": Counter(one.kind for one in events),
        "trade": _trade(read, asked.get("trade", "")),
        "played": state.state,
        "played_problem": state.problem,
        "token": token,
        "has_kept": (run.folder / "indicators" / day.isoformat()).is_dir(),
        "has_trading": config.execution is not None,
    }
    data = {
        "zone": str(read.zone),
        "equity": None,
        "windows": [],
        "chart": f"/run/{run.id}/data/chart",
        "playing": f"/run/{run.id}/data/playing?day={day}" if state.state == "playing" else None,
        "day": day.isoformat(),
        "trade": values["trade"]["number"] if values["trade"] else None,
        "first": session.first_ns // 10**9,
        "last": session.last_ns // 10**9,
        "step": min(parse_interval(name).ns for name in config.session_data_config.streams) // 10**9,
        "events": [_event(one) for one in events],
        "why": f"/run/{run.id}/why?day={day}",
    }
    crumbs = (("Runs", "/"), (run.name, f"/run/{run.id}"), (day.isoformat(), None))
    return page("view_session.html", values, crumbs=crumbs, charts=("charts.js", "view_session.js"), data=data)


def _event(one: DayEvent) -> JsonObject:
    return {"t": one.seconds, "kind": one.kind, "text": one.text, "of": list(one.symbols[:_MOST_OF_EVENT])}


def _symbols(events: Sequence[DayEvent], config: SessionConfig) -> list[str]:
    """Return the symbols of a session, those that traded or gave signals first."""
    busy = Counter(name for one in events if one.kind in ("bought", "sold", "signal") for name in one.symbols)
    added = dict.fromkeys(name for one in events if one.kind == "added" for name in one.symbols)
    names = dict.fromkeys((*added, *map(printable, config.session_data_config.symbols)))
    return sorted(busy, key=lambda name: -busy[name]) + [name for name in names if name not in busy]


def _neighbours(days: Sequence[date], day: date, address: str) -> list[tuple[str, str]]:
    before, after = [one for one in days if one < day], [one for one in days if one > day]
    found = [("earlier session", before[-1])] if before else []
    found += [("later session", after[0])] if after else []
    return [(name, f"{address}{one}") for name, one in found]


def _trade(read: ReadRun, number: str) -> JsonObject | None:
    """Return what is said of a trade, by its number in the table."""
    trades = read.tables.trades
    if trades is None or not number.isdecimal() or not 0 < int(number[:9]) <= len(trades):
        return None
    row = trades.row(int(number[:9]) - 1, named=True)
    entered, left = (row[name].astimezone(read.zone) for name in ("entry_time", "exit_time"))
    bought, sold = ("bought", "sold") if row["quantity"] > 0 else ("sold short", "bought back")
    net = row["pnl"] - row["fees"]
    return {
        "number": int(number[:9]),
        "entry": f"{bought} {units(abs(row['quantity']))} {row['symbol']} at {price(row['entry_price'])}",
        "entered": f"{entered:%H:%M:%S}".removesuffix(":00"),
        "entered_s": int(entered.timestamp()),
        "entry_reason": row["entry_reason"] or "the strategy gave no reason",
        "exit": f"{sold} at {price(row['exit_price'])}",
        "left": f"{left:%Y-%m-%d %H:%M:%S}".removesuffix(":00"),
        "exit_reason": row["exit_reason"] or "the strategy gave no reason",
        "net": money(net, signed=True),
        "look": "gain" if net > 0 else "loss",
        "strategy": row["strategy"],
    }


def session_chart_data(
    catalogue: Catalogue, run: KnownRun, asked: Mapping[str, str], played: PlayedSessions, store: Place | None
) -> JsonObject:
    """Return what the script draws of a symbol and interval, up to a session.

    Raises:
        ConfigError: What is asked for is no day, interval or number of sessions.
    """
    read = catalogue.read(run)
    config, time_manager = calendar_of(read)
    day = day_of(asked.get("day", ""))
    sessions = int(asked.get("sessions", "1")) if asked.get("sessions", "1").isdecimal() else 1
    first = day if sessions <= 1 else time_manager.session_before(day, min(sessions, _SPANS[-1]) - 1)
    symbol = _named(asked.get("symbol", ""), read)
    window = Window(symbol, first, day)
    wanted = asked.get("interval", "")
    if wanted:
        parse_interval(wanted)
    source = CandleSource(run.folder, config, time_manager, store)
    candles = _played(played, run.folder, window, wanted, sessions) or source.candles(window, wanted)
    if isinstance(candles, str):
        return {"error": candles}
    if len(candles.bars) > _MOST_BARS:
        return {"error": f"{len(candles.bars):,} bars are more than a chart shows: choose a coarser interval."}
    data = chart_data(window, candles, read.tables, _levels(run, symbol), filled_inside(read.tables))
    ends = candles.bars["end"].to_physical().to_numpy() // 1_000_000_000
    return {**data, "ends": np.diff(ends, prepend=0).tolist(), "gaps": _gaps(candles, window, time_manager)}


def _named(shown: str, read: ReadRun) -> str:
    """Return the symbol that a page shows, where some of its characters may be written as escapes."""
    if read.config is not None:
        return next((name for name in read.config.session_data_config.symbols if printable(name) == shown), shown)
    return shown


def _played(played: PlayedSessions, folder: Path, window: Window, interval: str, sessions: int) -> Candles | None:
    session = played.state(folder, window.last).session
    data = None if session is None else session.get_symbol_data(window.symbol)
    if session is None or data is None or (interval and interval not in data.bars):
        return None
    try:
        wanted = interval or min(data.bars, key=lambda name: parse_interval(name).ns)
        return session_candles(session, window.symbol, wanted, sessions=sessions - 1, indicators=True)
    except OpenbellError:
        return None  # it does not reach back so far; the store may


def _levels(run: KnownRun, symbol: str) -> Sequence[Level]:
    file = run.folder / "orders.jsonl"
    size = file.stat().st_size if file.is_file() else 0
    return _read_levels(run.folder, symbol, size)


@lru_cache(maxsize=64)
def _read_levels(folder: Path, symbol: str, size: int) -> tuple[Level, ...]:  # noqa: ARG001 -- the size is its age
    return tuple(resting_levels(folder, {symbol})[0][symbol])


def _gaps(candles: Candles, window: Window, time_manager: TimeManager) -> list[JsonObject]:
    """Return the rows before which expected bars are missing, with how many."""
    if candles.is_daily:
        return []
    starts = candles.bars["timestamp"].to_physical().to_numpy()
    expected = np.concatenate(
        [time_manager.expected_bar_times(candles.interval, day)[0]
         for day in time_manager.sessions(window.first, window.last)]
    )  # fmt: skip
    missing = expected[~np.isin(expected, starts)]
    if len(missing):
        now_ns = int(starts[-1]) if len(starts) else 0
        missing = missing[missing < max(now_ns, 0)]
    rows, counts = np.unique(np.searchsorted(starts, missing), return_counts=True)
    return [{"row": int(row), "missing": int(count)} for row, count in zip(rows, counts, strict=True)]
