"""Conversion of the times of bars to UTC, without ever guessing a time zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import polars as pl

from openbell.errors import ConfigError
from openbell.importers.times.epochs import EPOCH_FORMATS, FIRST_S, LAST_S, read_epochs
from openbell.importers.times.session_dates import session_dates
from openbell.importers.times.written_times import ISO_FORMATS, read_written
from openbell.importers.times.zones import OFFSET, ZONE_NAME, fixed_zone, local_to_utc, named_zone, require_zone
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from openbell.config.exchange import ExchangeConfig
    from openbell.model.interval import Interval

__all__ = ["EPOCH_FORMATS", "TimeReader"]

_WITH_OFFSET = ("%z", "%:z", "%#z", "%+")
_NO_TIME = "the time is missing or implausible"
_UTC_NS = pl.Datetime("ns", "UTC")
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class TimeReader:
    """Reader of the times of bars.

    Attributes:
        interval: The interval of the bars. Times of daily bars become dates, at 00:00 UTC.
        time_format: A strftime format or one of `EPOCH_FORMATS`; None reads ISO 8601 and similar formats.
        timezone: The time zone of times without an offset, e.g. ``America/New_York``; None when all have one.
        label: Whether the times are the starts or the ends of the bars. Ends may be up to a second early.
        sessions_of: The exchange by whose sessions instants of daily bars become dates; None: by ``timezone``, or
            without one as the dates are written.

    Raises:
        ConfigError: There is no such time zone, or ``label`` does not fit the interval.
    """

    interval: Interval
    time_format: str | None = None
    timezone: str | None = None
    label: Literal["start", "end"] = "start"
    sessions_of: str | ExchangeConfig | None = None

    def __post_init__(self) -> None:
        if self.label == "end" and not self.interval.is_intraday:
            raise ConfigError("daily bars are stamped with the date of their session; leave out --label end.")
        if self.timezone is not None:
            require_zone(self.timezone, "Write for example America/New_York.")

    def read(self, times: pl.Series, groups: pl.Series | None = None) -> pl.DataFrame:
        """Read the times of bars.

        Args:
            times: The time of each row: texts, numbers, or dates and times as a Parquet file has them.
            groups: The symbol of each row; None: all rows are of one symbol.

        Returns:
            Columns ``timestamp`` (start of the bar, UTC; null where there is a reason) and ``reason`` (why a time
            cannot be used, else null).

        Raises:
            ConfigError: Times have no offset and no time zone is given, or look like numbers and no format is given.
        """
        found = self.instants(times, groups) if self.interval.is_intraday else self._dates(times)
        if self.interval.is_intraday and self.label == "end":
            return found.with_columns(_full(self.interval) - pl.duration(nanoseconds=self.interval.ns))
        return found

    def instants(self, times: pl.Series, groups: pl.Series | None = None) -> pl.DataFrame:
        """Read times as instants, whatever the label.

        Args:
            times: As for `read`.
            groups: As for `read`.

        Returns:
            Columns ``timestamp`` (UTC) and ``reason``.

        Raises:
            ConfigError: As for `read`.
        """
        if times.dtype.is_temporal():
            return self._of_type(times, groups)
        if self.time_format in EPOCH_FORMATS:
            return read_epochs(times, EPOCH_FORMATS[self.time_format])
        if (alike := self._alike(times, groups)) is not None:
            return alike
        text = times.cast(pl.String).str.strip_chars().rename("text")
        if self.time_format is not None and any(code in self.time_format for code in _WITH_OFFSET):
            return _judged(
                text.str.to_datetime(self.time_format, time_unit="us", strict=False), "the time cannot be read"
            )
        parts = [self._with_offset(text), self._with_zone_name(text)]
        aware = parts[0]["timestamp"].is_not_null() | parts[1]["timestamp"].is_not_null()
        naive = read_written(text.set(aware, None), self.time_format)
        # Texts that are not times at all need no time zone.
        unread = text.filter(~aware & (naive.is_not_null() | text.str.contains(r"^-?\d{9,}(\.\d+)?$")))
        self._require_time_zone(unread)
        rest = local_to_utc(naive, self.timezone or "UTC", groups)
        found = parts[0]["timestamp"].fill_null(parts[1]["timestamp"]).fill_null(rest["timestamp"])
        return pl.DataFrame({"timestamp": found, "reason": rest["reason"].set(found.is_not_null(), None)})

    def _of_type(self, times: pl.Series, groups: pl.Series | None) -> pl.DataFrame:
        """Return the instants of a temporal column, whose times without a zone are local times."""
        if getattr(times.dtype, "time_zone", None) is not None:
            return _judged(times, _NO_TIME)
        naive = times.cast(pl.Datetime("us"))
        naive = naive.set(_implausible(naive), None)
        self._require_time_zone(naive.drop_nulls().head(1).cast(pl.String))
        found = local_to_utc(naive, self.timezone or "UTC", groups)
        return found.with_columns(pl.col("reason").str.replace("the time cannot be read", _NO_TIME))

    def _alike(self, times: pl.Series, groups: pl.Series | None) -> pl.DataFrame | None:
        """Return the instants if all times have the format of the first, else None."""
        # Parsing all in one format is several times faster.
        if times.dtype != pl.String or not len(times) or times.null_count():
            return None
        first = times.head(1)
        aware = bool(first.str.contains(OFFSET)[0])
        formats = (
            (self.time_format,) if self.time_format else (*ISO_FORMATS, *(f.replace(" ", "T") for f in ISO_FORMATS))
        )
        for form in formats:
            whole = f"{form}%#z" if aware and not self.time_format else form
            if first.str.to_datetime(whole, time_unit="us", strict=False).null_count():
                continue
            found = times.str.to_datetime(whole, time_unit="us", strict=False)
            if found.null_count():
                return None
            if getattr(found.dtype, "time_zone", None) is not None:
                return _judged(found, "")
            if aware:
                return None
            self._require_time_zone(first)
            return local_to_utc(found.set(_implausible(found), None), self.timezone or "UTC", groups)
        return None

    def _with_offset(self, text: pl.Series) -> pl.DataFrame:
        """Return the instants of times with an offset, and a reason for all others."""
        parts = text.to_frame().select(pl.col("text").str.extract_groups(OFFSET).alias("parts")).unnest("parts")
        sign = pl.when(pl.col("2").str.starts_with("-")).then(-1).otherwise(1)
        hours = pl.col("2").str.slice(1, 2).cast(pl.Int64)
        minutes = pl.col("2").str.extract(r"^...:?(\d\d)").cast(pl.Int64).fill_null(0)
        shift = pl.duration(minutes=(sign * (hours * 60 + minutes)).fill_null(0))
        local = read_written(parts["1"].str.strip_chars(), self.time_format)
        frame = parts.with_columns(local=local)
        return _judged(frame.select((pl.col("local") - shift).dt.replace_time_zone("UTC")).to_series(), "no offset")

    def _with_zone_name(self, text: pl.Series) -> pl.DataFrame:
        """Return the instants of times with a zone's name, and reasons for others.

        Raises:
            ConfigError: A name is unknown or ambiguous.
        """
        parts = text.to_frame().select(pl.col("text").str.extract_groups(ZONE_NAME).alias("parts")).unnest("parts")
        upper = parts["2"].str.to_uppercase()
        names = upper.set(upper.is_in(["UTC", "GMT"]).fill_null(value=True), None)
        found = pl.DataFrame({"timestamp": pl.Series([None], dtype=_UTC_NS).new_from_index(0, len(text))})
        for name in names.drop_nulls().unique():
            mine = (names == name).fill_null(value=False)
            local = read_written(parts["1"].str.strip_chars().set(~mine, None), self.time_format)
            hours = fixed_zone(name)
            if hours is None:
                instants = local_to_utc(local, named_zone(str(parts["2"].filter(mine)[0]), self.timezone))["timestamp"]
            else:
                instants = _earlier(local, pl.duration(hours=hours)).cast(_UTC_NS)
            found = found.select(pl.col("timestamp").fill_null(pl.lit(instants)))
        return _judged(found["timestamp"], "no zone")

    def _dates(self, times: pl.Series) -> pl.DataFrame:
        """Return the dates of daily bars, as written, by the time zone or by the sessions."""
        written = self.written_dates(times)
        if self.sessions_of is None and (self.timezone is None or not self.has_instants(times)):
            return _judged(written, "the date cannot be read" if times.dtype == pl.String else _NO_TIME)
        local = TimeReader(self.interval, self.time_format, self.timezone or "UTC")
        found = local.instants(times)
        if self.sessions_of is not None:
            days = session_dates(found["timestamp"], TimeManager(self.sessions_of))
            return _judged(days, f"the calendar of {self.sessions_of} has no session of this time")
        days = found["timestamp"].dt.convert_time_zone(self.timezone or "UTC").dt.replace_time_zone(None)
        return _judged(days.fill_null(written).dt.truncate("1d"), "the date cannot be read")

    def written_dates(self, times: pl.Series) -> pl.Series:
        """Return the dates as they are written, for numbers the dates in UTC."""
        return self.written_times(times).dt.truncate("1d")

    def written_times(self, times: pl.Series) -> pl.Series:
        """Return the times as they are written, as datetimes without a zone.

        For numbers, these are the times in UTC.
        """
        if times.dtype.is_temporal():
            aware = getattr(times.dtype, "time_zone", None) is not None
            if isinstance(times.dtype, pl.Datetime):
                times = times.set(_implausible(times), None)
            local = times.dt.replace_time_zone(None) if aware else times
            return local.cast(pl.Datetime("us"))
        if self.time_format in EPOCH_FORMATS:
            found = read_epochs(times, EPOCH_FORMATS[self.time_format])["timestamp"]
            return found.dt.replace_time_zone(None).cast(pl.Datetime("us"))
        text = times.cast(pl.String).str.strip_chars().rename("text")
        if self.time_format is not None and any(code in self.time_format for code in _WITH_OFFSET):
            found = text.str.to_datetime(self.time_format, time_unit="us", strict=False)
            return found.dt.replace_time_zone(None) if getattr(found.dtype, "time_zone", None) else found
        bare = text.str.replace(OFFSET, "${1}").str.strip_chars()
        bare = pl.select(pl.coalesce(pl.lit(bare).str.extract(ZONE_NAME, 1), pl.lit(bare))).to_series()
        return read_written(bare, self.time_format)

    def has_instants(self, times: pl.Series) -> bool:
        """Return whether times are instants without regard to ``timezone``, by an offset or as numbers."""
        if times.dtype.is_temporal():
            return getattr(times.dtype, "time_zone", None) is not None
        if self.time_format in EPOCH_FORMATS:
            return True
        form = self.time_format or ""
        return any(code in form for code in _WITH_OFFSET) or bool(times.cast(pl.String).str.contains(OFFSET).any())

    def _require_time_zone(self, naive: pl.Series) -> None:
        """Refuse times without an offset when no time zone is given.

        Raises:
            ConfigError: There are such times, or numbers and no format is given.
        """
        if self.time_format is None and len(naive) and naive.str.contains(r"^-?\d{9,}(\.\d+)?$").all():
            known = ", ".join(EPOCH_FORMATS)
            raise ConfigError(f"the times are numbers ({naive[0]}): use --time-format with one of {known}.")
        if self.timezone is None and len(naive):
            raise ConfigError(
                f"naive timestamps ({naive[0][:40]!r} has no UTC offset): name the time zone of its clock, for example "
                "--timezone America/New_York, or --timezone UTC."
            )


def _full(interval: Interval) -> pl.Expr:
    """Return ends with those just before a full minute or second moved to it."""
    unit = min(interval.ns, 60 * _SECOND_NS)
    early = _SECOND_NS if unit > _SECOND_NS else 1_000_000
    past = pl.col("timestamp").to_physical() % unit
    up = pl.when(past >= unit - early).then(unit - past).otherwise(0)
    return (pl.col("timestamp") + pl.duration(nanoseconds=up, time_unit="ns")).alias("timestamp")


def _earlier(local: pl.Series, shift: pl.Expr) -> pl.Series:
    return local.to_frame("local").select((pl.col("local") - shift).dt.replace_time_zone("UTC")).to_series()


def _implausible(times: pl.Series) -> pl.Series:
    """Return a mask of times before 1700 and after 2100, some of which nanoseconds cannot hold."""
    unit = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[times.dtype.time_unit]  # type: ignore[attr-defined]
    ticks = times.to_physical()
    return ((ticks < FIRST_S * unit) | (ticks >= LAST_S * unit)).fill_null(value=False)


def _judged(times: pl.Series, reason: str) -> pl.DataFrame:
    """Return times in nanoseconds UTC, with ``reason`` where one is missing, and another where implausible."""
    odd = _implausible(times)
    known = times.to_frame("t").select(pl.when(~odd).then("t")).to_series() if odd.any() else times
    aware = known if getattr(times.dtype, "time_zone", None) is not None else known.dt.replace_time_zone("UTC")
    whole = aware.dt.convert_time_zone("UTC").cast(_UTC_NS)
    if not whole.null_count():
        return pl.DataFrame({"timestamp": whole}).with_columns(reason=pl.lit(None, pl.String))
    return pl.DataFrame({"timestamp": whole, "odd": odd}).select(
        "timestamp",
        pl.when("odd").then(pl.lit("the year is implausible"))
        .when(pl.col("timestamp").is_null()).then(pl.lit(reason)).alias("reason"),
    )  # fmt: skip
