"""What is missing of a series is named whoever asked for it, and a bar that was made of part of its bars is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_bars import made_store
from openbell import IndicatorConfig
from openbell.testing import advance, bar_starts, make_store, random_bars
from probes import engine, prepared, strategy_at

if TYPE_CHECKING:
    from pathlib import Path

DAY = "2024-07-10"
MINUTE = 60_000_000_000


def minutes(day: str, first: str, last: str) -> set[int]:
    """The starts of the minutes from one time of day in New York to another, which is not among them."""
    zero = int(np.datetime64(day, "ns").astype(np.int64)) + 4 * 60 * MINUTE
    begin, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in (first, last))
    return {zero + minute * MINUTE for minute in range(begin, end)}


MISSING = minutes("2024-07-09", "12:00", "16:00") | minutes(DAY, "10:01", "10:04") | minutes(DAY, "11:00", "11:10")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("holes") / "store"
    return made_store(
        folder, ["HOLE", "SPY"], "2024-06-24", "2024-07-12", keep=lambda s, _, ns: s != "HOLE" or ns not in MISSING
    )


def gaps_of(series: Any, system: Any) -> list[tuple[str, str, int]]:
    local = system.time_manager.to_local
    return [(f"{local(g.start_ns):%d %H:%M}", f"{local(g.end_ns):%d %H:%M}", g.missing) for g in series.gaps]


def test_an_ad_hoc_symbol_names_its_gaps_too(store: Path) -> None:
    """Yesterday's afternoon is missing, and a strategy adds an average of 20 bars of 5 minutes."""
    system = prepared(store, days=DAY)
    assert system.session_data.add_indicator_unified("HOLE", IndicatorConfig("sma", period=20, interval="5m"))
    series = system.session_data.get_bars("HOLE", "5m")
    assert series.quality is None
    assert gaps_of(series, system) == [("09 12:00", "09 16:00", 48)]
    advance(system, "11:05")
    assert gaps_of(series, system) == [("09 12:00", "09 16:00", 48), ("10 11:00", "10 11:05", 1)]
    base = system.session_data.get_bars("HOLE", "1m")
    assert gaps_of(base, system) == [
        ("09 12:00", "09 16:00", 240),
        ("10 10:01", "10 10:04", 3),
        ("10 11:00", "10 11:05", 5),
    ]


def test_a_session_without_bars_is_among_them(store: Path, tmp_path: Path) -> None:
    folder = made_store(
        tmp_path / "store", ["SPY", "OUT"], "2024-07-01", "2024-07-12",
        keep=lambda s, _, ns: s != "OUT" or ns // (1440 * MINUTE) != 19_913,
    )  # fmt: skip
    system = prepared(folder, days=DAY)
    assert system.session_data.add_bar_unified("OUT", "5m", days=2)
    assert gaps_of(system.session_data.get_bars("OUT", "5m"), system) == [("09 09:30", "09 16:00", 78)]
    assert system.session_data.add_bar_unified("OUT", "1d", days=3)
    assert gaps_of(system.session_data.get_bars("OUT", "1d"), system) == [("09 09:30", "09 16:00", 1)]


@pytest.mark.parametrize("trailing", [1, 2, 5])
def test_they_are_those_of_a_full_symbol(store: Path, trailing: int) -> None:
    full = prepared(store, days=DAY, symbols=["HOLE"], trailing={"5m": trailing, "1m": trailing})
    other = prepared(store, days=DAY)
    for interval in ("5m", "1m"):
        assert other.session_data.add_bar_unified("HOLE", interval, days=trailing)
    for clock in ("09:30", "10:07", "11:05", "16:00"):
        for interval in ("5m", "1m"):
            one, two = (system.session_data.get_bars("HOLE", interval) for system in (full, other))
            advance(full, clock)
            advance(other, clock)
            assert one.gaps == two.gaps
            assert one.partial == two.partial
            assert two.quality is None


def test_a_bar_of_part_of_its_minutes_is_counted(store: Path) -> None:
    system = prepared(store, days=DAY, symbols=["HOLE"], streams=["1m", "5m", "60m", "1d"], trailing={"5m": 1})
    bars = system.session_data.get_symbol_data("HOLE").bars
    seen = {}  # of yesterday, the hour from 11:30 on
    for clock in ("09:30", "10:05", "11:30", "16:00"):
        advance(system, clock)
        seen[clock] = {name: series.partial for name, series in bars.items()}

    assert seen == {
        "09:30": {"1m": 0, "5m": 0, "60m": 1, "1d": 0},
        "10:05": {"1m": 0, "5m": 1, "60m": 1, "1d": 0},
        "11:30": {"1m": 0, "5m": 1, "60m": 3, "1d": 0},
        "16:00": {"1m": 0, "5m": 1, "60m": 3, "1d": 0},
    }


def test_the_result_and_the_terminal_say_so(store: Path) -> None:
    add = strategy_at("10:00", lambda c: c.add_indicator("HOLE", IndicatorConfig("sma", period=20, interval="5m")))
    day = engine(store, days=DAY, strategies=[add]).run().days[0]
    series = day.symbols["HOLE"].bars
    assert (series["5m"].partial_rows, series["1m"].partial_rows) == (1, 0)
    assert sum(gap.missing for gap in series["1m"].gaps) == len(MISSING)
    assert day["symbols"]["HOLE"]["bars"]["5m"]["partial_rows"] == 1
    assert len(day["symbols"]["HOLE"]["bars"]["5m"]["gaps"]) == 2

    from openbell.cli.output.session_view import session_views

    lines = [view for view in session_views(day) if isinstance(view, str)]
    (line,) = [text for text in lines if "HOLE 1m bars" in text]
    assert line.endswith("; derived bars that lack some of their base bars: 1 of 5m")


def test_half_days_and_synthetic_bars_are_no_parts(tmp_path: Path) -> None:
    """2024-07-03 closes at 13:00, and the last bar of 60 minutes of any day is one of 30."""
    folder = made_store(tmp_path / "store", ["A"], "2024-06-24", "2024-07-12", keep=lambda s, _, ns: ns not in MISSING)
    for policy, parts in (("none", [1, 3]), ("forward", [1, 3])):
        system = prepared(
            folder, days=DAY, symbols=["A"], streams=["1m", "5m", "60m"], trailing={"5m": 4}, gap_policy=policy
        )
        advance(system, "16:00")
        bars = system.session_data.get_symbol_data("A").bars
        assert [bars[name].partial for name in ("5m", "60m")] == parts


@given(st.sets(st.integers(0, 389), max_size=60), st.sampled_from(["2m", "5m", "7m", "60m"]))
def test_parts_are_the_bars_with_a_missing_and_a_present_minute(
    tmp_path_factory: pytest.TempPathFactory, missing: set[int], interval: str
) -> None:
    starts = bar_starts(DAY, DAY)
    kept = np.delete(starts, sorted(missing))
    folder = make_store(tmp_path_factory.mktemp("parts") / "store", {"A": {"1m": random_bars(kept)}})
    system = prepared(folder, days=DAY, symbols=["A"], streams=["1m", interval])
    advance(system, "16:00")

    length = int(interval[:-1])
    blocks = [set(range(first, min(first + length, 390))) for first in range(0, 390, length)]
    parts = sum(bool(block & missing) and bool(block - missing) for block in blocks)
    assert system.session_data.get_bars("A", interval).partial == parts
