"""Positions held through what happens to a symbol in the course of days."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from made_actions import actions
from openbell.actions import ActionStore
from openbell.testing import make_store, probe_strategy
from trading import bars_of, trade

if TYPE_CHECKING:
    from pathlib import Path

    from trading import Traded

DAYS = ("2024-07-01", "2024-07-08")
"""Five sessions: 3 July is a half day, and 4 July a holiday."""


def test_one_position_through_a_split_a_dividend_a_new_name_and_a_half_day(tmp_path: Path) -> None:
    # 100 until 2 July; 2:1 on the half day, a dividend of 0.5 on the 5th, another name on the 8th.
    bars = bars_of([100.0] * 780 + [50.0] * 209 + [52.0] + [50.0] * 390 + [51.0], DAYS)
    renamed = len(bars) - 390
    store = make_store(
        tmp_path / "store", {"OLD": {"1m": bars.head(renamed)}, "NEW": {"1m": bars.tail(390)}, "ABC": {"1m": bars}}
    )
    ActionStore(store).write(
        actions(
            ("OLD", date(2024, 7, 3), "split", 2),
            ("OLD", date(2024, 7, 5), "dividend", 0.5),
            ("OLD", date(2024, 7, 8), "rename", "NEW"),
        )
    )
    held: dict[str, tuple[str, float, float]] = {}

    def look(strategy: Any) -> None:
        (p,) = strategy.context.portfolio.positions.values()
        held[f"{strategy.context.now:%d}"] = p.symbol, p.quantity, p.average_price

    def first_day(strategy: Any) -> None:
        strategy.context.bracket("OLD", 100, stop=80, target=120, tag="held")

    run = trade(
        tmp_path,
        {},
        {
            "2024-07-01 10:00": first_day,
            "2024-07-03 12:45": lambda s: s.context.order("OLD", 10, type="market_on_close"),
            "15:00": look,
            "12:00": look,
            "2024-07-08 15:30": lambda s: s.context.close("NEW"),
        },
        days=DAYS,
        store=store,
        symbols=["ABC"],
        watch=[("ABC", "1m")],
    )

    average = pytest.approx((200 * 50 + 10 * 52) / 210)
    assert held == {
        "01": ("OLD", 100.0, 100.0),
        "02": ("OLD", 100.0, 100.0),
        "03": ("OLD", 200.0, 50.0),
        "05": ("OLD", 210.0, average),
        "08": ("NEW", 210.0, average),
    }
    # The half day ends at 13:00, and so does what fills at its close.
    assert [(f"{f.time:%d %H:%M}", f.symbol, f.quantity, f.price) for f in run.fills] == [
        ("01 10:00", "OLD", 100.0, 100.0),
        ("03 13:00", "OLD", 10.0, 52.0),
        ("08 15:30", "NEW", -210.0, 51.0),
    ]
    # The legs went with it, at half the price and twice the units, until `close` cancelled them.
    legs = [run.last(f"probe-{number}") for number in (2, 3)]
    assert [(leg.symbol, leg.quantity, leg.stop or leg.limit, leg.status) for leg in legs] == [
        ("NEW", -200.0, 40.0, "cancelled"),
        ("NEW", -200.0, 60.0, "cancelled"),
    ]
    performance = run.result["performance"]
    assert performance["dividends"] == 210 * 0.5
    assert performance["end_equity"] == pytest.approx(100_000 + 210 * 51 - 200 * 50 - 10 * 52 + 105)
    trades = run.result.trades
    assert sum(t.net for t in trades) == pytest.approx(210 * 51 - 200 * 50 - 10 * 52)
    assert {(t.symbol, t.tag) for t in trades} == {("NEW", "held"), ("NEW", "")}


ES = {"instruments": {"ES": {"multiplier": 50, "tick": 0.25, "margin": 15000}}}


def es_run(folder: Path, at: Any, prices: Any, days: tuple[str, str], **execution: Any) -> Traded:
    return trade(
        folder,
        {"ES": {"1m": bars_of(prices, days, exchange="US_FUTURES")}},
        at,
        days=days,
        exchange="US_FUTURES",
        symbols=["ES"],
        watch=[("ES", "1m")],
        execution={**ES, **execution},
    )


def test_a_future_over_the_hour_of_maintenance(tmp_path: Path) -> None:
    # The session of the 9th closes at 16:00 in Chicago, and that of the 10th opens at 17:00 of the 9th.
    days = ("2024-07-09", "2024-07-10")
    prices = [4000.0] * 1380 + [4008.0] * 60 + [4010.0]
    run = es_run(
        tmp_path,
        {
            "2024-07-09 15:30": lambda s: (
                s.context.order("ES", 2),
                s.context.order("ES", -1, limit=4007, tif="gtc"),
                s.context.order("ES", 1, limit=3900),
            ),
            "2024-07-09 16:00": lambda s: s.context.order("ES", 1),
            "2024-07-10 10:00": lambda s: s.context.close("ES"),
        },
        prices,
        days,
    )

    assert [(f"{f.time:%d %H:%M}", f.quantity, f.price, str(f.session_date)[8:]) for f in run.fills] == [
        ("09 15:30", 2.0, 4000.0, "09"),
        ("09 17:00", -1.0, 4008.0, "10"),  # the gap over the hour is a better open
        ("09 17:00", 1.0, 4008.0, "10"),
        ("10 10:00", -2.0, 4010.0, "10"),
    ]
    # A day order ends with the session that it was given in, at 16:00.
    assert (run.last("probe-3").status, f"{run.last('probe-3').time:%d %H:%M}") == ("expired", "09 16:00")
    points = (4008 - 4000) + (4010 - 4000) + (4010 - 4008)
    assert run.result["performance"]["end_equity"] == 100_000 + 50 * points
    first, second = run.result.days
    assert first.trading.end_equity == 100_000  # type: ignore[union-attr]
    assert second.trading.start_equity == 100_000  # type: ignore[union-attr]


def test_two_strategies_hold_opposite_sides_of_one_symbol(tmp_path: Path) -> None:
    def strategy(name: str, quantity: float) -> dict[str, Any]:
        def on_bar(self: Any, bar: Any) -> None:
            now = f"{self.context.now:%H:%M}"
            if now == "10:00":
                self.context.order("ABC", quantity)
            if now == "11:00":
                self.context.order("ABC", -quantity)

        return {**probe_strategy(subscriptions=[("ABC", "1m")], on_bar=on_bar), "name": name}

    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of([100.0] * 90 + [104.0])}},
        days=("2024-07-02", "2024-07-02"),
        strategies=[strategy("bulls", 30.0), strategy("bears", -30.0)],
    )

    # The account is flat all the time; what each strategy earns is told by its own fills.
    by_strategy = run.result.trading.by_strategy  # type: ignore[union-attr]
    earned = {name: (own.trades, own.realized, own.net) for name, own in by_strategy.items()}
    assert earned == {"bulls": (1, 120.0, 120.0), "bears": (1, -120.0, -120.0)}
    assert run.result["performance"]["end_equity"] == 100_000.0
    assert all(not np.any(day.trading.equity.gross) for day in run.result.days)  # type: ignore[union-attr]


def test_a_position_keeps_its_price_after_a_split_though_an_order_is_reckoned_at_the_last_one(tmp_path: Path) -> None:
    # 2:1 on the second day, on which the first bar comes half an hour after the open.
    days = ("2024-07-01", "2024-07-02")
    bars = bars_of([100.0] * 390 + [50.0] * 390, days)
    store = make_store(
        tmp_path / "store",
        {"OLD": {"1m": bars.filter(~pl.int_range(pl.len()).is_between(390, 419))}, "ABC": {"1m": bars}},
    )
    ActionStore(store).write(actions(("OLD", date(2024, 7, 2), "split", 2)))
    worth: dict[str, float] = {}

    def orders(strategy: Any) -> None:
        strategy.context.order("OLD", 100)
        strategy.context.order("OLD", -100, trail=30, tif="gtc")

    run = trade(
        tmp_path,
        {},
        {
            "2024-07-01 10:00": orders,
            "2024-07-02 09:35": lambda s: worth.update(seen=s.context.portfolio.equity),
        },
        days=days,
        store=store,
        symbols=["ABC", "OLD"],
        watch=[("ABC", "1m")],
        execution={"risk": {"max_daily_loss_percent": 5}},
    )

    assert worth == {"seen": 100_000}
    assert set(run.result.days[1].trading.equity.equity.tolist()) == {100_000.0}
    assert [fill.quantity for fill in run.fills] == [100]
