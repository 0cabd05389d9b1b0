"""Whatever is ordered and whatever happens to symbols, the money adds up and no order fills twice or too early."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import defaultdict
from datetime import date
from math import fsum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from made_actions import actions
from openbell.actions import ActionStore
from openbell.errors import OrderError
from openbell.model.order import OPEN_STATUSES
from openbell.testing import bar_starts, make_store
from trading import Traded, trade

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openbell.model.order import Order
    from openbell.results.trading import DayTrading

DAYS = ("2024-07-01", "2024-07-03")
HOUR_NS = 3_600_000_000_000
BARS = 72
SYMBOLS = ("AAA", "BBB")

PRICES = st.integers(180, 220).map(lambda n: n / 2)
UNITS = st.sampled_from([1.0, 7.0, 30.0, 55.0]).flatmap(lambda n: st.sampled_from([n, -n]))

PRICES_OF_ORDERS: list[dict[str, Any]] = [
    *({}, {"limit": 1}, {"stop": 1}, {"limit": 1, "stop": 1}, {"trail": 0}, {"trail_percent": 0}),
    *({"type": "market_on_open"}, {"type": "market_on_close"}),
]
"""What orders are given: 1 stands for a price, 0 for a distance."""

OTHERS = [
    ("close", {"symbol": "AAA"}),
    ("close", {"symbol": "BBB"}),
    ("close_all", {}),
    ("cancel_all", {}),
    ("replace", {}),
]


@st.composite
def orders(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A method of the context, with what it is given."""
    symbol, kind = draw(st.sampled_from(SYMBOLS)), draw(st.sampled_from(["order"] * 6 + ["bracket", "target", "other"]))
    tif = draw(st.sampled_from(["day", "gtc"]))
    if kind == "order":
        prices = draw(st.sampled_from(PRICES_OF_ORDERS))
        given_prices = {k: draw(PRICES) if v == 1 else 1.5 if v == 0 else v for k, v in prices.items()}
        return "order", {"symbol": symbol, "quantity": draw(UNITS), "tif": tif, **given_prices}
    if kind == "bracket":
        below, above = sorted((draw(PRICES), draw(PRICES) + 0.25))
        units = draw(UNITS)
        stop, target = (below, above) if units > 0 else (above, below)
        return "bracket", {"symbol": symbol, "quantity": units, "stop": stop, "target": target, "tif": tif}
    if kind == "target":
        measure = draw(st.sampled_from([{"percent": 40}, {"percent": -40}, {"value": 9_000}, {"quantity": -13}]))
        return "order_target", {"symbol": symbol, **measure}
    return draw(
        st.sampled_from([("close", {"symbol": symbol}), ("close_all", {}), ("cancel_all", {}), ("replace", {})])
    )


def hours(symbol: str, market: Mapping[str, Any]) -> pl.DataFrame:
    """Hours of three days, which jump, halt and trade thinly."""
    random = np.random.default_rng([market["seed"], SYMBOLS.index(symbol)])
    starts = bar_starts(*DAYS, "60m", exchange="24/7")
    close = 100.0 + np.clip(np.cumsum(random.integers(-6, 7, BARS) / 2), -20, 20)
    opened = np.concatenate([[100.0], close[:-1]]) + random.choice(market["gaps"], BARS)
    frame = pl.DataFrame(
        {
            "timestamp": pl.Series(starts).cast(pl.Datetime("ns", "UTC")),
            "open": opened,
            "high": np.maximum(opened, close) + 1.0,
            "low": np.minimum(opened, close) - 1.0,
            "close": close,
            "volume": random.choice(market["volumes"], BARS),
        }
    )
    first, length = random.integers(1, BARS - 1), market["halt"]
    return frame.filter(~pl.int_range(pl.len()).is_between(first, first + length - 1))


MARKETS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32),
        "gaps": st.sampled_from([(0.0,), (0.0, 2.0, 0.0, -2.0)]),
        "volumes": st.sampled_from([(1_000.0,), (1_000.0, 3.0, 200.0)]),
        "halt": st.integers(0, 12),
    }
)

EX_DATES = st.sampled_from([date(2024, 7, 2), date(2024, 7, 3)])

EVENTS = st.sampled_from(
    [
        ("AAA", "split", 2),
        ("AAA", "split", 0.1),
        ("AAA", "split", 1.5),
        ("AAA", "dividend", 0.7),
        ("BBB", "dividend", 1.1),
        ("BBB", "split", 0.5),
        ("BBB", "rename", "CCC"),
    ]
)

EXECUTION = st.fixed_dictionaries(
    {
        "fees": st.sampled_from([{"model": "none"}, {"model": "ibkr_fixed"}, {"model": "alpaca"}]),
        "slippage": st.sampled_from([{"model": "none"}, {"model": "bps", "bps": 5}, {"model": "volume_share"}]),
        "fills": st.sampled_from(
            [{}, {"max_volume_share": 0.02}, {"both_touched": "better"}, {"market": "this_close"}]
        ),
        "borrow_rate": st.sampled_from([0, 0.5]),
        "lots": st.sampled_from(["fifo", "average"]),
        "leverage": st.sampled_from([1, 2, 4]),
        "cash": st.sampled_from([100_000, 5_000]),
        "risk": st.sampled_from([{}, {"max_daily_loss_percent": 2}, {"max_gross_leverage": 0.8}]),
        "instruments": st.sampled_from([{}, {"AAA": {"multiplier": 5}}, {"AAA": {"multiplier": 5, "margin": 200}}]),
        "shorting": st.booleans(),
    }
)

