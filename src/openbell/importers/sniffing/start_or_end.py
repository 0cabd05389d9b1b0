"""Detection of whether intraday times are the starts or the ends of bars.

It goes by the name of the column, by times just before full minutes, and by the opens of sessions.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import comb
from typing import TYPE_CHECKING, Literal

import numpy as np

from openbell.importers.sniffing.column_names import END_NAMES, START_NAMES, plain_name
from openbell.importers.sniffing.detection import Detection
from openbell.importers.sniffing.sessions import runs_around_the_clock
from openbell.importers.times.session_dates import sessions_around

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.timing import TimeManager
    from openbell.timing.grid import SessionGrid

__all__ = ["label_by_name", "label_by_stamps", "sniff_label"]

Label = Literal["start", "end"]

_SECOND_NS = 1_000_000_000
_MINUTE_NS = 60 * _SECOND_NS
_HOUR_NS = 3600 * _SECOND_NS
_MOSTLY = 0.8
_CLEARLY = 1.05
_CHANCE = 0.02


def label_by_name(column: str) -> tuple[Label, Detection] | None:
    """Return the label that the name of the time column shows, or None."""
    plain = plain_name(column)
    why = f"by the column's name, {column}"
    if plain in START_NAMES:
        return "start", Detection("label", "start", why, "plain")
    return ("end", Detection("label", "end", why, "certain")) if plain in END_NAMES else None


def label_by_stamps(times: NDArray[np.int64], step_ns: int) -> tuple[Label, Detection] | None:
    """Return "end" where times lie a second or a millisecond before full minutes, else None."""
    unit = min(step_ns, _MINUTE_NS)
    early = _SECOND_NS if unit > _SECOND_NS else 1_000_000
    past = times % unit
    if not len(times) or (past == 0).any() or (past >= unit - early).mean() < _MOSTLY:
        return None
    return "end", Detection("label", "end", "stamped a moment before full minutes, as closes are", "certain")


def sniff_label(
    starts: NDArray[np.int64], volume: NDArray[np.float64], step_ns: int, time_manager: TimeManager
) -> tuple[Label, Detection]:
    """Find whether intraday times are starts or ends, by the opens and closes of sessions.

    Args:
        starts: Times as they are in the file, nanoseconds UTC.
        volume: The volume of each bar, which shows the opening bar where bars lie before the open.
        step_ns: The interval in nanoseconds.
        time_manager: The calendar.
    """
    order = np.argsort(starts, kind="stable")
    starts, volume = starts[order], volume[order]
    exchange = time_manager.exchange
    grid = sessions_around(starts, time_manager)
    if grid is None:
        return _assumed(f"the calendar of {exchange} does not have these days")
    inside = (grid.close_ns > starts[0]) & (grid.open_ns <= starts[-1])
    grid = grid.between(int(inside.argmax()), len(grid) - int(inside[::-1].argmax())) if inside.any() else grid
    pairs = _opens_and_closes(grid)
    if pairs and runs_around_the_clock(starts, time_manager):
        return _assumed(f"many bars lie outside all hours of {exchange} (--exchange, --label)")
    strong: Counter[str] = Counter()
    weak: Counter[str] = Counter()
    for opens, closes in pairs:
        at, following, last = np.searchsorted(starts, [opens, opens + step_ns, closes])
        has_open, has_next, has_close = (
            place < len(starts) and starts[place] == time
            for place, time in ((at, opens), (following, opens + step_ns), (last, closes))
        )
        if _is_extended(starts, opens, closes):
            # Volumes of single seconds are too random to show the label.
            if step_ns >= _MINUTE_NS and (label := _label_by_busy_bars(starts, volume, opens, closes, step_ns)):
                weak[label] += 1
        elif has_open:
            strong["start"] += 1
        elif has_close or (has_next and step_ns >= _MINUTE_NS):
            strong["end"] += 1
    if strong["start"]:
        # Bars labelled by their ends never have the open as a time, while bars labelled by their starts may lack it,
        # so sessions with a bar at the open decide alone.
        return _verdict(Counter(start=strong["start"]), exchange)
    if strong["end"] and not weak:
        return _verdict(strong, exchange)
    return _by_volume(strong + weak, exchange)


def _opens_and_closes(grid: SessionGrid) -> list[tuple[int, int]]:
    """List the opens that follow a pause and the closes that precede one.

    Where a session begins when the one before ends, bars of either label lie on both sides, and show nothing.
    """
    pauses = grid.open_ns[1:] != grid.close_ns[:-1]
    if len(grid) > 1 and not pauses.any():
        return []
    opens, closes = grid.open_ns[np.append(True, pauses)], grid.close_ns[np.append(pauses, True)]
    return list(zip(opens.tolist(), closes.tolist(), strict=True))


def _label_by_busy_bars(
    times: NDArray[np.int64], volume: NDArray[np.float64], opens: int, closes: int, step_ns: int
) -> Label | None:
    """Return the label by the volumes around open and close, or None.

    None stands for volumes that do not differ clearly.

    The last bar of a session has more volume than the bar after it. Where these are missing or alike, the first bar
    has more than the one before it.
    """

    def at(time: int) -> float | None:
        place = int(np.searchsorted(times, time))
        return float(volume[place]) if place < len(times) and times[place] == time else None

    last, after = at(closes - step_ns), at(closes)
    if last is not None and after is not None and max(last, after) > _CLEARLY * min(last, after):
        return "start" if last > after else "end"
    before, first, second = at(opens - step_ns) or 0.0, at(opens), at(opens + step_ns)
    if first is None or second is None:
        return None
    one, other = first * first, before * second
    return None if max(one, other) <= _CLEARLY * min(one, other) else "start" if one > other else "end"


def _is_extended(times: NDArray[np.int64], opens: int, closes: int) -> bool:
    """Return whether there are bars in the hour before the open or after the close."""
    first, until, after, last = np.searchsorted(times, [opens - _HOUR_NS, opens, closes + 1, closes + _HOUR_NS])
    return bool(until > first or last > after)


def _beyond_chance(votes: Counter[str]) -> bool:
    """Return whether chance would give such a majority in at most 2 % of files."""
    total, most = votes.total(), max(votes.values(), default=0)
    return total > 0 and 2 * sum(comb(total, k) for k in range(most, total + 1)) / 2**total <= _CHANCE


def _by_volume(votes: Counter[str], exchange: str) -> tuple[Label, Detection]:
    """Return the label by votes from volumes.

    Where chance may explain the votes, it is the assumed label.
    """
    label, detection = _verdict(votes, exchange)
    if _beyond_chance(votes):
        return label, detection
    if votes and len(votes) == 1:
        return label, replace(detection, confidence="likely")
    return _unknown(exchange)


def _unknown(exchange: str) -> tuple[Label, Detection]:
    return _assumed(f"the first rows do not show it by the sessions of {exchange} (--exchange, --label)")


def _assumed(why: str) -> tuple[Label, Detection]:
    return "start", Detection("label", "start", f"assumed: {why}", "assumed")


def _verdict(votes: Counter[str], exchange: str) -> tuple[Label, Detection]:
    total = votes.total()
    if not total:
        return _unknown(exchange)
    label: Label = "end" if votes["end"] > votes["start"] else "start"
    share = votes[label] / total
    where = "at the open" if label == "start" else "one interval after the open"
    why = f"{votes[label]} of {total} sessions of {exchange} begin {where}"
    if share <= _MOSTLY:
        return label, Detection("label", label, why, "unsure")
    if label == "start":
        return label, Detection("label", label, why, "plain")
    return label, Detection("label", label, why, "certain" if total > 1 else "likely")
