"""Time of a live session that passes when a test's script says so, and not before everything has come to rest.

A script in the test's thread says what happens when; the session runs in a thread of its own and gets its time from
here, as it gets the machine's from an `Inbox`. Time stands still while anything is under way: while the session
computes, or a message is on its way from or to a server. So the outcome does not depend on the machine.
"""

from __future__ import annotations

import faulthandler
import heapq
import threading
from collections import deque
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from openbell.feeds.arrivals import Arrival

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openbell.model.feed_events import FeedEvent

S = 1_000_000_000
HANGS_AFTER_S = 120.0

_Result = TypeVar("_Result")


class Traffic(Protocol):
    """Something that messages are on their way from and to."""

    @property
    def count(self) -> int:
        """How much has happened, a number that never falls."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing has happened since `settle` returned."""

    def settle(self) -> None:
        """Return when everything that was said before has been read, in both directions."""


class AbandonedError(BaseException):
    """Ends a session whose script is over."""


class Running(Generic[_Result]):
    """A session that a script plays with."""

    def __init__(self, time: VirtualArrivals, target: Callable[[], _Result]) -> None:
        self._time = time
        self._target = target
        self._results: list[_Result] = []
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="session")

    def _run(self) -> None:
        try:
            self._results.append(self._target())
        except BaseException as exc:  # noqa: BLE001 -- the script raises it
            self.error = exc
        finally:
            self._time.ended()

    @property
    def is_over(self) -> bool:
        return bool(self._results) or self.error is not None

    def result(self) -> _Result:
        """What the session has returned; it must be over."""
        self._time.settle()
        assert self._results, f"the session is not over: it waits until {self._time.waits_until_ns}"
        return self._results[0]


