"""LEAN's folder is imported as it is; what is damaged in it is told, and the rest goes on."""

from __future__ import annotations

import shutil
import zipfile
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from openbell.errors import BadBarsError, ConfigError
from openbell.importers.lean.lean import import_lean
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> BarStore:
    return BarStore.open_or_create(tmp_path / "store")


def write_zip(path: Path, *lines: str, names: tuple[str, ...] = ("bars.csv",)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "\n".join(lines))


def minute_zip(folder: Path, day: str = "20131010", symbol: str = "xyz") -> Path:
    return folder / "equity" / "usa" / "minute" / symbol / f"{day}_trade.zip"


def raw_lines(path: Path) -> list[list[float]]:
    """The CSV of a zip, read by hand."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    return [[float(x) for x in line.split(",")] for line in text.split()]


def test_every_row_of_the_real_data_is_stored(lean_dir: Path, lean_store: BarStore) -> None:
    rows = {(c.symbol, c.interval): c.rows for c in lean_store.coverage()}
    usa = lean_dir / "equity" / "usa"

    assert rows["IBM", "1d"] == 5849
    assert len(rows) == 4 * 2 + 7
    for interval, folder in (("1s", "second"), ("1m", "minute")):
        for symbol in ("SPY", "IBM", "AIG", "BAC"):
            files = list((usa / folder / symbol.lower()).glob("*_trade.zip"))
            assert rows[symbol, interval] == sum(len(raw_lines(file)) for file in files)


def test_prices_are_dollars_and_times_are_utc(lean_dir: Path, lean_store: BarStore) -> None:
    ms, *prices, volume = raw_lines(lean_dir / "equity/usa/minute/spy/20131010_trade.zip")[0]
    first = lean_store.read(["SPY"], "1m", date(2013, 10, 10), date(2013, 10, 10)).row(0)

    assert (ms, prices[0]) == (14_400_000, 1_664_300)  # 04:00 in New York is 08:00 UTC in October
    assert first == ("SPY", datetime(2013, 10, 10, 8, tzinfo=UTC), *(p / 10_000 for p in prices), volume)


def test_daily_bars_are_stamped_with_their_date(lean_store: BarStore) -> None:
    frame = lean_store.read(["IBM"], "1d", date(1998, 1, 1), date(1998, 1, 5))

    assert frame["timestamp"].to_list() == [datetime(1998, 1, 2, tzinfo=UTC), datetime(1998, 1, 5, tzinfo=UTC)]
    assert frame["close"].to_list() == [105.75, 106.25]


def test_importing_again_changes_nothing(lean_dir: Path, store: BarStore) -> None:
    first = import_lean(lean_dir, store, symbols=["spy", "BAC"])
    before = {path: path.stat().st_mtime_ns for path in store.path.rglob("*")}
    again = import_lean(lean_dir, store, symbols=["spy", "BAC"])

    assert (again.written.added, again.written.revised) == (0, 0)
    assert again.written.unchanged == first.written.added
    assert {path: path.stat().st_mtime_ns for path in store.path.rglob("*")} == before


def test_only_what_is_asked_for_is_imported(lean_dir: Path, store: BarStore) -> None:
    told: list[tuple[int, int]] = []
    import_lean(
        lean_dir.parent, store, symbols=["IBM"], intervals=["1d", "1m"], progress=lambda *done: told.append(done)
    )

    assert [(c.symbol, c.interval) for c in store.coverage()] == [("IBM", "1m"), ("IBM", "1d")]
    assert told[-1] == (7, 7)


def test_an_interval_may_be_written_in_any_way(tmp_path: Path, store: BarStore) -> None:
    write_zip(tmp_path / "equity/usa/hour/xyz.zip", "20131010 09:00,1000000,1100000,900000,1050000,10")

    import_lean(tmp_path, store, intervals=["1h"])

    assert store.intervals("XYZ") == ("60m",)


@pytest.mark.parametrize("below", ["", "equity", "equity/usa"])
def test_the_folder_may_be_named_from_above_or_below(tmp_path: Path, store: BarStore, below: str) -> None:
    write_zip(minute_zip(tmp_path / "data"), "34200000,100000,110000,90000,105000,7")
    import_lean(tmp_path / "data" / below, store)

    assert store.read(["XYZ"], "1m", None, None).row(0)[2:] == (10.0, 11.0, 9.0, 10.5, 7.0)


def test_hourly_bars_and_summer_time(tmp_path: Path, store: BarStore) -> None:
    line = "1,1,1,1,1"
    write_zip(tmp_path / "equity/usa/hour/xyz.zip", f"20130308 09:00,{line}", f"20130311 09:00,{line}")
    import_lean(tmp_path, store)

    assert store.read(["XYZ"], "60m", None, None)["timestamp"].dt.hour().to_list() == [14, 13]


def test_damaged_and_odd_zips_are_told_and_the_rest_is_imported(
    lean_dir: Path, tmp_path: Path, store: BarStore
) -> None:
    shutil.copytree(lean_dir / "equity/usa/minute/spy", tmp_path / "equity/usa/minute/spy")
    truncated = minute_zip(tmp_path, "20131007", "spy")
    truncated.write_bytes(truncated.read_bytes()[:500])
    flipped = minute_zip(tmp_path, "20131008", "spy")
    content = bytearray(flipped.read_bytes())
    content[2000] ^= 0xFF
    flipped.write_bytes(content)
    write_zip(minute_zip(tmp_path, "20131101", "spy"), "1,1,1,1,1,1", names=("a.csv", "b.csv"))
    write_zip(minute_zip(tmp_path, "20131104", "spy"), "34200000,1,2,3,4,5,6,7,8,9,10")
    write_zip(minute_zip(tmp_path, "20131105", "spy"), "")
    write_zip(minute_zip(tmp_path, "notadate", "spy"), "1,1,1,1,1,1")

    report = import_lean(tmp_path, store)

    assert sorted(path.name[:8] for path, _ in report.failed) == [
        "20131007", "20131008", "20131101", "20131104", "20131105", "notadate",
    ]  # fmt: skip
    assert all(reason for _, reason in report.failed)
    days = store.read(["SPY"], "1m", None, None)["timestamp"].dt.convert_time_zone("America/New_York").dt.date()
    assert days.unique().sort().to_list() == [date(2013, 10, d) for d in (4, 9, 10, 11)]


def test_rows_that_contradict_themselves_are_set_aside_with_file_and_line(tmp_path: Path, store: BarStore) -> None:
    good = "100000,110000,90000,105000,7"
    write_zip(minute_zip(tmp_path, "20131010"), f"34200000,{good}", "34260000,100000,80000,90000,105000,7")
    write_zip(minute_zip(tmp_path, "20131011"), f"34200000,{good}", f"34260000,{good}", "34320000,oops,1,1,1,1")

    report = import_lean(tmp_path, store)
    again = import_lean(tmp_path, store)

    assert store.read(["XYZ"], "1m", None, None).height == 3
    assert (report.set_aside, report.failed) == (2, [])
    rows = pl.read_csv(report.quarantine[0])
    assert rows.select("line", "file", "reason").rows() == [
        (2, "20131010_trade.zip", "the high is below the low"),
        (3, "20131011_trade.zip", "the open is missing or not a number"),
    ]
    assert rows["text"].to_list() == [None, "34320000,oops,1,1,1,1"]
    assert again.quarantine == report.quarantine
    assert len(list((store.path / "quarantine").iterdir())) == 1


def test_a_zip_that_unpacks_without_end_is_not_unpacked(
    tmp_path: Path, store: BarStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openbell.importers.lean.lean._MOST_BYTES", 1 << 20)
    write_zip(minute_zip(tmp_path), "34200000,1000000,1000000,1000000,1000000,1")
    write_zip(minute_zip(tmp_path, "20131011"), "0" * (3 << 20))

    (failed,) = import_lean(tmp_path, store).failed
    assert failed == (minute_zip(tmp_path, "20131011"), "it unpacks to 3 MB, too much for a file of bars")


def test_a_damaged_file_of_the_store_stops_only_its_own_symbol(lean_dir: Path, store: BarStore) -> None:
    import_lean(lean_dir, store, intervals=["1d"])
    damaged = store.path / "bars/interval=1d/symbol=IBM/all.parquet"
    damaged.write_bytes(b"PAR1")

    report = import_lean(lean_dir, store, intervals=["1d"])

    assert [path.name for path, _ in report.failed] == ["ibm.zip"]
    assert str(damaged) in report.failed[0][1]
    assert len(report.series["SPY", "1d"].symbol) > 0
    assert report.series["SPY", "1d"].written.unchanged == 5849


def test_wrong_folders_symbols_and_intervals_are_told(lean_dir: Path, tmp_path: Path, store: BarStore) -> None:
    with pytest.raises(ConfigError, match="there is no folder"):
        import_lean(tmp_path / "nowhere", store)
    with pytest.raises(ConfigError, match="not a LEAN data folder"):
        import_lean(tmp_path, store)
    with pytest.raises(ConfigError, match="NOPE"):
        import_lean(lean_dir, store, symbols=["SPY", "NOPE"])
    with pytest.raises(ConfigError, match="5m"):
        import_lean(lean_dir, store, intervals=["5m"])
    with pytest.raises(ConfigError, match=r"Name each by itself: IBM, SPY\. An option is written again for each"):
        import_lean(lean_dir, store, symbols=["IBM,SPY"])
    with pytest.raises(ConfigError, match="import_lean takes a list of symbols, not the text 'IBM'"):
        import_lean(lean_dir, store, symbols="IBM")


def test_an_import_of_nothing_usable_is_an_error(tmp_path: Path, store: BarStore) -> None:
    write_zip(minute_zip(tmp_path), "34200000,-1,-1,-1,-1,7")
    with pytest.raises(BadBarsError, match=r"nothing was imported: 1 row.*quarantine"):
        import_lean(tmp_path, store)
    minute_zip(tmp_path).write_bytes(b"no zip")
    with pytest.raises(BadBarsError, match="nothing was imported: 1 file failed"):
        import_lean(tmp_path, store)
