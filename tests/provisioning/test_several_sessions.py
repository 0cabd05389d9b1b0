"""Bars of several sessions come when they close, whether or not history was asked for."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from made_bars import made_store
from openbell.market_data.data_manager import DataManager
from openbell.store.store import BarStore
from openbell.testing import probe_strategy
from openbell.timing import TimeManager
from probes import engine, prepared, strategy_at

if TYPE_CHECKING:
    from pathlib import Path

TM = TimeManager("XNYS")
RUN = ("2024-07-10", "2024-07-26")
INTERVALS = ("1w", "2d", "3d", "2w")


@pytest.fixture(scope="module", params=[("1m",), ("1m", "1d")])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sessions") / "store"
    return made_store(folder, ["A"], "2024-06-03", "2024-07-31", intervals=request.param)


def expected(store: Path, interval: str) -> list[tuple[int, float, float]]:
    """When each bar that closes within the run does so, with its open and close."""
    bars = DataManager(BarStore.open(store), TM).load_historical_bars(
        "A", interval, date(2024, 6, 3), date(2024, 7, 31)
    )
    begin, end = TM.session(date(2024, 7, 10)).first_ns, TM.session(date(2024, 7, 26)).last_ns
    inside = (bars.end > begin) & (bars.end <= end)
    columns = (bars.end[inside], bars.open[inside], bars.close[inside])
    return list(zip(*(column.tolist() for column in columns), strict=True))


def run(store: Path, **keys: Any) -> list[tuple[str, int, float, float]]:
    seen: list[tuple[str, int, float, float]] = []
    strategy = probe_strategy(
        subscriptions=[("A", interval) for interval in INTERVALS],
        on_bar=lambda self, bar: seen.append((bar.interval, bar.end, bar.open, bar.close)),
    )
    engine(store, days=RUN, symbols=["A"], strategies=[strategy], **keys).run()
    return seen


@pytest.mark.parametrize("streams", [["1m"], ["1m", *INTERVALS]])
def test_every_bar_that_closes_in_the_run_comes(store: Path, streams: list[str]) -> None:
    seen = run(store, streams=streams)

    for interval in INTERVALS:
        got = [bar[1:] for bar in seen if bar[0] == interval]
        assert got
        assert got == expected(store, interval)


def test_it_is_the_same_with_history(store: Path) -> None:
    assert run(store) == run(store, trailing=dict.fromkeys(INTERVALS, 20))


def test_the_running_bar_shows_when_it_closes_and_not_before(store: Path) -> None:
    lengths: list[tuple[str, int]] = []
    strategies = [
        strategy_at(
            "15:59",
            lambda context: lengths.append((f"{context.session_date}", len(context.bars("A", "1w")))),
            watch="A",
            setup=lambda self: self.context.add_bar("A", "1w"),
        )
    ]
    system = engine(store, days=("2024-07-10", "2024-07-15"), symbols=["A"], strategies=strategies)
    system.run()

    assert lengths == [(day, 0) for day in ("2024-07-10", "2024-07-11", "2024-07-12", "2024-07-15")]


def test_a_stream_that_cannot_deliver_within_the_run_is_a_warning_before_it(store: Path) -> None:
    system = prepared(store, days=("2024-07-08", "2024-07-10"), symbols=["A"], streams=["1m", "1w"])

    (warning,) = system.warnings
    assert "no 1w bar closes from 2024-07-08 to 2024-07-10; the running one closes on 2024-07-12" in warning
    assert engine(store, days=("2024-07-08", "2024-07-12"), symbols=["A"], streams=["1m", "1w"]).warnings == ()
