"""Bars of a live run, followed as its record grows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import anyio
from anyio.to_thread import run_sync

from openbell.live.record.feed_record import NAME, bar_of
from openbell.model.interval import parse_interval
from openbell.timing.clock import stopwatch
from openbell.view.live_runs import ALIVE_S, EVERY_S, event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from openbell.model.feed_events import FeedBar
    from openbell.model.json_object import JsonObject

__all__ = ["follow_bars"]

_MOST_BYTES = 8_000_000
_MOST_BARS = 3000


async def follow_bars(folder: Path, symbol: str, last_id: str, is_ending: Callable[[], bool]) -> AsyncIterator[str]:
    """Yield server-sent events with the bars of a symbol, for a new page first those of the last session.

    A corrected bar is sent again. The id of an event is the offset in the record up to which bars were sent.

    Args:
        folder: The folder of the run.
        symbol: The symbol.
        last_id: The id of the last event that the browser has; empty for a new page.
        is_ending: Returns whether the server is shutting down.
    """
    reader = _Reader(folder / NAME, symbol, int(last_id) if last_id.isdecimal() else 0)
    spoken = stopwatch()
    yield "retry: 1000\n\n"
    while not is_ending():
        news = await run_sync(reader.news)
        if news is not None:
            yield event("bars", news, reader.offset)
            spoken = stopwatch()
        if spoken.seconds > ALIVE_S:
            spoken = stopwatch()
            yield ": still here\n\n"
        await anyio.sleep(EVERY_S)


class _Reader:
    """Incremental reader of the record of a run.

    Args:
        file: The record.
        symbol: The symbol whose bars are read.
        offset: The number of bytes that have been read.
    """

    def __init__(self, file: Path, symbol: str, offset: int) -> None:
        self._file = file
        self._symbol = symbol
        self._marks = json.dumps(symbol).encode(), b'{"session": '
        self.offset = offset
        self._interval = ""

    def news(self) -> JsonObject | None:
        """Return the bars that were written since the last call, or None without bars or a new session.

        If several sessions have begun since, only the bars of the last one are returned. ``session`` is the session
        that has begun, None if none has.
        """
        session: str | None = None
        bars: dict[int, FeedBar] = {}
        while lines := self._lines():
            for line in lines:
                if "session" in line:
                    session, bars = line["session"], {}
                for bar in _bars(line, self._symbol):
                    if self._is_finest(bar):
                        bars[bar.start_ns] = bar
        if session is None and not bars:
            return None
        rows = [[bar.start_ns // 10**9, *bar[3:8]] for _, bar in sorted(bars.items())][-_MOST_BARS:]
        step = parse_interval(self._interval).ns // 10**9 if self._interval else 0
        return {"session": session, "interval": self._interval, "step": step, "bars": rows}

    def _is_finest(self, bar: FeedBar) -> bool:
        """Return whether no finer interval than that of a bar has come, and note a finer one."""
        if bar.interval != self._interval:
            one = parse_interval(bar.interval)
            if not one.is_intraday or (self._interval and one.ns > parse_interval(self._interval).ns):
                return False
            self._interval = bar.interval
        return True

    def _lines(self) -> list[JsonObject]:
        """Return the next complete lines that may concern the symbol, none when there are no further lines."""
        found: list[JsonObject] = []
        while not found:
            try:
                with self._file.open("rb") as content:
                    content.seek(self.offset)
                    read = content.read(_MOST_BYTES)
            except OSError:
                return []
            whole = read[: read.rfind(b"\n") + 1]
            if not whole:
                return []
            self.offset += len(whole)
            found = [json.loads(line) for line in whole.splitlines() if any(mark in line for mark in self._marks)]
        return found


def _bars(line: JsonObject, symbol: str) -> Iterator[FeedBar]:
    return (bar_of(fields) for fields in line.get("bars", ()) if fields[0] == symbol)
