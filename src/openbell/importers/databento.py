"""Import of Databento's OHLCV files (``.dbn``, ``.dbn.zst``).

The files are decoded by Databento's package.

A record has the start of its bar in nanoseconds UTC, and prices in 1/1,000,000,000. The symbol of an instrument is the
one that the file's metadata has for the day. A daily bar of ``ohlcv-1d`` spans a UTC day; it is stored under that date,
and the store records what it spans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from openbell.errors import ConfigError
from openbell.importers.files.import_files import find_sources
from openbell.importers.tables.bar_rows import PRICES, BarRows
from openbell.importers.tables.table import CHUNK_ROWS, NO_BAD_ROWS, Chunk
from openbell.importers.tables.table_import import import_tables
from openbell.importers.times.bar_times import TimeReader
from openbell.model.interval import DAY_NS, parse_interval
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from openbell.importers.files.import_files import ImportSource
    from openbell.importers.import_report import ImportReport, Progress
    from openbell.importers.tables.table import Table
    from openbell.store.store import BarStore

__all__ = ["SCHEMAS", "import_databento"]

SCHEMAS = {"ohlcv-1s": "1s", "ohlcv-1m": "1m", "ohlcv-1h": "60m", "ohlcv-1d": "1d", "ohlcv-eod": "1d"}
"""Databento's schemas of bars, each with the interval under which its bars are stored."""

_BLOCK_BYTES = 1 << 20
_PRICE_SCALE = 1e9
_NO_PRICE = np.iinfo(np.int64).max
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# The layout of a record: https://databento.com/docs/standards-and-conventions/databento-binary-encoding
_RECORD = np.dtype(
    [
        ("length", "u1"), ("rtype", "u1"), ("publisher_id", "<u2"), ("instrument_id", "<u4"), ("ts_event", "<i8"),
        ("open", "<i8"), ("high", "<i8"), ("low", "<i8"), ("close", "<i8"), ("volume", "<u8"),
    ]
)  # fmt: skip
_COLUMNS = ("ts_event", *PRICES, "volume", "instrument_id", "publisher_id", "symbol")
_ROLES = {"time": "ts_event", **{name: name for name in (*PRICES, "volume", "symbol")}}


def import_databento(
    paths: Sequence[Path], store: BarStore, *, symbol: str | None = None, progress: Progress | None = None
) -> ImportReport:
    """Import Databento's OHLCV files.

    Args:
        paths: Files, folders or globs.
        store: The store to import into.
        symbol: The symbol of all records; None takes the symbols from the files' metadata.
        progress: Called after each file.

    Raises:
        ConfigError: Databento's package is not installed, or the first file's schema is not one of `SCHEMAS`.
        BadBarsError: There are no records, or none can be used.
    """
    _package()

    def open_table(source: ImportSource) -> tuple[Table, BarRows]:
        table = _DbnTable(source)
        times = TimeReader(parse_interval(table.interval), "epoch_ns")
        days = "UTC" if table.schema == "ohlcv-1d" else None
        return table, BarRows(_ROLES, times, symbol, price_scale=_PRICE_SCALE, where=str(source), days=days)

    sources = find_sources(paths, (".dbn", ".dbn.zst"), symbol=symbol, file_name="{symbol}", symbol_column=True)
    return import_tables(sources, store, open_table, progress=progress)


def _package() -> Any:
    try:
        import databento_dbn
    except ImportError:
        raise ConfigError(
            "Databento's files are read by its own package, which is not installed: pip install 'openbell[databento]'"
        ) from None
    return databento_dbn


