"""The format of times, the interval of bars, and their label."""

from __future__ import annotations

import re
from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import polars as pl

from openbell.errors import ConfigError, IntervalError
from openbell.importers.sniffing.columns import Detection
from openbell.model.interval import DAY_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.timing import TimeManager
    from openbell.timing.grid import SessionGrid

__all__ = ["TimeFormat", "sniff_interval", "sniff_label", "sniff_time_format"]

_ISO = re.compile(
    r"\d{4}-\d\d-\d\d|\d{4}/\d\d/\d\d|\d{8}"
    r"|(\d{4}-\d\d-\d\d|\d{4}/\d\d/\d\d|\d{8})[ T]\d\d(:\d\d(:\d\d(\.\d+)?)?|\d\d(\d\d)?)( ?(Z|UTC|[+-]\d\d:?\d\d))?"
)
_EPOCHS = {9: "epoch_s", 10: "epoch_s", 12: "epoch_ms", 13: "epoch_ms", 16: "epoch_us", 19: "epoch_ns"}
_DAY_FIRST = ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y")
_MONTH_FIRST = ("%m/%d/%Y", "%m.%d.%Y", "%m-%d-%Y", "%m/%d/%y")
_CLEAR = ("%Y.%m.%d", "%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%b %d %Y", "%d-%b-%y", "%Y%m%d", "%Y-%m-%d", "%Y/%m/%d")
_CLOCKS = (
    *("", " %H:%M:%S", " %H:%M", " %H:%M:%S%.f", " %I:%M:%S %p", " %I:%M %p", " %H%M%S", " %H%M"),
    *(", %H:%M:%S", ", %H:%M", "T%H:%M:%S", " %H:%M:%S%.f GMT%z", " %H:%M:%S %z", " %H:%M:%S%z"),
)
_COMPACT = {14: "%Y%m%d%H%M%S", 12: "%Y%m%d%H%M"}
_HEAD = 200
_SECOND_NS = 1_000_000_000
_MINUTE_NS = 60 * _SECOND_NS
_HOUR_NS = 3600 * _SECOND_NS
_STORED = {1: "1s", 60: "1m", 3600: "60m"}
_MOSTLY = 0.8
_CLEARLY = 1.05


class TimeFormat(NamedTuple):
    """The way in which times are written.

    ``form`` is None for ISO 8601; ``has_clock`` is whether they have a time of day.
    """

    form: str | None
    has_clock: bool
    detection: Detection


def sniff_time_format(texts: pl.Series, where: str) -> TimeFormat:
    """Find the format of times.

    Raises:
        ConfigError: No format fits, or one cannot tell days from months.
    """
    present = texts.drop_nulls()
    if texts.dtype.is_temporal():
        detection = Detection("time format", str(texts.dtype), "the type of the column", "plain")
        return TimeFormat(None, texts.dtype != pl.Date, detection)
    present = present.cast(pl.String).str.strip_chars()
    present = present.filter(present != "")
    head = present.head(_HEAD).to_list()
    if not head:
        raise ConfigError(f"{where}: the time column is empty.")
    iso = [t for t in head if _ISO.fullmatch(t)]
    if len(iso) >= _MOSTLY * len(head):
        has_clock = max(map(len, iso)) > len("2013-10-10")
        return TimeFormat(None, has_clock, Detection("time format", "ISO 8601", f"e.g. {iso[0]}", "plain"))
    if all(re.fullmatch(r"\d+(\.\d+)?", t) for t in head):
        return _number_format(head, where)
    form, why = _written_format(present, head, where)
    return TimeFormat(form, "%H" in form or "%I" in form, Detection("time format", form, why, "likely"))


def _number_format(head: list[str], where: str) -> TimeFormat:
    digits = len(head[0].split(".")[0])
    if (form := _COMPACT.get(digits)) and head[0][:2] in ("19", "20"):
        return TimeFormat(form, True, Detection("time format", form, f"e.g. {head[0]}", "likely"))
    if (form := _EPOCHS.get(digits)) is None:
        hint = " They look like Excel's day numbers: export them as dates." if digits == 5 else ""
        raise ConfigError(f"{where}: the times are numbers ({head[0]}) of no known kind; say --time-format.{hint}")
    return TimeFormat(form, True, Detection("time format", form, f"numbers of {digits} digits", "certain"))


