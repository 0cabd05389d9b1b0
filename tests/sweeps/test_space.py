"""A sweep's points are those of its grid that meet its conditions, in an order that never changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.config import load_config
from openbell.config.sweep_condition import Condition
from openbell.errors import ConfigError
from openbell.sweeps.space import Space, config_at, points_of
from openbell.sweeps.sweep import Sweep

if TYPE_CHECKING:
    from pathlib import Path

FAST, SLOW = "strategies.0.config.fast", "strategies.0.config.slow"


def space(fast: Any = (5, 10, 50), slow: Any = (20, 50), where: str = "") -> Space:
    conditions = (Condition.of(where, [FAST, SLOW]),) if where else ()
    return Space({FAST: fast, SLOW: slow}, conditions)


def pairs(points: Any) -> list[tuple[Any, ...]]:
    return [tuple(point.values.values()) for point in points]


def config(sweep: dict[str, Any]) -> Any:
    return load_config({
        "backtest_config": {"start_date": "2013-10-10", "end_date": "2013-10-11"},
        "session_data_config": {"symbols": ["SPY"]},
        "strategies": [{"module": "m:C", "config": {"fast": 5, "slow": 20}}],
        "sweep": sweep,
    })  # fmt: skip


def test_the_last_key_varies_fastest() -> None:
    assert pairs(space().grid()) == [(5, 20), (5, 50), (10, 20), (10, 50), (50, 20), (50, 50)]
    assert [point.number for point in space().grid()] == [1, 2, 3, 4, 5, 6]


def test_points_that_do_not_meet_the_conditions_are_left_out() -> None:
    assert pairs(space(where="fast < slow").grid()) == [(5, 20), (5, 50), (10, 20), (10, 50)]


def test_no_point_is_an_error() -> None:
    with pytest.raises(ConfigError, match="none of the 6 points of the grid meets fast > 2 \\* slow"):
        space(slow=(50, 100), where="fast > 2 * slow").grid()


def test_a_grid_that_is_too_large_is_refused_and_can_be_drawn_from() -> None:
    large = space(tuple(range(2_000)), tuple(range(2_000)), where="fast < slow")

    with pytest.raises(ConfigError, match=r"4,000,000 points, more than 1,000,000. Draw some"):
        large.grid()
    drawn = pairs(large.drawn(50, seed=1))
    assert len(set(drawn)) == 50
    assert all(fast < slow for fast, slow in drawn)
    assert pairs(large.drawn(50, seed=1)) == drawn


@given(st.integers(1, 20), st.integers(0, 1000))
def test_draws_are_different_points_and_begin_those_of_a_larger_count(count: int, seed: int) -> None:
    grid = space(tuple(range(1, 8)), tuple(range(1, 8)), where="fast < slow")
    drawn = pairs(grid.drawn(count, seed))

    assert len(set(drawn)) == count
    assert set(drawn) <= set(pairs(grid.grid()))
    assert pairs(grid.drawn(21, seed))[:count] == drawn


def test_seeds_draw_other_points() -> None:
    grid = space(tuple(range(100)), tuple(range(100)))

    assert pairs(grid.drawn(20, 1)) != pairs(grid.drawn(20, 2))


def test_fewer_points_than_are_to_be_drawn_are_an_error() -> None:
    with pytest.raises(ConfigError, match="4 of the 6 points of the grid meet the conditions, fewer than the 5"):
        space(where="fast < slow").drawn(5, 0)


def test_points_of_a_config() -> None:
    sweep = {"space": {FAST: "5:15:5", SLOW: [10, 20]}, "where": "fast < slow"}
    session = config(sweep)

    found = points_of(session, session.sweep)

    assert pairs(found) == [(5, 10), (5, 20), (10, 20), (15, 20)]
    assert [config_at(session, point.values).strategies[0].config["fast"] for point in found] == [5, 5, 10, 15]
    drawn = points_of(session, session.sweep.model_copy(update={"random": 2, "seed": 3}))
    assert len(drawn) == 2


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({"session_data_config.streams": [["1m"], ["5mm"]]}, "session_data_config.streams[0]"),
        ({"session_data_config.stremas": [["1m"]]}, "session_data_config.stremas: unknown key; did you mean 'streams'"),
        ({"strategies.1.config.fast": [1]}, "strategies has entries 0 to 0, not 1. Entries are counted from 0."),
        ({"backtest_config.end_date": ["2013-10-11", "2013-10-01"]}, "is before start_date"),
    ],
)
def test_a_value_that_is_wrong_is_told_before_anything_runs(space: dict[str, Any], said: str) -> None:
    session = config({"space": space})

    with pytest.raises(ConfigError) as error:
        points_of(session, session.sweep)

    assert said in str(error.value)
    assert "(at " in str(error.value)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (
            "strategies.0.config.fastt",
            "strategies.0.config has no key 'fastt'. Did you mean 'fast'? If not, write",
        ),
        ("strategies.0.config.Slow", "strategies.0.config has no key 'Slow'. Did you mean 'slow'?"),
    ],
)
def test_a_misspelt_key_of_a_strategy_is_told_before_anything_runs(key: str, told: str) -> None:
    session = config({"space": {key: [5, 10]}})

    with pytest.raises(ConfigError) as error:
        points_of(session, session.sweep)

    assert told in str(error.value)


def test_a_key_that_a_strategy_does_not_have_yet_is_a_warning(minute_store: Path) -> None:
    session = config({"space": {FAST: [5], "strategies.0.config.slwo": [1], "strategies.0.config.stop": [1, 2]}})

    made = Sweep(session, session.sweep, store=minute_store)

    assert [oddity.partition(". ")[0] for oddity in made.oddities] == [
        "strategies.0.config of the config has no key 'slwo'",
        "strategies.0.config of the config has no key 'stop'",
    ]
    assert "Did you mean 'slow'?" in made.oddities[0]


def test_a_key_that_the_config_has_or_that_differs_by_its_number_is_none() -> None:
    session = config({"space": {FAST: [5], "strategies.0.config.slow2": [1, 2]}})

    assert len(points_of(session, session.sweep)) == 2


def test_values_that_are_only_right_together_are_right() -> None:
    session = config({
        "space": {
            "backtest_config.start_date": ["2013-10-10", "2014-01-02"],
            "backtest_config.end_date": ["2013-10-11", "2014-01-03"],
        },
        "random": 1,
        "seed": 2,
    })  # fmt: skip

    assert len(points_of(session, session.sweep)) == 1
