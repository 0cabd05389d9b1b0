"""Series of a running session grow in place, and equal those of a store that holds the same bars."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from openbell.market_data.data_manager import DataManager
from openbell.market_data.today_bars import TodayBars
from openbell.model.bars import PRICE_COLUMNS, Bars
from openbell.model.feed_events import FeedBar
from openbell.store.store import BarStore
from openbell.testing import bar_starts, make_store, random_bars
from openbell.timing import TimeManager
from openbell.timing.clock import SimulatedClock

if TYPE_CHECKING:
    from pathlib import Path

BEFORE, DAY = date(2024, 7, 1), date(2024, 7, 2)
SYMBOLS = ("AAA", "BBB", "CCC")


class Growing:
    """A data manager of a running session, and the bars that have come of it."""

    def __init__(self, folder: Path) -> None:
        history = {name: {"1m": random_bars(bar_starts(BEFORE, BEFORE), seed=n)} for n, name in enumerate(SYMBOLS)}
        self._folder = folder
        self._history = history
        store = BarStore.open(make_store(folder / "store", history))
        self._today = TodayBars(DAY)
        self._today.sent = lambda _: ("1m",)
        self.manager = DataManager(store, TimeManager("XNYS", clock=SimulatedClock()), today=self._today).on_day(DAY)
        self._stores = 0

    def come(self, *bars: FeedBar) -> None:
        for bar in bars:
            self._today.add(bar)
        self.manager.grow([bar.symbol for bar in bars], "1m")

    def bars(self, symbol: str, interval: str) -> Bars:
        return self.manager.load_historical_bars(symbol, interval, BEFORE, DAY, base="1m")

    def of_a_store(self, symbol: str, interval: str) -> Bars:
        """Return the bars of a store that holds what has come."""
        self._stores += 1
        columns = self._today.columns(symbol, "1m")
        frames = [self._history[symbol]["1m"]]
        if columns is not None:
            frames.append(frame(columns.start_ns, columns.prices))
        store = make_store(self._folder / f"store{self._stores}", {symbol: {"1m": pl.concat(frames)}})
        manager = DataManager(BarStore.open(store), TimeManager("XNYS", clock=SimulatedClock()))
        return manager.load_historical_bars(symbol, interval, BEFORE, DAY, base="1m")

    def forget(self, symbol: str) -> None:
        self._today.forget([symbol])
        self.manager.forget([symbol])

    def check(self) -> None:
        for symbol in SYMBOLS:
            for interval in ("1m", "5m"):
                assert_equal(self.bars(symbol, interval), self.of_a_store(symbol, interval))


def frame(start_ns: np.ndarray, prices: np.ndarray) -> pl.DataFrame:
    starts = pl.Series(start_ns).cast(pl.Datetime("ns", "UTC"))
    return pl.DataFrame({"timestamp": starts, **dict(zip(PRICE_COLUMNS, prices, strict=True))})


def assert_equal(one: Bars, other: Bars) -> None:
    assert one.times.equal(other.times)
    for name in PRICE_COLUMNS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def bar(symbol: str, minute: int, change: float = 0.0) -> FeedBar:
    start_ns = int(bar_starts(DAY, DAY)[0]) + minute * 60_000_000_000
    price = 100 + np.sin(minute + len(symbol)) + change
    return FeedBar(symbol, "1m", start_ns, price, price + 1, price - 1, price + 0.5, 1000.0 + minute)


@pytest.fixture
def growing(tmp_path: Path) -> Growing:
    return Growing(tmp_path)


def test_bars_that_follow_one_another(growing: Growing) -> None:
    growing.check()
    for minute in range(150):  # more than there is room for at once
        growing.come(*(bar(symbol, minute) for symbol in SYMBOLS))
        if minute in (0, 70, 149):
            growing.check()


def test_symbols_of_equal_times_share_them(growing: Growing) -> None:
    for minute in range(3):
        growing.come(*(bar(symbol, minute) for symbol in SYMBOLS))
        assert len({id(growing.bars(symbol, "1m").times) for symbol in SYMBOLS}) == 1


def test_symbols_that_trade_at_different_times(growing: Growing) -> None:
    growing.bars("AAA", "1m")
    for minute in range(7):
        growing.come(*(bar(symbol, minute) for n, symbol in enumerate(SYMBOLS) if minute % (n + 1) == 0))
        growing.check()


def test_bars_that_come_late_or_again(growing: Growing) -> None:
    for minute in (0, 1, 2, 4, 5):
        growing.come(*(bar(symbol, minute) for symbol in SYMBOLS))
    growing.check()
    seen = growing.bars("AAA", "1m")
    before = seen.close.copy()
    growing.come(bar("AAA", 3))  # late
    growing.check()
    growing.come(bar("AAA", 5, 0.25))  # corrected
    growing.check()
    growing.come(bar("AAA", 6, 0.25), bar("BBB", 6))
    growing.check()
    growing.come(bar("AAA", 6, 0.5), bar("AAA", 7))  # corrected while another one comes
    growing.check()
    np.testing.assert_array_equal(seen.close, before)  # what was read stays as it was


def test_a_bar_of_no_session_is_passed_over(growing: Growing) -> None:
    growing.come(bar("AAA", -1), bar("AAA", 0))
    growing.check()
    growing.come(bar("AAA", 388))
    growing.check()
    growing.come(bar("AAA", 389), bar("AAA", 390))
    growing.check()
    growing.come(bar("AAA", 391))
    growing.check()


def test_a_symbol_that_is_forgotten_begins_anew(growing: Growing) -> None:
    for minute in range(3):
        growing.come(bar("AAA", minute))
    growing.bars("AAA", "1m")
    growing.forget("AAA")
    growing.check()
    growing.come(*(bar("AAA", minute, 0.5) for minute in range(4)))
    growing.check()
