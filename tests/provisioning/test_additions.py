"""Additions in mid-session on real data: full symbols, ad-hoc indicators and bars, upgrades, duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from openbell.config import IndicatorConfig
from openbell.errors import ConfigError
from openbell.testing import advance
from probes import (
    COLUMNS,
    engine,
    journal,
    local_time,
    prepared,
    scanner_at,
    steps,
    strategy_at,
    visible,
    visible_indicator,
)

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.session import SymbolSessionData

SMA = IndicatorConfig("sma", period=20, interval="5m")
RICH: dict[str, Any] = {
    "streams": ["1m", "5m", "15m"],
    "trailing": {"1m": 3, "5m": 2, "1d": 20, "1w": 30},
    "indicators": [
        {"name": "sma", "period": 20, "interval": "5m"},
        {"name": "macd", "interval": "15m"},
        {"name": "vwap", "interval": "5m"},
        {"name": "prior_day", "interval": "1m"},
        {"name": "atr", "interval": "1d"},
        {"name": "obv", "interval": "5m"},
    ],
}
"""A config that asks for much of every symbol."""


def held(system: Any, symbol: str) -> SymbolSessionData:
    found = system.session_data.get_symbol_data(symbol)
    assert found is not None
    return found


class TestFullAddition:
    def test_a_strategy_gets_the_whole_morning_at_once(self, minute_store: Path) -> None:
        seen: dict[str, Any] = {}

        def add(context: Any) -> None:
            assert context.add_symbol("AIG")
            seen["minutes"] = context.bars("AIG", "1m").today
            seen["span"] = seen["minutes"].timestamp[0], seen["minutes"].end[-1]
            seen["data"] = visible(context.session_data.get_symbol_data("AIG"))
            seen["spy"] = visible(context.session_data.get_symbol_data("SPY"))

        system = engine(minute_store, strategies=[strategy_at("10:30", add)], **RICH)
        day = system.run()["days"][0]

        assert len(seen["minutes"]) == 60
        assert [system.time_manager.to_local(ns).strftime("%H:%M") for ns in seen["span"]] == ["09:30", "10:30"]
        assert list(seen["data"]["bars"]) == list(seen["spy"]["bars"]) == ["1m", "5m", "15m", "1d", "1w"]
        assert list(seen["data"]["indicators"]) == list(seen["spy"]["indicators"])
        assert len(seen["data"]["indicators"]) == 6
        for interval, series in seen["data"]["bars"].items():
            like, measured = seen["spy"]["bars"][interval], series["historical_quality"]
            assert measured.expected == like["historical_quality"].expected > 0
            assert series["history"] == measured.present == measured.expected - sum(g.missing for g in measured.gaps)
            assert (series["quality"] is None) == (interval in ("1d", "1w")), "no daily bar is due at 10:30"
        metadata = seen["data"]["metadata"]
        assert metadata.pop("reason")
        assert metadata == {
            "meets_session_config_requirements": True,
            "added_by": "strategy",
            "auto_provisioned": False,
            "upgraded_from_adhoc": False,
        }
        record = journal(day, "AIG")[0]
        assert record["time"] == "2013-10-10T10:30:00-04:00"
        assert (record["operation_type"], record["source"], record["ok"]) == ("symbol", "strategy", True)
        assert steps(record) == [
            "create_symbol",
            *(f"add_interval_{name}" for name in ("1m", "5m", "15m", "1d", "1w")),
            *("load_historical", "load_session", "register_indicator", "calculate_quality"),
        ]

    def test_it_ends_the_day_bit_for_bit_as_if_the_config_had_it_from_the_start(self, minute_store: Path) -> None:
        late = engine(minute_store, strategies=[strategy_at("10:30", lambda c: c.add_symbol("AIG"))], **RICH)
        early = engine(minute_store, symbols=["SPY", "AIG"], **RICH)
        late.run()
        early.run()

        added, configured = visible(held(late, "AIG")), visible(held(early, "AIG"))

        assert added["bars"] == configured["bars"]
        assert added["indicators"] == configured["indicators"]

    def test_at_no_moment_does_it_differ_from_one_that_was_there_from_the_start(self, minute_store: Path) -> None:
        late = prepared(minute_store, **RICH)
        early = prepared(minute_store, symbols=["SPY", "AIG"], **RICH)
        advance(late, "10:30")
        assert late.coordinator.add_symbol("AIG")

        for clock in ("10:30", "10:31", "11:00", "12:47", "15:59", "16:00"):
            for system in (late, early):
                advance(system, clock)
            added, configured = visible(held(late, "AIG")), visible(held(early, "AIG"))
            assert added["bars"] == configured["bars"], clock
            assert added["indicators"] == configured["indicators"], clock


class TestAdHoc:
    @pytest.fixture
    def adhoc(self, minute_store: Path) -> Any:
        """A session in which a scanner added SMA(20) of 5m to BAC at 11:00."""
        seen: dict[str, Any] = {}

        def add(context: Any) -> None:
            assert context.add_indicator("BAC", SMA)
            seen["indicator"] = visible_indicator(context.indicator("BAC", "sma_20_5m"))
            seen["symbol"] = visible(context.session_data.get_symbol_data("BAC"))

        system = engine(minute_store, scanners=[scanner_at("11:00", add)], **RICH)
        return system, system.run()["days"][0], seen

    def test_the_indicator_brings_its_symbol_its_bars_and_its_warm_up_and_no_more(self, adhoc: Any) -> None:
        _, day, seen = adhoc
        record, series = journal(day, "BAC")[0], seen["symbol"]["bars"]

        assert record["required_intervals"] == ["1m", "5m"]
        assert list(series) == ["1m", "5m"]
        assert (series["5m"]["history"], series["1m"]["history"]) == (20, 100)
        assert (series["5m"]["today"], series["1m"]["today"]) == (18, 90)
        assert (series["5m"]["base"], series["1m"]["base"]) == ("1m", None)
        assert list(seen["symbol"]["indicators"]) == ["sma_20_5m"]
        assert steps(record) == [
            *("create_symbol", "add_interval_1m", "add_interval_5m"),
            *("load_historical", "load_session", "register_indicator"),
        ]

    def test_it_is_valid_at_once_and_right(self, adhoc: Any) -> None:
        system, _, seen = adhoc
        closes = system.data_manager.load_historical_bars(
            "BAC", "5m", system.session_data.session_date, system.session_data.session_date
        ).close

        assert seen["indicator"]["valid"]
        assert seen["indicator"]["settled"]
        assert held(system, "BAC").indicators["sma_20_5m"].value == pytest.approx(closes[-20:].mean(), rel=1e-12)

    def test_it_says_who_brought_it_and_is_not_scored(self, adhoc: Any) -> None:
        _, day, _ = adhoc
        summary = day["symbols"]["BAC"]

        assert summary["metadata"].pop("reason")
        assert summary["metadata"] == {
            "meets_session_config_requirements": False,
            "added_by": "scanner",
            "auto_provisioned": True,
            "upgraded_from_adhoc": False,
        }
        assert {s["quality"] for s in summary["bars"].values()} == {None}
        assert {s["historical_quality"] for s in summary["bars"].values()} == {None}

    def test_it_is_not_among_the_symbols_of_a_strategy(self, adhoc: Any) -> None:
        system, _, _ = adhoc
        assert system.session_data.full_symbols == ("SPY",)
        assert system.session_data.symbols == ("SPY", "BAC")

    def test_a_second_indicator_does_not_upgrade(self, minute_store: Path) -> None:
        system = prepared(minute_store, **RICH)
        add = system.session_data.add_indicator_unified
        assert add("BAC", SMA)
        assert add("BAC", IndicatorConfig("sma", period=50, interval="5m"))
        data = held(system, "BAC")

        assert not data.meets_session_config_requirements
        assert not data.upgraded_from_adhoc
        assert list(data.bars) == ["1m", "5m"]
        assert (len(data.bars["5m"].history), len(data.bars["1m"].history)) == (50, 250)
        assert [i.warmup_bars for i in data.indicators.values()] == [20, 50]
        assert all(i.valid for i in data.indicators.values())

    def test_bars_alone_come_with_the_sessions_asked_for(self, minute_store: Path) -> None:
        system = prepared(minute_store, **RICH)

        assert system.session_data.add_bar_unified("BAC", "15m", days=2)
        data = held(system, "BAC")

        assert (data.auto_provisioned, data.added_by) == (True, "scanner")
        assert {name: len(s.history) for name, s in data.bars.items()} == {"1m": 780, "15m": 52}

    def test_deeper_bars_of_an_interval_that_is_there(self, minute_store: Path) -> None:
        system = prepared(minute_store)
        add = system.session_data.add_bar_unified
        for days in (0, 1, 4, 2):
            assert add("BAC", "5m", days=days)

        assert len(held(system, "BAC").bars["5m"].history) == 4 * 78
        assert [len(r.steps) for r in system.coordinator.journal if r.symbol == "BAC"] == [4, 2, 2, 0]

    def test_weekly_bars_can_be_deepened_when_the_first_request_had_none(self, minute_store: Path) -> None:
        system = prepared(minute_store)
        assert system.session_data.add_bar_unified("BAC", "1w")
        assert system.session_data.add_bar_unified("BAC", "1w", days=20)

        assert len(held(system, "BAC").bars["1w"].history) >= 3

    def test_negative_days_are_refused(self, minute_store: Path) -> None:
        system = prepared(minute_store)
        with pytest.raises(ConfigError, match="-1"):
            system.session_data.add_bar_unified("BAC", "5m", days=-1)


class TestUpgrade:
    def test_add_symbol_makes_an_ad_hoc_symbol_full_and_keeps_what_was_seen(self, minute_store: Path) -> None:
        system = prepared(minute_store, **RICH)
        assert system.session_data.add_indicator_unified("BAC", SMA)
        assert system.session_data.add_indicator_unified("BAC", IndicatorConfig("ema", period=9, interval="1m"))
        advance(system, "10:30")
        before = held(system, "BAC")
        seen = {key: i.values.copy() for key, i in before.indicators.items()}
        bars = {name: s.data for name, s in before.bars.items()}

        advance(system, "11:00")
        assert system.coordinator.add_symbol("BAC")
        after = held(system, "BAC")

        assert after is not before
        assert after.meets_session_config_requirements
        assert after.upgraded_from_adhoc
        assert (after.added_by, after.auto_provisioned) == ("scanner", True), "where it came from does not change"
        assert set(after.indicators) == {*held(system, "SPY").indicators, "ema_9_1m"}
        assert list(after.bars) == list(held(system, "SPY").bars)
        for key, values in seen.items():
            series = after.indicators[key].series
            assert series is after.bars[series.interval]
            deeper = len(series.history) - len(before.bars[series.interval].history)
            np.testing.assert_array_equal(after.indicators[key].values[deeper:][: len(values)], values)
            assert np.isnan(after.indicators[key].values[:deeper]).all()
        for name, old in bars.items():
            new = after.bars[name].data
            at = int(new.timestamp.searchsorted(old.timestamp[0]))
            for column in COLUMNS:
                np.testing.assert_array_equal(getattr(new, column)[at:][: len(old)], getattr(old, column))

    def test_history_is_deeper_and_quality_is_scored(self, minute_store: Path) -> None:
        system = prepared(minute_store, **RICH)
        assert system.session_data.add_indicator_unified("BAC", SMA)
        shallow = {name: len(s.history) for name, s in held(system, "BAC").bars.items()}
        advance(system, "11:00")
        assert system.coordinator.add_symbol("BAC")
        data, like = held(system, "BAC"), held(system, "SPY")

        for name, series in data.bars.items():
            assert len(series.history) == len(like.bars[name].history) > shallow.get(name, 0)
            assert series.historical_quality is not None
        assert data.bars["1m"].quality == 100.0

    def test_the_journal_tells_the_steps(self, minute_store: Path) -> None:
        system = prepared(minute_store, **RICH)
        system.session_data.add_indicator_unified("BAC", SMA)
        system.coordinator.add_symbol("BAC")

        last = system.coordinator.journal.records[-1]

        assert [step.name for step in last.steps] == [
            *("upgrade_symbol", "add_interval_15m", "add_interval_1d", "add_interval_1w"),
            *("load_historical", "load_session", "register_indicator", "calculate_quality"),
        ]

    def test_indicators_that_come_with_the_upgrade_are_those_of_a_symbol_full_from_the_start(
        self, minute_store: Path
    ) -> None:
        system = prepared(minute_store, symbols=["SPY"], **RICH)
        other = prepared(minute_store, symbols=["SPY", "BAC"], **RICH)
        system.session_data.add_indicator_unified("BAC", IndicatorConfig("sma", period=5, interval="1m"))
        system.coordinator.add_symbol("BAC")
        for s in (system, other):
            advance(s, "12:00")

        upgraded, configured = visible(held(system, "BAC")), visible(held(other, "BAC"))

        assert upgraded["bars"] == configured["bars"]
        del upgraded["indicators"]["sma_5_1m"]
        assert upgraded["indicators"] == configured["indicators"]


class TestAlreadyThere:
    def test_a_duplicate_symbol_is_a_success_without_steps(self, minute_store: Path) -> None:
        results: list[bool] = []
        system = engine(minute_store, strategies=[strategy_at("10:00", lambda c: results.append(c.add_symbol("SPY")))])
        day = system.run()["days"][0]
        second = journal(day, "SPY")[1]

        assert results == [True]
        assert (second["ok"], second["steps"], second["errors"]) == (True, [], [])
        assert "there already" in second["reason"]
        assert day["symbols"]["SPY"]["metadata"]["added_by"] == "config"

    @pytest.mark.parametrize("times", [2, 3])
    def test_every_kind_of_addition_is_idempotent(self, minute_store: Path, times: int) -> None:
        system = prepared(minute_store, **RICH)
        data = system.session_data
        additions = (
            lambda: system.coordinator.add_symbol("AIG", added_by="scanner"),
            lambda: data.add_indicator_unified("AIG", SMA),
            lambda: data.add_indicator_unified("BAC", SMA),
            lambda: data.add_bar_unified("BAC", "1h", days=2),
        )
        for add in additions:
            assert add()
        once = {symbol: visible(data.get_symbol_data(symbol)) for symbol in data.symbols}
        mark = len(system.coordinator.journal)

        for _ in range(times):
            for add in additions:
                assert add()

        assert {symbol: visible(data.get_symbol_data(symbol)) for symbol in data.symbols} == once
        assert all(r.ok and not r.steps for r in system.coordinator.journal.since(mark))
        assert len(system.coordinator.journal.since(mark)) == times * len(additions)

    def test_one_hour_and_sixty_minutes_are_one_interval(self, minute_store: Path) -> None:
        system = prepared(minute_store)
        assert system.session_data.add_bar_unified("SPY", "1h")
        assert system.session_data.add_bar_unified("SPY", "60m")

        assert list(held(system, "SPY").bars) == ["1m", "5m", "60m"]
        assert system.session_data.get_bars("SPY", "1h") is system.session_data.get_bars("SPY", "60m")


class TestFullSymbolsStayFull:
    """What is added to a full symbol is measured as the rest of it is."""

    def test_a_deeper_warm_up_keeps_the_quality(self, minute_store: Path) -> None:
        system = prepared(minute_store, symbols=["IBM"], days="2013-10-11")
        assert system.session_data.add_indicator_unified("IBM", IndicatorConfig("ema", period=50, interval="5m"))
        advance(system, "16:00")
        series = held(system, "IBM").bars

        assert round(series["1m"].quality, 2) == 99.74
        assert series["5m"].quality == 100.0
        assert series["1m"].historical_quality.expected == len(series["1m"].history) > 0

    def test_a_further_interval_is_scored(self, minute_store: Path) -> None:
        system = prepared(minute_store, symbols=["IBM"], days="2013-10-11")
        assert system.session_data.add_bar_unified("IBM", "15m", days=2)
        advance(system, "16:00")

        assert held(system, "IBM").bars["15m"].quality == 100.0


class TestNextDay:
    def test_nothing_that_was_added_survives_and_it_can_be_added_again(self, minute_store: Path) -> None:
        seen: list[tuple[str, Any]] = []

        def add(context: Any) -> None:
            seen.append((str(context.session_date), context.session_data.symbols))
            assert context.add_symbol("AIG")
            assert context.add_indicator("BAC", SMA)

        days = engine(
            minute_store, days=("2013-10-10", "2013-10-11"), strategies=[strategy_at("10:30", add)], **RICH
        ).run()["days"]

        assert seen == [("2013-10-10", ("SPY",)), ("2013-10-11", ("SPY",))]
        for day in days:
            assert list(day["symbols"]) == ["SPY", "AIG", "BAC"]
            assert steps(journal(day, "AIG")[0])[0] == "create_symbol"
            assert not day["symbols"]["BAC"]["metadata"]["meets_session_config_requirements"]

    def test_time_of_the_additions_is_the_session_clock(self, minute_store: Path) -> None:
        seen: list[str] = []
        scan = scanner_at("12:34", lambda c: seen.append(local_time(c)) or c.add_symbol("AIG"))
        day = engine(minute_store, scanners=[scan]).run()["days"][0]

        assert seen == ["12:34"]
        assert journal(day, "AIG")[0]["time"] == "2013-10-10T12:34:00-04:00"
