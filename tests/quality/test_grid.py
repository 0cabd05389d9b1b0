"""Bars between those of the session, and bars of a longer interval than their own."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from openbell.quality.grid import bars_off_grid, longer_bars
from quality.made import bars, frame_of, grid, series, starts_of

MINUTE = 60_000_000_000


def test_whole_sessions_have_no_finding() -> None:
    for interval in ("1m", "5m", "60m"):
        assert [*bars_off_grid(series(bars(interval), interval)), *longer_bars(series(bars(interval), interval))] == []


def test_bars_before_the_open_are_no_bars_between_those_of_the_session() -> None:
    early = frame_of(grid().open_ns[0] - np.arange(60, 0, -1) * 7 * MINUTE)

    assert bars_off_grid(series(pl.concat([early, bars("5m")]), "5m")) == []


def test_a_single_bar_between_two_is_in_doubt_and_blamed() -> None:
    odd = starts_of("5m", 3)
    odd[10] += 2 * MINUTE

    (found,) = bars_off_grid(series(frame_of(odd), "5m"))

    assert (found.severity, found.bars, found.blamed.tolist()) == ("doubt", 1, [odd[10]])


@pytest.mark.parametrize(("finer", "severity"), [(None, "serious"), ("1m", "note")])
def test_a_series_of_clock_hours_is_wrong_unless_finer_bars_are_there(finer: str | None, severity: str) -> None:
    clock = starts_of("60m", 3) + 30 * MINUTE

    (found,) = bars_off_grid(series(frame_of(clock), "60m"), finer=finer)

    assert found.severity == severity
    assert ("of those of 1m" in found.text) == (finer is not None)


@pytest.mark.parametrize("longer", ["2m", "5m", "30m"])
def test_bars_of_a_longer_interval_are_found_by_their_distance(longer: str) -> None:
    (found,) = longer_bars(series(bars(longer, sessions=10), "1m"))

    assert found.severity == "serious"
    assert f"its bars are {longer} apart" in found.text


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9])
def test_a_thin_symbol_is_not_taken_for_one_of_longer_bars(share: float) -> None:
    whole = bars("1m", sessions=20)
    traded = np.random.default_rng(3).random(len(whole)) < share

    assert longer_bars(series(whole.filter(traded), "1m")) == []
