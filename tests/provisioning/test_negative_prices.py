"""Prices of 0 and below are counted in a series, and indicators that cannot be had on them have no value and say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from openbell import indicators
from openbell.cli.app import app
from openbell.store.store import BarStore
from openbell.testing import advance, bar_starts, prepare, random_bars

if TYPE_CHECKING:
    from pathlib import Path

PRICES = ("open", "high", "low", "close")
BELOW = slice(120, 130)  # of 78 bars a session: in the second one


def usual() -> pl.DataFrame:
    return random_bars(bar_starts("2020-04-17", "2020-05-15", "5m"), seed=5)


def oil() -> pl.DataFrame:
    """Bars of 5m that go below 0 for some bars, as oil did in April 2020."""
    frame, row = usual(), pl.int_range(pl.len())
    here = row.is_between(BELOW.start, BELOW.stop - 1)
    return frame.with_columns([pl.when(here).then(pl.col(c) - 137.63).otherwise(pl.col(c)).alias(c) for c in PRICES])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("oil") / "store"
    with BarStore.open_or_create(folder).writer() as writer:
        writer.write("CL", "5m", oil(), allow_negative=True)
    return folder


@pytest.mark.parametrize("name", [n for n in indicators.names() if indicators.get(n).positive_prices])
def test_it_has_no_value_where_such_prices_have_a_part_and_is_the_same_elsewhere(name: str) -> None:
    indicator = indicators.get(name)
    params = indicator.resolve(3 if indicator.main else None)
    period = {indicator.main: params[indicator.main]} if indicator.main else {}
    with_them = indicators.compute(name, oil(), **period).to_numpy()
    never = indicators.compute(name, usual(), **period).to_numpy()

    assert np.isnan(with_them[BELOW]).all()
    np.testing.assert_array_equal(with_them[: BELOW.start], never[: BELOW.start])
    if indicator.settling(params) is None:
        assert np.isnan(with_them[BELOW.start :]).all()
    else:
        last, before = with_them[-1], never[-1]
        np.testing.assert_allclose(last, before, rtol=1e-3, atol=1e-9)


def test_an_indicator_of_differences_has_its_values() -> None:
    for name in ("sma", "ema", "rsi", "atr", "bbands", "macd", "vwap", "stoch"):
        assert not indicators.get(name).positive_prices
        assert np.isfinite(indicators.compute(name, oil()).to_numpy()[BELOW]).all(), name


def config(*names: str) -> dict[str, object]:
    return {
        "backtest_config": {"start_date": "2020-04-21", "end_date": "2020-04-21"},
        "session_data_config": {
            "symbols": ["CL"],
            "streams": ["5m"],
            "historical": {"data": [{"trailing_days": 2, "intervals": ["5m"]}]},
            "indicators": [{"name": name, "interval": "5m"} for name in names],
        },
    }


def test_a_series_counts_them_and_a_warning_names_the_indicators(store: Path) -> None:
    system = prepare(config("roc", "histvol", "sma", "gap"), store=store)
    series = system.session_data.current["CL"].bars["5m"]
    told = [w for w in system.coordinator.journal.records[-1].warnings if "prices above 0" in w]

    assert series.not_positive == BELOW.stop - BELOW.start
    assert [w.split()[0] for w in told] == ["roc_10_5m", "histvol_20_0_5m", "gap_5m"]
    assert "10 bars have prices of 0 or below on 2020-04-20: it has no value where it reads such bars" in told[0]


def test_what_was_below_zero_is_over_after_a_while(store: Path) -> None:
    system = prepare(config("roc", "gap"), store=store)
    advance(system, "12:00")

    assert system.session_data.get_indicator("CL", "roc_10_5m").valid
    assert not system.session_data.get_indicator("CL", "gap_5m").valid  # yesterday had them


def test_the_command_says_which_indicators_these_are() -> None:
    for name, told in (("roc", True), ("sma", False)):
        assert ("above 0: it has no value" in CliRunner().invoke(app, ["indicators", name]).stdout) == told
