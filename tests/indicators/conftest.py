"""Seeded random walks as bars: of 5 minutes over sessions of XNYS (half days among them), and daily ones."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from openbell.indicators import IndicatorInputs
from openbell.indicators.inputs import locate
from openbell.model.bars import Bars
from openbell.model.interval import parse_interval
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from openbell.timing.grid import SessionGrid

SEED = 20131004


def walk(starts: np.ndarray, ends: np.ndarray, seed: int = SEED, volatility: float = 0.002) -> Bars:
    """Positive prices, each open near the close before, highs and lows beyond both, volumes above zero."""
    random = np.random.default_rng(seed)
    rows = len(starts)
    close = 100 * np.exp(np.cumsum(random.normal(0, volatility, rows)))
    opened = np.concatenate([[100.0], close[:-1]]) * np.exp(random.normal(0, volatility / 5, rows))
    high = np.maximum(opened, close) * np.exp(np.abs(random.normal(0, volatility / 2, rows)))
    low = np.minimum(opened, close) * np.exp(-np.abs(random.normal(0, volatility / 2, rows)))
    volume = np.floor(random.lognormal(9, 0.8, rows)) + 1
    return Bars(starts, ends, opened, high, low, close, volume, np.ones(rows, np.int32))


def inputs_of(bars: Bars, grid: SessionGrid) -> IndicatorInputs:
    """Bars as an indicator sees them."""
    place = locate(bars.timestamp, bars.end, grid)
    return IndicatorInputs(bars.open, bars.high, bars.low, bars.close, bars.volume, *place)


@pytest.fixture(scope="session")
def grid() -> SessionGrid:
    return TimeManager("XNYS").grid(date(2012, 6, 1), date(2013, 12, 31))


@pytest.fixture(scope="session")
def five_minutes(grid: SessionGrid) -> IndicatorInputs:
    """About 31,000 bars of 5 minutes over 399 sessions."""
    expected = grid.expected_bars(parse_interval("5m"))
    return inputs_of(walk(expected.start_ns, expected.end_ns), grid)


@pytest.fixture(scope="session")
def daily() -> IndicatorInputs:
    """6,000 daily bars."""
    manager = TimeManager("XNYS")
    days = manager.grid(date(2000, 1, 3), date(2023, 12, 29))
    return inputs_of(walk(days.open_ns, days.close_ns, volatility=0.01), days)
