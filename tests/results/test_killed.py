"""A run that is killed leaves every event up to its last finished batch, and at most a part of one line after them."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

EVENT_FILES = ("journal.jsonl", "scans.jsonl", "signals.jsonl")

COMPONENTS = """
import os

from openbell import IndicatorConfig, Scanner, Signal, Strategy

class Busy(Strategy):
    def subscriptions(self):
        return [(symbol, interval) for symbol in self.context.symbols for interval in ("1m", "5m")]

    def on_bar(self, bar):
        os.write(1, f"{self.context.now.isoformat()}\\n".encode())
        if bar.interval == "5m":
            period = 2 + bar.end // 10**9 % 97
            self.context.add_indicator(bar.symbol, IndicatorConfig("sma", period=period, interval="5m"))
        return [Signal(bar.symbol, "HOLD", f"{bar.close:.2f}"), Signal(bar.symbol, "LOOK", "x" * 300)]

    def on_slice(self, bars):
        return [Signal(symbol, "SLICE") for symbol in bars.symbols]

class Often(Scanner):
    def scan(self):
        return [s for s in ("SYN01", "SYN02", "SYN03") if self.context.add_symbol(s)]
"""
"""A strategy with several signals a minute that prints the session time of each callback, and a scanner that adds."""


@dataclass(frozen=True)
class Events:
    """The lines of each file of events, without durations, and the times that the strategy printed."""

    lines: dict[str, list[dict[str, Any]]]
    callbacks: list[str]


@pytest.fixture(scope="module")
def config(demo_master: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shutil.copytree(demo_master, tmp_path_factory.mktemp("killed") / "demo")
    (folder / "busy.py").write_text(COMPONENTS, encoding="utf-8")
    session = {
        "store": "store",
        "backtest_config": {"start_date": "2024-07-02", "end_date": "2024-07-03"},
        "session_data_config": {"symbols": ["ALFA", "BRVO", "NOSUCH"], "streams": ["1m", "5m"]},
        "strategies": [{"module": "busy.py:Busy"}],
        "scanners": [
            {"module": "busy.py:Often", "schedule": [{"start": "09:40", "end": "12:00", "every": "7m"}]},
        ],
    }
    (folder / "session.json").write_text(json.dumps(session), encoding="utf-8")
    return folder / "session.json"


def start(config: Path, out: Path) -> subprocess.Popen[bytes]:
    command = "from openbell.cli.app import main; main()"
    arguments = ["run", str(config), "--out", str(out), "--json"]
    return subprocess.Popen([sys.executable, "-c", command, *arguments], stdout=subprocess.PIPE)


def events(out: Path, printed: bytes) -> Events:
    lines = {name: _lines(out / name) for name in EVENT_FILES}
    for record in lines["journal.jsonl"]:
        record["steps"] = [step["name"] for step in record["steps"]]
    times = [line for line in printed.decode().split("\n")[:-1] if line.startswith("2024-")]
    return Events(lines, times)


def _lines(path: Path) -> list[dict[str, Any]]:
    # A kill within a write may cut it at any page of memory: what follows the last end of a line is a part of one.
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    return [json.loads(line) for line in whole.splitlines()]


@pytest.fixture(scope="module")
def undisturbed(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Events:
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    run = start(config, out)
    printed, _ = run.communicate()
    assert run.returncode == 0
    return events(out, printed)


def check_a_killed_run(config: Path, out: Path, undisturbed: Events, seed: int) -> None:
    """Kill a run at a random moment, and compare its events with the undisturbed run's."""
    dice = random.Random(seed)
    run = start(config, out)
    assert run.stdout is not None
    printed = b"".join(run.stdout.readline() for _ in range(dice.randrange(1, len(undisturbed.callbacks))))
    time.sleep(dice.uniform(0, 0.003))
    run.kill()
    printed += run.stdout.read()
    run.stdout.close()
    assert run.wait() == -9, "the run was over before it was killed"

    found = events(out, printed)
    # When a callback began, all batches of earlier times were finished.
    running = found.callbacks[-1]
    for name in EVENT_FILES:
        whole, got = undisturbed.lines[name], found.lines[name]
        assert got == whole[: len(got)]
        assert len(got) >= sum(line["time"] < running for line in whole), f"{name} lacks events before {running}"


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2))])
def test_a_killed_run_leaves_its_events_up_to_the_last_finished_batch(
    config: Path, undisturbed: Events, tmp_path: Path, seed: int
) -> None:
    check_a_killed_run(config, tmp_path / "run", undisturbed, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 150))
def test_so_does_a_run_that_is_killed_anywhere(config: Path, undisturbed: Events, tmp_path: Path, seed: int) -> None:
    check_a_killed_run(config, tmp_path / "run", undisturbed, seed)


def test_the_undisturbed_run_wrote_events_of_every_kind(undisturbed: Events) -> None:
    assert all(len(undisturbed.lines[name]) > 20 for name in EVENT_FILES)
    assert len(undisturbed.callbacks) > 1000
    for name in EVENT_FILES:
        times = [line["time"] for line in undisturbed.lines[name]]
        assert times == sorted(times)
