"""A day sees bars under the names and on the price basis of that day, and nothing of what came later."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from how_many import examples
from made_actions import actions
from made_bars import made_store
from openbell.actions import ActionStore
from openbell.errors import DamagedFileError, DataError
from openbell.market_data.data_manager import DataManager
from openbell.model.bars import COLUMNS, Bars
from openbell.store.store import BarStore
from openbell.timing.time_manager import TimeManager

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.actions import Adjustment

XNYS = TimeManager("XNYS")
FIRST, LAST = date(2014, 5, 27), date(2014, 6, 20)
SPLIT, DIVIDEND, REVERSE = date(2014, 6, 9), date(2014, 6, 12), date(2014, 6, 18)
PRICES = ("open", "high", "low", "close")
DAYS = XNYS.sessions(FIRST, LAST)


def same(one: Bars, other: Bars) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in COLUMNS)


def close_to(one: Bars, other: Bars) -> bool:
    exact = ("timestamp", "end", "count")
    return all(np.array_equal(getattr(one, n), getattr(other, n)) for n in exact) and all(
        np.allclose(getattr(one, n), getattr(other, n), rtol=1e-12) for n in (*PRICES, "volume")
    )


def plain(raw: Bars, day: date, *, total: bool) -> Bars:
    """The series as known on ``day``, the slow way: bar by bar, action by action."""
    closes = {d: raw.close[raw.end <= XNYS.session(d).close_ns][-1] for d in DAYS}
    columns = {name: getattr(raw, name).copy() for name in COLUMNS}
    for ex, share, cash in ((SPLIT, 7.0, 0.0), (DIVIDEND, 1.0, 1.5), (REVERSE, 0.05, 0.0)):
        for i, start in enumerate(raw.timestamp):
            if ex <= day and XNYS.day_of(start) < ex:
                payout = 1 - cash / closes[XNYS.session_before(ex)] if total else 1.0
                columns["volume"][i] *= share
                for name in PRICES:
                    columns[name][i] *= payout / share
    return Bars(**columns)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> BarStore:
    """ACT has a split, a dividend and a reverse split; CALM has none."""
    folder = made_store(tmp_path_factory.mktemp("made") / "s", ["ACT", "CALM"], str(FIRST), str(LAST))
    ActionStore(folder).write(
        actions(("ACT", SPLIT, "split", 7), ("ACT", DIVIDEND, "dividend", 1.5), ("ACT", REVERSE, "split", 0.05))
    )
    return BarStore.open(folder)


def manager(store: BarStore, adjustment: Adjustment = "split", horizon: date | None = None) -> DataManager:
    return DataManager(store, XNYS, adjustment=adjustment, horizon=horizon)


@pytest.mark.parametrize("adjustment", ["split", "total"])
@pytest.mark.parametrize("day", [SPLIT - timedelta(3), SPLIT, DIVIDEND, REVERSE - timedelta(1), REVERSE, LAST])
def test_bars_are_on_the_basis_of_the_day(store: BarStore, day: date, adjustment: Adjustment) -> None:
    raw = manager(store, "raw").load_historical_bars("ACT", "1d", FIRST, day)
    # The daily bars stand for all: the dividend is set against their close whatever interval is read.
    seen = manager(store, adjustment).load_historical_bars("ACT", "1d", FIRST, day, as_of=day)

    assert close_to(seen, plain(raw, day, total=adjustment == "total"))


@pytest.mark.parametrize("adjustment", ["split", "total"])
def test_minutes_and_days_are_changed_alike(store: BarStore, adjustment: Adjustment) -> None:
    known = manager(store, adjustment)
    raw = [known.load_historical_bars("ACT", i, FIRST, LAST) for i in ("1d", "1m")]
    seen = [known.load_historical_bars("ACT", i, FIRST, LAST, as_of=LAST) for i in ("1d", "1m")]
    of_days, of_minutes = (s.close / r.close for s, r in zip(seen, raw, strict=True))

    assert np.allclose(of_minutes, np.repeat(of_days, 390), rtol=1e-12)


def test_raw_bars_are_those_stored(store: BarStore) -> None:
    known = manager(store, "raw")

    for interval in ("1m", "5m", "1d", "1w"):
        stored = known.load_historical_bars("ACT", interval, FIRST, LAST)
        assert same(known.load_historical_bars("ACT", interval, FIRST, LAST, as_of=LAST), stored)


@pytest.mark.parametrize(
    ("symbol", "first", "day"), [("CALM", FIRST, LAST), ("ACT", FIRST, SPLIT - timedelta(3)), ("ACT", SPLIT, DIVIDEND)]
)
@pytest.mark.parametrize("interval", ["1m", "5m", "1d"])
def test_without_an_action_in_the_window_nothing_is_copied(
    store: BarStore, symbol: str, first: date, day: date, interval: str
) -> None:
    known = manager(store)
    stored = known.load_historical_bars(symbol, interval, first, day)
    seen = known.load_historical_bars(symbol, interval, first, day, as_of=day)

    assert same(seen, stored)
    assert all(np.shares_memory(getattr(seen, name), getattr(stored, name)) for name in COLUMNS)


@pytest.mark.parametrize("interval", ["1m", "7m", "1d"])
def test_a_split_leaves_the_money_traded_as_it_was(store: BarStore, interval: str) -> None:
    known = manager(store)
    raw = known.load_historical_bars("ACT", interval, FIRST, LAST)
    seen = known.load_historical_bars("ACT", interval, FIRST, LAST, as_of=LAST)

    assert not np.allclose(seen.close, raw.close)
    assert np.allclose(seen.close * seen.volume, raw.close * raw.volume, rtol=1e-12)


def test_a_backtest_across_a_split_makes_one_copy_for_each_basis(store: BarStore) -> None:
    known = manager(store, horizon=LAST)
    window = timedelta(days=10)
    seen = {
        d: known.load_historical_bars("ACT", "1m", d - window, d, as_of=d).close for d in DAYS if d - window >= FIRST
    }
    owners = {id(close.base) for d, close in seen.items() if SPLIT <= d < REVERSE}

    assert len(owners) == 1


def test_derived_days_across_a_split_are_those_of_the_minutes(store: BarStore) -> None:
    known = manager(store)
    minutes = known.load_historical_bars("ACT", "1m", FIRST, LAST, as_of=LAST)
    days = known.load_historical_bars("ACT", "1d", FIRST, LAST, as_of=LAST, base="1m")
    of_day = [slice(390 * n, 390 * (n + 1)) for n in range(len(DAYS))]

    assert np.array_equal(days.open, [minutes.open[d][0] for d in of_day])
    assert np.array_equal(days.high, [minutes.high[d].max() for d in of_day])
    assert np.array_equal(days.low, [minutes.low[d].min() for d in of_day])
    assert np.array_equal(days.close, [minutes.close[d][-1] for d in of_day])
    assert np.allclose(days.volume, [minutes.volume[d].sum() for d in of_day], rtol=1e-12)


def test_a_week_with_a_split_in_it_is_of_one_basis(tmp_path: Path) -> None:
    store = BarStore.open(made_store(tmp_path / "s", ["MID"], str(FIRST), str(LAST)))
    wednesday = date(2014, 6, 11)
    ActionStore(store.path).write(actions(("MID", wednesday, "split", 100)))

    week = manager(store).load_historical_bars("MID", "1w", date(2014, 6, 9), LAST, as_of=LAST)
    days = manager(store).load_historical_bars("MID", "1d", date(2014, 6, 9), date(2014, 6, 13), as_of=LAST)

    assert week.high[0] == days.high.max()
    assert week.low[0] == days.low.min()
    assert days.high[1] < 2 < days.low[2]  # a hundredth of what was stored, and what was stored


moves = st.lists(
    st.tuples(
        st.sampled_from(["ACT", "CALM"]),
        st.sampled_from(["1m", "5m", "1d", "2d", "1w"]),
        st.integers(0, 24),
        st.integers(0, 12),
        st.sampled_from([None, "1m"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=10,
)


@settings(max_examples=examples(20))
@given(requests=moves, ahead=st.booleans(), adjustment=st.sampled_from(["raw", "split", "total"]))
def test_what_is_cached_never_changes_a_result(
    store: BarStore, requests: list[tuple], ahead: bool, adjustment: Adjustment
) -> None:
    warm = manager(store, adjustment, LAST if ahead else None)
    for symbol, interval, begin, length, base, known in requests:
        first = FIRST + timedelta(days=begin)
        last = min(first + timedelta(days=length), LAST)
        as_of = last if known else None
        asked = (symbol, interval, first, last)
        cold = manager(store, adjustment).load_historical_bars(*asked, base=base, as_of=as_of)
        assert same(warm.load_historical_bars(*asked, base=base, as_of=as_of), cold)


@settings(max_examples=examples(10))
@given(
    later=st.lists(
        st.tuples(st.sampled_from(["split", "dividend", "rename"]), st.integers(1, 12), st.floats(0.01, 20.0)),
        min_size=1,
        max_size=4,
        unique_by=lambda action: action[:2],
    ),
    at=st.integers(1, len(DAYS) - 1),
    adjustment=st.sampled_from(["raw", "split", "total"]),
    interval=st.sampled_from(["1m", "5m", "1d"]),
)
def test_a_later_action_changes_nothing_that_an_earlier_day_saw(
    tmp_path_factory: pytest.TempPathFactory,
    store: BarStore,
    later: list[tuple],
    at: int,
    adjustment: Adjustment,
    interval: str,
) -> None:
    day = DAYS[at]
    before = manager(store, adjustment).load_historical_bars("ACT", interval, FIRST, day, as_of=day)
    copy = BarStore.open(shutil.copytree(store.path, tmp_path_factory.mktemp("later") / "s"))
    rows = [
        ("ACT", day + timedelta(days=n), kind, "NEW" if kind == "rename" else value)
        for kind, n, value in later
        if value != 1
    ]
    if rows:
        ActionStore(copy.path).write(actions(*rows))

    after = manager(copy, adjustment).load_historical_bars("ACT", interval, FIRST, day, as_of=day)
    # An action of a later day may have taken the place of one that is later itself, never of one that was known.
    assert same(after, before)


def test_an_action_that_is_imported_is_seen_at_once(tmp_path: Path) -> None:
    store = BarStore.open(made_store(tmp_path / "s", ["X"], str(FIRST), str(LAST)))
    known = manager(store, horizon=LAST)
    before = known.load_historical_bars("X", "1d", FIRST, LAST, as_of=LAST)
    ActionStore(store.path).write(actions(("X", LAST, "split", 2)))
    after = known.load_historical_bars("X", "1d", FIRST, LAST, as_of=LAST)

    assert np.array_equal(after.close[:-1], before.close[:-1] / 2)
    assert after.close[-1] == before.close[-1]


def test_what_is_adjusted_is_not_adjusted_again_on_the_next_day(store: BarStore) -> None:
    known = manager(store, horizon=LAST)
    loaded = []
    for day in (SPLIT, XNYS.session_before(DIVIDEND)):
        known.prefetch(["ACT", "CALM"], "1m", FIRST, day, as_of=day)
        loaded.append(known.load_historical_bars("ACT", "1m", FIRST, day, as_of=day))

    assert np.shares_memory(loaded[0].close, loaded[1].close)


def test_an_import_leaves_the_adjusted_bars_of_other_symbols_in_memory(tmp_path: Path) -> None:
    store = BarStore.open(made_store(tmp_path / "s", ["X", "Y"], str(FIRST), str(LAST)))
    ActionStore(store.path).write(actions(("X", SPLIT, "split", 7), ("Y", SPLIT, "split", 7)))
    known = manager(store, horizon=LAST)

    def loaded() -> dict[tuple[str, str], Bars]:
        keys = [(symbol, interval) for symbol in ("X", "Y") for interval in ("1m", "5m")]
        return {key: known.load_historical_bars(*key, FIRST, LAST, as_of=LAST) for key in keys}

    before = loaded()
    raw = store.read(["X"], "1m", FIRST, FIRST).drop("symbol")
    BarStore.open(store.path).write("X", "1m", raw.with_columns(pl.col("volume") * 2))
    after = loaded()

    for (symbol, interval), bars in after.items():
        assert np.shares_memory(bars.close, before[symbol, interval].close) == (symbol == "Y")
        fresh = manager(BarStore.open(store.path)).load_historical_bars(symbol, interval, FIRST, LAST, as_of=LAST)
        assert same(bars, fresh)
        times = 2 if symbol == "X" else 1
        first = known.load_historical_bars(symbol, interval, FIRST, FIRST, as_of=LAST).volume
        assert np.array_equal(first, before[symbol, interval].volume[: len(first)] * times)


def test_an_ex_date_without_a_session_takes_effect_at_the_next_one(tmp_path: Path) -> None:
    store = BarStore.open(made_store(tmp_path / "s", ["X"], str(FIRST), str(LAST)))
    ActionStore(store.path).write(actions(("X", date(2014, 6, 8), "split", 2)))  # a Sunday
    raw = manager(store).load_historical_bars("X", "1d", FIRST, LAST)
    seen = manager(store).load_historical_bars("X", "1d", FIRST, LAST, as_of=LAST)
    friday = DAYS.index(date(2014, 6, 6))

    assert (seen.close == raw.close).tolist() == [n > friday for n in range(len(DAYS))]


def test_the_actions_of_a_window_are_listed(store: BarStore) -> None:
    def kinds(adjustment: Adjustment, first: date, day: date) -> list[str]:
        return [a.type for a in manager(store, adjustment).actions("ACT", first, day)]

    assert kinds("split", FIRST, LAST) == ["split", "split"]
    assert kinds("total", FIRST, LAST) == ["split", "dividend", "split"]
    assert kinds("total", SPLIT, DIVIDEND) == ["dividend"]
    assert kinds("raw", FIRST, LAST) == []
    assert kinds("split", FIRST, SPLIT - timedelta(days=1)) == []


def test_a_dividend_that_eats_its_price_is_refused(tmp_path: Path) -> None:
    store = BarStore.open(made_store(tmp_path / "s", ["X"], str(FIRST), str(LAST)))
    ActionStore(store.path).write(actions(("X", LAST, "dividend", 5000)))

    with pytest.raises(DataError, match="dividend of 5000 on 2014-06-20 is not below the close before it"):
        manager(store, "total").load_historical_bars("X", "1d", FIRST, LAST, as_of=LAST)
    assert len(manager(store).load_historical_bars("X", "1d", FIRST, LAST, as_of=LAST)) == len(DAYS)


def test_a_dividend_is_set_against_the_close_of_regular_hours(tmp_path: Path) -> None:
    folder = made_store(tmp_path / "s", ["X"], str(FIRST), str(LAST), intervals=["1m"], session_hours="extended")
    ActionStore(folder).write(actions(("X", DIVIDEND, "dividend", 1.5)))
    store = BarStore.open(folder)
    raw = manager(store).load_historical_bars("X", "1d", FIRST, LAST)
    before = raw.close[DAYS.index(DIVIDEND) - 1]
    for hours in ("regular", "extended"):
        known = DataManager(store, TimeManager("XNYS", session_hours=hours), adjustment="total")
        stored = known.load_historical_bars("X", "1m", FIRST, LAST)
        seen = known.load_historical_bars("X", "1m", FIRST, LAST, as_of=LAST)
        assert np.isclose(seen.close[0] / stored.close[0], 1 - 1.5 / before, rtol=1e-12)


def test_a_damaged_file_of_actions_is_reported_and_leaves_raw_bars(tmp_path: Path) -> None:
    store = BarStore.open(made_store(tmp_path / "s", ["X"], str(FIRST), str(LAST)))
    ActionStore(store.path).write(actions(("X", SPLIT, "split", 2)))
    ActionStore(store.path).path.write_bytes(b"no parquet")
    known = manager(store)

    with pytest.raises(DamagedFileError, match=r"actions\.parquet is damaged"):
        known.load_historical_bars("X", "1d", FIRST, LAST, as_of=LAST)
    assert len(known.load_historical_bars("X", "1d", FIRST, LAST)) == len(DAYS)


def test_many_symbols_are_adjusted_at_once_as_one_by_one(tmp_path: Path) -> None:
    symbols = [f"S{n}" for n in range(8)]
    store = BarStore.open(made_store(tmp_path / "s", symbols, str(FIRST), str(LAST)))
    rows = [
        (s, day, kind, value) for s in symbols[::2] for day, kind, value in ((SPLIT, "split", 3), (LAST, "dividend", 2))
    ]
    ActionStore(store.path).write(actions(*rows))
    together = manager(store, "total").on_day(LAST)
    together.prefetch(symbols, "1m", FIRST, LAST)

    for symbol in symbols:
        alone = manager(store, "total").load_historical_bars(symbol, "1m", FIRST, LAST, as_of=LAST)
        assert same(together.load_historical_bars(symbol, "1m", FIRST, LAST), alone)
