"""Configs of sessions that tests play twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HISTORY = {
    "data": [{"trailing_days": 2, "intervals": ["1m", "5m"]}, {"trailing_days": 20, "intervals": ["1d"]}],
}
INDICATORS = [
    {"name": "vwap", "interval": "1m"},
    {"name": "rsi", "period": 14, "interval": "5m"},
    {"name": "atr", "period": 14, "interval": "1d"},
]
ALL = ("SPY", "IBM", "AIG", "BAC")


def seer(pairs: Iterable[tuple[str, str]], name: str = "Seer", **more: Any) -> dict[str, Any]:
    return {"name": name, "module": "live.traders:Seer", "config": {"pairs": [list(pair) for pair in pairs], **more}}


def pairs(symbols: Iterable[str] = ALL, intervals: Sequence[str] = ("1m", "5m")) -> list[tuple[str, str]]:
    return [(symbol, interval) for symbol in symbols for interval in intervals]


def slices(*intervals: str) -> dict[str, Any]:
    return {"module": "live.traders:Slices", "config": {"intervals": intervals}}


def trader(name: str = "Trader", **more: Any) -> dict[str, Any]:
    return {"name": name, "module": "live.traders:Trader", "config": more}


def picker(*at: str, **more: Any) -> dict[str, Any]:
    schedule = [{"start": clock, "end": clock, "every": "1m"} for clock in at]
    return {"module": "live.traders:Picker", "universe": ["SPY"], "schedule": schedule, "config": more}


def early(clock: str, *days: str) -> dict[str, Any]:
    """New York's exchange, which closes early on some days: where the length of a day is not the point."""
    return {"name": "XNYS_EARLY", "like": "XNYS", "early_closes": dict.fromkeys(days or ("2013-10-10",), clock)}


def session(
    *strategies: dict[str, Any],
    days: str | tuple[str, str] = "2013-10-09",
    symbols: Sequence[str] = ("SPY", "IBM"),
    streams: Sequence[str] = ("1m", "5m"),
    scanners: Sequence[dict[str, Any]] = (),
    execution: dict[str, Any] | None = None,
    exchange: Any = "XNYS",
    **data: Any,
) -> dict[str, Any]:
    first, last = (days, days) if isinstance(days, str) else days
    return {
        "session_name": "twice",
        "exchange": exchange,
        "backtest_config": {"start_date": first, "end_date": last},
        "session_data_config": {"symbols": list(symbols), "streams": list(streams), **data},
        "strategies": list(strategies),
        "scanners": list(scanners),
        "execution": execution or {},
    }
