"""NautilusTrader with orders: market orders on each cross, which fill at the close that was just seen.

Its bars are executed on (`bar_execution`); fees are charged per contract. It keeps no equity by bar, and its portfolio
takes long to ask: the strategy adds it up once a bar time, of its fills and the last closes.
"""

from __future__ import annotations

from decimal import Decimal
from importlib.metadata import version
from typing import Any

from benchmarks.peers.common import clock, job, memory_mb, read_with_pyarrow, settle
from benchmarks.peers.nautilus import COLUMNS, VENUE, bars_of
from benchmarks.peers.orders import CASH, FEE_PER_UNIT, Fill, Reversals, tell_orders
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.backtest.models import FillModel, PerContractFeeModel
from nautilus_trader.config import LoggingConfig
from nautilus_trader.indicators import ExponentialMovingAverage
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money, Quantity
from nautilus_trader.portfolio.config import PortfolioConfig
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy


class EmaReversals(Strategy):
    """Is long while the fast average is above, and short while it is below."""

    def __init__(self, symbols: list[str], first_ns: int, last_ns: int) -> None:
        super().__init__()
        self.symbols = symbols
        self.rule = Reversals(first_ns, last_ns)
        self.averages: dict[BarType, tuple[str, Any, Any, Any]] = {}
        self.fills: list[Fill] = []
        self.equity: list[float] = []
        self.held: dict[str, float] = {}
        self.closes: dict[str, float] = {}
        self.cash = CASH
        self.fees = 0.0
        self.now_ns = 0

    def on_start(self) -> None:
        for symbol in self.symbols:
            bar_type = BarType.from_str(f"{symbol}.{VENUE}-1-MINUTE-LAST-EXTERNAL")
            fast, slow = ExponentialMovingAverage(10), ExponentialMovingAverage(20)
            self.register_indicator_for_bars(bar_type, fast)
            self.register_indicator_for_bars(bar_type, slow)
            self.averages[bar_type] = (symbol, bar_type.instrument_id, fast, slow)
            self.subscribe_bars(bar_type)

    def on_bar(self, bar: Bar) -> None:
        symbol, instrument_id, fast, slow = self.averages[bar.bar_type]
        if bar.ts_event != self.now_ns:
            if self.now_ns:
                self.note_equity()
            self.now_ns = bar.ts_event
        self.closes[symbol] = bar.close.as_double()
        units = self.rule.order(symbol, bar.ts_event, fast.value, slow.value)
        if units:
            side = OrderSide.BUY if units > 0 else OrderSide.SELL
            self.submit_order(self.order_factory.market(instrument_id, side, Quantity.from_int(abs(units))))

    def on_order_filled(self, event: Any) -> None:
        symbol = event.instrument_id.symbol.value
        sign = 1 if event.order_side == OrderSide.BUY else -1
        units = sign * event.last_qty.as_double()
        price = event.last_px.as_double()
        self.held[symbol] = self.held.get(symbol, 0.0) + units
        fee = event.commission.as_double()
        self.fees += fee
        self.cash -= units * price + fee
        self.fills.append((event.ts_event, symbol, units, price))

    def note_equity(self) -> None:
        closes = self.closes
        self.equity.append(self.cash + sum(units * closes[symbol] for symbol, units in self.held.items()))

    def on_stop(self) -> None:
        self.note_equity()


def main() -> None:
    """Load, run, tell."""
    work = job()
    settle()
    base_mb, started = memory_mb("VmRSS"), clock()
    engine = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True), portfolio=PortfolioConfig(bar_updates=False), run_analysis=False
        )
    )
    engine.add_venue(
        Venue(VENUE), OmsType.NETTING, AccountType.MARGIN, [Money(CASH, USD)], base_currency=USD,
        default_leverage=Decimal(2), fill_model=FillModel(), fee_model=PerContractFeeModel(Money(FEE_PER_UNIT, USD)),
        bar_execution=True,
    )  # fmt: skip
    for symbol in work["symbols"]:
        engine.add_instrument(TestInstrumentProvider.equity(symbol, VENUE))
    for symbol, columns in read_with_pyarrow(work, COLUMNS).items():
        engine.add_data(bars_of(symbol, columns), sort=False)
    engine.sort_data()
    strategy = EmaReversals(work["symbols"], work["settled_ns"], work["end_ns"])
    engine.add_strategy(strategy)
    load_s = clock() - started
    started = clock()
    engine.run(end=work["end_ns"] + 1_000_000_000)
    run_s = clock() - started
    peak_mb = memory_mb()
    rule = strategy.rule
    rule.final = {symbol: (fast.value, slow.value) for symbol, _, fast, slow in strategy.averages.values()}
    facts = {"load_s": load_s, "run_s": run_s, "base_mb": base_mb, "peak_mb": peak_mb}
    tell_orders(work, rule, strategy.fills, strategy.equity, strategy.fees, **facts, version=version("nautilus_trader"))


if __name__ == "__main__":
    main()