def _written_format(present: pl.Series, head: list[str], where: str) -> tuple[str, str]:
    first = pl.Series(head)
    fits = [
        form
        for form in map("".join, product((*_CLEAR, *_DAY_FIRST, *_MONTH_FIRST), _CLOCKS))
        if not first.str.to_datetime(form, time_unit="ns", strict=False).head(1).null_count()
        and _share_read(first, form) >= _MOSTLY
    ]
    # %Y would read 13 as the year 13; %y comes later in the lists.
    fits = [form for form in fits if _plausible(first, form)]
    by_day = [f for f in fits if f.startswith(("%d/", "%d.", "%d-%m"))]
    by_month = [f for f in fits if f.startswith("%m")]
    if by_day and by_month:
        return _day_or_month(present, by_day[0], by_month[0], where)
    if not fits:
        example = head[0]
        raise ConfigError(
            f"{where}: the times ({example!r}) are written in no known way. Say --time-format, for example "
            "'%d.%m.%Y %H:%M', or name the right column with --time-column."
        )
    return fits[0], f"e.g. {head[0]}"


def _share_read(texts: pl.Series, form: str) -> float:
    return 1 - texts.str.to_datetime(form, time_unit="ns", strict=False).null_count() / len(texts)


def _plausible(texts: pl.Series, form: str) -> bool:
    years = texts.str.to_datetime(form, time_unit="us", strict=False).dt.year()
    return bool((years.drop_nulls().is_between(1900, 2100)).all())


def _day_or_month(present: pl.Series, by_day: str, by_month: str, where: str) -> tuple[str, str]:
    day, month = (present.str.to_datetime(form, time_unit="ns", strict=False) for form in (by_day, by_month))
    if day.null_count() != month.null_count():
        form = by_day if day.null_count() < month.null_count() else by_month
        return form, f"numbers above 12 tell {'days' if form == by_day else 'the days'} from months"
    steps = [float(np.abs(np.diff(t.drop_nulls().to_physical().to_numpy())).sum()) for t in (day, month)]
    if steps[0] == steps[1]:
        raise ConfigError(
            f"{where}: {present[0]!r} may be day/month or month/day. Say --time-format '{by_day}' or '{by_month}'."
        )
    form = by_day if steps[0] < steps[1] else by_month
    return form, f"read as {'day/month' if form == by_day else 'month/day'}, the times follow one another more closely"


