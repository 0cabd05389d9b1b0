"""The store keeps what it is given, says what it holds, and names the file that it cannot read."""

from __future__ import annotations

import errno
import json
import tempfile
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from pyarrow import parquet

from how_many import examples
from openbell.errors import BadBarsError, ConfigError, DamagedFileError, IntervalError, StoreError
from openbell.market_data import stored_history
from openbell.store import data_file, reader
from openbell.store.layout import BAR_SCHEMA, Partition, data_path
from openbell.store.removal import remove_bars
from openbell.store.store import BarStore, WriteReport

START = datetime(2013, 10, 30, 13, 30, tzinfo=UTC)
VALUES = ("open", "high", "low", "close", "volume")


def bars(
    count: int = 10, start: datetime = START, step: timedelta = timedelta(minutes=1), price: float = 10
) -> pl.DataFrame:
    times = [start + i * step for i in range(count)]
    columns = {"open": price, "high": price + 1, "low": price - 1, "close": price, "volume": 100.0}
    return pl.DataFrame({"timestamp": times} | {n: [float(v)] * count for n, v in columns.items()}, schema=BAR_SCHEMA)


def days(count: int = 10) -> pl.DataFrame:
    return bars(count, datetime(2013, 10, 1, tzinfo=UTC), timedelta(days=1))


