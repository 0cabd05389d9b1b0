"""Who gives a symbol up gets nothing more of it; what a subscription needed goes with it, and strategies hear of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openbell.config import IndicatorConfig
from openbell.testing import probe_scanner, probe_strategy
from probes import engine, journal, local_time

if TYPE_CHECKING:
    from pathlib import Path

SMA = IndicatorConfig("sma", period=20, interval="5m")


def remove(context: Any) -> None:
    context.remove_symbol("AIG")


@pytest.mark.parametrize("interval", ["1m", "5m"])
def test_who_removes_a_symbol_that_others_hold_gets_no_further_bar_of_it(minute_store: Path, interval: str) -> None:
    got: list[str] = []

    def on_bar(self: Any, bar: Any) -> None:
        if bar.symbol == "AIG":
            got.append(local_time(self.context))
            assert self.context.indicator("AIG", "sma_20_5m").valid
        elif local_time(self.context) == "11:00" and "AIG" in self.context.symbols:
            self.gone = True
            remove(self.context)

    strategy = probe_strategy(
        setup=lambda self: (setattr(self, "gone", False), self.context.add_indicator("AIG", SMA)),
        subscriptions=lambda self: [("SPY", "1m")] + ([] if self.gone else [("AIG", interval)]),
        on_bar=on_bar,
    )
    system = engine(minute_store, symbols=["SPY", "AIG"], strategies=[strategy])
    system.run()
    # At 11:00 the bar of AIG comes first among its interval's symbols; with 5m it comes after the 1m bar of SPY.
    assert got[-1] == ("11:00" if interval == "1m" else "10:55")
    assert list(system.session_data.get_symbol_data("AIG").bars) == ["1m", "5m"]  # type: ignore[union-attr]


def test_who_removes_a_symbol_has_no_row_of_it_in_its_cross_section(minute_store: Path) -> None:
    got: dict[str, list[str]] = {"11:00": [], "11:01": []}

    def on_slice(self: Any, bars: Any) -> None:
        if local_time(self.context) in got:
            got[local_time(self.context)] = bars.symbols

    def on_bar(self: Any, bar: Any) -> None:
        if bar.symbol == "SPY" and local_time(self.context) == "11:00":
            self.gone = True
            remove(self.context)

    strategy = probe_strategy(
        setup=lambda self: setattr(self, "gone", False),
        subscriptions=lambda self: [("SPY", "1m")] + ([] if self.gone else [("AIG", "1m")]),
        on_bar=on_bar,
        on_slice=on_slice,
    )
    engine(minute_store, symbols=["SPY", "AIG"], strategies=[strategy]).run()
    assert got == {"11:00": ["SPY"], "11:01": ["SPY"]}


def test_a_strategy_that_subscribes_to_all_symbols_does_not_keep_what_a_scanner_removes(minute_store: Path) -> None:
    got: list[str] = []
    heard: list[tuple[str, str, str]] = []
    strategy = probe_strategy(
        subscriptions=lambda self: [(symbol, "5m") for symbol in self.context.symbols],
        on_bar=lambda self, bar: got.append(local_time(self.context)) if bar.symbol == "AIG" else None,
        on_symbol_added=lambda self, symbol: heard.append(("added", symbol, local_time(self.context))),
        on_symbol_removed=lambda self, symbol: heard.append(("removed", symbol, local_time(self.context))),
    )

    def scan(self: Any) -> None:
        if local_time(self.context) == "10:00":
            self.context.add_symbol("AIG")
        else:
            remove(self.context)

    system = engine(minute_store, scanners=[probe_scanner("10:00", "11:00", scan=scan)], strategies=[strategy])
    day = system.run()["days"][0]

    assert system.session_data.symbols == ("SPY",)
    assert (got[0], got[-1]) == ("10:05", "11:00")
    assert heard == [("added", "AIG", "10:00"), ("removed", "AIG", "11:00")]
    ended = [r for r in journal(day, "AIG") if "no longer subscribes" in r["reason"]]
    assert [(r["operation_type"], r["owner"]) for r in ended] == [("remove", "strategy ProbeStrategy")]


def test_what_was_added_besides_stays_when_the_subscription_ends(minute_store: Path) -> None:
    def subscriptions(self: Any) -> list[tuple[str, str]]:
        late = self.context.now.hour >= 11
        return [("SPY", "1m"), *([("AIG", "5m")] if late else [("AIG", "5m"), ("AIG", "15m"), ("BAC", "1m")])]

    def on_bar(self: Any, bar: Any) -> None:
        if bar.symbol == "SPY" and local_time(self.context) == "10:00":
            self.context.add_indicator("AIG", IndicatorConfig("sma", period=3, interval="30m"))
        if bar.symbol == "SPY" and local_time(self.context) == "11:00":
            self.context.add_bar("IBM", "1m")  # whoever adds something has subscriptions asked anew

    system = engine(minute_store, strategies=[probe_strategy(subscriptions=subscriptions, on_bar=on_bar)])
    system.run()

    aig = system.session_data.get_symbol_data("AIG")
    assert aig is not None
    assert list(aig.bars) == ["1m", "5m", "30m"]
    assert list(aig.indicators) == ["sma_3_30m"]
    assert "BAC" not in system.session_data.symbols


def test_what_a_subscription_needed_of_a_locked_symbol_goes_when_it_is_unlocked(minute_store: Path) -> None:
    held: dict[str, bool] = {}

    def on_bar(self: Any, bar: Any) -> None:
        clock = local_time(self.context)
        if clock == "10:30":
            self.context.lock_symbol("AIG", "a position")
        if clock == "11:00":
            self.context.add_bar("IBM", "1m")
        if clock == "12:00":
            self.context.unlock_symbol("AIG")
        held[clock] = "AIG" in self.context.session_data.symbols

    strategy = probe_strategy(
        subscriptions=lambda self: [("SPY", "1m"), *([("AIG", "5m")] if self.context.now.hour < 11 else [])],
        on_bar=on_bar,
    )
    engine(minute_store, strategies=[strategy]).run()

    assert [held[clock] for clock in ("10:30", "11:30", "12:00", "12:01")] == [True, True, True, False]


def test_strategies_hear_of_a_removal_in_order_and_may_act_on_it(minute_store: Path) -> None:
    heard: list[tuple[str, str]] = []

    def removed(name: str) -> Any:
        def on_symbol_removed(self: Any, symbol: str) -> None:
            heard.append((name, symbol))
            self.context.remove_symbol(symbol)

        return on_symbol_removed

    strategies = [
        probe_strategy(
            subscriptions=[("SPY", "1m")],
            on_symbol_added=lambda self, symbol: self.context.add_indicator(symbol, SMA),
            on_symbol_removed=removed(name),
        )
        for name in ("a", "b")
    ]

    def scan(self: Any) -> None:
        if local_time(self.context) == "10:00":
            self.context.add_symbols(["AIG", "BAC"])
        else:
            self.context.remove_symbols(["AIG", "BAC"])

    system = engine(minute_store, scanners=[probe_scanner("10:00", "11:00", scan=scan)], strategies=strategies)
    system.run()

    assert heard == [("a", "AIG"), ("b", "AIG"), ("a", "BAC"), ("b", "BAC")]
    assert system.session_data.symbols == ("SPY",)
