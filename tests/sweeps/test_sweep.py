"""A sweep's points are runs as any other, each done once; what fails is a row, and no kill loses what is done."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import filelock
import polars as pl
import pytest

import openbell
import openbell.testing
from openbell import RunFolder, SystemManager, load_config
from openbell.config.reading import varied
from openbell.errors import ConfigError
from openbell.sweeps.sweep import SweepObserver
from sweeps_parts import FAST, SLOW, make_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openbell.sweeps.point_result import PointResult

GRID = {FAST: [3, 5], SLOW: [10, 20]}


@pytest.fixture(scope="module")
def session(demo_master: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(demo_master, tmp_path_factory.mktemp("sweep") / "session")


@pytest.fixture(scope="module")
def whole(session: Path) -> Path:
    """The folder of a sweep that keeps whole run folders; to be read only."""
    folder = session.parent / "whole"
    openbell.sweep(session, GRID, out=folder, whole=True)
    return folder


class Counting(SweepObserver):
    def __init__(self) -> None:
        self.done = 0
        self.numbers: list[int] = []

    def started(self, points: int, done: int) -> None:
        self.done = done

    def finished(self, number: int, result: PointResult) -> None:
        self.numbers.append(number)


def run_anew(*args: Any, **options: Any) -> tuple[int, pl.DataFrame]:
    """Sweep, and return how many points were run besides those that were done."""
    watching = Counting()
    frame = openbell.sweep(*args, observers=[watching], **options)
    assert sorted(watching.numbers) == frame["point"].to_list()
    return len(frame) - watching.done, frame


def but_for_timing(folder: Path) -> Iterator[tuple[str, object]]:
    """The files of a run, without how long it took."""
    for file in sorted(folder.iterdir()):
        if file.name == "point.json":
            continue
        if file.name not in ("summary.json", "journal.jsonl"):
            yield file.name, file.read_bytes()
            continue
        text = file.read_text()
        records = json.loads(text) if file.name == "summary.json" else [json.loads(line) for line in text.splitlines()]
        yield file.name, json.dumps(without_timing(records))


def without_timing(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_timing(v) for k, v in value.items() if k not in ("timing", "ms", "load_ms")}
    return [without_timing(item) for item in value] if isinstance(value, list) else value


def test_points_are_equal_to_single_runs_to_the_byte(session: Path, whole: Path, tmp_path: Path) -> None:
    frame = pl.read_parquet(whole / "points.parquet")
    for row in frame.iter_rows(named=True):
        config = varied(load_config(session), {
            ("strategies", 0, "config", "fast"): row[FAST], ("strategies", 0, "config", "slow"): row[SLOW],
        })  # fmt: skip
        alone = SystemManager(config).run(RunFolder(tmp_path / row["run"], config))

        assert dict(but_for_timing(whole / "points" / row["run"])) == dict(but_for_timing(tmp_path / row["run"]))
        assert alone.performance is not None
        assert [row["sharpe"], row["end_equity"]] == [alone.performance.sharpe, alone.performance.end_equity]
        assert math.isclose(math.prod(1 + r for r in row["returns"]) - 1, row["total_return"], abs_tol=1e-12)
        assert len(row["days"]) == row["sessions"] == 2
    assert len(set(frame["end_equity"])) > 1, "points that differ"


def test_a_small_folder_holds_the_same_files_but_fewer(session: Path, whole: Path, tmp_path: Path) -> None:
    frame = openbell.sweep(session, GRID, out=tmp_path / "small")

    small = tmp_path / "small" / "points" / frame["run"][0]
    assert sorted(p.name for p in small.iterdir()) == ["config.json", "point.json", "signals.parquet", "trades.parquet"]
    for name in ("config.json", "signals.parquet", "trades.parquet"):
        assert (small / name).read_bytes() == (whole / "points" / frame["run"][0] / name).read_bytes()
    timing = ["load_s", "run_s"]
    assert frame.drop(timing).equals(pl.read_parquet(whole / "points.parquet").drop(timing))


def test_the_config_of_a_point_runs_it_again(whole: Path, tmp_path: Path) -> None:
    row = pl.read_parquet(whole / "points.parquet").row(2, named=True)

    again = SystemManager(load_config(whole / "points" / row["run"] / "config.json")).run()

    assert again.performance is not None
    assert again.performance.end_equity == row["end_equity"]


def test_what_is_done_is_not_done_again(session: Path, tmp_path: Path) -> None:
    out = tmp_path / "again"

    assert run_anew(session, GRID, out=out)[0] == 4
    assert run_anew(session, GRID, out=out)[0] == 0
    count, frame = run_anew(session, {FAST: [5, 4, 3], SLOW: [10, 20]}, out=out)
    assert count == 2
    assert frame[FAST].to_list() == [5, 5, 4, 4, 3, 3]
    assert pl.read_parquet(out / "points.parquet").equals(frame)


def test_a_small_folder_is_not_done_when_a_whole_one_is_asked_for(session: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    assert run_anew(session, {FAST: [3]}, out=out)[0] == 1
    assert run_anew(session, {FAST: [3]}, out=out, whole=True)[0] == 1
    assert run_anew(session, {FAST: [3]}, out=out, whole=True)[0] == 0
    assert run_anew(session, {FAST: [3]}, out=out)[0] == 0


@pytest.mark.parametrize("changed", ["config", "strategy", "what it imports", "bars"])
def test_what_depends_on_a_change_is_done_again(session: Path, tmp_path: Path, changed: str) -> None:
    own = shutil.copytree(session.parent, tmp_path / "own") / session.name
    assert run_anew(own, {FAST: [3]}, out=tmp_path / "out")[0] == 1
    if changed == "config":
        own.write_text(own.read_text().replace('"percent": 50', '"percent": 40'))
    elif changed == "bars":
        openbell.testing.make_store(own.parent / "store", {"NEW": {"1d": made_bars()}})
    else:
        file = own.parent / ("crosses.py" if changed == "strategy" else "helper.py")
        file.write_text(file.read_text() + "\n# another line\n")

    assert run_anew(own, {FAST: [3]}, out=tmp_path / "out")[0] == 1


def made_bars() -> pl.DataFrame:
    return openbell.testing.random_bars(openbell.testing.bar_starts("2024-07-02", "2024-07-03", "1d"))


def test_files_that_nothing_imports_do_not_matter(session: Path, tmp_path: Path) -> None:
    own = shutil.copytree(session.parent, tmp_path / "own") / session.name
    run_anew(own, {FAST: [3]}, out=tmp_path / "out")
    (own.parent / "notes.py").write_text("x = 1\n")

    assert run_anew(own, {FAST: [3]}, out=tmp_path / "out")[0] == 0


def test_a_point_that_fails_is_a_row_with_its_error(session: Path, tmp_path: Path) -> None:
    space = {FAST: [3, 5], "strategies.0.config.fails_at": [5]}
    frame = openbell.sweep(session, space, out=tmp_path / "out")

    good, bad = frame.iter_rows(named=True)
    assert (good["state"], good["error"]) == ("done", None)
    assert bad["state"] == "failed"
    assert "as told" in bad["error"]
    assert bad["sharpe"] is None
    assert "RuntimeError: as told" in (tmp_path / "out" / "points" / bad["run"] / "error.txt").read_text()
    assert run_anew(session, space, out=tmp_path / "out")[0] == 0


def test_keys_that_change_what_bars_are_have_bars_of_their_own(session: Path, tmp_path: Path) -> None:
    space = {"session_data_config.session_hours": ["regular", "extended"], "backtest_config.end_date": ["2024-07-03"]}
    frame = openbell.sweep(session, space, out=tmp_path / "out")

    assert frame["state"].to_list() == ["done", "done"]
    assert frame["backtest_config.end_date"].to_list() == ["2024-07-03"] * 2


def test_without_execution_no_point_is_best(session: Path, tmp_path: Path) -> None:
    frame = openbell.sweep(session, {FAST: [3], "execution": [None]}, out=tmp_path / "out")

    assert frame["end_equity"].to_list() == [None]
    assert frame["signals"][0] > 0


def test_two_sweeps_do_not_share_a_folder_at_one_time(session: Path, tmp_path: Path) -> None:
    openbell.sweep(session, {FAST: [3]}, out=tmp_path / "out")

    with (
        filelock.FileLock(tmp_path / "out" / ".lock"),
        pytest.raises(ConfigError, match=r"another sweep is at work in .*out\. Wait"),
    ):
        openbell.sweep(session, {FAST: [3]}, out=tmp_path / "out")


def test_a_folder_of_something_else_is_refused(session: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")

    with pytest.raises(ConfigError, match="holds something else than a sweep"):
        openbell.sweep(session, {FAST: [3]}, out=tmp_path)


def test_a_live_session_is_refused(session: Path, tmp_path: Path) -> None:
    live = {
        **json.loads(session.read_text()),
        "mode": "live",
        "live": {"provider": "websocket", "url": "ws://localhost:1"},
    }
    live.pop("backtest_config")

    with pytest.raises(ConfigError, match="a sweep runs backtests, and mode is live"):
        openbell.sweep(live, {FAST: [3]}, out=tmp_path / "out")


def test_nothing_that_varies_is_an_error(session: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing varies"):
        openbell.sweep(session, out=tmp_path / "out")


def test_the_configs_own_section_is_taken_and_what_is_given_goes_before_it(session: Path, tmp_path: Path) -> None:
    written = {**json.loads(session.read_text()), "sweep": {"space": {FAST: [3, 30]}, "where": ["fast < 10"]}}
    own = session.parent / "own.json"
    own.write_text(json.dumps(written))

    assert openbell.sweep(own, out=tmp_path / "a")[FAST].to_list() == [3]
    assert openbell.sweep(own, where=["fast > 10"], out=tmp_path / "b")[FAST].to_list() == [30]


KILLED = """
import os, sys
import openbell
from openbell.sweeps.sweep import SweepObserver