def without_symbol(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.drop("symbol")


@pytest.fixture
def store(tmp_path: Path) -> BarStore:
    return BarStore.open_or_create(tmp_path / "store")


minutes = st.dictionaries(
    st.integers(0, 90 * 1440), st.tuples(*[st.floats(0.01, 1e6) for _ in VALUES]), min_size=1, max_size=20
)


def frame_of(rows: dict[int, tuple[float, ...]]) -> pl.DataFrame:
    """Bars at minutes since START; high and low are put right."""
    data = [
        (START + timedelta(minutes=m), o, max(o, h, lo, c), min(o, h, lo, c), c, v)
        for m, (o, h, lo, c, v) in rows.items()
    ]
    return pl.DataFrame(data, schema=BAR_SCHEMA, orient="row")


@settings(max_examples=examples(10))
@given(first=minutes, second=minutes)
def test_reads_what_was_written_and_the_later_value_of_a_bar_written_twice(
    first: dict[int, tuple[float, ...]], second: dict[int, tuple[float, ...]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = BarStore.open_or_create(folder)
        one, two = frame_of(first), frame_of(second)
        added = store.write("X", "1m", one)
        report = store.write("X", "1m", two)
        merged = frame_of(first | second).sort("timestamp")

        assert added == WriteReport(added=len(first))
        assert report.added == len(second.keys() - first.keys())
        assert report.added + report.revised + report.unchanged == len(second)
        assert_frame_equal(without_symbol(store.read(["X"], "1m", None, None)), merged)
        assert sum(c.rows for c in store.coverage()) == merged.height
        assert (store.coverage()[0].first, store.coverage()[0].last) == (
            merged["timestamp"][0],
            merged["timestamp"][-1],
        )


@settings(max_examples=examples(6))
@given(rows=minutes)
def test_writing_the_same_again_touches_no_file(rows: dict[int, tuple[float, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = BarStore.open_or_create(folder)
        store.write("X", "1m", frame_of(rows))
        before = {p: p.stat().st_mtime_ns for p in Path(folder).rglob("*")}

        assert store.write("X", "1m", frame_of(rows)) == WriteReport(unchanged=len(rows))
        assert {p: p.stat().st_mtime_ns for p in Path(folder).rglob("*")} == before


def test_corrected_bars_are_counted_as_revised(store: BarStore) -> None:
    store.write("X", "1m", bars(10))
    corrected = bars(12).with_columns(close=pl.when(pl.int_range(pl.len()) < 3).then(10.5).otherwise("close"))

    assert store.write("X", "1m", corrected) == WriteReport(added=2, revised=3, unchanged=7)
    assert store.read(["X"], "1m", None, None)["close"].to_list()[:4] == [10.5, 10.5, 10.5, 10.0]


def test_intraday_bars_lie_in_one_file_a_month_and_daily_bars_in_one(store: BarStore) -> None:
    store.write("SPY", "1m", bars(5000))
    store.write("SPY", "1d", days(60))

    assert sorted(str(p.relative_to(store.path)) for p in store.path.rglob("*.parquet")) == [
        "bars/interval=1d/symbol=SPY/all.parquet",
        "bars/interval=1m/symbol=SPY/2013-10.parquet",
        "bars/interval=1m/symbol=SPY/2013-11.parquet",
        "manifest.parquet",
    ]


@pytest.mark.parametrize("symbol", ["SPY", "BRK.B", "BTC/USD", "^GSPC", "a b", "Ü", "x=1", "50%", "..", "*"])
def test_other_tools_read_the_folder_with_its_symbols(store: BarStore, symbol: str) -> None:
    store.write(symbol, "1m", bars(3))
    store.write("OTHER", "1m", bars(2))

    scanned = pl.scan_parquet(store.path / "bars" / "interval=1m", hive_partitioning=True).collect()
    frame = pd.read_parquet(data_path(store.path, Partition("1m", symbol, "2013-10")), partitioning=None)

    assert set(scanned["symbol"]) == {symbol, "OTHER"}
    assert pl.read_parquet_schema(data_path(store.path, Partition("1m", symbol, "2013-10"))) == BAR_SCHEMA
    assert str(frame["timestamp"].dtype) == "datetime64[ns, UTC]"
    assert store.read([symbol], "1m", None, None)["symbol"].to_list() == [symbol] * 3
    assert symbol in store.symbols()


def test_reads_the_symbols_in_the_order_asked_for_and_only_the_days_asked_for(store: BarStore) -> None:
    with store.writer() as writer:
        for name in ("A", "B", "C"):
            writer.write(name, "1m", bars(4000))
    frame = store.read(["C", "A", "NOT THERE"], "1m", date(2013, 10, 31), date(2013, 11, 1))

    assert frame["symbol"].unique(maintain_order=True).to_list() == ["C", "A"]
    assert frame["timestamp"].dt.date().unique().sort().to_list() == [date(2013, 10, 31), date(2013, 11, 1)]
    assert frame.height == 2 * 2 * 1440
    assert store.read([], "1m", None, None).height == 0
    assert store.read(["A"], "1m", date(2020, 1, 1), None).columns == ["symbol", *BAR_SCHEMA]


span = st.one_of(st.none(), st.dates(date(2013, 10, 29), date(2014, 2, 1)))


@settings(max_examples=examples(10))
@given(series=st.lists(minutes, min_size=1, max_size=4), first=span, last=span, at_once=st.integers(1, 60))
def test_reads_the_same_in_however_many_scans(
    series: list[dict[int, tuple[float, ...]]], first: date | None, last: date | None, at_once: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        store = BarStore.open_or_create(Path(folder) / "store")
        frames = {f"S{n}": frame_of(rows).sort("timestamp") for n, rows in enumerate(series)}
        for symbol, frame in frames.items():
            store.write(symbol, "1m", frame)
        patched.setattr(reader, "_FEWEST_VALUES", 6 * at_once)
        found = store.read([*frames], "1m", first, last)

        day = pl.col("timestamp").dt.date()
        asked = (day >= (first or date(2000, 1, 1))) & (day <= (last or date(2020, 1, 1)))
        wanted = pl.concat([frame.insert_column(0, pl.lit(s).alias("symbol")) for s, frame in frames.items()])
        assert_frame_equal(found, wanted.filter(asked))


def in_pieces(patched: pytest.MonkeyPatch, known_rows: int, known: int, *, written: bool = True) -> None:
    """Files of few bars are read, and unless asked otherwise written, as otherwise only those of very many are."""
    patched.setattr(reader, "_KNOWN_ROWS", known_rows)
    for module in (reader, stored_history, *([data_file] if written else [])):
        patched.setattr(module, "WHOLE_ROWS", known_rows * known)
    patched.setattr(data_file, "GROUP_ROWS", 3)


@settings(max_examples=examples(15))
@given(
    first=minutes,
    second=minutes,
    low=st.integers(0, 30 * 1440),
    length=st.one_of(st.integers(0, 3 * 1440), st.integers(0, 90 * 1440)),
    known_rows=st.integers(1, 5),
    known=st.integers(1, 3),
    written=st.booleans(),
)
def test_reads_the_same_in_however_many_pieces(
    first: dict[int, tuple[float, ...]],
    second: dict[int, tuple[float, ...]],
    low: int,
    length: int,
    known_rows: int,
    known: int,
    written: bool,
) -> None:
    begin = int(START.timestamp() + low * 60) * 10**9
    end = begin + length * 60 * 10**9
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        in_pieces(patched, known_rows, known, written=written)
        store = BarStore.open_or_create(Path(folder) / "store")
        held: dict[int, tuple[float, ...]] = {}
        for rows in (first, second):
            held |= rows
            store.write("X", "1m", frame_of(rows).sort("timestamp"))
            store.write("Y", "1m", frame_of(rows).sort("timestamp"))
            wanted = frame_of(held).sort("timestamp")
            time = pl.col("timestamp").to_physical()
            for bounds in ((begin, end), (begin, None), (None, end)):
                asked = wanted.filter(time >= (bounds[0] or 0), time < (bounds[1] or 2**62))
                found = store.read_rows(["X", "Y"], "1m", *bounds)
                assert_frame_equal(found.frame, pl.concat([asked, asked]))
                runs = (("X", 0, asked.height), ("Y", asked.height, 2 * asked.height))
                assert found.runs == (runs if asked.height else ())


def test_a_month_of_seconds_lies_in_row_groups_and_one_of_minutes_in_one(store: BarStore) -> None:
    store.write("X", "1s", bars(70_000, step=timedelta(seconds=1)))
    store.write("X", "1m", bars(31 * 1440, datetime(2013, 10, 1, tzinfo=UTC)))
    seconds, minutes = (
        parquet.ParquetFile(data_path(store.path, Partition(interval, "X", "2013-10"))) for interval in ("1s", "1m")
    )

    assert [seconds.metadata.row_group(k).num_rows for k in range(seconds.num_row_groups)] == [16_384] * 4 + [4464]
    assert minutes.num_row_groups == 1


def test_a_file_that_has_grown_is_read_in_other_pieces(store: BarStore, monkeypatch: pytest.MonkeyPatch) -> None:
    in_pieces(monkeypatch, 4, 2)
    low = int(START.timestamp() + 3600) * 10**9
    asked = low, low + 3600 * 10**9
    for start, bars_in_the_hour in ((START, 30), (START + timedelta(minutes=1), 60)):
        store.write("X", "1m", bars(100, start, timedelta(minutes=2)))
        assert len(store.read_rows(["X"], "1m", *asked).columns["close"]) == bars_in_the_hour


def test_a_damaged_file_that_is_read_in_pieces_is_named(store: BarStore, monkeypatch: pytest.MonkeyPatch) -> None:
    in_pieces(monkeypatch, 8, 2)
    store.write("X", "1m", bars(100))
    low, high = int(START.timestamp()) * 10**9 + 60 * 10**9, int(START.timestamp()) * 10**9 + 300 * 10**9
    path = data_path(store.path, Partition("1m", "X", "2013-10"))

    assert len(store.read_rows(["X"], "1m", low, high).columns["close"]) == 4
    path.write_bytes(path.read_bytes()[:-9] + b"?" * 9)
    with pytest.raises(DamagedFileError, match=r"2013-10\.parquet"):
        store.read_rows(["X"], "1m", low, high)


def test_another_reader_sees_what_was_written(store: BarStore) -> None:
    store.write("A", "1d", days(3))
    reader = BarStore.open(store.path)
    version = reader.version
    store.write("X", "1d", days(3))

    assert reader.version != version
    assert reader.intervals("X") == ("1d",)
    assert reader.read(["X"], "1d", None, None).height == 3


@pytest.mark.parametrize(
    ("frame", "reported"),
    [
        (bars().with_columns(pl.col("timestamp").dt.replace_time_zone(None)), "naive"),
        (bars().drop("volume"), "volume"),
        (bars().with_columns(low=pl.lit(99.0)), "below the low"),
        (bars().with_columns(close=None), "close is missing"),
    ],
)
def test_bad_bars_are_refused_and_nothing_is_written(store: BarStore, frame: pl.DataFrame, reported: str) -> None:
    with pytest.raises(BadBarsError, match=reported):
        store.write("X", "1m", frame)
    assert store.coverage() == []


def test_daily_bars_must_be_stamped_at_midnight_and_intervals_be_stored_ones(store: BarStore) -> None:
    with pytest.raises(BadBarsError, match="00:00 UTC"):
        store.write("X", "1d", bars(2))
    with pytest.raises(IntervalError, match="1w bars are not stored"):
        store.write("X", "1w", bars(2))


def test_equal_intervals_are_the_same_however_they_are_written(store: BarStore) -> None:
    store.write("X", "1h", bars(3))

    assert store.intervals("X") == ("60m",)
    assert store.read(["X"], "1H", None, None).equals(store.read(["X"], "60m", None, None))
    assert store.read(["X"], "3600s", None, None).height == 3
    assert store.coverage_of("X", "1h") == store.coverage_of("X", "60m") is not None
    assert store.built("X", "1h").is_empty()
    assert [gone.interval for gone in remove_bars(store, [("X", "1h"), ("X", "60m")])] == ["60m"]


@pytest.mark.parametrize("take", ["read", "coverage"])
def test_a_text_is_not_taken_for_the_symbols_of_its_letters(store: BarStore, take: str) -> None:
    store.write("A", "1m", bars(3))

    with pytest.raises(ConfigError, match=rf"{take} takes a list of symbols, not the text 'A'; write \['A'\]"):
        getattr(store, take)("A", *(("1m", None, None) if take == "read" else ()))


def test_days_are_read_from_dates_and_texts_and_never_from_times(store: BarStore) -> None:
    store.write("X", "1d", days(10))
    first = days(10)["timestamp"][3].date()

    for day in (first, str(first), pd.Timestamp(first)):
        assert store.read(["X"], "1d", day, None).height == 7
    with pytest.raises(ConfigError, match="is a time, where a day is needed"):
        store.read(["X"], "1d", START, None)
    with pytest.raises(ConfigError, match=r"'07/02/2024' is not a day\. Write it as 2024-03-11"):
        store.read(["X"], "1d", None, "07/02/2024")


def test_a_folder_that_is_not_a_store_is_reported_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="openbell data import"):
        BarStore.open(tmp_path / "nowhere")
    with pytest.raises(StoreError, match=r"not an openbell store.*openbell data import"):
        BarStore.open(tmp_path)
    (tmp_path / "thesis.doc").touch()
    with pytest.raises(StoreError, match=r"not empty.*thesis\.doc"):
        BarStore.open_or_create(tmp_path)


def test_a_store_of_a_newer_schema_is_refused(store: BarStore) -> None:
    store.write("A", "1d", days(3))
    (store.path / "openbell-store.json").write_text(json.dumps({"format": "openbell-store", "schema_version": 99}))
    with pytest.raises(StoreError, match="newer"):
        BarStore.open(store.path)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def fill_with_noise(path: Path) -> None:
    path.write_bytes(b"x" * path.stat().st_size)


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, fill_with_noise, Path.unlink])
def test_a_damaged_file_is_named_and_the_rest_is_read(store: BarStore, damage: object) -> None:
    for name in ("A", "B", "C"):
        store.write(name, "1m", bars(500))
    assert store.read(["A", "B", "C"], "1m", None, None).height == 1500
    path = data_path(store.path, Partition("1m", "B", "2013-10"))
    damage(path)  # type: ignore[operator]

    with pytest.raises(DamagedFileError) as raised:
        store.read(["A", "B", "C"], "1m", None, None)

    assert raised.value.path == path
    assert str(path) in str(raised.value)
    assert store.read(["A", "C"], "1m", None, None).height == 1000
    path.unlink(missing_ok=True)
    assert store.write("B", "1m", bars(500)).added == 500
    assert store.read(["A", "B", "C"], "1m", None, None).height == 1500


def test_coverage_can_be_asked_of_some_symbols(store: BarStore) -> None:
    store.write("A", "1m", bars(500))
    store.write("A", "1d", days())
    store.write("AB", "1d", days())

    assert store.coverage(["A", "NONE"]) == [one for one in store.coverage() if one.symbol == "A"]
    assert len(store.coverage(["A"])) == 2
    assert store.coverage([]) == []


def test_a_lost_manifest_is_made_again_from_the_files(store: BarStore) -> None:
    store.write("A", "1m", bars(5000))
    store.write("B/C", "1d", days())
    before = store.coverage()
    (store.path / "manifest.parquet").unlink()

    assert BarStore.open(store.path).coverage() == before


def test_a_store_is_made_when_something_is_written_to_it(tmp_path: Path) -> None:
    store = BarStore.open_or_create(tmp_path / "new" / "store")

    with store.writer():
        pass
    with pytest.raises(BadBarsError):
        store.write("X", "1d", bars(2))

    assert store.symbols() == ()
    assert not (tmp_path / "new" / "store").exists()
    store.write("X", "1d", days())
    assert BarStore.open(store.path).symbols() == ("X",)


def test_a_new_store_stays_when_something_else_was_put_into_it(tmp_path: Path) -> None:
    store = BarStore.open_or_create(tmp_path / "store")
    with store.writer():
        (store.path / "quarantine").mkdir()

    assert BarStore.open(store.path).symbols() == ()


def test_bars_are_not_merged_into_a_file_that_is_not_what_was_stored(store: BarStore) -> None:
    store.write("X", "1m", bars(10))
    path = data_path(store.path, Partition("1m", "X", "2013-10"))
    bars(10, price=20).write_parquet(path)

    with pytest.raises(DamagedFileError, match="not what was stored"):
        store.write("X", "1m", bars(12))


def test_a_file_that_cannot_be_read_when_the_manifest_is_lost_costs_only_its_month(store: BarStore) -> None:
    store.write("X", "1m", bars(5000))
    store.write("Y", "1d", days())
    damaged = data_path(store.path, Partition("1m", "X", "2013-11"))
    damaged.write_bytes(b"x" * 1000)
    data_path(store.path, Partition("1d", "Y", "all")).write_bytes(b"")
    (store.path / "manifest.parquet").unlink()

    again = BarStore.open(store.path)

    assert again.read(["X"], "1m", None, date(2013, 10, 31)).height > 1000
    with pytest.raises(DamagedFileError, match="2013-11"):
        again.read(["X"], "1m", date(2013, 11, 2), None)
    with pytest.raises(DamagedFileError, match=r"all\.parquet"):
        again.read(["Y"], "1d", date(2013, 10, 2), date(2013, 10, 3))


def test_a_flipped_byte_of_the_manifest_is_noticed_wherever_it_is(store: BarStore) -> None:
    store.write("X", "1m", bars(500))
    content = (store.path / "manifest.parquet").read_bytes()
    for place in range(0, len(content), 7):
        (store.path / "manifest.parquet").write_bytes(
            content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]
        )
        with pytest.raises(DamagedFileError, match="openbell data repair"):
            BarStore.open(store.path)


def test_a_second_writer_waits_for_the_first(store: BarStore) -> None:
    entered, leave = threading.Event(), threading.Event()

    def first() -> None:
        with store.writer() as writer:
            writer.write("A", "1d", days())
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=first)
    thread.start()
    assert entered.wait(10)
    other = BarStore.open(store.path)
    with pytest.raises(StoreError, match="another process is writing"), other.writer(wait_s=0.1):
        pass
    threading.Timer(0.1, leave.set).start()
    other.write("B", "1d", days())
    thread.join()

    assert other.symbols() == ("A", "B")


def test_what_was_written_before_an_error_in_the_batch_is_kept(store: BarStore) -> None:
    def write_and_fail() -> None:
        with store.writer() as writer:
            writer.write("A", "1d", days())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert BarStore.open(store.path).symbols() == ("A",)


def test_a_store_that_cannot_be_written_is_reported(store: BarStore) -> None:
    store.write("A", "1d", days())
    # A folder in the way of a data file; the tests may run as root, whom permissions do not stop.
    data_path(store.path, Partition("1d", "B", "all")).mkdir(parents=True)

    with pytest.raises(DamagedFileError, match=r"symbol=B.*directory"):
        store.write("B", "1d", days())
    assert [c.symbol for c in store.coverage()] == ["A"]


def test_a_batch_that_meets_a_full_disk_leaves_the_store_as_it_was(
    store: BarStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write("A", "1m", bars(10))

    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StoreError, match="No space left on device"):
        store.write("A", "1m", bars(5000))
    monkeypatch.undo()

    assert BarStore.open(store.path).read(["A"], "1m", None, None).height == 10
    assert not (store.path / ".staging").exists()
