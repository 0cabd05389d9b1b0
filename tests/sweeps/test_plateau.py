"""Neighbours are one step of one key away, and the grid is by the two keys of most values."""

from __future__ import annotations

from typing import Any

import polars as pl

from openbell.sweeps.plateau import grid_of, neighbours_of

SPACE: dict[str, list[Any]] = {"fast": [10, 5, 15], "slow": [20, 30], "kind": ["a", "b"]}


def table() -> pl.DataFrame:
    points = [(f, s, k) for f in SPACE["fast"] for s in SPACE["slow"] for k in SPACE["kind"]]
    return pl.DataFrame({
        "point": range(1, len(points) + 1),
        "fast": [p[0] for p in points],
        "slow": [p[1] for p in points],
        "kind": [p[2] for p in points],
        "sharpe": [p[0] / 10 + p[1] + (p[2] == "b") if p != (5, 20, "a") else None for p in points],
    })  # fmt: skip


def test_neighbours_are_one_step_away_in_order_of_value() -> None:
    found = neighbours_of(table(), 1, SPACE, "sharpe")

    assert [(n.key, n.value, n.number) for n in found] == [
        ("fast", 5, None), ("fast", 15, 21.5), ("slow", 30, 31.0), ("kind", "b", 22.0),
    ]  # fmt: skip


def test_points_that_are_not_there_are_no_neighbours() -> None:
    left = table().filter(pl.col("kind") == "a", pl.col("slow") == 20)

    assert [n.key for n in neighbours_of(left, 1, SPACE, "sharpe")] == ["fast", "fast"]


def test_the_grid_is_by_two_keys_and_the_median_of_all_others() -> None:
    found = grid_of(table(), SPACE, "sharpe")

    assert found is not None
    assert found.rows == ("fast", [5, 10, 15])
    assert found.columns == ("slow", [20, 30])
    assert found.cells == [[21.5, 31.0], [21.5, 31.5], [22.0, 32.0]]


def test_one_key_makes_no_grid() -> None:
    assert grid_of(table(), {"fast": [5, 10], "slow": [20]}, "sharpe") is None
