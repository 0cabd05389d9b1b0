"""A damaged Parquet or Feather file is an error, also where polars ends the process that reads it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pyarrow.parquet
import pytest

from openbell.importers.files.import_files import UNREADABLE, ImportSource
from openbell.importers.files.trial_reading import TrialReader
from openbell.importers.tables.columnar_table import feather_table, parquet_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from openbell.importers.tables.columnar_table import FrameTable

MINUTES = [datetime(2024, 7, 1, 13, 30, tzinfo=UTC) + timedelta(minutes=n) for n in range(50)]
FRAME = pl.DataFrame(
    {"timestamp": MINUTES, "close": [10 + n / 7 for n in range(50)], "volume": range(50), "symbol": ["A", "B"] * 25}
)


def errors_of(
    path: Path, places: Iterable[int], mask: int, open_table: Callable[[ImportSource], FrameTable]
) -> Iterator[str]:
    """Flip each byte in turn, read the file, and yield what is said of it."""
    whole = path.read_bytes()
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])
        try:
            table = open_table(ImportSource(path))
            table.sample(200)
            for _ in table.chunks(table.columns, ()):
                pass
        except UNREADABLE as error:
            yield str(error)


def test_a_page_that_ends_the_process_is_an_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "A.parquet"
    FRAME.write_parquet(path)
    page = pyarrow.parquet.ParquetFile(path).metadata.row_group(0).column(3).data_page_offset
    errors = set(errors_of(path, range(page, page + 12), 1, parquet_table))

    assert "it is damaged at a place where polars cannot continue, and ends the process" in errors
    assert "panicked" not in capfd.readouterr().err


@pytest.mark.long
@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_whatever_byte_of_a_parquet_file_is_damaged_it_ends_nothing(
    tmp_path: Path, mask: int, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "A.parquet"
    FRAME.write_parquet(path, statistics=False)
    size = path.stat().st_size

    assert list(errors_of(path, range(0, size, 3), mask, parquet_table))
    assert "panicked" not in capfd.readouterr().err


@pytest.mark.long
def test_whatever_byte_of_a_feather_file_is_damaged_it_ends_nothing(tmp_path: Path) -> None:
    path = tmp_path / "A.feather"
    FRAME.write_ipc(path)

    assert list(errors_of(path, range(0, path.stat().st_size, 2), 0xFF, feather_table))


def test_the_process_may_have_ended_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "A.parquet"
    FRAME.write_parquet(path)
    reader = TrialReader()
    for _ in range(2):
        reader.read("parquet", path, 0, 10, ["close"])
        reader.close()


def test_where_no_process_can_be_started_the_file_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "A.parquet"
    FRAME.write_parquet(path)
    for executable in ("", str(tmp_path / "none"), "/bin/true"):
        monkeypatch.setattr(sys, "executable", executable)
        TrialReader().read("parquet", path, 0, 10, ["close"])


def test_a_fork_asks_a_process_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "A.parquet"
    FRAME.write_parquet(path)
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom openbell.importers.files.trial_reading import TRIAL_READER\n"
        "path = Path(sys.argv[1])\nTRIAL_READER.read('parquet', path, 0, 5, ['close'])\nchild = os.fork()\n"
        "TRIAL_READER.read('parquet', path, 0, 5, ['close'])\n"
        "if child:\n    assert os.waitpid(child, 0)[1] == 0\n    TRIAL_READER.read('parquet', path, 0, 5, ['close'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, env=dict(os.environ))

    assert (done.returncode, done.stderr) == (0, "")
