"""SIGTERM, by which other programs stop a command, ends it as Ctrl-C does: what was done is kept and told."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Terminated", "exit_code_of", "sigterm_as_interrupt"]


class Terminated(KeyboardInterrupt):
    """SIGTERM has come."""


def exit_code_of(stop: KeyboardInterrupt) -> int:
    """The shell's code for a command that SIGTERM or Ctrl-C ended."""
    return 128 + (signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT)


_ONE_STOP_S = 1.0


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Within it, SIGTERM raises `Terminated`; more that come within a second are the same: ``timeout`` sends it twice.

    Only the main thread can hear signals; in another one, and where other code than Python hears it, nothing changes.
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
