"""Bars that are removed are gone from the store, all that were asked for or none, and nothing else is touched."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from how_many import examples
from openbell.errors import DamagedFileError
from openbell.maintenance.verify import verify
from openbell.store.day_zones import UNKNOWN, read_day_zones
from openbell.store.removal import removable, remove_bars
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

FIRST = date(2024, 5, 30)


def hours(count: int = 24 * 40) -> pl.DataFrame:
    """A bar each hour, over parts of three months."""
    begin = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)
    times = pl.Series([begin + timedelta(hours=i) for i in range(count)], dtype=pl.Datetime("ns", "UTC"))
    return pl.DataFrame({"timestamp": times}).with_columns(
        pl.lit(1.0).alias(name) for name in ("open", "high", "low", "close", "volume")
    )


def filled(folder: Path) -> BarStore:
    store = BarStore.open_or_create(folder)
    for symbol in ("A", "B/C"):
        store.write(symbol, "1m", hours())
    return store


@settings(max_examples=examples(10), deadline=None)
@given(st.integers(-3, 45), st.integers(-3, 45))
def test_the_days_asked_for_are_gone_and_no_others(
    tmp_path_factory: pytest.TempPathFactory, first: int, last: int
) -> None:
    store = filled(tmp_path_factory.mktemp("removal") / "store")
    days = (FIRST + timedelta(days=first), FIRST + timedelta(days=last))
    planned = removable(store, [("A", "1m")], *days)
    removed = remove_bars(store, [("A", "1m")], *days)

    left = hours().filter(~pl.col("timestamp").dt.date().is_between(*days))
    assert planned == removed
    assert sum(r.rows for r in removed) == hours().height - left.height
    again = BarStore.open(store.path)
    assert_frame_equal(again.read(["A"], "1m", None, None).drop("symbol"), left)
    assert again.read(["B/C"], "1m", None, None).height == hours().height
    assert verify(store.path).damages == ()


def test_a_symbol_that_is_removed_leaves_no_folder_and_can_be_imported_again(tmp_path: Path) -> None:
    store = filled(tmp_path / "store")
    (removal,) = remove_bars(store, [("B/C", "1m")])

    assert (removal.rows, removal.files, store.symbols()) == (960, 3, ("A",))
    assert [p.name for p in (store.path / "bars" / "interval=1m").iterdir()] == ["symbol=A"]
    assert store.write("B/C", "1m", hours()).added == 960
    assert remove_bars(store, [("A", "1m"), ("B/C", "1m"), ("D", "1m")])[1].rows == 960
    assert BarStore.open(store.path).symbols() == ()
    assert verify(store.path).damages == ()


def test_a_damaged_month_is_removed_as_a_whole_and_not_in_part(tmp_path: Path) -> None:
    store = filled(tmp_path / "store")
    (store.path / "bars/interval=1m/symbol=A/2024-06.parquet").write_bytes(b"noise")

    with pytest.raises(DamagedFileError, match=r"2024-06\.parquet"):
        remove_bars(store, [("B/C", "1m"), ("A", "1m")], last=date(2024, 6, 15))
    assert store.read(["B/C"], "1m", None, None).height == 960
    assert remove_bars(store, [("A", "1m")], date(2024, 6, 1), date(2024, 6, 30))[0].rows == 720
    assert verify(store.path).damages == ()


def test_the_note_of_which_days_daily_bars_are_goes_with_the_last_of_them(tmp_path: Path) -> None:
    store = BarStore.open_or_create(tmp_path / "store")
    daily = hours().filter(pl.col("timestamp").dt.hour() == 0)
    with store.writer() as writer:
        for symbol, zone in (("A", "UTC"), ("B/C", "Asia/Tokyo")):
            writer.write(symbol, "1d", daily, days=zone)
            writer.write(symbol, "1m", hours())

    def notes() -> dict[str, str]:
        return read_day_zones(store.path, BarStore.open(store.path).manifest)

    remove_bars(store, [("A", "1m"), ("B/C", "1m")])
    remove_bars(store, [("A", "1d")], last=FIRST + timedelta(days=20))
    removable(store, [("A", "1d")])
    assert notes() == {"A": "UTC", "B/C": "Asia/Tokyo"}
    remove_bars(store, [("A", "1d")])
    assert notes() == {"B/C": "Asia/Tokyo"}
    with store.writer() as writer:  # as of bars that have dates, and nobody says of which days
        writer.write("A", "1d", daily, days=UNKNOWN)
    assert notes() == {"A": UNKNOWN, "B/C": "Asia/Tokyo"}
    assert verify(store.path).damages == ()


KILLED = """
import os, shutil, signal, sys
from datetime import date
from openbell.store.removal import remove_bars
from openbell.store.store import BarStore

def die_at(count):
    def count_down(event, arguments):
        nonlocal count
        if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.scandir"):
            count -= sys.argv[2] in str(arguments[0])  # an import of a module is no step of a removal
            if not count:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count_down)

for n in range(int(sys.argv[3]), 71, 3):
    shutil.copytree(sys.argv[1], f"{sys.argv[2]}/{n}")
    child = os.fork()
    if not child:
        try:
            store = BarStore.open(f"{sys.argv[2]}/{n}")
            die_at(n)
            remove_bars(store, [("A", "1m"), ("B/C", "1m")], date(2024, 6, 15))
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    print("killed" if status else "done")
"""


@pytest.mark.parametrize("first", [1, *(pytest.param(first, marks=pytest.mark.long) for first in (2, 3))])
def test_a_removal_that_is_killed_at_any_moment_is_done_or_not_begun(tmp_path: Path, first: int) -> None:
    store = filled(tmp_path / "whole")
    (tmp_path / "copies").mkdir()
    command = [sys.executable, "-c", KILLED, store.path, tmp_path / "copies", str(first)]
    ends = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    left = set()
    for folder in (tmp_path / "copies").iterdir():
        copy = BarStore.open(folder)
        left.add(tuple(copy.read([symbol], "1m", None, None).height for symbol in ("A", "B/C")))
        assert verify(copy.path).damages == ()
        assert not (copy.path / "pending.json").exists()
    assert left == {(960, 960), (24 * 16, 24 * 16)}
    assert set(ends) == {"killed", "done"}
