"""Makes small stores of seeded bars for days and exchanges that the real data does not have."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from openbell.testing import bar_starts, make_store, random_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import polars as pl


def made_store(
    folder: Path,
    symbols: Iterable[str],
    first: str,
    last: str,
    *,
    exchange: str = "XNYS",
    intervals: Iterable[str] = ("1m", "1d"),
    session_hours: str = "regular",
    keep: Callable[[str, str, int], bool] | None = None,
) -> Path:
    """A store with all bars that the calendar expects of these symbols, but for those that ``keep`` refuses."""
    frames: dict[str, dict[str, pl.DataFrame]] = {}
    for (number, symbol), interval in product(enumerate(symbols), intervals):
        starts = bar_starts(first, last, interval, exchange=exchange, session_hours=session_hours)  # type: ignore[arg-type]
        kept = starts if keep is None else starts[[keep(symbol, interval, start) for start in starts.tolist()]]
        if len(kept):
            frames.setdefault(symbol, {})[interval] = random_bars(kept, seed=number)
    return make_store(folder, frames)
