"""The DataManager gives the bars of sessions; what it holds in memory changes the speed and nothing else."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from how_many import examples
from openbell.errors import CalendarError, DamagedFileError, DataError, IntervalError
from openbell.market_data import stored_history
from openbell.market_data.data_manager import DataManager
from openbell.model.bars import COLUMNS, Bars
from openbell.store import reader
from openbell.store.layout import BAR_SCHEMA
from openbell.store.store import BarStore
from openbell.timing.time_manager import TimeManager

if TYPE_CHECKING:
    from pathlib import Path

XNYS = TimeManager("XNYS")
FIRST, LAST = date(2013, 10, 4), date(2013, 10, 11)
DAYS = [date(2013, 10, d) for d in (4, 7, 8, 9, 10, 11)]


def same(one: Bars, other: Bars) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in COLUMNS)


def copy_of(store: BarStore, folder: Path) -> BarStore:
    shutil.copytree(store.path, folder / "copy")
    return BarStore.open(folder / "copy")


def test_regular_minutes_are_those_of_the_calendar(lean_store: BarStore) -> None:
    manager = DataManager(lean_store, XNYS)
    missing = {("AIG", date(2013, 10, 7)), ("IBM", date(2013, 10, 4)), ("IBM", date(2013, 10, 11))}

    for symbol in ("SPY", "IBM", "AIG", "BAC"):
        for day in DAYS:
            bars = manager.load_historical_bars(symbol, "1m", day, day)
            session = XNYS.session(day)
            assert len(bars) == 390 - ((symbol, day) in missing)
            assert bars.timestamp[0] >= session.open_ns
            assert bars.end[-1] <= session.close_ns
            assert (bars.end - bars.timestamp == 60 * 10**9).all()


def test_extended_hours_keep_the_rest_and_change_no_daily_bar(lean_store: BarStore) -> None:
    extended = DataManager(lean_store, TimeManager("XNYS", session_hours="extended"))
    regular = DataManager(lean_store, XNYS)

    for symbol in ("SPY", "IBM"):
        assert (
            len(extended.load_historical_bars(symbol, "1m", FIRST, LAST))
            == lean_store.read([symbol], "1m", None, None).height
        )
        for interval in ("1d", "1w"):
            wanted = [m.load_historical_bars(symbol, interval, FIRST, LAST, base="1m") for m in (extended, regular)]
            assert same(*wanted)


def test_a_daily_bar_runs_from_open_to_close(lean_store: BarStore) -> None:
    manager = DataManager(lean_store, XNYS)
    bars = manager.load_historical_bars("SPY", "1d", date(2013, 7, 1), date(2013, 7, 5))

    local = [(XNYS.to_local(s), XNYS.to_local(e)) for s, e in zip(bars.timestamp, bars.end, strict=True)]
    assert [f"{s:%d %H:%M}-{e:%H:%M}" for s, e in local] == [
        "01 09:30-16:00", "02 09:30-16:00", "03 09:30-13:00", "05 09:30-16:00",
    ]  # fmt: skip


def test_every_session_has_its_daily_bar_and_no_other_day_has_one(lean_store: BarStore) -> None:
    manager = DataManager(lean_store, XNYS)
    first, last = date(1998, 1, 2), date(2021, 3, 31)

    assert len(manager.load_historical_bars("IBM", "1d", first, last)) == len(XNYS.sessions(first, last)) == 5849
    assert len(manager.load_historical_bars("QQQ", "1d", date(1999, 3, 10), last)) == 3964


def test_daily_bars_of_days_that_are_no_session_are_left_out(tmp_path: Path) -> None:
    store = BarStore.open_or_create(tmp_path / "s")
    week = [datetime(2013, 10, 4, tzinfo=UTC) + timedelta(days=i) for i in range(4)]
    values = dict.fromkeys(list(BAR_SCHEMA)[1:], [1.0] * 4)
    store.write("X", "1d", pl.DataFrame({"timestamp": week} | values, schema=BAR_SCHEMA))

    assert len(DataManager(store, XNYS).load_historical_bars("X", "1d", FIRST, LAST)) == 2


@pytest.mark.parametrize("symbol", ["SPY", "IBM", "AIG", "BAC"])
def test_minutes_made_of_seconds_have_the_prices_of_the_real_minutes(lean_store: BarStore, symbol: str) -> None:
    manager = DataManager(lean_store, XNYS)
    seconds = manager.load_historical_bars(symbol, "1m", DAYS[1], LAST, base="1s")
    minutes = manager.load_historical_bars(symbol, "1m", DAYS[1], LAST)
    # The source's minute files hold the auctions' official prices, its second files do not: the first and last minute
    # of a session may differ. So do volumes, in which corrections were counted.
    opens, closes = XNYS.grid(DAYS[1], LAST).open_ns, XNYS.grid(DAYS[1], LAST).close_ns - 60 * 10**9
    auctions = np.isin(seconds.timestamp, np.concatenate([opens, closes]))

    assert np.array_equal(seconds.timestamp, minutes.timestamp)
    assert auctions.sum() == 10
    for name in ("open", "high", "low", "close"):
        assert np.array_equal(getattr(seconds, name)[~auctions], getattr(minutes, name)[~auctions])


requests = st.lists(
    st.tuples(
        st.sampled_from(["SPY", "IBM"]),
        st.sampled_from(["1m", "5m", "7m", "60m", "1d", "2d", "1w"]),
        st.integers(0, 9),
        st.integers(0, 9),
        st.sampled_from([None, "1m"]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=examples(20))
@given(
    requests=requests,
    horizon=st.one_of(st.none(), st.integers(0, 9)),
    prefetched=st.booleans(),
    ahead=st.sampled_from([0, 500, 5000]),
)
def test_what_is_cached_never_changes_a_result(
    lean_store: BarStore, requests: list[tuple], horizon: int | None, prefetched: bool, ahead: int
) -> None:
    start = date(2013, 10, 3)
    manager = DataManager(lean_store, XNYS, horizon=None if horizon is None else start + timedelta(days=horizon))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stored_history, "AHEAD_ROWS", ahead)
        patched.setattr(stored_history, "AHEAD_ROWS_EACH", ahead)
        if prefetched:
            manager.prefetch(["SPY", "IBM", "NOPE"], "1m", start, start + timedelta(days=3))
        for symbol, interval, begin, length, base in requests:
            window = start + timedelta(days=begin), start + timedelta(days=begin + length)
            warm = manager.load_historical_bars(symbol, interval, *window, base=base)
            assert same(warm, DataManager(lean_store, XNYS).load_historical_bars(symbol, interval, *window, base=base))


@pytest.mark.parametrize("interval", ["1m", "5m", "60m", "1d", "2d", "1w"])
def test_the_bars_of_a_range_are_those_of_its_days(lean_store: BarStore, interval: str) -> None:
    manager = DataManager(lean_store, XNYS)
    whole = manager.load_historical_bars("SPY", interval, FIRST, LAST)

    assert same(whole, Bars.concat([manager.load_historical_bars("SPY", interval, day, day) for day in DAYS]))


def test_a_backtest_reads_each_file_once(lean_store: BarStore, tmp_path: Path) -> None:
    store = copy_of(lean_store, tmp_path)
    manager = DataManager(store, XNYS, horizon=LAST)
    first = manager.load_historical_bars("SPY", "5m", FIRST, DAYS[1])
    shutil.rmtree(store.path / "bars")

    for n, day in enumerate(DAYS[2:], 2):
        assert len(manager.load_historical_bars("SPY", "5m", DAYS[n - 2], day)) == 3 * 78
        assert len(manager.load_historical_bars("SPY", "1m", DAYS[n - 2], day)) == 3 * 390
    later = manager.load_historical_bars("SPY", "5m", DAYS[1], DAYS[2])
    assert np.shares_memory(later.close, manager.load_historical_bars("SPY", "5m", FIRST, LAST).close)
    assert not later.close.flags.writeable
    assert len(first) == 2 * 78


def year_of_mornings(folder: Path, symbols: tuple[str, ...] = ("X",)) -> BarStore:
    """Twenty minutes of each session of 2013, in twelve files per symbol."""
    grid = XNYS.grid(date(2013, 1, 1), date(2013, 12, 31))
    starts = (grid.open_ns[:, None] + np.arange(20) * 60 * 10**9).ravel()
    price = np.arange(1.0, len(starts) + 1)
    values = {"open": price, "high": price, "low": price, "close": price, "volume": price}
    frame = pl.DataFrame({"timestamp": starts} | values).cast(dict(BAR_SCHEMA))
    store = BarStore.open_or_create(folder / "mornings")
    with store.writer() as writer:
        for symbol in symbols:
            writer.write(symbol, "1m", frame)
    return store


def test_a_long_run_holds_what_it_looks_back_on_and_one_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_history, "AHEAD_ROWS", 100)
    monkeypatch.setattr(stored_history, "AHEAD_ROWS_EACH", 50)
    store = year_of_mornings(tmp_path, ("X", "Y"))
    days = XNYS.sessions(date(2013, 1, 2), date(2013, 12, 31))
    manager = DataManager(store, XNYS, horizon=days[-1])
    whole = DataManager(store, XNYS).load_historical_bars("X", "5m", days[0], days[-1])
    most = 0
    for n, day in enumerate(days[5:], 5):
        manager.prefetch(["X", "Y"], "1m", days[n - 5], day)
        bars = manager.load_historical_bars("X", "5m", days[n - 5], day)
        assert same(bars, whole[(n - 5) * 4 : (n + 1) * 4])
        most = max(most, *(len(series.bars) for series in manager.cache.series.values()))

    longest_month = 22 * 20
    assert most <= longest_month * 2 + 8 * 20


def test_a_long_run_on_large_files_holds_no_more_than_it_looks_back_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, value in (
        (stored_history, "AHEAD_ROWS", 0),
        (stored_history, "AHEAD_ROWS_EACH", 0),
        (stored_history, "WHOLE_ROWS", 64),
        (reader, "WHOLE_ROWS", 64),
        (reader, "_KNOWN_ROWS", 16),
    ):
        monkeypatch.setattr(module, name, value)
    store = year_of_mornings(tmp_path, ("X", "Y"))
    days = XNYS.sessions(date(2013, 1, 2), date(2013, 12, 31))
    manager = DataManager(store, XNYS, horizon=days[-1])
    whole = DataManager(store, XNYS).load_historical_bars("X", "1m", days[0], days[-1])
    for n, day in enumerate(days[5:], 5):
        manager.prefetch(["X", "Y"], "1m", days[n - 5], day)
        assert same(manager.load_historical_bars("X", "1m", days[n - 5], day), whole[(n - 5) * 20 : (n + 1) * 20])
        assert {len(series.bars) for series in manager.cache.series.values()} == {6 * 20}
    assert manager.cache.stored_rows == 2 * 6 * 20


def test_a_long_run_reads_each_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_history, "AHEAD_ROWS", 0)
    monkeypatch.setattr(stored_history, "AHEAD_ROWS_EACH", 0)
    store = year_of_mornings(tmp_path)
    days = XNYS.sessions(date(2013, 1, 2), date(2013, 12, 31))
    manager = DataManager(store, XNYS, horizon=days[-1])
    for n, day in enumerate(days[5:], 5):
        assert len(manager.load_historical_bars("X", "1m", days[n - 5], day)) == 6 * 20
        (store.path / "bars" / "interval=1m" / "symbol=X" / f"{day:%Y-%m}.parquet").unlink(missing_ok=True)
    assert not list((store.path / "bars").rglob("*.parquet"))


@pytest.mark.parametrize("rerun", [True, False])
def test_bars_of_days_that_are_asked_for_again_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rerun: bool
) -> None:
    monkeypatch.setattr(stored_history, "AHEAD_ROWS", 0)
    monkeypatch.setattr(stored_history, "AHEAD_ROWS_EACH", 0)
    store = year_of_mornings(tmp_path)
    days = XNYS.sessions(date(2013, 1, 2), date(2013, 12, 31))
    manager = DataManager(store, XNYS, horizon=days[-1], rerun=rerun)
    first = [manager.load_historical_bars("X", interval, d, d) for d in days for interval in ("1m", "5m")]
    for file in (store.path / "bars").rglob("*.parquet"):
        file.unlink()
    if not rerun:
        with pytest.raises(DamagedFileError):
            manager.load_historical_bars("X", "1m", days[0], days[0])
        return

    again = [manager.load_historical_bars("X", interval, d, d) for d in days for interval in ("1m", "5m")]

    assert all(map(same, first, again))


def test_a_read_of_few_rows_brings_all_of_the_horizon(tmp_path: Path) -> None:
    store = year_of_mornings(tmp_path)
    manager = DataManager(store, XNYS, horizon=date(2013, 12, 31))
    manager.prefetch(["X"], "1m", date(2013, 1, 2), date(2013, 1, 3))
    shutil.rmtree(store.path / "bars")

    assert len(manager.load_historical_bars("X", "1m", date(2013, 12, 31), date(2013, 12, 31))) == 20


def test_prefetched_symbols_need_no_further_read(lean_store: BarStore, tmp_path: Path) -> None:
    store = copy_of(lean_store, tmp_path)
    manager = DataManager(store, XNYS)
    manager.prefetch(["SPY", "IBM", "NOPE", "QQQ"], "1m", FIRST, LAST)
    shutil.rmtree(store.path / "bars")

    assert len(manager.load_historical_bars("IBM", "15m", FIRST, LAST)) == 6 * 26
    with pytest.raises(DamagedFileError, match="missing"):
        manager.load_historical_bars("BAC", "1m", FIRST, LAST)


def test_an_import_is_seen_at_once(lean_store: BarStore, tmp_path: Path) -> None:
    store = copy_of(lean_store, tmp_path)
    manager = DataManager(store, XNYS, horizon=LAST)
    before = manager.load_historical_bars("SPY", "5m", LAST, LAST)
    raw = store.read(["SPY"], "1m", LAST, LAST).drop("symbol")
    BarStore.open(store.path).write("SPY", "1m", raw.with_columns(pl.col("volume") * 2))

    after = manager.load_historical_bars("SPY", "5m", LAST, LAST)
    assert np.array_equal(after.volume, before.volume * 2)


def doubled(store: BarStore, symbol: str, day: date) -> None:
    """Import a correction of the volumes of one day."""
    raw = store.read([symbol], "1m", day, day).drop("symbol")
    BarStore.open(store.path).write(symbol, "1m", raw.with_columns(pl.col("volume") * 2))


@pytest.mark.parametrize("gap_fill", [False, True])
def test_an_import_takes_only_what_it_changes_out_of_memory(
    lean_store: BarStore, tmp_path: Path, gap_fill: bool
) -> None:
    store = copy_of(lean_store, tmp_path)
    manager = DataManager(store, XNYS, horizon=LAST, gap_fill=gap_fill)
    wanted = [(symbol, interval) for symbol in ("SPY", "IBM") for interval in ("1m", "5m", "1d")]
    before = {key: manager.load_historical_bars(*key, FIRST, LAST) for key in wanted}
    doubled(store, "SPY", LAST)
    after = {key: manager.load_historical_bars(*key, FIRST, LAST) for key in wanted}

    for (symbol, interval), bars in after.items():
        cached = np.shares_memory(bars.close, before[symbol, interval].close)
        assert cached == (symbol == "IBM" or (interval == "1d" and not gap_fill))
        fresh = DataManager(store, XNYS, gap_fill=gap_fill).load_historical_bars(symbol, interval, FIRST, LAST)
        assert same(bars, fresh)


def test_bars_that_gaps_were_filled_from_change_what_was_filled(lean_store: BarStore, tmp_path: Path) -> None:
    store = BarStore.open_or_create(tmp_path / "s")
    minutes = lean_store.read(["SPY"], "1m", DAYS[0], DAYS[2]).drop("symbol")
    store.write("X", "1m", minutes)
    store.write("X", "1d", lean_store.read(["SPY"], "1d", DAYS[0], DAYS[0]).drop("symbol"))
    manager = DataManager(store, XNYS, gap_fill=True)
    before = manager.load_historical_bars("X", "1d", DAYS[0], DAYS[2])
    BarStore.open(store.path).write("X", "1m", minutes.with_columns(pl.col("volume") * 2))
    after = manager.load_historical_bars("X", "1d", DAYS[0], DAYS[2])

    assert after.count.tolist() == [1, 390, 390]
    assert after.volume.tolist() == (before.volume * [1, 2, 2]).tolist()


def test_derived_bars_may_be_required_to_be_complete(lean_store: BarStore) -> None:
    strict = DataManager(lean_store, XNYS, min_completeness=1.0)
    lenient = DataManager(lean_store, XNYS)
    day = date(2013, 10, 11)

    assert len(lenient.load_historical_bars("IBM", "5m", day, day)) == 78
    assert len(strict.load_historical_bars("IBM", "5m", day, day)) == 77
    assert lenient.load_historical_bars("IBM", "5m", day, day).count.min() == 4


def test_what_is_there_is_known_without_reading(lean_store: BarStore) -> None:
    manager = DataManager(lean_store, XNYS)

    assert manager.symbols() == ("AIG", "BAC", "EEM", "IBM", "IWM", "QQQ", "SPY")
    assert manager.available_intervals("SPY") == ("1s", "1m", "1d")
    assert manager.available_intervals("NOPE") == ()
    assert manager.coverage("IBM", "1d").rows == 5849  # type: ignore[union-attr]
    assert manager.coverage("QQQ", "1m") is None


def test_what_cannot_be_had_is_reported(lean_store: BarStore) -> None:
    manager = DataManager(lean_store, XNYS)
    with pytest.raises(DataError, match=r"no bars of SPYY\. Did you mean 'SPY'"):
        manager.load_historical_bars("SPYY", "1m", FIRST, LAST)
    with pytest.raises(IntervalError, match="5m cannot be derived"):
        manager.load_historical_bars("QQQ", "5m", FIRST, LAST)
    with pytest.raises(IntervalError, match="5m bars cannot be made of 1d bars"):
        manager.load_historical_bars("SPY", "5m", FIRST, LAST, base="1d")
    with pytest.raises(DataError, match="no 1m bars of QQQ; it has 1d"):
        manager.load_historical_bars("QQQ", "1m", FIRST, LAST, base="1m")
    with pytest.raises(CalendarError):
        manager.load_historical_bars("SPY", "1m", date(1700, 1, 1), LAST)


def test_days_without_sessions_or_bars_have_no_bars(lean_store: BarStore) -> None:
    manager = DataManager(lean_store, XNYS)
    saturday = date(2013, 10, 5)

    for interval in ("1m", "5m", "1d", "1w"):
        assert len(manager.load_historical_bars("SPY", interval, saturday, saturday)) == 0
        assert len(manager.load_historical_bars("SPY", interval, LAST, FIRST)) == 0
    assert len(manager.load_historical_bars("SPY", "5m", date(2014, 1, 2), date(2014, 1, 31))) == 0


def test_many_threads_get_the_same_bars(lean_store: BarStore) -> None:
    manager = DataManager(lean_store, XNYS)

    def load(n: int) -> int:
        symbol, day = ("SPY", "BAC", "AIG")[n % 3], DAYS[n % 6]
        return len(manager.load_historical_bars(symbol, ("1m", "5m", "1d")[n % 2], day, LAST))

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(load, range(60)))
    assert counts == [load(n) for n in range(60)]
