"""Earlier versions of candles that late or corrected bars of a live session changed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.live.record.feed_record import NAME, bar_of
from openbell.model.interval import parse_interval
from openbell.pages.report.charts import PRICES
from openbell.results.folder.event_files import event_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from openbell.model.feed_events import FeedBar
    from openbell.model.json_object import JsonObject
    from openbell.pages.report.candles import Candles
    from openbell.pages.report.windows import Window

__all__ = ["seen_before"]

_Version = tuple[int, "FeedBar | None"]
"""A session time, and the bar as it was up to that time, None if it had not come."""


class _Recorded(NamedTuple):
    """Bars of a symbol in one session, by their start times.

    Attributes:
        last: The last version of each bar.
        before: The earlier versions, in order, of each bar that came late or was corrected.
    """

    last: dict[int, FeedBar]
    before: dict[int, list[_Version]]


def seen_before(folder: Path, window: Window, candles: Candles) -> list[JsonObject]:
    """Return earlier versions of a live session's candles, each with the second until which it was seen.

    Earlier values of indicators are not known. So they are left out from the first changed candle up to the moment of
    the change. A candle is left out as well if the record does not have all of its bars.

    Args:
        folder: The folder of the run.
        window: The symbol and its sessions, of which only the last is looked at.
        candles: The candles as they were in the end.
    """
    if candles.is_daily or not (folder / NAME).is_file():
        return []
    recorded = _recorded(folder / NAME, window.symbol, window.last)
    if not recorded.before:
        return []
    starts, ends = (candles.bars[name].to_physical().to_numpy() for name in ("timestamp", "end"))
    found: dict[int, list[JsonObject]] = {}
    for start_ns, versions in recorded.before.items():
        row = int(np.searchsorted(starts, start_ns, side="right")) - 1
        if row < 0 or start_ns >= ends[row]:
            continue
        for until_ns, _ in versions:
            if until_ns < ends[row]:
                continue  # the candle had not closed then
            bar = _bar_at(recorded, int(starts[row]), int(ends[row]), until_ns, candles, row)
            found.setdefault(row, []).append({"row": row, "until": _after(until_ns), "bar": bar, "own": True})
            closed = int(np.searchsorted(ends, until_ns, side="right")) if candles.indicators.columns else 0
            for later in range(row + 1, closed):
                found.setdefault(later, []).append(
                    {"row": later, "until": _after(until_ns), "bar": _as_it_is(candles, later), "own": False}
                )  # fmt: skip
    return [one for row in sorted(found) for one in _one_each(found[row])]


def _one_each(patches: list[JsonObject]) -> Iterator[JsonObject]:
    """Return one version for each moment, that of the candle's own change if there is one."""
    by_moment = {one["until"]: one for one in sorted(patches, key=lambda one: bool(one["own"]))}
    return (by_moment[until] for until in sorted(by_moment))


def _after(time_ns: int) -> int:
    """Return the second from which on a change is seen, since it came after the time was played."""
    return time_ns // 10**9 + 1


def _as_it_is(candles: Candles, row: int) -> JsonObject:
    values = candles.bars.row(row, named=True)
    return {name: float(values[name]) for name in (*PRICES, "volume")} | {"lines": _no_lines(candles)}


def _no_lines(candles: Candles) -> list[None]:
    return [None] * len(candles.indicators.columns)


def _bar_at(
    recorded: _Recorded, start_ns: int, end_ns: int, until_ns: int, candles: Candles, row: int
) -> JsonObject | None:
    """Return a candle as it was up to a time, or None when it did not exist or is not known."""
    places = sorted(start for start in {*recorded.last, *recorded.before} if start_ns <= start < end_ns)
    last = _joined([recorded.last[place] for place in places])
    shown = _as_it_is(candles, row)
    if last is None or not np.allclose([last[name] for name in PRICES], [shown[name] for name in PRICES], rtol=1e-9):
        return None
    then = [_at(recorded, place, until_ns) for place in places]
    joined = _joined([bar for bar in then if bar is not None])
    return None if joined is None else {**joined, "lines": _no_lines(candles)}


def _at(recorded: _Recorded, place: int, until_ns: int) -> FeedBar | None:
    for known_ns, bar in recorded.before.get(place, ()):
        if until_ns <= known_ns:
            return bar
    return recorded.last[place]


def _joined(bars: list[FeedBar]) -> JsonObject | None:
    if not bars:
        return None
    return {
        "open": bars[0].open, "high": max(bar.high for bar in bars), "low": min(bar.low for bar in bars),
        "close": bars[-1].close, "volume": sum(bar.volume for bar in bars),
    }  # fmt: skip


def _recorded(file: Path, symbol: str, day: date) -> _Recorded:
    found, interval, is_day = _Recorded({}, {}), "", False
    pattern = re.compile(f'^{{"session": |{re.escape(json.dumps(symbol))}')
    for line in event_lines(file, pattern):
        if "session" in line:
            is_day = line["session"] == day.isoformat()
        for bar in map(bar_of, line.get("bars", ()) if is_day else ()):
            if bar.symbol != symbol or not parse_interval(bar.interval).is_intraday:
                continue
            interval = interval or bar.interval
            if bar.interval == interval:
                _take(found, bar, line["played_ns"], is_late=bool(line.get("late")))
    return found


def _take(found: _Recorded, bar: FeedBar, played_ns: int, *, is_late: bool) -> None:
    if is_late:
        found.before.setdefault(bar.start_ns, []).append((played_ns, found.last.get(bar.start_ns)))
    found.last[bar.start_ns] = bar
