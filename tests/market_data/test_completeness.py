"""Completeness counts what is there against what was expected, and names each gap."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.market_data.completeness import Gap, measure_completeness
from openbell.market_data.data_manager import DataManager
from openbell.timing.time_manager import TimeManager

if TYPE_CHECKING:
    from openbell.store.store import BarStore

STARTS = np.array([0, 10, 20, 100, 110, 120])  # two sessions of three bars
ENDS = STARTS + 10


def test_nothing_expected_has_no_completeness() -> None:
    assert measure_completeness(STARTS, STARTS[:0], ENDS[:0]).percent is None


def test_all_there_is_a_hundred_percent() -> None:
    completeness = measure_completeness(STARTS, STARTS, ENDS)
    assert (completeness.percent, completeness.gaps) == (100.0, ())


def test_a_gap_ends_with_its_session_unless_gaps_run_across_breaks() -> None:
    there = np.array([0, 10, 120])

    assert measure_completeness(there, STARTS, ENDS).gaps == (Gap(20, 30, 1), Gap(100, 120, 2))
    assert measure_completeness(there, STARTS, ENDS, across_breaks=True).gaps == (Gap(20, 120, 3),)


def test_unexpected_bars_do_not_count() -> None:
    completeness = measure_completeness(np.array([5, 10, 500]), STARTS, ENDS)
    assert (completeness.present, completeness.expected, completeness.percent) == (1, 6, pytest.approx(100 / 6))


@given(st.sets(st.sampled_from(STARTS.tolist())), st.booleans())
def test_gaps_hold_each_missing_bar_once(there: set[int], joined: bool) -> None:
    completeness = measure_completeness(np.array(sorted(there), np.int64), STARTS, ENDS, across_breaks=joined)

    assert (
        sum(gap.missing for gap in completeness.gaps) == completeness.expected - completeness.present == 6 - len(there)
    )
    assert [s for s in STARTS if any(g.start_ns <= s < g.end_ns for g in completeness.gaps)] == sorted(
        set(STARTS) - there
    )


def test_the_real_gap_of_ibm(lean_store: BarStore) -> None:
    times = TimeManager("XNYS")
    day = date(2013, 10, 11)
    bars = DataManager(lean_store, times).load_historical_bars("IBM", "1m", day, day)
    completeness = measure_completeness(bars.timestamp, *times.expected_bar_times("1m", day))

    assert round(completeness.percent or 0, 2) == 99.74
    assert [gap.missing for gap in completeness.gaps] == [1]
