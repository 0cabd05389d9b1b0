"""The measures of luck are those of their papers."""

from __future__ import annotations

from itertools import combinations
from math import log, sqrt

import numpy as np
import pytest

from openbell.results.measures.unavailable import Unavailable
from openbell.sweeps.overfitting import (
    deflated_sharpe,
    expected_best_sharpe,
    overfitting_probability,
    probabilistic_sharpe,
    sharpe_ratios,
)


@pytest.mark.parametrize(
    ("trials", "skewness", "kurtosis", "bar", "deflated"),
    [(100, -3, 10, 0.1132, 0.9004), (46, -3, 10, None, 0.9505), (88, 0, 3, None, 0.9505)],
)
def test_the_example_of_the_paper_on_the_deflated_sharpe_ratio(
    trials: int, skewness: float, kurtosis: float, bar: float | None, deflated: float
) -> None:
    """Bailey and Lopez de Prado (2014): 2.5 a year over five years of 250 days, with a variance of 1/2 a year."""
    best = expected_best_sharpe(0.5 / 250, trials)

    assert bar is None or best == pytest.approx(bar, abs=5e-5)
    assert probabilistic_sharpe(2.5 / sqrt(250), best, 1250, skewness, kurtosis) == pytest.approx(deflated, abs=5e-5)


def test_the_expected_best_of_skilless_points_is_that_of_normal_numbers() -> None:
    dice = np.random.default_rng(1)
    for trials in (10, 100, 1000):
        best = dice.normal(0, 0.1, (4000, trials)).max(axis=1).mean()
        assert expected_best_sharpe(0.01, trials) == pytest.approx(best, rel=0.03)


def test_the_more_points_were_tried_the_less_the_best_is_worth() -> None:
    returns = np.random.default_rng(2).normal(0.001, 0.01, (500, 30))
    ratios = sharpe_ratios(returns)
    best = returns[:, int(ratios.argmax())]

    found = [deflated_sharpe(best, ratios, trials) for trials in (30, 300, 3000)]

    assert sorted(found, reverse=True) == found
    assert deflated_sharpe(best, ratios, 2) == found[0], "at least as many as there are"


def naive_probability(returns: np.ndarray, blocks: int) -> float:
    """The paper's algorithm, step by step."""
    parts = np.array_split(np.arange(len(returns)), blocks)
    below = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = np.concatenate([parts[n] for n in chosen])
        outside = np.concatenate([parts[n] for n in range(blocks) if n not in chosen])
        first, second = (returns[rows].mean(axis=0) / returns[rows].std(axis=0, ddof=1) for rows in (inside, outside))
        best = first.argmax()
        rank = 1 + sorted(second).index(second[best])
        share = rank / (returns.shape[1] + 1)
        below.append(log(share / (1 - share)) <= 0)
    return float(np.mean(below))


@pytest.mark.parametrize("seed", range(6))
def test_overfitting_is_counted_as_the_paper_does(seed: int) -> None:
    dice = np.random.default_rng(seed)
    returns = dice.normal(dice.normal(0, 0.001, 12), 0.01, (97, 12))

    assert overfitting_probability(returns, 8) == naive_probability(returns, 8)


def test_noise_is_overfitting_half_of_the_time_and_skill_never() -> None:
    dice = np.random.default_rng(3)
    noise = [overfitting_probability(dice.normal(0, 0.01, (160, 20)), 8) for _ in range(40)]
    skill = dice.normal(0, 0.01, (160, 20))
    skill[:, 7] += 0.02

    assert 0.4 < float(np.mean(noise)) < 0.6  # type: ignore[arg-type]
    assert overfitting_probability(skill) == 0.0


def test_what_cannot_be_known_has_its_reason() -> None:
    returns = np.random.default_rng(4).normal(0, 0.01, (7, 5))

    for found, reason in (
        (overfitting_probability(returns), "at least 8 sessions, and there are 7"),
        (overfitting_probability(np.zeros((40, 3))), "at least 2 points whose returns vary"),
        (deflated_sharpe(returns[:, 0], sharpe_ratios(returns[:, :1]), 1), "at least 2 points"),
        (deflated_sharpe(np.zeros(9), sharpe_ratios(returns), 5), "at least 3 sessions whose returns differ"),
    ):
        assert isinstance(found, Unavailable)
        assert reason in found.reason
