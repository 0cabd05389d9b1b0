"""Questions about bars and a calendar that do not fit each other.

They are about bars beyond the ends of the calendar, sessions without bars, and bars on days without a session.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from shlex import quote
from typing import TYPE_CHECKING

import numpy as np

from openbell.actions.store import ActionStore
from openbell.errors import DamagedFileError, command_on
from openbell.market_data.aggregate import rows_in_segments
from openbell.market_data.stored_history import rows_between
from openbell.model.interval import DAY_NS, parse_interval
from openbell.timing.calendars import calendar_names
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from openbell.quality.series import Series
    from openbell.store.store import BarStore
    from openbell.timing.grid import SessionGrid
    from openbell.timing.time_manager import TimeManager

__all__ = [
    "bars_beyond_calendar",
    "bars_on_closed_days",
    "first_stored_day",
    "on_closed_days",
    "questions_of_calendar",
    "sessions_without_bars",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_ROWS = 100_000
_MOST_QUESTIONS = 5
_MOST_NAMES = 3


def first_stored_day(store: BarStore, time_manager: TimeManager, symbols: Sequence[str]) -> date | None:
    """Return the local date of the first stored bar of symbols, or None.

    It is the date in the exchange's time zone.
    """
    held = store.coverage(symbols)
    days = [e.first.date() if e.interval == "1d" else time_manager.to_local(_ns(e.first)).date() for e in held]
    return min(days, default=None)


def bars_beyond_calendar(store: BarStore, time_manager: TimeManager, symbols: Sequence[str]) -> list[str]:
    """Return warnings of bars before the first or after the last day of the calendar.

    Only the manifest is read.
    """
    first, last = time_manager.first_day, time_manager.last_day
    held = store.coverage(symbols)
    early = {entry.symbol: None for entry in held if entry.first.date() < first}
    late = {entry.symbol: None for entry in held if time_manager.to_local(_ns(entry.last)).date() > last}
    unread = "They are in no session, and are not read."
    texts = []
    if early:
        since = min(entry.first for entry in held).date()
        texts.append(
            f"the calendar {time_manager.exchange} begins on {first}, but the store has bars of {_some(list(early))} "
            f"from {since}. {unread}"
        )
    if late:
        until = max(entry.last for entry in held).date()
        texts.append(
            f"the calendar {time_manager.exchange} ends on {last}, but the store has bars of {_some(list(late))} until "
            f"{until}. {unread} A newer release of exchange_calendars may know these days; or write sessions of your "
            "own under exchange."
        )
    return texts


def questions_of_calendar(
    store: BarStore,
    time_manager: TimeManager,
    symbols: Sequence[str],
    first: date,
    last: date,
) -> list[str]:
    """Return questions about sessions without bars and about bars on days without a session.

    A question is whether the calendar is wrong, or the data. There is one for each run of sessions on which none of the
    symbols has a bar, and one for all days without a session on which a symbol has bars.

    Args:
        store: The store.
        time_manager: The calendar.
        symbols: The symbols to look at.
        first: The first day to look at.
        last: The last day, inclusive.
    """
    missing = sessions_without_bars(store, time_manager, symbols, first, last)
    if missing and (more := _other_names(store, symbols)):
        missing = sessions_without_bars(store, time_manager, [*symbols, *more], missing[0], missing[-1])
    runs = _runs_of_sessions(missing, time_manager)
    named = frozenset(symbols)
    others = [symbol for symbol in store.symbols() if symbol not in named]
    texts = [_question(run, symbols, others, store, time_manager) for run in runs[:_MOST_QUESTIONS]]
    if rest := runs[_MOST_QUESTIONS:]:
        days = sum(map(len, rest))
        texts.append(f"the same of {days} more session{'s' if days > 1 else ''}, the last on {rest[-1][-1]}.")
    return texts + _question_of_closed_days(store, time_manager, symbols, first, last)


def _other_names(store: BarStore, symbols: Sequence[str]) -> list[str]:
    """List other names that the symbols had or will have, under which bars may be stored."""
    try:
        book = ActionStore(store.path).book(store.manifest.side_files)
    except DamagedFileError:
        return []  # the damage is reported where the actions are used
    renames = [action for symbol in symbols for action in book.naming(symbol) if action.type == "rename"]
    chains = (book.chain(action.symbol, day_number(action.ex_date) - 1) for action in renames)
    return list(dict.fromkeys(period.symbol for chain in chains for period in chain if period.symbol not in symbols))


def sessions_without_bars(
    store: BarStore, time_manager: TimeManager, symbols: Sequence[str], first: date, last: date
) -> list[date]:
    """List the sessions on which none of the symbols has a bar of any interval.

    The list is empty when nothing is stored of any symbol. Coarse bars are read first, and finer ones only where
    sessions are still without bars.
    """
    first, last = max(first, time_manager.first_day), min(last, time_manager.last_day)
    grid = time_manager.grid(first, last) if first <= last else None
    held = [(interval, symbol) for symbol in symbols for interval in store.intervals(symbol)]
    if grid is None or not held:
        return []
    held.sort(key=lambda item: -parse_interval(item[0]).seconds)
    missing = np.ones(len(grid), np.bool_)
    # One symbol usually has bars of all sessions, so it is read first, and all others only for sessions that it lacks.
    for interval in dict.fromkeys(interval for interval, _ in held):
        names = [symbol for held_interval, symbol in held if held_interval == interval]
        for group in (names[:1], names[1:]):
            for begin, end in list(_runs(missing)):
                missing[begin:end] &= ~_present(store, group, interval, grid, begin, end)
    return [date_of(day) for day in grid.days[missing]]


def _present(
    store: BarStore, symbols: Sequence[str], interval: str, grid: SessionGrid, begin: int, end: int
) -> NDArray[np.bool_]:
    """Return a mask of the sessions on which one of the symbols has a bar.

    Sessions whose bars cannot be read count as present.
    """
    opens, closes = _edges(grid)
    daily = interval == "1d"
    starts = grid.days * DAY_NS if daily else opens
    ends = starts + DAY_NS if daily else closes
    present = np.zeros(end - begin, np.bool_)
    for low, high in _windows(store, symbols, interval, int(starts[begin]), int(ends[end - 1])):
        inside = (ends[begin:end] > low) & (starts[begin:end] < high)
        if present[inside].all():
            continue
        try:
            rows = store.read_rows(symbols, interval, low, high, columns=("timestamp",))
        except DamagedFileError:
            present |= inside  # the damage is reported where the bars are used
            continue
        times = rows.columns["timestamp"]
        row = np.searchsorted(starts[begin:end], times, side="right") - 1
        row = row[(row >= 0) & (times < ends[begin:end][row])]
        present[row] = True
    return present


def _windows(
    store: BarStore, symbols: Sequence[str], interval: str, begin_ns: int, end_ns: int
) -> Iterator[tuple[int, int]]:
    """Yield the parts of a range of time that have stored bars.

    Each is small enough to be read at once.
    """
    files = sorted(
        (max(begin_ns, entry.first_ns), min(end_ns, entry.last_ns + 1), entry.rows)
        for symbol in symbols
        for entry in store.manifest.files.get((symbol, interval), ())
        if entry.first_ns < end_ns and entry.last_ns >= begin_ns
    )
    low, high, rows = end_ns, begin_ns, 0
    for first, after, held in files:
        if rows and rows + held > _MOST_ROWS and first >= high:
            yield low, high
            low, rows = first, 0
        low, high, rows = min(low, first), max(high, after), rows + held
    if rows:
        yield low, high


def _edges(grid: SessionGrid) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the start and end of trading of each session in nanoseconds, extended hours included."""
    first, after = grid.segments_of_sessions()
    return grid.segment_open_ns[first], grid.segment_close_ns[after - 1]


