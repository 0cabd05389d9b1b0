"""Processes that share series have the bars of one that shares nothing, and make each series once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from made_actions import actions
from made_bars import made_store
from openbell.actions import ActionStore
from openbell.errors import DamagedFileError, RunFolderError
from openbell.market_data.data_manager import DataManager
from openbell.model.bars import COLUMNS, PRICE_COLUMNS, Bars
from openbell.store.store import BarStore
from openbell.timing.time_manager import TimeManager

if TYPE_CHECKING:
    from pathlib import Path

XNYS = TimeManager("XNYS")
FIRST, LAST = date(2014, 5, 27), date(2014, 6, 20)
DAYS = XNYS.sessions(FIRST, LAST)
ASKED = [
    (symbol, interval, first, day)
    for first, days in ((DAYS[8], DAYS[9::3]), (DAYS[2], DAYS[9::3]), (DAYS[0], DAYS[:2]))
    for day in days
    for symbol in ("ACT", "CALM", "GAPS")
    for interval in ("1m", "5m", "1d")
]
"""What one point asks for, then another one of deeper history."""


@pytest.fixture
def store(tmp_path: Path) -> BarStore:
    """ACT has a split and a dividend, GAPS misses every seventh minute, CALM has nothing."""
    folder = made_store(tmp_path / "s", ["ACT", "CALM", "GAPS"], str(FIRST), str(LAST), intervals=["1m"], keep=_keeps)
    ActionStore(folder).write(actions(("ACT", DAYS[9], "split", 7), ("ACT", DAYS[12], "dividend", 1.5)))
    return BarStore.open(folder)


def _keeps(symbol: str, interval: str, start_ns: int) -> bool:
    del interval
    return symbol != "GAPS" or start_ns // 60_000_000_000 % 7 > 0


def manager(store: BarStore, shared: Path | None, **options: Any) -> DataManager:
    return DataManager(
        store, XNYS, adjustment="total", gap_policy="forward", horizon=LAST, rerun=True, shared=shared, **options
    )


def seen_by(bars: DataManager) -> list[Bars]:
    return [bars.load_historical_bars(s, i, first, day, as_of=day, base="1m") for s, i, first, day in ASKED]


def require_same(ours: list[Bars], theirs: list[Bars]) -> None:
    for asked, one, other in zip(ASKED, ours, theirs, strict=True):
        for name in COLUMNS:
            assert np.array_equal(getattr(one, name), getattr(other, name)), (asked, name)


def test_the_second_process_reads_nothing_of_the_store(store: BarStore, tmp_path: Path) -> None:
    alone = seen_by(manager(store, None))
    require_same(seen_by(manager(store, tmp_path / "shared")), alone)
    second = manager(store, tmp_path / "shared")
    shutil.rmtree(store.path / "bars" / "interval=1m")

    require_same(seen_by(second), alone)
    with pytest.raises(DamagedFileError):
        seen_by(manager(store, None))


def test_what_is_shared_cannot_be_changed(store: BarStore, tmp_path: Path) -> None:
    for bars in seen_by(manager(store, tmp_path / "shared")):
        for name in PRICE_COLUMNS:
            with pytest.raises(ValueError, match="WRITEABLE"):
                getattr(bars, name).setflags(write=True)
            with pytest.raises(ValueError, match="read-only"):
                getattr(bars, name)[:1] = 0.0


def test_series_of_another_state_of_the_store_or_other_settings_are_others(store: BarStore, tmp_path: Path) -> None:
    seen_by(manager(store, tmp_path / "shared"))
    least = {"min_completeness": 0.9}

    require_same(seen_by(manager(store, tmp_path / "shared", **least)), seen_by(manager(store, None, **least)))

    bars = store.read(["CALM"], "1m", FIRST, LAST).drop("symbol").with_columns(pl.col("volume") + 1)
    store.write("CALM", "1m", bars)
    later = BarStore.open(store.path)
    require_same(seen_by(manager(later, tmp_path / "shared")), seen_by(manager(later, None)))


@pytest.mark.long
def test_many_at_once_have_the_same(store: BarStore, tmp_path: Path) -> None:
    alone = seen_by(manager(store, None))
    with ThreadPoolExecutor(4) as threads:
        for seen in threads.map(lambda _: seen_by(manager(store, tmp_path / "shared")), range(4)):
            require_same(seen, alone)


def test_a_series_that_reaches_further_takes_the_place_of_the_shorter_one(store: BarStore, tmp_path: Path) -> None:
    bars = manager(store, tmp_path / "shared")
    for first in (DAYS[8], DAYS[4], DAYS[0]):
        bars.load_historical_bars("CALM", "1m", first, LAST, base="1m")

        assert len(list((tmp_path / "shared").rglob("*.npy"))) == 2, "with its gaps, and without"


KILLED = """
import os, signal, sys
from pathlib import Path
from openbell.market_data.series import SharedTimes
from openbell.market_data.series_files import SeriesFiles
from openbell.timing.time_manager import TimeManager

files = SeriesFiles(Path(sys.argv[1]), SharedTimes(TimeManager("XNYS")))
files.lock.acquire()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.long  # a process of its own
def test_a_process_that_is_killed_while_it_makes_a_series_leaves_the_others_alone(
    store: BarStore, tmp_path: Path
) -> None:
    require_same(seen_by(manager(store, tmp_path / "shared")), seen_by(manager(store, None)))
    (state,) = [path for path in (tmp_path / "shared").iterdir() if path.is_dir()]
    killed = subprocess.run([sys.executable, "-c", KILLED, str(state)], check=False)
    for folder in [path for path in state.iterdir() if path.is_dir()]:
        (folder / "unfinished.npy").write_bytes(b"half a ser")

    assert killed.returncode < 0
    require_same(seen_by(manager(store, tmp_path / "shared")), seen_by(manager(store, None)))


def test_a_folder_that_cannot_be_written_is_named(store: BarStore, tmp_path: Path) -> None:
    (tmp_path / "shared").write_text("a file")

    with pytest.raises(RunFolderError, match=r"cannot write .*shared"):
        seen_by(manager(store, tmp_path / "shared"))