class Killer(SweepObserver):
    def finished(self, number, result):
        if number == int(sys.argv[3]):
            os.kill(os.getpid(), 9)

openbell.sweep(sys.argv[1], {sys.argv[4]: [3, 5], sys.argv[5]: [10, 20]}, out=sys.argv[2], observers=[Killer()])
"""


@pytest.mark.long
def test_a_killed_sweep_goes_on_where_it_was(session: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, session, out, "3", FAST, SLOW],
        env=dict(os.environ),
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -9, killed.stderr.decode()
    half = next(iter(sorted((out / "points").iterdir())))
    (half / "point.json").unlink()  # as a kill within its run leaves it

    count, frame = run_anew(session, GRID, out=out)

    assert count == 2
    timing = ["load_s", "run_s"]
    assert frame.drop(timing).equals(pl.read_parquet(whole / "points.parquet").drop(timing))


COUNTED = """
from pathlib import Path
from openbell import IndicatorConfig, Signal, Strategy
from openbell.indicators import register

NOTES = Path(__file__).parent / "computed"

@register("counted_close", title="Close, counted", inputs=("close",), lookback=40)
def counted_close(inputs, params):
    'Close of each bar.'
    with NOTES.open("a") as file:
        file.write("x")
    values = inputs.close.copy()
    values[:39] = float("nan")
    return values

