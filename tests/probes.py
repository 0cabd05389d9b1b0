"""How tests say a session in a line: a config on a store, and components whose methods are functions of the test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from openbell.compat.requirements import plan_of
from openbell.config import load_config
from openbell.engine.system import SystemManager
from openbell.testing import prepare, probe_scanner, probe_strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from openbell.compat.requirements import ProvisioningRequirements
    from openbell.components.context import SessionContext
    from openbell.components.strategy import Strategy
    from openbell.model.bars import Bar
    from openbell.session import BarIntervalData, IndicatorData, SymbolSessionData

COLUMNS = ("timestamp", "end", "open", "high", "low", "close", "volume", "count")

CLOSES = """
from openbell import IndicatorConfig, Signal, Strategy

class Closes(Strategy):
    def subscriptions(self):
        return [("ALFA", "60m")]

    def setup(self):
        print("a user's line")
        if self.config.get("asks"):
            self.context.add_bar("ALFA", "7m")
            for symbol in self.config["asks"]:
                self.context.add_symbol(symbol)
        if "long" in self.config:
            indicator = IndicatorConfig("sma", period=self.config["long"], interval="1m")
            self.average = self.context.add_indicator("ALFA", indicator)

    def on_bar(self, bar):
        if self.context.session_date.isoformat() == self.config.get("fails_on"):
            raise RuntimeError("as told")
        if self.context.session_date.isoformat() == self.config.get("interrupted_on"):
            raise KeyboardInterrupt
        if "long" in self.config:
            self.average.value
        return Signal(bar.symbol, "HOLD", f"{bar.close:.2f}")
"""
"""The file of a user's strategy, for the demo's store: a signal an hour, and what its config asks for besides."""


def strategy_at(clock: str, do: Callable[[Any], Any], watch: str = "SPY", **methods: Any) -> dict[str, Any]:
    """A strategy that does something once, when the bar of that time closes."""

    def on_bar(self: Strategy, bar: Bar) -> None:
        if local_time(self.context) == clock:
            do(self.context)

    return probe_strategy(subscriptions=[(watch, "1m")], on_bar=on_bar, **methods)


def scanner_at(clock: str, do: Callable[[Any], Any]) -> dict[str, Any]:
    """A scanner that does something once."""
    return probe_scanner(clock, scan=lambda self: do(self.context) and ())


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
    return prepare(config_of(**keys), store=store)


def execute(system: SystemManager, req: ProvisioningRequirements) -> bool:
    """Carry out analysed requirements as a whole."""
    provisioner = system.coordinator.provisioner
    return provisioner.execute([plan_of(req, provisioner.context)])[0]


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
