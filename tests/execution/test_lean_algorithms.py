"""Regression algorithms of QuantConnect/Lean, written anew on its own sample data, against the numbers it publishes.

Orders, fees and the equity at the end agree to the cent, or to what quotes change: Lean fills some orders at them, and
the sample data that this project tests with has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lean_bars import WEEK, daily_bars, intraday_bars
from trading import trade

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import polars as pl

    from openbell.results.measures.performance import Performance

CENT = 0.005 + 1e-6
LEAN = {
    "cash": 100_000,
    "account": "margin",
    "leverage": 2,
    "fees": {"model": "ibkr_fixed"},
    "cash_buffer_percent": 0.25,
    # Adjusted prices lie between ticks.
    "instruments": {symbol: {"tick": None} for symbol in ("SPY", "IBM")},
}
"""Lean's account: percent targets leave 0.25 % free."""


def run(
    tmp_path: Path,
    frames: dict[str, pl.DataFrame],
    interval: str,
    days: tuple[str, str],
    on_bar: Callable[[Any, Any], object],
    **session: Any,
) -> Performance:
    # Lean fills market orders at the close just seen, but those on daily bars at the next open.
    market = "next_open" if interval == "1d" else "this_close"
    result = trade(
        tmp_path,
        {symbol: {interval: frame} for symbol, frame in frames.items()},
        days=days,
        streams=[interval],
        watch=[(symbol, interval) for symbol in frames],
        symbols=list(frames),
        execution={**LEAN, "fills": {"market": market}},
        methods={"on_bar": on_bar},
        session=session,
    ).result
    assert result.trading is not None
    return result.trading.performance


def assert_lean(performance: Performance, *, orders: int, fees: float, end_equity: float) -> None:
    assert performance.orders == orders
    assert performance.fees == pytest.approx(fees, abs=CENT)
    assert performance.end_equity == pytest.approx(end_equity, abs=CENT)


def first_time(strategy: Any, key: str) -> bool:
    """Tell whether something has not happened yet, and note that it has."""
    if strategy.state.get(key):
        return False
    strategy.state[key] = True
    return True


def test_set_holding_returns_order_tickets(lean_dir: Path, tmp_path: Path) -> None:
    days = ("2018-01-04", "2018-01-10")

    def on_bar(strategy: Any, bar: Any) -> None:
        if first_time(strategy, bar.symbol):
            strategy.context.order_target(bar.symbol, percent={"SPY": 80, "IBM": 20}[bar.symbol])

    frames = {symbol: daily_bars(lean_dir, symbol, *days) for symbol in ("SPY", "IBM")}
    performance = run(tmp_path, frames, "1d", days, on_bar)

    assert_lean(performance, orders=2, fees=2.56, end_equity=100_661.71)


def test_liquidate(lean_dir: Path, tmp_path: Path) -> None:
    days = ("2018-01-04", "2018-01-10")

    def on_bar(strategy: Any, bar: Any) -> None:
        context, seen = strategy.context, strategy.state.get("seen", {}) | {bar.symbol: bar.close}
        strategy.state["seen"] = seen
        if len(seen) == 2 and context.now.day in (4, 5) and first_time(strategy, str(context.now.day)):
            context.order("IBM", 10)
            context.order("IBM", 1, limit=seen["IBM"] - 5, tif="gtc")
            context.order("SPY", 1, limit=seen["SPY"] - 5, tif="gtc")
            context.close_all()

    frames = {symbol: daily_bars(lean_dir, symbol, *days) for symbol in ("SPY", "IBM")}
    performance = run(tmp_path, frames, "1d", days, on_bar)

    assert_lean(performance, orders=6, fees=0, end_equity=100_000)
    assert performance.fills == 0


def test_basic_template_hourly(lean_dir: Path, tmp_path: Path) -> None:
    # Lean's hours begin at full ones, so that the first one of a day ends half an hour after the open.
    def on_bar(strategy: Any, bar: Any) -> None:
        del bar
        if f"{strategy.context.now:%H:%M}" == "10:00" and first_time(strategy, "bought"):
            strategy.context.order_target("SPY", percent=100)

    frames = {"SPY": intraday_bars(lean_dir, "SPY", "minute")}
    performance = run(tmp_path, frames, "1m", ("2013-10-07", "2013-10-11"), on_bar)

    assert_lean(performance, orders=1, fees=3.44, end_equity=101_529.08)


