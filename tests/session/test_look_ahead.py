"""Nothing that lies after the session clock can be read: not from a series, an indicator, a quality or a context."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from how_many import examples
from made_bars import made_store
from openbell import indicators
from openbell.config import IndicatorConfig
from openbell.errors import ConfigError
from openbell.indicators.by_session import Sessions
from openbell.provisioning import Addition, analyze_indicator_requirements
from openbell.store.store import BarStore
from openbell.testing import advance, bar_starts, make_store, probe_strategy, random_bars
from probes import COLUMNS, engine, local_time, prepared, visible, visible_indicator, visible_series
from readable import readable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openbell.engine.system import SystemManager

SYMBOLS = ("SPY", "IBM", "AIG")
RICH: dict[str, Any] = {
    "symbols": SYMBOLS,
    "streams": ["1m", "5m", "7m", "60m"],
    "trailing": {"1m": 2, "1d": 30, "1w": 30, "2d": 10},
    "indicators": [
        {"name": "ema", "period": 10, "interval": "5m"},
        {"name": "bbands", "interval": "7m"},
        {"name": "vwap", "interval": "1m"},
        {"name": "opening_range", "interval": "5m"},
        {"name": "session_high_low", "interval": "1m"},
        {"name": "swing_high", "interval": "1m"},
        {"name": "relative_volume", "interval": "5m", "params": {"sessions": 2}},
        {"name": "pivot_points", "interval": "60m"},
        {"name": "atr", "interval": "1d"},
        {"name": "sma", "period": 3, "interval": "1w"},
    ],
}
CLOCKS = st.integers(0, 390).map(lambda minute: f"{9 + (30 + minute) // 60:02d}:{(30 + minute) % 60:02d}")


def assert_nothing_after_the_clock(system: SystemManager) -> None:
    now = system.time_manager.now_ns
    for data in system.session_data.current.values():
        for series in data.bars.values():
            bars = series.data
            assert all(len(getattr(series, name)) == len(bars) == len(series) for name in COLUMNS)
            assert len(bars) == 0 or bars.end[-1] <= now
            assert len(series.today) == 0 or series.today.end[-1] <= now
            assert len(series.history) == 0 or series.history.end[-1] <= now
            assert all(gap.end_ns <= now for gap in series.gaps)
            assert f" {len(bars)} bars" in repr(series)
        for indicator in data.indicators.values():
            for name in indicator.outputs:
                assert len(indicator.output(name)) == len(indicator.series)
            assert len(indicator.values) == len(indicator.series)


@settings(max_examples=examples(20))
@given(clocks=st.lists(CLOCKS, max_size=8).map(sorted))
def test_at_every_moment_all_that_is_readable_has_closed(minute_store: Path, clocks: list[str]) -> None:
    system = prepared(minute_store, days="2013-10-11", **RICH)
    assert_nothing_after_the_clock(system)
    for clock in clocks:
        advance(system, clock)
        assert_nothing_after_the_clock(system)


def test_at_every_moment_of_a_run_too(minute_store: Path) -> None:
    systems: list[SystemManager] = []
    pairs = [(s, i) for s in SYMBOLS for i in ("1m", "5m", "1d")]

    def on_bar(self: Any, bar: Any) -> None:
        assert bar.end == self.context.now_ns
        assert self.context.bars(bar.symbol, bar.interval).close[-1] == bar.close
        if bar.interval != "1m" and f"{self.context.now:%M}" == "30":
            assert_nothing_after_the_clock(systems[0])

    systems.append(
        engine(minute_store, days="2013-10-11", strategies=[probe_strategy(subscriptions=pairs, on_bar=on_bar)], **RICH)
    )
    systems[0].run()


def cut(store: Path, target: Path, keep: Callable[[str, pl.DataFrame], pl.DataFrame]) -> Path:
    """A copy of a store with only some of its bars."""
    source, copy = BarStore.open(store), BarStore.open_or_create(target)
    with copy.writer() as writer:
        for entry in source.coverage():
            frame = source.read([entry.symbol], entry.interval, None, None).drop("symbol")
            writer.write(entry.symbol, entry.interval, keep(entry.interval, frame))
    shutil.copytree(source.path / "actions", target / "actions")
    return target


@pytest.fixture(scope="module")
def cut_stores(minute_store: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The real data as it was known on 2013-10-11 at some times of the day."""
    stores = {}
    for hour, minute in ((9, 31), (10, 2), (11, 0), (13, 43), (15, 59)):
        now = datetime(2013, 10, 11, hour + 4, minute, tzinfo=UTC)

        def known(interval: str, frame: pl.DataFrame, now: datetime = now) -> pl.DataFrame:
            # A minute bar is known a minute after its start; the daily bar of the 11th is not known before the close.
            if interval == "1d":
                return frame.filter(pl.col("timestamp") < datetime(2013, 10, 11, tzinfo=UTC))
            return frame.filter(pl.col("timestamp") + pl.duration(minutes=1) <= now)

        clock = f"{hour:02d}:{minute:02d}"
        stores[clock] = cut(minute_store, tmp_path_factory.mktemp("cut") / clock.replace(":", ""), known)
    return stores


