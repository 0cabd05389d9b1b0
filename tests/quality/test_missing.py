"""Missing bars are told apart: holes, halts, times without trades, and whole sessions."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_bars import made_store
from openbell.quality.checker import check_store
from openbell.quality.missing import Elsewhere, missing_bars, missing_sessions, untraded
from openbell.store.store import BarStore
from openbell.timing import TimeManager
from quality.made import bars, peers_of, series, times, without

if TYPE_CHECKING:
    from pathlib import Path

OTHERS = [series(bars(seed=seed), symbol=f"OTHER{seed}") for seed in (1, 2, 3)]


def elsewhere(frame: pl.DataFrame, interval: str) -> tuple[Elsewhere, ...]:
    other = series(frame, interval).bars
    return (Elsewhere(interval, other.timestamp, other.end),)


def resumed(frame: pl.DataFrame, row: int, *, jump: float, burst: float) -> pl.DataFrame:
    """The frame with all prices from a row on moved, and the volume of that row multiplied."""
    later = pl.int_range(pl.len()) >= row
    prices = [
        pl.when(later).then(pl.col(c) * jump).otherwise(pl.col(c)).alias(c) for c in ("open", "high", "low", "close")
    ]
    return times(frame.with_columns(prices), row, "volume", burst)


def test_whole_sessions_have_no_finding() -> None:
    assert missing_bars(OTHERS[0], peers_of(*OTHERS)) == []
    assert missing_sessions(OTHERS[0], peers_of(*OTHERS)) == []


@given(st.integers(1, 385), st.integers(1, 4))
def test_a_few_bars_missing_while_others_trade_are_a_hole(begin: int, count: int) -> None:
    one = series(without(bars(), range(begin, begin + count)))

    (found,) = missing_bars(one, peers_of(one, *OTHERS))

    assert (found.kind, found.bars) == ("hole", count)
    assert "while other symbols traded" in found.text
    assert found.text.endswith("a hole, likely")
    assert found.start_ns == series(bars()).bars.timestamp[begin]


def test_a_stop_of_one_symbol_with_jump_and_burst_is_a_halt() -> None:
    frame = without(resumed(bars(), 110, jump=1.05, burst=20), range(100, 110))

    (found,) = missing_bars(series(frame), peers_of(*OTHERS))

    assert (found.kind, found.severity, found.bars) == ("halt", "note", 10)
    assert "a halt, likely" in found.text


@pytest.mark.parametrize(("jump", "burst"), [(1.05, 1), (1, 20), (1, 1)])
def test_a_stop_of_one_symbol_without_both_is_a_hole(jump: float, burst: float) -> None:
    frame = without(resumed(bars(), 110, jump=jump, burst=burst), range(100, 110))

    assert [f.kind for f in missing_bars(series(frame), peers_of(*OTHERS))] == ["hole"]


def test_a_stop_of_everybody_that_ends_with_a_jump_is_a_market_halt() -> None:
    stopped = [series(without(bars(seed=s), range(100, 115)), symbol=f"OTHER{s}") for s in (1, 2)]
    frame = without(resumed(bars(), 115, jump=0.95, burst=1), range(100, 115))

    (found,) = missing_bars(series(frame), peers_of(*stopped))

    assert found.kind == "halt"
    assert "all 2 other symbols stand still too" in found.text
    assert "a market halt, likely" in found.text


def test_a_market_halt_is_one_although_another_has_stray_bars_in_it() -> None:
    stopped = [series(without(bars(seed=s), range(100, 115)), symbol=f"OTHER{s}") for s in range(1, 7)]
    stray = series(without(bars(seed=8), range(101, 115)), symbol="STRAY")
    frame = without(resumed(bars(), 115, jump=0.95, burst=1), range(100, 115))

    (found,) = missing_bars(series(frame), peers_of(*stopped, stray))

    assert found.kind == "halt"
    assert "most of the 7 other symbols stand still too" in found.text


def test_a_quiet_stop_of_everybody_points_at_the_source() -> None:
    stopped = [series(without(bars(seed=s), range(100, 115)), symbol=f"OTHER{s}") for s in (1, 2)]

    (found,) = missing_bars(series(without(bars(), range(100, 115))), peers_of(*stopped))

    assert found.kind == "hole"
    assert "the source failed?" in found.text


def test_a_bar_that_finer_bars_show_is_a_hole_for_certain() -> None:
    one = series(without(bars(), range(50, 60)))

    (found,) = missing_bars(one, peers_of(*OTHERS), elsewhere(bars("1s", 1), "1s"))

    assert "the 1s bars have trades there: a hole, certainly" in found.text


@given(st.integers(0, 20))
def test_bars_missing_at_random_in_a_thin_series_are_not_holes(seed: int) -> None:
    kept = np.random.default_rng(seed).random(3 * 390) > 0.3
    one = series(bars().filter(pl.Series(kept)))

    found = missing_bars(one, peers_of(*OTHERS))

    assert [f.kind for f in found] == ["no_trades"]
    assert found[0].severity == "note"
    assert found[0].bars == untraded(one).sum() == (~one.present).sum()


def test_a_long_stop_of_a_thin_series_is_a_hole_all_the_same() -> None:
    kept = np.random.default_rng(5).random(3 * 390) > 0.3
    kept[500:560] = False

    found = missing_bars(series(bars().filter(pl.Series(kept))), peers_of(*OTHERS))

    assert sorted(f.kind for f in found) == ["hole", "no_trades"]


def test_a_gap_does_not_run_on_over_the_night_or_the_lunch_break() -> None:
    frame = without(bars(exchange="XHKG"), range(140, 160), range(320, 340))

    found = missing_bars(series(frame, exchange="XHKG"), peers_of(exchange="XHKG"))

    assert [(f.kind, f.bars) for f in found] == [("hole", 10)] * 4


@pytest.mark.parametrize(
    ("others", "told"),
    [
        (OTHERS, "while other symbols traded: a hole, likely"),
        ([], "a session without a bar"),
        (
            [series(without(bars(seed=s), range(390, 780)), symbol=f"O{s}") for s in (1, 2)],
            "none of 2 other symbols has one: is the calendar wrong, or the data?",
        ),
    ],
)
def test_a_missing_session_is_told_with_what_others_did(others: list, told: str) -> None:
    one = series(without(bars(), range(390, 780)))

    (found,) = missing_sessions(one, peers_of(*others))

    assert (found.kind, found.bars) == ("missing_sessions", 390)
    assert told in found.text
    assert missing_bars(one, peers_of(*others)) == []


def test_a_missing_day_that_has_minutes_is_a_hole_for_certain() -> None:
    one = series(without(bars("1d", 30), range(1, 2)), "1d")

    (found,) = missing_sessions(one, peers_of(interval="1d"), elsewhere(bars(), "1m"))

    assert "the 1m bars have trades there: a hole, certainly" in found.text


def test_a_long_absence_asks_for_another_name() -> None:
    one = series(without(bars("1d", 60), range(10, 40)), "1d")
    others = peers_of(*(series(bars("1d", 60, seed=s), "1d", symbol=f"O{s}") for s in (1, 2)), interval="1d")

    (found,) = missing_sessions(one, others)

    assert found.bars == 30
    assert "under another symbol?" in found.text


class TestAListing:
    """Bars that begin in mid-session are told as that, where nothing is stored of the symbol before."""

    def found(self, tmp_path: Path, last_before: str, intervals: tuple[str, ...] = ("1m",)) -> dict[str, int]:
        def keep(symbol: str, interval: str, ns: int) -> bool:
            day = f"{TimeManager('XNYS').to_local(ns):%Y-%m-%d %H:%M}"
            return symbol != "NEW" or (interval == "1d" or day >= f"2024-07-03 {last_before}")

        store = made_store(
            tmp_path / "store", ["OLD", "NEW"], "2024-07-01", "2024-07-08", intervals=intervals, keep=keep
        )
        report = check_store(BarStore.open(store), symbols=["NEW"], intervals=["1m"])
        (self.score,) = (one.score for one in report.series)
        return report.series[0].counts()

    def test_is_a_note_and_no_missing_bars(self, tmp_path: Path) -> None:
        assert self.found(tmp_path, "11:30") == {"listing": 1}
        assert (self.score.percent, self.score.missing) == (100.0, 0)

    def test_is_none_where_other_bars_of_the_symbol_are_older(self, tmp_path: Path) -> None:
        found = self.found(tmp_path, "11:30", ("1m", "1d"))

        assert (found.get("listing"), found["hole"]) == (None, 1)

    def test_is_none_of_a_first_minute_without_a_trade(self, tmp_path: Path) -> None:
        assert "listing" not in self.found(tmp_path, "09:32")

    def test_is_none_where_the_check_begins_later(self, tmp_path: Path) -> None:
        def keep(symbol: str, interval: str, ns: int) -> bool:
            return f"{TimeManager('XNYS').to_local(ns):%Y-%m-%d %H:%M}"[:13] != "2024-07-03 09"

        store = made_store(tmp_path / "store", ["A"], "2024-07-01", "2024-07-08", intervals=["1m"], keep=keep)
        report = check_store(BarStore.open(store), first=date(2024, 7, 3))

        assert report.series[0].counts() == {"hole": 1}
