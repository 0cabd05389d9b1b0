"""Detection of the interval of bars, by the usual distance between neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.errors import IntervalError
from openbell.importers.sniffing.detection import Detection
from openbell.model.interval import DAY_NS, parse_interval
from openbell.store.layout import STORED

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["length_of", "longer_than_days", "sniff_interval"]

_SECOND_NS = 1_000_000_000
_USUAL_NS = frozenset(
    seconds * _SECOND_NS
    for seconds in (
        *(1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 300, 360, 600, 720, 900, 1200, 1800, 2700),
        *(3600, 4500, 5400, 7200, 10_800, 14_400, 21_600, 28_800, 43_200, 23_400, 11_700),
    )
)
_MOST_GRIDS = 4
_STRAY = 0.05
_MOSTLY = 0.8
_FEWEST_STEPS = 2
_PERIODS = {"weekly": (5, 9), "monthly": (27, 32), "quarterly": (88, 94), "yearly": (363, 368)}
_LONG = 4
_MANY = 5


def sniff_interval(times: NDArray[np.int64], where: str, *, has_clock: bool) -> Detection:
    """Find the interval of bars by the usual distance between neighbours.

    Args:
        times: The times of one symbol's bars, in nanoseconds, in any order.
        where: The file, for messages.
        has_clock: Whether the times have a time of day.

    Raises:
        IntervalError: A store does not hold bars of the interval, or there are too few bars.
    """
    times = np.unique(times)
    steps = np.diff(times)
    if not has_clock or (len(times) > 1 and (steps % DAY_NS == 0).all()):
        if period := longer_than_days(times):
            raise _not_stored(f"{period}", where)
        why = "dates without a time of day" if not has_clock else "all times are the same time of day"
        return Detection("interval", "1d", why, "certain")
    if len(steps) == 0:
        raise IntervalError(f"{where}: one bar does not show its interval. Use --interval 1s, 1m or 1d.")
    values, counts = np.unique(steps, return_counts=True)
    usual, share = int(values[counts.argmax()]), counts.max() / counts.sum()
    # Daily bars with the time of a local close are 23 or 25 hours apart when the clocks change.
    if abs(usual - DAY_NS) <= 3600 * _SECOND_NS:
        return Detection("interval", "1d", f"{share:.0%} of neighbours are a day apart", "likely")
    if period := longer_than_days(times):
        raise _not_stored(f"{period}", where)
    usual = _on_one_grid(times, usual)
    if usual not in _USUAL_NS:
        raise _not_stored(length_of(usual) + " apart", where)
    name = str(parse_interval(f"{usual // _SECOND_NS}s"))
    why = f"{share:.0%} of neighbours are {name} apart"
    return Detection("interval", name, why, "certain" if share > _MOSTLY else "likely")


def _on_one_grid(times: NDArray[np.int64], usual: int) -> int:
    """Return the usual distance if times lie on its grid, else a shorter one.

    The shorter one is a minute or a second.
    """
    for shorter in (usual, 60 * _SECOND_NS, _SECOND_NS):
        past = times % shorter
        # After a break, trading may begin on another grid of the same distance.
        shares = np.sort(np.unique(past, return_counts=True)[1])[::-1] / len(times)
        if shorter <= usual and shares[:_MOST_GRIDS].sum() >= 1 - _STRAY:
            return shorter
    return usual


def longer_than_days(times: NDArray[np.int64]) -> str | None:
    """Return a text about the distance of bars longer than days, else None.

    Args:
        times: The times of one symbol's bars, in nanoseconds, ascending and unique.
    """
    days = np.diff(times) / DAY_NS
    if len(days) < _FEWEST_STEPS:
        return None
    usual = float(np.median(days))
    for period, (least, most) in _PERIODS.items():
        if ((days >= least) & (days <= most)).mean() >= _MOSTLY:
            return f"{usual:g} days apart ({period} bars)"
    return f"{usual:g} days apart" if len(days) >= _MANY and usual > _LONG else None


def length_of(step_ns: int) -> str:
    """Return a distance between bars for people."""
    seconds = step_ns / _SECOND_NS
    if seconds >= 86_400:
        return f"{seconds / 86_400:g} days"
    if seconds < 60:
        return f"{seconds:g} s"
    return "a minute" if seconds == 60 else f"{seconds / 60:g} minutes"


def _not_stored(how: str, where: str) -> IntervalError:
    return IntervalError(
        f"{where}: its bars are {how}, and such bars are not stored. A store takes {STORED}; openbell derives all "
        "others. Import the finer bars that these were made of; if they are 1m bars with many gaps, use --interval 1m."
    )
