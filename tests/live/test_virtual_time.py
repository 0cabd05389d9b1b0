"""Time by script: what comes when, and in which order."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from live.virtual_time import S, VirtualArrivals
from openbell.model.feed_events import FeedMessage

if TYPE_CHECKING:
    from collections.abc import Callable

START = 1_381_411_800 * S


def listener(time: VirtualArrivals, *untils_s: float) -> Callable[[], list[tuple[float, str]]]:
    """A session that waits until some seconds after the start, and notes what came when."""

    def listen() -> list[tuple[float, str]]:
        heard = []
        for seconds in untils_s:
            while (arrival := time.next(START + round(seconds * S))) is not None:
                assert isinstance(arrival.event, FeedMessage)
                assert arrival.time_ns <= time.now_ns
                heard.append(((arrival.time_ns - START) / S, arrival.event.text))
            heard.append(((time.now_ns - START) / S, "time"))
        return heard

    return listen


def test_a_session_wakes_at_the_times_it_asked_for_however_far_the_script_goes() -> None:
    time = VirtualArrivals(START)
    with time.running(listener(time, 1, 2.5, 60)) as session:
        time.advance(3600)

    assert session.result() == [(1, "time"), (2.5, "time"), (60, "time")]
    assert time.now_ns == START + 3600 * S


def test_time_stops_where_the_script_says() -> None:
    time = VirtualArrivals(START)
    with time.running(listener(time, 1, 60)) as session:
        time.advance(59)
        assert not session.is_over
        assert time.waits_until_ns == START + 60 * S
        with pytest.raises(AssertionError, match="the session is not over"):
            session.result()
        time.advance(1)
        assert len(session.result()) == 2


def test_what_the_script_does_comes_before_what_the_session_waits_for() -> None:
    time = VirtualArrivals(START)
    for seconds, text in ((2, "c"), (1, "a"), (1, "b")):
        time.at(START + seconds * S, lambda text=text: time.put(FeedMessage(text)))
    with time.running(listener(time, 1, 2)) as session:
        time.advance(5)

    assert session.result() == [(1, "a"), (1, "b"), (1, "time"), (2, "c"), (2, "time")]


def test_an_action_may_plan_another() -> None:
    time, done = VirtualArrivals(START), []

    def act() -> None:
        done.append(time.now_ns)
        if len(done) < 5:
            time.at(time.now_ns, act)

    time.at(START + S, act)
    time.advance(2)

    assert done == [START + S] * 5


def test_a_look_without_waiting_does_not_wait() -> None:
    time = VirtualArrivals(START)
    time.put(FeedMessage("a"))

    assert time.next(time.now_ns) is not None
    assert time.next(time.now_ns) is None


def test_a_wake_ends_one_wait() -> None:
    time = VirtualArrivals(START)
    with time.running(lambda: [time.next(START + S), time.now_ns]) as session:
        time.settle()
        waker = threading.Thread(target=time.wake)
        waker.start()
        waker.join()
        time.settle()
        assert session.result() == [None, START]


def test_an_error_of_the_session_is_the_scripts() -> None:
    time = VirtualArrivals(START)

    def fail() -> None:
        time.next(START + S)
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"), time.running(fail):
        time.advance(2)


def test_a_script_that_ends_early_ends_the_session() -> None:
    time = VirtualArrivals(START)
    with pytest.raises(KeyError), time.running(listener(time, 10)) as session:
        raise KeyError

    assert not session.thread.is_alive()
