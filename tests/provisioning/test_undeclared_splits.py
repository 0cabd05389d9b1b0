"""A split that nobody declared is a warning where history across it is asked for."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from made_actions import actions
from made_bars import made_store
from openbell.actions import ActionStore
from openbell.config import IndicatorConfig
from openbell.store.store import BarStore
from probes import prepared

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2024, 7, 10)
DAILY = IndicatorConfig("sma", period=20, interval="1d")
PRICES = ("open", "high", "low", "close")


def split_store(folder: Path, ex_date: date, ratio: float, intervals: tuple[str, ...] = ("1m", "1d")) -> Path:
    """SPLIT trades at a share of its price from a day on; SPY does not."""
    store = BarStore.open(made_store(folder, ["SPLIT", "SPY"], "2024-05-01", "2024-07-12", intervals=intervals))
    after = pl.col("timestamp").dt.date() >= ex_date
    for interval in intervals:
        frame = store.read(["SPLIT"], interval, None, None).drop("symbol")
        share = pl.when(after).then(ratio).otherwise(1.0)
        changed = frame.with_columns(*((pl.col(c) / share).alias(c) for c in PRICES), pl.col("volume") * share)
        store.write("SPLIT", interval, changed)
    return folder


def warnings_of(store: Path, symbol: str = "SPLIT", config: IndicatorConfig = DAILY, **keys: Any) -> list[str]:
    system = prepared(store, days=str(DAY), symbols=["SPY"], **keys)
    assert system.session_data.add_indicator_unified(symbol, config)
    return [text for text in system.coordinator.journal.records[-1].warnings if "split" in text]


@pytest.mark.parametrize("ex_date", [date(2024, 6, 24), date(2024, 7, 8), date(2024, 7, 9)])
@pytest.mark.parametrize(("ratio", "name"), [(4.0, "4-for-1"), (0.1, "1-for-10")])
def test_a_split_in_the_warm_up_is_named_with_its_day(tmp_path: Path, ex_date: date, ratio: float, name: str) -> None:
    store = split_store(tmp_path / "s", ex_date, ratio)

    (warning,) = warnings_of(store)
    assert f"{name} split?" in warning
    assert f"(on {ex_date})" in warning
    assert warnings_of(store, "SPY") == []


@pytest.mark.parametrize("intervals", [("1m",), ("1m", "1d")])
@pytest.mark.parametrize("interval", ["5m", "1d", "1w"])
def test_it_is_found_in_bars_of_any_interval(tmp_path: Path, interval: str, intervals: tuple[str, ...]) -> None:
    store = split_store(tmp_path / "s", date(2024, 6, 24), 4.0, intervals)

    (warning,) = warnings_of(
        store, config=IndicatorConfig("sma", period={"5m": 1500, "1w": 5}.get(interval, 20), interval=interval)
    )
    assert "4-for-1 split?" in warning


def test_a_symbol_of_the_config_has_the_warning(tmp_path: Path) -> None:
    store = split_store(tmp_path / "s", date(2024, 6, 24), 2.0)
    system = prepared(store, days=str(DAY), symbols=["SPLIT"], trailing={"1d": 30})

    assert any("2-for-1 split?" in text for text in system.coordinator.journal.records[0].warnings)


def test_a_declared_split_and_raw_prices_give_none(tmp_path: Path) -> None:
    store = split_store(tmp_path / "s", date(2024, 6, 24), 4.0)

    assert warnings_of(store, adjustment="raw") == []
    ActionStore(store).write(actions(("SPLIT", date(2024, 6, 24), "split", 4)))
    assert warnings_of(store) == []


def test_a_split_of_today_is_not_known_before_the_session(tmp_path: Path) -> None:
    assert warnings_of(split_store(tmp_path / "s", DAY, 4.0)) == []


def test_history_that_begins_after_it_is_none_of_its_business(tmp_path: Path) -> None:
    assert warnings_of(split_store(tmp_path / "s", date(2024, 5, 10), 4.0)) == []
