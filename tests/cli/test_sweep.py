"""``openbell sweep`` runs the points of a space, says which is best, and goes on where it was stopped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

import openbell
from openbell.cli.app import app
from sweeps_parts import FAST, SLOW, make_folder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def session(demo_master: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(demo_master, tmp_path_factory.mktemp("sweep") / "session")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def sweep(*args: object) -> Any:
    # Processes of their own are for tests/sweeps/test_pool.py: each imports all of openbell.
    jobs = [] if args[0] == "report" else ["--jobs", "1"]
    return CliRunner().invoke(app, ["sweep", *map(str, args), *jobs])


def test_it_shows_the_best_points(session: Path, tmp_path: Path) -> None:
    done = sweep(session, "--set", f"{FAST}=3,5", "--set", f"{SLOW}=10,20", "--where", "fast * 3 <= slow")

    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Best of 3 points by Sharpe")
    assert lines[1].split()[:4] == ["point", "fast", "slow", "Sharpe"]
    assert len(lines) == 3 + 3
    assert max(map(len, lines)) <= 80
    assert "openbell run sweeps/crosses/points/" in done.stderr
    assert "sweep folder: sweeps/crosses (points.parquet has 3 rows)" in done.stderr
    assert (tmp_path / "sweeps/crosses/points.parquet").is_file()


def test_json_has_the_points_and_nothing_else(session: Path) -> None:
    done = sweep(session, "--set", f"{FAST}=3,5", "--objective", "total_return", "--json")

    found = json.loads(done.stdout)
    assert (found["objective"], found["tried"], found["folder"]) == ("total_return", 2, "sweeps/crosses")
    assert [point[FAST] for point in found["points"]] == [3, 5]


def test_what_was_tried_before_is_counted(session: Path) -> None:
    sweep(session, "--set", f"{FAST}=3,5")
    done = sweep(session, "--set", f"{FAST}=4")

    assert "points.parquet has 1 row; 3 were tried in this folder so far" in done.stderr


def test_failures_and_warnings_are_said_once(session: Path) -> None:
    done = sweep(
        session,
        "--set",
        f"{FAST}=3,4,5",
        "--set",
        "strategies.0.config.fails_at=4",
        "--set",
        "strategies.0.config.unread=1",
    )

    assert done.exit_code == 0
    assert done.stderr.count("point 2 failed: ") == 1
    assert "The traceback of point 2: sweeps/crosses/points/" in done.stderr
    assert done.stderr.count("never read the key 'unread'") == 1
    assert " ".join(done.stderr.split()).count("strategies.0.config of the config has no key 'unread'.") == 1
    assert "refused" not in done.stderr


def test_no_point_is_best_without_execution(session: Path) -> None:
    done = sweep(session, "--set", f"{FAST}=3,5", "--set", "execution=null")

    assert "No point is best: the config has no execution: nothing trades." in done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "nothing varies. Name a key of the config"),
        (["--set", "fast"], "--set fast: write KEY=VALUES"),
        (["--set", f"{FAST}=5:1:1"], "does not lead from 5 to 1"),
        (["--set", f"{FAST}=1", "--set", f"{FAST}=2"], "is set before"),
        (["--set", "strategies.0.modul=1"], "strategies[0].modul: unknown key; did you mean 'module'"),
        (["--set", f"{FAST}=1,2", "--where", "fsat < 2"], "Did you mean 'fast'"),
        (["--set", f"{FAST}=1,2", "--objective", "sharp"], "objective: must be 'sharpe'"),
        (["--set", f"{FAST}=1,2", "--random", "3"], "2 of the 2 points of the grid meet the conditions, fewer than"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(session: Path, tmp_path: Path, args: list[str], said: str) -> None:
    done = sweep(session, *args)

    assert done.exit_code == 2
    assert said in done.stderr
    assert not (tmp_path / "sweeps").exists()


def test_run_may_be_written_out(session: Path) -> None:
    assert sweep("run", session, "--set", f"{FAST}=3").exit_code == 0


def test_options_may_come_first(session: Path) -> None:
    assert sweep("--set", f"{FAST}=3", session).exit_code == 0


@pytest.fixture(scope="module")
def swept(demo_master: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    days = {"start_date": "2024-06-20", "end_date": "2024-07-05"}
    session = make_folder(demo_master, tmp_path_factory.mktemp("report") / "session", backtest_config=days)
    openbell.sweep(session, {FAST: [3, 5, 7], SLOW: [10, 20]}, out=session.parent / "out")
    return session.parent / "out"


def test_the_report_shows_the_best_its_neighbours_and_luck(swept: Path) -> None:
    done = sweep("report", swept, "--walk-forward", "4:2", "--purge", "1", "--points", "3")

    assert done.exit_code == 0, done.output
    shown = done.stdout
    assert "Best of 6 points by Sharpe" in shown
    assert "Sharpe: fast down, slow across" in shown
    assert "Walk-forward by Sharpe" in shown
    assert max(map(len, shown.splitlines())) <= 80
    for text in (
        "neighbours (one step of one key): median",
        "Walk-forward: 3 windows, rolling, 4 sessions of training, 1 purged, 2 of test.",
        "mean in sample",
        "Points tried in this folder: 6.",
        "deflated Sharpe ratio of point",
        "probability of backtest overfitting: ",
        "sweep folder: ",
    ):
        assert text in done.stderr, text


def test_the_report_as_json(swept: Path) -> None:
    found = json.loads(sweep("report", swept, "--walk-forward", "4:2", "--anchored", "--json").stdout)

    assert found["planned"] == found["done"] == found["tried"] == 6
    assert found["best"] == found["points"][0]["point"]
    assert found["walk_forward"]["anchored"] is True
    assert found["walk_forward"]["purge"] == 1, "the sessions of history"
    assert {n["key"] for n in found["neighbours"]} == {FAST, SLOW}
    assert 0 <= found["overfitting_probability"] <= 1


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--walk-forward", "4"], "--walk-forward 4: write two numbers of sessions"),
        (["--walk-forward", "40:20"], "take shorter windows"),
        (["--objective", "sharp"], "Did you mean 'sharpe'"),
        (["--objective", "win_rate", "--walk-forward", "4:2"], "a walk-forward cannot go by win_rate"),
    ],
)
def test_a_mistake_in_a_report_is_told(swept: Path, args: list[str], said: str) -> None:
    done = sweep("report", swept, *args)

    assert done.exit_code == 2
    assert said.lower() in done.stderr.lower()


def test_when_all_points_fail_the_command_does(session: Path) -> None:
    fails = ("--set", "strategies.0.config.fails_at=3,4", "--where", "fast == fails_at")
    done = sweep(session, "--set", f"{FAST}=3,4", *fails)

    assert done.exit_code == 1
    assert "point 1 and 1 other failed: " in done.stderr
    assert "Best of" not in done.stdout


@pytest.mark.parametrize(
    ("swept", "said"),
    [
        ({"space": {"strategies.0.modul": [1]}}, "strategies[0].modul: unknown key; did you mean 'module'"),
        ({"space": {FAST: [3]}, "where": ["fast > 3"]}, "none of the 1 points of the grid meets fast > 3"),
        ({"space": {FAST: [3, 5]}}, ""),
    ],
)
def test_check_looks_at_the_sweep_of_a_config(session: Path, swept: dict[str, Any], said: str) -> None:
    file = session.parent / "checked.json"
    file.write_text(json.dumps({**json.loads(session.read_text()), "sweep": swept}))

    done = CliRunner().invoke(app, ["check", str(file)])

    assert done.exit_code == (2 if said else 0), done.output
    assert said in done.stderr
