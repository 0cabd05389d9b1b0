"""Orders that fill in parts, that are replaced on the way, and that hang together while they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from trading import bars_of, trade

if TYPE_CHECKING:
    from pathlib import Path

FLAT = [100.0, 100.0, 100.0]
THIN = {"fills": {"max_volume_share": 0.02}}
"""Twenty units of a bar of a volume of 1,000."""


def test_the_rest_of_a_stop_is_a_market_order(tmp_path: Path) -> None:
    prices = [*FLAT, (100, 100, 98, 100), 105.0]
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(prices)}},
        {"09:33": lambda s: s.context.order("ABC", -50, stop=99)},
        execution=THIN,
    )

    assert run.told == [("09:34", -20.0, 99.0), ("09:34", -20.0, 105.0), ("09:35", -10.0, 105.0)]


def test_a_stop_that_is_reached_in_a_bar_without_volume_is_a_market_order_from_then_on(tmp_path: Path) -> None:
    frame = bars_of([*FLAT, (100, 100, 98, 100), 105.0])
    volume = [1000.0] * len(frame)
    volume[3] = 5.0
    run = trade(
        tmp_path,
        {"ABC": {"1m": frame.with_columns(volume=pl.Series(volume))}},
        {"09:33": lambda s: s.context.order("ABC", -10, stop=99)},
        execution=THIN,
    )

    assert run.told == [("09:34", -10.0, 105.0)]


def test_a_trailing_stop_that_is_replaced_goes_on_from_the_best_price_that_it_has_seen(tmp_path: Path) -> None:
    prices = [100.0, (100, 110, 100, 110), (110, 110, 109, 109), 109.0, (109, 109, 106, 106), 106.0]
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(prices)}},
        {
            "09:31": lambda s: s.context.order("ABC", -10, trail=3),
            "09:34": lambda s: s.context.replace("probe-1", quantity=-5),
        },
    )

    assert run.told == [("09:35", -5.0, 107.0)]


@pytest.mark.parametrize(
    ("wide", "close", "price"),
    [({"trail": 4}, {"trail": 2.5}, 107.5), ({"trail_percent": 10}, {"trail_percent": 2.5}, 107.25)],
)
def test_a_trailing_stop_is_drawn_closer_and_still_knows_the_best_price(
    tmp_path: Path, wide: dict[str, float], close: dict[str, float], price: float
) -> None:
    prices = [100.0, (100, 110, 100, 110), (110, 110, 109, 109), 109.0, (109, 109, 106, 108), 108.0]
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(prices)}},
        {
            "09:31": lambda s: s.context.order("ABC", -10, **wide),
            "09:34": lambda s: s.context.replace("probe-1", **close),
        },
    )

    assert run.told == [("09:35", -10.0, price)]


def test_a_stop_limit_that_is_replaced_after_its_stop_was_reached_is_a_limit_order(tmp_path: Path) -> None:
    prices = [*FLAT, (100, 104, 100, 104), 104.0, (104, 104, 102, 104), 104.0]
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(prices)}},
        {
            "09:31": lambda s: s.context.order("ABC", 10, stop=103, limit=101),
            "09:34": lambda s: s.context.replace("probe-1", limit=103),
        },
    )

    assert run.told == [("09:36", 10.0, 103.0)]


def test_a_limit_that_takes_the_open_is_a_taker_and_one_that_rests_a_maker(tmp_path: Path) -> None:
    prices = [*FLAT, (100, 110, 90, 100), 100.0]

    def both(strategy: Any) -> None:
        strategy.context.order("ABC", 10, limit=120)
        strategy.context.order("ABC", 10, limit=95)

    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(prices)}},
        {"09:31": both},
        execution={"fees": {"model": "maker_taker", "maker_percent": 0, "taker_percent": 1}},
    )

    assert [(fill.price, fill.fee) for fill in run.fills] == [(100.0, 10.0), (95.0, 0.0)]


def test_a_limit_that_rests_is_a_maker_in_a_gap_as_well(tmp_path: Path) -> None:
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of([*FLAT, (93, 94, 92, 93)])}},
        {"09:31": lambda s: s.context.order("ABC", 10, limit=95)},
        execution={"fees": {"model": "maker_taker", "maker_percent": 0, "taker_percent": 1}},
    )

    assert [(fill.price, fill.fee) for fill in run.fills] == [(93.0, 0.0)]


def test_legs_follow_an_entry_whose_quantity_is_replaced(tmp_path: Path) -> None:
    orders: list[Any] = []
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of([*FLAT, 100.0, 100.0, (95, 95, 94, 94), 94.0, 80.0])}},
        {
            "09:31": lambda s: orders.extend(s.context.bracket("ABC", 10, limit=96, stop=90, target=110)),
            "09:33": lambda s: s.context.replace(orders[0], quantity=25),
        },
    )

    assert [(fill.quantity, fill.price) for fill in run.fills] == [(25.0, 95.0), (-25.0, 80.0)]
    assert run.last("probe-3").quantity == -25.0
    assert not run.desk.account.holdings


class TestBracketsInParts:
    def test_the_rest_of_the_stop_fills_and_not_the_target_that_the_same_bar_touched(self, tmp_path: Path) -> None:
        prices = [*FLAT, (100, 110, 90, 100), 97.0]
        run = trade(
            tmp_path,
            {"ABC": {"1m": bars_of(prices)}},
            {"09:31": lambda s: s.context.bracket("ABC", 40, stop=95, target=105)},
            execution=THIN,
        )

        assert run.told == [
            ("09:31", 20.0, 100.0),
            ("09:32", 20.0, 100.0),
            ("09:34", -20.0, 95.0),
            ("09:34", -20.0, 97.0),
        ]

    def test_the_rest_of_an_entry_is_cancelled_when_what_it_has_filled_is_left(self, tmp_path: Path) -> None:
        run = trade(
            tmp_path,
            {"ABC": {"1m": bars_of([*FLAT[:2], (100, 110, 100, 110), 110.0])}},
            {"09:31": lambda s: s.context.bracket("ABC", 100, stop=95, target=105, limit=100.5)},
            execution=THIN,
        )

        assert sum(fill.quantity for fill in run.fills) == 0
        assert run.last("probe-1").status == "cancelled"

    @pytest.mark.parametrize("units", [10, 45, 100, 250])
    def test_no_leg_ever_sells_more_than_its_entry_bought(self, tmp_path: Path, units: int) -> None:
        waves = [100.0, (100, 106, 99, 104), (104, 105.5, 94, 96), (96, 107, 95, 106), (106, 106, 93, 94)] * 6
        run = trade(
            tmp_path,
            {"ABC": {"1m": bars_of(waves)}},
            {"09:31": lambda s: s.context.bracket("ABC", units, stop=95, target=105)},
            execution=THIN,
        )

        held = 0.0
        for fill in run.fills:
            held += fill.quantity
            assert held >= 0
        assert held == 0


def test_the_equity_curve_reaches_to_a_fill_at_the_close_after_the_last_bar(tmp_path: Path) -> None:
    frame = bars_of([100.0]).head(300)
    run = trade(
        tmp_path,
        {"ABC": {"1m": frame}},
        {"10:00": lambda s: s.context.order("ABC", 10, type="market_on_close")},
        execution={"slippage": {"model": "spread", "spread": 2}},
    )

    session = run.result.days[0].trading
    assert session is not None
    assert f"{run.fills[0].time:%H:%M}" == "16:00"
    assert session.equity.equity[-1] == session.end_equity == 100_000 - 10


def test_tiers_of_an_order_that_fills_in_parts_count_it_once(tmp_path: Path) -> None:
    minutes = bars_of([10.0], "2024-07-02", volume=200_000)
    run = trade(
        tmp_path,
        {"ABC": {"1m": minutes}},
        {"10:00": lambda s: s.context.order("ABC", 400_000)},
        execution={
            "cash": 10_000_000,
            "fills": {"max_volume_share": 1.0},
            "fees": {"model": "ibkr_tiered", "regulatory": False, "remove_per_share": 0, "clearing_per_share": 0},
        },
    )

    assert len(run.fills) == 2
    passed_on = 1 + 0.000175 + 0.00056
    assert sum(f.fee for f in run.fills) == pytest.approx((300_000 * 0.0035 + 100_000 * 0.0020) * passed_on)
