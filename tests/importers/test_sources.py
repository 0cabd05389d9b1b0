"""Files are found by path, folder, glob or pattern, and their names tell symbols and dates."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from openbell.cli.app import app
from openbell.errors import BadBarsError, ConfigError
from openbell.importers.csv import CSV_ENDINGS, import_csv
from openbell.importers.files.import_files import UNREADABLE, find_sources, open_bytes
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.importers.files.import_files import Source

ROWS = "timestamp,open,high,low,close,volume\n2024-06-27,10,11,9,10.5,100\n"


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(ROWS, encoding="utf-8")


def find(path: Path, *, symbol: str | None = None, file_name: str = "{symbol}") -> list[Source]:
    return find_sources([path], CSV_ENDINGS, symbol=symbol, file_name=file_name)


def test_a_pattern_tells_symbols_and_dates(tmp_path: Path) -> None:
    touch(
        tmp_path,
        *(f"data/{x}/1min/{s}_{d}.csv.gz" for x, s, d in (("a", "spy", "20240627"), ("b", "brk.b", "2024-06-28"))),
    )
    touch(tmp_path, "data/a/1min/notes.csv.gz", "data/a/5min/spy_20240627.csv.gz")
    found = find(tmp_path / "data/*/1min/{symbol}_{date}.csv.gz")

    assert [(s.symbol, s.day) for s in found] == [("SPY", date(2024, 6, 27)), ("BRK.B", date(2024, 6, 28))]


def test_brackets_beside_a_symbol_are_those_of_globs_in_a_path_and_themselves_in_a_name(tmp_path: Path) -> None:
    touch(tmp_path, "a1/spy.csv", "b1/ibm.csv", "c1/aig.csv", "ko [1m].csv")

    assert [s.symbol for s in find(tmp_path / "[ab]1/{symbol}.csv")] == ["SPY", "IBM"]
    assert [s.symbol for s in find(tmp_path / "[!ab]1/{symbol}.csv")] == ["AIG"]
    assert [s.symbol for s in find(tmp_path / "ko*.csv", file_name="{symbol} [1m]")] == ["KO"]
    assert [s.symbol for s in find(tmp_path / "[a&&^[]1/{symbol}.csv")] == ["SPY"]
    with pytest.raises(ConfigError, match=r"\[b-a\]1/\{symbol\}.csv is not a valid file pattern: bad character r"):
        find(tmp_path / "[b-a]1/{symbol}.csv")


def test_the_same_symbol_may_stand_in_the_pattern_twice(tmp_path: Path) -> None:
    touch(tmp_path, "spy/spy.csv", "ibm/spy.csv")

    assert [s.symbol for s in find(tmp_path / "{symbol}/{symbol}.csv")] == ["SPY"]


def test_a_folder_holds_plain_and_packed_files(tmp_path: Path) -> None:
    touch(tmp_path, "spy.csv", "ibm.csv.gz", "aig.tsv", "readme.md", "below/bac.csv")
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        archive.writestr("ko.csv", ROWS)
        archive.writestr("__MACOSX/ko.csv", "-")

    assert [s.symbol for s in find(tmp_path)] == ["AIG", "IBM", "KO", "SPY"]
    assert [s.symbol for s in find(tmp_path / "**/*.csv")] == ["BAC", "SPY"]
    assert [s.symbol for s in find(tmp_path / "*.csv", symbol="btc/usd")] == ["btc/usd"]


@pytest.mark.parametrize("columns", [1, 2])
def test_a_date_in_the_name_does_no_harm_where_rows_tell_it_too(tmp_path: Path, columns: int) -> None:
    between = " " if columns == 1 else ","
    for day in ("2024-06-24", "2024-06-25"):
        rows = [f"{day}{between}09:{m},10,11,9,10,5" for m in range(30, 60)]
        names = "Time" if columns == 1 else "Date,Time"
        (tmp_path / f"acme_{day.replace('-', '')}.csv").write_text("\n".join([f"{names},O,H,L,C,V", *rows]))
    folder = tmp_path / "store"
    words = ["csv", f"{tmp_path}/{{symbol}}_{{date}}.csv", "--timezone", "America/New_York", "--store", f"{folder}"]
    result = CliRunner().invoke(app, ["data", "import", *words, "--yes"])

    assert result.exit_code == 0, result.stderr
    times = BarStore.open(folder).read(["ACME"], "1m", None, None)["timestamp"]
    assert [f"{times[i]:%m-%d %H:%M}" for i in (0, 29, 30, 59)] == [
        "06-24 13:30", "06-24 13:59", "06-25 13:30", "06-25 13:59",
    ]  # fmt: skip


def test_a_folder_that_has_files_only_below_it_tells_how_to_name_them(tmp_path: Path) -> None:
    touch(tmp_path, "us/aapl/1min.csv", "readme.md")

    with pytest.raises(
        ConfigError, match=r"such as us/aapl/1min\.csv: use '.*/\*\*/\*\.csv', or a pattern with \{symbol"
    ):
        find(tmp_path)
    assert len(find(tmp_path / "**/*.csv")) == 1


def test_names_tell_dates_of_times_of_day(tmp_path: Path) -> None:
    for day in (27, 28):
        path = tmp_path / f"spy_202406{day}.csv"
        path.write_text("time,open,high,low,close,volume\n09:30,10,11,9,10.5,100\n34260000,10,11,9,10.5,100\n")
    store = BarStore.open_or_create(tmp_path / "store")
    import_csv([tmp_path / "{symbol}_{date}.csv"], store, interval="1m", timezone="America/New_York")

    assert store.read(["SPY"], "1m", None, None)["timestamp"].to_list() == [
        datetime(2024, 6, day, 13, minute, tzinfo=UTC) for day in (27, 28) for minute in (30, 31)
    ]


@pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not installed")
def test_zstd_is_unpacked(tmp_path: Path) -> None:
    touch(tmp_path, "spy.csv")
    subprocess.run(["zstd", "-q", "--rm", str(tmp_path / "spy.csv")], check=True)
    store = BarStore.open_or_create(tmp_path / "store")

    assert import_csv([tmp_path / "spy.csv.zst"], store, interval="1d").written.added == 1


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    touch(tmp_path, "spy.csv", "spy_2024-13-45.csv")
    with pytest.raises(ConfigError, match=r"no file fits .*x_\{symbol\}\.csv"):
        find(tmp_path / "x_{symbol}.csv")
    with pytest.raises(ConfigError, match=r"2024-13-45 in its name is not a date"):
        find(tmp_path / "{symbol}_{date}.csv")
    with pytest.raises(ConfigError, match=r"there is no file .*nope\.csv"):
        find(tmp_path / "nope.csv")
    with pytest.raises(ConfigError, match=r"has no \{symbol\} in it"):
        find(tmp_path, file_name="spy")
    with pytest.raises(ConfigError, match=r"does not fit 'x_\{symbol\}'; give the symbol with --symbol"):
        find(tmp_path / "spy.csv", file_name="x_{symbol}")


def test_a_zip_that_is_damaged_or_holds_no_csv_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(b"PK no zip")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("readme.md", "-")
    store = BarStore.open_or_create(tmp_path / "store")

    with pytest.raises(BadBarsError, match=r"bad\.zip: File is not a zip file"):
        import_csv([tmp_path / "bad.zip"], store, interval="1d")
    with pytest.raises(ConfigError, match=r"there are no \.csv files in .*empty\.zip"):
        import_csv([tmp_path / "empty.zip"], store, interval="1d")


@pytest.mark.parametrize("method", ["ZIP_STORED", "ZIP_DEFLATED", "ZIP_BZIP2", "ZIP_LZMA"])
def test_whatever_byte_of_a_zip_is_damaged_the_file_is_unreadable_or_its_rows_are(tmp_path: Path, method: str) -> None:
    path = tmp_path / "spy.zip"
    with zipfile.ZipFile(path, "w", getattr(zipfile, method)) as archive:
        archive.writestr("spy.csv", ROWS)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x40]) + whole[place + 1 :])
        try:
            (source,) = find(path, symbol="SPY")
            with open_bytes(source) as file:
                assert file.read() == ROWS.encode()
        except ConfigError as error:
            assert "there are no .csv files in" in str(error)  # noqa: PT017  not all of them raise
        except UNREADABLE:
            pass


def test_a_zip_of_a_version_that_nobody_reads_is_told(tmp_path: Path) -> None:
    path = tmp_path / "spy.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("spy.csv", ROWS)
    directory = path.read_bytes().rindex(b"PK\x01\x02")
    content = bytearray(path.read_bytes())
    content[directory + 6] = 84
    path.write_bytes(content)
    result = CliRunner().invoke(app, ["data", "import", "csv", str(path), "--store", str(tmp_path / "store")])

    assert result.exit_code == 1
    assert "zip file version 8.4" in result.stderr
