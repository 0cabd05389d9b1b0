"""Times in text brought to UTC, never by guessing a time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from openbell.errors import ConfigError

if TYPE_CHECKING:
    from openbell.model.interval import Interval

__all__ = ["EPOCH_FORMATS", "TimeReader"]

EPOCH_FORMATS = {"epoch_s": 1_000_000_000, "epoch_ms": 1_000_000, "epoch_us": 1_000, "epoch_ns": 1}
"""Formats for times that are counted since 1970 UTC, with the nanoseconds of their unit."""

_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d")
_CLOCKS = ("%H:%M:%S%.f", "%H:%M", "%H%M%S", "%H%M")
_FORMATS = tuple(f"{day}T{clock}" for day in _DATES for clock in _CLOCKS)
_OFFSET = r"[ ]?(Z|UTC|[+-]\d{2}:?\d{2})$"
_UTC_NS = pl.Datetime("ns", "UTC")


@dataclass(frozen=True, slots=True)
class TimeReader:
    """Reader of the times of bars.

    Attributes:
        interval: The interval of the bars. Daily ones get the date as it is written, at 00:00 UTC.
        time_format: A strftime format or one of `EPOCH_FORMATS`; None reads ISO 8601 and its like.
        timezone: The time zone of times without an offset, e.g. ``America/New_York``; None when all carry one.
        label: Whether the times are the starts or the ends of the bars.

    Raises:
        ConfigError: There is no such time zone, or ``label`` does not fit the interval.
    """

    interval: Interval
    time_format: str | None = None
    timezone: str | None = None
    label: Literal["start", "end"] = "start"

    def __post_init__(self) -> None:
        if self.label == "end" and not self.interval.is_intraday:
            raise ConfigError("daily bars are stamped with the date of their session; leave out --label end.")
        if self.timezone is not None:
            try:
                ZoneInfo(self.timezone)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise ConfigError(f"unknown time zone {self.timezone!r}. Write for example America/New_York.") from None

    def read(self, texts: pl.Series) -> pl.DataFrame:
        """Read the times of bars.

        Args:
            texts: One for each row: strings, numbers, or dates and times as a Parquet file has them.

        Returns:
            Columns ``timestamp`` (start of the bar, UTC; null where there is a reason) and ``reason`` (why a time
            cannot be used, else null).

        Raises:
            ConfigError: Times have no offset and no time zone is given, or look like numbers and no format is given.
        """
        if texts.dtype.is_temporal():
            found = self._from_times(texts)
        elif self.time_format in EPOCH_FORMATS:
            found = self._from_epoch(texts, EPOCH_FORMATS[self.time_format])
        else:
            found = self._from_text(texts)
        if self.interval.is_intraday and self.label == "end":
            return found.with_columns(pl.col("timestamp") - pl.duration(nanoseconds=self.interval.ns))
        return found

    def _from_times(self, times: pl.Series) -> pl.DataFrame:
        """Return dates and times as they are, those without a time zone as local ones."""
        aware = getattr(times.dtype, "time_zone", None) is not None
        if self.interval.is_intraday:
            if aware:
                return _judged(times, "the time is missing")
            naive = times.cast(pl.Datetime("ns"))
            self._require_time_zone(naive.drop_nulls().head(1).cast(pl.String))
            return _with_time_zone(_no_times(len(naive)), naive, self.timezone or "UTC")
        local = times.dt.convert_time_zone(self.timezone) if aware and self.timezone else times
        if aware:
            local = local.dt.replace_time_zone(None)
        return _judged(local.cast(pl.Date).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC"), "the date is missing")

    def _from_text(self, texts: pl.Series) -> pl.DataFrame:
        alike = self._alike(texts)
        if alike is not None:
            return alike
        text = texts.cast(pl.String).str.strip_chars().rename("text")
        return self._instants(text) if self.interval.is_intraday else self._dates(text)

    def _alike(self, texts: pl.Series) -> pl.DataFrame | None:
        """Return the times if all are written like the first.

        None otherwise.
        """
        if not self.interval.is_intraday or texts.dtype != pl.String or not len(texts) or texts.null_count():
            return None
        offset = bool(re.search(_OFFSET, str(texts[0])))
        for form in _FORMATS if self.time_format is None else (self.time_format,):
            for written in (form, form.replace("T", " ")) if self.time_format is None else (form,):
                aware = offset if self.time_format is None else "%z" in written or "%+" in written
                whole = written + "%#z" if aware and self.time_format is None else written
                if texts.head(1).str.to_datetime(whole, time_unit="ns", strict=False).null_count():
                    continue
                found = texts.str.to_datetime(whole, time_unit="ns", strict=False)
                if found.null_count():
                    return None
                if aware:
                    return _judged(found, "")
                self._require_time_zone(texts.head(1))
                return _with_time_zone(_no_times(len(found)), found, self.timezone or "UTC")
        return None

    def _from_epoch(self, text: pl.Series, unit_ns: int) -> pl.DataFrame:
        text = text.str.strip_chars() if text.dtype == pl.String else text
        # Fractions of seconds are usual, but a float does not hold today's nanoseconds.
        whole = text.cast(pl.Int64, strict=False)
        parts = (text.cast(pl.Float64, strict=False) * unit_ns).round(0).cast(pl.Int64, strict=False)
        times = (whole * unit_ns).fill_null(parts).cast(_UTC_NS)
        if not self.interval.is_intraday:
            local = times.dt.convert_time_zone(self.timezone or "UTC")
            times = local.dt.replace_time_zone(None).dt.truncate("1d").dt.replace_time_zone("UTC")
        return _judged(times, "the time is not a number")

    def _dates(self, text: pl.Series) -> pl.DataFrame:
        """Return the dates as they are written.

        In the time zone if one is given and the times have offsets.
        """
        if self.timezone is not None and self.time_format is None and text.str.contains(_OFFSET).any():
            local = self._parsed(text, aware=True).dt.convert_time_zone(self.timezone).dt.replace_time_zone(None)
            local = local.fill_null(self._parsed(text, aware=False))
        elif self.time_format is None:
            written = text.str.replace(_OFFSET, "").str.extract(r"^(\d{4}-\d\d-\d\d|\d{4}/\d\d/\d\d|\d{8})(?:[ T].*)?$")
            local = _first_that_fits(written, _DATES)
        else:
            local = _first_that_fits(text, (self.time_format,))
        dates = local.dt.replace_time_zone(None).dt.truncate("1d").dt.replace_time_zone("UTC")
        return _judged(dates, "the date cannot be read")

    def _instants(self, text: pl.Series) -> pl.DataFrame:
        if self.time_format is not None and any(code in self.time_format for code in ("%z", "%:z", "%#z", "%+")):
            return _judged(_first_that_fits(text, (self.time_format,)).cast(_UTC_NS), "the time cannot be read")
        aware = pl.Series([False]).new_from_index(0, len(text))
        if self.time_format is None:
            aware = text.str.contains(_OFFSET).fill_null(value=False)
        self._require_time_zone(text.filter(~aware & text.is_not_null() & (text != "")))
        instants = self._parsed(text.set(~aware, None), aware=True)
        naive = self._parsed(text.set(aware, None), aware=False)
        return _with_time_zone(instants, naive, self.timezone or "UTC")

    def _require_time_zone(self, naive: pl.Series) -> None:
        """Refuse times without an offset when no time zone is given."""
        if self.time_format is None and len(naive) and naive.str.contains(r"^\d{9,}(\.\d+)?$").all():
            known = ", ".join(EPOCH_FORMATS)
            raise ConfigError(f"the times are numbers ({naive[0]}): say --time-format with one of {known}.")
        if self.timezone is None and len(naive):
            raise ConfigError(
                f"naive timestamps ({naive[0]!r} has no UTC offset): say where its clock stands, for example "
                "--timezone America/New_York, or --timezone UTC."
            )

    def _parsed(self, text: pl.Series, *, aware: bool) -> pl.Series:
        formats = _FORMATS if self.time_format is None else (self.time_format,)
        if self.time_format is None:
            text = text.str.replace(r"^(\d{4}[-/]?\d{2}[-/]?\d{2})[ T]+", "${1}T").str.replace(
                r"[ ]?(Z|UTC)$", "+00:00"
            )
            text = text.str.replace(r"^(\d{4}[-/]?\d{2}[-/]?\d{2})$", "${1}T00:00")
        if not aware:
            return _first_that_fits(text, formats)
        return _first_that_fits(text, [f"{form}%z" for form in formats]).cast(_UTC_NS)


def _first_that_fits(text: pl.Series, formats: tuple[str, ...] | list[str]) -> pl.Series:
    """Read each text in the first format that fits it.

    Null where none does.
    """
    found = text.str.to_datetime(formats[0], time_unit="ns", strict=False)
    for form in formats[1:]:
        if found.null_count() == text.null_count():
            break
        found = found.fill_null(text.str.to_datetime(form, time_unit="ns", strict=False))
    return found


def _with_time_zone(instants: pl.Series, naive: pl.Series, timezone: str) -> pl.DataFrame:
    """Bring instants and local times of a zone to UTC.

    What the change of clocks makes unclear gets a reason.
    """
    local = naive.dt.replace_time_zone(timezone, ambiguous="null", non_existent="null").dt.convert_time_zone("UTC")
    if instants.null_count() == len(instants) and not local.null_count():
        return _judged(local, "")
    either = naive.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    reason = (
        pl.when(pl.col("timestamp").is_not_null()).then(None)
        .when(pl.col("naive").is_null()).then(pl.lit("the time cannot be read"))
        .when(pl.col("either").is_null()).then(pl.lit(f"there is no such time in {timezone}: the clocks skip it"))
        .otherwise(pl.lit(f"the time comes twice in {timezone}: the clocks are set back"))
    )  # fmt: skip
    frame = pl.DataFrame({"timestamp": instants.fill_null(local), "naive": naive, "either": either})
    return frame.select("timestamp", reason.alias("reason"))


def _no_times(rows: int) -> pl.Series:
    return pl.Series([None], dtype=_UTC_NS).new_from_index(0, rows)


def _judged(times: pl.Series, reason: str) -> pl.DataFrame:
    if not times.null_count():
        return pl.DataFrame({"timestamp": times.cast(_UTC_NS)}).with_columns(reason=pl.lit(None, pl.String))
    return pl.DataFrame({"timestamp": times.cast(_UTC_NS)}).with_columns(
        reason=pl.when(pl.col("timestamp").is_null()).then(pl.lit(reason))
    )
