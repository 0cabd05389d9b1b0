"""A run that is told to stop from outside keeps what it did, and says where it stopped."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

STOPPED = """
import os
import signal

from openbell import Strategy

class Stopped(Strategy):
    def subscriptions(self):
        return [("ALFA", "60m")]

    def on_bar(self, bar):
        self.stop(self.config["by"])

    def teardown(self):
        self.stop("SIGTERM")

    def stop(self, by):
        if self.context.session_date.isoformat() == self.config["on"]:
            if self.config["by"] == by:
                os.kill(os.getpid(), getattr(signal, by))
"""
"""A strategy whose process is told to stop; with SIGTERM twice, as `timeout` does it."""

DEAF = """
import os
import signal
import time

from openbell import Strategy

class Deaf(Strategy):
    def subscriptions(self):
        return [("ALFA", "60m")]

    def on_bar(self, bar):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except BaseException:
            time.sleep(1.5)
            os.kill(os.getpid(), signal.SIGTERM)
"""
"""A strategy that swallows the first SIGTERM; another one comes later."""

LATE = """
import os
import signal
import sys

from openbell import Strategy

class Telling:
    def __getattr__(self, name):
        return getattr(sys.__stdout__, name)

    def write(self, text):
        if "running" in text:
            os.kill(os.getpid(), signal.SIGTERM)
        return sys.__stdout__.write(text)

class Late(Strategy):
    def setup(self):
        sys.stdout = Telling()
"""
"""A strategy whose process is told to stop when its run is over, and the command prints the last line of it."""


@pytest.fixture(scope="module")
def folder(demo_master: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(demo_master, tmp_path_factory.mktemp("stopping") / "demo")


def run_of(folder: Path, target: Path, source: str, module: str, **config: str) -> subprocess.CompletedProcess[str]:
    """Run a strategy on three sessions in a process of its own."""
    (folder / module.partition(":")[0]).write_text(source, encoding="utf-8")
    session = {
        "store": str(folder / "store"),
        "backtest_config": {"start_date": "2024-07-02", "end_date": "2024-07-05"},
        "session_data_config": {"symbols": ["ALFA"]},
        "strategies": [{"module": module, "config": config}],
    }
    path = folder / f"{target.parent.name}.json"
    path.write_text(json.dumps(session), encoding="utf-8")
    command = [sys.executable, "-c", "from openbell.cli.app import main; main()", "run", str(path)]
    return subprocess.run([*command, "--out", str(target)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("signal_name", "code"),
    [("SIGTERM", 143), *(pytest.param(*end, marks=pytest.mark.long) for end in (("SIGHUP", 129), ("SIGINT", 130)))],
)
def test_a_run_that_is_stopped_from_outside_keeps_what_it_did(
    folder: Path, tmp_path: Path, signal_name: str, code: int
) -> None:
    stopped = run_of(folder, tmp_path / "run", STOPPED, "stopped.py:Stopped", by=signal_name, on="2024-07-03")

    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert stopped.returncode == code, stopped.stderr
    assert summary["error"] == "interrupted in session 2024-07-03"
    assert [day["date"] for day in summary["days"]] == ["2024-07-02"]
    assert (tmp_path / "run" / "signals.parquet").exists()
    assert stopped.stderr.endswith("interrupted in session 2024-07-03\n")


def test_a_strategy_that_swallows_the_first_sigterm_does_not_swallow_the_next(folder: Path, tmp_path: Path) -> None:
    stopped = run_of(folder, tmp_path / "run", DEAF, "deaf.py:Deaf")

    assert stopped.returncode == 143, stopped.stderr
    assert stopped.stderr.endswith("interrupted in session 2024-07-02\n")


def test_a_run_that_is_stopped_while_it_is_told_of_says_that_it_is_over(folder: Path, tmp_path: Path) -> None:
    stopped = run_of(folder, tmp_path / "run", LATE, "late.py:Late")

    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert stopped.returncode == 143, stopped.stderr
    assert stopped.stderr.endswith("interrupted after session 2024-07-05\n")
    assert len(summary["days"]) == 3
    assert "error" not in summary
