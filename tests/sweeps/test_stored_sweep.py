"""A sweep is read back from its folder, with what its returns say of luck."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import openbell
from openbell.errors import ConfigError
from openbell.results.measures.unavailable import Unavailable
from openbell.sweeps.stored_sweep import read_stored_sweep
from openbell.sweeps.walk_forward import MEASURED, Measure, Windows
from sweeps_parts import FAST, SLOW, make_folder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def session(demo_master: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    days = {"start_date": "2024-06-20", "end_date": "2024-07-05"}
    return make_folder(demo_master, tmp_path_factory.mktemp("stored") / "session", backtest_config=days)


@pytest.fixture(scope="module")
def folder(session: Path) -> Path:
    openbell.sweep(session, {FAST: [3, 5], SLOW: [10, 20]}, out=session.parent / "out")
    return session.parent / "out"


def test_numbers_made_of_returns_are_those_of_the_performance(folder: Path) -> None:
    sweep = read_stored_sweep(folder)

    assert (sweep.planned, sweep.tried, len(sweep.days)) == (4, 4, 11)
    for column, row in enumerate(sweep.frame.iter_rows(named=True)):
        for name in MEASURED:
            assert Measure(name, 252.0).of(sweep.returns[:, column]) == pytest.approx(row[name], rel=1e-9), name


def test_warm_up_is_the_history_that_was_read(folder: Path) -> None:
    # 20 bars of 5m, and as many as settle nothing: of a session of 78, one.
    assert read_stored_sweep(folder).warm_up == 1


def test_luck_and_walk_forward(folder: Path) -> None:
    sweep = read_stored_sweep(folder)

    deflated, overfit = sweep.deflated_sharpe(1), sweep.overfitting_probability()
    assert not isinstance(deflated, Unavailable)
    assert not isinstance(overfit, Unavailable)
    assert 0 <= deflated <= 1
    assert 0 <= overfit <= 1
    assert len(sweep.walk_forward(Windows(4, 2)).windows) == 3


def test_points_of_different_sessions_have_no_common_returns(session: Path, tmp_path: Path) -> None:
    openbell.sweep(session, {"backtest_config.start_date": ["2024-07-01", "2024-07-02"]}, out=tmp_path / "out")

    sweep = read_stored_sweep(tmp_path / "out")

    assert isinstance(sweep.overfitting_probability(), Unavailable)
    with pytest.raises(ConfigError, match="were not run on the same sessions"):
        sweep.walk_forward(Windows(2, 1))


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is not the folder of a sweep: it has no sweep\.json"):
        read_stored_sweep(tmp_path)
    (tmp_path / "sweep.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"no point of the sweep in .* is done yet"):
        read_stored_sweep(tmp_path)
    (tmp_path / "points.parquet").write_text("{}")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_stored_sweep(tmp_path)
