"""However long a run was, its report has an end, hides no loss, and says what it leaves out."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.pages.report import run_report
from openbell.pages.report.curves import SessionEnds, equity_points, histogram, month_table
from openbell.pages.report.windows import Window, choose_windows, finest_fitting
from pages.html_reading import Page

if TYPE_CHECKING:
    from pathlib import Path

DAYS = [date(2024, 1, 1) + timedelta(days=n) for n in range(400)]


@pytest.mark.long
def test_a_run_with_very_many_trades_and_signals_has_a_report_of_some_megabytes(kept_run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(kept_run, tmp_path / "run")
    trades = pl.read_parquet(folder / "trades.parquet")
    many = pl.concat([trades.with_columns(symbol=pl.lit(f"N{n:03}"), pnl=pl.col("pnl") * n) for n in range(200)])
    many.write_parquet(folder / "trades.parquet")
    signal = {"date": date(2024, 3, 11), "time": datetime(2024, 3, 11, 15, tzinfo=UTC), "symbol": "A", "action": "BUY"}
    signals = pl.DataFrame([{**signal, "reason": "x", "strategy": "S"}] * 3000).cast({"time": pl.Datetime("ns", "UTC")})
    signals.write_parquet(folder / "signals.parquet")

    html = run_report(folder)
    page = Page(html)

    assert len(html) < 6_000_000
    assert f"{len(many) - 2000:,} more trades, which won or lost less" in page.text
    assert "2,500 more signals are in signals.parquet" in " ".join(page.text.split())
    best = many.with_columns(net=pl.col("pnl") - pl.col("fees")).sort("net")
    assert f"{best['net'][-1]:+,.2f}" in page.text
    assert f"{best['net'][0]:+,.2f}" in page.text


@given(st.lists(st.floats(1.0, 1e6), min_size=1, max_size=6000))
def test_thinned_equity_keeps_its_ends_its_highest_and_its_lowest(values: list[float]) -> None:
    start = datetime(2024, 3, 11, tzinfo=UTC)
    frame = pl.DataFrame({"time": [start + timedelta(minutes=n) for n in range(len(values))], "equity": values})

    points = equity_points(frame.cast({"time": pl.Datetime("ns", "UTC")}), values[0])

    rounded = [round(value, 2) for value in values]
    assert len(points["time"]) <= 2002
    assert points["time"] == sorted(set(points["time"]))
    assert (points["equity"][0], points["equity"][-1]) == (rounded[0], rounded[-1])
    assert (min(points["equity"]), max(points["equity"])) == (min(rounded), max(rounded))


@given(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=300))
def test_months_compound_to_their_year_and_all_years_to_the_run(returns: list[float]) -> None:
    equity = 1000 * np.cumprod(1 + np.array(returns))

    table = month_table(SessionEnds(DAYS[: len(returns)], 1000.0, equity))

    assert table is not None
    growth = 1.0
    for _, months, whole in table.years:
        assert np.prod([1 + value for value in months if value is not None]) == pytest.approx(1 + whole)
        growth *= 1 + whole
    assert growth == pytest.approx(float(equity[-1]) / 1000)


def test_equity_that_fell_to_zero_has_no_months() -> None:
    assert month_table(SessionEnds(DAYS[:3], 1000.0, np.array([500.0, 0.0, 100.0]))) is None


@given(st.lists(st.floats(-1.0, 5.0), min_size=5, max_size=300))
def test_a_histogram_counts_every_value_once_with_zero_as_an_end(values: list[float]) -> None:
    found = histogram(np.array(values))

    assert found is not None
    assert found.total == len(values)
    assert min(abs(edge) for edge in found.edges) < 1e-12
    assert len(found.edges) == len(found.counts) + 1 <= 60
    assert found.edges[0] <= min(values) + 1e-9
    assert found.edges[-1] >= max(values) - 1e-9


def test_four_values_are_no_distribution() -> None:
    assert histogram(np.array([0.1, 0.2, np.nan, 0.3, 0.4])) is None


def test_windows_merge_where_trades_overlap_and_the_weightiest_stay() -> None:
    a = [Window("A", DAYS[0], DAYS[2], 5.0), Window("A", DAYS[2], DAYS[3], 1.0), Window("A", DAYS[9], DAYS[9], 2.0)]
    b = Window("B", DAYS[1], DAYS[1], 9.0)

    assert choose_windows([*a, b], 10, daily=False) == (
        [Window("A", DAYS[0], DAYS[3], 6.0), b, Window("A", DAYS[9], DAYS[9], 2.0)], 0,
    )  # fmt: skip
    assert choose_windows([*a, b], 2, daily=False) == ([Window("A", DAYS[0], DAYS[3], 6.0), b], 1)
    assert choose_windows([*a, b], 10, daily=True) == ([Window("A", DAYS[0], DAYS[9], 8.0), b], 0)


def test_long_windows_are_drawn_with_coarser_bars() -> None:
    bars = {"1m": 390, "5m": 78, "1h": 7, "1d": 1}

    assert finest_fitting(["5m", "1d", "1m"], lambda name: bars[name]) == "1m"
    assert finest_fitting(["5m", "1d", "1m"], lambda name: bars[name] * 20) == "5m"
    assert finest_fitting(["1m"], lambda name: bars[name] * 200) == "1m"
