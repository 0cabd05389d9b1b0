"""Bars that live sessions keep, and bars of another source that stand in for them."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from typer.testing import CliRunner

from live.server import FeedServer
from live.tape import Tape
from live.test_sessions_over_a_socket import MINUTE, stored_bars
from live.virtual_time import VirtualArrivals
from openbell.cli.app import app
from openbell.config import load_config
from openbell.engine.preflight import require_good_config
from openbell.errors import ConfigError
from openbell.live.incoming.earlier_bars import place_of_kept_bars
from openbell.live.record.verify import verify_run
from openbell.live.run import LiveRun
from openbell.results.folder.run_folder import RunFolder
from openbell.store.store import BarStore
from openbell.timing import TimeManager
from openbell.timing.clock import SimulatedClock

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.config import SessionConfig
    from openbell.model.feed_events import FeedBar

WEDNESDAY, THURSDAY = date(2013, 10, 9), date(2013, 10, 10)


EARLY = {"name": "XNYS_EARLY", "like": "XNYS", "early_closes": {"2013-10-09": "11:00", "2013-10-10": "11:00"}}
"""Two short days, where their length is not the point."""


def config_of(store: Path, day: date, *, exchange: Any = "XNYS", **live: Any) -> SessionConfig:
    config = {
        "mode": "live",
        "exchange": exchange,
        "store": str(store),
        "live": {"url": "ws://127.0.0.1:1", "feed": "test", **live},
        "session_data_config": {
            "symbols": ["SPY", "IBM"],
            "streams": ["1m"],
            "historical": {"data": [{"trailing_days": 1, "intervals": ["1m"]}]},
        },
    }
    return load_config(config).with_days(day, day)


def play(folder: Path, config: SessionConfig, bars: list[FeedBar], day: date) -> Path:
    """Play a day by a server that has no history of the days before."""
    time_manager = TimeManager(config.exchange, clock=SimulatedClock())
    session = time_manager.session(day)
    today = [b for b in bars if b.interval == "1m" and session.first_ns <= b.start_ns < session.last_ns]
    time = VirtualArrivals(session.first_ns - MINUTE)
    with FeedServer(time, today, intervals=["1m"]) as server:
        server.play(Tape(today))
        run = LiveRun(config, server.feed(), folder, [day], time_manager)
        with time.running(lambda: run.run(RunFolder(folder, config, keep_bars=True))) as running:
            time.advance_to(session.last_ns + 10 * MINUTE)
            running.result()
    return folder


def days_of(run: Path, symbol: str = "SPY") -> dict[date, int]:
    """How many bars the session had, by day."""
    (path,) = (run / "bars").rglob(f"{symbol}_1m.parquet")
    days = pl.read_parquet(path)["timestamp"].dt.date()
    return dict(days.value_counts().iter_rows())


def warnings_of(run: Path) -> str:
    return " ".join(json.loads((run / "summary.json").read_text())["warnings"])


@pytest.fixture(scope="module")
def bars(minute_store: Path) -> list[FeedBar]:
    return [bar for bar in stored_bars(minute_store) if bar.symbol in ("SPY", "IBM")]


def test_what_a_day_kept_is_the_warm_up_of_the_next(bars: list[FeedBar], tmp_path: Path) -> None:
    store = tmp_path / "store"
    first = play(tmp_path / "one", config_of(store, WEDNESDAY, exchange=EARLY, keep_bars=True), bars, WEDNESDAY)
    second = play(tmp_path / "two", config_of(store, THURSDAY, exchange=EARLY, keep_bars=True), bars, THURSDAY)
    alone = play(tmp_path / "three", config_of(store, THURSDAY, exchange=EARLY), bars, THURSDAY)

    assert days_of(first).keys() == {WEDNESDAY}
    assert days_of(second) == {WEDNESDAY: 90, THURSDAY: 90}
    assert days_of(alone).keys() == {THURSDAY}, "of a config that keeps nothing"
    assert verify_run(second).differences == ()
    listed = CliRunner().invoke(app, ["data", "ls", "--store", str(place_of_kept_bars(store, "test"))])
    assert "bars of the feed test, kept by live sessions" in listed.output
    assert listed.output.count("1m") == 2


@pytest.mark.long
def test_kept_bars_take_no_place_in_the_store_of_a_vendor(bars: list[FeedBar], own_store: Path, tmp_path: Path) -> None:
    before = BarStore.open(own_store).read(["SPY"], "1m", None, None)
    wrong = [bar._replace(close=bar.low) for bar in bars]
    play(tmp_path / "run", config_of(own_store, WEDNESDAY, keep_bars=True), wrong, WEDNESDAY)

    after = BarStore.open(own_store)
    assert after.read(["SPY"], "1m", None, None).equals(before)
    assert CliRunner().invoke(app, ["data", "verify", "--store", str(own_store)]).exit_code == 0
    kept = BarStore.open(place_of_kept_bars(own_store, "test")).read(["SPY"], "1m", None, None)
    assert len(kept) == 390
    assert (kept["close"] == kept["low"]).all()


@pytest.mark.long
def test_bars_of_another_source_stand_in_only_if_they_may_and_are_named(
    bars: list[FeedBar], own_store: Path, tmp_path: Path
) -> None:
    alone = play(tmp_path / "alone", config_of(own_store, THURSDAY), bars, THURSDAY)
    mixed = play(tmp_path / "mixed", config_of(own_store, THURSDAY, mix_feeds=True), bars, THURSDAY)

    assert days_of(alone).keys() == {THURSDAY}
    assert "mix_feeds" not in warnings_of(alone)
    assert days_of(mixed) == {WEDNESDAY: 390, THURSDAY: 390}
    assert f"are of the store {own_store} and not of the feed test" in warnings_of(mixed)
    assert verify_run(mixed).differences == ()


@pytest.mark.long
def test_what_the_feed_has_goes_before_what_was_kept_and_that_before_another_source(
    bars: list[FeedBar], own_store: Path, tmp_path: Path
) -> None:
    kept = [bar._replace(volume=1.0) for bar in bars if bar.start_ns % (2 * MINUTE)]
    config = config_of(own_store, WEDNESDAY, keep_bars=True)
    play(tmp_path / "one", config, kept, WEDNESDAY)
    config = config_of(own_store, THURSDAY, keep_bars=True, mix_feeds=True)
    run = play(tmp_path / "two", config, bars, THURSDAY)

    (path,) = (run / "bars").rglob("SPY_1m.parquet")
    frame = pl.read_parquet(path).filter(pl.col("timestamp").dt.date() == WEDNESDAY)
    of_the_feed = frame.filter(pl.col("timestamp").dt.minute() % 2 == 1)
    assert (len(frame), of_the_feed["volume"].unique().to_list()) == (390, [1.0])


@pytest.mark.parametrize("key", ["keep_bars", "mix_feeds"])
def test_without_a_store_nothing_is_kept_or_mixed(key: str) -> None:
    config = load_config(
        {
            "mode": "live",
            "live": {"url": "ws://127.0.0.1:1", key: True},
            "session_data_config": {"symbols": ["SPY"], "streams": ["1m"]},
        }
    )
    with pytest.raises(ConfigError, match=f"live.{key}: needs a store"):
        require_good_config(config)
