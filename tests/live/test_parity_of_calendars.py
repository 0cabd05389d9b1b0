"""A live session equals its backtest on calendars of all kinds, with bars that are missing."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from live.parity import both
from live.sessions import seer, session, trader
from made_bars import made_store

if TYPE_CHECKING:
    from pathlib import Path

MINUTES = {"data": [{"trailing_days": 1, "intervals": ["1m"]}, {"trailing_days": 4, "intervals": ["1d"]}]}


def _is_there(symbol: str, interval: str, start_ns: int) -> bool:
    """Whether there is a bar: all daily ones, and of one symbol few others."""
    share = 0.4 if symbol == "CCC" else 0.95
    return interval == "1d" or random.Random(f"{symbol} {start_ns}").random() < share


def require_equal(
    folder: Path,
    exchange: str,
    first: str,
    days: tuple[str, str],
    *,
    stored: str = "1m",
    streams: tuple[str, ...] = ("1m", "5m"),
    execution: dict[str, Any] | None = None,
    **data: Any,
) -> None:
    """Play made-up days twice, with a symbol that is added in mid-session."""
    hours = data.get("session_hours", "regular")
    store = made_store(
        folder / "store",
        ["AAA", "BBB", "CCC"],
        first,
        days[1],
        exchange=exchange,
        intervals=[stored, "1d"],
        session_hours=hours,
        keep=_is_there,
    )
    if stored == "1m":
        indicators = [{"name": "vwap", "interval": "1m"}, {"name": "ema", "period": 5, "interval": "5m"}]
        data |= {"historical": MINUTES, "indicators": indicators}
    config = session(
        seer([("AAA", streams[0]), ("CCC", streams[-1])], add={"11:00": ["BBB"]}),
        trader(interval=streams[0], every=11 if stored == "1m" else 3),
        days=days,
        symbols=("AAA", "CCC"),
        streams=streams,
        exchange=exchange,
        execution=execution,
        **data,
    )
    runs = both(config, store, folder)
    assert runs.differences == []
    assert len(runs.lines("fills.jsonl")) > 5


def test_five_minutes_that_are_stored_over_a_half_day(tmp_path: Path) -> None:
    require_equal(tmp_path, "XNYS", "2024-07-01", ("2024-07-02", "2024-07-03"), stored="5m", streams=("5m", "15m"))


@pytest.mark.long
def test_a_lunch_break_that_cuts_bars(tmp_path: Path) -> None:
    require_equal(tmp_path, "XHKG", "2024-06-27", ("2024-07-02", "2024-07-02"), streams=("1m", "45m"))


@pytest.mark.long
@pytest.mark.parametrize("stored", ["60m", "30m"])
def test_stored_bars_that_a_lunch_break_or_a_close_cuts(stored: str, tmp_path: Path) -> None:
    require_equal(tmp_path, "XHKG", "2024-06-17", ("2024-06-24", "2024-07-02"), stored=stored, streams=(stored, "2h"))


@pytest.mark.long
def test_a_session_that_begins_at_midnight_utc(tmp_path: Path) -> None:
    """Of the day before, the daily bar has closed long ago."""
    require_equal(tmp_path, "XTKS", "2024-06-27", ("2024-07-02", "2024-07-02"), gap_policy="forward")


@pytest.mark.long
def test_hours_before_and_after_the_regular_ones(tmp_path: Path) -> None:
    days = ("2024-07-02", "2024-07-03")
    require_equal(tmp_path, "XNYS", "2024-06-28", days, session_hours="extended", gap_policy="forward")


@pytest.mark.long
@pytest.mark.parametrize(("first", "days"), [("2024-03-06", ("2024-03-08", "2024-03-11"))])
def test_a_week_in_which_clocks_change(first: str, days: tuple[str, str], tmp_path: Path) -> None:
    require_equal(tmp_path, "XNYS", first, days)


@pytest.mark.long
def test_weeks_and_days_over_a_half_day_and_a_holiday(tmp_path: Path) -> None:
    require_equal(tmp_path, "XNYS", "2024-06-28", ("2024-07-02", "2024-07-05"), streams=("5m", "1w", "1d"))


@pytest.mark.long
def test_sessions_that_end_where_the_next_one_begins(tmp_path: Path) -> None:
    """The last minute of the day before is history."""
    require_equal(tmp_path, "24/7", "2024-06-28", ("2024-07-01", "2024-07-01"))


@pytest.mark.long
def test_futures_that_trade_overnight(tmp_path: Path) -> None:
    terms = {"multiplier": 5, "tick": 0.01, "margin": 500}
    execution = {"instruments": dict.fromkeys(("AAA", "BBB", "CCC"), terms)}
    require_equal(tmp_path, "CMES", "2024-06-27", ("2024-07-02", "2024-07-02"), execution=execution)
