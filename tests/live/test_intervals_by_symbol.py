"""Stores whose symbols have different intervals, and names, are played live as in a backtest."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pytest

from live.parity import both
from live.sessions import pairs, seer, session, slices, trader
from made_actions import actions
from openbell.actions import ActionStore
from openbell.live.record.verify import verify_run
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path


EARLY = {"name": "XNYS_EARLY", "like": "XNYS", "early_closes": {"2013-10-09": "12:00"}}
"""A short day: its length is not the point."""


def bars_of(source: BarStore, symbol: str, interval: str) -> pl.DataFrame:
    """Bars of a store with the columns that are written; those of 5m are made of those of 1m."""
    if interval != "5m":
        return source.read([symbol], interval, date(2013, 8, 1), None).drop("symbol", strict=False)
    return (
        bars_of(source, symbol, "1m")
        .group_by_dynamic("timestamp", every="5m")
        .agg(
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").last(),
            pl.col("volume").sum(),
        )
    )


@pytest.fixture(scope="module")
def mixed_store(minute_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SPY in 1m and 1d, BAC in 5m only, IBM in 1m only."""
    source = BarStore.open(minute_store)
    path = tmp_path_factory.mktemp("mixed") / "store"
    with BarStore.open_or_create(path).writer() as writer:
        for symbol, interval in (("SPY", "1m"), ("SPY", "1d"), ("BAC", "5m"), ("IBM", "1m")):
            writer.write(symbol, interval, bars_of(source, symbol, interval))
    return path


def test_each_symbol_has_the_intervals_that_its_store_has(mixed_store: Path, tmp_path: Path) -> None:
    config = session(
        seer([*pairs(["SPY", "BAC", "IBM"], ["5m"]), ("BAC", "15m")], add={"10:15": ["BAC"], "10:30": ["IBM"]}),
        slices("5m"),
        trader(interval="5m"),
        symbols=["SPY"],
        exchange=EARLY,
        streams=["5m"],
        indicators=[{"name": "sma", "period": 5, "interval": "5m"}],
        historical={"data": [{"trailing_days": 2, "intervals": ["5m"]}]},
    )
    runs = both(config, mixed_store, tmp_path)
    assert runs.differences == []
    assert any('"BAC"' in line for line in runs.lines("signals.jsonl"))
    assert any('"BAC"' in line for line in runs.lines("fills.jsonl"))
    found = verify_run(runs.live)
    assert (found.differences, found.revisions) == ((), 0)


def test_an_interval_that_a_symbol_lacks_is_refused_as_in_a_backtest(mixed_store: Path, tmp_path: Path) -> None:
    """BAC has no 1m bars, and no daily ones."""
    config = session(
        seer(pairs(["SPY"], ["1m"]), add={"10:15": ["BAC"]}),
        symbols=["SPY"],
        exchange=EARLY,
        streams=["1m"],
        execution={"cash": 1e5},
    )
    runs = both(config, mixed_store, tmp_path)
    assert runs.differences == []
    assert verify_run(runs.live).differences == ()


RENAMES = {
    "before": (date(2013, 10, 8), {"OLD": (None, date(2013, 10, 8)), "NEW": (date(2013, 10, 8), None)}, "NEW"),
    "before, all under the new name": (date(2013, 10, 8), {"NEW": (None, None)}, "NEW"),
    "after, all under the new name": (date(2013, 10, 10), {"NEW": (None, None)}, "OLD"),
}


@pytest.mark.parametrize("case", RENAMES)
def test_a_renamed_symbol_has_its_history_under_both_names(minute_store: Path, tmp_path: Path, case: str) -> None:
    day, stored, symbol = RENAMES[case]
    source = BarStore.open(minute_store)
    with BarStore.open_or_create(tmp_path / "store").writer() as writer:
        for name, (first, after) in stored.items():
            for interval in ("1m", "1d"):
                bars = bars_of(source, "IBM", interval)
                days = pl.col("timestamp").dt.date()
                kept = (days >= (first or date.min)) & (days < (after or date.max))
                writer.write(name, interval, bars.filter(kept))
    ActionStore(tmp_path / "store").write(actions(("OLD", day, "rename", "NEW")))
    config = session(
        seer(pairs([symbol], ["5m"])),
        symbols=[symbol],
        exchange=EARLY,
        streams=["5m"],
        indicators=[{"name": "sma", "period": 4, "interval": "1d"}, {"name": "sma", "period": 100, "interval": "5m"}],
    )
    runs = both(config, tmp_path / "store", tmp_path)
    assert runs.differences == []
    assert any("SEEN" in line for line in runs.lines("signals.jsonl"))
    assert verify_run(runs.live).differences == ()
