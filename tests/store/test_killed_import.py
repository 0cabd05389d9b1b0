"""An import may be killed at any moment: what it reported as stored is there, and every file opens."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pytest

from openbell.store.store import BarStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SYMBOLS = 6
BARS = 120
ROUNDS = 25
"""Importers that are killed in each of the long tests; a fifth of it in the one that runs always, none by the clock."""

# Forks importers that write bars of growing value, which lie in two months of each symbol, and say so after each batch.
# Asked for by a line "FOLDER PRICE OPERATIONS": an importer kills itself at its n-th operation on a file (0: never).
# This process itself runs no query, so that its children may.
NURSERY = """
import os, signal, sys
from datetime import UTC, datetime, timedelta
import polars as pl
import filelock, structlog  # importers are to be killed while they import bars, and not modules
from openbell.store.store import BarStore

def bars(price, count=120):
    start = datetime(2013, 10, 31, 23, 0, tzinfo=UTC)
    times = pl.Series([start + timedelta(minutes=i) for i in range(count)], dtype=pl.Datetime("ns", "UTC"))
    return pl.DataFrame({"timestamp": times}).with_columns(
        **{name: pl.lit(float(price)) for name in ("open", "high", "low", "close", "volume")}
    )

def die_at(count):
    def count_down(event, arguments):
        nonlocal count
        if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.scandir"):
            count -= 1
            if not count:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count_down)

def run(folder, first, operations, symbols):
    store = BarStore.open_or_create(folder)
    if operations:
        die_at(operations)
    for price in range(first, 1_000_000):
        frame = bars(price)
        with store.writer() as writer:
            for number in range(symbols):
                writer.write(f"S{number:02}", "1m", frame)
        os.write(1, f"{price}\\n".encode())  # at once: print may be killed before the end of the line

def serve():
    for line in sys.stdin:
        folder, first, operations, symbols = line.split()
        child = os.fork()
        if not child:
            try:
                run(folder, int(first), int(operations), int(symbols))
            finally:
                os._exit(1)
        print("pid", child, flush=True)
        os.waitpid(child, 0)
        print("gone", flush=True)

serve()
"""


class Nursery(NamedTuple):
    """Starts importers quickly."""

    process: subprocess.Popen[str]

    def ask(self, folder: Path, first: int, operations: int = 0, symbols: int = SYMBOLS) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{folder} {first} {operations} {symbols}\n")
        self.process.stdin.flush()

    def lines(self) -> Iterator[str]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line == "gone\n":
                return
            yield line

    def import_and_die(self, folder: Path, first: int, dice: random.Random, *, timed: bool) -> int:
        """Let an importer run that is killed at a random moment; the last price that it reported as stored.

        The moment is an operation on a file, or, if it may be timed, now and then one of the clock.
        """
        at_operation = dice.randint(1, 200) if not timed or dice.random() < 0.5 else 0
        self.ask(folder, first, at_operation)
        reported = first - 1
        for line in self.lines():
            if line.startswith("pid") and not at_operation:
                pid = int(line.split()[1])
                threading.Timer(dice.uniform(0, 0.12), os.kill, (pid, signal.SIGKILL)).start()
            elif not line.startswith("pid") and line.endswith("\n"):
                reported = int(line)
        return reported


@contextmanager
def nursery() -> Iterator[Nursery]:
    process = subprocess.Popen(
        [sys.executable, "-c", NURSERY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield Nursery(process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # with an importer that still runs, which would hold the pipe open
        process.communicate()


@pytest.mark.parametrize(
    ("seed", "rounds"), [(0, ROUNDS // 5), *(pytest.param(seed, ROUNDS, marks=pytest.mark.long) for seed in range(8))]
)
def test_killed_importers_lose_nothing_that_they_reported_and_leave_no_half_of_a_batch(
    tmp_path: Path, seed: int, rounds: int
) -> None:
    dice = random.Random(seed)
    folder = tmp_path / "store"
    stored = 0
    with nursery() as importers:
        for _ in range(rounds):
            reported = importers.import_and_die(folder, stored + 1, dice, timed=rounds == ROUNDS)
            store = BarStore.open_or_create(folder)
            frame = store.read(store.symbols(), "1m", None, None)
            prices = frame["close"].unique().to_list()

            assert len(prices) <= 1, "a batch is stored as a whole"
            assert frame.height in (0, SYMBOLS * BARS)
            now = int(prices[0]) if prices else 0
            assert max(stored, reported) <= now <= reported + 1
            # Killed while it made the store, it leaves the marker's new content, which the next one writes again.
            if (folder / "openbell-store.json").exists():
                assert not list(folder.rglob("*.tmp"))
            assert not (folder / "pending.json").exists()
            assert not (folder / ".staging").exists()
            for path in folder.rglob("*.parquet"):
                pl.read_parquet(path)
            stored = now
    assert stored > 0
    assert BarStore.open(folder).write("S00", "1m", frame.filter(symbol="S00")).unchanged == BARS


def test_a_reader_is_never_disturbed_by_a_writer(tmp_path: Path) -> None:
    with nursery() as importers:
        importers.ask(tmp_path / "store", 1, symbols=40)
        lines = importers.lines()
        pid = int(next(lines).split()[1])
        next(lines)
        reader = BarStore.open(tmp_path / "store")
        before = 0.0
        for _ in range(8):
            frame = reader.read(reader.symbols(), "1m", None, None)
            assert frame.height == 40 * BARS
            assert frame["close"].n_unique() == 1
            assert frame["close"][0] >= before
            before = frame["close"][0]
        os.kill(pid, signal.SIGKILL)


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    script = NURSERY.replace("serve()\n", "") + (
        "\nstore = BarStore.open_or_create(sys.argv[1])"
        "\nfor price in range(1, 7):"
        "\n    store.write(sys.argv[2], '1m', bars(price))"
        "\n    store.write('BOTH' , '1m', bars(price, 60 + price) if sys.argv[2] == 'A' else bars(price, price))\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "store"), name], stderr=subprocess.PIPE)
        for name in ("A", "B")
    ]
    reported = [writer.communicate()[1] for writer in writers]

    store = BarStore.open(tmp_path / "store")
    assert reported == [b"", b""]
    assert store.read(["A", "B"], "1m", None, None)["close"].to_list() == [6.0] * (2 * BARS)
    assert store.read(["BOTH"], "1m", None, None).height == 66
