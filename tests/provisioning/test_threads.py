"""Additions from many threads while a session runs: none lost, none doubled, and nobody ever sees half a symbol."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from made_bars import made_store
from openbell.compat.requirements import analyze_requirements
from openbell.config import IndicatorConfig
from openbell.testing import advance, probe_strategy
from probes import engine, execute, prepared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openbell.session import SessionData

SYMBOLS = [f"S{n:02d}" for n in range(25)]
CONFIGS = [
    IndicatorConfig("sma", period=20, interval="5m"),
    IndicatorConfig("rsi", period=14, interval="15m"),
    IndicatorConfig("sma", period=60, interval="1m"),
    IndicatorConfig("vwap", interval="5m"),
]
KEYS = ["sma_20_5m", "rsi_14_15m", "sma_60_1m", "vwap_5m"]
ASKED: dict[str, Any] = {
    "streams": ["1m", "5m"],
    "trailing": {"1m": 2},
    "indicators": [{"name": "ema", "period": 5, "interval": "5m"}],
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_store(tmp_path_factory.mktemp("threads"), ["SPY", *SYMBOLS], "2024-06-03", "2024-06-10")


@pytest.fixture(autouse=True)
def _switch_often() -> Iterator[None]:
    """Let threads interrupt one another everywhere."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def broken(data: SessionData) -> list[str]:
    """What a reader sees that must never be seen."""
    found = []
    for name, symbol in data.current.items():
        if not symbol.bars or not symbol.owners:
            found.append(f"{name} has nothing")
        for interval, series in symbol.bars.items():
            bars = series.data
            if len(bars) < series.today_row or len(bars) == 0:
                found.append(f"{name} {interval} has no history or no bars")
            if series.today_row and len(series.today) == 0 and interval != "1d":
                found.append(f"{name} {interval} has no morning")
            if series.is_scored != symbol.meets_session_config_requirements:
                found.append(f"{name} {interval} is scored by halves")
        for key, indicator in symbol.indicators.items():
            if indicator.series is not symbol.bars.get(indicator.series.interval):
                found.append(f"{name} {key} reads bars that are not there")
            if not indicator.valid:
                found.append(f"{name} {key} is not valid")
        if symbol.meets_session_config_requirements and not ({"1m", "5m"} <= set(symbol.bars)):
            found.append(f"{name} lacks intervals")
        if symbol.meets_session_config_requirements and "ema_5_5m" not in symbol.indicators:
            found.append(f"{name} lacks an indicator")
    return found


class Crowd:
    """Threads that add, threads that read, and the session that goes on between them."""

    def __init__(self) -> None:
        self.results: list[tuple[str, str, bool]] = []
        self.seen: list[str] = []
        self.errors: list[BaseException] = []
        self.reads = 0
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, jobs: list[list[Any]], data: SessionData) -> None:
        self._adders = [threading.Thread(target=self._guarded, args=(self._add, job)) for job in jobs]
        self._readers = [threading.Thread(target=self._guarded, args=(self._read, data)) for _ in range(2)]
        for thread in (*self._readers, *self._adders):
            thread.start()

    def join(self) -> None:
        for thread in self._adders:
            thread.join()
        self._over.set()
        for thread in self._readers:
            thread.join()

    def _guarded(self, work: Any, argument: Any) -> None:
        try:
            work(argument)
        except BaseException as error:  # noqa: BLE001  a thread's error must reach the test
            self.errors.append(error)

    def _add(self, jobs: list[Any]) -> None:
        for symbol, what, add in jobs:
            self.results.append((symbol, what, add()))

    def _read(self, data: SessionData) -> None:
        while not self._over.is_set():
            self.seen += broken(data)
            self.reads += 1


