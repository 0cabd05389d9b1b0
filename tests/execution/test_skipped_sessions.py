"""Positions and orders in sessions that are skipped: no strategy sees them, and the market goes on."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from made_actions import actions
from openbell.actions import ActionStore
from openbell.testing import make_store
from trading import Traded, bars_of, trade

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

DAYS = ("2024-07-02", "2024-07-05")


def skipping(
    tmp_path: Path, xyz: pl.DataFrame, at: Mapping[str, Callable[[Any], object]], *rows: Any, **execution: Any
) -> Traded:
    """A run in which ABC has too little of the 2nd for the 3rd, which is skipped."""
    start = pl.col("timestamp").dt
    an_hour = bars_of([100 + n % 7 / 10 for n in range(1200)], DAYS).filter((start.day() != 2) | (start.hour() < 15))
    store = make_store(tmp_path / "store", {"ABC": {"1m": an_hour}, "XYZ": {"1m": xyz}})
    if rows:
        ActionStore(store).write(actions(*rows))
    run = trade(
        tmp_path,
        {},
        at,
        days=DAYS,
        store=store,
        symbols=["ABC"],
        watch=[("XYZ", "1m")],
        session={
            "min_quality": 90.0,
            "on_empty_day": "skip",
            "historical": {"data": [{"trailing_days": 1, "intervals": ["1m"]}]},
        },
        execution=execution,
    )
    assert "2024-07-03 is skipped" in " ".join(run.result.warnings)
    return run


def test_what_is_held_over_a_session_that_is_skipped_lives_on(tmp_path: Path) -> None:
    run = skipping(
        tmp_path,
        bars_of([50.0] * 390 + [25.0], DAYS),
        {
            "2024-07-02 10:00": lambda s: s.context.order("XYZ", 10),
            "2024-07-05 10:00": lambda s: s.context.close("XYZ"),
        },
        ("XYZ", date(2024, 7, 3), "split", 2),
    )

    assert [day.symbols.keys() for day in run.result.days] == [{"ABC", "XYZ"}, {"XYZ"}, {"ABC", "XYZ"}]
    assert [(f.quantity, f.price) for f in run.fills] == [(10.0, 50.0), (-20.0, 25.0)]
    assert [day.trading is not None for day in run.result.days] == [True, True, True]


def test_orders_fill_and_expire_in_a_session_that_is_skipped(tmp_path: Path) -> None:
    def orders(strategy: Any) -> None:
        strategy.context.order("XYZ", 10)
        strategy.context.order("XYZ", -10, stop=45, tif="gtc")

    run = skipping(
        tmp_path,
        bars_of([50.0] * 450 + [44.0] + [50.0], DAYS),
        {"2024-07-02 10:00": orders, "2024-07-02 16:00": lambda s: s.context.order("XYZ", 5, limit=30)},
    )

    fills = [fill for day in run.result.days if day.trading for fill in day.trading.fills]
    assert [(f"{f.time:%d %H:%M}", f.quantity, f.price) for f in fills] == [
        ("02 10:00", 10.0, 50.0),
        ("03 10:30", -10.0, 44.0),
    ]
    traded = run.result.days[1].trading
    assert traded is not None
    ends = {order.id: (str(order.status), f"{order.time:%d %H:%M}") for order in traded.orders}
    assert ends == {"probe-2": ("filled", "03 10:31"), "probe-3": ("expired", "03 13:00")}
    assert not run.desk.open_orders.by_id
    assert run.result["performance"]["end_equity"] == 100_000 - 60


def test_a_margin_call_comes_in_a_session_that_is_skipped(tmp_path: Path) -> None:
    run = skipping(
        tmp_path,
        bars_of([50.0] * 450 + [30.0], DAYS),
        {"2024-07-02 10:00": lambda s: s.context.order("XYZ", 3900)},
    )

    traded = run.result.days[1].trading
    assert traded is not None
    assert len(traded.breaches) == 1
    assert [(f"{f.time:%d %H:%M}", f.quantity) for f in traded.fills] == [("03 10:31", -1234.0)]
