"""Limit orders that rest over many sessions fill on the first day that reaches them, however many rest beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from how_many import examples
from trading import bars_of, trade

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from openbell.components.strategy import Strategy

DAYS = ("2024-07-01", "2024-07-05")
LIMITS = [1.0 + number / 10 for number in range(40)]


def frames(lows: list[float]) -> dict[str, object]:
    """Four sessions at 100 whose eleventh minute falls to a low."""
    import polars as pl

    dates = ("2024-07-01", "2024-07-02", "2024-07-03", "2024-07-05")
    flat = (100.0,) * 4
    frames = [
        bars_of([*[flat] * 10, (100.0, 100.0, low, 100.0), flat], day) for day, low in zip(dates, lows, strict=True)
    ]
    return {"ABC": {"1m": pl.concat(frames)}}


def test_an_order_among_many_fills_on_the_third_day(tmp_path: Path) -> None:
    def place(self: Strategy) -> None:
        if not self.state.get("placed"):
            self.state["placed"] = True
            for limit in (*LIMITS, 95.0):
                self.context.order("ABC", 1, limit=limit, tif="gtc")

    traded = trade(tmp_path, frames([99.0, 96.0, 94.0, 90.0]), {"10:31": place}, days=DAYS)

    assert traded.told == [("09:41", 1, 95.0)]
    assert traded.fills[0].session_date.isoformat() == "2024-07-03"
    assert len(traded.desk.open_orders.by_id) == len(LIMITS)


def test_one_that_was_placed_after_the_close_or_changed_is_found_as_well(tmp_path: Path) -> None:
    orders = []

    def late(self: Strategy) -> None:
        if not orders:
            orders.append(self.context.order("ABC", 1, limit=97.0, tif="gtc"))
            orders.append(self.context.order("ABC", 1, limit=10.0, tif="gtc"))

    def change(self: Strategy) -> None:
        if self.context.now.day == 2:
            self.context.replace(orders[1], limit=95.0)

    traded = trade(tmp_path, frames([90.0, 96.0, 94.0, 99.0]), {"16:00": late, "12:00": change}, days=DAYS)

    filled = [(fill.session_date.day, fill.order.id, fill.price) for fill in traded.fills]
    assert filled == [(2, orders[0].id, 97.0), (3, orders[1].id, 95.0)]


def test_one_that_is_cancelled_fills_no_more(tmp_path: Path) -> None:
    orders = []

    def place(self: Strategy) -> None:
        if not orders:
            orders.append(self.context.order("ABC", 1, limit=95.0, tif="gtc"))
        elif self.context.now.day == 2:
            self.context.cancel(orders[0])

    traded = trade(tmp_path, frames([99.0, 99.0, 90.0, 90.0]), {"10:31": place}, days=DAYS)

    assert traded.fills == []
    assert traded.statuses(orders[0].id)[-1] == "cancelled"


@settings(max_examples=examples(8), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lows=st.lists(st.integers(90, 99).map(float), min_size=4, max_size=4),
    limits=st.lists(st.integers(88, 100).map(float), min_size=1, max_size=8),
)
def test_each_fills_on_the_first_day_that_trades_through_it(
    lows: list[float], limits: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    def place(self: Strategy) -> None:
        if not self.state.get("placed"):
            self.state["placed"] = True
            for limit in limits:
                self.context.order("ABC", 1, limit=limit, tif="gtc")

    traded = trade(tmp_path_factory.mktemp("limits"), frames(lows), {"09:31": place}, days=DAYS)

    days = (1, 2, 3, 5)
    expected = [next((day for day, low in zip(days, lows, strict=True) if low < limit), None) for limit in limits]
    found = {fill.order.id: fill.session_date.day for fill in traded.fills}
    ids = [order.id for order in traded.orders if order.status == "accepted"]
    assert [found.get(order_id) for order_id in ids] == expected
