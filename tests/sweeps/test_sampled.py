"""Points that optuna proposes are always the same ones, also after a kill, and get better."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

import openbell
from openbell.config.sweep import SweepConfig
from openbell.errors import ConfigError
from openbell.sweeps.optuna_points import BATCH, proposed_points
from openbell.sweeps.space import Point, Space
from openbell.sweeps.sweep import SweepObserver
from sweeps_parts import FAST, SLOW, make_folder

if TYPE_CHECKING:
    from pathlib import Path


def space(**given: Any) -> Space:
    return Space.of(SweepConfig.model_validate({"space": {"a.fast": "1:20:1", "a.slow": [5, 10, 20, 40]}, **given}))


def score(values: dict[str, Any]) -> float | None:
    return None if values["a.fast"] == 7 else -abs(values["a.fast"] - 12) - abs(values["a.slow"] - 20) / 10


def proposed(of: Space, count: int, seed: int = 0, *, minimise: bool = False) -> list[list[Point]]:
    found: dict[int, Any] = {}
    batches = []
    sign = -1 if minimise else 1

    def scored(number: int) -> float | None:
        known = score(found[number])
        return None if known is None else sign * known

    for batch in proposed_points(of, of.drawn(count, seed), seed, scored, minimise=minimise):
        batches.append(batch)
        found |= {point.number: point.values for point in batch}
    return batches


def test_the_same_seed_proposes_the_same_points() -> None:
    assert proposed(space(), 25, seed=3) == proposed(space(), 25, seed=3) != proposed(space(), 25, seed=4)


def test_points_differ_meet_the_conditions_and_are_as_many_as_asked() -> None:
    points = [point for batch in proposed(space(where="fast < slow"), 33) for point in batch]

    assert [point.number for point in points] == [*range(1, 34)]
    assert len({tuple(point.values.values()) for point in points}) == 33
    assert all(point.values["a.fast"] < point.values["a.slow"] for point in points)


def test_a_space_can_be_used_up() -> None:
    narrow = space(where="fast <= 3")
    points = [point.values for batch in proposed(narrow, 12) for point in batch]

    assert sorted(map(str, points)) == sorted(str(point.values) for point in narrow.grid())
    with pytest.raises(ConfigError, match="12 of the 80 points of the grid meet the conditions, fewer than the 13"):
        narrow.drawn(13, 0)


@pytest.mark.parametrize("minimise", [False, True])
def test_later_points_are_better(minimise: bool) -> None:
    batches = proposed(space(), 50, minimise=minimise)
    first, last = (
        [s for point in batch if (s := score(dict(point.values))) is not None] for batch in (batches[0], batches[-2])
    )

    assert len(batches[0]) == BATCH
    assert sum(last) / len(last) > sum(first) / len(first)


class Stops(SweepObserver):
    def finished(self, number: int, result: object) -> None:
        if number == 11:
            raise KeyboardInterrupt


@pytest.mark.long
def test_a_sweep_that_was_stopped_goes_on_with_the_same_points(demo_master: Path, tmp_path: Path) -> None:
    session = make_folder(demo_master, tmp_path / "session")
    asked: dict[str, Any] = {
        "space": {FAST: [3, 4, 5, 6, 7], SLOW: [10, 20, 30, 40]},
        "objective": "total_return",
        "optuna": 12,
        "seed": 2,
    }
    whole = openbell.sweep(session, **asked, out=tmp_path / "whole")

    with pytest.raises(KeyboardInterrupt):
        openbell.sweep(session, **asked, out=tmp_path / "stopped", observers=[Stops()])
    done = {file: file.stat().st_mtime_ns for file in (tmp_path / "stopped").glob("points/*/point.json")}
    again = openbell.sweep(session, **asked, out=tmp_path / "stopped")

    assert len(done) == 11
    assert {file: file.stat().st_mtime_ns for file in done} == done, "what was done is not done again"
    assert again.drop("load_s", "run_s").equals(whole.drop("load_s", "run_s"))
    assert whole["point"].to_list() == [*range(1, 13)]


def test_it_takes_optuna_and_one_way_to_choose(
    demo_master: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_folder(demo_master, tmp_path / "session", sweep={"space": {FAST: [3, 4]}, "random": 2})

    with pytest.raises(ConfigError, match=r"drawn \(random\) or proposed \(optuna\), not both"):
        openbell.sweep(session, optuna=2, random=2)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"pip install 'openbell\[optuna\]'"):
        openbell.sweep(session, optuna=2)  # in place of the config's random