def test_market_on_close_order_buffer_extended_market_hours(lean_dir: Path, tmp_path: Path) -> None:
    # Lean gives its last order at midnight; here it is given on the first bar of the next morning.
    def on_bar(strategy: Any, bar: Any) -> None:
        del bar
        now = f"{strategy.context.now:%d %H:%M}"
        late = now >= "07 16:48" and first_time(strategy, "late")
        morning = now >= "08" and first_time(strategy, "morning")
        if now in ("07 15:49", "07 15:51") or late or morning:
            strategy.context.order("SPY", 2, type="market_on_close")

    frames = {"SPY": intraday_bars(lean_dir, "SPY", "minute", WEEK[:2], extended=True)}
    days = ("2013-10-07", "2013-10-08")
    performance = run(tmp_path, frames, "1m", days, on_bar, session_hours="extended")

    assert_lean(performance, orders=3, fees=3.00, end_equity=99_996.08)
    assert performance.rejected == 1


def test_extended_market_trading(lean_dir: Path, tmp_path: Path) -> None:
    def on_bar(strategy: Any, bar: Any) -> None:
        now = strategy.context.now
        if not "09:30" < f"{now:%H:%M}" < "16:00" and first_time(strategy, f"{now:%d}"):
            strategy.context.order("SPY", 10, limit=bar.low, tif="gtc", extended=True)

    frames = {"SPY": intraday_bars(lean_dir, "SPY", "minute", extended=True)}
    days = ("2013-10-07", "2013-10-11")
    performance = run(tmp_path, frames, "1m", days, on_bar, session_hours="extended")

    assert_lean(performance, orders=5, fees=5.00, end_equity=100_135.59)


class OrderTickets:
    """Orders of each kind, which are drawn closer from bar to bar until one of two fills."""

    def __init__(self) -> None:
        self.pairs: dict[str, list[str]] = {}

    def on_bar(self, strategy: Any, bar: Any) -> None:
        context, close = strategy.context, bar.close
        now = f"{context.now:%d %H:%M}"
        if now == "07 09:31":
            context.order("SPY", 10)
            context.order("SPY", 10)
        elif now == "07 12:00":
            self.place(context, "limits", limit=(close * 0.999, close * 1.001))
            self.draw_closer(context, "limits", limit=0.01)
            self.place(context, "trailing", trail_percent=(0.25, 0.25))
        elif now == "07 16:00":
            self.place(context, "stops", stop=(close * 1.0025, close * 0.9975))
        elif now == "08 12:01":
            self.place(context, "both", stop=(close * 1.001, close * 0.999), limit=(close - 0.03, close + 0.03))
        elif now == "08 16:00":
            context.order("SPY", 50, type="market_on_open")
        elif now == "09 12:00":
            context.order("SPY", 2 * context.portfolio.position("SPY").quantity, type="market_on_close")
        if now != "07 12:00":
            self.draw_all_closer(context)

    def draw_all_closer(self, context: Any) -> None:
        self.draw_closer(context, "limits", limit=0.01)
        self.draw_closer(context, "stops", stop=-0.01)
        self.draw_closer(context, "both", stop=-0.01, limit=0.01)
        self.draw_closer(context, "trailing")
        for order in context.portfolio.open_orders():
            if order.trail_percent is not None and context.now.minute % 5 == 0:
                context.replace(order, trail_percent=max(order.trail_percent - 0.01, 0.01))
            if order.type in ("market_on_open", "market_on_close") and context.now.minute == 59:
                context.replace(order, quantity=order.quantity + 1)

    def place(self, context: Any, name: str, **prices: tuple[float, float]) -> None:
        sides = ((10, {key: of[0] for key, of in prices.items()}), (-10, {key: of[1] for key, of in prices.items()}))
        self.pairs[name] = [context.order("SPY", units, tif="gtc", **given).id for units, given in sides]

    def draw_closer(self, context: Any, name: str, **steps: float) -> None:
        by_id = {order.id: order for order in context.portfolio.open_orders()}
        ids = self.pairs.get(name, [])
        if any(order_id not in by_id for order_id in ids):
            for order_id in self.pairs.pop(name):
                context.cancel(order_id)
        elif steps:
            for order in (by_id[order_id] for order_id in ids):
                side = 1 if order.quantity > 0 else -1
                context.replace(order, **{key: getattr(order, key) + side * step for key, step in steps.items()})


def test_order_ticket_demo(lean_dir: Path, tmp_path: Path) -> None:
    frames, tickets = {"SPY": intraday_bars(lean_dir, "SPY", "minute")}, OrderTickets()
    performance = run(tmp_path, frames, "1m", ("2013-10-07", "2013-10-11"), lambda s, bar: tickets.on_bar(s, bar))

    assert (performance.orders, performance.fills, performance.fees) == (12, 9, 9.0)
    # Lean fills market orders at quotes, and stop-limits at the worst price of their bar: 43 cents.
    assert performance.end_equity == pytest.approx(100_709.93, abs=0.5)


