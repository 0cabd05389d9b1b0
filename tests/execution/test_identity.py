"""Whatever is ordered and whatever happens to symbols, the money adds up and no order fills twice or too early.

A case is the random script of orders of one strategy over three days, in symbols that halt, gap, trade thinly, split,
pay dividends and get other names, long and short. Some scripts share an account, as strategies of a session do; its
fees, slippage, rules of fills, limits, leverage and money are random as well. All follows from the numbers that a
failure prints: with ``@example(Account(...))`` above the test, it is run first.
"""

from __future__ import annotations

import os
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from math import fsum, prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from execution.own_ledger import OwnLedger
from execution.random_trading import STEP_NS, Market, made_market
from execution.scripted import Account, Played, played
from openbell.model.order import OPEN_STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openbell.model.fill import Fill
    from openbell.model.order import Order
    from openbell.results.trading import DayTrading

SCRIPTS = 8
"""Scripts that share an account."""

MANY = int(os.environ.get("OPENBELL_CASES", "10000"))
"""Cases of the long test."""

NUMBERS = st.integers(0, 2**32)

ACCOUNTS = st.builds(
    Account, NUMBERS, st.lists(st.tuples(NUMBERS, st.integers(1, 8)), min_size=SCRIPTS, max_size=SCRIPTS)
)

SETTINGS: dict[str, Any] = {
    "deadline": None,
    # The same cases at every run; other ones come with OPENBELL_CASES.
    "derandomize": "OPENBELL_CASES" not in os.environ,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.explicit, Phase.generate, Phase.shrink],
}


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """A market with its store, which all accounts read."""
    return made_market(tmp_path_factory.mktemp("market") / "store", seed=7)


@settings(max_examples=8, **SETTINGS)
@example(Account(160, [(0, 1)] * 4 + [(1877, 2)] * 4))  # a split leaves nothing of an order that had filled in part
@given(ACCOUNTS)
def test_money_adds_up_and_orders_are_in_order(market: Market, account: Account) -> None:
    check(market, account)