def test_200_additions_from_8_threads_during_a_running_session(store: Path) -> None:
    """100 indicators of 25 symbols from four threads each way round, and these symbols as full ones, twice over."""
    crowd = Crowd()
    bars: Counter[str] = Counter()

    def jobs_of(context: Any) -> list[list[Any]]:
        indicators = [
            (s, key, lambda s=s, c=config: context.add_indicator(s, c))
            for s, (config, key) in product(SYMBOLS, zip(CONFIGS, KEYS, strict=True))
        ]
        full = [(s, "full", lambda s=s: context.add_symbol(s)) for s in (*SYMBOLS, *reversed(SYMBOLS))]
        again = [(s, "bars", lambda s=s: context.add_bar(s, "30m", days=1)) for s in (*SYMBOLS, *SYMBOLS)]
        everything = [*indicators, *full, *again]
        assert len(everything) == 200
        return [everything[n::8] for n in range(8)]

    def on_bar(self: Any, bar: Any) -> None:
        bars[bar.symbol] += 1
        at = f"{self.context.now:%H:%M}"
        if (bar.symbol, at) == ("SPY", "10:00"):
            crowd.start(jobs_of(self.context), self.context.session_data)
        if (bar.symbol, at) == ("SPY", "15:00"):
            crowd.join()

    def subscriptions(self: Any) -> list[tuple[str, str]]:
        return [(s, "1m") for s in self.context.symbols]

    system = engine(
        store,
        days="2024-06-10",
        strategies=[probe_strategy(subscriptions=subscriptions, on_bar=on_bar)],
        **ASKED,
    )
    day = system.run()["days"][0]

    assert crowd.errors == []
    assert crowd.seen == []
    assert crowd.reads > 0
    assert len(crowd.results) == 200
    assert all(ok for _, _, ok in crowd.results)
    assert sorted(system.session_data.symbols) == sorted(["SPY", *SYMBOLS])
    for symbol in SYMBOLS:
        data = system.session_data.current[symbol]
        assert data.meets_session_config_requirements
        assert set(data.indicators) == {*KEYS, "ema_5_5m"}
        assert set(data.bars) == {"1m", "5m", "15m", "30m"}
        mine = [r for r in day["provisioning"] if r["symbol"] == symbol]
        assert len(mine) == 8, "one record for every request"
        done = [step["name"] for r in mine for step in r["steps"]]
        for once in ("create_symbol", *(f"add_interval_{i}" for i in data.bars)):
            assert done.count(once) == 1, once
        assert done.count("upgrade_symbol") == data.upgraded_from_adhoc
        assert bars[symbol] >= 60, "from 15:00 on at the latest its bars are streamed"
        assert len(data.bars["1m"].today) == 390
    assert bars["SPY"] == 390


def test_requirements_analysed_without_the_lock_do_not_undo_one_another(store: Path) -> None:
    """The specification's own way: analyse, then execute, from threads that race for the same symbols."""
    system = prepared(store, days="2024-06-10", **ASKED)
    advance(system, "10:30")
    barrier = threading.Barrier(4)

    def unified(operation: str, symbol: str, **details: Any) -> bool:
        req = analyze_requirements(operation, symbol, "strategy", system.session_data, system.coordinator, **details)
        return req.can_proceed and execute(system, req)

    def job(what: int) -> list[Any]:
        def one(symbol: str) -> bool:
            barrier.wait()
            if what == 0:
                return unified("symbol", symbol)
            if what == 3:
                return unified("bar", symbol, interval="30m", days=1)
            return unified("indicator", symbol, indicator_config=CONFIGS[what])

        return [(s, str(what), lambda s=s: one(s)) for s in SYMBOLS]

    crowd = Crowd()
    crowd.start([job(n) for n in range(4)], system.session_data)
    crowd.join()

    assert crowd.errors == []
    assert crowd.seen == []
    assert all(ok for _, _, ok in crowd.results)
    for symbol in SYMBOLS:
        data = system.session_data.current[symbol]
        assert data.meets_session_config_requirements, symbol
        assert set(data.indicators) == {"ema_5_5m", "rsi_14_15m", "sma_60_1m"}
        assert {name: len(s.history) for name, s in data.bars.items()}.keys() == {"1m", "5m", "15m", "30m"}
        assert all(i.valid for i in data.indicators.values())


def test_a_reader_never_meets_a_torn_series(store: Path) -> None:
    """While the clock moves, a snapshot of a series is consistent in itself."""
    problems: list[str] = []
    over = threading.Event()

    def read(context: Any) -> None:
        while not over.is_set():
            series = context.bars("SPY", "5m")
            bars, before = series.data, context.now_ns
            if len(bars.close) != len(bars.timestamp) or (len(bars) and bars.end[-1] > context.now_ns):
                problems.append(f"{len(bars)} bars at {before}")
            if not np.all(np.diff(bars.timestamp) > 0):
                problems.append("times out of order")

    def setup(self: Any) -> None:
        self.readers = [threading.Thread(target=read, args=(self.context,)) for _ in range(3)]
        for reader in self.readers:
            reader.start()

    def teardown(self: Any) -> None:
        over.set()
        for reader in self.readers:
            reader.join()

    pairs = [("SPY", "1m"), ("SPY", "5m")]
    engine(
        store,
        days="2024-06-10",
        strategies=[probe_strategy(subscriptions=pairs, setup=setup, teardown=teardown, on_bar=lambda s, b: None)],
        **ASKED,
    ).run()

    assert problems == []
