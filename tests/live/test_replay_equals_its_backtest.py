"""A replayed session equals its backtest to the bit, in events, bars and indicators."""

from __future__ import annotations

import json
import shutil
from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pytest

from openbell.config import load_config
from openbell.engine.system import SystemManager
from openbell.inspection import open_run
from openbell.live.record.verify import verify_run
from openbell.live.start import replay_run
from openbell.results.folder.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = ("scans.jsonl", "signals.jsonl", "orders.jsonl", "fills.jsonl")


@pytest.fixture(scope="module")
def demo(demo_master: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(demo_master, tmp_path_factory.mktemp("replayed") / "demo")


@pytest.fixture(scope="module")
def runs(demo: Path) -> tuple[Path, Path]:
    """The folders of a backtest of the demo's second day, a half one, and of its replay."""
    config = load_config(demo / "session.yaml")
    day = date(2024, 7, 3)
    config = config.with_days(day, day)
    backtest = RunFolder(demo / "backtest", config, keep_bars=True, keep_indicators=True)
    SystemManager(config).run(backtest)
    run = replay_run(config, None, demo / "replay")
    run.run(RunFolder(demo / "replay", config, keep_bars=True, keep_indicators=True))
    return demo / "backtest", demo / "replay"


def test_every_scan_signal_order_and_fill_is_that_of_the_backtest(runs: tuple[Path, Path]) -> None:
    backtest, replayed = runs
    for name in EVENTS:
        assert (replayed / name).read_text() == (backtest / name).read_text(), name
    assert (backtest / "fills.jsonl").read_text().count("\n") > 5


def test_so_are_all_bars_and_indicators(runs: tuple[Path, Path]) -> None:
    backtest, replayed = runs
    paths = [
        path.relative_to(backtest) for kind in ("bars", "indicators") for path in (backtest / kind).rglob("*.parquet")
    ]
    assert len(paths) > 20
    for path in paths:
        assert pl.read_parquet(replayed / path).equals(pl.read_parquet(backtest / path)), path


def test_verify_says_so(runs: tuple[Path, Path]) -> None:
    found = verify_run(runs[1])
    assert found.differences == ()
    assert found.revisions == 0
    assert found.compared[0] > 50


def test_verify_names_the_first_difference(runs: tuple[Path, Path], tmp_path: Path) -> None:
    """One price of one signal is another one in the folder of the live run."""
    folder = shutil.copytree(runs[1], tmp_path / "run")
    lines = (folder / "fills.jsonl").read_text().splitlines()
    third = json.loads(lines[2])
    third["price"] += 0.01
    lines[2] = json.dumps(third)
    (folder / "fills.jsonl").write_text("\n".join([*lines, ""]))
    (one,) = verify_run(folder).differences
    assert (one.file, one.where, one.revision) == ("fills.jsonl", "line 3", "")
    assert json.loads(one.live)["price"] == third["price"]


def test_a_session_of_it_can_be_looked_at_without_its_store(runs: tuple[Path, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(runs[1], tmp_path / "run")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "store": str(tmp_path / "gone")}))

    run = open_run(folder)
    session = run.session(run.days[0])

    kept = sorted((folder / "bars" / str(run.days[0])).glob("*_5m.parquet"))
    assert len(kept) > 5
    for file in kept:
        assert session.frame(file.name.removesuffix("_5m.parquet"), "5m").equals(pl.read_parquet(file)), file
