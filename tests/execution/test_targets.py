"""Targets of positions, in units, money or percent of equity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from trading import bars_of, trade

if TYPE_CHECKING:
    from pathlib import Path


def test_a_target_in_percent_leaves_the_buffer_free_and_fits_after_its_fee(tmp_path: Path) -> None:
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of([100.0])}},
        {"09:31": lambda s: s.context.order_target("ABC", percent=100)},
        execution={"fees": {"model": "ibkr_fixed"}},
    )

    # 99,750 is 997 units of 100, and the 50 that are left pay the fee of 4.985.
    assert run.told == [("09:31", 997.0, 100.0)]
    assert run.fills[0].fee == pytest.approx(4.985)


@pytest.mark.parametrize(
    ("execution", "expected"),
    [
        ({}, [831.0, -2.0, -829.0]),
        ({"min_target_change_percent": 0.0}, [831.0, -1.0, -1.0, -829.0]),
        ({"min_target_change_percent": 5.0}, [831.0, -831.0]),
    ],
)
def test_a_target_leaves_a_position_that_is_near_to_it(
    tmp_path: Path, execution: dict[str, float], expected: list[float]
) -> None:
    def half(strategy: Any) -> None:
        strategy.context.order_target("ABC", percent=50)

    def flat(strategy: Any) -> None:
        strategy.context.order_target("ABC", percent=0)

    # 0.1 % of equity is 100: a unit at 60.05 is less, and two at 60.20 are not.
    prices = [60.0] * 32 + [60.05] * 6 + [60.2]
    at = {
        **dict.fromkeys(("10:00", "10:05", "10:10"), half),
        "10:20": lambda s: s.context.order_target("ABC", percent=0),
    }
    run = trade(tmp_path, {"ABC": {"1m": bars_of(prices)}}, at, execution=execution)

    assert [fill.quantity for fill in run.fills] == expected


def test_a_target_in_units_is_met_to_the_unit(tmp_path: Path) -> None:
    at = {
        "10:00": lambda s: s.context.order_target("ABC", quantity=5000),
        "10:05": lambda s: s.context.order_target("ABC", quantity=5001),
    }
    run = trade(tmp_path, {"ABC": {"1m": bars_of([10.0])}}, at)

    assert [fill.quantity for fill in run.fills] == [5000.0, 1.0]


def test_a_target_takes_the_place_of_the_one_before_that_has_not_filled(tmp_path: Path) -> None:
    def twice(strategy: Any) -> None:
        strategy.context.order_target("ABC", quantity=10)
        strategy.context.order_target("ABC", quantity=25)

    run = trade(tmp_path, {"ABC": {"1m": bars_of([100.0])}}, {"09:31": twice})

    assert run.told == [("09:31", 25.0, 100.0)]
    assert run.last("probe-1").status == "cancelled"


@pytest.mark.parametrize(
    ("percents", "warned"),
    [((0.5,), "0.5"), ((0.5, -1.0, 0.0), "1"), ((0.5, 20.0), None), ((0.0,), None), ((1.5,), None)],
)
def test_percent_targets_that_look_like_fractions_are_a_warning(
    tmp_path: Path, percents: tuple[float, ...], warned: str | None
) -> None:
    def targets(strategy: Any) -> None:
        for percent in percents:
            strategy.context.order_target("ABC", percent=percent)

    run = trade(tmp_path, {"ABC": {"1m": bars_of([10.0])}}, {"10:00": targets})

    found = [warning for warning in run.result.warnings if "percent" in warning]
    expected = (
        f"the largest percent target of this run was {warned}, which is {warned} % of equity. If a fraction was meant"
    )
    assert [warning.startswith(expected) for warning in found] == ([] if warned is None else [True])
