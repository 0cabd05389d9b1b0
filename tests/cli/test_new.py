"""What ``openbell new`` writes runs at once, passes its own test, and stands in nobody's way."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from openbell import RunFolder, SystemManager, load_config
from openbell.cli.app import app
from openbell.examples.scaffold import KINDS, module_name
from openbell.testing import bar_starts, make_store, random_bars

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(demo_master: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the demo was made, and which is the current one."""
    shutil.copytree(demo_master, tmp_path / "openbell-demo")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["new", *arguments])
    assert done.exit_code == code, done.output
    return done.output


def test_a_strategy_trades_at_once(folder: Path) -> None:
    output = said("strategy", "MyIdea")

    assert "my_idea.py" in output
    assert "openbell run my_idea.yaml" in output
    config = load_config(folder / "my_idea.yaml")
    result = SystemManager(config).run(RunFolder(folder / "run", config))
    assert len(result.days) == 3
    assert len(result.trades) > 3
    assert result.warnings == ()


def test_a_scanner_finds_something_at_once(folder: Path) -> None:
    said("scanner", "my-idea")

    result = SystemManager(load_config(folder / "my_idea.yaml")).run()

    assert any(scan.symbols for day in result.days for scan in day.scans)
    assert result.warnings == ()


def test_a_config_names_a_store_of_ones_own_with_its_newest_sessions(folder: Path) -> None:
    minutes = random_bars(bar_starts("2024-03-11", "2024-03-14"))
    old = random_bars(bar_starts("2024-03-01", "2024-03-04"))
    store = make_store(folder / "mine", {"NO": {"1m": minutes}, "ON": {"1m": minutes}, "OLD": {"1m": old}})

    said("strategy", "mine", "--store", str(store), "--into", "deep/er")

    config = load_config(folder / "deep" / "er" / "mine.yaml")
    assert config.session_data_config.symbols == ("NO", "ON")
    assert str(config.backtest_config.start_date) == "2024-03-12"
    assert SystemManager(config).run().error is None
    assert (folder / "deep" / "er" / "test_mine.py").is_file()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.long
def test_each_passes_its_own_test_and_its_config_is_good(folder: Path, kind: str) -> None:
    said(kind, "mine")

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "test_mine.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout
    checked = CliRunner().invoke(app, ["check", "mine.yaml"])
    assert checked.exit_code == 0, checked.output


def test_an_indicator_is_read_at_once(folder: Path) -> None:
    said("indicator", "place_of_close")

    done = subprocess.run(
        [sys.executable, "-m", "openbell", "run", "place_of_close.yaml", "--json"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "at 1.00 of its range" in done.stdout


def test_nothing_is_written_over(folder: Path) -> None:
    (folder / "test_mine.py").write_text("precious", encoding="utf-8")

    assert "test_mine.py is there already" in said("strategy", "mine", code=2)

    assert (folder / "test_mine.py").read_text(encoding="utf-8") == "precious"
    assert not (folder / "mine.py").exists()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("random", "would hide the module random"),
        ("class", "cannot be the name"),
        ("../evil", "cannot be the name"),
        ("1st", "cannot be the name"),
        ("", "cannot be the name"),
    ],
)
def test_a_name_that_cannot_be_is_told(name: str, why: str, tmp_path: Path) -> None:
    assert why in " ".join(said("strategy", name, "--into", str(tmp_path), code=2).split())
    assert list(tmp_path.iterdir()) == []


def test_an_indicator_that_is_there_is_told(tmp_path: Path) -> None:
    assert "there is an indicator sma already" in said("indicator", "sma", "--into", str(tmp_path), code=2)


@pytest.mark.parametrize(
    ("name", "module"), [("MyIdea", "my_idea"), ("my idea", "my_idea"), ("gap-and-go", "gap_and_go"), ("x.py", "x")]
)
def test_names_become_modules(name: str, module: str) -> None:
    assert module_name(name) == module
