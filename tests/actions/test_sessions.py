"""A session is on the price basis of its day: its history, its indicators, its plan and its summary."""

from __future__ import annotations

import shutil
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from made_actions import actions
from made_bars import made_store
from openbell.actions import ActionStore
from openbell.config import IndicatorConfig
from openbell.errors import DamagedFileError
from openbell.session.series import all_bars
from openbell.store.store import BarStore
from openbell.testing import advance
from probes import engine, prepared

if TYPE_CHECKING:
    from pathlib import Path

SPLIT = "2014-06-09"
SMA = {"name": "sma", "period": 20, "interval": "1d"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AAPL's 7-for-1 split of 2014-06-09 in made bars, whose stored prices fall to a seventh on that day."""
    folder = made_store(tmp_path_factory.mktemp("made") / "s", ["AAPL", "CALM"], "2014-04-28", "2014-06-13")
    bars = BarStore.open(folder)
    for interval in ("1m", "1d"):
        frame = bars.read(["AAPL"], interval, None, None).drop("symbol")
        early = pl.col("timestamp") < pl.datetime(2014, 6, 9, time_zone="UTC")
        prices = [pl.when(early).then(pl.col(n) * 7).otherwise(pl.col(n)) for n in ("open", "high", "low", "close")]
        volume = pl.when(early).then(pl.col("volume") / 7).otherwise(pl.col("volume"))
        bars.write("AAPL", interval, frame.with_columns(*prices, volume))
    ActionStore(folder).write(
        actions(("AAPL", date(2014, 5, 8), "dividend", 3.29), ("AAPL", date(2014, 6, 9), "split", 7))
    )
    return folder


def daily_closes(store: Path, day: str) -> np.ndarray:
    """The closes of AAPL before a day as they are stored, those before the split divided by seven if it was known."""
    frame = BarStore.open(store).read(["AAPL"], "1d", None, date.fromisoformat(day))
    dates = frame["timestamp"].dt.date().to_numpy()
    close = frame["close"].to_numpy()
    known = day >= SPLIT
    return np.where((dates < np.datetime64(SPLIT)) & known, close / 7, close)[:-1]


@pytest.mark.parametrize("day", ["2014-06-06", SPLIT, "2014-06-10"])
def test_the_mean_of_twenty_days_is_that_of_the_adjusted_series(store: Path, day: str) -> None:
    system = prepared(store, symbols=["AAPL"], days=day, streams=["1m"], indicators=[SMA])
    data = system.session_data.get_symbol_data("AAPL")
    assert data is not None
    (sma,) = data.indicators.values()

    assert sma.value == pytest.approx(daily_closes(store, day)[-20:].mean(), rel=1e-12)
    assert 90 < sma.value / (1 if day >= SPLIT else 7) < 110  # the made prices are near 100


def test_raw_sessions_see_the_break(store: Path) -> None:
    system = prepared(store, symbols=["AAPL"], days=SPLIT, streams=["1m"], indicators=[SMA], adjustment="raw")
    (sma,) = system.session_data.get_symbol_data("AAPL").indicators.values()  # type: ignore[union-attr]

    assert 650 < sma.value < 750


def test_the_open_of_a_split_day_is_no_gap(store: Path) -> None:
    system = prepared(store, symbols=["AAPL"], days=SPLIT, trailing={"1m": 2, "5m": 2})
    advance(system, "10:00")
    for interval in ("1m", "5m"):
        series = system.session_data.get_symbol_data("AAPL").bars[interval]  # type: ignore[union-attr]
        steps = np.abs(np.diff(np.log(series.close)))
        assert len(series.today) > 0
        assert steps.max() < 0.01


def test_what_is_added_in_mid_session_is_on_the_same_basis(store: Path) -> None:
    system = prepared(store, symbols=["CALM"], days=SPLIT)
    advance(system, "11:00")
    assert system.session_data.add_indicator_unified("AAPL", IndicatorConfig("sma", period=20, interval="1d"))
    (sma,) = system.session_data.get_symbol_data("AAPL").indicators.values()  # type: ignore[union-attr]

    assert sma.value == pytest.approx(daily_closes(store, SPLIT)[-20:].mean(), rel=1e-12)


def test_a_session_before_a_split_is_as_if_there_were_none(store: Path) -> None:
    runs: dict[str, Any] = {}
    for adjustment in ("raw", "split"):
        system = prepared(
            store, symbols=["AAPL"], days="2014-06-06", trailing={"1m": 5, "1d": 10}, adjustment=adjustment
        )
        bars = system.session_data.get_symbol_data("AAPL").bars  # type: ignore[union-attr]
        runs[adjustment] = {name: all_bars(series).close.tobytes() for name, series in bars.items()}

    assert runs["raw"] == runs["split"]


@pytest.mark.parametrize(
    ("adjustment", "applied"), [("raw", []), ("split", ["split"]), ("total", ["dividend", "split"])]
)
def test_the_plan_and_the_summary_list_what_was_applied(store: Path, adjustment: str, applied: list[str]) -> None:
    keys: dict[str, Any] = {
        "symbols": ["AAPL", "CALM"], "days": ("2014-06-06", SPLIT), "trailing": {"1d": 25}, "adjustment": adjustment
    }  # fmt: skip
    plan = engine(store, **keys).plan()["days"]
    summary = engine(store, **keys).run()["days"]

    for days in (plan, summary):
        before, on = (day["symbols"] for day in days)
        assert [a["type"] for a in on["AAPL"]["actions"]] == applied
        assert [a["type"] for a in before["AAPL"]["actions"]] == [kind for kind in applied if kind != "split"]
        assert on["CALM"]["actions"] == []
        assert on["AAPL"]["adjustment"] == adjustment
    if "split" in applied:
        assert summary[1]["symbols"]["AAPL"]["actions"][-1] == {
            "symbol": "AAPL", "ex_date": SPLIT, "type": "split", "value": 7.0
        }  # fmt: skip


def test_a_session_asks_for_a_symbol_by_the_name_of_its_day(lean_dir: Path, minute_store: Path) -> None:
    keys: dict[str, Any] = {
        "symbols": ["NB", "BAC"], "days": ("1998-09-30", "1998-10-01"), "streams": ["1d"], "indicators": [SMA]
    }  # fmt: skip
    before, after = engine(minute_store, **keys).run()["days"]

    assert (list(before["symbols"]), list(before["dropped"])) == (["NB"], ["BAC"])
    assert (list(after["symbols"]), list(after["dropped"])) == (["BAC"], ["NB"])
    assert "before, ask for NB" in before["dropped"]["BAC"][0]
    assert "ask for BAC" in after["dropped"]["NB"][0]
    assert [s["indicators"]["sma_20_1d"]["settled"] for d in (before, after) for s in d["symbols"].values()] == [
        True
    ] * 2


def test_a_session_over_a_store_without_actions_does_not_read_its_manifest_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made_store(tmp_path / "s", ["AAPL"], "2014-05-28", "2014-06-05")
    monkeypatch.setattr("openbell.store.folder.load_side_files", lambda _: pytest.fail("the manifest was read again"))

    system = prepared(folder, symbols=["AAPL"], days="2014-06-04", trailing={"1m": 1})

    assert system.session_data.symbols == ("AAPL",)


def test_a_session_over_a_store_whose_actions_are_lost_says_so(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "s"
    shutil.copytree(store, copy)
    (copy / "actions/actions.parquet").unlink()

    with pytest.raises(DamagedFileError, match="it is missing"):
        engine(copy, symbols=["AAPL"], days="2014-06-10").run()
