"""A walk-forward never chooses by what comes after, and its windows are what was asked for."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.cli.output.sweep_report_view import walk_lines
from openbell.errors import ConfigError
from openbell.sweeps.walk_forward import MEASURED, Measure, Windows, walk_forward

DAYS = [date(2024, 1, 1) + timedelta(n) for n in range(60)]


def spans(cut: Windows, sessions: int) -> list[tuple[int, int, int, int]]:
    return [(train.start, train.stop, test.start, test.stop) for train, test in cut.cut(sessions)]


def test_windows_roll_or_stay_anchored() -> None:
    assert spans(Windows(6, 3, purge=1), 17) == [(0, 6, 7, 10), (3, 9, 10, 13), (6, 12, 13, 16)]
    assert spans(Windows(6, 3, purge=1, anchored=True), 17) == [(0, 6, 7, 10), (0, 9, 10, 13), (0, 12, 13, 16)]


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 5), st.booleans(), st.integers(0, 60))
def test_tests_follow_each_other_and_lie_after_their_training(
    train: int, test: int, purge: int, anchored: bool, more: int
) -> None:
    found = spans(Windows(train, test, purge, anchored), train + test + purge + more)

    assert [a[3] for a in found[:-1]] == [b[2] for b in found[1:]]
    assert all(end + purge == tested and after - tested == test for _, end, tested, after in found)
    assert found[-1][3] + test > train + test + purge + more, "no whole window is left"


def test_too_few_sessions_are_an_error() -> None:
    with pytest.raises(ConfigError, match=r"6 \+ 1 \+ 3 sessions .* needs 10, and the sweep has 9"):
        Windows(6, 3, 1).cut(9)


@pytest.mark.parametrize("name", MEASURED)
def test_the_point_is_the_best_of_its_training(name: str) -> None:
    returns = np.random.default_rng(1).normal(0, 0.01, (60, 7))
    by = Measure(name, 252.0)
    sign = -1 if name == "volatility" else 1

    found = walk_forward(returns, DAYS, list(range(10, 17)), by, Windows(20, 10, 2))

    for window, (train, test) in zip(found.windows, Windows(20, 10, 2).cut(60), strict=True):
        numbers = [by.of(returns[train, column]) for column in range(7)]
        best = max(range(7), key=lambda column: sign * (numbers[column] or 0.0))
        assert (window.point, window.inside) == (10 + best, numbers[best])
        assert window.outside == by.of(returns[test, best])
        assert (window.trained[0], window.tested[-1]) == (DAYS[train][0], DAYS[test][-1])
    assert len(found.returns) == len(found.days) == 10 * len(found.windows)
    assert found.total_return == pytest.approx(np.prod(1 + found.returns) - 1)


def test_what_comes_after_a_window_changes_nothing_in_it() -> None:
    returns = np.random.default_rng(2).normal(0, 0.01, (60, 7))
    later = returns.copy()
    later[32:] = 0.5
    by, cut = Measure("sharpe", 252.0), Windows(20, 10, 2)

    first, second = (walk_forward(r, DAYS, range(7), by, cut).windows[0] for r in (returns, later))

    assert first == second


def test_a_number_that_takes_more_than_returns_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot go by win_rate"):
        Measure("win_rate", 252.0)


def test_a_window_without_a_number_earns_nothing() -> None:
    found = walk_forward(np.zeros((30, 2)), DAYS[:30], [1, 2], Measure("sharpe", 252.0), Windows(10, 10))

    assert [window.point for window in found.windows] == [None, None]
    assert (found.inside, found.outside, found.total_return) == (None, None, 0.0)


def test_the_means_are_of_the_windows_that_have_both_and_it_says_of_how_many() -> None:
    returns = np.random.default_rng(1).normal(0, 0.01, (60, 3))
    returns[30:40] = 0  # a test without a Sharpe ratio

    found = walk_forward(returns, DAYS, [1, 2, 3], Measure("sharpe", 252.0), Windows(20, 10))

    both = [w for w in found.windows if w.outside is not None]
    assert found.compared == found.to_dict()["compared"] == len(both) == len(found.windows) - 1
    assert found.inside == pytest.approx(np.mean([w.inside for w in both]))
    *_, line = walk_lines(found)
    assert line.startswith("  mean of the 3 windows that have both in sample ")
