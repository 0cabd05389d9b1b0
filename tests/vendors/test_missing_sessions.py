"""What is asked for is what is lacking, no more and no less."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.vendors.missing_sessions import DateRange, missing_ranges

D = date


@pytest.mark.parametrize(
    ("held", "by_month", "expected"),
    [
        ([], False, [(D(2024, 1, 29), D(2024, 2, 5))]),
        ([], True, [(D(2024, 1, 29), D(2024, 1, 31)), (D(2024, 2, 1), D(2024, 2, 5))]),
        ([D(2024, 1, 30)], False, [(D(2024, 1, 29), D(2024, 1, 29)), (D(2024, 1, 31), D(2024, 2, 5))]),
        ([D(2024, 1, 29), D(2024, 2, 5)], False, [(D(2024, 1, 30), D(2024, 2, 2))]),
        ([D(2024, 1, 29 + i) for i in range(3)] + [D(2024, 2, i) for i in (1, 2, 5)], True, []),
    ],
)
def test_examples(held: list[date], by_month: bool, expected: list[tuple[date, date]]) -> None:
    sessions = [D(2024, 1, 29), D(2024, 1, 30), D(2024, 1, 31), D(2024, 2, 1), D(2024, 2, 2), D(2024, 2, 5)]

    assert missing_ranges(sessions, held, by_month=by_month) == expected


days = st.sets(st.integers(0, 120)).map(lambda numbers: [D(2024, 1, 1) + timedelta(days=n) for n in sorted(numbers)])


@given(sessions=days, held=days, by_month=st.booleans())
def test_ranges_hold_every_missing_session_and_none_that_is_held(
    sessions: list[date], held: list[date], by_month: bool
) -> None:
    ranges = missing_ranges(sessions, set(held), by_month=by_month)
    covered = [day for day in sessions if any(r.first <= day <= r.last for r in ranges)]

    assert covered == [day for day in sessions if day not in held]
    assert all(r.first <= r.last for r in ranges)
    assert all(one.last < two.first for one, two in pairwise(ranges))
    assert all(r.first in sessions and r.last in sessions for r in ranges)
    if by_month:
        assert all((r.first.year, r.first.month) == (r.last.year, r.last.month) for r in ranges)
    else:
        between = [DateRange(a.last, b.first) for a, b in pairwise(ranges)]
        assert all(any(g.first < day < g.last and day in held for day in sessions) for g in between)
