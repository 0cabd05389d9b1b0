"""How tests say a session that trades in a line: bars by their prices, and what is done at which time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from openbell.engine.system import SystemManager
from openbell.testing import bar_starts, make_store, probe_strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from openbell.components.strategy import Strategy
    from openbell.execution.desk import TradingDesk
    from openbell.model.bars import Bar
    from openbell.model.fill import Fill
    from openbell.model.order import Order
    from openbell.results.result import RunResult

DAY = "2024-07-02"

Prices = tuple[float, float, float, float]


def bars_of(
    prices: Sequence[Prices | float], days: str | tuple[str, str] = DAY, interval: str = "1m", **more: Any
) -> pl.DataFrame:
    """The first bars of some sessions, each by open, high, low and close, or by one price for all; volume 1,000.

    The last one is repeated up to the end.
    """
    first, last = (days, days) if isinstance(days, str) else days
    volume = more.pop("volume", 1000.0)
    starts = bar_starts(first, last, interval, **more)
    rows = [(p, p, p, p) if isinstance(p, int | float) else p for p in prices]
    rows += [(rows[-1][3],) * 4] * (len(starts) - len(rows))
    columns = zip(*rows[: len(starts)], strict=True)
    return pl.DataFrame(
        {
            "timestamp": pl.Series(starts).cast(pl.Datetime("ns", "UTC")),
            **{
                name: [float(v) for v in values]
                for name, values in zip(("open", "high", "low", "close"), columns, strict=True)
            },
            "volume": [float(volume)] * len(starts),
        }
    )


@dataclass
class Traded:
    """A run that traded: its result, and what its strategies heard, in order."""

    result: RunResult
    system: SystemManager
    orders: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    heard: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def desk(self) -> TradingDesk:
        assert self.system.coordinator.desk is not None
        return self.system.coordinator.desk

    @property
    def told(self) -> list[tuple[str, float, float]]:
        """Each fill by its time of day, units and price."""
        return [(f"{fill.time:%H:%M}", fill.quantity, fill.price) for fill in self.fills]

    def statuses(self, order_id: str) -> list[str]:
        return [str(order.status) for order in self.orders if order.id == order_id]

    def last(self, order_id: str) -> Order:
        return [order for order in self.orders if order.id == order_id][-1]


def trade(
    tmp_path: Path,
    frames: Mapping[str, Mapping[str, pl.DataFrame]],
    at: Mapping[str, Callable[[Strategy], object]] | None = None,
    *,
    days: tuple[str, str] = (DAY, DAY),
    streams: Sequence[str] = ("1m",),
    watch: Sequence[tuple[str, str]] = (("ABC", "1m"),),
    symbols: Sequence[str] = ("ABC",),
    store: Path | None = None,
    execution: Mapping[str, Any] | None = None,
    methods: Mapping[str, Any] | None = None,
    session: Mapping[str, Any] | None = None,
    strategies: Sequence[dict[str, Any]] | None = None,
    exchange: Any = "XNYS",
) -> Traded:
    """Run a strategy that does something when a bar closes at a time, "10:31" or "2024-07-03 10:31" of the exchange."""
    folder = store or make_store(tmp_path / "store", frames)
    orders: list[Order] = []
    fills: list[Fill] = []
    heard: list[tuple[str, Any]] = []
    methods = dict(methods or {})
    done: set[tuple[str, str]] = set()

    def on_bar(self: Strategy, bar: Bar) -> None:
        now = self.context.now
        for clock in (f"{now:%H:%M}", f"{now:%Y-%m-%d %H:%M}"):
            # Several bars may close at one time.
            if at and clock in at and (clock, f"{now:%Y-%m-%d}") not in done:
                done.add((clock, f"{now:%Y-%m-%d}"))
                at[clock](self)

    def on_fill(self: Strategy, fill: Fill) -> None:
        fills.append(fill)
        heard.append((f"{self.context.now:%H:%M}", f"fill {fill.quantity:g}"))
        if "on_fill" in methods:
            methods["on_fill"](self, fill)

    def on_order(self: Strategy, order: Order) -> None:
        orders.append(order)
        heard.append((f"{self.context.now:%H:%M}", f"{order.id} {order.status}"))
        if "on_order" in methods:
            methods["on_order"](self, order)

    others = {name: method for name, method in methods.items() if name not in ("on_fill", "on_order")}
    own = probe_strategy(
        **{"subscriptions": list(watch), "on_bar": on_bar, "on_fill": on_fill, "on_order": on_order} | others
    )
    config = {
        "session_name": "trading",
        "exchange": exchange,
        "backtest_config": {"start_date": days[0], "end_date": days[1]},
        "session_data_config": {"symbols": list(symbols), "streams": list(streams), **(session or {})},
        "strategies": [{**own, "name": "probe"}] if strategies is None else list(strategies),
        "execution": dict(execution or {}),
    }
    system = SystemManager(config, store=folder)
    return Traded(system.run(), system, orders, fills, heard)