class _DbnTable:
    """A file of OHLCV records, as a `Table`.

    The line of a row is the number of its record, from 1.
    """

    separator = ","
    columns = _COLUMNS

    def __init__(self, source: ImportSource) -> None:
        self.source = source
        metadata = next(self._decoded())
        self.schema = schema = str(getattr(metadata, "schema", None))
        if schema not in SCHEMAS:
            raise ConfigError(f"{source}: its schema is {schema}; only bars are imported: {', '.join(SCHEMAS)}.")
        self.interval = SCHEMAS[schema]
        self.symbols = _symbols(metadata)

    def chunks(self, wanted: Sequence[str], numbers: Sequence[str]) -> Iterator[Chunk]:  # noqa: ARG002  all are numbers
        """See `Table.chunks`."""
        for frame in self._frames():
            yield Chunk(frame.select("line", *wanted), NO_BAD_ROWS)

    def as_written(self, lines: pl.Series) -> Iterator[tuple[int, str]]:
        """See `Table.as_written`."""
        for frame in self._frames():
            bad = frame.filter(pl.col("line").is_in(lines.implode())).select("line", *_COLUMNS)
            for line, *values in bad.iter_rows():
                yield line, ",".join("" if value is None else f"{value}" for value in values)

    def quarantine_header(self) -> str:
        """See `Table.quarantine_header`."""
        return ",".join(("line", "reason", *_COLUMNS))

    def _decoded(self) -> Iterator[Any]:
        """Yield the file's metadata, then lists of its records.

        Raises:
            OSError: The file is damaged, or is not a DBN file.
        """
        dbn = _package()
        with self.source.path.open("rb") as file:
            packed = file.read(4) == _ZSTD_MAGIC
            file.seek(0)
            decoder = dbn.DBNDecoder(compression=dbn.Compression.ZSTD if packed else dbn.Compression.NONE)
            first = True
            while content := file.read(_BLOCK_BYTES):
                try:
                    decoder.write(content)
                    records = decoder.decode()
                except dbn.DBNError as exc:
                    raise OSError(f"it is damaged, or not a DBN file: {exc}") from exc
                if first and records:
                    first = False
                    yield records[0]
                    records = records[1:]
                if not first:
                    yield records
            if first:
                raise OSError("it is not a DBN file, or cut off in its header")
            if decoder.buffer():
                raise OSError("it is cut off in the middle of a record")

    def _frames(self) -> Iterator[pl.DataFrame]:
        ohlcv = _package().OHLCVMsg
        decoded = self._decoded()
        next(decoded)
        pending: list[bytes] = []
        line = 1
        for records in decoded:
            pending += [bytes(record) for record in records if isinstance(record, ohlcv)]
            if len(pending) >= CHUNK_ROWS:
                yield self._frame(pending, line)
                line += len(pending)
                pending = []
        if pending:
            yield self._frame(pending, line)

    def _frame(self, records: list[bytes], first: int) -> pl.DataFrame:
        # Records of a live stream are longer, because they end with the time of sending.
        size = len(records[0])
        fields = np.frombuffer(b"".join(records), np.dtype((np.void, size)))
        bars = np.ndarray(len(records), _RECORD, fields, strides=(size,))
        frame = pl.DataFrame({name: np.ascontiguousarray(bars[name]) for name in _COLUMNS if name != "symbol"})
        prices = [pl.when(pl.col(p) != _NO_PRICE).then(pl.col(p)).cast(pl.Float64) for p in PRICES]
        frame = frame.with_row_index("line", offset=first).with_columns(*prices, pl.col("volume").cast(pl.Float64))
        named = frame.select("line", "instrument_id", "ts_event").join(self.symbols, on="instrument_id")
        named = named.filter(pl.col("ts_event").is_between("first_ns", "end_ns", closed="left")).unique("line")
        return frame.join(named.select("line", "symbol"), on="line", how="left", maintain_order="left")


def _symbols(metadata: Any) -> pl.DataFrame:
    """Return the symbols of instruments, each valid from ``first_ns`` until before ``end_ns``."""
    rows = [
        (int(i["symbol"]), name, day_number(i["start_date"]) * DAY_NS, day_number(i["end_date"]) * DAY_NS)
        for name, intervals in metadata.mappings.items()
        for i in intervals
        if str(i["symbol"]).isdigit()
    ]
    schema = {"instrument_id": pl.UInt32, "symbol": pl.String, "first_ns": pl.Int64, "end_ns": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")