CASES = st.fixed_dictionaries(
    {
        "market": MARKETS,
        "script": st.dictionaries(st.integers(0, BARS - 1), st.lists(orders(), min_size=1, max_size=3), max_size=20),
        "events": st.lists(st.tuples(EVENTS, EX_DATES), max_size=4, unique_by=lambda event: event[0]),
        "execution": EXECUTION,
    }
)


def played(case: Mapping[str, Any], folder: Path, gaps: list[float]) -> Traded:
    """Run a case; ``gaps`` gets what equity differs by from cash and positions, at each bar."""
    frames = {symbol: {"60m": hours(symbol, case["market"])} for symbol in SYMBOLS}
    if renamed := [day for (_, kind, _), day in case["events"] if kind == "rename"]:
        new_name = pl.col("timestamp").dt.date() >= min(renamed)
        frames["CCC"] = {"60m": frames["BBB"]["60m"].filter(new_name)}
        frames["BBB"] = {"60m": frames["BBB"]["60m"].filter(~new_name)}
    store = make_store(folder / "store", frames)
    rows = list(
        {(symbol, day, kind): (symbol, day, kind, value) for (symbol, kind, value), day in case["events"]}.values()
    )
    if rows:
        ActionStore(store).write(actions(*rows))
    step = iter(range(10_000))

    def on_slice(self: Any, bars: Any) -> None:
        portfolio = self.context.portfolio
        worth = portfolio.cash + fsum(position.value for position in portfolio.positions.values())
        gaps.append(portfolio.equity - worth)
        for method, values in case["script"].get(next(step), ()):
            try:
                if method == "replace":
                    for order in portfolio.open_orders()[:1]:
                        self.context.replace(order, quantity=order.quantity + (3 if order.quantity > 0 else -3))
                else:
                    getattr(self.context, method)(**values)
            except OrderError as error:
                assert "needs its price" in str(error)  # noqa: PT017  a symbol that has not traded yet

    return trade(
        folder, {}, store=store, days=DAYS, streams=("60m",), symbols=SYMBOLS, exchange="24/7",
        watch=[("AAA", "60m")], execution=case["execution"],
        methods={"on_bar": None, "on_slice": on_slice},
    )  # fmt: skip


def check(case: Mapping[str, Any]) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        gaps: list[float] = []
        run = played(case, folder, gaps)
    finally:
        shutil.rmtree(folder)
    sessions = [day.trading for day in run.result.days if day.trading is not None]
    assert gaps == pytest.approx([0] * len(gaps))
    require_money_adds_up(run, sessions, case["execution"]["cash"])
    require_orders_are_in_order(run, sessions, split=any(kind == "split" for (_, kind, _), _ in case["events"]))


def require_money_adds_up(run: Traded, sessions: Sequence[DayTrading], start: float) -> None:
    cash, trading = start, run.result.trading
    assert trading is not None
    for session in sessions:
        cash += fsum(flow.amount for flow in session.flows)
        for fill in session.fills:
            multiplier = run.desk.markets.instrument(fill.symbol).multiplier
            cash -= fill.quantity * fill.price * multiplier + fill.fee
        worth = fsum(position.value for position in session.positions)
        assert session.end_equity == pytest.approx(cash + worth)
        if len(session.equity.time_ns):
            assert session.equity.equity[-1] == pytest.approx(session.end_equity)
            assert session.equity.cash[-1] == pytest.approx(cash)
        for position in session.positions:
            assert position.quantity == round(position.quantity)
            assert position.quantity
    profit = sessions[-1].end_equity - start
    assert fsum(earned.net for earned in trading.by_symbol.values()) == pytest.approx(profit, abs=1e-6)


_AFTER = {
    "": {"submitted"},
    "submitted": {"accepted", "rejected", "cancelled", "submitted"},
    "accepted": {"accepted", "partially_filled", "filled", "cancelled", "expired"},
    "partially_filled": {"partially_filled", "filled", "cancelled", "expired"},
}


def require_orders_are_in_order(run: Traded, sessions: Sequence[DayTrading], *, split: bool) -> None:
    history: dict[str, list[Order]] = defaultdict(list)
    for order in run.orders:
        history[order.id].append(order)
    filled: dict[str, float] = defaultdict(float)
    for session in sessions:
        for fill in session.fills:
            order = history[fill.order.id][0] if fill.order.id in history else fill.order
            filled[fill.order.id] += fill.quantity
            assert fill.quantity * order.quantity > 0
            assert fill.time_ns >= order.created_ns, (fill, order)
            on_hour = fill.time_ns % HOUR_NS == 0
            assert on_hour
    open_at_end = set(run.desk.book.open)
    for key, orders_ in history.items():
        for before, after in zip(["", *(str(o.status) for o in orders_)], orders_, strict=False):
            assert str(after.status) in _AFTER[before], (key, [str(o.status) for o in orders_])
        last = orders_[-1]
        assert (last.status in OPEN_STATUSES) == (key in open_at_end)
        if not split:
            assert filled[key] == pytest.approx(last.filled_quantity)
            assert abs(filled[key]) <= max(abs(o.quantity) for o in orders_) + 1e-9


SETTINGS: dict[str, Any] = {
    "deadline": None,
    # The same cases at every run; other ones come with OPENBELL_CASES.
    "derandomize": "OPENBELL_CASES" not in os.environ,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.explicit, Phase.generate, Phase.shrink],
}


@settings(max_examples=25, **SETTINGS)
@given(CASES)
def test_money_adds_up_and_orders_are_in_order(case: dict[str, Any]) -> None:
    check(case)


MANY = int(os.environ.get("OPENBELL_CASES", "300"))
"""Cases of the long test; 10,000, other ones each time, take a quarter of an hour."""


@pytest.mark.long
@settings(max_examples=MANY, **SETTINGS)
@given(CASES)
def test_money_adds_up_in_many_cases(case: dict[str, Any]) -> None:
    check(case)
