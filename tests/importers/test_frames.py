"""Parquet, Feather and JSON come to their bars in whatever types and shapes; what polars cannot read is an error."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from openbell.cli.app import app
from openbell.errors import ConfigError
from openbell.importers.csv import CSV_ENDINGS
from openbell.importers.files.import_files import ImportSource, find_sources
from openbell.importers.parquet_and_json import FEATHER, JSON, PARQUET, FileKind, import_frames
from openbell.importers.sniffing.guess import Given
from openbell.importers.sniffing.sniff import sniff_frame
from openbell.importers.tables.json_rows import frames_of
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

OPEN = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)
SECONDS = [int(OPEN.timestamp()) + 60 * i for i in range(30)]
DAYS = [date(2024, 1, 2) + timedelta(days=i) for i in range(10)]
PRICES = {"open": [10.0] * 30, "high": [11.0] * 30, "low": [9.0] * 30, "close": [10.5] * 30, "volume": [100] * 30}


def imported(path: Path, kind: FileKind, **given: Any) -> BarStore:
    guess = sniff_frame(kind.open(ImportSource(path, symbol="X")), Given(**given))
    store = BarStore.open_or_create(path.parent / "store")
    report = import_frames(kind, [path], store, guess.reading, symbol=None if guess.reading.columns.symbol else "X")
    assert report.set_aside == 0
    return store


def parquet(folder: Path, times: pa.Array, **more: Any) -> Path:
    pq.write_table(pa.table({"datetime": times, **PRICES, **more}), folder / "x.parquet")
    return folder / "x.parquet"


@pytest.mark.parametrize("zone", ["UTC", "+05:30", "-03:00", "Asia/Kolkata", "Mars/Phobos"])
@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_parquet_times_in_any_zone(tmp_path: Path, zone: str, unit: str) -> None:
    factor = {"ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    path = parquet(tmp_path, pa.array([s * factor for s in SECONDS], pa.timestamp(unit, zone)))
    store = imported(path, PARQUET)

    times = store.read(["X"], "1m", None, None)["timestamp"]
    assert (times[0], times[-1], len(times)) == (OPEN, OPEN + timedelta(minutes=29), 30)


@pytest.mark.parametrize("zone", ["+05:30", "Asia/Kolkata"])
def test_parquet_days_keep_the_date_of_their_zone(tmp_path: Path, zone: str) -> None:
    midnight = datetime(2024, 1, 1, 18, 30, tzinfo=UTC)
    days = [int((midnight + timedelta(days=i)).timestamp()) * 1000 for i in range(30)]
    store = imported(parquet(tmp_path, pa.array(days, pa.timestamp("ms", zone))), PARQUET, exchange="CRYPTO")

    assert store.read(["X"], "1d", None, None)["timestamp"][0] == datetime(2024, 1, 2, tzinfo=UTC)


def test_parquet_times_that_no_calendar_has_are_set_aside(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    odd = [*(s * 10**6 for s in SECONDS[:-3]), 2**63 - 1, -(2**63) + 1, 2**62]
    path = parquet(tmp_path, pa.array(odd, pa.timestamp("us", "UTC")))
    guess = sniff_frame(PARQUET.open(ImportSource(path, symbol="X")), Given())
    report = import_frames(PARQUET, [path], BarStore.open_or_create(tmp_path / "store"), guess.reading, symbol="X")

    assert (report.written.added, report.set_aside) == (27, 3)
    assert "panicked" not in capfd.readouterr().err


def test_parquet_columns_of_other_types(tmp_path: Path) -> None:
    more = {
        "line": pa.array(range(30)), "flag": pa.array([True] * 30), "nested": pa.array([[1]] * 30),
        "ticker": pa.array(["AA", "BB", "CC"] * 10).dictionary_encode(), "blob": pa.array([b"\xff"] * 30, pa.binary()),
    }  # fmt: skip
    times = pa.array([SECONDS[i // 3] for i in range(30)], pa.timestamp("s", "UTC"))
    store = imported(parquet(tmp_path, times, **more), PARQUET)

    assert store.symbols() == ("AA", "BB", "CC")
    assert store.read(["BB"], "1m", None, None).height == 10


def test_a_column_called_line_may_be_the_volume(tmp_path: Path) -> None:
    frame = pl.DataFrame({"date": DAYS, **{name: values[:10] for name, values in PRICES.items()}})
    frame.rename({"volume": "line"}).write_parquet(tmp_path / "x.parquet")
    frame.rename({"volume": "line"}).write_csv(tmp_path / "x.csv")
    store = imported(tmp_path / "x.parquet", PARQUET)

    assert store.read(["X"], "1d", None, None).height == 10


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\0" * 100 + b"PAR1", b"nonsense" * 100])
@pytest.mark.parametrize("kind", [PARQUET, FEATHER])
def test_a_damaged_file_is_an_error(tmp_path: Path, kind: FileKind, content: bytes) -> None:
    path = tmp_path / f"x{kind.endings[0]}"
    path.write_bytes(content)

    with pytest.raises((OSError, pl.exceptions.PolarsError)):
        kind.open(ImportSource(path, symbol="X"))


def test_feather(tmp_path: Path) -> None:
    times = pl.Series([OPEN + timedelta(minutes=i) for i in range(30)])
    pl.DataFrame({"ts": times, **PRICES}).write_ipc(tmp_path / "x.feather")

    assert imported(tmp_path / "x.feather", FEATHER).read(["X"], "1m", None, None)["timestamp"][0] == OPEN


def bars(times: list[Any], **more: Any) -> list[dict[str, Any]]:
    return [{"t": t, "o": 10, "h": 11, "l": 9, "c": 10.5, "v": 100, **more} for t in times]


ISO = [f"{datetime.fromtimestamp(s, UTC):%Y-%m-%dT%H:%M:%SZ}" for s in SECONDS]
NAMED = {"open": "10", "high": "11", "low": "9", "close": "10.5", "volume": "100"}
ARRAYS = [[s, "10", "11", "9", "10.5", "100", 5] for s in SECONDS]
MINUTES: dict[str, tuple[Any, str]] = {
    "records": (bars(SECONDS), "X"),
    "by symbol": ({"bars": {"AA": bars(ISO, n=5, vw=10.2), "BB": bars(ISO, n=5, vw=10.2)}, "next": None}, "BB"),
    "beside its symbol": ({"bars": bars(ISO), "symbol": "AA", "next_page_token": None}, "AA"),
    "results": ({"ticker": "AA", "results": bars([s * 1000 for s in SECONDS], vw=10.1), "status": "OK"}, "AA"),
    "arrays": ([[s * 1000, "10", "11", "9", "10.5", "100", s * 1000 + 59_999, "1050", 5, "0"] for s in SECONDS], "X"),
    "arrays, low first": ([[s, 9.0, 11.0, 10.0, 10.5, 100] for s in reversed(SECONDS)], "X"),
    "arrays, close second": ([[s, 10.0, 10.5, 11.0, 9.0, 100] for s in SECONDS], "X"),
    "arrays by pair": ({"error": [], "result": {"XBTUSD": ARRAYS, "last": SECONDS[-1]}}, "XBTUSD"),
    "columns": ({"s": "ok", "t": SECONDS, **{name[0]: values for name, values in PRICES.items()}}, "X"),
    "columns below": (
        {"chart": {"result": [{"meta": {"symbol": "AA"}, "timestamp": SECONDS, "indicators": {"quote": [PRICES]}}]}},
        "AA",
    ),
}
NUMBERED = {f"{i}. {name}": value for i, (name, value) in enumerate(NAMED.items(), 1)}
STAMPS = [1_704_153_600_000 + 86_400_000 * i for i in range(10)]
SPLIT = {"columns": list(NAMED), "index": list(map(str, DAYS)), "data": [list(NAMED.values()) for _ in DAYS]}
DAILY: dict[str, tuple[Any, str]] = {
    "by date": ({"Meta Data": {"2. Symbol": "AA"}, "Time Series (Daily)": {str(d): NUMBERED for d in DAYS}}, "AA"),
    "pandas, columns": ({k: {str(d): float(v) for d in DAYS} for k, v in NAMED.items()}, "X"),
    "pandas, index": ({str(d): NAMED for d in DAYS}, "X"),
    "pandas, split": (SPLIT, "X"),
    "pandas, records": ([{"Date": str(d), **NAMED} for d in DAYS], "X"),
    "pandas, columns, milliseconds": ({k: {str(t): float(v) for t in STAMPS} for k, v in NAMED.items()}, "X"),
    "historical": ({"symbol": "AA", "historical": [{"date": str(d), **NAMED, "adjClose": 9.9} for d in DAYS]}, "AA"),
}
NO_BARS = ["[" * 5000 + "]" * 5000, '{"a":', "[" + "1" * 5000 + "]", "", "null", "{}", '{"x": [1, 2]}']


@pytest.mark.parametrize("shape", [*MINUTES, *DAILY])
def test_json_of_any_shape(tmp_path: Path, shape: str) -> None:
    value, symbol = (MINUTES | DAILY)[shape]
    (tmp_path / "x.json").write_text(json.dumps(value))
    store = imported(tmp_path / "x.json", JSON)
    rows = store.read([symbol], "1m" if shape in MINUTES else "1d", None, None)

    assert rows["timestamp"][0] == (OPEN if shape in MINUTES else datetime(2024, 1, 2, tzinfo=UTC))
    assert rows.height == (30 if shape in MINUTES else 10)
    assert rows.row(0)[2:] == (10.0, 11.0, 9.0, 10.5, 100.0)


@pytest.mark.parametrize("odd", [3, 4, 9])
def test_arrays_of_several_widths_lose_no_row_in_silence(tmp_path: Path, odd: int) -> None:
    rows = [[s, 10, 11, 9, 10.5, 100] for s in SECONDS]
    rows[7] = rows[7][: odd + 1] if odd < 5 else [*rows[7], 1, 2, 3]
    (tmp_path / "x.json").write_text(json.dumps(rows))
    guess = sniff_frame(JSON.open(ImportSource(tmp_path / "x.json", symbol="X")), Given())
    store = BarStore.open_or_create(tmp_path / "store")

    report = import_frames(JSON, [tmp_path / "x.json"], store, guess.reading, symbol="X")

    assert (report.written.added, report.set_aside) == ((29, 1) if odd < 5 else (30, 0))


def test_json_lines(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, bars(SECONDS))))

    assert imported(tmp_path / "x.jsonl", JSON).read(["X"], "1m", None, None).height == 30


@pytest.mark.parametrize("content", NO_BARS)
def test_json_without_bars_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)

    with pytest.raises(OSError, match=r"it is n|it has no bars"):
        JSON.open(ImportSource(tmp_path / "x.json"))


def test_json_of_nothing_has_no_frames() -> None:
    assert list(frames_of([[], {}, None, [1, 2, 3, 4, 5]])) == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("x.xlsx", r"pip install pandas openpyxl .*pandas.read_excel\('.*x.xlsx', index_col=0\)\.to_csv\('.*x.csv'\)"),
        ("x.h5", r"pandas.read_hdf\("), ("x.pkl", r"pandas.read_pickle\("),
        ("x.json", "use: openbell data import json"),
        ("x.feather", "use: openbell data import feather"), ("x.json.gz", "use: openbell data import json"),
    ],
)  # fmt: skip
def test_files_of_other_kinds_are_told_with_a_way(tmp_path: Path, name: str, hint: str) -> None:
    (tmp_path / name).write_bytes(b"-")

    with pytest.raises(ConfigError, match=hint):
        find_sources([tmp_path / name], CSV_ENDINGS, symbol=None, file_name="{symbol}")


def test_the_conversion_of_a_pickle_works(tmp_path: Path) -> None:
    import re
    import subprocess
    import sys

    import pandas as pd

    pd.DataFrame({"Open": [10.0], "Close": [10.5]}, index=pd.Index([DAYS[0]], name="Date")).to_pickle(
        tmp_path / "x.pkl"
    )
    with pytest.raises(ConfigError) as refused:
        find_sources([tmp_path / "x.pkl"], CSV_ENDINGS, symbol=None, file_name="{symbol}")
    (code,) = re.findall(r'python -c "(.*)"$', str(refused.value))
    subprocess.run([sys.executable, "-c", code], check=True)

    assert (tmp_path / "x.csv").read_text() == "Date,Open,Close\n2024-01-02,10.0,10.5\n"


def test_rows_set_aside_are_lines_whatever_their_texts_hold(tmp_path: Path) -> None:
    times = [datetime(2024, 7, 1, 14, minute, tzinfo=UTC) for minute in range(30)]
    prices = {name: [10.0] * 30 for name in ("open", "high", "low")}
    note = ["a\nb\r\nc\u2028d"] * 30
    frame = pl.DataFrame({"timestamp": times, **prices, "close": [10.0] * 29 + [99.0], "volume": 1.0, "note": note})
    frame.write_parquet(tmp_path / "A.parquet")
    words = ["data", "import", "parquet", str(tmp_path / "A.parquet"), "--store", str(tmp_path / "s"), "--yes"]
    result = CliRunner().invoke(app, words)

    assert result.exit_code == 0, result.output
    (aside,) = (tmp_path / "s" / "quarantine").iterdir()
    assert len(aside.read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize("ending", ["json", "parquet", "feather", "csv"])
def test_tables_of_too_many_columns_are_refused(tmp_path: Path, ending: str) -> None:
    names = ["time", "open", "high", "low", "close", "volume", *(f"x{n}" for n in range(6_000))]
    row = dict.fromkeys(names, 1.0) | {"time": "2024-07-01T14:00:00Z"}
    path = tmp_path / f"A.{ending}"
    if ending == "json":
        path.write_text(json.dumps([row] * 3))
    else:
        frame = pl.DataFrame([row] * 3)
        {"parquet": frame.write_parquet, "feather": frame.write_ipc, "csv": frame.write_csv}[ending](path)
    result = CliRunner().invoke(app, ["data", "import", ending, str(path), "--store", str(tmp_path / "s"), "--yes"])

    assert result.exit_code in (1, 2)
    assert "has 6,006 columns; no table of bars has more than 5,000" in result.stderr
