"""`Bars`: a run of bars of one symbol and interval, as read-only columns."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pandas as pd
    import polars as pl
    from numpy.typing import NDArray

__all__ = ["Bar", "Bars"]


class Bar(NamedTuple):
    """One closed bar, as a strategy's ``on_bar`` gets it.

    ``timestamp`` is the start and ``end`` the close of the bar, both int64 nanoseconds since 1970 UTC; `start_time` and
    `end_time` are the same as datetimes. ``count`` is the number of base bars that it was made of.
    """

    symbol: str
    interval: str
    timestamp: int
    end: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    count: int  # type: ignore[assignment]  # a bar has no use for tuple.count

    @property
    def start_time(self) -> datetime:
        """Start of the bar, time-zone aware, UTC."""
        return _utc(self.timestamp)

    @property
    def end_time(self) -> datetime:
        """Close of the bar, when it became visible; time-zone aware, UTC."""
        return _utc(self.end)


def _utc(ns: int) -> datetime:
    from datetime import UTC, datetime, timedelta

    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ns // 1000)


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """A run of bars in ascending time, one NumPy column per field, all of one length and read-only.

    Attributes:
        timestamp: Start of each bar; int64, nanoseconds since 1970 UTC. Strictly ascending.
        end: Close of each bar, when it becomes visible; int64, nanoseconds since 1970 UTC.
        open: float64, in the currency of the instrument; likewise high, low and close.
        volume: float64, in units of the instrument.
        count: int32, how many base bars the bar was made of (1 for a base bar).
    """

    timestamp: NDArray[np.int64]
    end: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    count: NDArray[np.int32]

    def __post_init__(self) -> None:
        for name in COLUMNS:
            getattr(self, name).setflags(write=False)

    def __len__(self) -> int:
        return len(self.timestamp)

    def __getitem__(self, rows: slice) -> Bars:
        """The bars of a slice of rows, as views."""
        # Views of read-only columns are read-only: the constructor's care is not needed, and costs more than the rest.
        view = object.__new__(Bars)
        put = object.__setattr__
        put(view, "timestamp", self.timestamp[rows])
        put(view, "end", self.end[rows])
        put(view, "open", self.open[rows])
        put(view, "high", self.high[rows])
        put(view, "low", self.low[rows])
        put(view, "close", self.close[rows])
        put(view, "volume", self.volume[rows])
        put(view, "count", self.count[rows])
        return view

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Bars:
        """The bars at a mask or at indexes, as copies."""
        return Bars(*(getattr(self, name)[rows] for name in COLUMNS))

    @staticmethod
    def empty() -> Bars:
        """No bars."""
        ints, floats = np.empty(0, np.int64), np.empty(0, np.float64)
        return Bars(ints, ints, floats, floats, floats, floats, floats, np.empty(0, np.int32))

    @staticmethod
    def concat(parts: Sequence[Bars]) -> Bars:
        """The runs after one another; they must be in ascending time."""
        if len(parts) == 1:
            return parts[0]
        return Bars(*(np.concatenate([getattr(p, name) for p in parts]) for name in COLUMNS)) if parts else Bars.empty()

    def to_polars(self) -> pl.DataFrame:
        """A polars frame with one row per bar; ``timestamp`` and ``end`` are datetimes in UTC."""
        import polars as pl

        frame = pl.DataFrame({name: getattr(self, name) for name in COLUMNS})
        return frame.with_columns(pl.col("timestamp", "end").cast(pl.Datetime("ns")).dt.replace_time_zone("UTC"))

    def to_pandas(self) -> pd.DataFrame:
        """A pandas frame indexed by ``timestamp`` (UTC); needs the ``pandas`` extra."""
        import pandas as pd

        frame = pd.DataFrame({name: getattr(self, name) for name in COLUMNS})
        for name in ("timestamp", "end"):
            frame[name] = pd.to_datetime(frame[name], unit="ns", utc=True)
        return frame.set_index("timestamp")


COLUMNS: tuple[str, ...] = tuple(f.name for f in fields(Bars))
"""The names of the columns, in order."""
