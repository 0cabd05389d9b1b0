"""An import of CSV files may be killed at any moment: the store is whole, and the same import makes it complete."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import TYPE_CHECKING

import polars as pl
import pytest

from openbell.importers.csv import import_csv
from openbell.maintenance.verify import verify
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

SYMBOLS = 5
MINUTES = 400
ROUNDS = 20
"""Importers that are killed in each of the long tests; less than half of it in the one that runs always."""

# Forks importers that kill themselves at their n-th operation on a file; asked for by a line "STORE OPERATIONS".
# Rows go to the buffer on disk.
IMPORTER = """
import os, signal, sys
from pathlib import Path
import filelock  # importers are to be killed while they import bars, and not modules
from openbell.importers import spill_buffer
from openbell.importers.csv import import_csv
from openbell.store.store import BarStore

spill_buffer.ROWS_IN_MEMORY = 1000

def run(store, files, operations):
    def count_down(event, arguments):
        nonlocal operations
        if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.scandir", "tempfile.mkdtemp"):
            operations -= 1
            if not operations:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count_down)
    report = import_csv(files, BarStore.open_or_create(store), interval="1m")
    os.write(1, f"stored {report.written.added + report.written.unchanged}\\n".encode())

for line in sys.stdin:
    store, operations = line.split()
    child = os.fork()
    if not child:
        try:
            run(Path(store), sorted(Path(sys.argv[1]).iterdir()), int(operations))
        finally:
            os._exit(1)
    os.waitpid(child, 0)
    os.write(1, b"gone\\n")
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A file of each symbol, whose bars lie in two months."""
    folder = tmp_path / "files"
    folder.mkdir()
    minutes = pl.Series(range(MINUTES)) * 60 + 1_719_778_800  # from 20:20 on the last of June
    times = pl.from_epoch(minutes, "s").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    for number in range(SYMBOLS):
        price = [float(10 + number)] * MINUTES
        columns = dict.fromkeys(("open", "high", "low", "close", "volume"), price)
        pl.DataFrame({"timestamp": times, **columns}).write_csv(folder / f"S{number}.csv")
    return folder


@pytest.mark.parametrize(
    ("seed", "rounds"), [(0, 8), *(pytest.param(seed, ROUNDS, marks=pytest.mark.long) for seed in (0, 1))]
)
def test_a_killed_import_leaves_a_whole_store_and_the_next_one_completes_it(
    tmp_path: Path, files: Path, seed: int, rounds: int
) -> None:
    dice = random.Random(seed)
    words = [sys.executable, "-c", IMPORTER, str(files)]
    killed = 0
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as importers:
        assert importers.stdin is not None
        assert importers.stdout is not None
        for at in range(rounds):
            folder = tmp_path / f"store{at // 2}"
            importers.stdin.write(f"{folder} {dice.randint(1, 90)}\n")
            importers.stdin.flush()
            told = list(iter(importers.stdout.readline, "gone\n"))
            killed += not told

            store = BarStore.open_or_create(folder)
            # Killed before that, it leaves no store.
            if (folder / "openbell-store.json").exists():
                assert verify(folder).damages == ()
            frame = store.read(store.symbols(), "1m", None, None)
            assert frame.height in ((SYMBOLS * MINUTES,) if told else (0, SYMBOLS * MINUTES)), "all of it or nothing"
        importers.stdin.close()
    assert killed > 0
    report = import_csv([files], BarStore.open(folder), interval="1m")
    assert report.written.added + report.written.unchanged == SYMBOLS * MINUTES
    assert verify(folder).damages == ()
    assert {p.name for p in folder.iterdir()} <= {"bars", "manifest.parquet", "openbell-store.json", ".lock"}
