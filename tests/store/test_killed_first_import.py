"""The first import into a new store may be killed at any moment: `data verify` right after it finds nothing wrong."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from openbell.actions import ActionStore
from openbell.cli.app import app
from openbell.store.label import read_label
from openbell.store.store import BarStore
from openbell.vendors.unavailable_sessions import UnavailableSessions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Forks a first import into each folder FOLDER/n, n from standard input, that kills itself at its n-th operation on a
# file. With a time after n, in microseconds, it is killed from outside then.
IMPORTS = """
import os, signal, sys, threading, time
from datetime import date
import filelock, structlog, openbell.importers.import_report, openbell.vendors.unavailable_sessions
import numpy as np
import polars as pl
from openbell.actions.store import ActionStore
from openbell.actions.table import ACTION_SCHEMA
from openbell.store.label import write_label
from openbell.store.store import BarStore
from openbell.testing import random_bars
from openbell.vendors.unavailable_sessions import UnavailableSessions
from openbell.store import commit

if sys.argv[2] == "large":  # with a file of what has changed since the manifest, and a new manifest now and then
    commit.FEWEST_FILES, commit.MOST_CHANGES = 0, 1
BARS = random_bars(np.arange(120) * 60 * 10**9 + 1_383_260_400 * 10**9)

def run(folder, operations):
    def count_down(event, arguments):
        nonlocal operations
        if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.scandir"):
            operations -= 1
            if not operations:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count_down)
    with BarStore.open_or_create(folder).writer() as writer:
        for symbol in ("A", "B/C"):
            writer.write(symbol, "1m", BARS)
    actions = [("A", date(2013, 11, 4), "split", 2.0, None, None)]
    ActionStore(folder).write(pl.DataFrame(actions, schema=ACTION_SCHEMA, orient="row"))
    gone = UnavailableSessions(folder)
    gone.remember("alpaca", "1m", none=[("A", date(2013, 1, 2))], some=[], today=date(2013, 11, 4))
    write_label(folder, "SYNTHETIC DATA\\n")

from pathlib import Path
for line in sys.stdin:
    name, operations, microseconds = line.split()
    child = os.fork()
    if not child:
        try:
            run(Path(sys.argv[1]) / name, int(operations))
        finally:
            os._exit(0)
    if int(microseconds):
        time.sleep(int(microseconds) / 1e6)
        os.kill(child, signal.SIGKILL)
    print("killed" if os.waitpid(child, 0)[1] else "done", flush=True)
"""
OPERATIONS = 190


def killed_imports(folder: Path, kills: Iterable[tuple[int, int]], size: str = "small", fewest: int = 1) -> list[Path]:
    """A folder for each first import that was killed at its n-th operation, or after that many microseconds."""
    folder.mkdir()
    asked = "".join(f"{n} {operations} {microseconds}\n" for n, (operations, microseconds) in enumerate(kills))
    command = [sys.executable, "-c", IMPORTS, folder, size]
    ends = subprocess.run(command, input=asked, check=True, capture_output=True, text=True).stdout.split()
    assert ends.count("killed") >= fewest
    return [folder / str(n) for n in range(len(ends))]


def has_nothing_wrong(folder: Path) -> None:
    verified = CliRunner().invoke(app, ["data", "verify", "--store", str(folder)])
    if not (folder / "openbell-store.json").exists():
        assert verified.exit_code == 2, verified.output
        assert "not an openbell store" in verified.stderr or "there is no folder" in verified.stderr
    else:
        assert verified.exit_code == 0, verified.output
    store = BarStore.open_or_create(folder)
    assert [store.read([symbol], "1m", None, None).height for symbol in ("A", "B/C")] in ([0, 0], [120, 120])
    assert ActionStore(folder).read().height in (0, 1)
    assert read_label(folder) in (None, "SYNTHETIC DATA")
    assert len(UnavailableSessions(folder).sessions("alpaca", "1m")) in (0, 1)


def test_the_operations_reach_from_an_empty_folder_to_the_whole_store(tmp_path: Path) -> None:
    none, everything = killed_imports(tmp_path / "stores", [(1, 0), (OPERATIONS, 0)])

    assert not (none / "openbell-store.json").exists()
    assert read_label(everything) == "SYNTHETIC DATA"


@pytest.mark.parametrize("size", ["small", "large"])
def test_after_a_killed_first_import_nothing_is_wrong(tmp_path: Path, size: str) -> None:
    for folder in killed_imports(tmp_path / "stores", [(n, 0) for n in range(1, OPERATIONS, 26)], size):
        has_nothing_wrong(folder)


@pytest.mark.long
@pytest.mark.parametrize("size", ["small", "large"])
def test_after_a_first_import_was_killed_at_any_moment_nothing_is_wrong(tmp_path: Path, size: str) -> None:
    dice = random.Random(12)
    everywhere = [(n, 0) for n in range(1, OPERATIONS)]  # the last of them may be too late
    any_time = [(0, dice.randint(1, 60_000)) for _ in range(20)]
    folders = killed_imports(tmp_path / "stores", everywhere + any_time, size, fewest=150)
    for folder in folders:
        has_nothing_wrong(folder)
