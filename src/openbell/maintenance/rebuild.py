"""Rebuilding of lost bars from complete finer ones.

1d bars are built from 1m bars, and 1m bars from 1s bars.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from openbell.market_data.data_manager import DataManager
from openbell.market_data.gap_filling import FINER
from openbell.model.bars import PRICE_COLUMNS
from openbell.model.interval import DAY_NS
from openbell.store.built_mark import BUILT, BUILT_SCHEMA
from openbell.store.layout import BAR_SCHEMA, instant

if TYPE_CHECKING:
    from openbell.store.data_file import FileEntry
    from openbell.store.layout import Partition
    from openbell.store.store import BarStore
    from openbell.timing.time_manager import TimeManager

__all__ = ["rebuilt"]


_SCHEMA = pl.Schema([*BAR_SCHEMA.items(), (BUILT, BUILT_SCHEMA[BUILT])])


def rebuilt(
    store: BarStore, lost: Partition, entry: FileEntry, time_manager: TimeManager
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Build the bars of a lost data file for which all finer bars are stored.

    Args:
        store: Where the finer bars are.
        lost: The lost file.
        entry: The manifest's entry of the lost file, which has the time of its first and last bar.
        time_manager: The calendar, by which finer bars are complete; bars outside regular hours are not built.

    Returns:
        The bars, and for each the number of finer bars that it was built from (rows of `BUILT_SCHEMA`).

    Raises:
        DamagedFileError: A file of the finer bars cannot be read.
    """
    finer = FINER.get(lost.interval)
    held = store.coverage_of(lost.symbol, finer) if finer else None
    nothing = BAR_SCHEMA.to_frame(), BUILT_SCHEMA.to_frame()
    if held is None:
        return nothing
    first = max(held.first, instant(entry.first_ns)).date()
    last = min(held.last, instant(entry.last_ns)).date()
    if last < first:
        return nothing
    manager = DataManager(store, time_manager, min_completeness=1.0)
    bars = manager.load_historical_bars(lost.symbol, lost.interval, first, last, base=finer)
    times = bars.timestamp
    if lost.interval == "1d":
        grid = time_manager.grid(first, last)
        times = grid.days[np.searchsorted(grid.open_ns, times)] * DAY_NS
    values = {name: getattr(bars, name) for name in PRICE_COLUMNS}
    frame = pl.DataFrame({"timestamp": times, **values, BUILT: bars.count}).cast(_SCHEMA)
    within = frame.filter(pl.col("timestamp").to_physical().is_between(entry.first_ns, entry.last_ns))
    return within.select(*BAR_SCHEMA), within.select(*BUILT_SCHEMA)
