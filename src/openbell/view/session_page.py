"""Page of a session."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from openbell.errors import ConfigError, printable
from openbell.model.interval import parse_interval
from openbell.pages.page import CANDLES
from openbell.pages.report.candles import CandleSource
from openbell.pages.report.windows import Window
from openbell.results.number_text import money, price, units
from openbell.view.addresses import interval_of, query
from openbell.view.day_events import day_events
from openbell.view.responses import page
from openbell.view.session_chart import SPANS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from starlette.responses import Response

    from openbell.config import SessionConfig
    from openbell.model.json_object import JsonObject
    from openbell.pages.report.report_page import ReadRun
    from openbell.view.day_events import DayEvent
    from openbell.view.replays import PlayedSessions
    from openbell.view.run_catalogue import Catalogue, KnownRun

__all__ = ["session_page"]

_MOST_SYMBOLS = 2000
_MOST_OF_EVENT = 60


def session_page(
    catalogue: Catalogue, run: KnownRun, day: date, asked: Mapping[str, str], played: PlayedSessions, token: str
) -> Response:
    """Return the page of a session.

    Raises:
        ConfigError: The config of the run cannot be read, or the day is no session.
    """
    read = catalogue.read(run)
    config, time_manager = read.calendar()
    if not time_manager.is_session(day):
        raise ConfigError(f"{day} is not a session of {config.exchange}.")
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
        "interval": interval_of(asked),
        "spans": SPANS,
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
    scripts = (*CANDLES, "view_chart.js", "view_session.js")
    return page("view_session.html", values, crumbs=crumbs, charts=scripts, data=data)


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
    """Return the values for the text on a trade, by its number in the table.

    They are None if there is no such trade.
    """
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
