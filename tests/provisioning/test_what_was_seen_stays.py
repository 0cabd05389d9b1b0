"""What a session has shown never changes, and what belongs to a session is known as soon as it can be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from openbell.config import IndicatorConfig
from probes import engine, scanner_at, strategy_at

if TYPE_CHECKING:
    from pathlib import Path

SMA3 = IndicatorConfig("sma", period=3, interval="1m")


def test_bars_that_come_into_the_store_meanwhile_change_nothing_that_was_seen(own_store: Path) -> None:
    """IBM lacks 12:46 on 2013-10-11; it is imported at 13:00, and then the series is deepened."""
    seen: dict[str, Any] = {}

    def look(context: Any) -> tuple[Any, Any]:
        return context.indicator("IBM", "sma_3_1m").values.copy(), context.bars("IBM", "1m").close.copy()

    def import_and_deepen(context: Any) -> None:
        seen["before"] = look(context)
        missing = {"timestamp": datetime(2013, 10, 11, 16, 46, tzinfo=UTC), "volume": 100.0}
        prices = dict.fromkeys(("open", "high", "low", "close"), 190.0)
        frame = pl.DataFrame({**missing, **prices}).with_columns(pl.col("timestamp").cast(pl.Datetime("ns", "UTC")))
        system.data_manager.store.write("IBM", "1m", frame)
        assert context.add_bar("IBM", "1m", days=3)
        seen["after"] = look(context)

    def add_average(strategy: Any) -> None:
        strategy.context.add_indicator("IBM", SMA3)

    system = engine(
        own_store,
        symbols=["IBM"],
        days="2013-10-11",
        strategies=[strategy_at("13:00", import_and_deepen, watch="IBM", setup=add_average)],
    )
    system.run()

    for before, after in zip(seen["before"], seen["after"], strict=True):
        assert len(after) > len(before)
        np.testing.assert_array_equal(after[-len(before) :], before)


@pytest.mark.parametrize(
    ("name", "known"),
    [("prior_day", True), ("pivot_points", True), ("gap_stats", True), ("high_low", True), ("gap", False)],
)
def test_on_daily_bars_what_earlier_sessions_make_is_there_in_the_session_and_todays_gap_is_not(
    minute_store: Path, name: str, known: bool
) -> None:
    valid: list[bool] = []
    system = engine(
        minute_store,
        indicators=[{"name": name, "interval": "1d", "params": {"sessions": 2} if name == "high_low" else {}}],
        scanners=[scanner_at("11:00", lambda c: valid.extend(
            i.valid for i in c.session_data.get_symbol_data("SPY").indicators.values()
        ))],
    )  # fmt: skip
    system.run()

    assert valid == [known]


def test_with_extended_hours_session_values_stand_still_after_the_close(minute_store: Path) -> None:
    day = engine(minute_store, indicators=[{"name": "vwap", "interval": "1m"}], session_hours="extended").run()["days"][
        0
    ]

    assert day["symbols"]["SPY"]["indicators"]["vwap_1m"]["valid"]
