"""Legs of brackets and signals: on the right side of their entry, or rejected with both numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openbell.components.strategy import Signal
from openbell.errors import ComponentError
from trading import bars_of, trade

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FLAT = {"ABC": {"1m": bars_of([100.0])}}


@pytest.mark.parametrize(
    ("do", "reason"),
    [
        (lambda c: c.bracket("ABC", 10, stop=101), "its stop of 101 is not below 100, the expected entry price"),
        (lambda c: c.bracket("ABC", 10, stop=100), "its stop of 100 is not below 100, the expected entry price"),
        (lambda c: c.bracket("ABC", 10, target=99), "its target of 99 is not above 100, the expected entry price"),
        (lambda c: c.bracket("ABC", -10, stop=99), "its stop of 99 is not above 100, the expected entry price"),
        (lambda c: c.bracket("ABC", -10, target=101), "its target of 101 is not below 100"),
        (lambda c: c.bracket("ABC", 10, limit=95, stop=96), "its stop of 96 is not below 95"),
        (lambda c: c.bracket("ABC", 10, limit=110, stop=105), "its stop of 105 is not below 100"),
        (lambda c: c.bracket("ABC", -10, limit=105, target=106), "its target of 106 is not below 105"),
    ],
)
def test_a_bracket_with_a_leg_on_the_wrong_side_is_rejected_with_both_numbers(
    tmp_path: Path, do: Callable[[Any], object], reason: str
) -> None:
    run = trade(tmp_path, FLAT, {"10:00": lambda s: do(s.context)})

    assert not run.fills
    assert run.last("probe-1").status == "rejected"
    assert reason in run.last("probe-1").reason
    assert run.last("probe-2").reason == "its entry order probe-1 was rejected"
    assert not run.desk.open_orders.by_id


@pytest.mark.parametrize(
    "do",
    [
        lambda c: c.bracket("ABC", 10, stop=99, target=101),
        lambda c: c.bracket("ABC", -10, stop=101, target=99),
        lambda c: c.bracket("ABC", 10, limit=95, stop=94, target=97),  # below the market, above the entry
        lambda c: c.bracket("ABC", 10, limit=110, stop=99, target=105),  # fills at the market
    ],
)
def test_legs_on_the_right_side_are_taken(tmp_path: Path, do: Callable[[Any], object]) -> None:
    run = trade(tmp_path, FLAT, {"10:00": lambda s: do(s.context)})

    assert run.statuses("probe-2")[:2] == ["submitted", "accepted"]


def test_a_gap_through_a_leg_is_the_market_and_no_mistake(tmp_path: Path) -> None:
    bars = {"ABC": {"1m": bars_of([100.0] * 30 + [90.0])}}
    run = trade(tmp_path, bars, {"10:00": lambda s: s.context.bracket("ABC", 10, stop=95)})

    assert run.told == [("10:00", 10.0, 90.0), ("10:00", -10.0, 90.0)]


def test_before_the_first_price_nobody_knows_which_side_is_wrong(tmp_path: Path) -> None:
    run = trade(tmp_path, FLAT, methods={"setup": lambda s: s.context.bracket("ABC", 10, stop=101)})

    assert run.last("probe-1").status == "filled"


def test_a_leg_that_waits_is_not_replaced_to_the_wrong_side(tmp_path: Path) -> None:
    legs: list[Any] = []
    run = trade(
        tmp_path,
        FLAT,
        {
            "10:00": lambda s: legs.extend(s.context.bracket("ABC", 10, limit=95, stop=90)),
            "10:05": lambda s: s.context.replace(legs[1], stop=96),
            "10:10": lambda s: s.context.replace(legs[0], limit=89),
        },
    )

    reasons = [order.reason for order in run.orders if "not replaced" in order.reason]
    assert reasons == [
        "not replaced: its stop of 96 is not below 95, the expected entry price",
        "not replaced: its stop of 90 is not below 89, the expected entry price",
    ]


SIGNALS = {"BUY": {"percent": 10}, "SELL": "close", "SHORT": {"percent": -10}, "FLAT": {"quantity": 0}}


def signalled(tmp_path: Path, *signals: Signal, **execution: Any) -> Any:
    def on_bar(self: Any, _: Any) -> Any:
        minute = self.context.now.minute
        return signals[minute] if self.context.now.hour == 10 and minute < len(signals) else None

    return trade(tmp_path, FLAT, methods={"on_bar": on_bar}, execution={"signals": SIGNALS, **execution})


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        (Signal("ABC", "SELL", quantity=10), "SELL is close in execution.signals, and quantity=10 is no flat position"),
        (Signal("ABC", "SELL", percent=-5), "SELL is close in execution.signals, and percent=-5 is no flat position"),
        (Signal("ABC", "BUY", quantity=-10), "BUY is {percent: 10} in execution.signals, and quantity=-10 is short"),
        (Signal("ABC", "SHORT", percent=5), "SHORT is {percent: -10} in execution.signals, and percent=5 is long"),
        (Signal("ABC", "FLAT", percent=5), "FLAT is {quantity: 0} in execution.signals, and percent=5 is no flat"),
    ],
)
def test_a_number_on_the_other_side_than_its_action_is_refused(tmp_path: Path, signal: Signal, message: str) -> None:
    with pytest.raises(ComponentError) as raised:
        signalled(tmp_path, signal)

    assert message in str(raised.value.__cause__)


def test_a_number_on_the_side_of_its_action_goes_before_the_map(tmp_path: Path) -> None:
    run = signalled(
        tmp_path,
        Signal("ABC", "BUY", quantity=7),
        Signal("ABC", "SELL", quantity=0),
        Signal("ABC", "SHORT", percent=-1),
        Signal("ABC", "BUY", quantity=0),
    )

    assert [fill.quantity for fill in run.fills] == [7.0, -7.0, -9.0, 9.0]


@pytest.mark.parametrize("market", ["next_open", "this_close"])
def test_a_rejected_signal_leaves_the_stop_of_the_position(tmp_path: Path, market: str) -> None:
    signals = Signal("ABC", "BUY", quantity=10, stop=90), Signal("ABC", "BUY", quantity=10**6, stop=95)
    run = signalled(tmp_path, *signals, fills={"market": market})

    assert [fill.quantity for fill in run.fills] == [10.0]
    assert run.last("probe-3").status == "rejected"
    assert [(order.id, order.stop) for order in run.desk.open_orders.by_id.values()] == [("probe-2", 90.0)]


@pytest.mark.parametrize("market", ["next_open", "this_close"])
def test_a_signal_that_is_taken_takes_the_place_of_the_stop(tmp_path: Path, market: str) -> None:
    signals = Signal("ABC", "BUY", quantity=10, stop=90), Signal("ABC", "BUY", quantity=20, stop=95)
    run = signalled(tmp_path, *signals, fills={"market": market})

    assert [(order.id, order.stop, order.quantity) for order in run.desk.open_orders.by_id.values()] == [
        ("probe-4", 95.0, -20.0)
    ]


def test_a_signal_with_a_stop_on_the_wrong_side_is_rejected(tmp_path: Path) -> None:
    run = signalled(tmp_path, Signal("ABC", "BUY", stop=101, target=110))

    assert not run.fills
    assert run.last("probe-1").reason == "its stop of 101 is not below 100, the expected entry price"


@pytest.mark.parametrize(
    ("prices", "more", "reason"),
    [
        ({"stop": 95.005, "target": 102}, {}, "a stop of 95.005 is off the tick of ABC, which is 0.01."),
        ({"stop": 95, "target": 102.005}, {}, "a limit of 102.005 is off the tick of ABC, which is 0.01."),
        (
            {"stop": 80, "target": 102},
            {"risk": {"price_collar_percent": 5}},
            "its stop of 80 is 20.0% from the last price of 100, and risk.price_collar_percent is 5",
        ),
    ],
)
def test_an_entry_without_one_of_its_legs_is_rejected_as_a_whole(
    tmp_path: Path, prices: dict[str, float], more: dict[str, Any], reason: str
) -> None:
    terms = {"instruments": {"ABC": {"tick": 0.01}}, **more}

    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of([100.0])}},
        {"10:00": lambda s: s.context.bracket("ABC", 10, **prices)},
        execution=terms,
    )

    assert not run.fills
    assert run.last("probe-1").reason.startswith(reason)
    assert {str(run.last(f"probe-{number}").status) for number in (1, 2, 3)} == {"rejected"}


def test_a_leg_is_not_replaced_beyond_the_collar(tmp_path: Path) -> None:
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of([100.0])}},
        {
            "10:00": lambda s: s.context.bracket("ABC", 10, stop=97, target=103),
            "10:05": lambda s: s.context.replace("probe-2", stop=70),
        },
        execution={"risk": {"price_collar_percent": 5}},
    )

    assert (run.last("probe-2").stop, run.last("probe-2").status) == (97, "accepted")
    assert run.last("probe-2").reason.startswith("not replaced: its stop of 70 is 30.0% from the last price of 100")


def test_the_leg_of_a_part_leaves_the_other_leg_for_the_rest_of_the_position(tmp_path: Path) -> None:
    bars = bars_of([100.0] * 30 + [(100.0, 104.0, 100.0, 103.0)] + [103.0] * 5 + [94.0])
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars}},
        {
            "09:35": lambda s: s.context.bracket("ABC", 100, stop=95, target=102),
            "09:40": lambda s: s.context.replace("probe-3", quantity=-40),
        },
    )

    assert run.told == [("09:35", 100.0, 100.0), ("10:01", -40.0, 102.0), ("10:06", -60.0, 94.0)]
    assert (run.last("probe-2").quantity, run.last("probe-2").status) == (-60, "filled")


def test_a_leg_that_fills_in_parts_leaves_of_the_other_what_is_held(tmp_path: Path) -> None:
    bars = bars_of([100.0] * 10 + [103.0] * 3 + [94.0], volume=250.0)
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars}},
        {
            "09:35": lambda s: s.context.bracket("ABC", 100, stop=95, target=102),
            "09:39": lambda s: s.context.replace("probe-3", quantity=-60),
        },
        execution={"fills": {"max_volume_share": 0.1}},
    )

    # 25 units a bar: the target has 60 of them in three bars, and the stop the rest in two.
    assert [fill.quantity for fill in run.fills] == [25, 25, 25, 25, -25, -25, -10, -25, -15]


def test_a_leg_that_waits_keeps_the_units_that_it_was_given(tmp_path: Path) -> None:
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of([100.0] * 10 + [98.0] * 5 + [103.0] * 5 + [94.0])}},
        {
            "09:35": lambda s: s.context.bracket("ABC", 100, stop=95, target=102, limit=99),
            "09:36": lambda s: s.context.replace("probe-3", quantity=-40),
        },
    )

    assert [fill.quantity for fill in run.fills] == [100, -40, -60]


@pytest.mark.parametrize(("entry", "target"), [(50, -40), (20, -20), (150, -40)])
def test_a_leg_of_a_part_stays_one_when_its_entry_is_replaced(tmp_path: Path, entry: float, target: float) -> None:
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of([100.0] * 10 + [98.0] * 5 + [103.0] * 5 + [94.0])}},
        {
            "09:35": lambda s: s.context.bracket("ABC", 100, stop=95, target=102, limit=99),
            "09:36": lambda s: s.context.replace("probe-3", quantity=-40),
            "09:37": lambda s: s.context.replace("probe-1", quantity=entry),
        },
    )

    rest = [] if target == -entry else [-entry - target]
    assert [fill.quantity for fill in run.fills] == [entry, target, *rest]


def test_what_a_leg_had_filled_before_it_was_cancelled_is_sold_once(tmp_path: Path) -> None:
    prices = [100.0] * 8 + [103.0] + [100.0] * 20 + [94.0]
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(prices, volume=250.0)}},
        {
            "09:35": lambda s: s.context.bracket("ABC", 200, stop=95, target=102, limit=101),
            "09:39": lambda s: s.context.cancel("probe-3"),
        },
        execution={"fills": {"max_volume_share": 0.2}},
    )

    assert run.last("probe-3").filled_quantity < 0
    assert sum(fill.quantity for fill in run.fills) == 0
