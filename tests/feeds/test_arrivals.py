"""The inbox of a live session: order, waiting, waking."""

from __future__ import annotations

import threading

from openbell.feeds.arrivals import Inbox
from openbell.model.feed_events import FeedConnected, FeedMessage
from openbell.timing.clock import WallClock

LONG_NS = 60_000_000_000


def test_events_come_in_the_order_in_which_they_were_put_with_their_time() -> None:
    inbox, before_ns = Inbox(), WallClock().now_ns
    for text in "abc":
        inbox.put(FeedMessage(text))

    came = [inbox.next(inbox.now_ns + LONG_NS) for _ in range(3)]

    assert [arrival and arrival.event for arrival in came] == [FeedMessage("a"), FeedMessage("b"), FeedMessage("c")]
    times = [arrival.time_ns for arrival in came if arrival]
    assert before_ns <= times[0] <= times[1] <= times[2] <= inbox.now_ns


def test_nothing_by_a_time_is_none() -> None:
    inbox = Inbox()

    assert inbox.next(inbox.now_ns + 1_000_000) is None
    assert inbox.next(inbox.now_ns - LONG_NS) is None


def test_what_is_there_comes_also_when_the_time_has_passed() -> None:
    inbox = Inbox()
    inbox.put(FeedConnected())

    arrival = inbox.next(inbox.now_ns - LONG_NS)

    assert arrival is not None
    assert arrival.event == FeedConnected()


def test_an_event_of_another_thread_ends_the_wait() -> None:
    inbox = Inbox()
    other = threading.Timer(0.05, inbox.put, [FeedConnected()])
    other.start()

    arrival = inbox.next(inbox.now_ns + LONG_NS)

    other.join()
    assert arrival is not None


def test_a_wake_ends_one_wait_without_an_event() -> None:
    inbox = Inbox()
    inbox.wake()

    assert inbox.next(inbox.now_ns + LONG_NS) is None
    inbox.put(FeedConnected())
    assert inbox.next(inbox.now_ns + LONG_NS) is not None
