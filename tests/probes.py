"""How tests say a session in a line: a config on a store, and components whose methods are functions of the test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from openbell.components.scanner import Scanner
from openbell.components.strategy import Strategy
from openbell.config import load_config
from openbell.engine.system import SystemManager

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from openbell.components.context import SessionContext
    from openbell.session import BarIntervalData, IndicatorData, SymbolSessionData

COLUMNS = ("timestamp", "end", "open", "high", "low", "close", "volume", "count")

CLOSES = """
from openbell import Signal, Strategy

class Closes(Strategy):
    def subscriptions(self):
        return [("ALFA", "60m")]

    def setup(self):
        print("a user's line")
        if self.config.get("asks"):
            self.context.add_bar("ALFA", "7m")
            for symbol in self.config["asks"]:
                self.context.add_symbol(symbol)

    def on_bar(self, bar):
        if self.context.session_date.isoformat() == self.config.get("fails_on"):
            raise RuntimeError("as told")
        if self.context.session_date.isoformat() == self.config.get("interrupted_on"):
            raise KeyboardInterrupt
        return Signal(bar.symbol, "HOLD", f"{bar.close:.2f}")
"""
"""The file of a user's strategy, for the demo's store: a signal an hour, and what its config asks for besides."""


class ProbeStrategy(Strategy):
    """Calls the function that its config holds under the method's name, with itself first."""

    def _do(self, name: str, *args: Any) -> Any:
        function = self.config.get(name)
        return None if function is None else function(self, *args)

    def subscriptions(self) -> Any:
        return self._do("subscriptions") or ()

    def setup(self) -> None:
        self._do("setup")

    def on_bar(self, bar: Any) -> Any:
        return self._do("on_bar", bar)

    def on_symbol_added(self, symbol: str) -> None:
        self._do("on_symbol_added", symbol)

    def teardown(self) -> None:
        self._do("teardown")


class SliceStrategy(ProbeStrategy):
    """A strategy that gets cross-sections, too."""

    def on_slice(self, bars: Any) -> Any:
        return self._do("on_slice", bars)


class ProbeScanner(Scanner):
    """Likewise for a scanner."""

    _do = ProbeStrategy._do

    def setup(self) -> None:
        self._do("setup")

    def scan(self) -> Any:
        return self._do("scan")

    def teardown(self) -> None:
        self._do("teardown")


def strategy(**methods: Any) -> dict[str, Any]:
    """The config of a strategy with these methods; a plain list of subscriptions will do."""
    pairs = methods.get("subscriptions")
    if isinstance(pairs, list):
        methods["subscriptions"] = lambda _: pairs
    name = "SliceStrategy" if "on_slice" in methods else "ProbeStrategy"
    return {"module": f"probes:{name}", "config": methods}


def strategy_at(clock: str, do: Callable[[Any], Any], watch: str = "SPY", **methods: Any) -> dict[str, Any]:
    """A strategy that does something once, when the bar of that time closes."""

    def on_bar(self: ProbeStrategy, bar: Any) -> None:
        if local_time(self.context) == clock:
            do(self.context)

    return strategy(subscriptions=[(watch, "1m")], on_bar=on_bar, **methods)


def scanner(*clocks: str, pre_session: bool = False, universe: Any = (), **methods: Any) -> dict[str, Any]:
    """The config of a scanner that scans at these times."""
    schedule = [{"start": clock, "end": clock, "every": "1m"} for clock in clocks]
    module = {"module": "probes:ProbeScanner", "config": methods, "universe": universe}
    return {**module, "schedule": schedule, "pre_session": pre_session or not clocks}


def scanner_at(clock: str, do: Callable[[Any], Any]) -> dict[str, Any]:
    """A scanner that does something once."""
    return scanner(clock, scan=lambda self: do(self.context) and ())


def config_of(
    *,
    symbols: Sequence[str] = ("SPY",),
    days: tuple[str, str] | str = "2013-10-10",
    streams: Sequence[str] = ("1m", "5m"),
    trailing: Mapping[str, int] | None = None,
    indicators: Sequence[Mapping[str, Any]] = (),
    strategies: Sequence[Mapping[str, Any]] = (),
    scanners: Sequence[Mapping[str, Any]] = (),
    exchange: str = "XNYS",
    **session_data: Any,
) -> dict[str, Any]:
    """A config as a file would hold it; ``trailing`` is sessions of history by interval."""
    first, last = (days, days) if isinstance(days, str) else days
    history = [{"trailing_days": n, "intervals": [interval]} for interval, n in (trailing or {}).items()]
    return {
        "session_name": "test",
        "exchange": exchange,
        "backtest_config": {"start_date": first, "end_date": last},
        "session_data_config": {
            "symbols": list(symbols),
            "streams": list(streams),
            "historical": {"data": history},
            "indicators": [dict(i) for i in indicators],
            **session_data,
        },
        "strategies": list(strategies),
        "scanners": list(scanners),
    }


def engine(store: Path, **keys: Any) -> SystemManager:
    """A session engine on a store; keys as for `config_of`."""
    return SystemManager(load_config(config_of(**keys)), store=store)


def prepared(store: Path, **keys: Any) -> SystemManager:
    """The same with the first day's symbols provisioned and its clock at the open."""
    system = engine(store, **keys)
    system.coordinator._load_session_data()
    return system


def advance(system: SystemManager, clock: str) -> None:
    """Move the session clock of a prepared session to a time of day at the exchange."""
    tm = system.time_manager
    hours, minutes = map(int, clock.split(":"))
    opened = tm.to_local(tm.session(system.session_data.session_date).open_ns)
    then = opened.replace(hour=hours, minute=minutes)
    tm.clock.advance_to(int(then.timestamp()) * 1_000_000_000)  # type: ignore[attr-defined]


def local_time(context: SessionContext) -> str:
    return f"{context.now:%H:%M}"


def visible_series(series: BarIntervalData) -> dict[str, Any]:
    """All that a reader sees of a series, bit for bit."""
    bars = series.data
    return {
        "base": series.base,
        "history": len(series.history),
        "today": len(series.today),
        "quality": series.quality,
        "historical_quality": series.historical_quality,
        "gaps": series.gaps,
        **{name: getattr(bars, name).tobytes() for name in COLUMNS},
    }


def visible_indicator(indicator: IndicatorData) -> dict[str, Any]:
    """All that a reader sees of an indicator, bit for bit; NaN is NaN whatever its bits."""
    return {
        "valid": indicator.valid,
        "settled": indicator.settled,
        "value": indicator.value,
        "warmup": indicator.warmup_bars,
        "lookback": indicator.lookback,
        **{name: np.nan_to_num(indicator.output(name), nan=-9e99).tobytes() for name in indicator.outputs},
    }


def visible(data: SymbolSessionData | None) -> dict[str, Any]:
    """All that a reader sees of a symbol, bit for bit."""
    assert data is not None
    return {
        "metadata": dict(data.metadata),
        "base_interval": data.base_interval,
        "owners": dict(data.owners),
        "locks": dict(data.locks),
        "bars": {name: visible_series(series) for name, series in data.bars.items()},
        "indicators": {key: visible_indicator(indicator) for key, indicator in data.indicators.items()},
    }


def journal(day: Mapping[str, Any], symbol: str) -> list[dict[str, Any]]:
    """The records of one symbol in a day of a summary."""
    return [record for record in day["provisioning"] if record["symbol"] == symbol]


def steps(record: Mapping[str, Any]) -> list[str]:
    return [step["name"] for step in record["steps"]]
