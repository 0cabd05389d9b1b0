"""What an account cannot pay for, may not risk or has to close, each with both numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from openbell.config.exchange import ExchangeConfig
from trading import DAY, bars_of, trade

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FLAT = {"ABC": {"1m": bars_of([100.0])}}


def orders(*quantities: float, **more: Any) -> dict[str, Any]:
    def give(strategy: Any) -> None:
        for quantity in quantities:
            strategy.context.order("ABC", quantity, **more)

    return {"10:00": give}


@pytest.mark.parametrize(
    ("quantities", "execution", "reason"),
    [
        ([2001], {}, "it needs buying power of 200,100.00, and there is 200,000.00"),
        ([1500, 501], {}, "it needs buying power of 50,100.00, and there is 50,000.00"),
        ([-2001], {}, "it needs buying power of 200,100.00, and there is 200,000.00"),
        ([1001], {"account": "cash"}, "it needs buying power of 100,100.00, and there is 100,000.00"),
        ([-1], {"account": "cash"}, "it sells 1 and 0 are held; execution.shorting is false"),
        ([251], {"risk": {"max_position_percent": 25}}, "worth 25,100.00, 25.1% of equity, and risk.max_position_"),
        ([1101], {"risk": {"max_gross_leverage": 1.1}}, "worth 110,100.00, 1.10 times equity"),
        ([1, 1, 1], {"risk": {"max_orders_per_minute": 2}}, "it would be order 3 in 60 seconds, and"),
        (
            [7, 7],
            {"risk": {"duplicate_seconds": 1}},
            "it repeats probe-1 of 0 s before, and risk.duplicate_seconds is 1",
        ),
        ([1.5], {}, "a quantity of 1.5 is not whole, and ABC is traded in whole units"),
    ],
)
def test_what_is_too_much_is_rejected_with_both_numbers(
    tmp_path: Path, quantities: list[float], execution: dict[str, Any], reason: str
) -> None:
    run = trade(tmp_path, FLAT, orders(*quantities), execution=execution)

    refused = f"probe-{len(quantities)}"
    assert run.statuses(refused) == ["submitted", "rejected"]
    assert reason in run.last(refused).reason
    assert run.result["days"][0]["trading"]["rejected"][0]["reason"] == run.last(refused).reason
    assert len(run.fills) == len(quantities) - 1


def test_a_price_that_is_too_old_opens_no_position_and_closes_one(tmp_path: Path) -> None:
    """DEF has bars until 09:45, then none."""
    bars = bars_of([100.0])
    frames = {"ABC": {"1m": bars}, "DEF": {"1m": bars.head(15)}}

    def give(quantity: float) -> Callable[[Any], object]:
        return lambda strategy: strategy.context.order("DEF", quantity)

    script = {"09:40": give(10), "10:00": give(10), "10:05": give(-5)}
    run = trade(tmp_path, frames, script, execution={"risk": {"max_price_age_seconds": 90}})

    assert run.statuses("probe-1")[-1] == "filled"
    assert run.last("probe-2").reason == "its last bar closed 900 s ago, and risk.max_price_age_seconds is 90"
    assert "accepted" in run.statuses("probe-3")


@pytest.mark.parametrize(("held", "account"), [(1000, "cash"), (2000, "margin"), (-2000, "margin")])
def test_what_waits_for_an_order_that_frees_money_is_told_to_come_after_its_fill(
    tmp_path: Path, held: float, account: str
) -> None:
    frames = {symbol: {"1m": bars_of([100.0])} for symbol in ("ABC", "DEF")}

    def swap(strategy: Any) -> None:
        strategy.context.order_target("ABC", quantity=0)
        strategy.context.order("DEF", 990)

    run = trade(
        tmp_path,
        frames,
        {"10:00": lambda s: s.context.order("ABC", held), "10:05": swap},
        symbols=("ABC", "DEF"),
        execution={"account": account},
        methods={"on_fill": lambda s, f: s.context.order("DEF", 990) if f.quantity == -held else None},
    )

    assert run.statuses("probe-3") == ["submitted", "rejected"]
    reason = run.last("probe-3").reason
    assert reason.startswith("it needs buying power of 99,000.00, and there is 0.00; ")
    assert reason.endswith("what closing orders free can be used only after they have filled (on_fill)")
    assert run.last("probe-4").status == "filled"


@pytest.mark.parametrize(
    ("more", "execution", "reason"),
    [
        ({"limit": 94.0}, {"risk": {"price_collar_percent": 5}}, "its limit of 94 is 6.0% from the last price of 100"),
        ({"limit": 99.999}, {"instruments": {"ABC": {"tick": 0.01}}}, "off the tick of ABC, which is 0.01"),
        ({}, {"instruments": {"ABC": {"currency": "EUR"}}}, "traded in EUR, and the account is in USD"),
    ],
)
def test_prices_and_currencies_that_cannot_be_are_rejected(
    tmp_path: Path, more: dict[str, Any], execution: dict[str, Any], reason: str
) -> None:
    run = trade(tmp_path, FLAT, orders(1, **more), execution=execution)

    assert reason in run.last("probe-1").reason


def test_an_order_that_makes_the_position_smaller_needs_no_buying_power(tmp_path: Path) -> None:
    run = trade(
        tmp_path,
        FLAT,
        {**orders(2000), "10:05": lambda s: s.context.order("ABC", -2000)},
    )

    assert [fill.quantity for fill in run.fills] == [2000.0, -2000.0]


def test_an_exit_beside_its_entry_ties_up_nothing_more(tmp_path: Path) -> None:
    seen: list[float] = []

    def both(strategy: Any) -> None:
        strategy.context.order("ABC", 1500, limit=99)
        strategy.context.order("ABC", -1500, limit=110)

    frames = {symbol: {"1m": bars_of([100.0])} for symbol in ("ABC", "DEF")}
    at = {
        "10:00": both,
        "10:01": lambda s: seen.append(s.context.portfolio.buying_power),
        "10:02": lambda s: s.context.order("DEF", 356),
        "10:03": lambda s: s.context.order("DEF", 300),
    }
    run = trade(tmp_path, frames, at, symbols=["ABC", "DEF"])

    # Only one of both can lead away from a flat position: the short sale at 110 is the larger one.
    ends = [run.last(f"probe-{number}").status for number in (1, 2, 3, 4)]
    assert ends == ["expired", "expired", "rejected", "filled"]
    assert seen == [200_000.0 - 1500 * 110]
    assert "it needs buying power of 35,600.00, and there is 35,000.00" in run.last("probe-3").reason


def test_an_exit_beside_its_entry_is_told_to_come_later_where_nothing_is_sold_short(tmp_path: Path) -> None:
    def both(strategy: Any) -> None:
        strategy.context.order("ABC", 100)
        strategy.context.order("ABC", -100, limit=110)

    run = trade(tmp_path, FLAT, {"10:00": both}, execution={"account": "cash"})

    assert run.last("probe-2").reason == (
        "it sells 100 and 0 are held; execution.shorting is false; units of an open buy order can be sold only "
        "after it has filled (on_fill, bracket)"
    )


def test_a_short_that_is_squeezed_is_called_and_bought_back_at_the_next_open(tmp_path: Path) -> None:
    prices = [100.0] * 60 + [130.0, 130.0, 131.0]
    run = trade(tmp_path, {"ABC": {"1m": bars_of(prices)}}, {"10:00": lambda s: s.context.order("ABC", -1500)})

    # 100,000 - 1,500 x 30 = 55,000 is below 30 % of 1,500 x 130 = 58,500. Of 1,282 units 110 % of it are 54,998.
    assert run.told == [("10:00", -1500.0, 100.0), ("10:31", 218.0, 130.0)]
    reason = "margin call: equity is 55,000.00, and 58,500.00 are needed to hold the positions"
    assert run.last("account-1").reason == reason
    assert run.result["days"][0]["trading"]["breaches"] == [reason]
    assert run.statuses("account-1") == ["submitted", "accepted", "filled"]


def test_the_close_of_the_bar_in_which_a_position_was_opened_is_judged(tmp_path: Path) -> None:
    prices = [100.0] * 30 + [(100, 100, 60, 60), 60.0]
    run = trade(tmp_path, {"ABC": {"1m": bars_of(prices)}}, {"10:00": lambda s: s.context.order("ABC", 1900)})

    # Known at 10:01, and called there: 100,000 - 76,000 is less than 25 % of 114,000.
    assert run.told == [("10:00", 1900.0, 100.0), ("10:01", -446.0, 60.0)]


def test_a_squeeze_that_goes_on_is_called_again(tmp_path: Path) -> None:
    prices = [100.0] * 60 + [130.0 + 3 * n for n in range(8)]
    run = trade(tmp_path, {"ABC": {"1m": bars_of(prices)}}, {"10:00": lambda s: s.context.order("ABC", -1500)})

    called = [fill.quantity for fill in run.fills if not fill.order.strategy]
    assert len(called) > 2
    assert sum(called) <= 1500
    assert run.result["performance"]["end_equity"] > 0
    assert {order.reason[:11] for order in run.orders if not order.strategy} == {"margin call"}


def test_a_margin_call_closes_what_needs_the_most_margin_first_and_leaves_the_rest(tmp_path: Path) -> None:
    frames = {
        "BIG": {"1m": bars_of([100.0] * 60 + [50.0])},
        "SMALL": {"1m": bars_of([10.0])},
        "GONE": {"1m": bars_of([100.0] * 40).head(40)},
    }

    def enter(strategy: Any) -> None:
        for symbol, quantity in (("BIG", 1300), ("SMALL", 1000), ("GONE", 590)):
            strategy.context.order(symbol, quantity)

    run = trade(tmp_path, frames, {"10:00": enter}, symbols=list(frames), watch=[("SMALL", "1m")])

    # Equity is 100,000 - 65,000; 25 % of 65,000, 10,000 and 59,000 are 33,500, and 110 % of it are 36,850.
    assert [(f.symbol, f.quantity) for f in run.fills if not f.order.strategy] == []
    frames["BIG"] = {"1m": bars_of([100.0] * 60 + [48.0])}
    run = trade(tmp_path / "b", frames, {"10:00": enter}, symbols=list(frames), watch=[("SMALL", "1m")])

    # 100,000 - 67,600 = 32,400 is less than 25 % of 131,400 = 32,850; 36,135 - 32,400 are 283 units of BIG at 13.2.
    assert [(f.symbol, f.quantity) for f in run.fills if not f.order.strategy] == [("BIG", -283.0)]


def test_the_largest_daily_loss_flattens_and_refuses_new_orders_until_tomorrow(tmp_path: Path) -> None:
    days = ("2024-07-02", "2024-07-03")
    prices = [100.0] * 89 + [96.9] + [97.0] * 300 + [100.0] * 20
    placed = {
        "2024-07-02 10:00": lambda s: (
            s.context.order("ABC", 1000),
            s.context.order("ABC", -10, limit=200, tif="gtc"),
        ),
        "2024-07-02 11:30": lambda s: s.context.order("ABC", 10),
        "2024-07-03 10:00": lambda s: s.context.order("ABC", 10),
    }
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(prices, days)}},
        placed,
        days=days,
        execution={"risk": {"max_daily_loss_percent": 3}},
    )

    assert [(f"{f.time:%d %H:%M}", f.quantity, f.price) for f in run.fills] == [
        ("02 10:00", 1000.0, 100.0),
        ("02 11:00", -1000.0, 97.0),
        ("03 10:00", 10.0, 100.0),
    ]
    assert run.last("probe-2").status == "cancelled"
    assert "the largest daily loss is reached: 3,100.00 of 100,000.00" in run.last("account-1").reason
    assert run.last("probe-3").status == "rejected"
    assert "No new orders in this session" in run.last("probe-3").reason


@pytest.mark.parametrize("seed", range(3))
def test_the_first_close_beyond_a_limit_is_found_however_often_positions_change_before(
    tmp_path: Path, seed: int
) -> None:
    drawn = np.random.default_rng(seed)
    frames = {s: {"1m": bars_of((100 + drawn.normal(0, 0.5, 390).cumsum()).round(2).tolist())} for s in ("ABC", "DEF")}
    turns = drawn.choice([-300.0, -200.0, 200.0, 300.0], 390).tolist()

    def turn(strategy: Any) -> None:
        symbol, wanted = ("ABC", "DEF")[len(turns) % 2], turns.pop()
        if strategy.context.portfolio.day_pnl > -2000:
            strategy.context.order_target(symbol, quantity=wanted)

    times = {f"{minute // 60:02}:{minute % 60:02}": turn for minute in range(9 * 60 + 31, 16 * 60)}
    limit = {"max_daily_loss_percent": 1.5}
    run = trade(tmp_path, frames, times, symbols=("ABC", "DEF"), execution={"risk": limit, "fees": {"model": "alpaca"}})

    (day,) = run.result.days
    assert day.trading is not None
    equity = day.trading.equity
    beyond = np.flatnonzero(equity.equity <= 98_500)
    flattened = [order.created_ns for order in day.trading.orders if not order.strategy]
    assert set(flattened) == ({int(equity.time_ns[beyond[0]])} if len(beyond) else set())
    assert len(day.trading.fills) > 50


def test_equity_at_or_below_zero_ends_trading(tmp_path: Path) -> None:
    prices = [100.0] * 60 + [170.0]
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(prices)}},
        {"10:00": lambda s: s.context.order("ABC", -1500), "11:00": lambda s: s.context.order("ABC", 1)},
    )

    assert run.told == [("10:00", -1500.0, 100.0), ("10:31", 1500.0, 170.0)]
    assert "equity is -5,000.00: trading has ended" in run.last("account-1").reason
    assert run.last("probe-2").reason == "equity is at or below zero: trading has ended"


PAUSES = {"name": "PAUSES", "like": "CMES", "breaks": [{"start": "16:00", "end": "17:00"}]}


@pytest.mark.parametrize("exchange", ["CMES", "CME", "US_FUTURES", PAUSES])
def test_a_future_without_terms_is_rejected_with_the_lines_to_add_and_with_them_earns_its_points(
    tmp_path: Path, exchange: Any
) -> None:
    calendar = exchange if isinstance(exchange, str) else ExchangeConfig.model_validate(exchange)
    bars = bars_of([4000.0, 4000.0, 4000.0, 4010.0], exchange=calendar)
    at = {"17:02": lambda s: s.context.order("ES", 2)}
    runs = [
        trade(
            tmp_path / name,
            {"ES": {"1m": bars}},
            at,
            exchange=exchange,
            symbols=["ES"],
            watch=[("ES", "1m")],
            execution={"instruments": instruments},
        )
        for name, instruments in (("a", {}), ("b", {"ES": {"multiplier": 50, "tick": 0.25, "margin": 15000}}))
    ]

    assert "instruments:\n    ES: {multiplier: 50" in runs[0].last("probe-1").reason
    assert runs[1].result["performance"]["end_equity"] == 100_000 + 2 * 10 * 50


def test_borrowed_shares_cost_by_calendar_days(tmp_path: Path) -> None:
    days = ("2024-07-03", "2024-07-05")
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of([100.0], days)}},
        {"2024-07-03 10:00": lambda s: s.context.order("ABC", -360)},
        days=days,
        execution={"borrow_rate": 0.1},
    )

    assert run.result["performance"]["borrow"] == pytest.approx(36_000 * 0.1 * 2 / 360)


def test_a_cash_account_takes_no_fill_that_it_cannot_pay_at_the_price_that_there_is(tmp_path: Path) -> None:
    prices = [100.0, 100.0, (110, 111, 109, 110), 110.0]
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(prices)}},
        {"09:32": lambda s: s.context.order("ABC", 99)},
        execution={"cash": 10_000, "account": "cash"},
    )

    assert run.statuses("probe-1") == ["submitted", "accepted", "cancelled"]
    assert run.last("probe-1").reason == "at its price of 110 it costs 10,890.00, and there is cash of 10,000.00"


def test_a_leg_that_is_left_behind_sells_nothing_short_where_the_account_does_not(tmp_path: Path) -> None:
    prices = [100.0, 100.0, 100.0, 100.0, (100, 100, 94, 95), 95.0]
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(prices)}},
        {
            "09:31": lambda s: s.context.bracket("ABC", 10, stop=95, target=120),
            "09:33": lambda s: s.context.order("ABC", -10),
        },
        execution={"account": "cash"},
    )

    assert [fill.quantity for fill in run.fills] == [10, -10]
    assert run.last("probe-2").reason == "it sells 10 and 0 are held; execution.shorting is false"


def test_an_order_before_the_first_price_is_checked_when_there_is_one(tmp_path: Path) -> None:
    def setup(strategy: Any) -> None:
        strategy.context.order("ABC", 1_000_000)
        strategy.context.order("ABC", 100)

    run = trade(tmp_path, FLAT, methods={"setup": setup})

    assert [fill.quantity for fill in run.fills] == [100]
    assert run.last("probe-1").reason == "it needs buying power of 100,000,000.00, and there is 200,000.00"


@pytest.mark.parametrize(
    ("risk", "reason"),
    [
        (
            {"max_position_percent": 25},
            "the position would be worth 30,000.00 with 200 units that are ordered, 30.0% of equity, and",
        ),
        (
            {"max_gross_leverage": 0.25},
            "all positions with open orders would be worth 30,000.00, 0.30 times equity, and",
        ),
    ],
)
@pytest.mark.parametrize("terms", [{}, {"limit": 100.0}])
def test_orders_of_one_moment_are_no_larger_together_than_a_limit_allows(
    tmp_path: Path, risk: dict[str, float], reason: str, terms: dict[str, float]
) -> None:
    def do(strategy: Any) -> None:
        for quantity in (200, 100, 50):
            strategy.context.order("ABC", quantity, **terms)

    run = trade(tmp_path, {"ABC": {"1m": bars_of([100.0, 99.0])}}, {"09:31": do}, execution={"risk": risk})

    assert run.last("probe-2").reason.startswith(f"{reason} risk.")
    assert sum(fill.quantity for fill in run.fills) == 250


def test_orders_of_other_symbols_count_towards_the_gross_leverage(tmp_path: Path) -> None:
    def do(strategy: Any) -> None:
        strategy.context.order("ABC", 800)
        strategy.context.order("XYZ", -300)

    frames = {symbol: {"1m": bars_of([100.0])} for symbol in ("ABC", "XYZ")}
    limits = {"risk": {"max_gross_leverage": 1}}
    run = trade(tmp_path, frames, {"09:35": do}, symbols=["ABC", "XYZ"], execution=limits)

    assert run.last("probe-2").reason.startswith("all positions with open orders would be worth 110,000.00, 1.10 times")


def test_a_change_of_an_order_is_not_counted_beside_what_it_was(tmp_path: Path) -> None:
    at = {
        "09:35": lambda s: s.context.order("ABC", 200, limit=99.0),
        "09:36": lambda s: s.context.replace("probe-1", quantity=240),
        "09:37": lambda s: s.context.replace("probe-1", quantity=260),
    }
    run = trade(tmp_path, {"ABC": {"1m": bars_of([100.0])}}, at, execution={"risk": {"max_position_percent": 25}})

    assert [order.quantity for order in run.orders if order.id == "probe-1"] == [200, 200, 240, 240, 240]
    assert run.orders[-2].reason.startswith("not replaced: the position would be worth 25,740.00, 25.7% of equity")


@pytest.mark.parametrize(
    ("risk", "reason"),
    [
        ({"max_position_percent": 25}, "the position would be worth 26,000.00, 26.0% of equity, and risk."),
        ({"max_gross_leverage": 0.25}, "all positions would be worth 26,000.00, 0.26 times equity, and risk."),
    ],
)
def test_limits_hold_for_an_order_before_the_first_price(tmp_path: Path, risk: dict[str, float], reason: str) -> None:
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of([100.0])}},
        methods={"setup": lambda strategy: strategy.context.order("ABC", 260)},
        execution={"risk": risk},
    )

    assert not run.fills
    assert (run.last("probe-1").status, run.last("probe-1").reason.startswith(reason)) == ("cancelled", True)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"limit": 1000}, "its limit of 1000 is 920.4% from the last price of 98, and risk.price_collar_percent is 5"),
        ({"stop": 90}, "its stop of 90 is 8.2% from the last price of 98, and risk.price_collar_percent is 5"),
    ],
)
@pytest.mark.parametrize("account", ["margin", "cash"])
def test_the_collar_holds_for_orders_before_the_first_price(
    tmp_path: Path, terms: dict[str, float], reason: str, account: str
) -> None:
    days = ("2024-07-01", DAY)
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of([98.0], days)}},
        methods={"setup": lambda s: s.context.order("ABC", 10, **terms)},
        execution={"risk": {"price_collar_percent": 5}, "account": account},
    )

    assert not run.fills
    assert (run.last("probe-1").status, run.last("probe-1").reason) == ("cancelled", reason)


def test_the_collar_takes_orders_before_the_first_price_that_lie_near_it(tmp_path: Path) -> None:
    def setup(strategy: Any) -> None:
        strategy.context.order("ABC", 10, limit=102)
        strategy.context.order("ABC", 10, limit=96)

    prices = [98.0] * 9 + [(98, 98, 90, 90), 90.0]
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(prices)}},
        methods={"setup": setup},
        execution={"risk": {"price_collar_percent": 5}},
    )

    assert run.told == [("09:30", 10.0, 98.0), ("09:40", 10.0, 96.0)]


@pytest.mark.parametrize("leg", [{"stop": 80}, {"target": 120}])
@pytest.mark.parametrize("entry", [{}, {"limit": 99}])
def test_an_entry_before_the_first_price_does_not_fill_where_a_leg_lies_beyond_the_collar(
    tmp_path: Path, leg: dict[str, float], entry: dict[str, float]
) -> None:
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of([98.0])}},
        methods={"setup": lambda s: s.context.bracket("ABC", 10, **{"stop": None, "target": None, **leg, **entry})},
        execution={"risk": {"price_collar_percent": 5}},
    )

    assert not run.fills
    ((name, price),) = leg.items()
    kind = "stop" if name == "stop" else "limit"
    assert run.last("probe-1").reason.startswith(f"its {kind} of {price} is ")
    assert run.last("probe-2").status == "cancelled"


def test_an_order_that_is_replaced_when_there_is_a_price_is_compared_with_that(tmp_path: Path) -> None:
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of([98.0] * 9 + [(98, 98, 90, 90), 90.0, 80.0])}},
        {"09:35": lambda s: s.context.replace("probe-1", limit=95)},
        methods={"setup": lambda s: s.context.order("ABC", 10, limit=50)},
        execution={"risk": {"price_collar_percent": 5}},
    )

    assert run.told == [("09:40", 10.0, 95.0)]
