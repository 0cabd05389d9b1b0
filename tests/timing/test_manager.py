"""Trading-day arithmetic against calendars that are known, and against counting by hand."""

from __future__ import annotations

import warnings
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openbell.errors import CalendarError, ConfigError, UnknownNameError
from openbell.model.interval import parse_interval
from openbell.timing import SimulatedClock, TimeManager, WallClock

EXCHANGES = ["XNYS", "XHKG", "XTKS", "XBOM", "XLON", "CMES", "24/7", "FOREX"]
INTERVALS = ["1m", "4m", "5m", "7m", "15m", "30m", "45m", "60m", "240m", "1d", "1w", "3d"]
HOUR_NS = 3_600_000_000_000

exchanges = st.sampled_from(EXCHANGES)
days = st.dates(date(1998, 1, 2), date(2026, 12, 1))


@cache
def manager(exchange: str = "XNYS") -> TimeManager:
    return TimeManager(exchange)


def local(tm: TimeManager, ns: int) -> str:
    return f"{tm.to_local(ns):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    "exchange",
    [pytest.param(name, marks=() if name in ("XNYS", "XHKG") else pytest.mark.long) for name in EXCHANGES[:-1]],
)
def test_sessions_and_segments_are_those_of_exchange_calendars(exchange: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas, about exchange_calendars
        from exchange_calendars import get_calendar

        theirs = get_calendar(exchange, start="2018-01-01", end="2026-01-01")
        sessions = [stamp.date() for stamp in theirs.sessions]
        has_break = np.array([theirs.session_has_break(s) for s in theirs.sessions])
        pauses = np.stack([theirs.break_starts_nanos, theirs.break_ends_nanos], axis=1)[has_break]
    tm = manager(exchange)
    grid = tm.grid(sessions[0], sessions[-1])

    assert tm.sessions(sessions[0], sessions[-1]) == sessions
    assert np.array_equal(grid.open_ns, theirs.opens_nanos)
    assert np.array_equal(grid.close_ns, theirs.closes_nanos)
    assert np.array_equal(np.bincount(grid.segment_session), 1 + has_break)
    inner = np.flatnonzero(np.diff(grid.segment_session) == 0)
    assert np.array_equal(np.stack([grid.segment_close_ns[inner], grid.segment_open_ns[inner + 1]], axis=1), pauses)


@pytest.mark.parametrize(
    ("before", "closed", "after"),
    [
        (date(2001, 9, 10), [date(2001, 9, d) for d in (11, 12, 13, 14)], date(2001, 9, 17)),
        (date(2012, 10, 26), [date(2012, 10, 29), date(2012, 10, 30)], date(2012, 10, 31)),
        (date(2018, 12, 4), [date(2018, 12, 5)], date(2018, 12, 6)),
    ],
)
def test_new_york_was_closed(before: date, closed: list[date], after: date) -> None:
    tm = manager()

    assert not any(tm.is_session(day) for day in closed)
    assert tm.sessions(before, after) == [before, after]
    assert tm.session_before(after) == before
    assert all(tm.first_session_on_or_after(day) == after for day in closed)
    assert all(tm.last_session_on_or_before(day) == before for day in closed)
    assert tm.first_session_for_bars("1m", 391, after) == tm.session_before(before)


@given(exchanges, days, st.integers(1, 60))
def test_session_before_counts_sessions(exchange: str, day: date, n: int) -> None:
    tm = manager(exchange)
    found = tm.session_before(day, n)

    assert tm.is_session(found)
    assert len(tm.sessions(found, day - timedelta(days=1))) == n


@given(exchanges, days)
def test_sessions_on_or_around_a_day(exchange: str, day: date) -> None:
    tm = manager(exchange)
    before, after = tm.last_session_on_or_before(day), tm.first_session_on_or_after(day)

    assert (before == after == day) if tm.is_session(day) else (before < day < after)
    assert tm.sessions(before, after) == sorted({before, after})


@given(exchanges, st.sampled_from(INTERVALS), st.integers(1, 3000), st.dates(date(2004, 1, 2), date(2026, 12, 1)))
@example("XNYS", "5m", 79, date(2024, 7, 5))
@example("XNYS", "1w", 1, date(2024, 7, 5))
@example("XNYS", "1w", 1, date(2024, 7, 6))
@example("24/7", "1w", 1, date(2024, 7, 8))
def test_the_walk_back_reaches_exactly_far_enough(exchange: str, interval: str, bars: int, before: date) -> None:
    tm = manager(exchange)
    bars = bars if parse_interval(interval).is_intraday else bars // 50 + 1
    first = tm.first_session_for_bars(interval, bars, before)

    assert first < before
    assert closed_bars(tm, interval, first, before) >= bars
    following = tm.first_session_on_or_after(first + timedelta(days=1))
    assert following >= before or closed_bars(tm, interval, following, before) < bars


def closed_bars(tm: TimeManager, interval: str, first: date, before: date) -> int:
    """Bars that lie wholly within the sessions from ``first`` up to ``before``, summed session by session."""
    held = tm.sessions(first, before - timedelta(days=1))
    if not held:
        return 0
    if parse_interval(interval).is_intraday:
        return sum(len(tm.expected_bar_times(interval, day)[0]) for day in held)
    low, high = tm.session(held[0]).open_ns, tm.session(held[-1]).close_ns
    whole = {tuple(int(edge[0]) for edge in tm.expected_bar_times(interval, day)) for day in held}
    return sum(low <= start and end <= high for start, end in whole)


def test_the_walk_back_spans_a_half_day_and_a_holiday() -> None:
    tm = manager()

    assert tm.first_session_for_bars("5m", 42, date(2024, 7, 5)) == date(2024, 7, 3)
    assert tm.first_session_for_bars("5m", 43, date(2024, 7, 5)) == date(2024, 7, 2)
    assert tm.first_session_for_bars("5m", 42 + 78, date(2024, 7, 5)) == date(2024, 7, 2)
    assert tm.first_session_for_bars("1d", 3, date(2024, 7, 5)) == date(2024, 7, 1)
    assert tm.first_session_for_bars("1w", 1, date(2024, 7, 5)) == date(2024, 6, 24)
    assert tm.first_session_for_bars("1w", 1, date(2024, 7, 6)) == date(2024, 7, 1)
    assert tm.first_session_for_bars("5m", 0, date(2024, 7, 6)) == date(2024, 7, 8)


def test_more_bars_than_the_calendar_has_is_an_error_with_its_bounds() -> None:
    for interval in ("1m", "1d", "1w"):
        with pytest.raises(CalendarError, match="XNYS is known from 1990-01-02 to"):
            manager().first_session_for_bars(interval, 10_000_000, date(2024, 7, 5))
    with pytest.raises(CalendarError, match="no 100000 sessions before 2024-07-05"):
        manager().session_before(date(2024, 7, 5), 100_000)
    with pytest.raises(ValueError, match="must be 1 or more"):
        manager().session_before(date(2024, 7, 5), 0)


@pytest.mark.parametrize("day", [date(1985, 1, 2), date(2190, 1, 2)])
def test_a_day_outside_the_calendar_is_an_error_with_its_bounds(day: date) -> None:
    tm, inside = manager(), date(2024, 7, 5)
    for ask in (
        lambda: tm.is_session(day),
        lambda: tm.session(day),
        lambda: tm.sessions(min(day, inside), max(day, inside)),
        lambda: tm.grid(min(day, inside), max(day, inside)),
        lambda: tm.session_before(day),
        lambda: tm.first_session_on_or_after(day),
        lambda: tm.last_session_on_or_before(day),
        lambda: tm.first_session_for_bars("1m", 1, day),
    ):
        with pytest.raises(CalendarError, match=f"{day} is outside the calendar: XNYS is known from 1990-01-02 to"):
            ask()


def test_a_day_without_a_session_is_an_error_that_names_the_next() -> None:
    for ask in (manager().session, lambda day: manager().expected_bar_times("5m", day)):
        with pytest.raises(CalendarError, match="2024-07-04 is not a session of XNYS; the next one is 2024-07-05"):
            ask(date(2024, 7, 4))
    with pytest.raises(CalendarError, match="no session from 2024-07-06 to 2024-07-07"):
        manager().widened("1w", date(2024, 7, 6), date(2024, 7, 7))


def test_a_window_is_widened_to_whole_bars() -> None:
    tm, first, last = manager(), date(2024, 7, 3), date(2024, 7, 9)

    assert tm.widened("5m", first, last) == (first, last)
    assert tm.widened("1d", date(2024, 7, 4), last) == (date(2024, 7, 5), last)
    assert tm.widened("1w", first, last) == (date(2024, 7, 1), date(2024, 7, 12))


def test_a_window_that_ends_before_it_begins_is_empty() -> None:
    assert manager().sessions(date(2024, 7, 9), date(2024, 7, 1)) == []
    assert len(manager().grid(date(2024, 7, 9), date(2024, 7, 1))) == 0


@pytest.mark.parametrize(
    ("exchange", "before", "after"),
    [
        ("XNYS", date(2024, 3, 8), date(2024, 3, 11)),
        ("XNYS", date(2024, 11, 1), date(2024, 11, 4)),
        ("XLON", date(2024, 3, 28), date(2024, 4, 2)),
        ("XLON", date(2024, 10, 25), date(2024, 10, 28)),
    ],
)
def test_local_hours_stay_when_the_clocks_change(exchange: str, before: date, after: date) -> None:
    tm = manager(exchange)
    earlier, later = tm.session(before), tm.session(after)

    assert tm.to_local(earlier.open_ns).time() == tm.to_local(later.open_ns).time()
    assert tm.to_local(earlier.close_ns).time() == tm.to_local(later.close_ns).time()
    assert abs((later.open_ns - earlier.open_ns) % (24 * HOUR_NS) - 12 * HOUR_NS) == 11 * HOUR_NS
    for interval in INTERVALS[:9]:
        assert len(tm.expected_bar_times(interval, before)[0]) == len(tm.expected_bar_times(interval, after)[0])


@pytest.mark.parametrize("monday", [date(2024, 3, 11), date(2024, 11, 4), date(2024, 7, 1)])
def test_a_futures_session_opens_on_the_evening_before(monday: date) -> None:
    tm = manager("CMES")
    session = tm.session(monday)

    assert local(tm, session.open_ns) == f"{monday - timedelta(days=1)} 17:00"
    assert local(tm, session.close_ns) == f"{monday} 17:00"
    assert tm.day_of(session.open_ns) == monday
    assert tm.day_of(session.open_ns - 1) == monday, "a Sunday afternoon waits for Monday's session"


def test_a_market_that_never_closes_has_a_session_each_day() -> None:
    tm = manager("24/7")
    sunday = date(2024, 3, 10)

    assert len(tm.expected_bar_times("60m", sunday)[0]) == 24
    assert tm.day_of(tm.local_ns(sunday, time(0))) == sunday
    assert tm.day_of(tm.local_ns(sunday, time(0)) - 1) == sunday - timedelta(days=1)


def test_the_session_that_a_time_belongs_to() -> None:
    tm, day = manager(), date(2024, 7, 3)

    for clock_time in (time(4), time(9, 30), time(12, 59), time(13), time(18)):
        assert tm.day_of(tm.local_ns(day, clock_time)) == day
    assert tm.day_of(tm.local_ns(date(2024, 7, 4), time(12))) == date(2024, 7, 5)
    assert tm.day_of(tm.local_ns(date(2024, 7, 6), time(12))) == date(2024, 7, 8)


@given(exchanges, days, st.sampled_from(INTERVALS[:9]))
def test_every_intraday_bar_belongs_to_its_session(exchange: str, day: date, interval: str) -> None:
    tm = manager(exchange)
    day = tm.first_session_on_or_after(day)
    starts, ends = tm.expected_bar_times(interval, day)

    assert {tm.day_of(ns) for ns in (*starts[:3], *starts[-3:], *(ends[-3:] - 1))} == {day}


@given(exchanges, days, st.times())
def test_local_times_there_and_back(exchange: str, day: date, clock_time: time) -> None:
    tm = manager(exchange)
    there = tm.local_ns(day, clock_time)
    naive = datetime.combine(day, clock_time)

    back = tm.to_local(there).replace(tzinfo=None)

    # Within the hour that the clocks skip in spring there is no such local time; it comes out an hour later.
    assert back in (naive, naive + timedelta(hours=1))
    assert tm.local_ns(back.date(), back.time()) == there


def test_extended_hours_surround_the_session() -> None:
    tm = TimeManager("XNAS", session_hours="extended")
    full, half = tm.session(date(2024, 7, 2)), tm.session(date(2024, 7, 3))

    assert [local(tm, s)[-5:] for s in (full.first_ns, full.open_ns, full.close_ns, full.last_ns)] == [
        *("04:00", "09:30", "16:00", "20:00")
    ]
    assert [local(tm, s)[-5:] for s in (half.first_ns, half.open_ns, half.close_ns, half.last_ns)] == [
        *("04:00", "09:30", "13:00", "17:00")
    ]
    assert [s.is_regular for s in full.segments] == [False, True, False]
    assert len(tm.expected_bar_times("1m", date(2024, 7, 2))[0]) == 390, "bars are expected of the regular hours"
    assert tm.day_of(half.last_ns - 1) == date(2024, 7, 3)


@pytest.mark.parametrize("day", [date(2024, 3, 11), date(2024, 11, 4)])
def test_extended_hours_keep_to_local_time_when_the_clocks_change(day: date) -> None:
    tm = TimeManager("XNYS", session_hours="extended")
    session = tm.session(day)

    assert (local(tm, session.first_ns), local(tm, session.last_ns)) == (f"{day} 04:00", f"{day} 20:00")


def test_regular_hours_begin_and_end_with_the_session() -> None:
    session = manager("XHKG").session(date(2024, 7, 2))

    assert (session.first_ns, session.last_ns) == (session.open_ns, session.close_ns)
    assert [(s.close_ns - s.open_ns) / HOUR_NS for s in session.segments] == [2.5, 3.0]


def test_extended_hours_that_nobody_knows_are_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"no extended hours are known for the exchange XHKG.*Use session_hours: reg"):
        TimeManager("XHKG", session_hours="extended")
    with pytest.raises(ConfigError, match="must be 'regular' or 'extended'"):
        TimeManager("XNYS", session_hours="all")  # type: ignore[arg-type]


def test_an_unknown_calendar_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown calendar 'XNIS'.*Did you mean .*'XNYS'"):
        TimeManager("XNIS")


def test_the_clock_is_the_one_that_was_given() -> None:
    tm = TimeManager("XNYS", clock=SimulatedClock(1_381_411_800_000_000_123))

    assert tm.now_ns == 1_381_411_800_000_000_123
    assert tm.get_current_time() == datetime(2013, 10, 10, 13, 30, tzinfo=UTC)
    assert isinstance(manager().clock, WallClock)


def test_grids_and_calendars_are_made_once() -> None:
    first, last = date(2024, 7, 1), date(2024, 7, 31)
    grid = manager().grid(first, last)

    assert manager().grid(first, last) is grid
    assert grid.expected_bars(parse_interval("5m")) is grid.expected_bars(parse_interval("300s"))
    assert np.shares_memory(grid.days, TimeManager("XNYS").grid(first, last).days)
