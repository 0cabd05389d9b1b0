"""Symbols that trade at the same times share these; whoever trades at others is not mistaken for them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from openbell.market_data import stored_history
from openbell.market_data.data_manager import DataManager
from openbell.model.bars import COLUMNS, Bars
from openbell.model.interval import DAY_NS
from openbell.store.built_mark import BUILT, BUILT_SCHEMA
from openbell.store.layout import BAR_SCHEMA
from openbell.store.store import BarStore
from openbell.testing import random_bars
from openbell.timing import TimeManager
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

XNYS = TimeManager("XNYS")
DAYS = XNYS.sessions(date(2013, 1, 2), date(2013, 4, 30))
MINUTE_NS = 60 * 10**9
SYMBOLS = ("ALL", "MARCH", "LIKE-ALL", "LIKE-MARCH", "NO-2ND", "NO-3RD", "NONE", "EARLY", "HALF", "BUILT")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> BarStore:
    """Eight minutes of each session, of symbols with nearly the same ones, and a file a month for each."""
    store = BarStore.open_or_create(tmp_path_factory.mktemp("times") / "store")
    with store.writer() as writer:
        for number, symbol in enumerate(SYMBOLS):
            if symbol != "NONE":
                starts = np.concatenate([minutes_of(symbol, day) for day in DAYS])
                built = pl.DataFrame({"timestamp": starts[::5], BUILT: 60}).cast(dict(BUILT_SCHEMA))
                frame = random_bars(starts, seed=number).cast(dict(BAR_SCHEMA))
                writer.write(symbol, "1m", frame, built=built if symbol == "BUILT" else None)
        writer.write("NONE", "1d", random_bars(np.array([day_number(DAYS[0]) * DAY_NS])).cast(dict(BAR_SCHEMA)))
    return store


def minutes_of(symbol: str, day: date) -> NDArray[np.int64]:
    minutes = list(range(8))
    if symbol == "EARLY":  # as many as others, but one of them before the open
        minutes = [-5, *minutes[1:]]
    elif symbol in ("NO-2ND", "NO-3RD"):
        minutes.remove(1 if symbol == "NO-2ND" else 2)
    elif symbol.endswith("MARCH") and day.month >= 3:  # until then as ALL, then as many at other times
        minutes = [*minutes[:-1], 30]
    elif symbol == "HALF":
        minutes = minutes[::2]
    return XNYS.session(day).open_ns + np.array(minutes, np.int64) * MINUTE_NS


def same(one: Bars, other: Bars) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in COLUMNS)


@pytest.mark.parametrize("symbols", [SYMBOLS, SYMBOLS[::-1]])
@pytest.mark.parametrize("interval", ["1m", "5m"])
@pytest.mark.parametrize("gap_fill", [False, True])
def test_symbols_that_are_read_together_have_the_bars_that_each_has_on_its_own(
    store: BarStore, monkeypatch: pytest.MonkeyPatch, symbols: tuple[str, ...], interval: str, gap_fill: bool
) -> None:
    monkeypatch.setattr(stored_history, "AHEAD_ROWS", 0)  # a month at a time
    monkeypatch.setattr(stored_history, "AHEAD_ROWS_EACH", 0)
    if gap_fill:
        monkeypatch.setattr(stored_history, "COMPARED_ROWS", 0)  # two by two
    traded = [symbol for symbol in symbols if symbol != "NONE"]
    alone = {s: DataManager(store, XNYS).load_historical_bars(s, interval, DAYS[0], DAYS[-1]) for s in traded}

    together = DataManager(store, XNYS, horizon=DAYS[-1], gap_fill=gap_fill)
    for before, day in zip(DAYS, DAYS[2:], strict=False):
        together.prefetch(symbols, "1m", before, day)
        begin, end = XNYS.session(before).open_ns, XNYS.session(day).close_ns
        for symbol in traded:
            bars, whole = together.load_historical_bars(symbol, interval, before, day), alone[symbol]
            assert same(bars, whole[slice(*whole.timestamp.searchsorted([begin, end]).tolist())])


def test_symbols_of_the_same_times_share_them_and_others_do_not(store: BarStore) -> None:
    manager = DataManager(store, XNYS)
    manager.prefetch(SYMBOLS, "1m", DAYS[0], DAYS[-1])
    times = {s: manager.load_historical_bars(s, "1m", DAYS[0], DAYS[-1]).times for s in SYMBOLS if s != "NONE"}

    assert times["ALL"] is times["LIKE-ALL"]
    assert times["MARCH"] is times["LIKE-MARCH"]
    assert len({id(found) for found in times.values()}) == len(times) - 2
