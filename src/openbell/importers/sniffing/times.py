"""Detection of the format of times."""

from __future__ import annotations

import re
from itertools import product
from typing import NamedTuple

import numpy as np
import polars as pl

from openbell.errors import ConfigError
from openbell.importers.sniffing.detection import Detection
from openbell.importers.times.epochs import EPOCH, read_epochs, unit_of
from openbell.importers.times.written_times import formats_that_fit, read_written
from openbell.importers.times.zones import OFFSET, ZONE_NAME

__all__ = ["FORMATS", "TimeFormat", "sniff_time_format"]

_ISO = re.compile(
    r"\d{4}-\d\d-\d\d|\d{4}/\d\d/\d\d|(1[789]|20)\d{6}"
    r"|(\d{4}-\d\d-\d\d|\d{4}/\d\d/\d\d|\d{8})[ T\-]\d\d(:\d\d(:\d\d(\.\d+)?)?|\d\d(\d\d)?)"
)
_DAY_FIRST = ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y")
_MONTH_FIRST = ("%m/%d/%Y", "%m.%d.%Y", "%m-%d-%Y", "%m/%d/%y", "%m.%d.%y", "%m-%d-%y")
_CLEAR = (
    *("%Y.%m.%d", "%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%b %d %Y", "%d-%b-%y", "%d %b %y", "%d/%b/%Y", "%Y-%b-%d"),
    *("%Y%m%d", "%Y-%m-%d", "%Y/%m/%d", "%d%b%Y"),
)
_CLOCKS = (
    *("", " %H:%M:%S", " %H:%M", " %H:%M:%S%.f", " %I:%M:%S %p", " %I:%M %p", " %H%M%S", " %H%M"),
    *("T%H:%M:%S", "-%H:%M:%S", " %H.%M.%S", " %H.%M"),
)
FORMATS = tuple(map("".join, product((*_CLEAR, *_DAY_FIRST, *_MONTH_FIRST), _CLOCKS)))
"""The formats that are tried on times that are not ISO 8601; of several that fit, the first is taken."""
_COMPACT = {14: "%Y%m%d%H%M%S", 12: "%Y%m%d%H%M"}
_UNIT_NAMES = {1_000_000_000: "epoch_s", 1_000_000: "epoch_ms", 1_000: "epoch_us", 1: "epoch_ns"}
_HEAD = 200
_MOSTLY = 0.8
_EXCEL_DIGITS = 5
_FIRST_SURE_S = 100_000_000
_MINUTE_S = 60


class TimeFormat(NamedTuple):
    """The format of times.

    Attributes:
        form: A strftime format or a name of `EPOCH_FORMATS`; None for ISO 8601 and for a temporal column.
        has_clock: Whether the times have a time of day.
        detection: The detection to report.
    """

    form: str | None
    has_clock: bool
    detection: Detection


def sniff_time_format(texts: pl.Series, where: str) -> TimeFormat:
    """Find the format of times.

    Raises:
        ConfigError: No format fits, or days cannot be distinguished from months.
    """
    if texts.dtype.is_temporal():
        detection = Detection("time format", str(texts.dtype), "the type of the column", "plain")
        return TimeFormat(None, texts.dtype != pl.Date, detection)
    present = texts.drop_nulls().cast(pl.String).str.strip_chars()
    present = present.filter(present != "")
    if present.is_empty():
        raise ConfigError(f"{where}: the time column is empty.")
    head = present.head(_HEAD)
    if head.str.contains(r"^-?\d+(\.\d+)?([eE]\+?\d+)?$").all() and (head.str.len_chars() != 8).any():
        return _number_format(head, where)
    bare = _without_zones(present)
    iso = [text for text in bare.head(_HEAD) if _ISO.fullmatch(text)]
    if len(iso) >= _MOSTLY * len(head):
        has_clock = max(map(len, iso)) > len("2013-10-10")
        zoned = " with the names of zones" if _has_zone_names(head) else ""
        return TimeFormat(None, has_clock, Detection("time format", f"ISO 8601{zoned}", f"e.g. {head[0]}", "plain"))
    form, why = _written_format(bare, where, head[0])
    return TimeFormat(form, "%H" in form or "%I" in form, Detection("time format", form, why, "likely"))


