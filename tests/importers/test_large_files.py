"""Files that come in many chunks are stored as if they had come in one: nothing is lost, doubled or mixed up."""

from __future__ import annotations

import gzip
import random
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from how_many import examples
from openbell.errors import ConfigError
from openbell.importers import spill_buffer
from openbell.importers.csv import CsvColumns, CsvReading, import_csv
from openbell.importers.parquet_and_json import import_parquet
from openbell.importers.tables import columnar_table, csv_table, table_import
from openbell.store.layout import storable
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "timestamp,open,high,low,close,volume"
FIRST = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> BarStore:
    return BarStore.open_or_create(tmp_path / "store")


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk of a few rows, a batch of a few more, and no room in memory."""
    monkeypatch.setattr(csv_table, "BLOCK_BYTES", 300)
    monkeypatch.setattr(columnar_table, "CHUNK_ROWS", 7)
    monkeypatch.setattr(spill_buffer, "ROWS_IN_MEMORY", 10)
    monkeypatch.setattr(table_import, "BATCH_ROWS", 12)
    monkeypatch.setattr(table_import, "BUCKET_NS", 600_000_000_000)


def bar(minute: int, close: float = 10.5) -> str:
    return f"{FIRST + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ},10,11,9,{close},100"


def write(folder: Path, lines: list[str], name: str = "spy.csv", header: str = HEADER) -> Path:
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def minutes_of(store: BarStore, symbol: str = "SPY") -> list[int]:
    times = store.read([symbol], "1m", None, None)["timestamp"].to_list()
    return [int((time - FIRST).total_seconds() // 60) for time in times]


@pytest.mark.parametrize("order", ["ascending", "descending", "shuffled"])
def test_rows_in_any_order_are_stored_in_order(tmp_path: Path, store: BarStore, order: str) -> None:
    minutes = list(range(0, 300, 3))
    if order == "shuffled":
        random.Random(1).shuffle(minutes)
    elif order == "descending":
        minutes.reverse()
    report = import_csv([write(tmp_path, [bar(m) for m in minutes])], store, interval="1m")

    assert report.written.added == 100
    assert minutes_of(store) == sorted(minutes)
    again = import_csv([tmp_path / "spy.csv"], store, interval="1m")
    assert (again.written.added, again.written.revised, again.written.unchanged) == (0, 0, 100)


def test_repetitions_and_contradictions_show_across_chunks(tmp_path: Path, store: BarStore) -> None:
    lines = [bar(m) for m in range(100)]
    lines += [bar(3), bar(5, close=9.5), "nonsense", bar(100), bar(101, close=99), "a,b,c,d,e,f,g"]
    report = import_csv([write(tmp_path, lines)], store, interval="1m")

    series = report.series["SPY", "1m"]
    assert (series.written.added, series.duplicates, series.set_aside) == (100, 1, 5)
    assert 5 not in minutes_of(store)
    quarantined = report.quarantine[0].read_text(encoding="utf-8").splitlines()
    assert quarantined[0] == f"line,reason,{HEADER}"
    assert quarantined[1:] == [
        f"7,the same time comes more than once with different values,{bar(5)}",
        f"103,the same time comes more than once with different values,{bar(5, close=9.5)}",
        "104,1 columns instead of 6,nonsense",
        f"106,the close lies outside low to high,{bar(101, close=99)}",
        "107,7 columns instead of 6,a,b,c,d,e,f,g",
    ]


def test_lines_are_counted_over_blank_ones_and_windows_line_ends(tmp_path: Path, store: BarStore) -> None:
    lines = [bar(0), "", bar(1), "", "", bar(2, close=50), *(bar(m) for m in range(3, 60)), bar(60, close=0.5)]
    path = tmp_path / "spy.csv"
    path.write_bytes("\r\n".join([HEADER, *lines]).encode("utf-8-sig"))
    report = import_csv([path], store, interval="1m")

    assert report.written.added == 59
    assert pl.read_csv(report.quarantine[0])["line"].to_list() == [7, 65]


def test_many_symbols_in_one_file_are_told_apart(tmp_path: Path, store: BarStore) -> None:
    lines = [f"{symbol},{bar(m)}" for m in range(60) for symbol in ("SPY", "IBM", "AIG")]
    lines.insert(50, f",{bar(7)}")
    path = write(tmp_path, lines, "all.csv", header=f"ticker,{HEADER}")
    report = import_csv([path], store, interval="1m", columns=CsvColumns(symbol="ticker"))

    assert store.symbols() == ("AIG", "IBM", "SPY")
    assert all(minutes_of(store, symbol) == list(range(60)) for symbol in store.symbols())
    assert (report.unnamed, report.set_aside) == (1, 1)
    assert "52,the symbol is missing" in report.quarantine[0].read_text(encoding="utf-8")


def test_packed_files_are_read_while_they_are_unpacked(tmp_path: Path, store: BarStore) -> None:
    content = "\n".join([HEADER, *(bar(m) for m in range(60))]).encode()
    (tmp_path / "gz.csv.gz").write_bytes(gzip.compress(content))
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("in/one.csv", content)
        archive.writestr("in/two.csv", content)
        archive.writestr("readme.pdf", b"-")
    import_csv([tmp_path / "gz.csv.gz", tmp_path / "two.zip"], store, interval="1m")

    assert store.symbols() == ("GZ", "ONE", "TWO")
    assert all(minutes_of(store, symbol) == list(range(60)) for symbol in store.symbols())


def test_a_packed_file_that_is_cut_off_is_told_and_leaves_no_bars(tmp_path: Path, store: BarStore) -> None:
    whole = gzip.compress("\n".join([HEADER, *(bar(m) for m in range(500))]).encode())
    (tmp_path / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    report = import_csv([tmp_path / "cut.csv.gz", write(tmp_path, [bar(0)])], store, interval="1m")

    assert [(path.name, reason) for path, reason in report.failed] == [
        ("cut.csv.gz", "Compressed file ended before the end-of-stream marker was reached")
    ]
    assert store.symbols() == ("SPY",)


def test_a_time_zone_that_is_missing_in_mid_file_leaves_no_bars(tmp_path: Path, store: BarStore) -> None:
    lines = [*(bar(m) for m in range(60)), bar(60).replace("Z", "")]
    with pytest.raises(ConfigError, match=r"spy\.csv: naive timestamps"):
        import_csv([write(tmp_path, lines)], store, interval="1m")

    assert store.coverage() == []


def test_corrected_bars_are_counted_as_revised(tmp_path: Path, store: BarStore) -> None:
    import_csv([write(tmp_path, [bar(m) for m in range(60)])], store, interval="1m")
    corrected = [bar(m, close=10.0 if m % 10 == 0 else 10.5) for m in range(62)]
    written = import_csv([write(tmp_path, corrected)], store, interval="1m").written

    assert (written.added, written.revised, written.unchanged) == (2, 6, 54)


def test_a_file_of_longer_bars_among_the_others_is_told(tmp_path: Path, store: BarStore) -> None:
    first = write(tmp_path, [bar(m) for m in range(60)])
    longer = write(tmp_path, [bar(5 * m) for m in range(60)], "ibm.csv")
    report = import_csv([first, longer], store, interval="1m")

    assert [(path.name, reason.split(",")[0]) for path, reason in report.failed] == [
        ("ibm.csv", "its bars are 5 minutes apart")
    ]
    assert store.symbols() == ("SPY",)


def test_nothing_is_left_in_the_store_but_the_bars(tmp_path: Path, store: BarStore) -> None:
    import_csv([write(tmp_path, [bar(0)])], store, interval="1m")
    left = store.path / ".import-killed"
    left.mkdir()
    (left / "0.arrow").write_bytes(b"-")
    import_csv([write(tmp_path, [bar(m) for m in range(100)])], store, interval="1m")

    assert [path.name for path in store.path.iterdir() if path.name.startswith(".import")] == []


def test_parquet_in_slices_with_bad_rows(tmp_path: Path, store: BarStore) -> None:
    frame = pl.DataFrame(
        {
            "ts": [FIRST + timedelta(minutes=m) for m in range(50)],
            **dict.fromkeys(("open", "high", "low", "close"), 10.0),
            "volume": list(range(50)),
            "tags": [["x"]] * 50,
        }
    ).with_columns(close=pl.when(pl.col("volume") == 30).then(99.0).otherwise("close"))
    frame.write_parquet(tmp_path / "spy.parquet")
    reading = CsvReading(storable("1m"), CsvColumns(time="ts"))
    report = import_parquet([tmp_path / "spy.parquet"], store, reading)

    assert report.written.added == 49
    assert pl.read_csv(report.quarantine[0]).select("line", "reason", "volume").rows() == [
        (31, "the close lies outside low to high", 30)
    ]


@settings(max_examples=examples(8), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 90), st.sampled_from([10.0, 10.5, 99.0])), min_size=1, max_size=60))
def test_chunks_make_no_difference(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, float]]) -> None:
    folder = tmp_path_factory.mktemp("chunks")
    path = write(folder, [bar(0), *(bar(1 + minute, close) for minute, close in rows)])
    results = []
    for size in (100, 1 << 20):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(csv_table, "BLOCK_BYTES", size)
            patch.setattr(table_import, "BATCH_ROWS", size)
            store = BarStore.open_or_create(folder / f"store{size}")
            report = import_csv([path], store, interval="1m")
        series = report.series["SPY", "1m"]
        frame = store.read(["SPY"], "1m", None, None)
        results.append((frame.rows(), series.set_aside, series.duplicates, [p.read_bytes() for p in report.quarantine]))

    assert results[0] == results[1]
    assert len(results[0][0]) + results[0][1] + results[0][2] == len(rows) + 1
