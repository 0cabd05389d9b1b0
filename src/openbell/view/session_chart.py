"""Charts of a session, as its page requests them."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from openbell.errors import OpenbellError, printable
from openbell.model.interval import parse_interval
from openbell.pages.notebook_charts import session_candles
from openbell.pages.report.candles import CandleSource
from openbell.pages.report.charts import chart_data, filled_inside
from openbell.pages.report.levels import resting_levels
from openbell.pages.report.windows import Window
from openbell.view.addresses import day_of
from openbell.view.late_bars import seen_before
from openbell.view.packed_chart import ServedChart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from openbell.model.address import Place
    from openbell.model.json_object import JsonObject
    from openbell.pages.report.candles import Candles
    from openbell.pages.report.levels import Level
    from openbell.pages.report.report_page import ReadRun
    from openbell.timing import TimeManager
    from openbell.view.replays import PlayedSessions
    from openbell.view.run_catalogue import Catalogue, KnownRun

__all__ = ["SPANS", "SessionCharts"]

SPANS = (1, 2, 5, 20, 60, 250)
"""Numbers of sessions that a chart may show."""
_MOST_BARS = 120_000
_MOST_CHARTS = 4
_FIRST_ROWS = 4000


class SessionCharts:
    """The last few charts that were requested, of which pages request further rows.

    Args:
        catalogue: The runs.
        played: The replayed sessions.
        store: The store, if it is not that of the config.
    """

    def __init__(self, catalogue: Catalogue, played: PlayedSessions, store: Place | None) -> None:
        self._catalogue = catalogue
        self._played = played
        self._store = store
        self._last: OrderedDict[str, ServedChart] = OrderedDict()
        self._lock = Lock()

    def answer(self, run: KnownRun, asked: Mapping[str, str]) -> bytes | JsonObject:
        """Return the requested part of a chart, or a JSON object with the error.

        Args:
            run: The run.
            asked: The query. With ``chart``, ``first`` and ``after``, it requests rows of a chart. Without ``chart``,
                it requests a new chart by ``symbol``, ``day``, ``interval`` and ``sessions``, of which the name and the
                last rows are returned.

        Raises:
            ConfigError: The day or interval is invalid, or the config of the run cannot be read.
        """
        if "chart" in asked:
            with self._lock:
                known = self._last.get(asked["chart"])
            first, after = asked.get("first", ""), asked.get("after", "")
            if known is None or not (first.isdecimal() and after.isdecimal()):
                return {"error": "This chart is no longer there: open the page again."}
            return known.rows(int(first[:9]), int(after[:9]))
        name = secrets.token_hex(8)
        found = self._new(name, run, asked)
        if isinstance(found, str):
            return {"error": found}
        with self._lock:
            self._last[name] = found
            while len(self._last) > _MOST_CHARTS:
                self._last.popitem(last=False)
        return found.first_part()

    def _new(self, name: str, run: KnownRun, asked: Mapping[str, str]) -> ServedChart | str:
        """Return a new chart of a symbol up to the end of a session, or why there is none."""
        read = self._catalogue.read(run)
        config, time_manager = read.calendar()
        day = day_of(asked.get("day", ""))
        sessions = int(asked.get("sessions", "1")) if asked.get("sessions", "1").isdecimal() else 1
        first = day if sessions <= 1 else time_manager.session_before(day, min(sessions, SPANS[-1]) - 1)
        symbol = _named(asked.get("symbol", ""), read)
        window = Window(symbol, first, day)
        wanted = asked.get("interval", "")
        if wanted:
            parse_interval(wanted)
        candles: Candles | str | None = _played(self._played, run.folder, window, wanted, sessions)
        if candles is None:
            candles = CandleSource(run.folder, config, time_manager, self._store).candles(window, wanted)
        if isinstance(candles, str):
            return candles
        if len(candles.bars) > _MOST_BARS:
            return f"{len(candles.bars):,} bars are more than a chart shows: choose a coarser interval."
        data = chart_data(window, candles, read.tables, _levels(run, symbol), filled_inside(read.tables))
        ends = candles.bars["end"].to_physical().to_numpy() // 1_000_000_000
        head = {
            "chart": name,
            "gaps": _gaps(candles, window, time_manager),
            "before": seen_before(run.folder, window, candles),
        }
        of_session = int((ends > time_manager.session(day).first_ns // 10**9).sum())
        return ServedChart(data, ends, head, max(_FIRST_ROWS, of_session))


def _named(shown: str, read: ReadRun) -> str:
    """Return the symbol of the config that a page shows as a text, in which characters may be escaped."""
    if read.config is not None:
        return next((name for name in read.config.session_data_config.symbols if printable(name) == shown), shown)
    return shown


def _played(played: PlayedSessions, folder: Path, window: Window, interval: str, sessions: int) -> Candles | None:
    session = played.state(folder, window.last).session
    data = None if session is None else session.get_symbol_data(window.symbol)
    if session is None or data is None or (interval and interval not in data.bars):
        return None
    try:
        wanted = interval or min(data.bars, key=lambda name: parse_interval(name).ns)
        return session_candles(session, window.symbol, wanted, sessions=sessions - 1, indicators=True)
    except OpenbellError:
        return None  # its history is too short; that of the store may not be


def _levels(run: KnownRun, symbol: str) -> Sequence[Level]:
    file = run.folder / "orders.jsonl"
    size = file.stat().st_size if file.is_file() else 0
    return _read_levels(run.folder, symbol, size)


@lru_cache(maxsize=64)
def _read_levels(folder: Path, symbol: str, size: int) -> tuple[Level, ...]:  # noqa: ARG001 -- the size changes when the file does
    return tuple(resting_levels(folder, {symbol})[0][symbol])


def _gaps(candles: Candles, window: Window, time_manager: TimeManager) -> list[JsonObject]:
    """Return the rows before which expected bars are missing, with the number of these bars."""
    if candles.is_daily:
        return []
    starts = candles.bars["timestamp"].to_physical().to_numpy()
    expected = np.concatenate(
        [time_manager.expected_bar_times(candles.interval, day)[0]
         for day in time_manager.sessions(window.first, window.last)]
    )  # fmt: skip
    places = np.searchsorted(starts, expected)
    # Bars after the last one are not missing, but still to come.
    rows = places[places < len(starts)]
    missing = rows[starts[rows] != expected[: len(rows)]]
    rows, counts = np.unique(missing, return_counts=True)
    return [{"row": int(row), "missing": int(count)} for row, count in zip(rows, counts, strict=True)]
