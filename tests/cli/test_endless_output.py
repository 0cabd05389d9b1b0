"""What strategies and scanners return without end is refused by name, and what is huge is cut where it is shown."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from made_bars import made_store

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.long

STRATEGY = """
from itertools import count, repeat
from openbell import Scanner, Signal, Strategy

class Base(Strategy):
    def subscriptions(self):
        return [("A", "60m")]
    def on_bar(self, bar):
        return None

class Reasons(Base):
    def on_bar(self, bar):
        return Signal("A", "BUY", "r" * 2_000_000)

class Symbols(Base):
    def on_bar(self, bar):
        self.context.add_symbol("s" * 3_000_000)

class Signals(Base):
    def on_bar(self, bar):
        return repeat(Signal("A", "BUY", "again"))

class Fresh(Base):
    def on_bar(self, bar):
        return (Signal("A", "BUY", f"{n}") for n in count())

class Subscriptions(Base):
    def subscriptions(self):
        return repeat(("A", "60m"))

class Distinct(Base):
    def subscriptions(self):
        return ((f"S{n}", "60m") for n in count())

class Raises(Base):
    def on_bar(self, bar):
        raise ValueError("e" * 2_000_000)

class Finds(Scanner):
    def scan(self):
        return (f"S{n}" for n in count())
"""
MOST_MEMORY = 6 << 30
MOST_OUTPUT = 400_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("endless")
    made_store(folder / "store", ["A"], "2024-07-01", "2024-07-02", intervals=["1m"])
    (folder / "mine.py").write_text(STRATEGY)
    return folder


def run(folder: Path, kind: str, name: str, *options: str) -> subprocess.CompletedProcess[str]:
    component = {"module": f"mine.py:{name}"}
    if kind == "scanners":
        component["schedule"] = [{"start": "10:00", "end": "10:00", "every": "1m"}]  # type: ignore[assignment]
    config = {
        "store": "store",
        "backtest_config": {"start_date": "2024-07-02", "end_date": "2024-07-02"},
        "session_data_config": {"symbols": ["A"]},
        kind: [component],
    }
    (folder / f"{name}.json").write_text(json.dumps(config))
    command = [
        sys.executable,
        "-m",
        "openbell",
        "run",
        f"{name}.json",
        "--out",
        f"runs/{name}{''.join(options)}",
        *options,
    ]

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))

    done = subprocess.run(
        command, cwd=folder, check=False, capture_output=True, text=True, timeout=120, preexec_fn=bounded
    )  # fmt: skip
    assert "MemoryError" not in done.stderr
    return done


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        ("strategies", "Signals", "signals at one time: does a generator never end?"),
        ("strategies", "Fresh", "signals at one time: does a generator never end?"),
        ("strategies", "Subscriptions", "at one time: does a generator never end?"),
        ("strategies", "Distinct", "at one time: does a generator never end?"),
        ("scanners", "Finds", "at one time: does a generator never end?"),
    ],
)
def test_what_never_ends_is_refused_with_its_name(folder: Path, kind: str, name: str, told: str) -> None:
    done = run(folder, kind, name)

    assert (done.returncode, told in done.stderr) == (1, True), done.stderr[-2000:]
    assert f"{kind[:-1].replace('ie', 'y') if kind == 'strategies' else 'scanner'} {name}" in done.stderr
    assert len(done.stdout) + len(done.stderr) < MOST_OUTPUT
    assert "never end" in json.loads((folder / "runs" / name / "summary.json").read_text())["error"]


@pytest.mark.parametrize("name", ["Reasons", "Symbols", "Raises"])
@pytest.mark.parametrize("options", [(), ("--log-json",)])
def test_what_is_huge_is_cut_where_it_is_shown(folder: Path, name: str, options: tuple[str, ...]) -> None:
    done = run(folder, "strategies", name, *options)

    assert done.returncode == (1 if name == "Raises" else 0), done.stderr[-2000:]
    assert len(done.stdout) + len(done.stderr) < MOST_OUTPUT
