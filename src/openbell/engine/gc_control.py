"""Control of Python's collector of reference cycles during a run."""

from __future__ import annotations

import gc
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["exempt_from_collection", "paused_collection", "rare_collection"]

# A run makes millions of objects and no cycles: a quarter of its time would go into looking for them.
_OBJECTS_BETWEEN = 200_000

_lock = threading.Lock()
_before: tuple[int, int, int] | None = None
_running = 0


@contextmanager
def rare_collection() -> Iterator[None]:
    """Let the collector run rarely.

    Cycles that a strategy makes still go in time. Of runs that overlap, in several threads, the last one to end puts
    back what the first one found.
    """
    global _before, _running  # noqa: PLW0603 -- the collector is one for the process
    with _lock:
        if not _running:
            _before = before = gc.get_threshold()
            if before[0]:  # zero: somebody has switched it off
                gc.set_threshold(max(before[0], _OBJECTS_BETWEEN), *before[1:])
        _running += 1
    try:
        yield
    finally:
        with _lock:
            _running -= 1
            if not _running and _before is not None:
                gc.set_threshold(*_before)


@contextmanager
def paused_collection() -> Iterator[None]:
    """Pause the collector while thousands of tuples of numbers are made at once."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def exempt_from_collection() -> Iterator[None]:
    """Keep the collector from ever looking at what is made so far, such as imported modules."""
    with paused_collection():
        yield
        gc.freeze()
