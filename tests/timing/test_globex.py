"""Equity-index futures of CME Globex: `US_FUTURES`.

Where each rule comes from, and which are not confirmed, stands in the page on calendars.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from openbell.timing import TimeManager

GLOBEX = TimeManager("US_FUTURES")


def hours(day: str) -> list[str]:
    """The segments of a session on the wall clock; those of another date with their day of the month."""
    named = date.fromisoformat(day)
    shown = []
    for segment in GLOBEX.session(named).segments:
        edges = [GLOBEX.to_local(segment.open_ns), GLOBEX.to_local(segment.close_ns)]
        shown.append("-".join(f"{e:%H:%M}" if e.date() == named else f"{e:%d.%H:%M}" for e in edges))
    return shown


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2024-07-08", ["07.17:00-16:00"]),
        ("2021-06-28", ["27.17:00-16:00"]),
        ("2021-06-25", ["24.17:00-15:15", "15:30-16:00"]),
        ("2015-09-21", ["20.17:00-15:15", "15:30-16:00"]),
        ("2015-09-18", ["17.17:00-15:15", "15:30-16:15"]),
        ("2012-11-19", ["18.17:00-15:15", "15:30-16:15"]),
        ("2024-11-28", ["27.17:00-12:00"]),
        ("2024-11-29", ["28.17:00-12:15"]),
        ("2024-12-24", ["23.17:00-12:15"]),
        ("2024-07-03", ["02.17:00-12:15"]),
        ("2013-07-03", ["02.17:00-12:15"]),
        ("2013-07-04", ["03.17:00-10:30"]),
        ("2014-01-20", ["19.17:00-10:30"]),
        ("2014-05-26", ["25.17:00-12:00"]),
        ("2024-06-19", ["18.17:00-12:00"]),
        ("2023-04-07", ["06.17:00-08:15"]),
        ("2025-01-09", ["08.17:00-08:30"]),
    ],
)
def test_sessions_are_as_globex_traded(day: str, expected: list[str]) -> None:
    assert hours(day) == expected


def test_full_days_have_an_hour_of_maintenance_and_the_days_of_the_week_stay() -> None:
    grid = GLOBEX.grid(date(2022, 1, 1), date(2025, 12, 31))

    assert np.all(grid.close_ns[:-1] + 3_600_000_000_000 <= grid.open_ns[1:])
    assert not GLOBEX.is_session(date(2024, 3, 29))
    assert {d.weekday() for d in GLOBEX.sessions(date(2022, 1, 1), date(2025, 12, 31))} == {0, 1, 2, 3, 4}
    assert set(TimeManager("CMES").sessions(date(2013, 1, 1), date(2025, 12, 31))) <= set(
        GLOBEX.sessions(date(2013, 1, 1), date(2025, 12, 31))
    )
