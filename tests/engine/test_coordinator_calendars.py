"""Sessions of other shapes, on small made stores: half days, changes of the clock, lunch breaks, extended hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from made_bars import made_store
from openbell.testing import advance, probe_scanner, probe_strategy
from probes import engine, local_time, prepared

if TYPE_CHECKING:
    from pathlib import Path


def streamed(store: Path, *intervals: str, **keys: Any) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """The closing times of all bars that a strategy gets in a session, by interval, and the day's summary."""
    got: dict[str, list[str]] = {interval: [] for interval in intervals}

    def on_bar(self: Any, bar: Any) -> None:
        got[bar.interval].append(local_time(self.context))

    pairs = [(keys["symbols"][0], interval) for interval in intervals]
    system = engine(
        store, streams=list(intervals), strategies=[probe_strategy(subscriptions=pairs, on_bar=on_bar)], **keys
    )
    return got, system.run()["days"][0]


@pytest.fixture(scope="module")
def july(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_store(tmp_path_factory.mktemp("july"), ["SPY"], "2024-06-20", "2024-07-08")


@pytest.fixture(scope="module")
def march(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Around the change to summer time on Sunday 2024-03-10."""
    return made_store(tmp_path_factory.mktemp("march"), ["SPY"], "2024-03-04", "2024-03-13", intervals=["1m"])


@pytest.fixture(scope="module")
def hongkong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_store(
        tmp_path_factory.mktemp("hongkong"), ["0005.HK"], "2024-06-03", "2024-06-07", exchange="XHKG", intervals=["1m"]
    )


class TestHalfDay:
    KEYS: Any = {"symbols": ["SPY"], "days": "2024-07-03"}  # noqa: RUF012  never changed

    def test_a_strategy_gets_its_210_minutes_and_the_day_at_one_o_clock(self, july: Path) -> None:
        got, day = streamed(july, "1m", "5m", "60m", "1d", **self.KEYS)

        assert {interval: len(times) for interval, times in got.items()} == {"1m": 210, "5m": 42, "60m": 4, "1d": 1}
        assert {times[-1] for times in got.values()} == {"13:00"}
        assert got["60m"] == ["10:30", "11:30", "12:30", "13:00"]
        assert day["close"] == "2024-07-03T13:00:00-04:00"
        told = day["symbols"]["SPY"]["bars"]
        assert {told[i]["quality"] for i in ("1m", "5m", "60m", "1d")} == {100.0}

    def test_the_day_after_the_holiday_warms_up_over_the_half_day(self, july: Path) -> None:
        system = prepared(
            july, symbols=["SPY"], days="2024-07-05", indicators=[{"name": "sma", "period": 100, "interval": "5m"}]
        )
        history = system.session_data.current["SPY"].bars["5m"].history
        days = {f"{system.time_manager.to_local(int(t)):%m-%d}": 0 for t in history.timestamp}
        for t in history.timestamp:
            days[f"{system.time_manager.to_local(int(t)):%m-%d}"] += 1

        assert days == {"07-02": 58, "07-03": 42}
        assert system.session_data.current["SPY"].indicators["sma_100_5m"].valid

    def test_scans_after_the_early_close_are_skipped(self, july: Path) -> None:
        scans: list[str] = []
        at = probe_scanner(
            "09:30", "12:59", "13:00", "13:01", "15:55", scan=lambda s: scans.append(local_time(s.context))
        )
        engine(july, scanners=[at], **self.KEYS).run()
        assert scans == ["09:30", "12:59", "13:00"]

    def test_trailing_days_of_a_half_day_are_sessions(self, july: Path) -> None:
        system = prepared(july, symbols=["SPY"], days="2024-07-08", trailing={"1m": 3, "1d": 3})
        bars = system.session_data.current["SPY"].bars
        assert (len(bars["1m"].history), len(bars["1d"].history)) == (390 + 210 + 390, 3)
        assert bars["1m"].historical_quality.percent == 100.0


class TestChangeOfTheClock:
    @pytest.mark.parametrize(("day", "offset"), [("2024-03-08", "-05:00"), ("2024-03-11", "-04:00")])
    def test_the_session_opens_at_half_past_nine_all_the_same(self, march: Path, day: str, offset: str) -> None:
        got, told = streamed(march, "1m", "7m", "60m", symbols=["SPY"], days=day)

        assert {i: len(times) for i, times in got.items()} == {"1m": 390, "7m": 56, "60m": 7}
        assert (got["1m"][0], got["1m"][-1]) == ("09:31", "16:00")
        assert (got["7m"][0], got["7m"][-2:]) == ("09:37", ["15:55", "16:00"])
        assert told["open"] == f"{day}T09:30:00{offset}"

    def test_history_runs_over_the_change(self, march: Path) -> None:
        system = prepared(
            march,
            symbols=["SPY"],
            days="2024-03-11",
            trailing={"30m": 3},
            indicators=[{"name": "relative_volume", "interval": "30m", "params": {"sessions": 3}}],
        )
        series = system.session_data.current["SPY"].bars["30m"]
        local = [f"{system.time_manager.to_local(int(t)):%H:%M}" for t in series.history.timestamp]
        assert local[:13] == local[13:26] == local[26:]
        assert (local[0], len(local)) == ("09:30", 39)
        advance(system, "10:00")
        assert system.session_data.current["SPY"].indicators["relative_volume_3_30m"].valid


class TestLunchBreak:
    def test_no_bar_runs_over_it(self, hongkong: Path) -> None:
        got, day = streamed(
            hongkong, "1m", "60m", "1d", symbols=["0005.HK"], days="2024-06-06", exchange="XHKG", trailing={"1m": 1}
        )

        assert {i: len(times) for i, times in got.items()} == {"1m": 330, "60m": 6, "1d": 1}
        assert got["60m"] == ["10:30", "11:30", "12:00", "14:00", "15:00", "16:00"]
        assert "12:01" not in got["1m"]
        assert "13:00" not in got["1m"]
        told = day["symbols"]["0005.HK"]["bars"]["1m"]
        assert (told["quality"], told["historical_rows"], told["gaps"]) == (100.0, 330, [])
        assert day["symbols"]["0005.HK"]["bars"]["1d"]["base"] == "1m"

    def test_additions_at_lunch_see_the_whole_morning(self, hongkong: Path) -> None:
        system = prepared(hongkong, symbols=["0005.HK"], days="2024-06-06", exchange="XHKG")
        advance(system, "12:30")
        assert system.session_data.add_bar_unified("0005.HK", "15m")
        series = system.session_data.current["0005.HK"].bars["15m"]
        assert len(series.today) == 10
        assert series.quality == 100.0


class TestExtendedHours:
    @pytest.fixture(scope="class")
    @staticmethod
    def early_and_late(tmp_path_factory: pytest.TempPathFactory) -> Path:
        return made_store(
            tmp_path_factory.mktemp("extended"), ["SPY"], "2024-06-04", "2024-06-07", session_hours="extended"
        )

    def test_pre_and_post_market_are_streamed_when_asked_for(self, early_and_late: Path) -> None:
        keys: dict[str, Any] = {"symbols": ["SPY"], "days": "2024-06-06"}
        regular, _ = streamed(early_and_late, "1m", "60m", **keys)
        extended, day = streamed(early_and_late, "1m", "60m", session_hours="extended", **keys)

        assert (regular["1m"][0], regular["1m"][-1], len(regular["1m"])) == ("09:31", "16:00", 390)
        assert (extended["1m"][0], extended["1m"][-1], len(extended["1m"])) == ("04:01", "20:00", 960)
        assert extended["60m"][:7] == ["05:00", "06:00", "07:00", "08:00", "09:00", "09:30", "10:30"], "cut at the open"
        assert day["open"] == "2024-06-06T09:30:00-04:00"
        assert day["symbols"]["SPY"]["bars"]["1m"]["quality"] == 100.0, "quality is of regular hours"

    def test_the_real_pre_market_is_kept_out_by_default(self, minute_store: Path) -> None:
        keys: dict[str, Any] = {"symbols": ["SPY"], "days": "2013-10-10", "trailing": {"1m": 1}}
        regular = engine(minute_store, **keys).run()["days"][0]["symbols"]["SPY"]["bars"]["1m"]
        system = engine(minute_store, session_hours="extended", **keys)
        extended = system.run()["days"][0]["symbols"]["SPY"]["bars"]["1m"]

        assert (regular["session_rows"], regular["historical_rows"]) == (390, 390)
        assert extended["session_rows"] > 390
        assert extended["historical_rows"] > 390
        assert regular["quality"] == extended["quality"] == 100.0

    def test_a_daily_bar_is_of_regular_hours_and_seen_at_the_regular_close(self, early_and_late: Path) -> None:
        got, _ = streamed(early_and_late, "1m", "1d", symbols=["SPY"], days="2024-06-06", session_hours="extended")
        assert got["1d"] == ["16:00"]

    def test_scans_may_run_before_the_open(self, early_and_late: Path) -> None:
        scans: list[str] = []
        at = probe_scanner("03:59", "04:00", "08:00", "20:00", scan=lambda s: scans.append(local_time(s.context)))
        engine(early_and_late, scanners=[at], symbols=["SPY"], days="2024-06-06", session_hours="extended").run()
        assert scans == ["04:00", "08:00", "20:00"]


class TestAlwaysOpen:
    def test_a_day_without_a_night(self, tmp_path: Path) -> None:
        store = made_store(
            tmp_path / "coins", ["BTC/USD"], "2024-06-01", "2024-06-04", exchange="24/7", intervals=["1m"]
        )
        got, day = streamed(
            store, "60m", "1d", symbols=["BTC/USD"], days="2024-06-02", exchange="24/7", trailing={"60m": 1}
        )
        told = day["symbols"]["BTC/USD"]["bars"]["60m"]
        assert (len(got["60m"]), len(got["1d"])) == (24, 1)
        assert (told["session_rows"], told["historical_rows"], told["quality"]) == (24, 24, 100.0)
        assert day["date"] == "2024-06-02"


class TestOvernight:
    def test_scans_of_a_session_that_opens_on_the_evening_before(self, tmp_path: Path) -> None:
        """CMES opens at 17:00 in Chicago for the session of the next day."""
        scans: list[str] = []

        def scan(self: Any) -> None:
            scans.append(f"{self.context.now:%d %H:%M}")

        at = probe_scanner("16:30", "18:30", "09:00", scan=scan)
        store = made_store(tmp_path / "es", ["ES"], "2024-06-05", "2024-06-06", exchange="CMES", intervals=["1m"])
        got, day = streamed(
            store, "60m", symbols=["ES"], days="2024-06-06", exchange="CMES", trailing={"60m": 1}, scanners=[at]
        )
        assert scans == ["05 18:30", "06 09:00", "06 16:30"]
        assert got["60m"][0] == "18:00"
        assert day["open"].startswith("2024-06-05T17:00")
        assert day["symbols"]["ES"]["bars"]["60m"]["quality"] == 100.0


class TestDailyOnly:
    def test_a_session_of_daily_bars_alone(self, tmp_path: Path) -> None:
        store = made_store(tmp_path / "daily", ["SPY"], "2023-01-03", "2024-06-14", intervals=["1d"])
        got, day = streamed(
            store,
            *("1d", "1w"),
            symbols=["SPY"],
            days="2024-06-14",
            indicators=[
                {"name": "sma", "period": 200, "interval": "1d"},
                {"name": "sma", "period": 10, "interval": "1w"},
            ],
        )
        told = day["symbols"]["SPY"]
        assert got == {"1d": ["16:00"], "1w": ["16:00"]}
        assert told["base_interval"] == "1d"
        assert {k: i["valid"] for k, i in told["indicators"].items()} == {"sma_200_1d": True, "sma_10_1w": True}
        assert (told["bars"]["1d"]["historical_rows"], told["bars"]["1w"]["historical_rows"]) == (200, 10)

    def test_days_from_minutes_are_the_days_that_are_stored(self, july: Path, tmp_path: Path) -> None:
        """Made of minutes, a day opens, peaks and closes as its minutes do."""
        minutes = made_store(tmp_path / "minutes", ["SPY"], "2024-06-20", "2024-07-08", intervals=["1m"])
        system = prepared(minutes, symbols=["SPY"], days="2024-07-05", streams=["1d"], trailing={"1d": 5, "1m": 5})
        bars = system.session_data.current["SPY"].bars
        day, minute = bars["1d"].history, bars["1m"].history
        first = np.searchsorted(minute.timestamp, day.timestamp)

        assert bars["1d"].base == "1m"
        np.testing.assert_array_equal(day.open, minute.open[first])
        np.testing.assert_array_equal(day.high, np.maximum.reduceat(minute.high, first))
        np.testing.assert_array_equal(day.count, [390, 390, 390, 390, 210])
