"""Warm-up is counted in bars that exist; what is asked is compared with what is got, and the numbers are told."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from how_many import examples
from made_bars import made_store
from openbell.config import IndicatorConfig
from openbell.provisioning import Addition
from openbell.testing import advance
from openbell.timing import TimeManager
from probes import engine, journal, prepared

if TYPE_CHECKING:
    from pathlib import Path

SMA40 = {"name": "sma", "period": 40, "interval": "30m"}


def held(system: Any, symbol: str = "SPY") -> Any:
    return system.session_data.get_symbol_data(symbol)


class TestTooLittle:
    def test_it_is_refused_with_the_numbers(self, minute_store: Path) -> None:
        system = engine(minute_store, days="2013-10-07", indicators=[SMA40])
        (error,) = system.coordinator.plan_config_symbols()[0].proof.errors

        for part in ("sma_40_30m", "needs 40 bars", "30m", "has 13", "2013-10-04", "on_shortfall: warm"):
            assert part in error

    def test_with_warm_it_waits_until_it_has_them(self, minute_store: Path) -> None:
        keys: dict[str, Any] = {"days": "2013-10-07", "indicators": [{"name": "sma", "period": 30, "interval": "15m"}]}
        system = prepared(minute_store, on_shortfall="warm", **keys)
        indicator = held(system).indicators["sma_30_15m"]
        valid = []
        for clock in ("09:30", "10:15", "10:30", "10:45", "16:00"):
            advance(system, clock)
            valid.append((clock, indicator.valid))

        assert valid == [("09:30", False), ("10:15", False), ("10:30", True), ("10:45", True), ("16:00", True)]
        closes = held(system).bars["15m"].close
        assert indicator.value == pytest.approx(closes[-30:].mean())
        record = system.coordinator.journal.records[0]
        assert record.ok
        assert "needs 30 bars of 15m, has 26" in record.warnings[0]

    def test_with_warm_it_may_never_be_valid_and_says_so(self, minute_store: Path) -> None:
        day = engine(minute_store, days="2013-10-07", on_shortfall="warm", indicators=[SMA40]).run()["days"][0]
        told = day["symbols"]["SPY"]["indicators"]["sma_40_30m"]

        assert (told["valid"], told["settled"], told["value"], told["warmup_bars"]) == (False, False, None, 13)

    def test_a_morning_that_has_passed_counts(self, minute_store: Path) -> None:
        """At 13:00 the 26 bars of the day before and 14 of today make 40."""
        wanted = IndicatorConfig("sma", period=40, interval="15m")
        for clock, ok in (("12:45", False), ("13:00", True)):
            system = prepared(minute_store, days="2013-10-07")
            advance(system, clock)
            assert system.session_data.add_indicator_unified("AIG", wanted) is ok
        assert held(system, "AIG").indicators["sma_40_15m"].valid

    def test_too_few_earlier_sessions(self, minute_store: Path) -> None:
        wanted = {"name": "relative_volume", "interval": "5m", "params": {"sessions": 5}}
        system = engine(minute_store, days="2013-10-08", indicators=[wanted])
        (error,) = system.coordinator.plan_config_symbols()[0].proof.errors

        assert "needs 5 earlier sessions" in error
        assert "has 2" in error

    def test_settling_is_a_warning(self, minute_store: Path) -> None:
        day = engine(
            minute_store, days="2013-10-08", indicators=[{"name": "ema", "period": 50, "interval": "5m"}]
        ).run()["days"][0]
        told, record = day["symbols"]["SPY"]["indicators"]["ema_50_5m"], journal(day, "SPY")[0]

        assert (told["valid"], told["settled"]) == (True, False)
        assert record["ok"]
        assert "settles after" in record["warnings"][0]
        assert "156" in record["warnings"][0], "bars that it has"

    def test_fewer_trailing_sessions_than_asked_for_is_a_warning(self, minute_store: Path) -> None:
        day = engine(minute_store, days="2013-10-08", trailing={"1m": 10}).run()["days"][0]
        (warning,) = journal(day, "SPY")[0]["warnings"]

        for part in ("1m", "10 trailing sessions", "2 have bars", "2013-10-04"):
            assert part in warning

    @pytest.mark.parametrize(
        ("trailing", "bars", "told"),
        [
            (3, 0, ["1w: no whole 1w bar lies in 3 trailing sessions; ask for more, to have one"]),
            (10, 2, []),
            (30, 3, ["1w: 30 trailing sessions were asked for, but the store's 1d bars begin 2024-05-20"]),
        ],
    )  # fmt: skip
    def test_trailing_sessions_of_weekly_bars(self, holes: Path, trailing: int, bars: int, told: list[str]) -> None:
        system = prepared(holes, symbols=["WHOLE"], days="2024-06-10", trailing={"1w": trailing})

        assert list(system.coordinator.journal.records[0].warnings) == told
        assert len(held(system, "WHOLE").bars["1w"].history) == bars

    def test_a_cumulative_indicator_says_that_it_never_settles(self, minute_store: Path) -> None:
        day = engine(minute_store, indicators=[{"name": "obv", "interval": "5m"}]).run()["days"][0]

        assert day["symbols"]["SPY"]["indicators"]["obv_5m"]["settled"] is False
        assert "cumulative" in journal(day, "SPY")[0]["warnings"][0]

    def test_more_than_the_calendar_has_is_told_and_costs_only_what_asked(self, minute_store: Path) -> None:
        system = prepared(minute_store)
        wanted = [
            Addition("bar", "AIG", "scanner", details={"interval": "1d", "days": 1_000_000}),
            Addition("indicator", "BAC", "scanner", details={"indicator_config": IndicatorConfig("sma", 90_000, "1d")}),
            Addition("symbol", "IBM", "scanner"),
        ]

        assert system.coordinator.provisioner.provision(wanted) == [False, False, True]
        first, second, _ = system.coordinator.journal.records[-3:]
        assert "1000000" in first.errors[0]
        assert "90000" in second.errors[0]


class TestDepth:
    def test_the_deepest_of_all_needs_decides(self, minute_store: Path) -> None:
        system = prepared(
            minute_store,
            days="2013-10-11",
            trailing={"5m": 1},
            indicators=[
                {"name": "sma", "period": 100, "interval": "5m"},
                {"name": "sma", "period": 10, "interval": "5m"},
                {"name": "sma", "period": 5, "interval": "30m"},
            ],
        )
        bars = held(system).bars

        assert {name: len(s.history) for name, s in bars.items()} == {"1m": 500, "5m": 100, "30m": 16}
        assert all(i.valid for i in held(system).indicators.values())

    def test_a_bar_that_ends_with_the_open_of_a_market_that_never_closes_is_history(self, tmp_path: Path) -> None:
        store = made_store(tmp_path / "store", ["BTC"], "2024-06-26", "2024-06-27", exchange="24/7", intervals=["1m"])
        sma = {"name": "sma", "period": 20, "interval": "1m"}
        system = prepared(store, exchange="24/7", symbols=["BTC"], days="2024-06-27", indicators=[sma])
        series = held(system, "BTC").bars["1m"]

        assert len(series.history) == 20
        assert series.history.end[-1] == system.coordinator.time_manager.session(date(2024, 6, 27)).open_ns
        assert held(system, "BTC").indicators["sma_20_1m"].valid

    def test_prior_day_takes_one_whole_session_of_real_bars(self, minute_store: Path) -> None:
        system = prepared(minute_store, indicators=[{"name": "prior_day", "interval": "5m"}])
        history = held(system).bars["5m"].history
        value = held(system).indicators["prior_day_5m"]

        assert len(history) == 78
        advance(system, "09:35")
        assert value.value == {"high": history.high.max(), "low": history.low.min(), "close": history.close[-1]}


@pytest.fixture(scope="module")
def holes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """XNYS in May and June 2024, with days and hours missing of some symbols."""
    tm = TimeManager("XNYS")

    def keep(symbol: str, interval: str, start_ns: int) -> bool:
        if interval == "1d":
            return True
        local = tm.to_local(start_ns)
        day = f"{local:%m-%d}"
        return {
            "WHOLE": True,
            "NODAYS": day not in ("06-06", "06-07"),
            "SPARSE": local.minute % 7 != 0,
            "NOTTODAY": day != "06-10",
            "LATE": not (day == "06-10" and local.hour < 11),
            "OPENLESS": not (local.hour == 9 and local.minute < 40),
        }[symbol]

    symbols = ("WHOLE", "NODAYS", "SPARSE", "NOTTODAY", "LATE", "OPENLESS")
    return made_store(tmp_path_factory.mktemp("holes"), symbols, "2024-05-20", "2024-06-11", keep=keep)


KEYS: dict[str, Any] = {"days": "2024-06-10", "indicators": [{"name": "sma", "period": 100, "interval": "5m"}]}


class TestHoles:
    def test_missing_sessions_make_the_warm_up_reach_further_back(self, holes: Path) -> None:
        system = prepared(holes, symbols=["WHOLE", "NODAYS"], **KEYS)
        whole, gappy = (held(system, s).bars["5m"] for s in ("WHOLE", "NODAYS"))
        local = system.time_manager.to_local

        assert (len(whole.history), len(gappy.history)) == (100, 100)
        assert local(int(whole.history.timestamp[0])).date() == date(2024, 6, 6)
        assert local(int(gappy.history.timestamp[0])).date() == date(2024, 6, 4)
        assert held(system, "NODAYS").indicators["sma_100_5m"].valid
        assert gappy.historical_quality.percent < 50
        assert sum(gap.missing for gap in gappy.gaps) == 2 * 78
        whole_record, gappy_record = system.coordinator.journal.records
        assert whole_record.warnings == ()
        (warning,) = gappy_record.warnings
        for part in ("5m", "2 sessions", "2024-06-04"):
            assert part in warning

    def test_a_symbol_without_bars_today_is_in_the_session_and_has_none(self, holes: Path) -> None:
        """Whether it will trade cannot be known before the day is over."""
        days = engine(holes, symbols=["WHOLE", "NOTTODAY"], **{**KEYS, "days": ("2024-06-10", "2024-06-11")}).run()
        first, second = days["days"]

        assert list(first["symbols"]) == list(second["symbols"]) == ["WHOLE", "NOTTODAY"]
        assert (first["dropped"], second["dropped"]) == ({}, {})
        rows = [day["symbols"]["NOTTODAY"]["bars"]["1m"]["session_rows"] for day in (first, second)]
        assert rows == [0, 390]
        assert first["symbols"]["NOTTODAY"]["bars"]["1m"]["quality"] == 0.0

    def test_bars_that_begin_late_are_visible_when_they_come(self, holes: Path) -> None:
        system = prepared(holes, symbols=["WHOLE", "LATE"], **KEYS)
        series = held(system, "LATE").bars["1m"]
        seen = []
        for clock in ("10:00", "11:00", "11:01", "16:00"):
            advance(system, clock)
            seen.append((len(series.today), round(series.quality, 2)))

        assert seen == [(0, 0.0), (0, 0.0), (1, 1.1), (300, 76.92)]
        assert [(g.missing, system.time_manager.to_local(g.end_ns).hour) for g in series.gaps] == [(90, 11)]

    def test_a_warm_up_through_sparse_sessions_has_all_bars_it_asked_for(self, holes: Path) -> None:
        system = prepared(
            holes, symbols=["SPARSE"], days="2024-06-10", indicators=[{"name": "sma", "period": 500, "interval": "1m"}]
        )
        assert len(held(system, "SPARSE").bars["1m"].history) == 500
        assert held(system, "SPARSE").indicators["sma_500_1m"].valid

    def test_bars_missing_at_the_start_of_the_history_asked_for_are_gaps(self, holes: Path) -> None:
        system = prepared(holes, symbols=["OPENLESS"], days="2024-06-10", trailing={"1m": 2})
        quality = held(system, "OPENLESS").bars["1m"].historical_quality

        assert (quality.expected, quality.present) == (780, 760)
        assert [gap.missing for gap in quality.gaps] == [10, 10]

    def test_sessions_missing_at_the_start_of_the_history_asked_for_are_gaps(self, holes: Path) -> None:
        system = prepared(holes, symbols=["NODAYS"], days="2024-06-10", trailing={"1m": 2})
        quality = held(system, "NODAYS").bars["1m"].historical_quality

        assert (quality.percent, quality.expected) == (0.0, 780)
        assert system.coordinator.journal.records[0].warnings == (
            "1m: 2 trailing sessions were asked for, 0 have bars",
        )

    def test_history_before_the_store_begins_is_a_warning_and_no_gap(self, holes: Path) -> None:
        system = prepared(holes, symbols=["WHOLE"], days="2024-05-22", trailing={"1m": 10})
        quality = held(system, "WHOLE").bars["1m"].historical_quality

        assert (quality.percent, quality.expected) == (100.0, 780)
        assert "2 have bars" in system.coordinator.journal.records[0].warnings[0]

    @settings(max_examples=examples(20))
    @given(
        symbol=st.sampled_from(["WHOLE", "NODAYS", "SPARSE", "LATE", "OPENLESS"]),
        interval=st.sampled_from(["1m", "2m", "7m", "15m", "60m", "1d"]),
        bars=st.integers(1, 60),
    )
    def test_the_history_is_exactly_the_bars_asked_for(
        self, holes: Path, symbol: str, interval: str, bars: int
    ) -> None:
        assume(interval != "1d" or bars <= 14)
        assume(interval != "60m" or bars <= 50)
        system = prepared(holes, symbols=["WHOLE"], days="2024-06-10")
        key = f"sma_{bars}_{interval}"
        assume(bars > 1)
        if symbol == "WHOLE":
            system.coordinator.provisioner.remove_symbols(["WHOLE"], source="config")

        assert system.session_data.add_indicator_unified(symbol, IndicatorConfig("sma", bars, interval))

        series, indicator = held(system, symbol).bars[interval], held(system, symbol).indicators[key]
        assert len(series.history) == bars
        assert indicator.warmup_bars == bars
        assert indicator.valid
        assert indicator.settled
        assert indicator.value == pytest.approx(np.mean(series.history.close))
