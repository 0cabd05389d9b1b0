"""Bars and indicators of a window, from the files that a run kept or else from its store."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

from openbell.engine.run_data import data_manager_of
from openbell.errors import OpenbellError
from openbell.model.bars import Bars
from openbell.model.interval import parse_interval
from openbell.pages.report.windows import finest_fitting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path
    from zoneinfo import ZoneInfo

    import numpy as np
    from numpy.typing import NDArray

    from openbell.config import SessionConfig
    from openbell.market_data.data_manager import DataManager
    from openbell.model.address import Place
    from openbell.pages.report.windows import Window
    from openbell.timing import TimeManager

__all__ = ["CandleSource", "Candles", "known_at_ends"]

_BEFORE = 30
"""Daily bars shown before a window's first session."""
_COARSER = ("5m", "15m", "1h", "1d")
_MOST_LINES = 12
_NO_BARS = "no bars of it are in the store"


@dataclass(frozen=True, slots=True)
class Candles:
    """Bars of a window, with the indicators that the run kept.

    Attributes:
        interval: The interval of the bars.
        bars: Columns timestamp, end, open, high, low, close, volume and count; times in UTC.
        indicators: One column per output and a row per bar, with the value known at the bar's end, null before any.
        kept: Whether the bars are those that the run kept, and not those that the store has now.
        zone: The time zone of the exchange.
    """

    interval: str
    bars: pl.DataFrame
    indicators: pl.DataFrame
    kept: bool
    zone: ZoneInfo

    @property
    def is_daily(self) -> bool:
        """Whether a bar is a session or more."""
        return not parse_interval(self.interval).is_intraday

    @property
    def seconds(self) -> NDArray[np.int64]:
        """Start of each bar in seconds since 1970 UTC.

        For a daily bar, it is midnight of the session's date. That date is taken from the end of the bar, because a
        session of Sydney or of futures begins on the date before.
        """
        starts = self.bars["timestamp"]
        if self.is_daily:
            last = (self.bars["end"].to_physical() - 1).cast(pl.Datetime("ns", "UTC"))
            starts = last.dt.convert_time_zone(self.zone.key).dt.date().cast(pl.Datetime("ns", "UTC"))
        return starts.to_physical().to_numpy() // 1_000_000_000