class Counted(Strategy):
    def setup(self):
        self.close = self.context.add_indicator("ALFA", IndicatorConfig("counted_close", interval="5m"))

    def subscriptions(self):
        return [("ALFA", "5m")]

    def on_bar(self, bar):
        return Signal("ALFA", "BUY") if self.close.value % 1 < self.config["fast"] / 5 else None
"""


@pytest.mark.long  # a process of its own, because the registry of this one is not to have the indicator
def test_an_indicator_that_points_share_is_computed_once(demo_master: Path, tmp_path: Path) -> None:
    session = make_folder(demo_master, tmp_path / "session")
    (session.parent / "counted.py").write_text(COUNTED)
    module = ["--set", "strategies.0.module=counted.py:Counted"]

    def computed(*words: str) -> int:
        (session.parent / "computed").unlink(missing_ok=True)
        subprocess.run([sys.executable, "-m", "openbell", *words, "--jobs", "1"], cwd=session.parent, check=True)
        return len((session.parent / "computed").read_text())

    two = computed("sweep", session.name, *module, "--set", f"{FAST}=1,2", "--out", "two")
    five = computed("sweep", session.name, *module, "--set", f"{FAST}=1,2,3,4,5", "--out", "five")

    assert two == five, "the first points read the store, and what they then had in memory stays"
    table = pl.read_parquet(session.parent / "five/points.parquet")
    assert table["signals"].n_unique() > 1
    last = session.parent / "five/points" / table["run"][4]
    assert computed("run", str(last / "config.json"), "--store", "store", "--out", "alone") > 0
    assert (session.parent / "alone/signals.parquet").read_bytes() == (last / "signals.parquet").read_bytes()
