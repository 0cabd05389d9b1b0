"""The lifecycle on real data: config loading, days that begin anew, order at one time, determinism, what a run says."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from made_bars import made_store
from openbell.components.strategy import Signal
from openbell.config import IndicatorConfig, load_config
from openbell.engine.observer import SessionObserver
from openbell.engine.system import SystemManager
from openbell.errors import ConfigError, ProvisioningError
from openbell.market_data.data_manager import DataManager
from openbell.results.folder.run_folder import RunFolder
from openbell.store.store import BarStore
from openbell.testing import advance, probe_scanner, probe_strategy
from openbell.timing import TimeManager
from probes import config_of, engine, journal, local_time, prepared, steps, visible

if TYPE_CHECKING:
    from pathlib import Path

TWO_DAYS = ("2013-10-10", "2013-10-11")
CONFIG: dict[str, Any] = {
    "symbols": ["SPY", "IBM", "BADTICKER"],
    "days": TWO_DAYS,
    "streams": ["1m", "5m", "15m"],
    "trailing": {"1m": 3, "1d": 20},
    "indicators": [{"name": "sma", "period": 20, "interval": "5m"}, {"name": "macd", "interval": "15m"}],
}


@pytest.fixture(scope="module")
def days(minute_store: Path) -> list[dict[str, Any]]:
    """What a run of the config says of both days."""
    return engine(minute_store, **CONFIG).run()["days"]


class TestConfigLoading:
    def test_a_bad_symbol_is_dropped_with_a_reason_for_people_and_the_run_goes_on(self, days: Any) -> None:
        assert [day["date"] for day in days] == list(TWO_DAYS)
        for day in days:
            assert list(day["symbols"]) == ["SPY", "IBM"]
            (reason,) = day["dropped"]["BADTICKER"]
            for part in ("has no bars of BADTICKER", "openbell data ls", "Import"):
                assert part in reason
            assert not journal(day, "BADTICKER")[0]["ok"]

    def test_the_real_minutes_are_counted_and_the_hole_is_named(self, days: Any) -> None:
        rows = {(d["date"], s): d["symbols"][s]["bars"]["1m"]["session_rows"] for d in days for s in ("SPY", "IBM")}
        assert rows == {
            ("2013-10-10", "SPY"): 390,
            ("2013-10-10", "IBM"): 390,
            ("2013-10-11", "SPY"): 390,
            ("2013-10-11", "IBM"): 389,
        }
        told = days[1]["symbols"]["IBM"]["bars"]["1m"]
        assert round(told["quality"], 2) == 99.74
        assert [gap for gap in told["gaps"] if gap["start"].startswith("2013-10-11")] == [
            {"start": "2013-10-11T12:46:00-04:00", "end": "2013-10-11T12:47:00-04:00", "missing": 1}
        ]
        assert days[1]["symbols"]["SPY"]["bars"]["1m"]["gaps"] == []

    def test_all_that_the_config_asks_is_there_valid_and_said_to_be_full(self, days: Any) -> None:
        for day in days:
            for told in day["symbols"].values():
                assert list(told["bars"]) == ["1m", "5m", "15m", "1d"]
                assert told["bars"]["1d"]["historical_rows"] == 20
                assert all(indicator["valid"] for indicator in told["indicators"].values())
                assert told["metadata"]["meets_session_config_requirements"]
                assert told["metadata"]["added_by"] == "config"
                assert not told["metadata"]["auto_provisioned"]
                assert not told["metadata"]["upgraded_from_adhoc"]

    def test_nothing_provisioned_ends_the_run_with_every_reason(self, minute_store: Path) -> None:
        with pytest.raises(ProvisioningError, match="NOPE") as raised:
            engine(minute_store, symbols=["NOPE", "NADA"]).run()
        assert "NADA" in str(raised.value)
        assert "2013-10-10" in str(raised.value)


class TestSummary:
    def test_it_is_json_without_numbers_that_json_does_not_have(self, minute_store: Path) -> None:
        summary = engine(minute_store, on_shortfall="warm", **{**CONFIG, "days": "2013-10-04", "trailing": {}}).run()
        assert json.loads(json.dumps(summary.to_dict(), allow_nan=False)) == summary
        assert summary["days"][0]["symbols"]["SPY"]["indicators"]["macd_12_26_9_15m"]["value"] is None

    def test_it_has_the_fields_that_are_promised(self, minute_store: Path) -> None:
        summary = engine(minute_store, **CONFIG).run()
        day = summary["days"][0]
        spy = day["symbols"]["SPY"]

        assert {"session_name", "mode", "exchange", "days", "timing"} <= set(summary)
        assert set(summary["timing"]) == {"load_s", "run_s"}
        assert {
            *("date", "open", "close", "symbols", "dropped", "provisioning"),
            *("signals", "bars_streamed", "callbacks"),
        } <= set(day)
        assert (day["open"], day["close"]) == ("2013-10-10T09:30:00-04:00", "2013-10-10T16:00:00-04:00")
        assert {"metadata", "base_interval", "bars", "indicators"} <= set(spy)
        assert {"derived", "base", "historical_rows", "session_rows", "quality", "gaps"} <= set(spy["bars"]["5m"])
        assert {"interval", "valid", "settled", "value", "lookback", "warmup_bars"} <= set(
            spy["indicators"]["sma_20_5m"]
        )
        assert set(spy["indicators"]["macd_12_26_9_15m"]["value"]) == {"macd", "macdsignal", "macdhist"}
        assert {
            *("time", "operation_type", "source", "symbol", "required_intervals", "steps", "ok", "errors", "reason")
        } <= set(day["provisioning"][0])

    def test_two_runs_say_the_same_but_for_durations(self, minute_store: Path) -> None:
        def signal(self: Any, bar: Any) -> Any:
            self.context.add_indicator(bar.symbol, IndicatorConfig("rsi", period=7, interval="5m"))
            value = self.context.indicator(bar.symbol, "rsi_7_5m").value
            return Signal(bar.symbol, "BUY", f"rsi {value}") if value and value < 30 else None

        def one() -> Any:
            scan = probe_scanner(
                "10:00", "12:00", scan=lambda s: [n for n in ("AIG", "BAC") if s.context.add_symbol(n)]
            )
            follow = probe_strategy(subscriptions=lambda s: [(n, "5m") for n in s.context.symbols], on_bar=signal)
            summary = engine(minute_store, scanners=[scan], strategies=[follow], **CONFIG).run().to_dict()
            del summary["timing"]
            for day in summary["days"]:
                for record in day["provisioning"]:
                    for step in record["steps"]:
                        del step["ms"]
            return summary

        first, second = one(), one()
        assert first == second
        assert len(first["days"][0]["signals"]) > 5

    def test_the_same_engine_runs_twice(self, minute_store: Path) -> None:
        system = engine(minute_store, **CONFIG)
        first, second = system.run()["days"], system.run()["days"]
        assert [d["symbols"] for d in first] == [d["symbols"] for d in second]

    def test_the_last_session_stays_for_inspection(self, minute_store: Path) -> None:
        system = engine(minute_store, **CONFIG)
        system.run()
        assert system.session_data.session_date == date(2013, 10, 11)
        assert len(system.session_data.get_bars("SPY", "1m").today) == 390  # type: ignore[union-attr]

    def test_callbacks_and_streamed_bars_are_counted(self, minute_store: Path) -> None:
        got: list[Any] = []
        pairs = [("SPY", "5m"), ("IBM", "15m")]
        day = engine(
            minute_store,
            strategies=[probe_strategy(subscriptions=pairs, on_bar=lambda s, bar: got.append(bar))],
            **{**CONFIG, "days": "2013-10-11"},
        ).run()["days"][0]

        assert day["callbacks"] == len(got) == 78 + 26
        assert day["bars_streamed"] == (390 + 1) + (389 + 1)


class TestOrderAtOneTime:
    def test_all_bars_then_scanners_then_strategies_small_intervals_first_then_symbols(
        self, minute_store: Path
    ) -> None:
        order: list[tuple[str, ...]] = []

        def lengths(context: Any) -> tuple[int, ...]:
            today = [len(context.bars(s, i).today) for s in ("IBM", "SPY") for i in ("1m", "5m", "15m")]
            return (*today, len(context.indicator("SPY", "sma_20_5m").values))

        expected: list[tuple[int, ...]] = []

        def on_bar(name: str) -> Any:
            def call(self: Any, bar: Any) -> None:
                if local_time(self.context) == "10:30":
                    order.append((name, bar.interval, bar.symbol))
                    expected.append(lengths(self.context))

            return call

        def scan(self: Any) -> None:
            order.append(("scanner", local_time(self.context)))
            expected.append(lengths(self.context))

        pairs = [("SPY", "15m"), ("SPY", "1m"), ("IBM", "5m"), ("SPY", "5m"), ("IBM", "1m"), ("IBM", "15m")]
        engine(
            minute_store,
            scanners=[probe_scanner("10:30", scan=scan)],
            strategies=[
                probe_strategy(subscriptions=pairs, on_bar=on_bar("first")),
                probe_strategy(subscriptions=pairs[:1], on_bar=on_bar("second")),
            ],
            **{**CONFIG, "days": "2013-10-10"},
        ).run()

        assert order == [
            ("scanner", "10:30"),
            *[("first", "1m", s) for s in ("IBM", "SPY")],
            *[("first", "5m", s) for s in ("IBM", "SPY")],
            *[("first", "15m", "IBM"), ("first", "15m", "SPY"), ("second", "15m", "SPY")],
        ]
        assert len(set(expected)) == 1, "all of them see all bars and indicators of that time"
        assert expected[0][:6] == (60, 12, 4, 60, 12, 4)

    def test_minutes_come_in_ascending_time_each_once(self, minute_store: Path) -> None:
        got: list[Any] = []
        pairs = [("IBM", "1m"), ("SPY", "7m"), ("SPY", "60m"), ("SPY", "1d")]
        engine(
            minute_store,
            symbols=["SPY", "IBM"],
            days="2013-10-11",
            strategies=[probe_strategy(subscriptions=pairs, on_bar=lambda s, bar: got.append(bar))],
        ).run()

        assert [bar.end for bar in got] == sorted(bar.end for bar in got)
        assert len(set(got)) == len(got) == 389 + 56 + 7 + 1
        assert got[-1].interval == "1d"

    def test_a_subscription_that_is_written_twice_is_one(self, minute_store: Path) -> None:
        pairs = [("SPY", "60m"), ("SPY", "1h"), ("SPY", "60m")]
        strategies = [probe_strategy(subscriptions=pairs, on_bar=lambda s, bar: None)]
        assert engine(minute_store, strategies=strategies).run()["days"][0]["callbacks"] == 7

    def test_two_strategies_get_their_own_bars(self, minute_store: Path) -> None:
        got: list[str] = []
        strategies = [
            probe_strategy(subscriptions=[("SPY", "60m")], on_bar=lambda s, bar, n=n: got.append(n)) for n in ("a", "b")
        ]
        engine(minute_store, strategies=strategies).run()
        assert got == ["a", "b"] * 7


class TestCompleteness:
    """IBM has no minute at 12:46 on the 11th."""

    def bars(self, store: Path, **keys: Any) -> Any:
        system = prepared(store, symbols=["IBM"], days="2013-10-11", streams=["1m", "5m", "60m"], **keys)
        advance(system, "16:00")
        return system, system.session_data.current["IBM"].bars

    def test_by_default_an_incomplete_bar_is_kept_and_says_so(self, minute_store: Path) -> None:
        system, bars = self.bars(minute_store)
        today = bars["5m"].today
        short = np.flatnonzero(today.count != 5)

        assert len(today) == 78
        assert [f"{system.time_manager.to_local(int(t)):%H:%M}" for t in today.timestamp[short]] == ["12:45"]
        assert today.count[short].tolist() == [4]

    def test_strict_completeness_drops_it_everywhere(self, minute_store: Path) -> None:
        system, bars = self.bars(minute_store, min_completeness=1.0)

        assert (len(bars["1m"].today), len(bars["5m"].today), len(bars["60m"].today)) == (389, 77, 6)
        assert (bars["5m"].today.count == 5).all()
        (gap,) = bars["5m"].gaps
        assert f"{system.time_manager.to_local(gap.start_ns):%H:%M}" == "12:45"
        assert round(bars["5m"].quality, 2) == round(100 * 77 / 78, 2)

    def test_a_share_in_between_decides_per_bar(self, minute_store: Path) -> None:
        _, bars = self.bars(minute_store, min_completeness=0.9)
        assert (len(bars["5m"].today), len(bars["60m"].today)) == (77, 7)


class TestDaysBeginAnew:
    def test_components_are_made_anew_every_day(self, minute_store: Path) -> None:
        made: list[int] = []
        life: list[str] = []
        kept: list[Any] = []

        def note(name: str) -> Any:
            return lambda self: life.append(f"{name} {self.context.session_date}")

        def setup(self: Any) -> None:
            kept.append(self)
            made.append(len({id(k) for k in kept}))
            note("setup")(self)

        days = engine(
            minute_store, days=TWO_DAYS, strategies=[probe_strategy(setup=setup, teardown=note("teardown"))]
        ).run()["days"]

        assert made == [1, 2]
        assert len(days) == 2
        assert life == [f"{what} {day}" for day in TWO_DAYS for what in ("setup", "teardown")]

    def test_a_day_does_not_depend_on_the_days_before_it(self, minute_store: Path) -> None:
        both = engine(minute_store, symbols=["SPY", "IBM"], days=("2013-10-07", "2013-10-11"), trailing={"1m": 1})
        alone = engine(minute_store, symbols=["SPY", "IBM"], days="2013-10-11", trailing={"1m": 1})
        both.run()
        alone.run()
        for symbol in ("SPY", "IBM"):
            assert visible(both.session_data.current[symbol]) == visible(alone.session_data.current[symbol])

    def test_holidays_and_weekends_are_no_days(self, minute_store: Path) -> None:
        days = engine(minute_store, days=("2013-10-04", "2013-10-13")).run()["days"]
        assert [d["date"][-2:] for d in days] == ["04", "07", "08", "09", "10", "11"]


class TestObserverAndFolder:
    def test_an_observer_hears_of_everything_in_order(self, minute_store: Path) -> None:
        heard: list[Any] = []

        class Ear(SessionObserver):
            def run_started(self, days: Any) -> None:
                heard.append(("run", len(days)))

            def day_started(self, day: Any) -> None:
                heard.append(("day", day))

            def provisioned(self, record: Any) -> None:
                heard.append(("record", record.symbol))

            def day_prepared(self, session_data: Any) -> None:
                heard.append(("prepared", session_data.symbols))

            def advanced(self, share: float) -> None:
                heard.append(("share", share))

            def day_ended(self, summary: Any, session_data: Any) -> None:
                heard.append(("ended", summary["date"]))

        config = load_config(config_of(symbols=["SPY"], strategies=[probe_strategy(subscriptions=[("SPY", "5m")])]))
        SystemManager(config, store=minute_store, observer=Ear()).run()
        shares = [value for what, value in heard if what == "share"]

        assert [what for what, _ in heard if what != "share"] == ["run", "day", "record", "prepared", "record", "ended"]
        assert shares == sorted(shares)
        assert shares[-1] == 1.0

    def test_the_run_folder_keeps_config_journal_signals_bars_and_summary(
        self, minute_store: Path, tmp_path: Path
    ) -> None:
        import polars as pl

        path = tmp_path / "session.json"
        (tmp_path / "mine.py").write_text(
            "from openbell.components.strategy import Signal, Strategy\n"
            "class Mine(Strategy):\n"
            "    def subscriptions(self):\n"
            "        return [('SPY', '60m')]\n"
            "    def on_bar(self, bar):\n"
            "        return Signal(bar.symbol, 'BUY', str(bar.close))\n"
        )
        values = config_of(**{**CONFIG, "symbols": ["SPY", "IBM"]})
        path.write_text(json.dumps({**values, "strategies": [{"module": "mine.py:Mine"}]}))
        config = load_config(path)
        folder = RunFolder(tmp_path / "out", config, keep_bars=True, keep_indicators=True)
        summary = SystemManager(config, store=minute_store).run(folder)

        out = tmp_path / "out"
        assert json.loads((out / "summary.json").read_text()) == summary
        records = [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]
        assert records == [r for day in summary["days"] for r in day["provisioning"]]
        signals = pl.read_parquet(out / "signals.parquet")
        assert len(signals) == 14
        assert [str(day) for day in signals["date"].unique().sort()] == list(TWO_DAYS)
        assert json.loads((out / "config.json").read_text())["session_name"] == "test"
        bars = pl.read_parquet(out / "bars" / "2013-10-11" / "IBM_1m.parquet")
        told = summary["days"][1]["symbols"]["IBM"]["bars"]["1m"]
        assert len(bars) == told["session_rows"] + told["historical_rows"] == 389 + told["historical_rows"]
        values = pl.read_parquet(out / "indicators" / "2013-10-11" / "IBM_5m.parquet")
        assert values["sma_20_5m"][-1] == summary["days"][1]["symbols"]["IBM"]["indicators"]["sma_20_5m"]["value"]

    def test_a_run_folder_is_not_written_over(self, minute_store: Path, tmp_path: Path) -> None:
        config = load_config(config_of())
        SystemManager(config, store=minute_store).run(RunFolder(tmp_path / "out", config))
        before = (tmp_path / "out" / "summary.json").read_text()

        with pytest.raises(ConfigError, match="holds a run already"):
            RunFolder(tmp_path / "out", config)
        assert (tmp_path / "out" / "summary.json").read_text() == before


class TestByHand:
    def test_without_a_session_in_the_range(self, minute_store: Path) -> None:
        from openbell.engine.coordinator import SessionCoordinator
        from openbell.timing.clock import SimulatedClock

        config = load_config(config_of(days=("2013-10-12", "2013-10-13")))
        tm = TimeManager("XNYS", clock=SimulatedClock())
        with pytest.raises(ConfigError, match="no session"):
            SessionCoordinator(config, tm, DataManager(BarStore.open(minute_store), tm))


def test_many_symbols_are_read_together(tmp_path: Path) -> None:
    symbols = [f"S{n:03d}" for n in range(60)]
    store = made_store(tmp_path / "many", symbols, "2024-06-06", "2024-06-10", intervals=["1m"])
    day = engine(store, symbols=symbols, days="2024-06-10", trailing={"5m": 1}).run()["days"][0]

    assert len(day["symbols"]) == 60
    assert {steps(r)[0] for r in day["provisioning"]} == {"create_symbol"}
    assert {s["bars"]["5m"]["historical_rows"] for s in day["symbols"].values()} == {78}
