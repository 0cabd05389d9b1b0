"""Stored bars on days that the calendar calls closed; no session has them, so a person should know."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from openbell.errors import DamagedFileError, command_on
from openbell.market_data.aggregate import rows_in_segments
from openbell.market_data.session_reader import rows_between
from openbell.model.interval import DAY_NS
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from openbell.store.store import BarStore
    from openbell.timing.grid import SessionGrid
    from openbell.timing.manager import TimeManager

__all__ = ["on_closed_days", "question_of_closed_days"]

_HOUR_NS = 3_600_000_000_000
_MOST_ROWS = 100_000
_MOST_NAMES = 3


def on_closed_days(
    starts: NDArray[np.int64], grid: SessionGrid, *, intraday: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which bars lie on days that are no session.

    An intraday bar is on such a day when it lies outside all hours, its time of the day is within those of the session
    before or after, and the last session began a day ago or longer.

    Args:
        starts: Starts of bars, ascending; of daily bars 00:00 UTC of their dates.
        grid: The sessions around them, with extended hours where the exchange has them.
        intraday: Whether the bars lie within sessions.

    Returns:
        Their starts, and their days since 1970-01-01.
    """
    if not intraday:
        strange = starts[~np.isin(starts // DAY_NS, grid.days)]
        return strange, strange // DAY_NS
    strange = starts[~rows_in_segments(starts, grid)[0]]
    first_segment, _ = grid.segments_of_sessions()
    opens = grid.segment_open_ns[first_segment]
    before = np.searchsorted(opens, strange, side="right") - 1
    strange, before = strange[before >= 0], before[before >= 0]
    since = strange - opens[before]
    until = opens[np.minimum(before + 1, len(opens) - 1)] - strange
    # At a change of the clocks one of the two sessions has other hours of UTC than the day between.
    like_before = rows_in_segments(strange - since // DAY_NS * DAY_NS, grid)[0]
    like_after = rows_in_segments(strange - -until // DAY_NS * DAY_NS, grid)[0]
    days_since = (since + _HOUR_NS) // DAY_NS
    closed = (days_since >= 1) & (like_before | like_after)
    return strange[closed], (grid.days[before] + days_since)[closed]


def question_of_closed_days(
    store: BarStore, time_manager: TimeManager, symbols: Sequence[str], first: date, last: date
) -> list[str]:
    """One question about the days from ``first`` to ``last`` without a session on which a symbol has bars; or none.

    Looks at the coarsest bars of the first symbol that has some, and only where they are not many: `data check` looks
    at all.
    """
    symbol = next((s for s in symbols if store.intervals(s)), None)
    first, last = max(first, time_manager.first_day), min(last, time_manager.last_day)
    if symbol is None or last < first:
        return []
    interval = store.intervals(symbol)[-1]
    begin, end = day_number(first), day_number(last)
    if interval == "60m" or rows_between(store.manifest, [symbol], interval, begin, end) > _MOST_ROWS:
        return []
    try:
        rows = store.read_rows([symbol], interval, begin * DAY_NS, (end + 1) * DAY_NS, columns=("timestamp",))
    except DamagedFileError:
        return []  # whoever needs the file will tell
    starts = rows.columns["timestamp"]
    # The session after them, too: where sessions open the evening before, it begins on the last of these days.
    after = time_manager.last_day if last == time_manager.last_day else last + timedelta(days=1)
    grid = time_manager.grid(first, time_manager.first_session_on_or_after(after))
    _, days = on_closed_days(starts, grid, intraday=interval != "1d")
    closed = [str(date_of(day)) for day in np.unique(days)]
    return [_question(symbol, interval, closed, time_manager.exchange, store)] if closed else []


def _question(symbol: str, interval: str, days: Sequence[str], exchange: str, store: BarStore) -> str:
    named = ", ".join(days[:_MOST_NAMES]) + (f" and {len(days) - _MOST_NAMES} more" if len(days) > _MOST_NAMES else "")
    what, them = ("is no session", "it") if len(days) == 1 else ("are no sessions", "them")
    return (
        f"{named} {what} of the calendar {exchange}, but {symbol} has {interval} bars on {them}, which no session has. "
        f"Calendar or data? If the exchange was open, write {them} under its extra_sessions, or name another exchange; "
        f"if it was closed, see: {command_on(f'data check {symbol}', store.path)}"
    )
