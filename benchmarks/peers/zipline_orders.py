"""zipline-reloaded with orders: market orders on each cross, with a slippage model that fills at the next bar's open.

As fast as it goes: averages carried on in NumPy for all symbols at once, no metrics but the portfolio's value once a
minute.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import zipline
from benchmarks.peers.common import clock, job, memory_mb, settle
from benchmarks.peers.orders import CASH, FEE_PER_UNIT, Fill, Reversals, tell_orders
from benchmarks.peers.zipline import BUNDLE, MINUTE_NS, carried, ingested
from zipline.finance import commission, slippage
from zipline.utils.calendar_utils import get_calendar


class NextOpen(slippage.SlippageModel):
    """Fills an order as a whole at the open of the first bar after it."""

    def __init__(self) -> None:
        super().__init__()
        self.fills: list[Fill] = []

    def process_order(self, data: Any, order: Any) -> tuple[float, int]:
        price = data.current(order.asset, "open")
        # Minutes are labelled with their end.
        self.fills.append((data.current_dt.value - MINUTE_NS, order.asset.symbol, order.amount, price))
        return price, order.amount


def main() -> None:
    """Ingest if need be, run, tell; what comes before the strategy's `initialize` is loading."""
    work = job()
    ingested(work)
    settle()
    base_mb, started = memory_mb("VmRSS"), clock()
    rule, symbols, averages = Reversals(work["settled_ns"], work["end_ns"]), work["symbols"], carried()
    at_open, equity = NextOpen(), list[float]()

    def initialize(context: Any) -> None:
        context.assets_of_run = [zipline.api.symbol(symbol) for symbol in symbols]
        zipline.api.set_commission(commission.PerShare(cost=FEE_PER_UNIT, min_trade_cost=0))
        zipline.api.set_slippage(at_open)
        context.load_s = clock() - started

    def handle_data(context: Any, data: Any) -> None:
        equity.append(context.portfolio.portfolio_value)
        fast, slow = averages(context.assets_of_run, data, 1)
        end_ns = data.current_dt.value
        for place in rule.crossed(symbols, fast > slow):
            asset = context.assets_of_run[place]
            units = rule.order(asset.symbol, end_ns, fast.item(place), slow.item(place))
            if units:
                zipline.api.order(asset, units)

    def analyze(context: Any, _results: Any) -> None:
        peak_mb = memory_mb()
        facts = {"load_s": context.load_s, "run_s": clock() - started - context.load_s}
        fees = FEE_PER_UNIT * sum(abs(units) for _, _, units, _ in at_open.fills)
        tell_orders(
            work, rule, at_open.fills, equity, fees, **facts, base_mb=base_mb, peak_mb=peak_mb,
            version=zipline.__version__,
        )  # fmt: skip

    days = pd.to_datetime([work["first_ns"], work["end_ns"] - 1]).normalize()
    calendar = get_calendar("XNYS")
    zipline.run_algorithm(
        *days,
        initialize=initialize,
        handle_data=handle_data,
        analyze=analyze,
        capital_base=CASH,
        data_frequency="minute",
        bundle=BUNDLE,
        trading_calendar=calendar,
        metrics_set="none",
        benchmark_returns=pd.Series(0.0, index=calendar.sessions_in_range(*days)),
    )


if __name__ == "__main__":
    main()