def test_trailing_stop_order(lean_dir: Path, tmp_path: Path) -> None:
    def on_bar(strategy: Any, bar: Any) -> None:
        del bar
        if first_time(strategy, "bought"):
            strategy.context.order("SPY", 100, trail=2, tif="gtc")
        elif strategy.context.portfolio.position("SPY").quantity and first_time(strategy, "sold"):
            strategy.context.order("SPY", -100, trail=0.5, tif="gtc")

    frames = {"SPY": intraday_bars(lean_dir, "SPY", "minute")}
    performance = run(tmp_path, frames, "1m", ("2013-10-07", "2013-10-11"), on_bar)

    # Lean's stops follow quotes: a cent of spread, adjusted.
    assert_lean(performance, orders=2, fees=2.00, end_equity=100_023.22 - 100 * 0.01 * 0.8646266)


@pytest.mark.long
def test_limit_fill(lean_dir: Path, tmp_path: Path) -> None:
    def on_bar(strategy: Any, bar: Any) -> None:
        now = strategy.context.now
        if now.minute == now.second == 0:
            strategy.context.order("SPY", 10 if now.day < 9 else -10, limit=bar.close, tif="gtc")

    frames = {"SPY": intraday_bars(lean_dir, "SPY", "second")}
    # Lean repeats the last price in seconds without a trade, and so has a bar at each full hour.
    days = ("2013-10-07", "2013-10-11")
    performance = run(tmp_path, frames, "1s", days, on_bar, gap_policy="forward")

    assert_lean(performance, orders=35, fees=34.00, end_equity=99_931.07)


def averaged(strategy: Any, name: str, value: float, bars: int) -> float | None:
    """Return an exponential average that begins with a simple one, or None before it has its bars."""
    count, before = strategy.state.get(name, (0, 0.0))
    count += 1
    weight = 1 / count if count <= bars else 2 / (bars + 1)
    now = before + (value - before) * weight
    strategy.state[name] = (count, now)
    return now if count >= bars else None


@pytest.mark.long
def test_macd_trend(lean_dir: Path, tmp_path: Path) -> None:
    def on_bar(strategy: Any, bar: Any) -> None:
        fast, slow = averaged(strategy, "fast", bar.close, 12), averaged(strategy, "slow", bar.close, 26)
        if fast is None or slow is None:
            return
        signal = averaged(strategy, "signal", fast - slow, 9)
        if signal is None:
            return
        above, held = (fast - slow - signal) / fast, strategy.context.portfolio.position("SPY").quantity
        if held <= 0 and above > 0.0025:
            strategy.context.order_target("SPY", percent=100)
        elif held >= 0 and above < -0.0025:
            strategy.context.close("SPY")

    days = ("2004-01-02", "2014-12-31")
    performance = run(tmp_path, {"SPY": daily_bars(lean_dir, "SPY", *days)}, "1d", days, on_bar)

    assert_lean(performance, orders=84, fees=468.54, end_equity=137_751.04)
    assert performance.max_drawdown == pytest.approx(-0.349, abs=0.0005)
    assert performance.win_rate == pytest.approx(0.57, abs=0.005)


@pytest.mark.long
def test_displaced_moving_average_ribbon(lean_dir: Path, tmp_path: Path) -> None:
    # Lean's averages are never fed, so that its ribbon is of delayed prices.
    def on_bar(strategy: Any, bar: Any) -> None:
        closes = [*strategy.state.get("closes", []), bar.close][-31:]
        strategy.state["closes"] = closes
        if len(closes) < 31:
            return
        ribbon = closes[25::-5]
        held = strategy.context.portfolio.position("SPY").quantity
        if held <= 0 and ribbon == sorted(ribbon, reverse=True):
            strategy.context.order_target("SPY", percent=100)
        elif held > 0 and ribbon == sorted(ribbon):
            strategy.context.close("SPY")

    days = ("2009-01-02", "2014-12-31")
    performance = run(tmp_path, {"SPY": daily_bars(lean_dir, "SPY", *days)}, "1d", days, on_bar)

    assert_lean(performance, orders=7, fees=49.40, end_equity=253_075.04)
    assert performance.max_drawdown == pytest.approx(-0.124, abs=0.0005)
    assert performance.win_rate == 1
