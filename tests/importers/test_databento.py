"""Databento's files, made by Databento's own package, are imported with their symbols, packed or not."""

from __future__ import annotations

import builtins
import shutil
import subprocess
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import databento_dbn as dbn
import polars as pl
import pytest

from openbell.errors import BadBarsError, ConfigError
from openbell.importers.databento import import_databento
from openbell.store.day_zones import read_day_zones
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

OPEN = datetime(2013, 10, 10, 13, 30, tzinfo=UTC)
OPEN_NS = int(OPEN.timestamp()) * 1_000_000_000
MINUTE_NS = 60_000_000_000
NO_PRICE = 2**63 - 1


@pytest.fixture
def store(tmp_path: Path) -> BarStore:
    return BarStore.open_or_create(tmp_path / "store")


def mapping(symbol: str, *pieces: tuple[date, date, int]) -> Any:
    intervals = [SimpleNamespace(start_date=first, end_date=end, symbol=str(number)) for first, end, number in pieces]
    return SimpleNamespace(raw_symbol=symbol, intervals=intervals)


def record(instrument: int, start_ns: int, close: int = 10_500_000_000) -> bytes:
    prices = (10_000_000_000, 11_000_000_000, 9_000_000_000, close)
    return bytes(dbn.OHLCVMsg(dbn.RType.OHLCV_1M, 2, instrument, start_ns, *prices, 100))


def write(path: Path, *records: bytes, schema: Any = dbn.Schema.OHLCV_1M, mappings: Any = ()) -> Path:
    metadata = dbn.Metadata(
        dataset="XNAS.ITCH", start=OPEN_NS, stype_in=dbn.SType.RAW_SYMBOL, stype_out=dbn.SType.INSTRUMENT_ID,
        schema=schema, mappings=list(mappings),
    )  # fmt: skip
    path.write_bytes(bytes(metadata) + b"".join(records))
    return path


OCTOBER = (date(2013, 10, 1), date(2013, 11, 1))


def test_bars_get_the_symbols_of_the_metadata_day_by_day(tmp_path: Path, store: BarStore) -> None:
    tenth, eleventh = date(2013, 10, 10), date(2013, 10, 11)
    mappings = [
        mapping("SPY", (*OCTOBER, 7)),
        mapping("OLD", (OCTOBER[0], eleventh, 8)),
        mapping("NEW", (eleventh, OCTOBER[1], 8)),
    ]
    next_day = OPEN_NS + 24 * 60 * MINUTE_NS
    path = write(tmp_path / "a.dbn", record(7, OPEN_NS), record(8, OPEN_NS), record(8, next_day), mappings=mappings)
    import_databento([path], store)

    assert tenth == OPEN.date()
    assert store.symbols() == ("NEW", "OLD", "SPY")
    assert store.read(["SPY"], "1m", None, None).rows() == [("SPY", OPEN, 10.0, 11.0, 9.0, 10.5, 100.0)]
    assert store.read(["NEW"], "1m", None, None)["timestamp"].to_list() == [datetime(2013, 10, 11, 13, 30, tzinfo=UTC)]


@pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not installed")
def test_packed_files_read_the_same(tmp_path: Path, store: BarStore) -> None:
    path = write(tmp_path / "a.dbn", record(7, OPEN_NS), mappings=[mapping("SPY", (*OCTOBER, 7))])
    subprocess.run(["zstd", "-q", str(path)], check=True)
    first = import_databento([path], store)
    packed = import_databento([path.with_name("a.dbn.zst")], store)

    assert (first.written.added, packed.written.unchanged) == (1, 1)


def test_records_without_prices_or_symbols_are_set_aside_with_their_number(tmp_path: Path, store: BarStore) -> None:
    path = write(
        tmp_path / "a.dbn",
        record(7, OPEN_NS),
        record(7, OPEN_NS + MINUTE_NS, close=NO_PRICE),
        record(9, OPEN_NS),
        mappings=[mapping("SPY", (*OCTOBER, 7))],
    )
    report = import_databento([path], store)

    assert (report.written.added, report.set_aside) == (1, 2)
    assert pl.read_csv(report.quarantine[0]).select("line", "reason", "instrument_id").rows() == [
        (2, "the close is missing or not a number", 7),
        (3, "the symbol is missing", 9),
    ]


def test_daily_bars_and_a_symbol_that_is_given(tmp_path: Path, store: BarStore) -> None:
    midnight = OPEN_NS - OPEN_NS % (24 * 60 * MINUTE_NS)
    import_databento([write(tmp_path / "a.dbn", record(7, midnight), schema=dbn.Schema.OHLCV_1D)], store, symbol="SPY")

    assert store.read(["SPY"], "1d", None, None)["timestamp"].to_list() == [datetime(2013, 10, 10, tzinfo=UTC)]


def test_daily_bars_are_noted_as_utc_days_when_they_are_stored_and_not_before(tmp_path: Path, store: BarStore) -> None:
    midnight = OPEN_NS - OPEN_NS % (24 * 60 * MINUTE_NS)
    no_price = write(tmp_path / "no.dbn", record(7, midnight, close=NO_PRICE), schema=dbn.Schema.OHLCV_1D)
    with pytest.raises(BadBarsError):
        import_databento([no_price], store, symbol="SPY")
    assert read_day_zones(store.path, BarStore.open(store.path).manifest) == {}

    import_databento([write(tmp_path / "a.dbn", record(7, midnight), schema=dbn.Schema.OHLCV_1D)], store, symbol="SPY")
    assert read_day_zones(store.path, BarStore.open(store.path).manifest) == {"SPY": "UTC"}


def test_files_that_are_not_bars_or_are_damaged_are_told(tmp_path: Path, store: BarStore) -> None:
    trades = write(tmp_path / "t.dbn", schema=dbn.Schema.TRADES)
    with pytest.raises(ConfigError, match=r"its schema is trades; only bars are imported: ohlcv-1s"):
        import_databento([trades], store)
    damaged = tmp_path / "d.dbn"
    damaged.write_bytes(b"no such thing as a header" * 10)
    with pytest.raises(BadBarsError, match=r"d\.dbn: it is"):
        import_databento([damaged], store)


def test_a_file_without_bars_is_bad_data(tmp_path: Path, store: BarStore) -> None:
    empty = write(tmp_path / "e.dbn", mappings=[mapping("SPY", (*OCTOBER, 7))])

    with pytest.raises(BadBarsError, match=r"nothing was imported: there are no rows of bars\.$"):
        import_databento([empty], store)


def test_a_file_that_is_cut_off_is_told_and_leaves_no_bars(tmp_path: Path, store: BarStore) -> None:
    times = [1_719_408_600_000_000_000 + minute * 60_000_000_000 for minute in range(50)]
    names = [mapping("SPY", (date(2024, 6, 26), date(2024, 7, 26), 1))]
    path = write(tmp_path / "cut.dbn", *(record(1, time) for time in times), mappings=names)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BadBarsError, match=r"cut\.dbn: it is cut off in the middle of a record"):
        import_databento([path], store)

    assert store.symbols() == ()


def test_without_the_package_the_error_names_the_extra(
    tmp_path: Path, store: BarStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "databento_dbn":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"pip install 'openbell\[databento\]'"):
        import_databento([tmp_path / "a.dbn"], store)
