"""A run that is killed leaves every event up to its last finished batch, and at most a part of one line after them."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
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
        if bar.interval == "5m" and self.context.now.minute % 15 == 0:
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
    closes = dict.fromkeys(("2024-07-02", "2024-07-03"), "12:00")  # two mornings are enough to be killed in
    session = {
        "exchange": {"name": "XNYS_EARLY", "like": "XNYS", "early_closes": closes},
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


# Forks a run for each line "CONFIG OUT PIPE", which prints into that pipe, and tells its process and how it ended. This
# process itself runs no query, so that its children may.
NURSERY = """
import os, sys
from openbell.cli.app import main
import filelock, polars, openbell.cli.run, openbell.engine.system, openbell.execution.desk  # not once for each run

for line in sys.stdin:
    config, out, pipe = line.split()
    child = os.fork()
    if not child:
        try:
            os.dup2(os.open(pipe, os.O_WRONLY), 1)
            sys.argv = ["openbell", "run", config, "--out", out, "--json"]
            main()
        finally:
            os._exit(1)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class Nursery:
    """Starts runs without the time that imports take."""

    process: subprocess.Popen[str]

    def start(self, config: Path, out: Path) -> tuple[int, IO[bytes]]:
        """Start a run; its process, and what it prints."""
        assert self.process.stdin is not None
        pipe = out.with_suffix(".pipe")
        os.mkfifo(pipe)
        self.process.stdin.write(f"{config} {out} {pipe}\n")
        self.process.stdin.flush()
        return self.number(), pipe.open("rb")

    def number(self) -> int:
        """What it tells next: the process that it has started, or how it ended."""
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    command = [sys.executable, "-c", NURSERY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Nursery(process)
        assert process.stdin is not None
        process.stdin.close()


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
    """The events of a run in a process that nobody forked."""
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    command = "from openbell.cli.app import main; main()"
    arguments = ["run", str(config), "--out", str(out), "--json"]
    run = subprocess.run([sys.executable, "-c", command, *arguments], stdout=subprocess.PIPE, check=True)
    return events(out, run.stdout)


def check_a_killed_run(nursery: Nursery, config: Path, out: Path, undisturbed: Events, seed: int) -> None:
    """Kill a run at a random moment, and compare its events with the undisturbed run's."""
    dice = random.Random(seed)
    process, told = nursery.start(config, out)
    with told:
        printed = b"".join(told.readline() for _ in range(dice.randrange(1, len(undisturbed.callbacks))))
        time.sleep(dice.uniform(0, 0.003))
        os.kill(process, signal.SIGKILL)
        printed += told.read()
    assert nursery.number() == -9, "the run was over before it was killed"

    found = events(out, printed)
    # When a callback began, all batches of earlier times were finished. What its own batch delivers was subscribed to
    # after the one before, by whose time the journal has it.
    running = found.callbacks[-1]
    finished = max((time for time in found.callbacks if time < running), default="")
    for name in EVENT_FILES:
        whole, got = undisturbed.lines[name], found.lines[name]
        assert got == whole[: len(got)]
        until = finished if name == "journal.jsonl" else running
        assert len(got) >= sum(line["time"] < until for line in whole), f"{name} lacks events before {until}"


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 50))])
def test_a_killed_run_leaves_its_events_up_to_the_last_finished_batch(
    nursery: Nursery, config: Path, undisturbed: Events, tmp_path: Path, seed: int
) -> None:
    check_a_killed_run(nursery, config, tmp_path / "run", undisturbed, seed)


def test_the_undisturbed_run_wrote_events_of_every_kind(undisturbed: Events) -> None:
    assert all(len(undisturbed.lines[name]) > 20 for name in EVENT_FILES)
    assert len(undisturbed.callbacks) > 1000
    for name in EVENT_FILES:
        times = [line["time"] for line in undisturbed.lines[name]]
        assert times == sorted(times)
