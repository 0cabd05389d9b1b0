"""When a lost connection is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.feeds.reconnect_schedule import ReconnectSchedule, RetryWaits

S = 1_000_000_000
MINUTE = 60 * S
START = 1_381_411_800 * S


def refused_for(seconds: float, reconnecting: ReconnectSchedule) -> list[int]:
    """The times of the attempts while every one is refused at once."""
    attempts = []
    now_ns = reconnecting.lost(START)
    while now_ns < START + seconds * S:
        attempts.append(now_ns)
        reconnecting.attempted(now_ns)
        now_ns = reconnecting.lost(now_ns)
    return attempts


@pytest.mark.parametrize("seed", range(20))
def test_waits_double_with_jitter_up_to_a_bound(seed: int) -> None:
    attempts = refused_for(3600, ReconnectSchedule(seed))
    waits = [(b - a) / S for a, b in zip([START, *attempts], attempts, strict=False)]

    assert all(min(2**n, 180) / 2 <= wait <= min(2**n, 180) for n, wait in enumerate(waits))
    assert len(waits) > 20


def test_clients_do_not_come_back_at_one_moment() -> None:
    firsts = {ReconnectSchedule(seed).lost(START) for seed in range(100)}

    assert len(firsts) == 100
    assert ReconnectSchedule(7).lost(START) == ReconnectSchedule(7).lost(START), "the same seed is the same wait"


def test_a_connection_refused_for_ten_minutes_is_there_soon_afterwards() -> None:
    attempts = refused_for(600, ReconnectSchedule(3))
    reconnecting = ReconnectSchedule(3)
    next_ns = reconnecting.lost(START)
    while next_ns < START + 600 * S:
        reconnecting.attempted(next_ns)
        next_ns = reconnecting.lost(next_ns)

    assert len([a for a in attempts if a < START + MINUTE]) <= 10
    assert next_ns <= START + 600 * S + 180 * S


def test_a_connection_that_breaks_again_at_once_is_no_new_beginning() -> None:
    reconnecting, now_ns = ReconnectSchedule(1), START
    for _ in range(8):
        now_ns = reconnecting.lost(now_ns)
        reconnecting.attempted(now_ns)
        reconnecting.connected(now_ns)
        reconnecting.heard(now_ns + S)
        now_ns += S

    assert reconnecting.lost(now_ns) - now_ns >= 90 * S


def test_a_connection_without_bars_is_no_new_beginning() -> None:
    reconnecting, now_ns = ReconnectSchedule(1), START
    for _ in range(8):
        now_ns = reconnecting.lost(now_ns)
        reconnecting.attempted(now_ns)
        reconnecting.connected(now_ns)
        now_ns += 5 * MINUTE

    assert reconnecting.lost(now_ns) - now_ns >= 90 * S


def test_after_a_good_connection_waits_begin_anew() -> None:
    reconnecting = ReconnectSchedule(1)
    refused_for(600, reconnecting)
    now_ns = START + 700 * S
    reconnecting.attempted(now_ns)
    reconnecting.connected(now_ns)
    reconnecting.heard(now_ns + MINUTE)

    assert reconnecting.lost(now_ns + 2 * MINUTE) <= now_ns + 2 * MINUTE + S


def test_the_next_time_is_none_while_it_is_tried() -> None:
    reconnecting = ReconnectSchedule()
    assert reconnecting.next_ns is None
    assert reconnecting.lost(START) == reconnecting.next_ns
    reconnecting.attempted(START + S)
    assert reconnecting.next_ns is None


@given(
    seed=st.integers(0, 2**32),
    steps=st.lists(st.tuples(st.floats(0, 300), st.sampled_from(["refused", "broken", "good"])), max_size=60),
    most=st.integers(1, 10),
)
def test_no_minute_has_more_attempts_than_it_may(seed: int, steps: list[tuple[float, str]], most: int) -> None:
    reconnecting = ReconnectSchedule(seed, RetryWaits(first_ns=S // 10, most_in_a_minute=most))
    now_ns, attempts = START, []
    for seconds, outcome in steps:
        now_ns = reconnecting.lost(now_ns)
        attempts.append(now_ns)
        reconnecting.attempted(now_ns)
        if outcome != "refused":
            reconnecting.connected(now_ns)
            now_ns += int(seconds * S)
        if outcome == "good":
            reconnecting.heard(now_ns)

    assert attempts == sorted(attempts)
    assert all(b - a >= MINUTE for a, b in zip(attempts, attempts[most:], strict=False))


@given(seed=st.integers(0, 2**32), losses=st.integers(1, 300))
def test_every_wait_ends(seed: int, losses: int) -> None:
    reconnecting, now_ns = ReconnectSchedule(seed), START
    for _ in range(losses):
        next_ns = reconnecting.lost(now_ns)
        assert now_ns < next_ns <= now_ns + 180 * S
        reconnecting.attempted(next_ns)
        now_ns = next_ns
