"""The clocks: simulated time moves forward only; the machine's is UTC."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.errors import CalendarError
from openbell.timing import SimulatedClock, WallClock, stopwatch, wall_stamp


@given(st.lists(st.integers(0, 2**62), min_size=1))
def test_a_simulated_clock_shows_the_latest_time_that_it_was_moved_to(times: list[int]) -> None:
    clock = SimulatedClock()
    for ns in sorted(times):
        clock.advance_to(ns)

        assert clock.now_ns == ns


def test_a_simulated_clock_does_not_go_back() -> None:
    clock = SimulatedClock(1_381_411_800_000_000_000)

    with pytest.raises(CalendarError, match=r"cannot go back from 2013-10-10T13:30:00\+00:00 to 2013-10-10T13:29:59"):
        clock.advance_to(1_381_411_799_000_000_000)

    assert clock.now_ns == 1_381_411_800_000_000_000


def test_a_simulated_clock_may_be_set_for_another_day() -> None:
    clock = SimulatedClock(2)
    clock.reset(1)

    assert clock.now_ns == 1


def test_the_machines_clocks_run_forward() -> None:
    wall, watch = WallClock(), stopwatch()

    assert wall.now_ns > 1_600_000_000_000_000_000
    assert 0 <= watch.seconds <= watch.ms / 1000 + 1


def test_stamps_are_safe_in_file_names() -> None:
    assert re.fullmatch(r"\d{8}T\d{6}\.\d{6}Z", wall_stamp())