def sniff_interval(times: NDArray[np.int64], where: str, *, has_clock: bool) -> Detection:
    """Find the interval of bars by the usual distance between neighbours.

    Args:
        times: Of one symbol, in nanoseconds, in any order.
        where: The file, for messages.
        has_clock: Whether the times tell more than the date.

    Raises:
        IntervalError: Bars of it are not stored, or there are too few bars.
    """
    times = np.unique(times)
    steps = np.diff(times)
    if not has_clock or (len(times) > 1 and (steps % DAY_NS == 0).all()):
        if len(steps) >= 5 and np.median(steps) > 4 * DAY_NS:
            raise _not_stored(int(np.median(steps)), where)
        why = "dates without a time of day" if not has_clock else "all times are the same time of day"
        return Detection("interval", "1d", why, "certain")
    if len(steps) == 0:
        raise IntervalError(f"{where}: one bar does not tell its interval. Say --interval 1s, 1m or 1d.")
    values, counts = np.unique(steps, return_counts=True)
    usual, share = int(values[counts.argmax()]), counts.max() / counts.sum()
    # Daily bars stamped at a local close differ by an hour when clocks change.
    if abs(usual - DAY_NS) <= 3600 * _SECOND_NS:
        return Detection("interval", "1d", f"{share:.0%} of neighbours are a day apart", "likely")
    name = _STORED.get(usual // _SECOND_NS) if usual % _SECOND_NS == 0 else None
    if name == "1m" and (times % (60 * _SECOND_NS) != times[0] % (60 * _SECOND_NS)).mean() > 0.05:
        name = "1s"
    if name is None:
        raise _not_stored(usual, where)
    return Detection(
        "interval", name, f"{share:.0%} of neighbours are {name} apart", "certain" if share > _MOSTLY else "likely"
    )


def _not_stored(step_ns: int, where: str) -> IntervalError:
    seconds = step_ns / _SECOND_NS
    text = (
        f"{seconds / 86_400:g} days"
        if seconds >= 86_400
        else f"{seconds / 60:g} minutes"
        if seconds >= 60
        else f"{seconds:g} s"
    )
    return IntervalError(
        f"{where}: its bars are {text} apart, and such bars are not stored. A store takes 1s, 1m, 60m and 1d bars, "
        "and openbell derives all others from 1s, 1m and 1d. Import the finer bars that these were made of; "
        "if these are 1m bars with many gaps, say --interval 1m."
    )


def sniff_label(
    starts: NDArray[np.int64], volume: NDArray[np.float64], step_ns: int, time_manager: TimeManager
) -> tuple[Literal["start", "end"], Detection]:
    """Find whether intraday times are starts or ends, by the sessions' opens.

    Args:
        starts: Times as they are in the file, nanoseconds UTC.
        volume: Of each bar; tells the opening bar where there are bars before it.
        step_ns: The interval.
        time_manager: Knows when sessions open.
    """
    order = np.argsort(starts, kind="stable")
    starts, volume = starts[order], volume[order]
    grid = time_manager.grid(time_manager.day_of(int(starts[0])), time_manager.day_of(int(starts[-1])))
    votes: Counter[tuple[str, bool]] = Counter()
    for opens, closes in _opens_and_closes(grid):
        at, following, last = np.searchsorted(starts, [opens, opens + step_ns, closes])
        has_open, has_next, has_close = (
            place < len(starts) and starts[place] == time
            for place, time in ((at, opens), (following, opens + step_ns), (last, closes))
        )
        if _is_extended(starts, opens, closes):
            # A second is too short to tell it.
            if step_ns >= _MINUTE_NS and (label := _label_by_busy_bars(starts, volume, opens, closes, step_ns)):
                votes[label, False] += 1
        elif has_open:
            votes["start", True] += 1
        elif has_close or (has_next and step_ns >= _MINUTE_NS):
            votes["end", False] += 1
    if votes["start", True]:
        # Bars stamped at their ends begin after the open; without trades in the first minute, others do so, too.
        return _verdict({"start": votes["start", True], "end": 0}, time_manager)
    return _verdict({name: votes[name, True] + votes[name, False] for name in ("start", "end")}, time_manager)


def _opens_and_closes(grid: SessionGrid) -> list[tuple[int, int]]:
    """List the times at which trading begins after a pause and ends before one.

    Where one session begins as the other ends, bars of either label lie on both sides.
    """
    pauses = grid.open_ns[1:] != grid.close_ns[:-1]
    if len(grid) > 1 and not pauses.any():
        return []
    opens, closes = grid.open_ns[np.append(True, pauses)], grid.close_ns[np.append(pauses, True)]
    return list(zip(opens.tolist(), closes.tolist(), strict=True))


def _label_by_busy_bars(
    times: NDArray[np.int64], volume: NDArray[np.float64], opens: int, closes: int, step_ns: int
) -> Literal["start", "end"] | None:
    """Return the label by the volumes around open and close.

    None when they are much the same. The last bar of the session is busier than the one after it; else the first one
    than those before.

    The last bar of the session is busier than the one after it; else the first one than those before.
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


def _verdict(votes: dict[str, int], time_manager: TimeManager) -> tuple[Literal["start", "end"], Detection]:
    total = sum(votes.values())
    exchange = time_manager.exchange
    if not total:
        why = f"assumed: the first rows do not tell it by the sessions of {exchange} (--exchange, --label)"
        return "start", Detection("label", "start", why, "plain")
    label: Literal["start", "end"] = "end" if votes["end"] > votes["start"] else "start"
    share = votes[label] / total
    where = "at the open" if label == "start" else "one interval after the open"
    why = f"{votes[label]} of {total} sessions of {exchange} begin {where}"
    if label == "start":
        return label, Detection("label", label, why, "plain" if share > _MOSTLY else "unsure")
    return label, Detection(
        "label", label, why, "certain" if share > _MOSTLY and total > 1 else "likely" if share > _MOSTLY else "unsure"
    )