class VirtualArrivals:
    """Events and time of a session, both by script.

    At one and the same time, what the script does comes before what the session waits for.
    """

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns
        self._changed = threading.Condition()
        self._events: deque[Arrival] = deque()
        self._is_woken = self._is_released = self._is_abandoned = self._is_acting = self._is_working = False
        self._until_ns: int | None = None
        self._count = 0
        self._order = count()
        self._actions: list[tuple[int, int, Callable[[], None]]] = []
        self._traffic: list[Traffic] = []
        self._running: Running[object] | None = None

    # What a session and its feed use

    @property
    def now_ns(self) -> int:
        return self._now_ns

    def put(self, event: FeedEvent) -> None:
        with self._changed:
            self._events.append(Arrival(self._now_ns, event))
            self._happened()

    def wake(self) -> None:
        with self._changed:
            self._is_woken = True
            self._happened()

    def next(self, until_ns: int) -> Arrival | None:
        with self._changed:
            try:
                if not self._events and not self._is_woken and (until_ns > self._now_ns or self._may_come_now()):
                    self._until_ns = until_ns
                    self._happened()
                    self._changed.wait_for(
                        lambda: self._events or self._is_woken or self._is_released or self._is_abandoned
                    )
                if self._is_abandoned:
                    raise AbandonedError
                self._is_woken = False
                return self._events.popleft() if self._events else None
            finally:
                self._is_released, self._until_ns = False, None
                self._happened()

    def work(self, seconds: float) -> None:
        """Be at work in the session's thread for some seconds, whatever comes meanwhile."""
        if self._running is None:
            return  # the backtest of it
        with self._changed:
            until_ns = self._now_ns + round(seconds * S)
            self._until_ns, self._is_working = until_ns, True
            self._happened()
            self._changed.wait_for(lambda: self._is_released or self._is_abandoned)
            self._is_released = self._is_working = False
            self._until_ns = None
            self._happened()
            if self._is_abandoned:
                raise AbandonedError

    # What a script uses

    @contextmanager
    def running(self, target: Callable[[], _Result]) -> Iterator[Running[_Result]]:
        """Run a session until it ends, or the script does."""
        run = Running(self, target)
        self._running = run  # type: ignore[assignment]
        run.thread.start()
        try:
            yield run
            self.settle()
        finally:
            with self._changed:
                self._is_abandoned = True
                self._changed.notify_all()
            run.thread.join()
            self._running, self._is_abandoned = None, False

    def settles(self, traffic: Traffic) -> None:
        """Wait for these messages, too."""
        self._traffic.append(traffic)

    def at(self, time_ns: int, action: Callable[[], None]) -> None:
        """Do something when a time is reached; of equal times, in the order of these calls. From any thread."""
        with self._changed:
            heapq.heappush(self._actions, (max(time_ns, self._now_ns), next(self._order), action))
            self._happened()

    def advance(self, seconds: float) -> None:
        self.advance_to(self._now_ns + round(seconds * S))

    def advance_to(self, time_ns: int) -> None:
        """Let time pass, and everything happen that is due meanwhile."""
        self._rest()
        while True:
            self._now_ns = max(self._now_ns, self._next_ns(time_ns))
            self._act()
            if self.waits_until_ns is not None and self.waits_until_ns <= self._now_ns:
                self._release()
            elif self._now_ns >= time_ns and self._next_ns(time_ns + 1) > time_ns:
                return

    def settle(self) -> None:
        """Let everything happen that is due now."""
        self.advance_to(self._now_ns)

    def _rest(self) -> None:
        """Return when the session waits, and all messages have been read."""
        while True:
            self._wait_until_idle()
            before = self._all_counts()
            for traffic in self._traffic:
                traffic.settle()
            self._wait_until_idle()
            if self._all_counts() == before:
                break
        if self._running is not None and self._running.error is not None:
            raise self._running.error

    @property
    def waits_until_ns(self) -> int | None:
        """Until when the session waits; None while it computes, and without one."""
        return self._until_ns

    def taken(self) -> list[FeedEvent]:
        """The events that have come, for scripts without a session."""
        with self._changed:
            events = [arrival.event for arrival in self._events]
            self._events.clear()
            return events

    def wait_for(self, is_so: Callable[[], bool]) -> None:
        """Wait for something that an event makes true."""
        with self._changed:
            self._require(self._changed.wait_for(is_so, HANGS_AFTER_S))

    def ended(self) -> None:
        """Hear that the session is over."""
        with self._changed:
            self._happened()

    def _happened(self) -> None:
        self._count += 1
        self._changed.notify_all()

    def _all_counts(self) -> tuple[int, ...]:
        return self._count, *(traffic.count for traffic in self._traffic)

    def _next_ns(self, latest_ns: int) -> int:
        """When something is due next, if not later than this."""
        with self._changed:
            due = [self._actions[0][0]] if self._actions else []
            due += [] if self._until_ns is None else [self._until_ns]
            return min([*due, latest_ns])

    def _may_come_now(self) -> bool:
        """Whether more may come at this very time, for which a session that only looks waits as well."""
        if self._running is None:
            return False
        is_due = bool(self._actions) and self._actions[0][0] <= self._now_ns
        return is_due or self._is_acting or not all(traffic.is_settled for traffic in self._traffic)

    def _act(self) -> None:
        while True:
            with self._changed:
                if not self._actions or self._actions[0][0] > self._now_ns:
                    return
                action = heapq.heappop(self._actions)[2]
                self._is_acting = True
            action()
            with self._changed:
                self._is_acting = False
            self._rest()

    def _release(self) -> None:
        with self._changed:
            self._is_released = True
            self._changed.notify_all()
            self._require(self._changed.wait_for(lambda: not self._is_released, HANGS_AFTER_S))
        self._rest()

    def _wait_until_idle(self) -> None:
        with self._changed:
            self._require(self._changed.wait_for(self._is_idle, HANGS_AFTER_S))

    def _is_idle(self) -> bool:
        if self._running is None or self._running.is_over:
            return True
        if self._is_working:
            return not self._is_released
        return self._until_ns is not None and not self._events and not self._is_woken and not self._is_released

    def _require(self, came: bool) -> None:
        if not came:
            faulthandler.dump_traceback()
            raise AssertionError(f"nothing comes to rest at {self._now_ns}; see the threads above")