@pytest.mark.long
@settings(max_examples=MANY // SCRIPTS, **SETTINGS)
@given(ACCOUNTS)
def test_money_adds_up_in_many_cases(market: Market, account: Account) -> None:
    check(market, account)


def check(market: Market, account: Account) -> None:
    run = played(account, market.data_manager)
    sessions = [day.trading for day in run.result.days if day.trading is not None]
    told, expected = np.array(run.noted.seen).reshape(-1, 2).T
    assert told == pytest.approx(expected)
    require_money_adds_up(run, market, sessions)
    require_orders_are_in_order(run, market, sessions)
    require_fills_at_their_time(run, market, sessions)


def require_money_adds_up(run: Played, market: Market, sessions: Sequence[DayTrading]) -> None:
    """Equity is cash and worth at each bar, and its change is what trades and payments earned, less fees."""
    ledger = OwnLedger(market, run.execution)
    before = ledger.equity
    for day, session in zip(run.result.days, sessions, strict=True):
        assert session.start_equity == pytest.approx(before)
        ledger.begin(day.date, session.flows)
        ledger.play(session, _midnight(day.date))
        before = session.end_equity
    require_earnings_add_up(run, sessions, ledger)


def require_earnings_add_up(run: Played, sessions: Sequence[DayTrading], ledger: OwnLedger) -> None:
    trading = run.result.trading
    assert trading is not None
    trades, fills = [t for s in sessions for t in s.trades], [f for s in sessions for f in s.fills]
    fees = fsum(fill.fee for fill in fills)
    # What is paid for a fraction of a unit after a split is in the trade that it ends.
    flows = fsum(flow.amount for s in sessions for flow in s.flows if flow.kind != "fraction")
    earned = list(trading.by_symbol.values())
    assert [fsum(t.pnl for t in trades), fees, flows] == pytest.approx(
        [fsum(e.realized for e in earned), fsum(e.fees for e in earned), fsum(e.flows for e in earned)], abs=1e-6
    )
    for trade in trades:
        moved = trade.quantity * (trade.exit_price - trade.entry_price) * ledger.multiplier(trade.symbol)
        assert trade.pnl == pytest.approx(moved, abs=1e-6), trade
    open_profit = fsum(e.unrealized for e in earned)
    profit = sessions[-1].end_equity - run.execution["cash"]
    assert fsum(t.pnl for t in trades) + open_profit - fees + flows == pytest.approx(profit, abs=1e-6)
    own: defaultdict[str, float] = defaultdict(float)
    for symbol, amount in ledger.earned.items():
        own[symbol.replace("B", "C")] += amount
    for symbol, units in ledger.units.items():
        own[symbol.replace("B", "C")] += units * ledger.prices[symbol] * ledger.multiplier(symbol)
    told: defaultdict[str, float] = defaultdict(float)
    for symbol, of_symbol in trading.by_symbol.items():
        told[symbol.replace("B", "C")] += of_symbol.net
    assert dict(told) == pytest.approx({symbol: own[symbol] for symbol in told}, abs=1e-6)
    assert set(own) == set(told)


_AFTER = {
    "": {"submitted"},
    "submitted": {"accepted", "rejected", "cancelled", "submitted"},
    "accepted": {"accepted", "partially_filled", "filled", "cancelled", "expired"},
    "partially_filled": {"partially_filled", "filled", "cancelled", "expired"},
}


def require_orders_are_in_order(run: Played, market: Market, sessions: Sequence[DayTrading]) -> None:
    """Every order that was given is heard of until it is over, and fills as much as it says, once."""
    history: dict[str, list[Order]] = defaultdict(list)
    for order in run.noted.heard:
        history[order.id].append(order)
    assert run.noted.placed <= set(history)
    fills: dict[str, list[Fill]] = defaultdict(list)
    for fill in (fill for session in sessions for fill in session.fills):
        fills[fill.order.id].append(fill)
    assert set(fills) <= set(history)
    ids = [fill.id for of_order in fills.values() for fill in of_order]
    assert len(ids) == len(set(ids))
    desk = run.system.coordinator.desk
    assert desk is not None
    for key, orders in history.items():
        for before, after in zip(["", *(str(o.status) for o in orders)], orders, strict=False):
            assert str(after.status) in _AFTER[before], (key, [str(o.status) for o in orders])
        last = orders[-1]
        assert (last.status in OPEN_STATUSES) == (key in desk.open_orders.by_id)
        filled = fsum(f.quantity * _split_between(market, f.symbol, f.session_date, last) for f in fills[key])
        assert filled == pytest.approx(last.filled_quantity), (key, orders)
        assert all(f.quantity * last.quantity > 0 for f in fills[key])
        assert abs(last.filled_quantity) <= abs(last.quantity) + 1e-9
        if last.status != "rejected":
            assert (last.status == "filled") == (abs(last.filled_quantity - last.quantity) < 1e-9), last


def _split_between(market: Market, symbol: str, day: date, order: Order) -> float:
    """By what splits have multiplied the units of a symbol from after a day to an order's last change."""
    names, last = {symbol, symbol.replace("B", "C")}, order.session_date
    if order.reason.startswith("no whole unit of it is left after a split"):
        last -= timedelta(days=1)  # the split that ended an order left its units as they were
    return prod(row[3] for row in market.actions if row[0] in names and row[2] == "split" and day < row[1] <= last)


def require_fills_at_their_time(run: Played, market: Market, sessions: Sequence[DayTrading]) -> None:
    """Each fill is at a price of a bar that begins after its order was given, or at the close that was seen."""
    slack = {"none": 1e-9, "bps": 6e-4, "volume_share": 1.0}[run.execution["slippage"]["model"]]
    at_close = run.execution["fills"].get("market") == "this_close"
    for fill in (fill for session in sessions for fill in session.fills):
        found = list(_prices_for(fill, market, at_close=at_close))
        assert any(low * (1 - slack) <= fill.price <= high * (1 + slack) for low, high in found), (fill, fill.order)


def _prices_for(fill: Fill, market: Market, *, at_close: bool) -> Iterator[tuple[float, float]]:
    """The lowest and the highest price at which a fill may be."""
    bars, created, when = market.bars[fill.symbol], fill.order.created_ns, fill.time_ns
    if fill.order.type == "market_on_close":  # whose last bar may be earlier than the session's
        last = bars["start"].searchsorted(when) - 1
        if bars["start"][last] >= max(created, _midnight(fill.session_date)):
            yield bars["close"][last], bars["close"][last]
        return
    for row in np.flatnonzero(bars["start"] == when):
        if when >= created:
            yield bars["open"][row], bars["open"][row]
    for row in np.flatnonzero(bars["start"] == when - STEP_NS):
        if when - STEP_NS >= created:
            yield bars["low"][row], bars["high"][row]
        elif at_close and when == created:
            yield bars["close"][row], bars["close"][row]


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000_000
