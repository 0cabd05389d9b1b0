"""When scanners are due in sessions: on one day, over midnight, around the clock."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from how_many import examples
from openbell.components.schedule import due_times
from openbell.config import ScheduleConfig
from openbell.timing import TimeManager


def due(exchange: str, day: date, start: str, end: str, every: str = "1h") -> list[str]:
    """The times in a session on the wall clock; those of another date with their day of the month."""
    tm = TimeManager(exchange)
    schedule = ScheduleConfig.model_validate({"start": start, "end": end, "every": every})
    local = map(tm.to_local, due_times([schedule], tm.session(day), tm))
    return [f"{at:%H:%M}" if at.date() == day else f"{at:%d.%H:%M}" for at in local]


MONDAY = date(2024, 7, 8)


@pytest.mark.parametrize(
    ("exchange", "start", "end", "every", "times"),
    [
        ("XNYS", "09:00", "11:00", "45m", ["09:45", "10:30"]),
        ("XNYS", "08:30", "09:30", "1h", ["09:30"]),
        ("XNYS", "15:00", "17:00", "30m", ["15:00", "15:30", "16:00"]),
        ("CMES", "18:00", "02:00", "2h", ["07.18:00", "07.20:00", "07.22:00", "00:00", "02:00"]),
        ("CMES", "17:00", "17:00", "1h", ["07.17:00"]),
        ("CMES", "16:00", "17:00", "1h", ["16:00", "17:00"]),
        ("CMES", "16:00", "18:00", "1h", ["07.18:00", "16:00", "17:00"]),
        ("CMES", "17:00", "16:00", "8h", ["07.17:00", "01:00", "09:00"]),
        ("CMES", "09:00", "10:00", "30m", ["09:00", "09:30", "10:00"]),
        ("24/7", "00:00", "00:00", "1h", ["00:00"]),
        ("24/7", "23:00", "01:00", "30m", ["00:30", "01:00", "23:00", "23:30", "09.00:00"]),
        ("24/7", "22:00", "23:59", "1h", ["22:00", "23:00"]),
        ("FX", "16:30", "17:30", "30m", ["07.17:30", "16:30", "17:00"]),
    ],
)
def test_times_of_day_come_once_in_a_session(exchange: str, start: str, end: str, every: str, times: list[str]) -> None:
    assert due(exchange, MONDAY, start, end, every) == times


def test_an_evening_before_an_early_close_is_scanned() -> None:
    assert due("CMES", date(2024, 7, 4), "22:00", "14:00", "7h") == ["03.22:00", "05:00", "12:00"]


quarters = st.integers(0, 95).map(lambda n: f"{n // 4:02}:{n % 4 * 15:02}")


@settings(max_examples=examples(30))
@given(st.sampled_from(["CMES", "24/7", "FX", "XNYS"]), quarters, quarters, st.sampled_from(["15m", "45m", "1h"]))
def test_no_time_of_day_comes_twice_and_no_moment_belongs_to_two_sessions(
    exchange: str, start: str, end: str, every: str
) -> None:
    tm = TimeManager(exchange)
    schedule = ScheduleConfig.model_validate({"start": start, "end": end, "every": every})
    sessions = [due_times([schedule], tm.session(day), tm) for day in tm.sessions(date(2024, 7, 8), date(2024, 7, 12))]

    for times in sessions:
        assert max(Counter(f"{tm.to_local(t):%H:%M}" for t in times).values(), default=0) <= 1
    moments = [t for times in sessions for t in times]
    assert moments == sorted(set(moments))