class CandleSource:
    """Bars of a run's windows.

    Intraday bars are shown as they were traded. Daily bars are on the price basis of the window's last day.

    Args:
        folder: The folder of the run.
        config: Its config.
        time_manager: The calendar.
        store: The store to read in place of the config's.
    """

    def __init__(self, folder: Path, config: SessionConfig, time_manager: TimeManager, store: Place | None) -> None:
        self._folder = folder
        self._config = config
        self._time_manager = time_manager
        self._store = store

    @property
    def is_daily(self) -> bool:
        """Whether the run streams no intraday bars."""
        return not any(parse_interval(name).is_intraday for name in self._config.session_data_config.streams)

    def intervals(self, window: Window) -> list[str]:
        """Return the intervals that may have bars, the finest first."""
        sessions = self._time_manager.sessions(window.first, window.last)
        streams = self._config.session_data_config.streams
        known = {*self._kept_intervals(window.symbol, sessions), *streams, *_coarser_than(streams)}
        return sorted(known, key=lambda name: parse_interval(name).ns)

    def candles(self, window: Window, wanted: str = "") -> Candles | str:
        """Return the bars of a window, or why there are none.

        Args:
            window: The symbol and its sessions.
            wanted: The interval of the bars; the finest with which they fit a chart unless given.
        """
        try:
            return self._candles(window, wanted)
        except OpenbellError as error:
            return str(error)
        except (OSError, ValueError, pl.exceptions.PolarsError) as error:  # files that were changed since the run
            return f"the bars that the run kept cannot be read: {error}"

    def _candles(self, window: Window, wanted: str) -> Candles | str:
        sessions = self._time_manager.sessions(window.first, window.last)
        kept = self._kept_intervals(window.symbol, sessions)
        if wanted and wanted not in kept:
            kept = []
        if kept:
            interval = wanted or self._fitting(sessions, kept)
            frames = self._frames("bars", window.symbol, interval, sessions)
            bars = pl.concat(frames) if frames else pl.DataFrame()
        else:
            streams = self._config.session_data_config.streams
            interval = wanted or self._fitting(sessions, (*streams, *_coarser_than(streams)))
            found = self._stored(window, interval, sessions)
            if isinstance(found, str):
                return found
            bars = found
        if not len(bars):
            return _NO_BARS
        bars = bars.sort("timestamp").unique("timestamp", maintain_order=True)
        return Candles(
            interval,
            bars,
            self._indicators(window.symbol, interval, sessions, bars),
            bool(kept),
            self._time_manager.timezone,
        )

    def _fitting(self, sessions: Sequence[date], intervals: Sequence[str]) -> str:
        def bars_of(name: str) -> int:
            return sum(len(self._time_manager.expected_bar_times(name, day)[0]) for day in sessions)

        return finest_fitting(intervals, bars_of)

    # Files that the run kept

    def _kept_intervals(self, symbol: str, sessions: Sequence[date]) -> list[str]:
        """Return the intervals that were kept in every session with kept bars of the symbol."""
        days = [{interval for interval, _ in self._files("bars", symbol, day)} for day in sessions]
        held = [intervals for intervals in days if intervals]
        return sorted(set.intersection(*held)) if held else []

    def _files(self, kind: str, symbol: str, day: date) -> Iterator[tuple[str, Path]]:
        if kind not in self._kept:
            return
        folder, begin = self._folder / kind / day.isoformat(), f"{symbol.replace('/', '%2F')}_"
        names = self._names.get(folder)
        if names is None:
            names = self._names[folder] = [file.name for file in folder.iterdir()] if folder.is_dir() else []
        for name in names:
            interval = name.removeprefix(begin).removesuffix(".parquet")
            if name == f"{begin}{interval}.parquet" and "_" not in interval:
                yield interval, folder / name

    @cached_property
    def _kept(self) -> frozenset[str]:
        return frozenset(kind for kind in ("bars", "indicators") if (self._folder / kind).is_dir())

    @cached_property
    def _names(self) -> dict[Path, list[str]]:
        return {}

    def _frames(self, kind: str, symbol: str, interval: str, sessions: Sequence[date]) -> list[pl.DataFrame]:
        """Return the rows of each session, or for daily bars the last rows of the last session's file."""
        files = [(day, path) for day in sessions for name, path in self._files(kind, symbol, day) if name == interval]
        if not parse_interval(interval).is_intraday:
            return [pl.read_parquet(path).tail(len(sessions) + _BEFORE) for _, path in files[-1:]]
        frames = []
        for day, path in files:
            session = self._time_manager.session(day)
            begin = pl.lit(session.first_ns).cast(pl.Datetime("ns", "UTC"))
            frame = pl.read_parquet(path)
            if kind == "indicators":  # the last value before the session is still known in it
                before = frame.filter(pl.col("timestamp") < begin).tail(1)
                frames.append(before)
            frames.append(frame.filter(pl.col("timestamp") >= begin))
        return frames

    def _indicators(self, symbol: str, interval: str, sessions: Sequence[date], bars: pl.DataFrame) -> pl.DataFrame:
        """Return the values that were known at the end of each bar."""
        wanted = {name for day in sessions for name, _ in self._files("indicators", symbol, day)}
        return known_at_ends(
            bars, interval, {name: self._frames("indicators", symbol, name, sessions) for name in wanted}
        )

    # Bars of the store

    def _stored(self, window: Window, interval: str, sessions: Sequence[date]) -> pl.DataFrame | str:
        manager = self._data_manager
        if isinstance(manager, str):
            return manager
        if not parse_interval(interval).is_intraday:
            first = self._time_manager.session_before(window.first, _BEFORE)
            return manager.load_historical_bars(
                window.symbol, interval, first, window.last, as_of=window.last
            ).to_polars()
        return Bars.concat(list(self._as_traded(manager, window.symbol, interval, sessions))).to_polars()

    def _as_traded(self, manager: DataManager, symbol: str, interval: str, sessions: Sequence[date]) -> Iterator[Bars]:
        """Yield the bars of sessions, each on its own price basis."""
        # Sessions between two corporate actions have the same price basis, and are read at once.
        changes = [action.ex_date for action in manager.actions(symbol, sessions[0], sessions[-1])]
        for _, some in groupby(sessions, lambda day: sum(change <= day for change in changes)):
            days = list(some)
            yield manager.load_historical_bars(symbol, interval, days[0], days[-1], as_of=days[-1])

    @cached_property
    def _data_manager(self) -> DataManager | str:
        try:
            return data_manager_of(self._config, self._time_manager, self._store, None)
        except OpenbellError as error:
            return str(error)


def known_at_ends(bars: pl.DataFrame, interval: str, frames: Mapping[str, Sequence[pl.DataFrame]]) -> pl.DataFrame:
    """Return the values of indicators that were known at the end of each bar.

    Indicators over the interval of the bars come first.

    Args:
        bars: The bars.
        interval: Their interval.
        frames: By interval, frames with the columns timestamp and end, and a column per output.
    """
    ends = bars.select("end")
    columns: list[pl.Series] = []
    for name in sorted(frames, key=lambda text: (text != interval, parse_interval(text).ns)):
        whole = pl.concat(frames[name], how="diagonal").sort("end").unique("end", keep="last", maintain_order=True)
        joined = ends.join_asof(whole.drop("timestamp"), on="end", strategy="backward")
        columns += [joined[column] for column in joined.columns if column != "end"]
    return pl.DataFrame(columns[:_MOST_LINES])


def _coarser_than(streams: Sequence[str]) -> list[str]:
    longest = max(parse_interval(name).ns for name in streams)
    return [name for name in _COARSER if parse_interval(name).ns > longest]