def _runs(mask: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield the first place of each run of True, and the place after its last."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _runs_of_sessions(days: Sequence[date], time_manager: TimeManager) -> list[list[date]]:
    """Group the dates of sessions into runs of consecutive ones."""
    runs: list[list[date]] = []
    for day in days:
        if runs and time_manager.session_before(day) == runs[-1][-1]:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def _question(
    days: Sequence[date], symbols: Sequence[str], others: Sequence[str], store: BarStore, time_manager: TimeManager
) -> str:
    """Return the question about a run of sessions without bars."""
    if len(days) == 1:
        what, it, its, holidays = f"{days[0]} is a session", "it", "its", str(days[0])
    else:
        what, it, its = f"{days[0]} to {days[-1]} are {len(days)} sessions", "them", "their"
        holidays = ", ".join(map(str, days[:_MOST_NAMES])) + (", ..." if len(days) > _MOST_NAMES else "")
    whose = f"{symbols[0]} has no bars" if len(symbols) == 1 else f"none of the {len(symbols)} symbols has bars"
    witnesses = _witnesses(store, others, days, time_manager)
    known = f" (the store has bars of {_some(witnesses)} then)" if witnesses else ""
    exchange = time_manager.exchange
    own = f"exchange: {{name: MY_EXCHANGE, like: {exchange}, holidays: [{holidays}]}}"
    remedy = f"write {own}" if exchange in calendar_names() else f"add to the exchange's holidays: {holidays}"
    return (
        f"{what} of the calendar {exchange}, but {whose} on {it}{known}. Calendar or data? If the exchange was open, "
        f"import {its} bars; if it was closed, {remedy}."
    )


def _witnesses(store: BarStore, others: Sequence[str], days: Sequence[date], time_manager: TimeManager) -> list[str]:
    """List other symbols of the store that have bars on the first of the days."""
    opens, closes = _edges(time_manager.grid(days[0], days[0]))
    day_ns = day_number(days[0]) * DAY_NS
    found: dict[str, None] = {}
    for interval in dict.fromkeys(interval for symbol in others for interval in store.intervals(symbol)):
        low, high = (day_ns, day_ns + DAY_NS) if interval == "1d" else (int(opens[0]), int(closes[0]))
        try:
            found.update(dict.fromkeys(name for name, _, _ in store.read_rows(others, interval, low, high).runs))
        except DamagedFileError:
            continue
    return list(found)


def _ns(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1) * 1000


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _question_of_closed_days(
    store: BarStore, time_manager: TimeManager, symbols: Sequence[str], first: date, last: date
) -> list[str]:
    """Return a question about days without a session on which a symbol has bars, or none.

    Only the coarsest bars of the first symbol with bars are read, and only if they are not too many; `data check` reads
    the bars of all symbols.
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
        return []  # the damage is reported where the bars are used
    starts = rows.columns["timestamp"]
    # Up to the session after the range, which may open on the evening of the range's last day.
    after = time_manager.last_day if last == time_manager.last_day else last + timedelta(days=1)
    grid = time_manager.grid(first, time_manager.first_session_on_or_after(after))
    _, days = on_closed_days(starts, grid, intraday=interval != "1d")
    closed = [str(date_of(day)) for day in sorted({*days.tolist()})]
    check = command_on(f"data check {quote(symbol)}", store.path)
    return [_closed_days_question(symbol, interval, closed, time_manager.exchange, check)] if closed else []


def _closed_days_question(symbol: str, interval: str, days: Sequence[str], exchange: str, check: str) -> str:
    named = ", ".join(days[:_MOST_NAMES]) + (f" and {len(days) - _MOST_NAMES} more" if len(days) > _MOST_NAMES else "")
    what, them = ("is no session", "it") if len(days) == 1 else ("are no sessions", "them")
    return (
        f"{named} {what} of the calendar {exchange}, but {symbol} has {interval} bars on {them}, which no session has. "
        f"Calendar or data? If the exchange was open, write {them} under its extra_sessions, or name another exchange; "
        f"if it was closed, see: {check}"
    )


_HOUR_NS = 3_600_000_000_000


def bars_on_closed_days(series: Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the stored bars on days without a session.

    Returns:
        The starts of the bars, ascending and unique, and their days since 1970-01-01.
    """
    grid = series.around if series.around is not None else series.grid
    return on_closed_days(series.distinct_starts(), grid, intraday=series.intraday)


def on_closed_days(
    starts: NDArray[np.int64], grid: SessionGrid, *, intraday: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find bars on days without a session.

    An intraday bar is on such a day when it lies outside all hours, its time of day is within the hours of the session
    before or after, and the session before began at least a day earlier.

    Args:
        starts: Starts of bars, ascending; of daily bars 00:00 UTC of their dates.
        grid: The sessions around the bars, with extended hours where the exchange has them.
        intraday: Whether the bars are intraday bars.

    Returns:
        The starts of the bars, and their days since 1970-01-01.
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
    # Both sessions are tried, because around a change of the clocks one of them has other hours in UTC.
    like_before = rows_in_segments(strange - since // DAY_NS * DAY_NS, grid)[0]
    like_after = rows_in_segments(strange - -until // DAY_NS * DAY_NS, grid)[0]
    days_since = (since + _HOUR_NS) // DAY_NS
    closed = (days_since >= 1) & (like_before | like_after)
    return strange[closed], (grid.days[before] + days_since)[closed]