def _has_zone_names(head: pl.Series) -> bool:
    names = head.str.extract(ZONE_NAME, 2).str.to_uppercase()
    return bool((names.is_not_null() & ~names.is_in(["UTC", "GMT"])).any())


def _without_zones(texts: pl.Series) -> pl.Series:
    """Return times without offsets and names of zones."""
    bare = texts.str.replace(OFFSET, "${1}").str.strip_chars()
    return (
        pl.DataFrame({"t": bare})
        .select(pl.coalesce(pl.col("t").str.extract(ZONE_NAME, 1), "t").str.strip_chars())
        .to_series()
    )


def _number_format(head: pl.Series, where: str) -> TimeFormat:
    """Return the format of times that are numbers.

    Raises:
        ConfigError: The numbers are of no known kind.
    """
    digits = len(head[0].lstrip("-").split(".")[0])
    if (form := _COMPACT.get(digits)) and not read_written(head, form).null_count():
        return TimeFormat(form, True, Detection("time format", form, f"e.g. {head[0]}", "likely"))
    if digits <= _EXCEL_DIGITS:
        hint = " They look like Excel's day numbers: export them as dates." if digits == _EXCEL_DIGITS else ""
        raise ConfigError(f"{where}: the times are numbers ({head[0]}) of no known kind; use --time-format.{hint}")
    found = read_epochs(head)
    values = head.cast(pl.Float64, strict=False).drop_nulls().to_numpy()
    if found["timestamp"].null_count() > (1 - _MOSTLY) * len(head) or not len(values):
        raise ConfigError(f"{where}: the times are numbers ({head[0]}) of no known kind; use --time-format.")
    if (np.abs(values) < _FIRST_SURE_S).all() and (values % _MINUTE_S != 0).any():
        # As seconds since 1970 they would be times before 1973 that are not on full minutes.
        raise ConfigError(
            f"{where}: the times are numbers ({head[0]}) of no known kind; use --time-format. They may count days: "
            "export them as dates."
        )
    units = dict.fromkeys(_UNIT_NAMES[int(unit)] for unit in unit_of(values.astype(np.int64)))
    why = f"numbers of {digits} digits since 1970; the unit is each value's"
    value = EPOCH if len(units) > 1 else next(iter(units))
    return TimeFormat(value, True, Detection("time format", value, why, "certain"))


def _written_format(texts: pl.Series, where: str, example: str) -> tuple[str, str]:
    """Return the first of `FORMATS` that fits, and the reason.

    Raises:
        ConfigError: None fits, or days cannot be distinguished from months.
    """
    head = texts.head(_HEAD)
    # %Y would read 13 as the year 13, which is implausible; %y comes later in the lists.
    most_nulls = (1 - _MOSTLY) * len(head)
    fits = [f for f in formats_that_fit(head[0], FORMATS) if read_written(head, f).null_count() <= most_nulls]
    by_day = [f for f in fits if f.startswith(("%d/%m", "%d.%m", "%d-%m"))]
    by_month = [f for f in fits if f.startswith("%m")]
    if by_day and by_month:
        return _day_or_month(texts, by_day[0], by_month[0], where)
    if not fits:
        raise ConfigError(
            f"{where}: the times ({example!r}) are written in no known way. Use --time-format, for example "
            "'%d.%m.%Y %H:%M', or name the right column with --time-column."
        )
    return fits[0], f"e.g. {example}"


def _day_or_month(texts: pl.Series, by_day: str, by_month: str, where: str) -> tuple[str, str]:
    """Return the format that reads more times or gives the smaller steps, and the reason.

    Raises:
        ConfigError: Both formats fit equally well.
    """
    day, month = (read_written(texts, form) for form in (by_day, by_month))
    if day.null_count() != month.null_count():
        form = by_day if day.null_count() < month.null_count() else by_month
        return form, f"numbers above 12 are {'days' if form == by_day else 'the days, not months'}"
    steps = [float(np.abs(np.diff(t.drop_nulls().to_physical().to_numpy())).sum()) for t in (day, month)]
    if steps[0] == steps[1]:
        raise ConfigError(
            f"{where}: {texts[0]!r} may be day/month or month/day. Use --time-format '{by_day}' or '{by_month}'."
        )
    form = by_day if steps[0] < steps[1] else by_month
    return form, f"read as {'day/month' if form == by_day else 'month/day'}, the times follow one another more closely"