@pytest.mark.parametrize("clock", ["09:31", "10:02", "11:00", "13:43", "15:59"])
def test_a_store_that_ends_at_that_time_shows_the_same(
    minute_store: Path, cut_stores: dict[str, Path], clock: str
) -> None:
    """What the day brings later has not leaked into what is visible now."""
    known, cut_off = (prepared(store, days="2013-10-11", **RICH) for store in (minute_store, cut_stores[clock]))
    for system in (known, cut_off):
        advance(system, clock)

    for symbol in SYMBOLS:
        whole, part = (visible(system.session_data.get_symbol_data(symbol)) for system in (known, cut_off))
        for interval, series in whole["bars"].items():
            assert series == part["bars"][interval], interval
        for key, indicator in whole["indicators"].items():
            assert indicator == part["indicators"][key], key


@pytest.mark.parametrize("clock", ["10:02", "13:43"])
def test_so_do_additions_in_mid_session(minute_store: Path, cut_stores: dict[str, Path], clock: str) -> None:
    known, cut_off = (prepared(store, days="2013-10-11", **RICH) for store in (minute_store, cut_stores[clock]))
    for system in (known, cut_off):
        advance(system, clock)
        assert system.coordinator.add_symbol("BAC")
        assert system.session_data.add_indicator_unified("SPY", IndicatorConfig("ema", period=30, interval="15m"))

    for symbol in ("SPY", "BAC"):
        whole, part = (visible(system.session_data.get_symbol_data(symbol)) for system in (known, cut_off))
        assert whole == part


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_store(tmp_path_factory.mktemp("year"), ["SPY"], "2023-01-03", "2024-06-14", intervals=["1d"])


def test_every_indicator_is_blind_to_tomorrow(year: Path, minute_store: Path, cut_stores: dict[str, Path]) -> None:
    """The whole registry through the session: what it shows at 13:43 does not depend on what comes later."""
    known, cut_off = (
        prepared(store, days="2013-10-11", symbols=["IBM"], on_shortfall="warm")
        for store in (minute_store, cut_stores["13:43"])
    )
    for system in (known, cut_off):
        advance(system, "13:43")
    added = 0
    for name in indicators.names():
        config = IndicatorConfig(name, interval="5m")
        if all(s.session_data.add_indicator_unified("IBM", config) for s in (known, cut_off)):
            added += 1
    whole, part = (system.session_data.get_symbol_data("IBM") for system in (known, cut_off))
    assert whole is not None
    assert part is not None
    assert added > 150
    for key, indicator in whole.indicators.items():
        assert visible_indicator(indicator) == visible_indicator(part.indicators[key]), key


def garbled(store: Path, target: Path) -> Path:
    """A copy of a store in which all that is not known at 11:00 on 2013-10-11 is nonsense."""
    now = datetime(2013, 10, 11, 15, tzinfo=UTC)

    def nonsense(interval: str, frame: pl.DataFrame) -> pl.DataFrame:
        length = pl.duration(minutes=1) if interval == "1m" else pl.duration(hours=24)
        later = pl.col("timestamp") + length > now
        prices = [pl.when(later).then(pl.col(c) * 1000 + 7).otherwise(pl.col(c)) for c in COLUMNS[2:7]]
        return frame.with_columns(prices)

    return cut(store, target, nonsense)


