"""SIGTERM and SIGHUP as interrupts, so that results so far are kept and reported."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Terminated", "exit_code_of", "sigterm_as_interrupt"]


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP was received.

    Args:
        number: The number of the signal.
    """

    def __init__(self, number: int = signal.SIGTERM) -> None:
        super().__init__()
        self.number = number


def exit_code_of(stop: KeyboardInterrupt) -> int:
    """Return the exit code of a command that a signal ended, or that was asked to stop."""
    from openbell.live.stop_request import Stopped

    if isinstance(stop, Stopped):
        return 0
    return 128 + (stop.number if isinstance(stop, Terminated) else signal.SIGINT)


_ONE_STOP_S = 1.0
"""Seconds within which further signals count as the same one."""


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Raise `Terminated` at SIGTERM, and at SIGHUP unless that is ignored.

    Signals that follow within a second count as the same one, because ``timeout`` sends two. Nothing changes outside of
    the main thread, or if a handler is installed that is not Python's.
    """
    from openbell.timing import Stopwatch

    before = signal.getsignal(signal.SIGTERM)
    if before is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    since: Stopwatch | None = None

    def stop(number: int, _: object) -> None:
        nonlocal since
        if since is None or since.seconds > _ONE_STOP_S:
            since = Stopwatch()
            raise Terminated(number)

    hangup = getattr(signal, "SIGHUP", None)  # not on Windows
    replaced = {signal.SIGTERM: before}
    if hangup is not None and signal.getsignal(hangup) is signal.SIG_DFL:  # `nohup` ignores it
        replaced[hangup] = signal.SIG_DFL
    for number in replaced:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)
