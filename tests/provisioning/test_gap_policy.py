"""Gaps in a session: synthetic bars that nothing rests on, bars built from finer ones, and symbols too bad to load."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from made_actions import actions
from made_bars import made_store
from openbell.actions import ActionStore
from openbell.errors import ProvisioningError
from openbell.market_data.data_manager import DataManager
from openbell.store.store import BarStore
from openbell.testing import advance
from openbell.timing import TimeManager
from probes import engine, journal, prepared, strategy_at

if TYPE_CHECKING:
    from pathlib import Path

MINUTE = 60_000_000_000
TM = TimeManager("XNYS")
DAY = date(2024, 7, 10)
OPEN = TM.session(DAY).open_ns
SMA: dict[str, Any] = {"name": "sma", "period": 5, "interval": "1m"}
EMA: dict[str, Any] = {"name": "ema", "period": 5, "interval": "1m"}


def minute_of_day(start_ns: int) -> int:
    return (start_ns - TM.session(TM.day_of(start_ns)).open_ns) // MINUTE


@pytest.fixture(scope="module")
def gappy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HOLE lacks its minutes 100 to 119 of every day and the first two; WHOLE lacks nothing."""

    def keep(symbol: str, interval: str, start_ns: int) -> bool:
        return (
            symbol == "WHOLE"
            or interval == "1d"
            or not (100 <= minute_of_day(start_ns) < 120 or minute_of_day(start_ns) < 2)
        )

    return made_store(
        tmp_path_factory.mktemp("gappy") / "store", ["HOLE", "WHOLE"], "2024-07-01", "2024-07-12", keep=keep
    )


def series_of(system: Any, symbol: str = "HOLE", interval: str = "1m") -> Any:
    return system.session_data.get_symbol_data(symbol).bars[interval]


def keys(**more: Any) -> dict[str, Any]:
    return {"days": str(DAY), "symbols": ["HOLE"], "trailing": {"1m": 2}, **more}


