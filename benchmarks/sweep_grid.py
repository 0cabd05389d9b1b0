"""The grids of the sweep: 64 pairs of averages on the bars of workload 2, with orders and without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.workloads import Workload

FAST, SLOW = range(5, 13), range(15, 79, 8)
"""64 pairs."""

_EXAMPLE = "openbell.examples.ema_cross:EmaCross"


@dataclass(frozen=True)
class Grid:
    """A config of which the pair varies.

    Attributes:
        name: What is printed.
        trades: Whether the example's signals are traded; else workload 2's rule signals only.
    """

    name: str
    trades: bool

    def config(self, work: Workload, fast: int, slow: int) -> dict[str, Any]:
        """The config at one pair."""
        data: dict[str, Any] = {"symbols": work.symbols, "streams": ["1m", "5m"]}
        more: dict[str, Any] = {}
        if self.trades:
            more["execution"] = {"cash": 100_000, "signals": {"BUY": {"percent": 5}, "SELL": "close"}}
        else:
            data["indicators"] = [{"name": "ema", "period": period, "interval": "5m"} for period in (fast, slow)]
        module = _EXAMPLE if self.trades else "benchmarks.strategies:PairSignals"
        return {
            "session_name": "pairs",
            "store": str(work.data()),
            "backtest_config": {"start_date": str(work.days[0]), "end_date": str(work.days[-1])},
            "session_data_config": data,
            "strategies": [{"module": module, "config": {"fast": fast, "slow": slow}}],
            **more,
        }

    def options(self, fast: range, slow: range) -> list[str]:
        """The options that name the pairs."""
        keys = {"strategies.0.config.fast": fast, "strategies.0.config.slow": slow}
        where = []
        if not self.trades:
            keys |= {"session_data_config.indicators.0.period": fast, "session_data_config.indicators.1.period": slow}
            where = ["--where", "fast == indicators.0.period", "--where", "slow == indicators.1.period"]
        sets = [("--set", f"{key}={','.join(map(str, values))}") for key, values in keys.items()]
        return [word for words in sets for word in words] + where


SIGNALS, ORDERS = Grid("signals", trades=False), Grid("orders", trades=True)
