"""A symbol that changed its name is found under the name of the day, wherever its source put its bars."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from made_actions import actions
from made_bars import made_store
from openbell.actions import ActionStore
from openbell.actions.store import FAR_FUTURE, FAR_PAST, ActionBook, SymbolPeriod
from openbell.errors import DataError
from openbell.market_data.data_manager import DataManager
from openbell.model.bars import COLUMNS, Bars
from openbell.model.interval import DAY_NS
from openbell.store.store import BarStore
from openbell.timing.grid import day_number
from openbell.timing.time_manager import TimeManager

if TYPE_CHECKING:
    from pathlib import Path

XNYS = TimeManager("XNYS")
FIRST, LAST = date(2014, 5, 27), date(2014, 6, 20)
RENAME = date(2014, 6, 9)
BEFORE = date(2014, 6, 6)


def same(one: Bars, other: Bars) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in COLUMNS)


def store_of(folder: Path, *renames: tuple, **spans: tuple[date, date]) -> BarStore:
    """A store with bars of symbols on some days, and renames."""
    days = {symbol: [day_number(day) * DAY_NS for day in span] for symbol, span in spans.items()}

    def keep(symbol: str, interval: str, start_ns: int) -> bool:
        return days[symbol][0] <= start_ns < days[symbol][1] + DAY_NS

    made_store(folder, list(spans), str(FIRST), str(LAST), keep=keep)
    ActionStore(folder).write(actions(*renames))
    return BarStore.open(folder)


def day_bars(store: BarStore, symbol: str, day: date, interval: str = "1d") -> Bars:
    return DataManager(store, XNYS).load_historical_bars(symbol, interval, FIRST, day, as_of=day)


def test_the_real_bank_of_america_is_nationsbank_before_its_merger(lean_store: BarStore) -> None:
    known = DataManager(lean_store, XNYS)
    first, last = date(1998, 1, 2), date(1998, 9, 10)
    stored = known.load_historical_bars("BAC", "1d", first, last)

    assert same(known.load_historical_bars("NB", "1d", first, last, as_of=last), stored)
    assert known.available_intervals("NB", last) == ("1d",)
    assert known.coverage("NB", "1d", last).last.date() == date(1998, 9, 30)  # type: ignore[union-attr]
    with pytest.raises(DataError, match=r"no bars of BAC\. It has that name since 1998-10-01: before, ask for NB\."):
        known.load_historical_bars("BAC", "1d", first, last, as_of=last)


def test_its_history_goes_on_under_the_new_name(lean_store: BarStore) -> None:
    known = DataManager(lean_store, XNYS)
    first, last = date(1998, 9, 1), date(1998, 10, 15)
    stored = known.load_historical_bars("BAC", "1d", first, last)
    seen = known.load_historical_bars("BAC", "1d", first, last, as_of=last)

    assert same(seen, stored)
    assert np.shares_memory(seen.close, stored.close)
    assert [a.describe() for a in known.actions("BAC", first, last)] == ["renamed from NB to BAC"]
    with pytest.raises(DataError, match=r"no bars of NB\. Its name is BAC since 1998-10-01: ask for BAC\."):
        known.load_historical_bars("NB", "1d", first, last, as_of=last)


@pytest.mark.parametrize("interval", ["1m", "5m", "1d", "1w"])
def test_bars_stored_under_the_names_of_their_time_are_joined(tmp_path: Path, interval: str) -> None:
    store = store_of(tmp_path / "s", ("OLD", RENAME, "rename", "NEW"), OLD=(FIRST, BEFORE), NEW=(RENAME, LAST))
    known = DataManager(store, XNYS)
    parts = [known.load_historical_bars(s, interval, FIRST, LAST) for s in ("OLD", "NEW")]

    assert same(known.load_historical_bars("NEW", interval, FIRST, LAST, as_of=LAST), Bars.concat(parts))
    assert same(known.load_historical_bars("OLD", interval, FIRST, BEFORE, as_of=BEFORE), parts[0])
    assert known.coverage("NEW", "1m", LAST).rows == 390 * len(XNYS.sessions(FIRST, LAST))  # type: ignore[union-attr]


def test_a_week_in_which_the_name_changed_is_whole(tmp_path: Path) -> None:
    wednesday = date(2014, 6, 11)
    store = store_of(
        tmp_path / "s",
        *[("OLD", wednesday, "rename", "NEW")],
        OLD=(FIRST, wednesday - timedelta(days=1)),
        NEW=(wednesday, LAST),
    )
    week = DataManager(store, XNYS).load_historical_bars("NEW", "1w", RENAME, LAST, as_of=LAST)
    days = day_bars(store, "NEW", LAST)[-10:]

    assert week.count.tolist() == [5, 5]
    assert week.open[0] == days.open[0]
    assert week.close[0] == days.close[4]


def test_actions_follow_the_name(tmp_path: Path) -> None:
    spans = {"OLD": (FIRST, BEFORE), "NEW": (RENAME, LAST)}
    for name, recorded in (("by_time", "OLD"), ("by_last_name", "NEW")):
        early = (recorded, date(2014, 6, 2), "split", 2)
        late = ("NEW", date(2014, 6, 16), "split", 3)
        store = store_of(tmp_path / name, ("OLD", RENAME, "rename", "NEW"), early, late, **spans)
        raw = np.concatenate([DataManager(store, XNYS).load_historical_bars(s, "1d", FIRST, LAST).close for s in spans])
        seen = day_bars(store, "NEW", LAST).close / raw

        days = XNYS.sessions(FIRST, LAST)
        shares = [6 if d < date(2014, 6, 2) else 3 if d < date(2014, 6, 16) else 1 for d in days]
        assert np.allclose(seen, 1 / np.array(shares, float), rtol=1e-12)


def test_a_name_that_another_one_takes_over_is_two_instruments(tmp_path: Path) -> None:
    # A becomes B, and on the same day C becomes A: what GOOG and GOOGL did.
    renames = [("A", RENAME, "rename", "B"), ("C", RENAME, "rename", "A")]
    store = store_of(tmp_path / "s", *renames, A=(FIRST, LAST), B=(RENAME, LAST), C=(FIRST, BEFORE))
    known = DataManager(store, XNYS)
    raw = {s: known.load_historical_bars(s, "1d", FIRST, LAST).close for s in "ABC"}
    old = len(raw["C"])

    assert np.array_equal(day_bars(store, "A", BEFORE).close, raw["A"][:old])
    assert np.array_equal(day_bars(store, "A", LAST).close, np.concatenate([raw["C"], raw["A"][old:]]))
    assert np.array_equal(day_bars(store, "B", LAST).close, np.concatenate([raw["A"][:old], raw["B"]]))


def test_a_later_name_is_no_place_for_bars_while_something_else_had_it(tmp_path: Path) -> None:
    renames = [("A", RENAME, "rename", "B"), ("C", RENAME, "rename", "A")]
    store = store_of(tmp_path / "s", *renames, A=(FIRST, LAST))
    known = DataManager(store, XNYS)
    raw = known.load_historical_bars("A", "1d", FIRST, LAST).close

    assert np.array_equal(day_bars(store, "A", LAST).close, raw[-10:])  # the earlier ones are those of today's B
    assert np.array_equal(day_bars(store, "B", LAST).close, raw[:-10])
    assert known.available_intervals("C", BEFORE) == ()


def test_a_chain_of_names_is_followed_both_ways() -> None:
    one, two, three = (date(2000, n, 1) for n in (1, 2, 3))
    book = ActionBook(actions(("A", one, "rename", "B"), ("B", two, "rename", "A"), ("A", three, "rename", "C")))
    days = [FAR_PAST, *(day_number(d) for d in (one, two, three)), FAR_FUTURE + 1]
    periods = tuple(
        SymbolPeriod(name, begin, end - 1) for name, begin, end in zip("ABAC", days[:-1], days[1:], strict=True)
    )

    for period in periods:
        for day in (max(period.first_day, 0), min(period.last_day, 40_000)):
            assert book.chain(period.symbol, day) == periods
    assert book.chain("B", day_number(three)) == (SymbolPeriod("B", day_number(two), FAR_FUTURE),)


def test_prefetch_finds_bars_by_the_name_of_the_day(lean_store: BarStore) -> None:
    known = DataManager(lean_store, XNYS).on_day(date(1998, 9, 10))
    known.prefetch(["NB", "AIG", "NOPE"], "1d", date(1998, 9, 1), date(1998, 9, 10))

    assert len(known.load_historical_bars("NB", "1d", date(1998, 9, 1), date(1998, 9, 10))) == 7
