"""Seven calendars and eleven intervals: hours that are known from the exchanges, and the bars that must follow."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from openbell.model.interval import parse_interval
from openbell.timing import TimeManager

INTRADAY = ("1m", "4m", "5m", "7m", "15m", "30m", "45m", "60m", "240m")
INTERVALS = (*INTRADAY, "1d", "1w")
EXCHANGES = ("XNYS", "XHKG", "XTKS", "XBOM", "XLON", "CMES", "24/7")
ZONES = dict(zip(EXCHANGES, ("America/New_York", "Asia/Hong_Kong", "Asia/Tokyo", "Asia/Kolkata", "Europe/London",
                             "America/Chicago", "UTC"), strict=True))  # fmt: skip
NS = 1_000_000_000

CLOSED = ""

# What traded when, by the notices of the exchanges: local hours, and days that had them; "<" is the evening before.
KNOWN = {
    "XNYS": {
        "09:30-16:00": "2001-09-10 2001-09-17 2012-10-26 2012-10-31 2018-12-04 2018-12-06 "
        "2024-03-08 2024-03-11 2024-07-02 2024-07-05 2024-11-01 2024-11-04",
        "09:30-13:00": "2024-07-03 2024-11-29 2024-12-24",
        CLOSED: "2001-09-11 2001-09-12 2001-09-13 2001-09-14 2012-10-29 2012-10-30 2018-12-05 "
        "2024-07-04 2024-11-28 2024-12-25",
    },
    "XHKG": {
        "09:30-12:00 13:00-16:00": "2024-07-02 2024-12-23 2024-12-27",
        "09:30-12:00": "2024-12-24",
        CLOSED: "2024-07-01 2024-12-25 2024-12-26",
    },
    "XTKS": {
        "09:00-11:30 12:30-15:00": "2024-05-02 2024-05-07 2024-11-01",
        "09:00-11:30 12:30-15:30": "2024-11-05",
        CLOSED: "2024-05-03 2024-05-06 2024-11-04",
    },
    "XBOM": {"09:15-15:30": "2024-07-16 2024-07-18", CLOSED: "2024-07-17"},
    "XLON": {
        "08:00-16:30": "2024-03-28 2024-04-02 2024-10-25 2024-10-28 2024-12-27",
        "08:00-12:30": "2024-12-24",
        CLOSED: "2024-03-29 2024-04-01 2024-12-25 2024-12-26",
    },
    "CMES": {
        "<17:00-17:00": "2024-03-08 2024-03-11 2024-07-03 2024-07-05 2024-11-01 2024-11-04",
        "<17:00-12:00": "2024-07-04",
        CLOSED: "2024-03-10 2024-07-06 2024-07-07 2024-12-25",
    },
    "24/7": {"00:00-24:00": "2024-02-29 2024-03-09 2024-03-10 2024-03-31 2024-10-27 2024-11-03 2024-12-25"},
}
DAYS = [
    (exchange, day, hours) for exchange, known in KNOWN.items() for hours, days in known.items() for day in days.split()
]

# Bars of a session in the order of INTRADAY, counted by hand.
COUNTS = {
    ("XNYS", "2024-07-02"): (390, 98, 78, 56, 26, 13, 9, 7, 2),
    ("XNYS", "2024-07-03"): (210, 53, 42, 30, 14, 7, 5, 4, 1),
    ("XHKG", "2024-07-02"): (330, 38 + 45, 66, 22 + 26, 22, 11, 4 + 4, 3 + 3, 1 + 1),
    ("XHKG", "2024-12-24"): (150, 38, 30, 22, 10, 5, 4, 3, 1),
    ("XTKS", "2024-11-01"): (300, 38 + 38, 60, 22 + 22, 20, 10, 4 + 4, 3 + 3, 1 + 1),
    ("XTKS", "2024-11-05"): (330, 38 + 45, 66, 22 + 26, 22, 11, 4 + 4, 3 + 3, 1 + 1),
    ("XBOM", "2024-07-18"): (375, 94, 75, 54, 25, 13, 9, 7, 2),
    ("XLON", "2024-04-02"): (510, 128, 102, 73, 34, 17, 12, 9, 3),
    ("XLON", "2024-12-24"): (270, 68, 54, 39, 18, 9, 6, 5, 2),
    ("CMES", "2024-03-11"): (1440, 360, 288, 206, 96, 48, 32, 24, 6),
    ("CMES", "2024-07-04"): (1140, 285, 228, 163, 76, 38, 26, 19, 5),
    ("24/7", "2024-03-10"): (1440, 360, 288, 206, 96, 48, 32, 24, 6),
}


@cache
def manager(exchange: str) -> TimeManager:
    return TimeManager(exchange)


def known_segments(exchange: str, day: str, hours: str) -> list[tuple[int, int]]:
    """The segments of a day as the table has them, in nanoseconds UTC."""

    def at(text: str) -> int:
        hour, minute = map(int, text.lstrip("<").split(":"))
        midnight = datetime.combine(date.fromisoformat(day) - timedelta(days=text.startswith("<")), datetime.min.time())
        local = (midnight + timedelta(hours=hour, minutes=minute)).replace(tzinfo=ZoneInfo(ZONES[exchange]))
        return int(local.astimezone(UTC).timestamp()) * NS

    edges = (pair.split("-") for pair in hours.split())
    return [(at(opens), at(closes)) for opens, closes in edges]


@pytest.mark.parametrize(("exchange", "day", "hours"), DAYS)
def test_the_bars_of_a_day_are_those_of_its_known_hours(exchange: str, day: str, hours: str) -> None:
    tm, segments = manager(exchange), known_segments(exchange, day, hours)
    assert tm.is_session(date.fromisoformat(day)) == bool(segments)
    if not segments:
        return
    for interval in INTRADAY:
        step = parse_interval(interval).ns
        tiles = [(s, min(s + step, closes)) for opens, closes in segments for s in range(opens, closes, step)]
        starts, ends = tm.expected_bar_times(interval, date.fromisoformat(day))
        assert list(zip(starts.tolist(), ends.tolist(), strict=True)) == tiles
    starts, ends = tm.expected_bar_times("1d", date.fromisoformat(day))
    assert (starts.tolist(), ends.tolist()) == ([segments[0][0]], [segments[-1][1]]), "a session, and not midnights"


@pytest.mark.parametrize(("exchange", "day"), COUNTS)
def test_a_session_has_as_many_bars_as_can_be_counted(exchange: str, day: str) -> None:
    tm = manager(exchange)

    counts = tuple(len(tm.expected_bar_times(interval, date.fromisoformat(day))[0]) for interval in INTRADAY)

    assert counts == COUNTS[exchange, day]


@pytest.mark.parametrize("interval", INTRADAY)
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_every_segment_of_decades_is_tiled_exactly(exchange: str, interval: str) -> None:
    tm, length = manager(exchange), parse_interval(interval).ns
    grid = tm.grid(date(2000, 1, 3) if length > 60 * NS else date(2018, 1, 2), tm.last_day)
    bars = grid.expected_bars(parse_interval(interval))
    segment = np.searchsorted(grid.segment_open_ns, bars.start_ns, side="right") - 1

    first = np.flatnonzero(np.diff(segment, prepend=-1))
    last = np.append(first[1:], len(segment)) - 1
    assert np.array_equal(segment[first], np.arange(len(grid.segment_open_ns))), "each segment has bars"
    assert np.array_equal(bars.start_ns[first], grid.segment_open_ns), "the first begins at its open"
    assert np.array_equal(bars.end_ns[last], grid.segment_close_ns), "the last ends at its close"
    within = np.diff(segment) == 0
    assert np.array_equal(bars.end_ns[:-1][within], bars.start_ns[1:][within]), "without a gap or an overlap"
    full = np.ones(len(segment), np.bool_)
    full[last] = False
    assert np.all((bars.end_ns - bars.start_ns)[full] == length)
    assert np.all(bars.end_ns - bars.start_ns <= length)
    assert np.array_equal(bars.session, grid.segment_session[segment])


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_daily_bars_are_sessions_and_weekly_bars_are_weeks_of_them(exchange: str) -> None:
    tm = manager(exchange)
    first, last = date(2000, 1, 3), date(2025, 12, 28)
    grid, days = tm.grid(first, last), tm.sessions(first, last)
    weeks: dict[tuple[int, int], list[int]] = {}
    for at, day in enumerate(days):
        weeks.setdefault(day.isocalendar()[:2], []).append(at)

    daily, weekly = (grid.expected_bars(parse_interval(interval)) for interval in ("1d", "1w"))

    assert np.array_equal(daily.start_ns, grid.open_ns)
    assert np.array_equal(daily.end_ns, grid.close_ns)
    assert weekly.start_ns.tolist() == [int(grid.open_ns[group[0]]) for group in weeks.values()]
    assert weekly.end_ns.tolist() == [int(grid.close_ns[group[-1]]) for group in weeks.values()]
    assert weekly.sessions.tolist() == [len(group) for group in weeks.values()]


@pytest.mark.parametrize(
    ("exchange", "day", "hour_of_open"),
    [
        *(("XNYS", "2024-03-08", "14:30"), ("XNYS", "2024-03-11", "13:30")),
        *(("XNYS", "2024-11-01", "13:30"), ("XNYS", "2024-11-04", "14:30")),
        *(("XLON", "2024-03-28", "08:00"), ("XLON", "2024-04-02", "07:00")),
        *(("XLON", "2024-10-25", "07:00"), ("XLON", "2024-10-28", "08:00")),
        *(("CMES", "2024-03-08", "23:00"), ("CMES", "2024-03-11", "22:00")),
        *(("CMES", "2024-11-01", "22:00"), ("CMES", "2024-11-04", "23:00")),
        *(("XHKG", "2024-03-11", "01:30"), ("XTKS", "2024-11-05", "00:00"), ("XBOM", "2024-07-18", "03:45")),
        ("24/7", "2024-03-31", "00:00"),
    ],
)
def test_when_the_clocks_change_the_bars_move_in_utc(exchange: str, day: str, hour_of_open: str) -> None:
    for interval in (*INTRADAY, "1d"):
        starts, _ = manager(exchange).expected_bar_times(interval, date.fromisoformat(day))
        assert f"{datetime.fromtimestamp(int(starts[0]) // NS, UTC):%H:%M}" == hour_of_open


@pytest.mark.parametrize(
    ("exchange", "day", "first", "last", "sessions"),
    [
        ("XNYS", "2001-09-10", "2001-09-10", "2001-09-10", 1),
        ("XNYS", "2012-10-31", "2012-10-31", "2012-11-02", 3),
        ("XNYS", "2018-12-06", "2018-12-03", "2018-12-07", 4),
        ("XNYS", "2024-03-11", "2024-03-11", "2024-03-15", 5),
        ("XHKG", "2024-12-24", "2024-12-23", "2024-12-27", 3),
        ("XTKS", "2024-05-07", "2024-05-07", "2024-05-10", 4),
        ("XBOM", "2024-07-16", "2024-07-15", "2024-07-19", 4),
        ("XLON", "2024-04-02", "2024-04-02", "2024-04-05", 4),
        ("CMES", "2024-12-24", "2024-12-23", "2024-12-27", 4),
        ("24/7", "2024-03-10", "2024-03-04", "2024-03-10", 7),
        ("XSAU", "2024-03-10", "2024-03-10", "2024-03-14", 5),
        ("XSAU", "2024-03-14", "2024-03-10", "2024-03-14", 5),
        ("XSAU", "2024-04-18", "2024-04-16", "2024-04-18", 3),
    ],
)
def test_a_week_is_its_sessions(exchange: str, day: str, first: str, last: str, sessions: int) -> None:
    tm = manager(exchange)
    week = tm.grid(date.fromisoformat(day), date.fromisoformat(day)).expected_bars(parse_interval("1w"))

    assert week.start_ns.tolist() == [tm.session(date.fromisoformat(first)).open_ns]
    assert week.end_ns.tolist() == [tm.session(date.fromisoformat(last)).close_ns]
    assert week.sessions.tolist() == [sessions]


# How far a warm-up reaches back, by hand: so many bars before the session are first had from this one on.
WARM_UPS = [
    *(("XNYS", "2024-07-05", "1m", 210, "2024-07-03"), ("XNYS", "2024-07-05", "1m", 211, "2024-07-02")),
    *(("XNYS", "2024-07-05", "4m", 54, "2024-07-02"), ("XNYS", "2024-07-05", "240m", 2, "2024-07-02")),
    *(("XNYS", "2001-09-17", "60m", 7, "2001-09-10"), ("XNYS", "2001-09-17", "60m", 8, "2001-09-07")),
    *(("XNYS", "2001-09-17", "1d", 2, "2001-09-07"), ("XNYS", "2001-09-17", "1w", 2, "2001-09-04")),
    *(("XNYS", "2012-10-31", "45m", 10, "2012-10-25"), ("XNYS", "2018-12-06", "5m", 79, "2018-12-03")),
    *(("XHKG", "2024-12-27", "60m", 3, "2024-12-24"), ("XHKG", "2024-12-27", "60m", 4, "2024-12-23")),
    *(("XHKG", "2024-12-27", "7m", 22 + 48 + 1, "2024-12-20"), ("XHKG", "2024-12-30", "1w", 1, "2024-12-23")),
    *(("XTKS", "2024-11-06", "4m", 83, "2024-11-05"), ("XTKS", "2024-11-06", "4m", 84, "2024-11-01")),
    *(("XTKS", "2024-05-07", "1m", 301, "2024-05-01"), ("XTKS", "2024-05-07", "1d", 1, "2024-05-02")),
    *(("XBOM", "2024-07-18", "15m", 25, "2024-07-16"), ("XBOM", "2024-07-18", "15m", 26, "2024-07-15")),
    *(("XLON", "2024-12-27", "240m", 2, "2024-12-24"), ("XLON", "2024-12-27", "240m", 3, "2024-12-23")),
    *(("CMES", "2024-07-05", "30m", 38, "2024-07-04"), ("CMES", "2024-07-05", "30m", 39, "2024-07-03")),
    *(("CMES", "2024-07-08", "60m", 24, "2024-07-05"), ("CMES", "2024-12-26", "1d", 1, "2024-12-24")),
    *(("24/7", "2024-03-11", "60m", 48, "2024-03-09"), ("24/7", "2024-03-11", "60m", 49, "2024-03-08")),
    *(("24/7", "2024-03-11", "1w", 1, "2024-03-04"), ("24/7", "2024-03-10", "1w", 1, "2024-02-26")),
]


@pytest.mark.parametrize(("exchange", "before", "interval", "bars", "first"), WARM_UPS)
def test_a_warm_up_reaches_back_to_the_right_session(
    exchange: str, before: str, interval: str, bars: int, first: str
) -> None:
    found = manager(exchange).first_session_for_bars(interval, bars, date.fromisoformat(before))

    assert found == date.fromisoformat(first)


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("bars", [1, 20, 233])
def test_a_warm_up_is_the_least_that_holds_the_bars(exchange: str, interval: str, bars: int) -> None:
    """Counted backwards one bar at a time, from days after weekends, holidays, half days and changes of the clock."""
    tm = manager(exchange)
    for before in map(date.fromisoformat, ("2024-03-11", "2024-07-05", "2024-11-04", "2024-12-27")):
        first = tm.first_session_for_bars(interval, bars, before)
        grid = tm.grid(first - timedelta(days=14), before + timedelta(days=14))
        expected = grid.expected_bars(parse_interval(interval))
        closed = expected.end_ns <= tm.session(tm.session_before(before)).close_ns

        oldest = expected.start_ns[closed][-bars]

        assert tm.session(first).open_ns <= oldest < tm.session(first).close_ns
