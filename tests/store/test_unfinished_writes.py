"""A write that cannot be finished stands between nobody and the store: it is read, and mended or given up."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from openbell.errors import DamagedFileError, StoreError
from openbell.maintenance.repair import repair
from openbell.maintenance.verify import verify
from openbell.store.checksum import BLANK_CHECKSUM, with_own_checksum
from openbell.store.layout import Partition, data_path
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from collections.abc import Iterator

# For each folder and number n: writes A and B at 1.0, then A, B and C at 2.0, in a fork that kills itself before the
# n-th rename of the second write: first that of the note, then A, B, C, and the manifest.
WRITER = """
import os, signal, sys
import numpy as np
import polars as pl
import filelock
from openbell.store.store import BarStore
from openbell.testing import random_bars

def bars(price):
    frame = random_bars(np.arange(3) * 60 * 10**9 + 1_719_842_400 * 10**9)
    return frame.with_columns(pl.lit(price).alias(name) for name in ("open", "high", "low", "close"))

def write(folder, symbols, price):
    with BarStore.open_or_create(folder).writer() as writer:
        for symbol in symbols:
            writer.write(symbol, "1m", bars(price))

def run(folder, left):
    def count_down(event, arguments):
        nonlocal left
        if event == "os.rename":
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    write(folder, "AB", 1.0)
    sys.addaudithook(count_down)
    write(folder, "ABC", 2.0)

for folder, before_rename in zip(sys.argv[1::2], sys.argv[2::2]):
    child = os.fork()
    if not child:
        code = 1
        try:
            run(folder, int(before_rename))
            code = 0
        finally:
            os._exit(code)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != (-9 if int(before_rename) else 0):
        sys.exit("a writer ended otherwise")
"""
AT_NOTE, AT_A, AT_C, AT_MANIFEST, NEVER = 1, 2, 4, 5, 0


Killed = Callable[[Path, int], Path]


def write_again(*writes: tuple[Path, int]) -> None:
    """Run a writer on each store; 0 kills it never."""
    subprocess.run([sys.executable, "-c", WRITER, *(str(word) for write in writes for word in write)], check=True)


@pytest.fixture(scope="session")
def masters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stores that killed writers leave, by the moment; to be copied, not written to."""
    folder = tmp_path_factory.mktemp("masters")
    write_again(*((folder / str(moment), moment) for moment in (AT_NOTE, AT_A, AT_C, AT_MANIFEST, NEVER)))
    return folder


@pytest.fixture
def killed(masters: Path) -> Killed:
    """Make a store whose second write was killed before its n-th rename; 0: was not killed."""

    def make(store: Path, before_rename: int) -> Path:
        return shutil.copytree(masters / str(before_rename), store)

    return make


@pytest.fixture
def blocked(tmp_path: Path, killed: Killed) -> Path:
    """The store after a write was killed before its third file, in whose place there is a folder now."""
    store = killed(tmp_path / "store", AT_C)
    data_path(store, Partition("1m", "C", "2024-07")).mkdir(parents=True)
    return store


def prices(store: Path, symbol: str) -> list[float]:
    return BarStore.open(store).read([symbol], "1m", None, None)["close"].unique().to_list()


def test_what_is_not_touched_by_a_stuck_write_is_read(blocked: Path) -> None:
    store = blocked
    opened = BarStore.open(store)

    assert opened.symbols() == ("A", "B")
    with pytest.raises(DamagedFileError, match="openbell data repair"):
        opened.read(["A"], "1m", None, None)


def test_the_next_write_is_refused_with_the_remedy(blocked: Path) -> None:
    store = blocked
    with pytest.raises(StoreError, match=r"cannot be finished.*openbell data repair"), BarStore.open(store).writer():
        pytest.fail("nothing may be written")


def test_when_the_obstacle_is_gone_the_write_is_finished(blocked: Path) -> None:
    store = blocked
    BarStore.open(store)
    data_path(store, Partition("1m", "C", "2024-07")).rmdir()

    assert [prices(store, symbol) for symbol in "ABC"] == [[2.0]] * 3
    assert verify(store).damages == ()


def test_a_stuck_write_is_found_and_can_be_given_up(blocked: Path) -> None:
    store = blocked
    assert "note" in [damage.kind for damage in verify(store).damages]
    done = {each.damage.kind: each.text for each in repair(store).repairs}

    assert "1 of its files are not in the store; import again" in done["note"]
    assert [prices(store, symbol) for symbol in "AB"] == [[2.0]] * 2
    assert BarStore.open(store).symbols() == ("A", "B")
    assert not (store / "pending.json").exists()
    assert repair(store).repairs == ()


