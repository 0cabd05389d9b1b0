"""What tests of sweeps share: a config on the demo's store, whose strategy trades and can fail."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FAST, SLOW = "strategies.0.config.fast", "strategies.0.config.slow"

CROSSES = """
from helper import averages
from openbell import Signal, Strategy

class Crosses(Strategy):
    def subscriptions(self):
        return [("ALFA", "5m")]

    def setup(self):
        fast = self.config["fast"]
        if fast == self.config.get("fails_at"):
            raise RuntimeError("as told")
        self.fast, self.slow = averages(self, fast, self.config["slow"])

    def on_bar(self, bar):
        long = self.fast.value > self.slow.value
        return Signal(bar.symbol, "BUY" if long else "SELL")
"""
HELPER = """
from openbell import IndicatorConfig

def averages(strategy, *periods):
    return [strategy.context.add_indicator("ALFA", IndicatorConfig("sma", period=p, interval="5m")) for p in periods]
"""


def config_of(**more: Any) -> dict[str, Any]:
    return {
        "session_name": "crosses",
        "store": "store",
        "backtest_config": {"start_date": "2024-07-02", "end_date": "2024-07-03"},
        "session_data_config": {"symbols": ["ALFA"], "streams": ["1m", "5m"]},
        "strategies": [{"module": "crosses.py:Crosses", "config": {"fast": 3, "slow": 10}}],
        "execution": {"cash": 100_000, "signals": {"BUY": {"percent": 50}, "SELL": "close"}},
        **more,
    }


def make_folder(demo: Path, target: Path, **more: Any) -> Path:
    """Make a folder with a store, the strategy and its config; return the config's file."""
    target.mkdir(parents=True)
    shutil.copytree(demo / "store", target / "store")
    (target / "crosses.py").write_text(CROSSES, encoding="utf-8")
    (target / "helper.py").write_text(HELPER, encoding="utf-8")
    (target / "crosses.json").write_text(json.dumps(config_of(**more)), encoding="utf-8")
    return target / "crosses.json"
