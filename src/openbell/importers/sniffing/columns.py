"""The role of each column, by its name or by its values."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import polars as pl

from openbell.errors import ConfigError
from openbell.importers.bar_rows import PRICES, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Confidence", "Detection", "sniff_columns"]

Confidence = Literal["given", "plain", "certain", "likely", "unsure"]

_NAMES: dict[str, tuple[str, ...]] = {
    "time": (
        *("timestamp", "time", "datetime", "date_time", "date", "ts", "ts_event", "t", "d", "dt", "bar_time"),
        *("open_time", "start_time", "start", "begin", "gmt_time", "local_time", "utc_time", "time_utc", "unix"),
        *("unix_time", "unix_timestamp", "epoch", "dtyyyymmdd", "trade_date", "day", "datum", "zeit"),
        *("close_time", "end_time", "end", "index_level_0"),
    ),
    "open": ("open", "o", "open_price", "opening_price", "price_open", "px_open", "first", "opn", "erster"),
    "high": ("high", "h", "high_price", "price_high", "px_high", "max", "hi", "hoch"),
    "low": ("low", "l", "low_price", "price_low", "px_low", "min", "lo", "tief"),
    "close": (
        *("close", "c", "last", "close_last", "close_price", "closing_price", "price_close", "px_close", "px_last"),
        *("price", "settle", "schlusskurs", "schluss", "adj_close", "adjusted_close"),
    ),
    "volume": ("volume", "v", "vol", "qty", "quantity", "shares", "size", "volumen", "stuck", "tickvol", "tick_volume"),
    "symbol": ("symbol", "ticker", "sym", "act_symbol", "instrument", "ric", "contract", "pair", "code"),
}
_TICK_VOLUMES = {"tickvol", "tick_volume"}
_DATE_NAMES = {"date", "day", "trade_date", "dtyyyymmdd", "datum", "d"}
_CLOCK_NAMES = {"time", "clock", "hour", "zeit", "time_of_day", "t", "timestamp"}
_USUAL = {"time": {"timestamp", "time", "datetime", "date"}, **{n: {n} for n in (*PRICES, "volume")}}
_CLOCK = r"^\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?$|^\d{3,6}$"
_DATE = r"^(19|20)\d{2}(\d{4}|-\d{2}-\d{2}|/\d{2}/\d{2}|\.\d{2}\.\d{2})$|^\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}$"
_TIME_LIKE = (
    r"^\d{4}[-/.]\d{2}[-/.]\d{2}|^(19|20)\d{6}|^\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|^1?\d{9}(\d{3}|\d{6}|\d{9})?(\.\d+)?$"
)
_ENOUGH = 0.9


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing found out about a file.

    Attributes:
        what: What it is about, e.g. "time format".
        value: What was found.
        why: What makes one think so.
        confidence: ``given`` by the person, ``plain`` as openbell expects it, or how sure the guess is.
    """

    what: str
    value: str
    why: str
    confidence: Confidence

    @property
    def is_guess(self) -> bool:
        """Whether a person should confirm it."""
        return self.confidence not in ("given", "plain")