@pytest.fixture(scope="module")
def futures(minute_store: Path, cut_stores: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three stores with the same past at 11:00 on 2013-10-11: with the real future, without any, with nonsense."""
    return [minute_store, cut_stores["11:00"], garbled(minute_store, tmp_path_factory.mktemp("garbled") / "store")]


def read_at_eleven(store: Path, **keys: Any) -> dict[str, object]:
    """All that a strategy can read at 11:00 of a run, from all that it is given."""
    found: dict[str, object] = {}
    given: list[object] = []

    def keep(self: Any, bar: Any) -> None:
        if local_time(self.context) == "11:00":
            given.append(bar)

    def look(self: Any, bars: Any) -> None:
        keep(self, bars)
        if given and bars.interval == "5m":  # the last that is given at that time
            found.update(readable({"self": self, "given": given}))
            given.clear()

    pairs = [(s, i) for s in SYMBOLS for i in ("1m", "5m", "60m")]
    watcher = probe_strategy(subscriptions=pairs, on_bar=keep, on_slice=look)
    engine(store, days="2013-10-11", strategies=[watcher], **{**RICH, **keys}).run()
    return found


@pytest.mark.parametrize(
    "mode",
    [
        {},
        *(
            pytest.param(mode, marks=pytest.mark.long)
            for mode in (
                {"gap_policy": "forward"},
                {"gap_policy": "forward", "indicators_see_filled": True},
                {"session_hours": "extended"},
                {"adjustment": "raw", "min_completeness": 0.9},
                {"adjustment": "total", "min_quality": 50.0},
            )
        ),
    ],
    ids=lambda mode: " ".join(f"{key}={value}" for key, value in mode.items()) or "defaults",
)
def test_nothing_that_a_strategy_can_reach_depends_on_the_future(futures: list[Path], mode: dict[str, Any]) -> None:
    """Not even the memory behind an array, a frame, or a pickle."""
    # Without any future and with nonsense, which differ the most; the real one, too, in other modes.
    real, *others = (read_at_eleven(store, **mode) for store in (futures if mode else futures[1:]))
    assert sum(".base" in way for way in real) > 500
    for other in others:
        assert sorted(real.keys() ^ other.keys()) == []
        assert [way for way in real if real[way] != other[way]] == []


EVERY_INTERVAL = ("1m", "5m", "7m", "60m", "1d", "2d", "1w")
MODES: tuple[dict[str, Any], ...] = (
    {},
    {"gap_policy": "forward"},
    {"gap_policy": "forward", "indicators_see_filled": True},
    {"gap_policy": {"5m": "forward", "IBM": {"7m": "forward", "default": "none"}}, "adjustment": "raw"},
    {"session_hours": "extended", "min_completeness": 0.9},
    {"historical": {"gap_fill": True}, "adjustment": "total", "min_quality": 50.0},
)


def with_the_whole_registry(store: Path, clock: str, **keys: Any) -> SystemManager:
    """A session at 11:00 with every indicator on every interval that suits it, added at some time of the day."""
    system = prepared(store, days="2013-10-11", symbols=["IBM"], on_shortfall="warm", **keys)
    advance(system, clock)
    for interval in EVERY_INTERVAL:
        configs = []
        for name in indicators.names():
            with suppress(ConfigError):  # it has no meaning on such bars
                configs.append(analyze_indicator_requirements(IndicatorConfig(name, interval=interval)).config)
        details = {"indicator_config": configs[0], "more": configs[1:]}
        assert system.coordinator.provisioner.provision([Addition("indicator", "IBM", "strategy", "", details)]) == [
            True
        ]
    advance(system, "11:00")
    return system


@pytest.mark.long
@pytest.mark.parametrize(("mode", "clock"), [({}, "11:00"), *((mode, "09:30") for mode in MODES)], ids=str)
def test_no_indicator_on_any_interval_in_any_mode_depends_on_the_future(
    futures: list[Path], mode: dict[str, Any], clock: str
) -> None:
    """All that is readable of the whole registry: values, arrays, the memory behind them, pickles, bars."""
    # Without any future and with nonsense, which differ the most; the real one, too, where nothing is set.
    stores = futures if not mode else futures[1:]
    systems = [with_the_whole_registry(store, clock, **mode) for store in stores]
    held = systems[0].session_data.current["IBM"].indicators
    assert len(held) > 6 * len(indicators.names())
    assert sum(indicator.valid for indicator in held.values()) > 6 * 180
    real, *others = (readable(system.session_data) for system in systems)
    for other in others:
        assert sorted(real.keys() ^ other.keys()) == []
        assert [way for way in real if real[way] != other[way]] == []


def high_of_the_day(bars: indicators.IndicatorInputs, _: Any) -> Any:
    sessions = Sessions(bars.session)
    return sessions.highest(bars.high)[sessions.of_row]


def falls_soon(bars: indicators.IndicatorInputs, _: Any) -> Any:
    """1.0 where a close of the next 12 bars is 1 % lower."""
    later = np.lib.stride_tricks.sliding_window_view(np.append(bars.close, np.full(12, np.inf)), 13)
    return (later.min(axis=1) < 0.99 * bars.close).astype(float)


def mean_move_by_fft(close: Any) -> Any:
    """The mean of the last moves, which depends on no later one but for the last digits of a transform."""
    moves, size = np.diff(close, prepend=close[:1]), 2 * len(close)
    return np.fft.irfft(np.fft.rfft(moves, size) * np.fft.rfft(np.full(10, 0.1), size), size)[: len(close)]


def swing_high(bars: indicators.IndicatorInputs, _: Any) -> Any:
    """1.0 where a high is above the three before and the three after it."""
    window = np.lib.stride_tricks.sliding_window_view(np.pad(bars.high, 3, constant_values=np.inf), 7)
    return (window.argmax(axis=1) == 3).astype(float)


@pytest.mark.parametrize("day", ["2024-07-01", "2024-07-02", "2024-07-03"])
@pytest.mark.parametrize("kernel", [high_of_the_day, falls_soon, swing_high])
def test_a_kernel_that_looks_ahead_within_the_day_is_refused_on_every_day(
    tmp_path: Path, kernel: Callable[..., Any], day: str
) -> None:
    """However little history there is, and however calm the bars are."""
    starts = bar_starts("2024-06-28", "2024-07-03", "5m")
    store = make_store(tmp_path / "store", {"CALM": {"5m": random_bars(starts, seed=5)}})
    name = f"{kernel.__name__}_of_a_user"
    register = indicators.register(
        name, title="x", group="test", inputs=("high", "close"), parameters=(), session_aware=True,
        lookback=lambda _: indicators.Lookback(bars=1, sessions=1),
    )  # fmt: skip
    register(kernel)
    try:
        system = prepared(store, symbols=["CALM"], streams=["5m"], days=day)
        added = system.session_data.add_indicator_unified("CALM", IndicatorConfig(name, interval="5m"))
    finally:
        indicators.REGISTRY.remove(name)

    assert not added
    assert "reads bars that come later" in system.coordinator.provisioner.journal.records[-1].errors[0]


@pytest.mark.parametrize(
    ("name", "kernel", "causal"),
    [
        ("next_close", lambda bars, _: np.append(bars.close[1:], np.nan), False),
        ("share_of_high", lambda bars, _: bars.close / bars.high.max(), False),
        ("centred", lambda bars, _: np.convolve(bars.close, np.ones(3) / 3, "same"), False),
        ("running_high", lambda bars, _: np.maximum.accumulate(bars.high), True),
        ("by_fft", lambda bars, _: mean_move_by_fft(bars.close), True),
        ("running_mean", lambda bars, _: np.cumsum(bars.close) / np.arange(1, len(bars) + 1), True),
    ],
)
def test_a_users_kernel_that_reads_later_bars_is_refused(
    minute_store: Path, name: str, kernel: Callable[..., Any], causal: bool
) -> None:
    inputs = ("high", "close")
    indicators.register(name, title=name, group="test", inputs=inputs, parameters=(), lookback=lambda _: 1)(kernel)
    try:
        system = prepared(minute_store, symbols=["IBM"])
        added = system.session_data.add_indicator_unified("IBM", IndicatorConfig(name, interval="1m"))
    finally:
        indicators.REGISTRY.remove(name)

    assert added is causal
    errors = system.coordinator.provisioner.journal.records[-1].errors
    assert causal or f"{name}_1m reads bars that come later" in errors[0]


class TestWeeks:
    def test_a_week_is_visible_at_its_end_only(self, year: Path) -> None:
        """2024-05-27 is a holiday: that week is of four sessions. 2024-06-14 is a Friday."""
        seen = {}
        for day in ("2024-05-29", "2024-05-31", "2024-06-13", "2024-06-14"):
            system = prepared(year, days=day, streams=["1d"], trailing={"1w": 20})
            series = system.session_data.current["SPY"].bars["1w"]
            opened = len(series)
            advance(system, "15:59")
            before = len(series)
            advance(system, "16:00")
            seen[day] = (before - opened, len(series) - before)
            if len(series) > before:
                assert series.close[-1] == system.session_data.current["SPY"].bars["1d"].close[-1]
                assert series.count[-1] == (4 if day == "2024-05-31" else 5)

        assert seen == {"2024-05-29": (0, 0), "2024-05-31": (0, 1), "2024-06-13": (0, 0), "2024-06-14": (0, 1)}

    def test_today_is_visible_at_the_close_only(self, year: Path) -> None:
        system = prepared(year, days="2024-06-13", streams=["1d"])
        series = system.session_data.current["SPY"].bars["1d"]
        advance(system, "15:59")
        assert len(series) == 0
        advance(system, "16:00")
        assert len(series) == 1
        day = system.time_manager.to_local(int(series.timestamp[0])).date()
        assert day == date(2024, 6, 13)


class TestViews:
    def test_frames_end_at_the_clock_too(self, minute_store: Path) -> None:
        system = prepared(minute_store)
        advance(system, "11:00")
        series = system.session_data.current["SPY"].bars["1m"]

        assert len(series.to_polars()) == len(series.to_pandas()) == 90
        assert series.to_polars()["end"][-1] == system.time_manager.get_current_time()

    def test_what_is_read_cannot_be_written(self, minute_store: Path) -> None:
        system = prepared(minute_store, indicators=[{"name": "ema", "period": 5}])
        advance(system, "11:00")
        data = system.session_data.current["SPY"]
        columns = [getattr(data.bars["1m"], name) for name in COLUMNS]
        for column in [*columns, data.bars["1m"].data.close, data.indicators["ema_5_1m"].values]:
            with pytest.raises(ValueError, match="read-only"):
                column[0] = 0

    def test_nobody_can_make_it_writable(self, minute_store: Path) -> None:
        system = prepared(minute_store, indicators=[{"name": "ema", "period": 5}])
        advance(system, "11:00")
        data = system.session_data.current["SPY"]
        series, indicator = data.bars["1m"], data.indicators["ema_5_1m"]
        parts = (series, series.data, series.history, series.today, series.data[3:9], series.data.window(3, 9))
        for column in [indicator.values, *(getattr(part, name) for part in parts for name in COLUMNS)]:
            with pytest.raises(ValueError, match="WRITEABLE"):
                column.setflags(write=True)
            base = column
            while isinstance(base, np.ndarray):
                with pytest.raises(ValueError, match="WRITEABLE"):
                    base.flags.writeable = True
                base = base.base
            with pytest.raises(TypeError, match="bytes-like"):
                memoryview(base)

    def test_what_was_read_stays_as_it_was(self, minute_store: Path) -> None:
        system = prepared(minute_store)
        advance(system, "11:00")
        series = system.session_data.current["SPY"].bars["1m"]
        bars, copy = series.data, visible_series(series)
        closes = series.close
        advance(system, "12:00")

        assert len(bars) == len(closes) == 90
        assert bars.close.tobytes() == copy["close"]
        assert len(series) == 150

    def test_reading_copies_nothing(self, minute_store: Path) -> None:
        system = prepared(minute_store)
        advance(system, "11:00")
        series = system.session_data.current["SPY"].bars["1m"]

        assert np.shares_memory(series.close, series.data.close)
        assert np.shares_memory(series.close, series.today.close)
