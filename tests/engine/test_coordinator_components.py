"""Scanners and strategies in a session: when they are called, what they may do, and what happens when they raise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from openbell.components.strategy import Signal
from openbell.config import IndicatorConfig
from openbell.errors import ComponentError, ConfigError, DataError, SubscriptionError
from openbell.testing import probe_scanner, probe_strategy
from probes import engine, journal, local_time, scanner_at, strategy_at

if TYPE_CHECKING:
    from pathlib import Path

SMA = IndicatorConfig("sma", period=20, interval="5m")


def note_time(times: list[str]) -> Any:
    return lambda self: times.append(local_time(self.context))


class TestSchedules:
    def test_from_start_to_end_every_so_often(self, minute_store: Path) -> None:
        times: list[str] = []
        config = probe_scanner("10:00", scan=note_time(times))
        config["schedule"] = [
            {"start": "09:35", "end": "09:50", "every": "5m"},
            {"start": "15:50", "end": "16:10", "every": "7m"},
            {"start": "09:45", "end": "09:45", "every": "1h"},
        ]
        day = engine(minute_store, scanners=[config]).run()["days"][0]

        assert times == ["09:35", "09:40", "09:45", "09:50", "15:50", "15:57"]
        assert [scan["time"][11:16] for scan in day["scans"]] == times

    def test_before_the_open_once_and_after_setup(self, minute_store: Path) -> None:
        order: list[str] = []
        probe = probe_scanner(
            "09:30",
            pre_session=True,
            setup=lambda s: order.append("setup"),
            scan=lambda s: order.append(f"scan {len(s.context.bars('SPY', '1m').today)} {local_time(s.context)}"),
            teardown=lambda s: order.append(f"teardown {local_time(s.context)}"),
        )
        engine(minute_store, scanners=[probe]).run()

        assert order == ["setup", "scan 0 09:30", "scan 0 09:30", "teardown 16:00"]

    def test_at_one_time_in_the_order_of_the_config(self, minute_store: Path) -> None:
        order: list[str] = []
        probes = [probe_scanner("11:00", "12:00", scan=lambda s, n=n: order.append(n)) for n in ("a", "b")]
        engine(minute_store, scanners=probes).run()
        assert order == ["a", "b"] * 2

    def test_what_a_scan_found_is_kept(self, minute_store: Path) -> None:
        probe = probe_scanner("11:00", "12:00", scan=lambda s: ["AIG"] if local_time(s.context) == "11:00" else None)
        day = engine(minute_store, scanners=[probe]).run()["days"][0]
        assert [(s["time"][11:16], s["scanner"], s["symbols"]) for s in day["scans"]] == [
            ("11:00", "ProbeScanner", ["AIG"]),
            ("12:00", "ProbeScanner", []),
        ]


class TestUniverse:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("universe.txt", "AIG\n# a comment\nBAC\n"),
            ("universe.csv", "symbol,name\nAIG,American\nBAC,Bank\n"),
            ("universe.json", '["AIG", "BAC"]'),
        ],
    )
    def test_from_a_file(self, minute_store: Path, tmp_path: Path, name: str, text: str) -> None:
        (tmp_path / name).write_text(text)
        seen: list[Any] = []
        probe = probe_scanner(universe=str(tmp_path / name), scan=lambda s: seen.append(s.context.universe))
        engine(minute_store, scanners=[probe]).run()
        assert seen == [("AIG", "BAC")]

    def test_it_costs_nothing_to_name_symbols(self, minute_store: Path) -> None:
        probe = probe_scanner(universe=["AIG", "BAC"], scan=lambda s: ())
        day = engine(minute_store, scanners=[probe]).run()["days"][0]
        assert list(day["symbols"]) == ["SPY"]

    def test_the_example_finds_gaps_and_gives_the_rest_back(self, minute_store: Path) -> None:
        gap = {
            "module": "openbell.examples.gap:Gap",
            "universe": ["AIG", "BAC", "IBM", "NOPE"],
            "schedule": [{"start": "09:35", "end": "09:35", "every": "5m"}],
            "config": {"min_percent": 0.9},
        }
        day = engine(minute_store, days="2013-10-10", scanners=[gap]).run()["days"][0]

        (scan,) = day["scans"]
        assert scan["symbols"], "on 2013-10-10 banks opened well above their close"
        assert set(day["symbols"]) == {"SPY", *scan["symbols"]}
        assert all(day["symbols"][s]["metadata"]["meets_session_config_requirements"] for s in scan["symbols"])


class TestSubscriptions:
    def test_they_are_asked_again_after_additions_and_removals(self, minute_store: Path) -> None:
        got: dict[str, list[str]] = {}

        def on_bar(self: Any, bar: Any) -> None:
            got.setdefault(bar.symbol, []).append(local_time(self.context))

        def scan(self: Any) -> None:
            getattr(self.context, "add_symbol" if local_time(self.context) == "10:00" else "remove_symbol")("AIG")

        engine(
            minute_store,
            scanners=[probe_scanner("10:00", "11:00", scan=scan)],
            strategies=[probe_strategy(subscriptions=lambda s: [(n, "5m") for n in s.context.symbols], on_bar=on_bar)],
        ).run()

        # The bar of 11:00 is still subscribed to: the strategy is only asked again after that moment.
        assert (got["AIG"][0], got["AIG"][-1], len(got["AIG"])) == ("10:05", "11:00", 12)
        assert len(got["SPY"]) == 78

    def test_what_is_not_there_is_provisioned_for_the_strategy(self, minute_store: Path) -> None:
        day = engine(
            minute_store,
            strategies=[probe_strategy(subscriptions=[("AIG", "15m"), ("SPY", "30m")], on_bar=lambda s, b: None)],
        ).run()["days"][0]

        assert day["callbacks"] == 26 + 13
        assert list(day["symbols"]["AIG"]["bars"]) == ["1m", "15m"]
        assert day["symbols"]["AIG"]["metadata"]["added_by"] == "strategy"
        assert not day["symbols"]["AIG"]["metadata"]["meets_session_config_requirements"]
        assert journal(day, "AIG")[0]["owner"] == "strategy ProbeStrategy"

    @pytest.mark.parametrize(
        ("pairs", "reason"),
        [
            (
                [("SPY", "5m"), ("NOPE", "5m")],
                r"NOPE 5m, which .* 2013-10-10T09:30:00-04:00: the store .* no bars of NOPE",
            ),
            ([("AIG", "5s")], r"AIG 5s, which .* 5s cannot be derived"),
        ],
    )
    def test_a_subscription_that_cannot_be_had_is_reported_as_that_and_not_as_a_crash(
        self, minute_store: Path, pairs: Any, reason: str
    ) -> None:
        probe = probe_strategy(subscriptions=lambda s: pairs, on_bar=lambda s, b: None)
        with pytest.raises(SubscriptionError, match=f"strategy ProbeStrategy subscribes to {reason}") as raised:
            engine(minute_store, strategies=[probe]).run()
        error = raised.value
        assert "raised" not in str(error)
        assert error.__cause__ is None
        assert (error.component, error.method) == ("strategy ProbeStrategy", "subscriptions")
        assert (error.symbol, error.interval) == pairs[-1]
        assert str(error).endswith(f"{error.session_time}: {' '.join(error.reasons)}")

    def test_a_subscription_error_without_a_reason_ends_with_the_time(self) -> None:
        error = str(SubscriptionError("strategy S", "SPY", "5m", "2013-10-10T09:30:00-04:00", iter(())))
        assert error.endswith("cannot be provisioned at 2013-10-10T09:30:00-04:00")

    @pytest.mark.parametrize("pairs", [[("SPY", "5 minutes")], ["SPY"], [("SPY",)], [("SPY", 5)], 7])
    def test_what_is_no_subscription_ends_the_run_with_the_component_named(
        self, minute_store: Path, pairs: Any
    ) -> None:
        probe = probe_strategy(subscriptions=lambda s: pairs, on_bar=lambda s, b: None)
        with pytest.raises(ComponentError, match=r"strategy ProbeStrategy\.subscriptions"):
            engine(minute_store, strategies=[probe]).run()

    def test_an_indicator_that_deepens_a_series_loses_no_bar(self, minute_store: Path) -> None:
        got: list[str] = []

        def on_bar(self: Any, bar: Any) -> None:
            got.append(local_time(self.context))
            if len(got) % 10 == 0:
                assert self.context.add_indicator("SPY", IndicatorConfig("sma", period=20 * len(got), interval="1m"))

        probe = probe_strategy(subscriptions=[("SPY", "1m")], on_bar=on_bar)
        engine(minute_store, days="2013-10-11", strategies=[probe], on_shortfall="warm").run()
        assert len(got) == len(set(got)) == 390


class TestSymbolAdded:
    def test_every_strategy_is_notified_whoever_added_it(self, minute_store: Path) -> None:
        notified: list[tuple[str, str, str]] = []

        def listener(name: str) -> Any:
            return lambda self, symbol: notified.append((name, symbol, local_time(self.context)))

        day = engine(
            minute_store,
            scanners=[scanner_at("10:00", lambda c: c.add_symbol("AIG"))],
            strategies=[
                probe_strategy(on_symbol_added=listener("a")),
                strategy_at("11:00", lambda c: c.add_symbol("BAC"), on_symbol_added=listener("b")),
            ],
        ).run()["days"][0]

        assert notified == [("a", "AIG", "10:00"), ("b", "AIG", "10:00"), ("a", "BAC", "11:00"), ("b", "BAC", "11:00")]
        assert list(day["symbols"]) == ["SPY", "AIG", "BAC"]

    def test_an_ad_hoc_symbol_is_announced_when_it_becomes_full(self, minute_store: Path) -> None:
        notified: list[tuple[str, str]] = []

        def scan(self: Any) -> None:
            if local_time(self.context) == "10:00":
                self.context.add_indicator("AIG", SMA)
            else:
                self.context.add_symbol("AIG")

        engine(
            minute_store,
            scanners=[probe_scanner("10:00", "11:00", "12:00", scan=scan)],
            strategies=[probe_strategy(on_symbol_added=lambda s, n: notified.append((n, local_time(s.context))))],
        ).run()
        assert notified == [("AIG", "11:00")]

    def test_additions_from_within_it_are_announced_too(self, minute_store: Path) -> None:
        notified: list[str] = []

        def on_symbol_added(self: Any, symbol: str) -> None:
            notified.append(symbol)
            self.context.add_symbol({"AIG": "BAC", "BAC": "IBM", "IBM": "AIG"}[symbol])

        engine(
            minute_store,
            scanners=[scanner_at("10:00", lambda c: c.add_symbol("AIG"))],
            strategies=[probe_strategy(on_symbol_added=on_symbol_added)],
        ).run()
        assert notified == ["AIG", "BAC", "IBM"]


class TestSignals:
    def test_one_several_or_none(self, minute_store: Path) -> None:
        returned = iter([None, Signal("SPY", "BUY", "one"), [Signal("SPY", "SELL"), Signal("IBM", "BUY")], (), []])
        probe = probe_strategy(subscriptions=[("SPY", "60m")], on_bar=lambda s, b: next(returned, None))
        day = engine(minute_store, symbols=["SPY", "IBM"], strategies=[probe]).run()["days"][0]

        assert [(s["time"][11:16], s["symbol"], s["action"], s["reason"]) for s in day["signals"]] == [
            ("11:30", "SPY", "BUY", "one"),
            ("12:30", "SPY", "SELL", ""),
            ("12:30", "IBM", "BUY", ""),
        ]

    @pytest.mark.parametrize("returned", ["BUY", 1, [1], ["BUY"], {"symbol": "SPY"}])
    def test_anything_else_is_an_error_of_the_strategy(self, minute_store: Path, returned: Any) -> None:
        probe = probe_strategy(subscriptions=[("SPY", "60m")], on_bar=lambda s, b: returned)
        with pytest.raises(ComponentError, match=r"ProbeStrategy\.on_bar"):
            engine(minute_store, strategies=[probe]).run()


class TestRaising:
    @pytest.mark.parametrize("method", ["setup", "subscriptions", "on_bar", "on_symbol_added", "teardown"])
    def test_a_strategy_that_raises_stops_the_run_with_place_time_and_cause(
        self, minute_store: Path, method: str
    ) -> None:
        def burst(*args: Any) -> None:
            if method != "on_bar" or local_time(args[0].context) == "10:31":
                raise ZeroDivisionError("burst here")

        methods: dict[str, Any] = {"subscriptions": lambda s: [("SPY", "1m")], method: burst}
        scan = scanner_at("10:30", lambda c: c.add_symbol("AIG"))
        with pytest.raises(ComponentError) as raised:
            engine(minute_store, scanners=[scan], strategies=[probe_strategy(**methods)]).run()

        at = {"on_bar": "10:31", "on_symbol_added": "10:30", "teardown": "16:00"}.get(method, "09:30")
        assert raised.value.component == "strategy ProbeStrategy"
        assert raised.value.method == method
        assert raised.value.session_time == f"2013-10-10T{at}:00-04:00"
        assert isinstance(raised.value.__cause__, ZeroDivisionError)
        assert "burst here" in str(raised.value)

    @pytest.mark.parametrize("method", ["setup", "scan", "teardown"])
    def test_a_scanner_likewise(self, minute_store: Path, method: str) -> None:
        def burst(self: Any) -> None:
            raise KeyError("burst here")

        with pytest.raises(ComponentError, match=rf"scanner ProbeScanner\.{method} raised KeyError") as raised:
            engine(minute_store, scanners=[probe_scanner("10:30", **{method: burst})]).run()
        assert isinstance(raised.value.__cause__, KeyError)

    def test_what_was_done_until_then_is_journaled(self, minute_store: Path) -> None:
        def burst(context: Any) -> None:
            context.add_symbol("AIG")
            raise ValueError("burst")

        system = engine(minute_store, strategies=[strategy_at("10:30", burst)])
        with pytest.raises(ComponentError):
            system.run()
        records = [(r.source, r.symbol, r.ok) for r in system.coordinator.journal]
        assert records == [("config", "SPY", True), ("strategy", "SPY", True), ("strategy", "AIG", True)]


class TestContext:
    def test_what_is_not_there_is_reported_with_what_is_and_the_remedy(self, minute_store: Path) -> None:
        errors: list[str] = []

        def ask(context: Any) -> None:
            for question in (
                lambda: context.bars("SPY", "15m"),
                lambda: context.bars("AIG", "1m"),
                lambda: context.indicator("SPY", "sma_20_5m"),
                lambda: context.indicator("SPY", "smma_20_5m"),
            ):
                try:
                    question()
                except Exception as error:  # noqa: BLE001  the test looks at what it says
                    errors.append(f"{type(error).__name__}: {error}")

        engine(minute_store, strategies=[strategy_at("10:30", ask)]).run()

        assert "15m bars of SPY" in errors[0]
        assert "1m, 5m" in errors[0]
        assert "context.add_bar('SPY', '15m')" in errors[0]
        assert "it has nothing" in errors[1]
        assert "add_indicator('SPY'" in errors[2]
        assert errors[3].startswith("UnknownNameError")

    def test_keys_may_leave_out_trailing_parameters(self, minute_store: Path) -> None:
        seen: list[bool] = []

        def ask(context: Any) -> None:
            context.add_indicator("SPY", IndicatorConfig("macd", interval="15m"))
            full = context.indicator("SPY", "macd_12_26_9_15m")
            seen.extend(context.indicator("SPY", key) is full for key in ("macd_15m", "macd_12_15m", "MACD_12_26_15m"))

        engine(minute_store, strategies=[strategy_at("10:30", ask)]).run()
        assert seen == [True, True, True]

    def test_a_failed_question_does_not_end_the_session_when_it_is_caught(self, minute_store: Path) -> None:
        def ask(context: Any) -> None:
            with pytest.raises(DataError):
                context.bars("NOPE", "1m")

        assert engine(minute_store, strategies=[strategy_at("10:30", ask)]).run()["days"][0]["callbacks"] == 390

    def test_times_are_those_of_the_session(self, minute_store: Path) -> None:
        seen: list[Any] = []

        def ask(context: Any) -> None:
            session = context.session
            seen.append((context.now.isoformat(), str(context.session_date), context.now_ns - session.open_ns))
            seen.append(context.local(session.close_ns).isoformat())

        engine(minute_store, strategies=[strategy_at("10:30", ask)]).run()
        assert seen == [
            ("2013-10-10T10:30:00-04:00", "2013-10-10", 3600 * 10**9),
            "2013-10-10T16:00:00-04:00",
        ]


class TestSlices:
    """Cross-sections: all symbols that close a bar at one time, as columns."""

    SYMBOLS = ("SPY", "IBM", "AIG")

    def run(self, store: Path, **methods: Any) -> Any:
        system = engine(
            store,
            symbols=self.SYMBOLS,
            days="2013-10-11",
            indicators=[{"name": "sma", "period": 20, "interval": "5m"}],
            strategies=[probe_strategy(subscriptions=[(s, "5m") for s in self.SYMBOLS], **methods)],
        )
        return system, system.run()["days"][0]

    def test_they_are_the_bars_that_on_bar_gets_and_come_after_them(self, minute_store: Path) -> None:
        bars: list[Any] = []
        ends: list[int] = []

        def on_slice(self: Any, section: Any) -> None:
            got = bars[-len(section) :]
            assert list(section.symbols) == [b.symbol for b in got] == sorted(TestSlices.SYMBOLS)
            assert {b.end for b in got} == {section.end} == {self.context.now_ns}
            for name in ("open", "high", "low", "close", "volume"):
                np.testing.assert_array_equal(getattr(section, name), [getattr(b, name) for b in got])
            values = [self.context.indicator(b.symbol, "sma_20_5m").value for b in got]
            np.testing.assert_array_equal(section.indicator("sma_20_5m"), values)
            ends.append(section.end)

        _, day = self.run(minute_store, on_bar=lambda s, b: bars.append(b), on_slice=on_slice)
        assert len(ends) == len(set(ends)) == 78
        assert day["callbacks"] == 78 * 3 + 78

    def test_an_indicator_that_came_a_moment_ago_is_that_of_this_moment(self, minute_store: Path) -> None:
        """Its series may have become deeper since the rows were laid out."""
        checked: list[str] = []
        added = IndicatorConfig("sma", period=100, interval="5m")

        def on_bar(self: Any, bar: Any) -> None:
            if (bar.symbol, local_time(self.context)) in (("AIG", "11:00"), ("SPY", "12:00")):
                assert self.context.add_indicator(bar.symbol, added)

        def on_slice(self: Any, section: Any) -> None:
            held = [s for s in section.symbols if "sma_100_5m" in self.context.session_data.current[s].indicators]
            if not held:
                return
            values = dict(zip(section.symbols, section.indicator("sma_100_5m"), strict=True))
            for symbol in section.symbols:
                if symbol in held:
                    assert values[symbol] == self.context.indicator(symbol, "sma_100_5m").value
                    checked.append(symbol)
                else:
                    assert np.isnan(values[symbol])

        self.run(minute_store, on_bar=on_bar, on_slice=on_slice)
        assert (checked.count("AIG"), checked.count("SPY")) == (78 - 17, 78 - 29)

    def test_what_it_raises_and_returns_is_reported_like_that_of_on_bar(self, minute_store: Path) -> None:
        returned = iter([Signal("SPY", "BUY", "narrow"), 7])
        with pytest.raises(ComponentError, match=r"SliceProbeStrategy\.on_slice") as raised:
            self.run(minute_store, on_slice=lambda s, b: next(returned))
        assert raised.value.session_time == "2013-10-11T09:40:00-04:00"


class TestTeardownAfterAnError:
    """What a component opened it must be able to close, also when the run ends early."""

    def test_all_are_torn_down_and_the_first_error_is_reported(self, minute_store: Path) -> None:
        closed: list[str] = []

        def fail(self: Any, bar: Any) -> None:
            raise ValueError("no")

        broken = probe_strategy(
            subscriptions=[("SPY", "1m")], on_bar=fail, teardown=lambda self: closed.append("strategy")
        )
        tidy = probe_scanner(pre_session=True, teardown=lambda self: closed.append("scanner"))
        with pytest.raises(ComponentError, match="on_bar raised ValueError"):
            engine(minute_store, strategies=[broken], scanners=[tidy]).run()

        assert closed == ["scanner", "strategy"]

    def test_a_teardown_that_raises_then_is_noted_on_it(self, minute_store: Path) -> None:
        def fail(self: Any, *bar: Any) -> None:
            raise ValueError("no")

        broken = probe_strategy(subscriptions=[("SPY", "1m")], on_bar=fail, teardown=fail)
        with pytest.raises(ComponentError, match="on_bar raised") as caught:
            engine(minute_store, strategies=[broken]).run()

        assert "teardown raised ValueError" in "".join(caught.value.__notes__)


def test_a_scan_that_returns_one_text_is_asked_to_return_a_list(minute_store: Path) -> None:
    with pytest.raises(ComponentError, match=r"return \['SPY'\]"):
        engine(minute_store, scanners=[probe_scanner("10:00", scan=lambda self: "SPY")]).run()


def test_a_scan_that_returns_what_is_no_symbol_is_asked_to_leave_it_out(minute_store: Path) -> None:
    with pytest.raises(ComponentError, match="None in it is none; leave it out"):
        engine(minute_store, scanners=[probe_scanner("10:00", scan=lambda self: ["SPY", None])]).run()


class TestWhatUsersGetWrong:
    """Everyday mistakes are reported in words that lead to the remedy."""

    @pytest.mark.parametrize(
        ("methods", "words"),
        [
            ({"on_bar": lambda self, bar: "BUY"}, "must return a Signal, several, or None; not 'BUY'"),
            ({"on_bar": lambda self, bar: 42}, "must return a Signal, several, or None; not 42"),
            ({"on_bar": lambda self, bar: [None, Signal("SPY", "BUY")]}, "holds Signals only, and None is none"),
            ({"on_bar": lambda self, bar: ("SPY", "BUY")}, "holds Signals only, and 'SPY' is none"),
            ({"on_bar": lambda self, bar: Signal("SPY", "BUY", reason={"a": 1})}, "reason must be text"),  # type: ignore[arg-type]
            ({"subscriptions": lambda self: ["SPY"]}, r'pairs such as \("SPY", "5m"\), not \'SPY\''),
            ({"subscriptions": lambda self: 5}, "pairs, not 5"),
            ({"setup": lambda self: self.context.add_symbols("IBM")}, r"write \['IBM'\]"),
            ({"setup": lambda self: self.context.add_indicator("SPY", "sma_20_5m")}, "added by its config"),
            ({"setup": lambda self: raise_exit()}, "raised SystemExit"),
            ({"setup": lambda self: panic()}, "raised PanicException"),
            ({"on_bar": lambda self, bar: panic()}, "raised PanicException"),
        ],
    )
    def test_it_is_reported(self, minute_store: Path, methods: dict[str, Any], words: str) -> None:
        given = {"subscriptions": [("SPY", "1m")], **methods}
        with pytest.raises(ComponentError, match=words):
            engine(minute_store, strategies=[probe_strategy(**given)]).run()

    def test_one_config_is_as_good_as_a_list_of_one(self, minute_store: Path) -> None:
        done: list[Any] = []
        scan = scanner_at("11:00", lambda c: done.append(c.add_indicators(["AIG"], SMA)))
        engine(minute_store, scanners=[scan]).run()

        assert [*done[0]] == ["AIG"]
        assert done[0]["AIG"]

    def test_a_scanner_that_is_due_in_no_session_is_refused(self, minute_store: Path) -> None:
        with pytest.raises(ConfigError, match="never run: the sessions are from 09:30 to 16:00"):
            engine(minute_store, scanners=[probe_scanner("17:00", scan=lambda self: ())])

    def test_a_strategy_that_gets_no_bars_it_subscribes_to_is_refused(self, minute_store: Path, tmp_path: Path) -> None:
        module = tmp_path / "mine.py"
        module.write_text(
            "from openbell import Strategy\n"
            "class Mine(Strategy):\n"
            "    def subscriptions(self): return [('SPY', '1m')]\n"
            "    def onBar(self, bar): ...\n"
        )
        with pytest.raises(ConfigError, match=r"neither on_bar nor on_slice. Did you mean 'on_bar'"):
            engine(minute_store, strategies=[{"module": f"{module}:Mine"}])


def raise_exit() -> None:
    raise SystemExit(5)


def panic() -> None:
    """Raise what a library in Rust raises; it is no `Exception`."""
    raise pl.exceptions.PanicException("index out of bounds")
