"""Event batch, which holds all that is due at one session time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from openbell.engine.component_runner import ScannerOfDay
    from openbell.engine.fast_path import BarRun
    from openbell.model.bars import Bar
    from openbell.session.cross_section import CrossSection
    from openbell.session.cursor import Cursor


__all__ = ["Batches", "Delivery", "EventBatch", "Move"]

Delivery: TypeAlias = "tuple[Callable[..., Any], Bar | CrossSection]"
"""A strategy's method, and the argument that it is called with."""

Move: TypeAlias = tuple[int, int]
"""A session time, and the position of a cursor at that time."""


class EventBatch(NamedTuple):
    """All that is due at one session time, in the order in which it is delivered.

    A backtest makes batches from stored bars, a live session from arriving ones. The bars of a batch are in their
    series already; the dispatcher makes them visible.

    Attributes:
        time_ns: The time, nanoseconds since 1970 UTC.
        moves: The cursors of the series whose bars close, each with its new position.
        bars: The strategies' methods to call with these bars, ordered by interval, symbol and subscription.
        scans: The scanners that are due, in the order of the config.
        slices: The strategies' methods to call with cross-sections, smaller intervals first.
    """

    time_ns: int
    moves: Sequence[tuple[Cursor, Move]] = ()
    bars: Sequence[Delivery] = ()
    scans: Sequence[ScannerOfDay] = ()
    slices: Sequence[Delivery] = ()


Batches: TypeAlias = "Iterator[EventBatch | BarRun]"
"""Event batches in ascending time; a run of bars stands for a batch at each of its times."""
