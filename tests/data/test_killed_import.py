"""An import may be killed at any moment: what it reported as stored is there, and every file opens."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import polars as pl
import pytest

from openbell.data.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

# Writes bars of growing value to 40 symbols, over and over, and says so after each batch.
IMPORT = """
import sys
from datetime import UTC, datetime, timedelta
import polars as pl
from openbell.data.store import BarStore

start = datetime(2013, 10, 31, 23, 0, tzinfo=UTC)
times = pl.Series([start + timedelta(minutes=i) for i in range(120)], dtype=pl.Datetime("ns", "UTC"))
store = BarStore.open_or_create(sys.argv[1])
for price in range(1, 10_000):
    frame = pl.DataFrame({"timestamp": times}).with_columns(
        **{name: pl.lit(float(price)) for name in ("open", "high", "low", "close", "volume")}
    )
    with store.writer() as writer:
        for number in range(40):
            writer.write(f"S{number:02}", "1m", frame)
    print(price, flush=True)
"""


def run_and_kill(folder: Path, after_s: float) -> int:
    """Start the import, kill it that long after its first report; the last batch that it reported as stored."""
    process = subprocess.Popen([sys.executable, "-c", IMPORT, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    reported = int(process.stdout.readline())
    timer = threading.Timer(after_s, process.kill)
    timer.start()
    for line in process.stdout:
        reported = int(line) if line.endswith("\n") else reported
    process.wait()
    process.stdout.close()
    timer.join()
    return reported


def test_a_reader_is_never_disturbed_by_a_writer(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", IMPORT, str(tmp_path / "store")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    reader = BarStore.open(tmp_path / "store")
    before = 0
    for _ in range(12):
        frame = reader.read(reader.symbols(), "1m", None, None)
        prices = frame.group_by(pl.col("symbol"), pl.col("timestamp").dt.month()).agg(pl.col("close").n_unique())
        assert frame.height == 40 * 120
        assert prices["close"].to_list() == [1] * 80
        assert frame["close"].min() >= before
        before = frame["close"].min()
    process.kill()
    process.communicate()


@pytest.mark.parametrize("seed", range(8))
def test_a_killed_import_loses_nothing_that_it_reported(tmp_path: Path, seed: int) -> None:
    reported = run_and_kill(tmp_path / "store", random.Random(seed).uniform(0, 0.25))

    store = BarStore.open(tmp_path / "store")
    symbols = store.symbols()
    frame = store.read(symbols, "1m", None, None)

    assert len(symbols) == 40
    assert frame.height == 40 * 120
    assert frame["close"].min() >= reported
    for path in store.path.rglob("*.parquet"):
        pl.read_parquet(path)
    assert not list(store.path.rglob("*.tmp"))
    assert store.write("S00", "1m", frame.filter(symbol="S00")).unchanged == 120
