"""Orders that follow from signals without any order in code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openbell.components.strategy import Signal, Strategy
from trading import bars_of, trade

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.model.bars import Bar

SHORT = {"SHORT": {"percent": -10}}
SIGNALS = {"BUY": {"percent": 10}, "SELL": "close", "HOLD": "ignore"}


def signals_at(by_time: dict[str, Signal]) -> dict[str, Any]:
    return {"on_bar": lambda self, _: by_time.get(f"{self.context.now:%H:%M}")}


def run_of(tmp_path: Path, by_time: dict[str, Signal], prices: Any = (100.0,), **execution: Any) -> Any:
    config = {"signals": SIGNALS} | execution
    return trade(tmp_path, {"ABC": {"1m": bars_of(prices)}}, methods=signals_at(by_time), execution=config)


def test_actions_become_targets_by_the_map(tmp_path: Path) -> None:
    by_time = {"10:00": Signal("ABC", "BUY", "up"), "10:05": Signal("ABC", "BUY"), "10:10": Signal("ABC", "SELL")}
    run = run_of(tmp_path, {**by_time, "10:02": Signal("ABC", "HOLD")})

    # 10 % of 99,750; the second BUY finds the position at its target.
    assert run.told == [("10:00", 99.0, 100.0), ("10:10", -99.0, 100.0)]
    assert run.fills[0].order.reason == "BUY: up"
    assert run.result.warnings == ()


def test_numbers_of_a_signal_go_before_the_map(tmp_path: Path) -> None:
    by_time = {
        "10:00": Signal("ABC", "BUY", quantity=7, limit=101),
        "10:05": Signal("ABC", "SHORT", percent=-5),
    }
    prices = [100.0] * 30 + [(100.5, 100.6, 100.4, 100.5)] + [100.0] * 300
    run = run_of(tmp_path, by_time, prices, signals=SIGNALS | SHORT)

    assert run.told == [("10:00", 7.0, 100.5), ("10:05", -56.0, 100.0)]
    assert run.result["days"][0]["signals"][0]["quantity"] == 7


def test_stop_and_target_of_a_signal_close_the_position_that_it_leads_to(tmp_path: Path) -> None:
    by_time = {
        "10:00": Signal("ABC", "BUY", quantity=10, stop=90),
        "10:05": Signal("ABC", "SHORT", quantity=-6, stop=110, target=95),
    }
    run = run_of(tmp_path, by_time, [100.0] * 60 + [(96, 96, 94, 95)], signals=SIGNALS | SHORT)

    assert run.told == [("10:00", 10.0, 100.0), ("10:05", -16.0, 100.0), ("10:31", 6.0, 95.0)]
    assert not run.desk.open_orders.by_id
    assert not run.desk.account.holdings


def test_an_action_without_an_entry_is_a_warning_with_the_nearest(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"10:00": Signal("ABC", "BUYS"), "10:01": Signal("ABC", "BUYS")})

    (warning,) = [w for w in run.result.warnings if "BUYS" in w]
    assert warning == (
        "signals of 'BUYS' are not traded: execution.signals has no entry for them. Did you mean 'BUY'? "
        "Add BUYS: {percent: 10}, BUYS: close or BUYS: ignore."
    )
    assert not run.orders


def test_signals_without_any_entries_are_a_warning(tmp_path: Path) -> None:
    by_time = {"10:00": Signal("ABC", "BUY", "up"), "10:10": Signal("ABC", "SELL"), "10:20": Signal("ABC", "BUY")}
    run = run_of(tmp_path, by_time, signals={})

    (warning,) = run.result.warnings
    assert warning == (
        "signals of probe, such as 'BUY', are not traded: execution.signals has no entries, and probe gave no orders "
        "itself. Write signals: {BUY: ..., SELL: ...} under execution, where ... is {percent: 10}, close or ignore."
    )
    assert not run.orders


def test_a_strategy_that_orders_itself_may_signal_for_information(tmp_path: Path) -> None:
    def on_bar(strategy: Strategy, _: Bar) -> Signal | None:
        if f"{strategy.context.now:%H:%M}" != "10:00":
            return None
        strategy.context.order("ABC", 1)
        return Signal("ABC", "BUY", "for information")

    run = trade(tmp_path, {"ABC": {"1m": bars_of([100.0])}}, methods={"on_bar": on_bar}, execution={})

    assert run.told == [("10:00", 1.0, 100.0)]
    assert run.result.warnings == ()


def test_entries_of_no_signal_are_a_warning(tmp_path: Path) -> None:
    entries = {"BUY": {"percent": 9}, "SELL": "close", "HOLD": "ignore"}
    run = run_of(tmp_path, {"10:00": Signal("ABC", "BUY")}, signals=entries)

    assert run.result.warnings == ("no signal of this run was SELL, of which execution.signals has entries.",)


def test_the_same_config_with_and_without_orders_gives_the_same_signals(tmp_path: Path) -> None:
    by_time = {"10:00": Signal("ABC", "BUY", "up"), "10:10": Signal("ABC", "SELL", "down")}
    trading, watching = (run_of(tmp_path / name, by_time, signals=s) for name, s in (("a", SIGNALS), ("b", {})))

    assert trading.result["days"][0]["signals"] == watching.result["days"][0]["signals"]
    assert not watching.orders


@pytest.mark.parametrize(
    ("numbers", "error"),
    [({"quantity": "7"}, TypeError), ({"stop": float("nan")}, ValueError), ({"quantity": 1, "percent": 1}, ValueError)],
)
def test_numbers_that_cannot_be_are_refused(numbers: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match="a Signal"):
        Signal("ABC", "BUY", **numbers)