class TestForward:
    def test_nothing_is_filled_unless_asked(self, gappy: Path) -> None:
        assert (series_of(prepared(gappy, **keys())).history.count > 0).all()

    def test_the_gap_is_filled_and_the_first_minutes_are_not(self, gappy: Path) -> None:
        history = series_of(prepared(gappy, **keys(gap_policy="forward"))).history

        assert len(history) == 2 * 388
        filled = np.flatnonzero(history.count == 0)
        assert [minute_of_day(int(t)) for t in history.timestamp[filled]] == [*range(100, 120)] * 2

    def test_a_synthetic_bar_shows_at_its_end_like_any(self, gappy: Path) -> None:
        seen: list[tuple[int, int, int]] = []
        system = prepared(gappy, **keys(gap_policy="forward"))
        for clock in ("11:10", "11:11", "11:12"):
            advance(system, clock)
            series = series_of(system)
            seen.append((series.cursor, int(series.count[-1]), int(series.data.end[-1] - OPEN) // MINUTE))

        assert [minutes for _, _, minutes in seen] == [100, 101, 102]
        assert [count for _, count, _ in seen] == [1, 0, 0]

    def test_they_are_missing_bars_all_the_same(self, gappy: Path) -> None:
        plain, filled = (prepared(gappy, **keys(gap_policy=policy)) for policy in ("none", "forward"))
        for system in (plain, filled):
            advance(system, "15:00")

        one, other = series_of(plain), series_of(filled)
        assert one.quality == other.quality
        assert one.historical_quality == other.historical_quality
        assert one.gaps == other.gaps

    def test_indicators_stand_still_over_them(self, gappy: Path) -> None:
        plain, filled = (prepared(gappy, **keys(gap_policy=p, indicators=[SMA, EMA])) for p in ("none", "forward"))
        for key in ("sma_5_1m", "ema_5_1m"):
            for clock in ("11:09", "11:15", "11:29", "11:31", "15:59"):
                for system in (plain, filled):
                    if f"{TM.to_local(system.time_manager.clock.now_ns):%H:%M}" < clock:
                        advance(system, clock)
                values = [s.session_data.get_indicator("HOLE", key) for s in (plain, filled)]
                assert values[0].value == values[1].value
                assert values[0].settled == values[1].settled
                assert values[0].warmup_bars == values[1].warmup_bars

    def test_unless_they_are_to_see_them(self, gappy: Path) -> None:
        system = prepared(gappy, **keys(gap_policy="forward", indicators=[SMA], indicators_see_filled=True))
        advance(system, "11:20")

        assert system.session_data.get_indicator("HOLE", "sma_5_1m").value == pytest.approx(series_of(system).close[-1])

    @pytest.mark.parametrize("period", [5, 30, 380, 600])
    def test_warm_up_reaches_back_until_it_has_real_bars(self, gappy: Path, period: int) -> None:
        indicators = [{"name": "sma", "period": period, "interval": "1m"}]
        plain, filled = (
            prepared(gappy, days=str(DAY), symbols=["HOLE"], gap_policy=p, indicators=indicators)
            for p in ("none", "forward")
        )

        histories = [series_of(system).history for system in (plain, filled)]
        assert [int((h.count > 0).sum()) for h in histories] == [period, period]
        assert histories[0].timestamp[0] == histories[1].timestamp[0]
        for system in (plain, filled):
            advance(system, "09:33")
        assert len({s.session_data.get_indicator("HOLE", f"sma_{period}_1m").value for s in (plain, filled)}) == 1

    def test_with_filled_ones_seen_they_count(self, gappy: Path) -> None:
        system = prepared(
            gappy, days=str(DAY), symbols=["HOLE"], gap_policy="forward", indicators_see_filled=True,
            indicators=[{"name": "sma", "period": 380, "interval": "1m"}],
        )  # fmt: skip

        assert len(series_of(system).history) == 380

    def test_derived_bars_are_made_of_real_ones_and_then_filled(self, gappy: Path) -> None:
        plain, filled = (
            prepared(gappy, **keys(streams=["1m", "5m"], gap_policy=policy)) for policy in ("none", "forward")
        )
        one, other = (series_of(s, interval="5m").history for s in (plain, filled))

        real = other.take(other.count > 0)
        assert len(other) == len(one) + 2 * 4
        for name in ("timestamp", "open", "high", "low", "close", "volume", "count"):
            assert np.array_equal(getattr(real, name), getattr(one, name))


def filled(system: Any) -> dict[str, dict[str, bool]]:
    """By symbol and interval, whether a series has synthetic bars."""
    data = system.session_data
    return {
        symbol: {name: bool((series.count == 0).any()) for name, series in data.get_symbol_data(symbol).bars.items()}
        for symbol in data.symbols
    }


@pytest.fixture(scope="module")
def thin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HOLE and THIN lack the minutes 100 to 119 of every day."""

    def keep(symbol: str, interval: str, start_ns: int) -> bool:
        return interval == "1d" or not 100 <= minute_of_day(start_ns) < 120

    return made_store(
        tmp_path_factory.mktemp("thin") / "store", ["HOLE", "THIN"], "2024-07-01", "2024-07-12", keep=keep
    )


class TestPerSeries:
    """Each series is filled as the config says of it, whoever asked for it."""

    @pytest.mark.parametrize(
        ("policy", "of_hole", "of_thin"),
        [
            ("forward", (True, True), (True, True)),
            ({}, (False, False), (False, False)),
            ({"1m": "forward"}, (True, False), (True, False)),
            ({"THIN": "forward"}, (False, False), (True, True)),
            ({"default": "forward", "HOLE": "none"}, (False, False), (True, True)),
            ({"default": "forward", "5m": "none"}, (True, False), (True, False)),
            ({"1m": "forward", "THIN": {"5m": "forward"}}, (True, False), (True, True)),
            ({"1m": "forward", "THIN": {"1m": "none", "default": "forward"}}, (True, False), (False, True)),
            ({"THIN": {"1m": "none"}, "default": "forward"}, (True, True), (False, True)),
        ],
    )
    def test_each_series_follows_what_is_said_of_it(
        self, thin: Path, policy: Any, of_hole: tuple[bool, bool], of_thin: tuple[bool, bool]
    ) -> None:
        system = prepared(thin, **keys(symbols=["HOLE", "THIN"], trailing={"1m": 2, "5m": 2}, gap_policy=policy))

        assert filled(system) == {
            "HOLE": dict(zip(("1m", "5m"), of_hole, strict=True)),
            "THIN": dict(zip(("1m", "5m"), of_thin, strict=True)),
        }

    def test_a_series_is_the_same_whatever_holds_for_others(self, thin: Path) -> None:
        """A 5m bar is made of real minutes, filled or not; a filled 5m series does not fill its minutes."""
        both, fives = (
            series_of(prepared(thin, **keys(gap_policy=policy)), interval="5m").history
            for policy in ("forward", {"5m": "forward"})
        )
        plain = series_of(prepared(thin, **keys(gap_policy={"1m": "forward"})), interval="5m").history

        assert both.to_polars().equals(fives.to_polars())
        assert fives.take(fives.count > 0).to_polars().equals(plain.to_polars())

    def test_what_comes_in_the_session_follows_the_same_rule(self, thin: Path) -> None:
        policy = {"5m": "forward", "THIN": {"1m": "forward", "5m": "none"}}
        seen: list[dict[str, dict[str, bool]]] = []

        def add(context: Any) -> None:
            context.add_bar("HOLE", "5m", days=1)
            context.add_symbol("THIN")
            seen.append(filled(context))

        config = keys(streams=["1m"], strategies=[strategy_at("12:00", add, watch="HOLE")], gap_policy=policy)
        engine(thin, **config, indicators=[{**SMA, "interval": "5m"}]).run()

        assert seen == [{"HOLE": {"1m": False, "5m": True}, "THIN": {"1m": True, "5m": False}}]

    def test_indicators_of_a_filled_series_skip_and_those_of_another_have_nothing_to_skip(self, thin: Path) -> None:
        system = prepared(thin, **keys(symbols=["HOLE", "THIN"], indicators=[SMA], gap_policy={"THIN": "forward"}))
        advance(system, "11:20")
        hole, thin_one = (system.session_data.get_indicator(s, "sma_5_1m") for s in ("HOLE", "THIN"))

        for indicator, bars in ((hole, 100), (thin_one, 110)):
            assert len(indicator.series.today) == bars
            real = indicator.series.close[indicator.series.count > 0]
            assert indicator.value == pytest.approx(real[-5:].mean())

    def test_a_renamed_symbol_is_filled_as_its_name_of_the_day_is(self, tmp_path: Path) -> None:
        """Its history is stored under the old name; the split makes it a series of another price basis, too."""

        def keep(symbol: str, interval: str, start_ns: int) -> bool:
            return (symbol == "NEW") == (start_ns >= OPEN) and not 100 <= minute_of_day(start_ns) < 120

        path = made_store(tmp_path / "s", ["OLD", "NEW"], "2024-07-08", "2024-07-10", intervals=["1m"], keep=keep)
        policies: list[dict[str, str]] = [{"NEW": "forward"}, {"OLD": "forward"}]
        for events in ([("OLD", DAY, "rename", "NEW")], [("OLD", date(2024, 7, 9), "split", 2)]):
            ActionStore(path).write(actions(*events))
            systems = [prepared(path, **keys(symbols=["NEW"], gap_policy=policy)) for policy in policies]

            assert [int((series_of(s, "NEW").history.count == 0).sum()) for s in systems] == [40, 0]

    def test_plan_and_summary_tell_it_of_each_series(self, thin: Path) -> None:
        system = engine(thin, **keys(trailing={"1m": 2, "5m": 2}, gap_policy={"5m": "forward"}))
        (planned,) = system.plan()["days"]
        (ran,) = system.run()["days"]

        history = planned["symbols"]["HOLE"]["historical"]
        assert {name: (h["gap_policy"], h["synthetic"]) for name, h in history.items()} == {
            "1m": ("none", 0),
            "5m": ("forward", 8),
        }
        assert planned["symbols"]["HOLE"]["rows"] == 3 * 370
        bars = ran["symbols"]["HOLE"]["bars"]
        assert {name: b["synthetic_rows"] for name, b in bars.items()} == {"1m": 0, "5m": 12}

    def test_rows_to_read_are_those_of_the_store(self, thin: Path) -> None:
        rows = {
            engine(thin, **keys(gap_policy=policy)).plan()["days"][0]["symbols"]["HOLE"]["rows"]
            for policy in ("none", "forward")
        }

        assert rows == {3 * 370}

    def test_a_symbol_without_bars_is_asked_about(self, thin: Path) -> None:
        system = engine(thin, **keys(gap_policy={"THINN": "forward", "THIN": "none", "1m": "forward"}))

        assert system.warnings == (
            "session_data_config.gap_policy names THINN, of which the store has no bars. Did you mean 'THIN'?",
        )


@pytest.fixture(scope="module")
def finer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of seconds, of the minutes that they make but for one, and of the days but for one."""
    path = made_store(tmp_path_factory.mktemp("finer") / "s", ["X"], "2024-07-08", "2024-07-10", intervals=["1s"])
    store = BarStore.open(path)
    tm = TimeManager("XNYS")
    whole = DataManager(store, tm)
    first, last = date(2024, 7, 8), date(2024, 7, 10)
    minutes = whole.load_historical_bars("X", "1m", first, last)
    frame = minutes.to_polars().select("timestamp", "open", "high", "low", "close", "volume")
    store.write("X", "1m", frame.filter(pl.int_range(pl.len()) != 500))
    daily = whole.load_historical_bars("X", "1d", first, last).to_polars()
    daily = daily.with_columns(pl.col("timestamp").dt.truncate("1d"))
    store.write("X", "1d", daily.select(frame.columns)[[0, 2]])
    return path


class TestBuilt:
    def load(self, path: Path, interval: str, **more: Any) -> Any:
        manager = DataManager(BarStore.open(path), TimeManager("XNYS"), **more)
        return manager.load_historical_bars("X", interval, date(2024, 7, 8), date(2024, 7, 10), base=interval)

    def test_a_missing_minute_is_built_of_its_seconds(self, finer: Path) -> None:
        plain, built = self.load(finer, "1m"), self.load(finer, "1m", gap_fill=True)

        assert (len(plain), len(built)) == (1169, 1170)
        assert built.count[500] == 60
        assert (np.delete(built.count, 500) == 1).all()

    def test_a_missing_day_is_built_of_its_minutes_where_none_is_missing(self, finer: Path, tmp_path: Path) -> None:
        """The day in the middle lacks a minute in the store, so it is not built; with that minute there, it is."""
        assert len(self.load(finer, "1d", gap_fill=True)) == 2

        built = (
            self.load(finer, "1m", gap_fill=True)
            .to_polars()
            .select("timestamp", "open", "high", "low", "close", "volume")
        )
        other = BarStore.open_or_create(tmp_path / "s")
        other.write("X", "1m", built)
        other.write("X", "1d", BarStore.open(finer).read(["X"], "1d", None, None).drop("symbol"))
        days = self.load(tmp_path / "s", "1d", gap_fill=True)

        assert days.count.tolist() == [1, 390, 1]
        assert days.close[1] == built["close"][779]

    def test_what_derives_from_a_built_bar_counts_it_once(self, finer: Path) -> None:
        manager = DataManager(BarStore.open(finer), TimeManager("XNYS"), gap_fill=True, min_completeness=1.0)

        bars = manager.load_historical_bars("X", "5m", date(2024, 7, 8), date(2024, 7, 10), base="1m")

        assert set(bars.count.tolist()) == {5}
        assert len(bars) == 3 * 78

    def test_a_config_asks_for_it(self, finer: Path) -> None:
        config = {"days": "2024-07-10", "symbols": ["X"]}
        history = {"data": [{"trailing_days": 2, "intervals": ["1m"]}], "gap_fill": True}

        system = prepared(finer, **config, historical=history)

        assert series_of(system, "X").historical_quality.percent == 100.0


class TestMinQuality:
    def test_a_symbol_whose_history_is_too_bad_is_refused_with_the_reason(self, gappy: Path) -> None:
        summary = engine(gappy, **keys(symbols=["HOLE", "WHOLE"], min_quality=95)).run()

        (record,) = journal(summary["days"][0], "HOLE")
        assert not record["ok"]
        (text,) = record["errors"]
        assert "HOLE: its 1m history is 94.36 % good, session_data_config.min_quality is 95 %" in text
        assert "44 of 780 bars are missing (the longest gap: 2024-07-08 11:10:00 to 11:30:00)" in text
        assert "openbell data check HOLE" in text
        assert set(summary["days"][0]["symbols"]) == {"WHOLE"}

    @pytest.mark.parametrize("policy", ["none", "forward"])
    def test_synthetic_bars_do_not_count(self, gappy: Path, policy: str) -> None:
        with pytest.raises(ProvisioningError):
            engine(gappy, **keys(min_quality=95, gap_policy=policy)).run()

    def test_one_that_is_good_enough_is_loaded(self, gappy: Path) -> None:
        assert engine(gappy, **keys(min_quality=94)).run()["days"][0]["symbols"].keys() == {"HOLE"}

    def test_bars_in_doubt_count_as_missing(self, tmp_path: Path) -> None:
        store = BarStore.open(made_store(tmp_path / "s", ["BAD"], "2024-07-08", "2024-07-10", intervals=["1m"]))
        row = pl.int_range(pl.len()) % 50 == 25
        frame = store.read(["BAD"], "1m", None, None).drop("symbol")
        store.write(
            "BAD",
            "1m",
            frame.with_columns(pl.when(row).then(pl.col("high") * 1.1).otherwise(pl.col("high")).alias("high")),
        )

        with pytest.raises(ProvisioningError, match=r"97\.\d\d % good.*: 1\d are in doubt \(spikes"):
            engine(tmp_path / "s", days=str(DAY), symbols=["BAD"], trailing={"1m": 2}, min_quality=99).run()

    @pytest.mark.parametrize("interval", ["1m", "1d"])
    def test_a_split_that_nobody_declared_makes_all_of_it_bad(self, interval: str, tmp_path: Path) -> None:
        store = BarStore.open(made_store(tmp_path / "s", ["S"], "2024-05-20", "2024-07-10"))
        later = (pl.col("timestamp").dt.date() >= date(2024, 6, 20)) + 1
        for name in ("1m", "1d"):
            frame = store.read(["S"], name, None, None).drop("symbol")
            halved = [(pl.col(c) / later).alias(c) for c in ("open", "high", "low", "close")]
            store.write("S", name, frame.with_columns(*halved, pl.col("volume") * later))
        config = {"days": str(DAY), "symbols": ["S"], "trailing": {interval: 30}, "min_quality": 60}

        with pytest.raises(ProvisioningError, match=r"50\.00 % good.*2-for-1 split\?.*\(on 2024-06-20\).*declare"):
            engine(tmp_path / "s", **config).run()
        ActionStore(store.path).write(actions(("S", date(2024, 6, 20), "split", 2)))
        for adjustment in ("raw", "split"):
            assert engine(tmp_path / "s", **config, adjustment=adjustment).run()["days"][0]["symbols"].keys() == {"S"}

    def test_the_session_itself_is_not_looked_at(self, tmp_path: Path) -> None:
        """A day of which half is missing is not known before it is over; an addition at noon gets the same answer."""
        path = made_store(
            tmp_path / "s", ["A", "LATE"], "2024-07-08", "2024-07-10", intervals=["1m"],
            keep=lambda symbol, interval, ns: symbol == "A" or ns < OPEN or minute_of_day(ns) % 2 == 0,
        )  # fmt: skip
        added: list[bool] = []
        strategy = strategy_at("12:00", lambda context: added.append(context.add_symbol("LATE")), watch="A")

        engine(path, days=str(DAY), symbols=["A"], trailing={"1m": 2}, min_quality=100, strategies=[strategy]).run()

        assert added == [True]

    def test_what_was_asked_for_and_is_not_there_at_all_is_missing(self, tmp_path: Path) -> None:
        gone = TM.session(date(2024, 7, 8))
        path = made_store(
            tmp_path / "s", ["A"], "2024-07-05", "2024-07-10", intervals=["1m"],
            keep=lambda symbol, interval, ns: not gone.open_ns <= ns < gone.close_ns,
        )  # fmt: skip

        with pytest.raises(ProvisioningError, match=r"50\.00 % good"):
            engine(path, days=str(DAY), symbols=["A"], trailing={"1m": 2}, min_quality=90).run()

    def test_nothing_asked_for_is_nothing_to_judge(self, gappy: Path) -> None:
        system = engine(gappy, days=str(DAY), symbols=["HOLE"], min_quality=100)

        assert system.run()["days"][0]["symbols"].keys() == {"HOLE"}
