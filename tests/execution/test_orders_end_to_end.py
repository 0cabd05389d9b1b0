"""Orders from a strategy to the account, in the order in which things become known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from openbell.errors import ComponentError, ConfigError
from openbell.testing import make_store, probe_strategy
from probes import config_of
from trading import DAY, bars_of, trade

if TYPE_CHECKING:
    from pathlib import Path

RISING = [(100 + n, 100 + n + 0.9, 100 + n - 0.1, 100 + n + 0.5) for n in range(20)]
"""Bars that open at 100, 101 ..., and close half a point above their open."""


def test_a_market_order_fills_at_the_next_open_and_is_known_when_that_bar_has_closed(tmp_path: Path) -> None:
    run = trade(tmp_path, {"ABC": {"1m": bars_of(RISING)}}, {"09:32": lambda s: s.context.order("ABC", 10)})

    assert run.told == [("09:32", 10.0, 102.0)]
    assert run.heard == [
        ("09:32", "probe-1 submitted"),
        ("09:32", "probe-1 accepted"),
        ("09:33", "fill 10"),
        ("09:33", "probe-1 filled"),
    ]


def test_fills_are_known_before_the_strategies_of_that_time_run(tmp_path: Path) -> None:
    seen: list[tuple[str, float, float, float]] = []

    def look(strategy: Any) -> None:
        portfolio = strategy.context.portfolio
        position = portfolio.position("ABC")
        seen.append((f"{strategy.context.now:%H:%M}", position.quantity, portfolio.cash, portfolio.equity))

    trade(
        tmp_path,
        {"ABC": {"1m": bars_of(RISING)}},
        {"09:31": lambda s: s.context.order("ABC", 10), "09:32": look, "09:33": look},
    )

    # Bought at 101; the bar of 09:31 closes at 101.5, the one of 09:32 at 102.5.
    assert seen == [("09:32", 10.0, 98_990.0, 100_005.0), ("09:33", 10.0, 98_990.0, 100_015.0)]


def test_this_close_fills_at_the_close_just_seen_at_the_same_time(tmp_path: Path) -> None:
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(RISING)}},
        {"09:32": lambda s: s.context.order("ABC", 10)},
        execution={"fills": {"market": "this_close"}},
    )

    assert run.told == [("09:32", 10.0, 101.5)]
    assert [time for time, _ in run.heard] == ["09:32"] * 4


def test_a_strategy_of_five_minutes_hears_of_fills_between_its_bars(tmp_path: Path) -> None:
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(RISING)}},
        {"09:35": lambda s: s.context.order("ABC", 10)},
        watch=[("ABC", "5m")],
        streams=("1m", "5m"),
    )

    assert run.told == [("09:35", 10.0, 105.0)]
    assert run.heard[-1] == ("09:36", "probe-1 filled")


def test_an_order_at_the_close_is_the_next_sessions(tmp_path: Path) -> None:
    days = ("2024-07-02", "2024-07-03")
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of([100.0], days)}},
        {"2024-07-02 16:00": lambda s: s.context.order("ABC", 10)},
        days=days,
    )

    assert [str(fill.time) for fill in run.fills] == ["2024-07-03 09:30:00-04:00"]


def test_an_order_on_daily_bars_fills_at_the_next_sessions_open(tmp_path: Path) -> None:
    days = ("2024-07-01", "2024-07-03")
    bars = bars_of([(100, 101, 99, 100.5), (102, 103, 101, 102.5), (104, 105, 103, 104.5)], days, "1d")
    run = trade(
        tmp_path,
        {"ABC": {"1d": bars}},
        {"2024-07-01 16:00": lambda s: s.context.order("ABC", 10)},
        days=days,
        streams=["1d"],
        watch=[("ABC", "1d")],
    )

    assert [(str(fill.time), fill.price) for fill in run.fills] == [("2024-07-02 09:30:00-04:00", 102.0)]
    assert run.heard[-1] == ("16:00", "probe-1 filled")
    assert run.result["performance"]["end_equity"] == 100_000 + 10 * 2.5


def test_a_day_order_that_does_not_fill_expires_with_the_reason(tmp_path: Path) -> None:
    run = trade(tmp_path, {"ABC": {"1m": bars_of([100.0])}}, {"09:32": lambda s: s.context.order("ABC", 10, limit=90)})

    assert run.statuses("probe-1") == ["submitted", "accepted", "expired"]
    assert run.last("probe-1").reason == "its price was not reached by the end of its last session"
    assert f"{run.last('probe-1').time:%H:%M}" == "16:00"


def test_a_gtc_order_fills_on_the_third_day(tmp_path: Path) -> None:
    days = ("2024-07-01", "2024-07-03")
    prices = [100.0] * 800 + [95.0]
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(prices, days)}},
        {"2024-07-01 10:00": lambda s: s.context.order("ABC", 10, limit=96, tif="gtc")},
        days=days,
    )

    assert [(str(fill.time.date()), fill.price) for fill in run.fills] == [("2024-07-03", 95.0)]


def test_what_an_order_of_a_bracket_fills_begins_its_legs_and_one_cancels_the_other(tmp_path: Path) -> None:
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(RISING)}},
        {"09:31": lambda s: s.context.bracket("ABC", 10, stop=95, target=105.2)},
    )

    assert run.told == [("09:31", 10.0, 101.0), ("09:36", -10.0, 105.2)]
    assert run.last("probe-2").reason == "probe-3 of the same group has filled"
    assert run.statuses("probe-2") == ["submitted", "accepted", "cancelled"]


def test_a_bracket_touched_on_both_sides_in_one_bar_takes_the_worse_and_says_so(tmp_path: Path) -> None:
    prices = [100.0, 100.0, 100.0, (100, 110, 90, 100), 100.0]
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(prices)}},
        {"09:31": lambda s: s.context.bracket("ABC", 10, stop=95, target=105)},
    )

    assert run.told == [("09:31", 10.0, 100.0), ("09:34", -10.0, 95.0)]
    assert [fill.ambiguous for fill in run.fills] == [False, True]
    assert run.result["performance"]["ambiguous_fills"] == 1


def test_stored_seconds_tell_apart_what_one_minute_has_touched(tmp_path: Path) -> None:
    minutes = bars_of([100.0, 100.0, 100.0, (100, 110, 90, 100), 100.0])
    seconds = bars_of([100.0] * 190 + [(100, 110, 100, 105), (100, 100, 90, 95), 100.0], interval="1s")
    run = trade(
        tmp_path,
        {"ABC": {"1m": minutes, "1s": seconds}},
        {"09:31": lambda s: s.context.bracket("ABC", 10, stop=95, target=105)},
    )

    assert run.told == [("09:31", 10.0, 100.0), ("09:34", -10.0, 105.0)]
    assert run.result["performance"]["ambiguous_fills"] == 0


def test_a_cancelled_order_does_not_fill_and_a_replaced_one_fills_at_its_new_price(tmp_path: Path) -> None:
    placed: dict[str, Any] = {}

    def order(strategy: Any) -> None:
        placed["gone"] = strategy.context.order("ABC", 10, limit=104.05)
        placed["moved"] = strategy.context.order("ABC", -5, limit=150)

    def change(strategy: Any) -> None:
        assert strategy.context.cancel(placed["gone"])
        assert strategy.context.replace(placed["moved"], limit=106.6, quantity=-7)

    falling = [(110 - n, 110.5 - n, 109 - n, 109.5 - n) for n in range(20)]
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(falling)}},
        {"09:31": order, "09:32": change},
    )

    assert run.last("probe-1").status == "cancelled"
    assert run.last("probe-1").reason == "probe cancelled it"
    assert run.told == [("09:32", -7.0, 108.0)]


def test_an_order_whose_bar_is_running_can_no_longer_be_cancelled(tmp_path: Path) -> None:
    placed: list[Any] = []
    frames = {"ABC": {"5m": bars_of([100.0], interval="5m")}, "XYZ": {"1m": bars_of([50.0])}}
    run = trade(
        tmp_path,
        frames,
        {
            "09:35": lambda s: placed.append(s.context.order("ABC", 10)),
            "09:36": lambda s: s.context.cancel(placed[0]),
        },
        symbols=["XYZ"],
        watch=[("XYZ", "1m"), ("ABC", "5m")],
    )

    assert run.told == [("09:35", 10.0, 100.0)]


def test_close_cancels_the_orders_of_the_symbol_before_it_closes_the_position(tmp_path: Path) -> None:
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(RISING)}},
        {
            "09:31": lambda s: s.context.bracket("ABC", 10, stop=95, target=200),
            "09:35": lambda s: s.context.close("ABC"),
        },
    )

    assert run.told == [("09:31", 10.0, 101.0), ("09:35", -10.0, 105.0)]
    assert not run.desk.open_orders.by_id


def test_two_strategies_share_one_account_and_hear_of_their_own_orders(tmp_path: Path) -> None:
    heard: list[tuple[str, float]] = []

    def strategy(name: str, quantity: float) -> dict[str, Any]:
        def on_bar(self: Any, bar: Any) -> None:
            if f"{self.context.now:%H:%M}" == "09:31":
                self.context.order("ABC", quantity)

        def on_fill(self: Any, fill: Any) -> None:
            heard.append((name, fill.quantity))

        return {**probe_strategy(subscriptions=[("ABC", "1m")], on_bar=on_bar, on_fill=on_fill), "name": name}

    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(RISING)}},
        strategies=[strategy("bulls", 30.0), strategy("bears", -10.0)],
    )

    assert heard == [("bulls", 30.0), ("bears", -10.0)]
    assert run.desk.account.quantity("ABC") == 20.0


def test_state_lasts_over_sessions_and_refuses_what_is_no_json(tmp_path: Path) -> None:
    days = ("2024-07-02", "2024-07-03")
    seen: list[Any] = []

    def setup(self: Any) -> None:
        seen.append(dict(self.state))
        self.state["pair"] = (1, {"two": None})
        with pytest.raises(TypeError, match=r"state\['bad'\] cannot hold"):
            self.state["bad"] = {"deep": [object()]}
        with pytest.raises(TypeError, match=r"state\['nan'\] cannot hold nan"):
            self.state.setdefault("nan", float("nan"))

    trade(tmp_path, {"ABC": {"1m": bars_of([1.0], days)}}, days=days, methods={"setup": setup})

    assert seen == [{}, {"pair": [1, {"two": None}]}]


def test_without_a_section_execution_an_order_is_refused_with_the_lines_to_add(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", {"ABC": {"1m": bars_of([100.0])}})
    strategy = probe_strategy(subscriptions=[("ABC", "1m")], on_bar=lambda s, _: s.context.order("ABC", 1))
    config = config_of(symbols=["ABC"], days=DAY, strategies=[strategy])

    from openbell.engine.system import SystemManager

    with pytest.raises(ComponentError, match=r"execution:\n  broker: simulated") as raised:
        SystemManager(config, store=store).run()
    assert isinstance(raised.value.__cause__, ConfigError)


def test_the_legs_of_a_bracket_follow_an_entry_that_fills_at_the_close_just_seen(tmp_path: Path) -> None:
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(RISING)}},
        {"09:31": lambda s: s.context.bracket("ABC", 10, stop=95, target=105.2)},
        execution={"fills": {"market": "this_close"}},
    )

    assert run.told == [("09:31", 10.0, 100.5), ("09:36", -10.0, 105.2)]
    assert not run.desk.open_orders.by_id


def test_a_bracket_whose_entry_is_rejected_leaves_nothing_behind(tmp_path: Path) -> None:
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(RISING)}},
        {"09:31": lambda s: s.context.bracket("ABC", 100_000, stop=95, target=105)},
    )

    assert [run.statuses(f"probe-{n}") for n in (1, 2, 3)] == [["submitted", "rejected"]] * 3
    assert run.last("probe-2").reason == "its entry order probe-1 was rejected"
    assert not run.desk.open_orders.by_id


def test_an_order_that_is_cancelled_in_the_same_breath_never_fills(tmp_path: Path) -> None:
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of(RISING)}},
        {"09:31": lambda s: s.context.cancel(s.context.order("ABC", 10))},
    )

    assert run.statuses("probe-1") == ["submitted", "accepted", "cancelled"]
    assert not run.fills


def test_an_order_in_setup_fills_at_the_open(tmp_path: Path) -> None:
    run = trade(tmp_path, {"ABC": {"1m": bars_of(RISING)}}, methods={"setup": lambda s: s.context.order("ABC", 10)})

    assert run.told == [("09:30", 10.0, 100.0)]


def test_an_order_for_a_symbol_without_bars_so_far_waits_whatever_the_rest_of_the_day_brings(tmp_path: Path) -> None:
    # At 10:00 nobody knows whether the symbol will trade today.
    afternoon = bars_of([50.0]).filter(pl.col("timestamp").dt.hour() >= 17)
    frames = {"today": afternoon, "tomorrow": bars_of([50.0], "2024-07-03")}
    seen = {}
    for name, frame in frames.items():
        at = {"10:00": lambda strategy: strategy.context.order("XYZ", 10)}
        run = trade(tmp_path / name, {"ABC": {"1m": bars_of([100.0])}, "XYZ": {"1m": frame}}, at)
        seen[name] = [str(order.status) for order in run.orders]

    assert seen == {"today": ["submitted", "accepted", "filled"], "tomorrow": ["submitted", "accepted", "expired"]}
