"""Equity of an account over a run, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SessionEquity"]


@dataclass(frozen=True, slots=True)
class SessionEquity:
    """Equity at the end of each session, with what the session traded and held.

    Attributes:
        start_equity: Equity before the first session.
        days: The sessions.
        equity: Equity at the end of each, shape (sessions,), float64.
        traded: Value of all fills of each, bought and sold alike, likewise.
        bar_times: Bar times of each, int64.
        held_times: Those at which a position was held, int64.
    """

    start_equity: float
    days: Sequence[date]
    equity: NDArray[np.float64]
    traded: NDArray[np.float64]
    bar_times: NDArray[np.int64]
    held_times: NDArray[np.int64]