def sniff_columns(
    sample: pl.DataFrame, given: Mapping[str, str | None], where: str, *, decimal_comma: bool = False
) -> tuple[dict[str, str], list[Detection]]:
    """Find the column of each role.

    Args:
        sample: The first rows, under the names of the columns.
        given: The roles that are known; ``volume`` may be "none".
        where: The file, for messages.
        decimal_comma: Whether numbers in text are written with one.

    Returns:
        Roles with their columns (volume "none" when there is none), and what was found.

    Raises:
        ConfigError: There is no column for a role.
    """
    known = {role: name for role, name in given.items() if name is not None}
    for role, name in known.items():
        if name not in sample.columns and name.casefold() not in (c.strip().casefold() for c in sample.columns):
            if role == "volume" and name == "none":
                continue
            raise ConfigError(
                f"{where}: there is no column {name} for the {role}. The file has {', '.join(sample.columns)}."
            )
    found = {role: _Found(_as_in_file(name, sample.columns), "given") for role, name in known.items()}
    for role in ("symbol", *PRICES, "volume", "time"):
        if role not in found and (column := _by_name(role, sample.columns, {f.column for f in found.values()})):
            usual = _plain(column) in _USUAL.get(role, ()) and column == column.strip()
            found[role] = _Found(column, "plain" if usual else "likely")
    if "volume" in found and found["volume"].confidence != "given":
        _prefer_volume_that_is_there(sample, found)
    elif "volume" not in found:
        _find_one_of_several_volumes(sample, found)
    _find_times(sample, found)
    if not all(role in found for role in PRICES):
        _find_prices_by_values(sample, found, decimal_comma=decimal_comma)
    missing = [role for role in ("time", *PRICES) if role not in found]
    if missing:
        flags = " ".join(f"--{role}-column NAME" for role in missing)
        raise ConfigError(
            f"{where}: no column looks like the {' or '.join(missing)}. It has {', '.join(sample.columns)}; "
            f"name the right one with {flags}."
        )
    found.setdefault("volume", _Found("none", "likely"))
    _look_at_prices(sample, found, decimal_comma=decimal_comma)
    return {role: f.column for role, f in found.items()}, [_told(role, f) for role, f in found.items()]


@dataclass
class _Found:
    column: str
    confidence: Confidence
    why: str = ""


def _told(role: str, found: _Found) -> Detection:
    texts = {"given": "given", "plain": "by its name", "likely": "by its name"}
    why = found.why or texts.get(found.confidence, "")
    if role == "volume" and found.column == "none":
        why = why if found.confidence == "given" else "no column looks like one; volumes will be 0"
    return Detection(f"{role} column", found.column, why, found.confidence)


def _as_in_file(name: str, columns: Sequence[str]) -> str:
    return next((c for c in columns if c.strip().casefold() == name.casefold()), name)


def _plain(name: str) -> str:
    name = name.strip().casefold().translate(str.maketrans("äöü", "aou"))
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"^\d+[.)]\s*", "", name)).strip("_")


def _by_name(role: str, columns: Sequence[str], taken: set[str]) -> str | None:
    free = {column: _plain(column) for column in columns if column not in taken}
    for name in _NAMES[role]:
        for column, plain in free.items():
            if plain == name:
                return column
    if role in ("symbol", "time"):
        return None
    words = [
        c for c, plain in free.items() if role in plain.split("_") and not {"time", "interest"} & set(plain.split("_"))
    ]
    return words[0] if len(words) == 1 else None


def _prefer_volume_that_is_there(sample: pl.DataFrame, found: dict[str, _Found]) -> None:
    """Take the number of ticks where the volume is 0 in all rows, as in files of currencies."""

    def is_nothing(column: str) -> bool:
        values = _numbers(sample, [column], decimal_comma=False)[column]
        return not (values.fill_null(0.0) != 0).any()

    if not is_nothing(found["volume"].column):
        return
    ticks = [c for c in sample.columns if _plain(c) in _TICK_VOLUMES and not is_nothing(c)]
    if ticks:
        found["volume"] = _Found(ticks[0], "likely", f"{found['volume'].column} is 0 in all rows")


def _find_one_of_several_volumes(sample: pl.DataFrame, found: dict[str, _Found]) -> None:
    """Take the first of several columns such as ``Volume BTC`` and ``Volume USD``."""
    taken = {f.column for f in found.values()}
    several = [c for c in sample.columns if c not in taken and "volume" in _plain(c).split("_")]
    if several:
        found["volume"] = _Found(several[0], "unsure", f"the first one; {', '.join(several[1:])} may be meant")


