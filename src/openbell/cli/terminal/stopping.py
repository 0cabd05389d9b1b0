"""SIGTERM as an interrupt, so that what was done until then is kept and reported."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Terminated", "exit_code_of", "sigterm_as_interrupt"]


class Terminated(KeyboardInterrupt):
    """SIGTERM was received."""


def exit_code_of(stop: KeyboardInterrupt) -> int:
    """Return the exit code of a command that SIGTERM or Ctrl-C ended."""
    return 128 + (signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT)


_ONE_STOP_S = 1.0
"""SIGTERMs within so many seconds are one."""


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Raise `Terminated` at SIGTERM.

    Signals that follow within a second count as the same one, because ``timeout`` sends two. In another thread than the
    main one, and where a handler is installed that is not Python's, nothing changes.
    """
    from openbell.timing import Stopwatch

    before = signal.getsignal(signal.SIGTERM)
    if before is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    since: Stopwatch | None = None

    def stop(*_: Any) -> None:
        nonlocal since
        if since is None or since.seconds > _ONE_STOP_S:
            since = Stopwatch()
            raise Terminated

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
