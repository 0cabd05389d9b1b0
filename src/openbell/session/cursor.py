"""Cursor up to which a session's bars can be seen, and results that are computed once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.model.bars import BarTimes
    from openbell.timing.clock import Clock

__all__ = ["Cursor", "Memo"]

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class Memo:
    """Results of functions, computed once per function and arguments.

    The key of a result is the function with its arguments. Closures are refused, because their results could depend on
    values that are not in the key.
    """

    __slots__ = ("_results",)

    def __init__(self) -> None:
        self._results: dict[tuple[object, tuple[object, ...]], Any] = {}

    def __call__(self, function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        """Return ``function(*arguments)``, cached if it was called with them before.

        Args:
            function: A function without a closure, of positional arguments only.
            arguments: Hashable values; those that compare by identity match only the same object.

        Raises:
            TypeError: The function is a closure, or an argument is not hashable.
        """
        key = (function, arguments)
        try:
            result: T = self._results[key]
        except KeyError:
            if getattr(function, "__closure__", None):
                raise TypeError(f"{function!r} is a closure: what it reads would not be in the key") from None
            result = self._results[key] = function(*arguments)
        return result


class Cursor:
    """Number of bars that have closed by the session clock.

    One object serves all series of a session that have the same times.

    Attributes:
        times: When the bars of the series begin and close, today's future included.
        clock: The session clock.
        at: A time of the clock in nanoseconds, and the position at that time. The engine sets it where it knows the
            position; otherwise a read of `position` brings it up to date.
    """

    __slots__ = ("_memo", "_memo_ns", "at", "clock", "times")

    def __init__(self, times: BarTimes, clock: Clock) -> None:
        self.times = times
        self.clock = clock
        # One tuple, so that other threads never see a time with the position of another.
        self.at = (-1, 0)
        self._memo = Memo()
        self._memo_ns = -1

    @property
    def position(self) -> int:
        """Number of closed bars."""
        now = self.clock.now_ns
        seen, position = self.at
        if seen != now:
            position = int(self.times.end.searchsorted(now, side="right"))
            self.at = (now, position)
        return position

    @property
    def memo(self) -> Memo:
        """Memo of results that follow from the times of the closed bars.

        It is another one at each time of the clock.
        """
        now = self.clock.now_ns
        if self._memo_ns != now:
            self._memo, self._memo_ns = Memo(), now
        return self._memo