def _find_times(sample: pl.DataFrame, found: dict[str, _Found]) -> None:
    """Find the time column by its values, and a clock beside a column of dates."""
    taken = {f.column for f in found.values()}
    free = [c for c in sample.columns if c not in taken or (found.get("time") and c == found["time"].column)]
    if "time" not in found:
        like = [c for c in free if sample[c].dtype.is_temporal() or _share(sample[c], _TIME_LIKE) >= _ENOUGH]
        if not like:
            return
        found["time"] = _Found(like[0], "likely", "by its values")
    if "clock" in found or found["time"].confidence == "given":
        return
    dates = [c for c in free if sample[c].dtype == pl.Date or _share(sample[c], _DATE) >= _ENOUGH]
    clocks = [
        c for c in free if c not in dates and (sample[c].dtype == pl.Time or _share(sample[c], _CLOCK) >= _ENOUGH)
    ]
    named = [c for c in clocks if _plain(c) in _CLOCK_NAMES] or [c for c in clocks if c.startswith("column_")]
    if dates and named:
        day = next((c for c in dates if _plain(c) in _DATE_NAMES), dates[0])
        found["time"] = _Found(day, "likely", "dates")
        found["clock"] = _Found(named[0], "likely", "times of day, beside a column of dates")


def _share(values: pl.Series, pattern: str) -> float:
    texts = values.drop_nulls().cast(pl.String, strict=False).drop_nulls().str.strip_chars()
    return float(texts.str.contains(pattern).sum() / len(texts)) if len(texts) else 0.0


def _numbers(sample: pl.DataFrame, columns: Sequence[str], *, decimal_comma: bool) -> pl.DataFrame:
    return sample.select(
        pl.col(c).cast(pl.Float64)
        if sample.schema[c].is_numeric()
        else number(pl.col(c), decimal_comma=decimal_comma).alias(c)
        for c in columns
    )


def _find_prices_by_values(sample: pl.DataFrame, found: dict[str, _Found], *, decimal_comma: bool) -> None:
    """Find four columns side by side that behave like open, high, low and close."""
    if any(found[role].confidence == "given" for role in PRICES if role in found):
        return
    texts = {c for c, dtype in sample.schema.items() if dtype == pl.String or dtype.is_numeric()}
    taken = {found[role].column for role in ("time", "clock", "symbol") if role in found}
    numeric = [c for c in sample.columns if c in texts - taken - {"line"}]
    values = _numbers(sample, numeric, decimal_comma=decimal_comma)
    numeric = [c for c in numeric if values[c].null_count() <= len(values) * (1 - _ENOUGH)]
    for start in range(len(numeric) - 3):
        four = numeric[start : start + 4]
        if _hold(values, dict(zip(PRICES, four, strict=True))) >= _ENOUGH:
            for role, column in zip(PRICES, four, strict=True):
                found[role] = _Found(column, "likely", "by their values and order")
            after = numeric[start + 4 : start + 5]
            if after and ("volume" not in found or found["volume"].column in four):
                found["volume"] = _Found(after[0], "likely", "the number behind the prices")
            return


def _hold(values: pl.DataFrame, prices: Mapping[str, str]) -> float:
    """Return the share of rows in which low <= open, close <= high."""
    o, h, low, c = (pl.col(prices[role]) for role in PRICES)
    fits = (low <= pl.min_horizontal(o, c)) & (pl.max_horizontal(o, c) <= h)
    return float(values.select(fits.mean()).to_series().to_list()[0] or 0)


def _look_at_prices(sample: pl.DataFrame, found: dict[str, _Found], *, decimal_comma: bool) -> None:
    columns = {role: found[role].column for role in PRICES}
    if len(set(columns.values())) < len(PRICES) or sample.is_empty():
        return
    share = _hold(_numbers(sample, list(columns.values()), decimal_comma=decimal_comma), columns)
    if share < _ENOUGH and any(found[role].confidence == "likely" for role in PRICES):
        for role in PRICES:
            found[role].confidence = "unsure"
            found[role].why = f"by name; but low <= open, close <= high in {share:.0%} of the rows only"
    adjusted = found["close"]
    if adjusted.confidence == "likely" and _plain(adjusted.column).startswith("adj"):
        found["close"] = _Found(**{**asdict(adjusted), "sure": "unsure", "why": "adjusted: open, high, low may not be"})
