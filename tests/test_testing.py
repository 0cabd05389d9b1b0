"""What users' tests and notebooks build on: `openbell.testing`."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from openbell import BarStore, IndicatorConfig, Signal, SystemManager, TimeManager, testing
from openbell.errors import CalendarError, ConfigError, DataError, IntervalError, ProvisioningError
from openbell.store.check_bars import check_bars
from openbell.testing import advance, bar_starts, make_store, prepare, probe_scanner, probe_strategy, random_bars

if TYPE_CHECKING:
    from pathlib import Path

    from openbell import Bar, Scanner, Strategy

FIRST, LAST = "2024-07-01", "2024-07-03"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = {
        symbol: {interval: random_bars(bar_starts(FIRST, LAST, interval), seed=seed) for interval in ("1m", "1d")}
        for seed, symbol in enumerate(("ACME", "BETA"))
    }
    return make_store(tmp_path_factory.mktemp("testing") / "store", frames)


def config(*symbols: str, first: str = "2024-07-02", last: str = LAST, exchange: str = "XNYS", **more: object) -> dict:
    data = {"symbols": list(symbols), "streams": ["1m", "5m"]}
    days = {"start_date": first, "end_date": last}
    return {
        "session_name": "t", "exchange": exchange, "backtest_config": days, "session_data_config": data, **more
    }  # fmt: skip


class TestMadeBars:
    def test_a_minute_bar_starts_at_each_minute_of_the_sessions(self) -> None:
        starts = bar_starts(date(2024, 7, 2), date(2024, 7, 3))

        tm = TimeManager("XNYS")
        assert len(starts) == 390 + 210, "the second day is a half day"
        assert starts[0] == tm.session(date(2024, 7, 2)).open_ns
        assert starts[-1] == tm.session(date(2024, 7, 3)).close_ns - 60 * 10**9
        assert (np.diff(starts) > 0).all()

    def test_daily_bars_start_at_midnight_utc(self) -> None:
        assert list(bar_starts(FIRST, LAST, "1d").astype("datetime64[ns]").astype("datetime64[D]").astype(str)) == [
            "2024-07-01",
            "2024-07-02",
            "2024-07-03",
        ]

    def test_extended_hours_and_lunch_breaks_are_those_of_the_calendar(self) -> None:
        assert len(bar_starts(FIRST, FIRST, "1m", session_hours="extended")) == 16 * 60
        assert len(bar_starts("2024-07-02", "2024-07-02", "30m", exchange="XHKG")) == 5 + 6

    def test_longer_intervals_are_refused(self) -> None:
        with pytest.raises(IntervalError, match="1w"):
            bar_starts(FIRST, LAST, "1w")

    def test_days_without_a_session_and_what_is_no_day_are_refused(self) -> None:
        for interval in ("1m", "1d"):
            with pytest.raises(CalendarError, match="XNYS has no session from 2024-07-06 to 2024-07-07"):
                bar_starts("2024-07-06", "2024-07-07", interval)
        with pytest.raises(ConfigError, match=r"'07/01/2024' is not a day\. Write it as 2024-03-11"):
            bar_starts("07/01/2024", LAST)

    def test_frames_of_another_kind_or_without_an_interval_are_told_how_to_be_given(self, tmp_path: Path) -> None:
        frame = random_bars(bar_starts(FIRST, FIRST))

        with pytest.raises(DataError, match=r"pandas\.DataFrame\. Write polars\.from_pandas\(frame\)"):
            make_store(tmp_path / "a", {"ACME": {"1m": frame.to_pandas()}})  # type: ignore[dict-item]
        with pytest.raises(DataError, match=r"by symbol and interval\. Write \{'ACME': \{'1m': frame\}\}"):
            make_store(tmp_path / "b", {"ACME": frame})  # type: ignore[dict-item]

    def test_random_bars_are_good_bars_and_the_same_for_the_same_seed(self) -> None:
        starts = bar_starts(FIRST, LAST)

        assert check_bars(random_bars(starts)).bad.is_empty()
        assert random_bars(starts, seed=4).equals(random_bars(starts, seed=4))
        assert not random_bars(starts, seed=4).equals(random_bars(starts, seed=5))

    def test_a_store_holds_the_frames_it_was_made_from(self, store: Path) -> None:
        stored = BarStore.open(store).read(["BETA"], "1m", None, None).drop("symbol")

        assert stored.select("open", "close").equals(
            random_bars(bar_starts(FIRST, LAST), seed=1).select("open", "close")
        )


class TestPreparedSession:
    def test_its_symbols_are_there_and_nothing_of_today_is_visible_yet(self, store: Path) -> None:
        system = prepare(config("ACME"), store=store)

        bars = system.session_data.get_bars("ACME", "5m")
        assert bars is not None
        assert system.session_data.session_date == date(2024, 7, 2)
        assert len(bars.today) == 0

    def test_advance_shows_the_bars_that_closed_by_then(self, store: Path) -> None:
        system = prepare(config("ACME"), store=store)

        advance(system, "10:00")
        minutes, fives = (system.session_data.get_bars("ACME", interval) for interval in ("1m", "5m"))
        assert minutes is not None
        assert fives is not None
        assert (len(minutes.today), len(fives.today)) == (30, 6)
        advance(system, "10:00:59")
        assert len(minutes.today) == 30
        advance(system, "17:00")
        assert len(minutes.today) == 390

    def test_the_clock_does_not_go_back(self, store: Path) -> None:
        system = prepare(config("ACME"), store=store)

        with pytest.raises(CalendarError, match="cannot go back"):
            advance(system, "09:00")

    def test_another_day_of_the_config(self, store: Path) -> None:
        system = prepare(config("ACME"), store=store, day="2024-07-03")

        advance(system, "17:00")
        assert system.session_data.session_date == date(2024, 7, 3)
        assert len(system.session_data.get_bars("ACME", "1m").today) == 210  # type: ignore[union-attr]

    def test_additions_work_as_in_a_run(self, store: Path) -> None:
        system = prepare(config("ACME"), store=store)

        advance(system, "11:00")
        assert system.coordinator.add_symbol("BETA")
        assert len(system.session_data.get_bars("BETA", "1m").today) == 90  # type: ignore[union-attr]
        assert not system.coordinator.add_symbol("NONE")

    def test_dropped_symbols_are_named_and_no_symbol_at_all_is_an_error(self, store: Path) -> None:
        assert list(prepare(config("ACME", "NONE"), store=store).coordinator.dropped) == ["NONE"]
        with pytest.raises(ProvisioningError, match="NONE"):
            prepare(config("NONE"), store=store)

    def test_a_session_that_begins_on_the_evening_before(self, tmp_path: Path) -> None:
        starts = bar_starts("2024-07-02", "2024-07-02", exchange="CMES")
        folder = make_store(tmp_path / "store", {"ES": {"1m": random_bars(starts)}})
        system = prepare(config("ES", last="2024-07-02", exchange="CMES"), store=folder)
        bars = system.session_data.get_bars("ES", "1m")
        assert bars is not None

        advance(system, "18:00")
        assert len(bars.today) == 60
        advance(system, "09:00")
        assert len(bars.today) == 16 * 60


class TestProbes:
    def test_a_probe_strategy_calls_the_functions_of_the_test(self, store: Path) -> None:
        calls: list[str] = []

        def on_bar(self: Strategy, bar: Bar) -> Signal | None:
            rsi = self.context.indicator(bar.symbol, "rsi_14_5m")
            return Signal(bar.symbol, self.config["word"], f"{rsi.value:.0f}") if rsi.valid else None

        def setup(self: Strategy) -> None:
            calls.append("setup")
            self.context.add_indicator("ACME", IndicatorConfig("rsi", period=14, interval="5m"))

        probe = probe_strategy(
            subscriptions=[("ACME", "5m")], setup=setup, on_bar=on_bar, word="HOLD",
            teardown=lambda self: calls.append("teardown"),
        )  # fmt: skip
        days = SystemManager(config("ACME", strategies=[probe]), store=store).run()["days"]

        assert calls == ["setup", "teardown"] * 2
        assert [signal["action"] for signal in days[0]["signals"]] == ["HOLD"] * 78

    def test_a_probe_strategy_gets_cross_sections(self, store: Path) -> None:
        got: list[tuple[str, ...]] = []
        probe = probe_strategy(
            subscriptions=[("ACME", "60m"), ("BETA", "60m")],
            on_slice=lambda self, bars: got.append(tuple(bars.symbols)),
        )
        SystemManager(config("ACME", "BETA", last="2024-07-02", strategies=[probe]), store=store).run()

        assert got == [("ACME", "BETA")] * 7

    def test_methods_that_are_never_called_are_no_unread_keys(self, store: Path) -> None:
        probe = probe_strategy(
            subscriptions=[("ACME", "60m")], on_bar=lambda self, _: self.config["word"] and None,
            on_fill=lambda self, fill: None, word="HOLD", late=1,
        )  # fmt: skip
        result = SystemManager(config("ACME", strategies=[probe], execution={}), store=store).run()

        assert result.warnings == ("strategy ProbeStrategy never read the key 'late' of its config in this run.",)

    def test_a_method_of_an_object_records_in_that_object(self, store: Path) -> None:
        class Recorder:
            def __init__(self) -> None:
                self.heard: list[str] = []

            def on_bar(self, strategy: Strategy, bar: Bar) -> None:
                self.heard.append(f"{strategy.context.now:%H:%M} {bar.symbol}")

            def scan(self, scanner: Scanner) -> None:
                self.heard.append(f"{scanner.context.now:%H:%M} scan")

        recorder = Recorder()
        strategy = probe_strategy(subscriptions=[("ACME", "2h")], on_bar=recorder.on_bar)
        probes = {"strategies": [strategy], "scanners": [probe_scanner("10:00", scan=recorder.scan)]}
        SystemManager(config("ACME", last="2024-07-02", **probes), store=store).run()

        assert recorder.heard == ["10:00 scan", "11:30 ACME", "13:30 ACME", "15:30 ACME", "16:00 ACME"]

    def test_a_probe_scanner_scans_at_its_times(self, store: Path) -> None:
        probe = probe_scanner("10:30", "11:00", scan=lambda self: self.context.universe, universe=["BETA"])
        days = SystemManager(config("ACME", last="2024-07-02", scanners=[probe]), store=store).run()["days"]

        assert [(scan["time"][11:16], scan["symbols"]) for scan in days[0]["scans"]] == [
            ("10:30", ["BETA"]),
            ("11:00", ["BETA"]),
        ]


def test_its_names_are_documented_and_none_of_them_loads_a_library_before_it_is_used() -> None:
    names = ", ".join(testing.__all__)
    script = f"import json, sys; from openbell.testing import {names}; print(json.dumps([*sys.modules]))"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert not {"numpy", "polars", "pandas", "pydantic", "talib", "exchange_calendars"} & set(json.loads(done.stdout))
    assert all(getattr(testing, name).__doc__ for name in testing.__all__)
