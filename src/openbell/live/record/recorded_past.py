"""Past of a resumed run, as its record has it, in the order in which it happened."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from openbell.feeds.feed import SymbolIntervals
from openbell.live.incoming.feed_connection import FeedState
from openbell.live.record.broker_events import event_of_line
from openbell.live.record.feed_record import bar_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openbell.model.broker_events import BrokerEvent
    from openbell.model.feed_events import FeedBar
    from openbell.model.json_object import JsonObject

__all__ = ["BetweenTimes", "Key", "Past", "PastDay", "Played", "Settled"]

Key: TypeAlias = "tuple[int, str, str, str]"
"""Key of an addition that had to wait: the session clock when it was requested, its operation, symbol and owner."""


class Settled(NamedTuple):
    """An addition that had waited, and then was carried out or failed.

    Attributes:
        key: The addition.
        error: Why it failed (empty when it did not).
    """

    key: Key
    error: str


@dataclass(slots=True)
class Played:
    """A time that was played.

    Attributes:
        time_ns: The time, nanoseconds since 1970 UTC.
        bars: The bars that came for it.
        placed: The bars that were added before the next time, of symbols that the session did not show yet.
    """

    time_ns: int
    bars: list[FeedBar]
    placed: list[FeedBar] = field(default_factory=list)


@dataclass(slots=True)
class BetweenTimes:
    """All that happened at once between two times.

    Attributes:
        closes: Whether all positions were closed, because the run was to stop.
        trades_again: Whether the run went on after that.
        health: The health of the feed that was reported to strategies, None if none was.
        late: The bars that came late, or again with other values.
        settled: The additions that had waited.
        broker: What the broker reported.
    """

    closes: bool = False
    trades_again: bool = False
    health: FeedState | None = None
    late: list[FeedBar] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    broker: list[BrokerEvent] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened."""
        return self == BetweenTimes()


@dataclass(slots=True)
class PastDay:
    """A session, as far as it was played.

    Attributes:
        start_ns: Its clock when it began, nanoseconds since 1970 UTC.
        before: The bars that had come before it began.
        opening: What the broker had reported before it began.
        steps: What happened from then on.
        waits: The additions that had to wait, in the order in which they came.
        missing: A text on what was missing, for each of them.
        errors: Why symbols failed at once, by session clock and symbol.
        refused: Why orders that came too late were refused, by their numbers in the session.
        has_ended: Whether it came to its end.
    """

    start_ns: int
    before: list[FeedBar] = field(default_factory=list)
    opening: list[BrokerEvent] = field(default_factory=list)
    steps: deque[Played | BetweenTimes] = field(default_factory=deque)
    waits: list[Key] = field(default_factory=list)
    missing: dict[Key, str] = field(default_factory=dict)
    errors: dict[tuple[int, str], str] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    has_ended: bool = False


@dataclass(slots=True)
class Past:
    """All that a run has recorded.

    Attributes:
        feed: The label of its feed.
        intervals: The intervals that its feed sends.
        offered: The intervals that are particular to a symbol, by day and symbol.
        days: Its sessions that have begun.
        account: The number of the account that it trades on at a broker; empty without one.
        run_id: The id by which the broker knows its orders.
        since_ns: When it first looked at that account, nanoseconds since 1970 UTC.
    """

    feed: str = ""
    intervals: tuple[str, ...] = ()
    offered: dict[tuple[date, str], SymbolIntervals] = field(default_factory=dict)
    days: dict[date, PastDay] = field(default_factory=dict)
    account: str = ""
    run_id: str = ""
    since_ns: int = 0

    def intervals_of(self, symbol: str, day: date) -> SymbolIntervals:
        """Return the intervals that the feed had of a symbol on a day."""
        return self.offered.get((day, symbol)) or SymbolIntervals(self.intervals, self.intervals)

    @staticmethod
    def of(lines: Iterable[JsonObject]) -> Past:
        """Read the lines of a record."""
        reader = _Reader()
        for line in lines:
            reader.read(line)
        reader.end_between()
        return reader.past


class _Reader:
    """Reads a record line by line."""

    def __init__(self) -> None:
        self.past = Past()
        self._day = PastDay(0)  # for lines before the first session
        self._played_ns = 0
        self._between = BetweenTimes()

    def read(self, line: JsonObject) -> None:
        day = self._day
        if "intervals" in line or "offered" in line:
            self._read_intervals(line)
        elif "session" in line:
            day.start_ns = self._played_ns = line["start_ns"]
            self.past.days[date.fromisoformat(line["session"])] = day
        elif "ended" in line:
            self.end_between()
            day.has_ended = True
            self._day = PastDay(0)
        elif "bars" in line and not line.get("late"):
            self._read_bars(line["played_ns"], [bar_of(fields) for fields in line["bars"]])
        elif "account" in line:
            self.past.account, self.past.run_id, self.past.since_ns = line["account"], line["run"], line["since_ns"]
        elif "opens" in line:
            day.opening = [event_of_line(one) for one in line["opens"]]
        elif "refused" in line:
            day.refused[line["refused"]] = line["reason"]
        elif "failed_ns" in line:
            day.errors[line["failed_ns"], line["symbol"]] = line["error"]
        elif "waits_ns" in line and "settled_ns" not in line:
            day.waits.append(_key(line))
            day.missing[_key(line)] = line["missing"]
        else:
            self._read_between(line, self._between)

    def _read_between(self, line: JsonObject, between: BetweenTimes) -> None:
        if "looked_ns" in line:
            self.end_between()
        elif "broker" in line:
            between.broker.append(event_of_line(line))
        elif "bars" in line:
            between.late += map(bar_of, line["bars"])
        elif "health" in line:
            between.health = FeedState(line["health"], line["reason"])
        elif "settled_ns" in line:
            between.settled.append(Settled(_key(line), line["error"]))
        elif "sends" not in line:  # the broker's events say what became of the orders
            between.closes, between.trades_again = "closing_ns" in line, "trades_again_ns" in line

    def _read_intervals(self, line: JsonObject) -> None:
        if "offered" in line:
            key = date.fromisoformat(line["day"]), line["offered"]
            self.past.offered[key] = SymbolIntervals(tuple(line["stored"]), tuple(line["bases"]))
        else:
            self.past.feed, self.past.intervals = line["feed"], tuple(line["intervals"])

    def end_between(self) -> None:
        if not self._between.is_empty:
            self._day.steps.append(self._between)
            self._between = BetweenTimes()

    def _read_bars(self, time_ns: int, bars: list[FeedBar]) -> None:
        day = self._day
        if day.start_ns and time_ns > self._played_ns:
            self._played_ns = time_ns
            day.steps.append(Played(time_ns, bars))
            return
        played = next((step for step in reversed(day.steps) if isinstance(step, Played)), None)
        (day.before if played is None else played.placed).extend(bars)


def _key(line: JsonObject) -> Key:
    return line["waits_ns"], line["operation"], line["symbol"], line["owner"]