@pytest.mark.parametrize("note", [b"[[", b"null", b"17", b"[[1]]", b'{"bars": 3}', b'{"bars": [], "side_files": [[]]}'])
def test_a_note_that_nobody_can_read_is_found_and_given_up(tmp_path: Path, note: bytes, killed: Killed) -> None:
    store = killed(tmp_path / "store", AT_A)
    (store / "pending.json").write_bytes(note)

    assert [prices(store, symbol) for symbol in "AB"] == [[1.0]] * 2
    assert [damage.kind for damage in verify(store).damages] == ["note"]
    assert len(repair(store).repairs) == 1
    assert verify(store).damages == ()
    assert [prices(store, symbol) for symbol in "AB"] == [[1.0]] * 2


@pytest.mark.parametrize("before", [AT_NOTE, AT_A, AT_C, AT_MANIFEST])
@pytest.mark.parametrize("lost", [None, "manifest.parquet", ".staging/manifest.parquet"])
def test_a_write_is_finished_also_when_a_manifest_is_lost(
    tmp_path: Path, before: int, lost: str | None, killed: Killed
) -> None:
    store = killed(tmp_path / "store", before)
    if lost:
        (store / lost).unlink()
    if before == AT_NOTE and lost == "manifest.parquet":
        assert [damage.kind for damage in verify(store).damages] == ["manifest"]
        repair(store)

    assert verify(store).damages == ()
    expected = [[1.0], [1.0], []] if before == AT_NOTE else [[2.0]] * 3
    assert [prices(store, symbol) for symbol in "ABC"] == expected


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than the tests'."""
    for place in (Path("/dev/shm"), Path("/var/tmp"), Path.home()):
        if place.is_dir() and os.access(place, os.W_OK) and place.stat().st_dev != tmp_path.stat().st_dev:
            with TemporaryDirectory(dir=place) as folder:
                yield Path(folder)
            return
    pytest.skip("there is no second file system")


@pytest.mark.parametrize(
    "linked",
    ["bars/interval=1m/symbol=A", *(pytest.param(f, marks=pytest.mark.long) for f in ("bars/interval=1m", "bars"))],
)
def test_a_folder_of_a_store_may_be_a_link_to_another_file_system(
    tmp_path: Path, other_disk: Path, linked: str, killed: Killed
) -> None:
    store = killed(tmp_path / "store", NEVER)
    shutil.move(store / linked, other_disk / "moved")
    (store / linked).symlink_to(other_disk / "moved")
    write_again((store, NEVER))

    assert [prices(store, symbol) for symbol in "ABC"] == [[2.0]] * 3
    assert verify(store).damages == ()
    write_again((store, AT_C))
    assert [prices(store, symbol) for symbol in "ABC"] == [[2.0]] * 3
    assert verify(store).damages == ()


def test_a_link_that_leads_nowhere_is_refused_before_anything_is_staged(tmp_path: Path, killed: Killed) -> None:
    store = killed(tmp_path / "store", NEVER)
    bars = BarStore.open(store).read(["A"], "1m", None, None).drop("symbol")
    (store / "bars/interval=1m/symbol=D").symlink_to(tmp_path / "nowhere")
    with pytest.raises(StoreError, match="cannot write to the store"):
        BarStore.open(store).write("D", "1m", bars)

    assert not (store / "pending.json").exists()
    assert BarStore.open(store).symbols() == ("A", "B", "C")
    assert BarStore.open(store).write("E", "1m", bars).added == 3


@pytest.mark.parametrize(
    ("bars", "side_files"),
    [
        ([[["1m/../../../..", "A", "2024-07"], None]], []),
        ([[["1m", "A", "../../../../outside"], None]], []),
        ([], [["../outside", [6, "", None]]]),
        ([], [["/tmp/outside", None]]),
    ],
)  # fmt: skip
def test_a_note_leads_to_no_file_outside_of_the_store(
    tmp_path: Path, bars: list[Any], side_files: list[Any], killed: Killed
) -> None:
    outside = tmp_path / "outside.parquet"
    for victim in (outside, tmp_path / "outside"):
        victim.write_text("mine")
    store = killed(tmp_path / "store", AT_A)
    (store / "pending.json").write_text(json.dumps({"bars": bars, "side_files": side_files}))

    assert prices(store, "A") == [1.0]
    assert "names files that no store has" in verify(store).damages[0].reason
    repair(store)
    assert verify(store).damages == ()
    assert (outside.read_text(), (tmp_path / "outside").read_text()) == ("mine", "mine")


@pytest.mark.parametrize("column", ["interval", "part"])
def test_a_manifest_leads_to_no_file_outside_of_the_store(tmp_path: Path, column: str, killed: Killed) -> None:
    store = killed(tmp_path / "store", NEVER)
    path = store / "manifest.parquet"
    buffer = io.BytesIO()
    pl.read_parquet(path).with_columns(pl.lit("../../../outside").alias(column)).write_parquet(
        buffer, metadata=BLANK_CHECKSUM
    )
    path.write_bytes(with_own_checksum(buffer.getvalue()))

    with pytest.raises(DamagedFileError, match="names files that no store has"):
        BarStore.open(store)
    repair(store)
    assert [prices(store, symbol) for symbol in "ABC"] == [[2.0]] * 3
