"""Keeps Python's collector of reference cycles from getting in the way of a run, which makes millions of objects and no
cycles: without this a quarter of its time would go into looking for them.
"""

from __future__ import annotations

import gc
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["no_garbage", "rare_garbage"]

_OBJECTS_BETWEEN = 200_000


_lock = threading.Lock()
_before: tuple[int, int, int] | None = None
_running = 0


@contextmanager
def rare_garbage() -> Iterator[None]:
    """Let the collector look rarely: cycles that a strategy makes still go, each time so many objects have come.

    Of runs that overlap, in several threads, the last one to end puts back what the first one found.
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
def no_garbage() -> Iterator[None]:
    """Keep the collector from looking at all, while thousands of tuples of numbers are made at once."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
