"""The interval of bars, by the usual distance between neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.errors import IntervalError
from openbell.importers.sniffing.detection import Detection
from openbell.model.interval import DAY_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["longer_than_days", "sniff_interval"]

_SECOND_NS = 1_000_000_000
_STORED = {1: "1s", 60: "1m", 3600: "60m"}
_MOSTLY = 0.8
_FEWEST_STEPS = 2
_PERIODS = {"weekly": (5, 9), "monthly": (27, 32), "quarterly": (88, 94), "yearly": (363, 368)}
_LONG = 4
_MANY = 5


def sniff_interval(times: NDArray[np.int64], where: str, *, has_clock: bool) -> Detection:
    """Find the interval of bars by the usual distance between neighbours.

    Args:
        times: Of one symbol, in nanoseconds, in any order.
        where: The file, for messages.
        has_clock: Whether the times have more than the date.

    Raises:
        IntervalError: Bars of it are not stored, or there are too few bars.
    """
    times = np.unique(times)
    steps = np.diff(times)
    if not has_clock or (len(times) > 1 and (steps % DAY_NS == 0).all()):
        if period := longer_than_days(times):
            raise _not_stored(f"{period}", where)
        why = "dates without a time of day" if not has_clock else "all times are the same time of day"
        return Detection("interval", "1d", why, "certain")
    if len(steps) == 0:
        raise IntervalError(f"{where}: one bar does not show its interval. Say --interval 1s, 1m or 1d.")
    values, counts = np.unique(steps, return_counts=True)
    usual, share = int(values[counts.argmax()]), counts.max() / counts.sum()
    # Daily bars stamped at a local close differ by an hour when clocks change.
    if abs(usual - DAY_NS) <= 3600 * _SECOND_NS:
        return Detection("interval", "1d", f"{share:.0%} of neighbours are a day apart", "likely")
    if period := longer_than_days(times):
        raise _not_stored(f"{period}", where)
    name = _STORED.get(usual // _SECOND_NS) if usual % _SECOND_NS == 0 else None
    if name == "1m" and (times % (60 * _SECOND_NS) != times[0] % (60 * _SECOND_NS)).mean() > 0.05:
        name = "1s"
    if name is None:
        raise _not_stored(_length(usual) + " apart", where)
    certain = share > _MOSTLY
    return Detection(
        "interval", name, f"{share:.0%} of neighbours are {name} apart", "certain" if certain else "likely"
    )


def longer_than_days(times: NDArray[np.int64]) -> str | None:
    """Return the distance of bars of weeks, months, quarters or years.

    None when they are no such bars.

    Args:
        times: Of one symbol, in nanoseconds, ascending, each once.
    """
    days = np.diff(times) / DAY_NS
    if len(days) < _FEWEST_STEPS:
        return None
    usual = float(np.median(days))
    for period, (least, most) in _PERIODS.items():
        if ((days >= least) & (days <= most)).mean() >= _MOSTLY:
            return f"{usual:g} days apart ({period} bars)"
    return f"{usual:g} days apart" if len(days) >= _MANY and usual > _LONG else None


def _length(step_ns: int) -> str:
    seconds = step_ns / _SECOND_NS
    if seconds >= 86_400:
        return f"{seconds / 86_400:g} days"
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} s"


def _not_stored(how: str, where: str) -> IntervalError:
    return IntervalError(
        f"{where}: its bars are {how}, and such bars are not stored. A store takes 1s, 1m, 60m and 1d bars, "
        "and openbell derives all others from 1s, 1m and 1d. Import the finer bars that these were made of; "
        "if these are 1m bars with many gaps, say --interval 1m."
    )
