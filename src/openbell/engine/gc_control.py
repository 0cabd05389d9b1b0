"""Control of Python's garbage collector during a run."""

from __future__ import annotations

import gc
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["exempt_from_collection", "paused_collection", "rare_collection"]

# A run makes millions of objects and no cycles; looking for cycles would take a quarter of its time.
_OBJECTS_BETWEEN = 200_000

_lock = threading.Lock()
_before: tuple[int, int, int] | None = None
_running = 0


@contextmanager
def rare_collection() -> Iterator[None]:
    """Let the collector run rarely within a ``with`` block.

    Cycles that a strategy makes are still collected in time. When runs in several threads overlap, the last one to end
    restores the thresholds that the first one found.
    """
    global _before, _running  # noqa: PLW0603 -- the collector is one for the process
    with _lock:
        if not _running:
            _before = before = gc.get_threshold()
            if before[0]:  # zero: the collector is switched off
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
    """Exclude all objects that exist at the end of a ``with`` block from collection.

    These include all modules that were imported in the block.
    """
    with paused_collection():
        yield
        gc.freeze()
