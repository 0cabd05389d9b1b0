"""The fast path of the dispatcher, an optimisation and nothing else.

Most of a backtest is bars at times at which nothing else is due. A `BarRun` holds such times as columns, and delivers
them in one loop. Delivering its batches one by one, with `Dispatcher.deliver`, has the same result and takes longer.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from openbell.engine.event_batch import EventBatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from openbell.engine.component_runner import ComponentRunner
    from openbell.engine.event_batch import Delivery, Move
    from openbell.model.events import Event
    from openbell.session import SessionData
    from openbell.session.cursor import Cursor
    from openbell.timing.clock import SimulatedClock

__all__ = ["BarRun", "Pause"]

_NONE: Sequence[Delivery] = ()


class Pause(NamedTuple):
    """A time within a run at which the dispatcher takes over.

    Attributes:
        callback: The method that was called last.
        returned: The value that it returned.
        rest: What is left to deliver at this time.
        is_due: Whether the run paused before its next time, because something else is due by then.
    """

    callback: Callable[..., object]
    returned: object
    rest: Sequence[Delivery]
    is_due: bool = False


_DUE = Pause(print, None, _NONE, is_due=True)


class BarRun:
    """Successive times at which only bars of series with the same times are due.

    Its bars are made lazily, and can be read only once.

    Args:
        cursor: The cursor of the series.
        moves: The times, each with the position that the cursor then has.
        rows: For each time, the strategies' methods to call, with their bars.

    Attributes:
        calls: How many bars `play` has delivered.
    """

    __slots__ = ("_closes", "_cursor", "_moves", "_position", "calls")

    def __init__(self, cursor: Cursor, moves: Sequence[Move], rows: Iterable[Sequence[Delivery]]) -> None:
        self._cursor = cursor
        self._closes: Iterator[tuple[Move, Sequence[Delivery]]] = zip(moves, rows, strict=True)
        self.calls = 0
        self._moves = moves
        self._position = moves[0][1] - 1

    def _taken(self) -> int:
        """Return how many of the times are over."""
        return self._position - self._moves[0][1] + 1

    def next_batch(self) -> EventBatch | None:
        """Return the next time that is left as a batch, or None."""
        for move, row in self._closes:
            self._position = move[1]
            return EventBatch(move[0], ((self._cursor, move),), row)
        return None

    def play(
        self,
        clock: SimulatedClock,
        session_data: SessionData,
        runner: ComponentRunner,
        *,
        version: int,
        until_ns: int | None,
        pending: Sequence[Event],
        requests: Sequence[object],
        progress_due_ns: int,
        report_progress: Callable[[], int],
    ) -> Pause | None:
        """Deliver bars until the end of the run, or until the dispatcher has to take over.

        It has to when a method returns a value, the session changes, an event or a request is pending, or something
        else is due.

        Args:
            clock: The session clock.
            session_data: The session.
            runner: Makes the error to raise when a method raises one.
            version: The session's ``series_version`` that the run was made for.
            until_ns: When something else is due, before which the run pauses; None when nothing is.
            pending: The events of the batch that is not finished.
            requests: Requests of strategies to a broker that are not carried out.
            progress_due_ns: The session time at which to report progress.
            report_progress: Reports progress, and returns the time of the next report.

        Returns:
            Where the run paused; None at its end.
        """
        # Backtests spend most of their time in this loop: it does nothing that can be done outside of it.
        cursor, move, row, rest = self._cursor, (0, self._position), _NONE, _NONE
        closes = self._closes
        if until_ns is not None:
            closes = islice(closes, bisect_left(self._moves, (until_ns,), self._taken()) - self._taken())
        try:
            for move, row in closes:
                cursor.at = move
                clock.now_ns = move[0]
                for delivery in row:
                    callback, bar = delivery
                    try:
                        returned: object = callback(bar)
                    except KeyboardInterrupt:
                        raise
                    except BaseException as error:
                        raise runner.error_in(callback, error) from error
                    if returned is not None or session_data.series_version != version:
                        rest = row[1 + next(n for n, other in enumerate(row) if other is delivery) :]
                        return Pause(callback, returned, rest)
                if pending or requests:
                    return Pause(callback, None, rest)
                if move[0] >= progress_due_ns:
                    progress_due_ns = report_progress()
        finally:
            self.calls += (move[1] - self._position) * len(row) - len(rest)
            self._position = move[1]
        return _DUE if self._taken() < len(self._moves) else None
